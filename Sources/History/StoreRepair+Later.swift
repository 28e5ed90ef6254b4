import Objects

/// Moves that the ref log has and the catalog, an older copy, has not; with them may come what they lead to.
extension StoreRepair {
  /// Commits that later moves name and the catalog does not know.
  var laterCommits: Set<ObjectKey> {
    let ids = (check.laterMoves + check.otherMoves).flatMap { [$0.old, $0.new].compactMap { $0 } }
    return Set(ids.map { ObjectKey(kind: .commit, id: Hash256(bytes: $0)) }).filter { check.records[$0] == nil }
  }

  /// Takes from packs that the catalog does not know, and from files, the commits that later moves name: each with all that it
  /// reaches or not at all, because what is registered must be whole.
  mutating func gatherLater() throws(StoreError) {
    let wanted = laterCommits.filter { gathered[$0] == nil }
    guard !wanted.isEmpty else { return }
    let strays = try StrayPacks(archive, registered: Set(check.survey.packs))
    for commit in wanted.sorted(by: { $0.id < $1.id }) where gathered[commit] == nil {
      guard let found = try closure(of: commit, in: strays) else { continue }
      gathered.merge(found.objects) { old, _ in old }
      files.merge(found.files) { old, _ in old }
      done.append("found commit \(commit.id), with what it names, in packs that the catalog did not know")
    }
  }

  /// Nil unless everything is here.
  private func closure(
    of commit: ObjectKey, in strays: StrayPacks
  ) throws(StoreError) -> (objects: [ObjectKey: [UInt8]], files: [ObjectKey: FileRecord])? {
    var objects: [ObjectKey: [UInt8]] = [:]
    var found: [ObjectKey: FileRecord] = [:]
    var seen: Set<ObjectKey> = [commit]
    var open = [commit]
    while let key = open.popLast() {
      if gathered[key] != nil || files[key] != nil { continue }
      if check.records[key] != nil && !check.damaged.contains(key) { continue }
      if key.kind.hasOwnFile {
        guard let record = try fileRecord(key, claims: strays.claims[key] ?? []) else { return nil }
        found[key] = record
      } else {
        guard let bytes = try strays.bytes(of: key) else { return nil }
        objects[key] = bytes
        for name in try TransferObject(key: key, bytes: bytes).references() where seen.insert(name).inserted { open.append(name) }
      }
    }
    return (objects, found)
  }

  /// What is true of the file of a leaf or tail; nil if it is not there or has other rows.
  func fileRecord(_ key: ObjectKey, claims: [FileRecord]) throws(StoreError) -> FileRecord? {
    guard try archive.volume.exists(Archive.path(of: key)) else { return nil }
    let file = try archive.volume.map(Archive.path(of: key))
    return CatalogRebuild.fileRecord(key, file, claims: claims, decoder: check.decoder)
  }

  /// Gives what only moves of the log lead to that contradict the catalog branches of their own.
  mutating func rescueOthers() throws(StoreError) {
    let healed = Set(gathered.keys).union(files.keys)
    var walk = ObjectWalk(archive, lost: check.damaged.union(check.missing).subtracting(healed))
    let rescue = try RefRescue(
      check.otherMoves.compactMap { $0.new.map { CommitID(bytes: $0) } }, kept: archive.catalog.refLog(ref: nil), archive: archive, &walk)
    try archive.catalog.replay(rescue.moves)
    done += rescue.sentences
  }

  /// Brings the catalog forward, and back again each ref that would stand for less than before.
  mutating func takeLaterMoves() throws(StoreError) {
    let healed = Set(gathered.keys).union(files.keys)
    var walk = ObjectWalk(archive, lost: check.damaged.union(check.missing).subtracting(healed))
    let archive = archive
    func isStored(_ id: CommitID) -> Bool { (try? archive.commit(id)) != nil }
    let settlement = RefSettlement(
      check.survey.moves + check.laterMoves, found: check.refs, names: Set(check.laterMoves.map(\.ref)), nowMicros: archive.now(),
      isStored: isStored, losses: { walk.losses(of: $0) })
    var settings: [String: String] = [:]
    if let expired = settlement.expiredMicros(check.laterMoves, isStored: isStored) {
      let known = check.survey.settings[Archive.expiredSetting].flatMap { Int64($0) } ?? .min
      settings[Archive.expiredSetting] = "\(max(known, expired))"
    }
    try archive.catalog.replay(check.laterMoves + settlement.corrections, settings: settings)
    done.append("took \(check.laterMoves.count) moves of refs from the ref log into the catalog")
    done += settlement.sentences
    // The current branch may be one that is there no more.
    let found = try archive.catalog.setting(Archive.headSetting)
    let head = try CatalogRebuild.head(found, archive, check.survey.moves + check.laterMoves)
    guard head != found else { return }
    try archive.catalog.setSetting(Archive.headSetting, to: head)
    done.append("made \(head) the current branch, because there is no \(found ?? "setting that names one")")
  }
}

/// What packs hold that the catalog does not know.
struct StrayPacks {
  private let archive: Archive
  private var places: [ObjectKey: (path: String, entry: Pack.Entry)] = [:]
  /// What is said of files of leaves and tails.
  private(set) var claims: [ObjectKey: [FileRecord]] = [:]

  /// - Complexity: O(bytes of these packs)
  init(_ archive: Archive, registered: Set<String>) throws(StoreError) {
    self.archive = archive
    for file in try archive.volume.list("packs") where file.hasSuffix(".pack") {
      let name = String(file.dropLast(5))
      guard !registered.contains(name) else { continue }
      let path = Pack.path(ofName: name)
      let bytes = try archive.volume.read(path)
      let entries = (try? Pack(decoding: bytes, name: name, path: path).entries) ?? Pack.salvage(bytes)
      for entry in entries {
        let key = ObjectKey(kind: entry.kind, id: entry.id)
        if entry.kind.hasOwnFile {
          let encoded = Array(bytes[entry.offset..<entry.offset + entry.byteCount])
          if let claim = try? FileRecord(decoding: encoded, object: path) { claims[key, default: []].append(claim) }
        } else {
          places[key] = (path, entry)
        }
      }
    }
  }

  /// Nil unless one of the packs has the object as its id says.
  func bytes(of key: ObjectKey) throws(StoreError) -> [UInt8]? {
    guard let place = places[key] else { return nil }
    let bytes = try archive.volume.read(place.path, from: place.entry.offset, byteCount: place.entry.byteCount)
    return Hash256(bytes: Checksum.sha256(bytes)) == key.id ? bytes : nil
  }
}
