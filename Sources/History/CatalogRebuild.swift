import Objects

/// A catalog made anew from the packs, the files of leaves and tails, and the ref log.
struct CatalogRebuild {
  let volume: any Volume
  let decoder: StoreCheck.Decoder?
  /// What could be read of the catalog that was there: its settings, later moves than the ref log has, and what its refs stood for.
  var survey: CatalogSurvey?

  /// Fills an empty catalog. Without a survey the current branch is `main`, or the one that moved last.
  /// - Returns: how many objects and moves were found, and what became of refs, in sentences.
  func fill(
    _ catalog: Catalog, now: @escaping @Sendable () -> Int64
  ) throws(StoreError) -> (objectCount: Int, moveCount: Int, sentences: [String]) {
    let (packed, claims) = try readPacks()
    var records = packed
    var lost: Set<ObjectKey> = []
    func note(_ key: ObjectKey, _ candidates: [FileRecord]) throws(StoreError) {
      guard try volume.exists(Archive.path(of: key)) else { return }
      let file = try volume.map(Archive.path(of: key))
      if let found = Self.fileRecord(key, file, claims: candidates, decoder: decoder) {
        records[key] = Self.record(key, found)
      } else if let claim = candidates.last {
        // So that a check can name the damage.
        records[key] = Self.record(key, claim)
        lost.insert(key)
      }
    }
    for (key, candidates) in claims { try note(key, candidates) }
    for key in try unclaimedFiles(claims) { try note(key, []) }
    let sorted = records.sorted { ($0.key.kind.rawValue, $0.key.id) < ($1.key.kind.rawValue, $1.key.id) }
    let packs = try volume.list("packs").filter { $0.hasSuffix(".pack") }.map { String($0.dropLast(5)) }
    _ = try catalog.register(sorted.map(\.value), packs: packs, moving: nil, nowMicros: 0)

    let archive = Archive(volume: volume, catalog: catalog, now: now)
    var walk = ObjectWalk(archive, lost: lost)
    let moves = try moves(archive)
    let settlement = try settle(archive, moves, isStored: { records[ObjectKey(kind: .commit, id: $0.hash)] != nil }, &walk)
    try catalog.replay(moves + settlement.corrections)
    try setSettings(archive, moves, settlement) { records[ObjectKey(kind: .commit, id: $0.hash)] != nil }
    var given =
      try archive.refLog.intactMoves().compactMap(\.new) + (survey?.moves.compactMap(\.new) ?? []) + (survey?.refs.map(\.target) ?? [])
    // Where neither a catalog nor the log says what refs stood for, the commits themselves are asked.
    let logIsWhole = try volume.exists(RefLogFile.path) && (try? archive.refLog.moves()) != nil
    if !logIsWhole && survey?.moves.isEmpty ?? true {
      given += records.keys.filter { $0.kind == .commit }.map(\.id.bytes)
    }
    let rescue = try RefRescue(
      given.filter { $0.count == Hash256.byteCount }.map { CommitID(bytes: $0) },
      left: settlement.corrections.compactMap { $0.old.map { CommitID(bytes: $0) } }, kept: moves + settlement.corrections,
      archive: archive, &walk)
    try catalog.replay(rescue.moves)
    try forgetTornObjects(archive, records, &walk)
    return (records.count, moves.count, settlement.sentences + rescue.sentences)
  }

  // MARK: Refs

  /// Those of the ref log, whose records have checksums, and what the old catalog has behind them.
  private func moves(_ archive: Archive) throws(StoreError) -> [RefLogRecord] {
    let logged = CatalogAudit.consistentPrefix(try archive.refLog.intactMoves())
    guard let survey else { return logged }
    return CatalogAudit.consistentPrefix(logged + survey.moves.filter { $0.sequence > Int64(logged.count) })
  }

  private func settle(
    _ archive: Archive, _ moves: [RefLogRecord], isStored: (CommitID) -> Bool, _ walk: inout ObjectWalk
  ) throws(StoreError) -> RefSettlement {
    var found: [String: RefRecord] = [:]
    for ref in survey?.refs ?? [] where RefName.isValid(ref.name) && RefKind(rawValue: ref.kind) != nil { found[ref.name] = ref }
    // A log that was read to its end is to be trusted more than a row without a checksum.
    let isWhole = try archive.refLog.bytes().map { RefLogFile.content(RefLogFile.intactMoves(in: $0)) == $0 } ?? false
    return RefSettlement(
      moves, found: found, names: Set(moves.map(\.ref)).union(found.keys), nowMicros: archive.now(), isStored: isStored,
      losses: { walk.losses(of: $0) },
      isLater: { before, last in !isWhole || ((try? archive.isReachable(last, from: before)) ?? false) })
  }

