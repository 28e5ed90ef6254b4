import Glibc
import Objects
import Synchronization

/// What became of the wish to move a ref.
package enum PublishOutcome: Hashable, Sendable {
  /// The ref stands for the commit now, or did already.
  case moved
  /// The ref stood for something else than expected (nil: it does not exist) and was not moved.
  case lostRace(current: CommitID?)
}

extension Archive {
  /// Makes the objects of a draft durable, then lets a branch stand for the commit, if the branch still stands for what the
  /// writer saw.
  ///
  /// Objects that are stored already are not written again. On `lostRace` the new objects may have been stored; they serve
  /// the next attempt or become garbage. When this throws, the branch is at one of the two commits.
  /// - Parameters:
  ///   - draft: empty afterwards if the branch moved, unchanged otherwise.
  ///   - commit: in the draft, or stored.
  ///   - expecting: nil when the branch must not exist yet.
  /// - Throws: `notFound` when the draft or the commit names an object that is stored nowhere; `invalid` for a name that
  ///   cannot be a branch; `exists` when the name is that of a tag; `corrupt`, `io`.
  package func publish(
    _ draft: inout Draft, commit: CommitID, to branch: String, expecting: CommitID?, reason: String
  ) throws(StoreError) -> PublishOutcome {
    try RefName.check(branch)
    let current = try catalog.ref(named: branch)
    if let current, current.kind != RefKind.branch.rawValue { throw Self.otherKind(branch, current.kind) }
    let currentID = current.map { CommitID(bytes: $0.target) }
    // Nothing is written for a race that is lost already; the transaction below decides the others.
    guard currentID == expecting || currentID == commit else { return .lostRace(current: currentID) }

    // Shared until all is registered: what is found here must still be there when the commit names it.
    let content = draft
    let outcome = try sharingObjects { () throws(StoreError) in
      let objects = try newObjects(of: content)
      try checkReferences(of: objects, in: content)
      if !content.known.contains(Draft.Reference(kind: .commit, id: commit.hash)) {
        guard try catalog.missing(kind: ObjectKind.commit.rawValue, ids: [commit.bytes]).isEmpty else {
          throw StoreError(kind: .notFound, text: "Cannot publish commit \(commit) to \(branch): it is neither in the draft nor stored")
        }
      }
      let files = staged.withLock { staged in staged.filter { content.files.contains($0.key) } }
      try checkStaged(files)
      let durable = try makeDurable(objects, files)
      return try move(
        RefMove(
          name: branch, kind: RefKind.branch.rawValue, expecting: expecting?.bytes, new: commit.bytes, reason: reason),
        registering: durable.records, pack: durable.pack)
    }
    if outcome == .moved { draft = Draft() }
    return outcome
  }

  /// A gc without a grace period may have taken files that nothing named yet.
  private func checkStaged(_ files: [ObjectKey: FileRecord]) throws(StoreError) {
    for (key, file) in files where try volume.byteCount(Self.path(of: key)) != file.byteCount {
      staged.withLock { $0[key] = nil }
      throw StoreError(
        kind: .io(EIO),
        text:
          "Cannot publish \(key.kind.name) \(key.id): its file \(volume.absolutePath(Self.path(of: key))) was removed meanwhile; write it again"
      )
    }
  }

  /// Moves a ref by compare-and-swap, and the log with it.
  func move(
    _ move: RefMove, registering records: [ObjectRecord] = [], pack: String? = nil
  ) throws(StoreError) -> PublishOutcome {
    guard move.reason.utf8.count <= RefLogFile.payloadByteCountMax / 16 else {
      throw StoreError(
        kind: .invalid, text: "Cannot move \(move.name): the reason has \(move.reason.utf8.count) bytes, at most 65536 are kept")
    }
    try refuseReadOnly("move \(move.name)")
    try refLog.check(against: catalog)
    let outcome = try catalog.register(records, packs: pack.map { [$0] } ?? [], moving: move, nowMicros: now())
    let registered = Set(
      records.compactMap { record in
        ObjectKind(rawValue: record.kind).flatMap { $0.hasOwnFile ? ObjectKey(kind: $0, id: Hash256(bytes: record.id)) : nil }
      })
    if !registered.isEmpty { staged.withLock { staged in staged = staged.filter { !registered.contains($0.key) } } }
    switch outcome {
    case .moved:
      try refLog.catchUp(with: catalog)
      return .moved
    case .alreadyThere: return .moved
    case .lostRace(let current): return .lostRace(current: current.map { CommitID(bytes: $0) })
    case .otherKind(let kind): throw Self.otherKind(move.name, kind)
    }
  }

