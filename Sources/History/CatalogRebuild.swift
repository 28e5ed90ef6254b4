import Objects

/// A catalog made anew from the packs, the files of leaves and tails, and the ref log.
struct CatalogRebuild {
  let volume: any Volume
  let decoder: StoreCheck.Decoder?

  /// Fills an empty catalog. What the settings said is lost: the current branch is `main`, or the one that moved last.
  /// - Returns: how many objects and moves were found.
  func fill(_ catalog: Catalog, now: @escaping @Sendable () -> Int64) throws(StoreError) -> (objectCount: Int, moveCount: Int) {
    let (packed, claims) = try readPacks()
    var records = packed
    for (key, candidates) in claims { records[key] = try fileRecord(key, candidates).map { Self.record(key, $0) } }
    for key in try unclaimedFiles(claims) { records[key] = try fileRecord(key, []).map { Self.record(key, $0) } }
    let sorted = records.sorted { ($0.key.kind.rawValue, $0.key.id) < ($1.key.kind.rawValue, $1.key.id) }
    let packs = try volume.list("packs").filter { $0.hasSuffix(".pack") }.map { String($0.dropLast(5)) }
    _ = try catalog.register(sorted.map(\.value), packs: packs, moving: nil, nowMicros: 0)

    let archive = Archive(volume: volume, catalog: catalog, now: now)
    let moves = try archive.refLog.intactMoves()
    try catalog.replay(moves)
    let branches = try archive.refs().filter { $0.kind == .branch }.map(\.name)
    let lastMoved = moves.last { branches.contains($0.ref) }?.ref
    try catalog.setSetting(Archive.headSetting, to: branches.contains("main") ? "main" : lastMoved ?? "main")
    // Which moves gc had let expire is not known any more: those of commits that are gone.
    let gone = moves.last { move in
      [move.old, move.new].contains { $0.map { records[ObjectKey(kind: .commit, id: Hash256(bytes: $0))] == nil } ?? false }
    }
    if let gone { try catalog.setSetting(Archive.expiredSetting, to: "\(gone.timeMicros)") }
    try forgetTornObjects(archive, records)
    return (records.count, moves.count)
  }

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
          claims[key, default: []].append(try FileRecord(decoding: encoded, object: "\(entry.kind.name) \(entry.id) in \(path)"))
        } else if packed[key] == nil {
          packed[key] = ObjectRecord(
            kind: key.kind.rawValue, id: key.id.bytes, place: .pack(name: name, offset: entry.offset), byteCount: entry.byteCount)
        }
      }
    }
    return (packed, claims)
  }

  /// What of several records of a file is true of it; the last of them if none is, so that a check can name the damage.
  /// Nil if there is no such file: then gc took it.
  private func fileRecord(_ key: ObjectKey, _ candidates: [FileRecord]) throws(StoreError) -> FileRecord? {
    guard try volume.exists(Archive.path(of: key)) else { return nil }
    let file = try volume.map(Archive.path(of: key))
    let sum = file.withBytes { Checksum.sha256($0) }
    if let found = candidates.first(where: { $0.byteCount == file.byteCount && $0.fileSHA256 == sum }) { return found }
    if let identity = try? decoder?(file), identity.hash == key.id {
      return FileRecord(byteCount: file.byteCount, fileSHA256: sum, digests: identity.digests)
    }
    return candidates.last
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
  private func forgetTornObjects(_ archive: Archive, _ records: [ObjectKey: ObjectRecord]) throws(StoreError) {
    var reach = Reach()
    // What has been found whole need not be looked at again for each that names it.
    var whole = Reach()
    func takeWhole(_ key: ObjectKey) -> Bool {
      if whole.keys.contains(key) { return true }
      var more = whole
      guard (try? more.add(key, in: archive)) != nil else { return false }
      guard more.keys.subtracting(whole.keys).allSatisfy({ records[$0] != nil }) else { return false }
      whole = more
      return true
    }
    for ref in try archive.refs() {
      let key = ObjectKey(kind: .commit, id: ref.commit.hash)
      try? reach.add(key, in: archive)
      _ = takeWhole(key)
    }
    let (commits, others) = (records.keys.filter { $0.kind == .commit }, records.keys.filter { $0.kind != .commit })
    let forgotten = (commits + others).filter { !reach.keys.contains($0) && !takeWhole($0) }
    guard !forgotten.isEmpty else { return }
    try archive.catalog.reorganize(forgetting: forgotten.map { ($0.kind.rawValue, $0.id.bytes) }, packs: [], placing: [], in: [])
  }
}