  private func setSettings(
    _ archive: Archive, _ moves: [RefLogRecord], _ settlement: RefSettlement, isStored: (CommitID) -> Bool
  ) throws(StoreError) {
    var settings = survey?.settings ?? [:]
    for (name, address) in settings where CatalogAudit.remoteProblem(name, address) != nil { settings[name] = nil }
    settings[Archive.headSetting] = try Self.head(settings[Archive.headSetting], archive, moves)
    // Which moves gc had let expire may not be known any more: those of commits that are gone.
    let known = settings[Archive.expiredSetting].flatMap { Int64($0) }
    settings[Archive.expiredSetting] = [known, settlement.expiredMicros(moves, isStored: isStored)].compactMap { $0 }.max().map { "\($0)" }
    for (name, value) in settings { try archive.catalog.setSetting(name, to: value) }
  }

  /// The current branch: the one that is said to be, if it can be; else `main` or the branch that moved last.
  static func head(_ found: String?, _ archive: Archive, _ moves: [RefLogRecord]) throws(StoreError) -> String {
    let branches = try archive.refs().filter { $0.kind == .branch }.map(\.name)
    if let found, RefName.isValid(found), branches.isEmpty || branches.contains(found) { return found }
    if branches.contains(Archive.firstHead) { return Archive.firstHead }
    return moves.last { branches.contains($0.ref) }?.ref ?? Archive.firstHead
  }

  // MARK: Objects

  private static func record(_ key: ObjectKey, _ file: FileRecord) -> ObjectRecord {
    ObjectRecord(
      kind: key.kind.rawValue, id: key.id.bytes, place: .ownFile, byteCount: file.byteCount, fileSHA256: file.fileSHA256,
      digests: file.digests)
  }

  private func readPacks() throws(StoreError) -> (packed: [ObjectKey: ObjectRecord], claims: [ObjectKey: [FileRecord]]) {
    var packed: [ObjectKey: ObjectRecord] = [:]
    var claims: [ObjectKey: [FileRecord]] = [:]
    for file in try volume.list("packs") where file.hasSuffix(".pack") {
      let name = String(file.dropLast(5))
      let path = Pack.path(ofName: name)
      let bytes = try volume.read(path)
      // Of a damaged pack the objects that are whole; the check that follows names the others.
      let entries = (try? Pack(decoding: bytes, name: name, path: path).entries) ?? Pack.salvage(bytes)
      for entry in entries {
        let key = ObjectKey(kind: entry.kind, id: entry.id)
        if entry.kind.hasOwnFile {
          let encoded = Array(bytes[entry.offset..<entry.offset + entry.byteCount])
          if let claim = try? FileRecord(decoding: encoded, object: path) { claims[key, default: []].append(claim) }
        } else if packed[key] == nil {
          packed[key] = ObjectRecord(
            kind: key.kind.rawValue, id: key.id.bytes, place: .pack(name: name, offset: entry.offset), byteCount: entry.byteCount)
        }
      }
    }
    return (packed, claims)
  }

  /// What is true of a file: one of several records, or what its rows say. Nil if it has not the rows that its name says.
  static func fileRecord(
    _ key: ObjectKey, _ file: MappedFile, claims: [FileRecord], decoder: StoreCheck.Decoder?
  ) -> FileRecord? {
    let sum = file.withBytes { Checksum.sha256($0) }
    if let found = claims.first(where: { $0.byteCount == file.byteCount && $0.fileSHA256 == sum }) { return found }
    guard let identity = try? decoder?(file), identity.hash == key.id else { return nil }
    return FileRecord(byteCount: file.byteCount, fileSHA256: sum, digests: identity.digests)
  }

  private func unclaimedFiles(_ claims: [ObjectKey: [FileRecord]]) throws(StoreError) -> [ObjectKey] {
    var keys: [ObjectKey] = []
    for folder in try volume.list("leaves") {
      for file in try volume.list("leaves/\(folder)") {
        if let id = Hash256(hex: (folder + file).dropLast(8)) { keys.append(ObjectKey(kind: .leaf, id: id)) }
      }
    }
    for file in try volume.list("tails") {
      if let id = Hash256(hex: file.dropLast(8)) { keys.append(ObjectKey(kind: .tail, id: id)) }
    }
    return keys.filter { claims[$0] == nil }
  }

  /// A writer that finds an object stored asks for nothing beneath it; so what is not reachable is kept only if it is whole.
  private func forgetTornObjects(
    _ archive: Archive, _ records: [ObjectKey: ObjectRecord], _ walk: inout ObjectWalk
  ) throws(StoreError) {
    let reached = walk.reach(of: try archive.refs().map { ObjectKey(kind: .commit, id: $0.commit.hash) }).reached
    var forgotten: [ObjectKey] = []
    for key in records.keys where !reached.contains(key) && !walk.isWhole(key) { forgotten.append(key) }
    guard !forgotten.isEmpty else { return }
    try archive.catalog.reorganize(forgetting: forgotten.map { ($0.kind.rawValue, $0.id.bytes) }, packs: [], placing: [], in: [])
  }
}
