import Objects

/// Puts right what a check has found, as far as what is intact here or in another repository allows.
struct StoreRepair {
  let check: StoreCheck
  /// Another repository, whose good copies may be taken.
  let source: Archive?
  var done: [String] = []
  /// What could not be put right, though it was tried: a sentence each.
  var undone: [String] = []
  var archive: Archive { check.archive }
  /// Objects for the new pack.
  var gathered: [ObjectKey: [UInt8]] = [:]
  var files: [ObjectKey: FileRecord] = [:]

  init(_ check: StoreCheck, source: Archive?) {
    self.check = check
    self.source = source
  }

  /// - Throws: `io`, `corrupt`; what was put right before stays so.
  mutating func run() throws(StoreError) {
    try gatherIntact()
    try gatherFiles()
    try gatherLater()
    try gatherFromSource()
    try store()
    if !check.laterMoves.isEmpty { try takeLaterMoves() }
    try leaveWhatIsGone()
    if !check.otherMoves.isEmpty { try rescueOthers() }
    if check.refLogFileIsDamaged || !check.laterMoves.isEmpty {
      try archive.refLog.rewrite(from: archive.catalog)
      if check.refLogFileIsDamaged { done.append("wrote the ref log again from the catalog") }
    } else {
      try archive.refLog.catchUp(with: archive.catalog)
    }
  }

  /// What packs still hold: intact objects of damaged packs, and objects that the catalog looks for in a wrong place.
  private mutating func gatherIntact() throws(StoreError) {
    var bytesOfPack: [String: [UInt8]] = [:]
    for name in check.damagedPacks where try archive.volume.exists(Pack.path(ofName: name)) {
      bytesOfPack[name] = try archive.volume.read(Pack.path(ofName: name))
    }
    for (key, record) in check.records {
      guard case .pack(let name, let offset) = record.place, !check.damaged.contains(key), let bytes = bytesOfPack[name] else { continue }
      gathered[key] = Array(bytes[offset..<offset + record.byteCount])
    }
    guard check.damaged.contains(where: { !$0.kind.hasOwnFile }) || !check.missing.isEmpty else { return }
    for file in try archive.volume.list("packs") where file.hasSuffix(".pack") {
      let bytes = try archive.volume.read("packs/\(file)")
      for entry in Pack.salvage(bytes) where !entry.kind.hasOwnFile {
        let key = ObjectKey(kind: entry.kind, id: entry.id)
        guard check.damaged.contains(key) || check.missing.contains(key), gathered[key] == nil else { continue }
        gathered[key] = Array(bytes[entry.offset..<entry.offset + entry.byteCount])
        done.append("found \(key.kind.name) \(key.id) in packs/\(file)")
      }
    }
  }

  private mutating func gatherFiles() throws(StoreError) {
    for (key, record) in check.reencoded {
      files[key] = record
      done.append("noted the bytes of \(key.kind.name) \(key.id) anew, whose rows are intact")
    }
    // Named by something, and not by the catalog.
    for key in check.missing where key.kind.hasOwnFile && files[key] == nil {
      guard let record = try fileRecord(key, claims: []) else { continue }
      files[key] = record
      done.append("noted \(key.kind.name) \(key.id), whose file is here and which the catalog did not know")
    }
    for key in check.unrecorded where files[key] == nil && !check.damaged.contains(key) {
      files[key] = try archive.fileRecord(key)
    }
  }

  private mutating func gatherFromSource() throws(StoreError) {
    guard let source else { return }
    let later = laterCommits.filter { gathered[$0] == nil }
    var open = check.damaged.union(check.missing).union(later).sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
    var asked = Set(open)
    while let key = open.popLast() {
      if gathered[key] != nil || files[key] != nil { continue }
      do throws(StoreError) {
        if key.kind.hasOwnFile {
          files[key] = try copyFile(key, from: source)
        } else {
          gathered[key] = try source.content(key.kind, key.id)
          // What was not even registered here brings with it what it names.
          for reference in try source.references(of: key) where check.records[reference] == nil && asked.insert(reference).inserted {
            open.append(reference)
          }
        }
        done.append("restored \(key.kind.name) \(key.id) from \(source.volume.absolutePath(""))")
      } catch {
        guard error.kind == .notFound || error.kind == .corrupt else { throw error }
      }
    }
  }

  private func copyFile(_ key: ObjectKey, from source: Archive) throws(StoreError) -> FileRecord {
    try source.verifyFile(key)
    let file = try source.mapFile(key)
    guard let record = try source.fileRecord(key) else {
      throw StoreError(kind: .notFound, text: "Cannot restore \(key.kind.name) \(key.id): it is not stored there")
    }
    if let decoder = check.decoder, (try? decoder(file))?.hash != key.id {
      throw StoreError(kind: .corrupt, text: "Cannot restore \(key.kind.name) \(key.id): its file there has other rows")
    }
    try archive.volume.stage(Archive.path(of: key), UnsafeRawBufferPointer(start: file.start, count: file.byteCount))
    return record
  }

  private mutating func store() throws(StoreError) {
    let dropped = check.damagedPacks.filter { name in
      check.records.allSatisfy { key, record in
        guard case .pack(name, _) = record.place else { return true }
        return gathered[key] != nil
      }
    }.sorted()
    // What the catalog says of these is wrong; if something names them, they are missing and not damaged.
    let forgotten = check.misplaced.filter { gathered[$0] == nil && files[$0] == nil }
    guard !gathered.isEmpty || !files.isEmpty || !dropped.isEmpty || !forgotten.isEmpty else { return }
    let objects = gathered.sorted { ($0.key.kind.rawValue, $0.key.id) < ($1.key.kind.rawValue, $1.key.id) }
    let durable = try archive.makeDurable(
      objects.map { Draft.Object(kind: $0.key.kind, id: $0.key.id, bytes: $0.value, references: []) }, files)
    // What was intact may be all that the pack is to hold: then the new one has its name.
    let gone = dropped.filter { $0 != durable.pack }
    try archive.catalog.reorganize(
      forgetting: forgotten.map { ($0.kind.rawValue, $0.id.bytes) }, packs: gone, placing: durable.records,
      in: durable.pack.map { [$0] } ?? [])
    for name in gone { try archive.volume.remove(Pack.path(ofName: name)) }
    if !dropped.isEmpty { done.append("wrote what was intact of \(dropped.count) damaged packs to a new one") }
    for key in forgotten.sorted(by: { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }) {
      done.append("forgot \(key.kind.name) \(key.id), which is in no pack and no file")
    }
  }
}

extension Pack {
  /// The objects that lie in the bytes of a pack as their ids say, as far as its structure can be followed. Records of files
  /// are left out: nothing but the whole pack's checksum vouches for them.
  static func salvage(_ bytes: [UInt8]) -> [Entry] {
    var found: [Entry] = []
    var at = magic.count
    while at + 41 <= bytes.count, let kind = ObjectKind(rawValue: bytes[at]) {
      let count = bytes[at + 33..<at + 41].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      let offset = at + 41
      guard count <= UInt64(bytes.count - offset) else { break }
      let id = Hash256(bytes: bytes[at + 1..<at + 33])
      let range = offset..<offset + Int(count)
      if !kind.hasOwnFile, Hash256(bytes: bytes[range].withUnsafeBytes { Checksum.sha256($0) }) == id {
        found.append(Entry(kind: kind, id: id, offset: offset, byteCount: Int(count)))
      }
      at = range.upperBound
    }
    return found
  }
}