  static func otherKind(_ name: String, _ kind: UInt8) -> StoreError {
    let found = (RefKind(rawValue: kind) ?? .branch).name
    return StoreError(kind: .exists, text: "Cannot move \(name): it is a \(found)")
  }

  // MARK: Steps

  private func newObjects(of draft: Draft) throws(StoreError) -> [Draft.Object] {
    var missing: Set<Draft.Reference> = []
    for kind in ObjectKind.allCases {
      let ids = draft.objects.filter { $0.kind == kind }.map(\.id.bytes)
      for id in try catalog.missing(kind: kind.rawValue, ids: ids) {
        missing.insert(Draft.Reference(kind: kind, id: Hash256(bytes: id)))
      }
    }
    try renewAge(of: draft.objects.map { ObjectKey(kind: $0.kind, id: $0.id) }.filter { !missing.contains($0) })
    return draft.objects.filter { missing.contains(Draft.Reference(kind: $0.kind, id: $0.id)) }
  }

  /// Objects that are found instead of written get the age of written ones. One that is damaged counts as found here: fsck
  /// names and repairs it. Leaves and tails got theirs when they were found.
  func renewAge(of keys: [ObjectKey]) throws(StoreError) {
    var packs: Set<String> = []
    for key in keys where !key.kind.hasOwnFile {
      let record = try catalog.object(kind: key.kind.rawValue, id: key.id.bytes)
      if case .pack(let name, _)? = record?.place { packs.insert(name) }
    }
    for name in packs where try volume.exists(Pack.path(ofName: name)) { try volume.renewAge(Pack.path(ofName: name)) }
  }

  /// A commit must never name what is not there.
  private func checkReferences(of objects: [Draft.Object], in draft: Draft) throws(StoreError) {
    var wanted: [ObjectKind: [Hash256: Draft.Object]] = [:]
    for object in objects {
      for reference in object.references where !draft.known.contains(reference) {
        wanted[reference.kind, default: [:]][reference.id] = object
      }
    }
    let ready = staged.withLock { Set($0.keys) }
    for (kind, ids) in wanted {
      let asked = ids.keys.filter { !ready.contains(ObjectKey(kind: kind, id: $0)) }
      guard let lost = try catalog.missing(kind: kind.rawValue, ids: asked.map(\.bytes)).first else { continue }
      let id = Hash256(bytes: lost)
      let object = ids[id].map { "\($0.kind.name) \($0.id)" } ?? "an object"
      throw StoreError(kind: .notFound, text: "Cannot publish \(object): it names \(kind.name) \(id), which is not stored")
    }
  }

  /// Writes one pack of the objects and of what is known of the files; with it the names of the files become durable.
  func makeDurable(
    _ objects: [Draft.Object], _ files: [ObjectKey: FileRecord]
  ) throws(StoreError) -> (records: [ObjectRecord], pack: String?) {
    guard !objects.isEmpty || !files.isEmpty else { return ([], nil) }
    let sorted = files.sorted { ($0.key.kind.rawValue, $0.key.id) < ($1.key.kind.rawValue, $1.key.id) }
    let pack = Pack(
      sorted.map { ($0.key.kind, $0.key.id, $0.value.encoded) } + objects.map { ($0.kind, $0.id, $0.bytes) })
    try volume.stage(pack.path, pack.bytes)
    // The folders of leaves are made when they are first needed, so the folder above must be durable too.
    let folders = files.keys.flatMap { $0.kind == .leaf ? [Self.folder(of: $0), "leaves"] : [Self.folder(of: $0)] }
    try volume.syncFolders(["packs"] + folders)

    let own = sorted.map { key, file in
      ObjectRecord(
        kind: key.kind.rawValue, id: key.id.bytes, place: .ownFile, byteCount: file.byteCount,
        fileSHA256: file.fileSHA256, digests: file.digests)
    }
    let packed = pack.entries.filter { !$0.kind.hasOwnFile }.map { entry in
      ObjectRecord(
        kind: entry.kind.rawValue, id: entry.id.bytes, place: .pack(name: pack.name, offset: entry.offset),
        byteCount: entry.byteCount)
    }
    return (own + packed, pack.name)
  }
}
