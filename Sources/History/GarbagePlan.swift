import Objects

/// What of a store is to go, worked out from what is reachable and how old the files are.
struct GarbagePlan {
  private(set) var report = GarbageReport()
  /// Objects that the catalog is to forget.
  private(set) var forgotten: [ObjectKey] = []
  private(set) var forgottenPacks: [String] = []
  /// What is still in use of packs that are mostly garbage.
  private(set) var newPacks: [Pack] = []

  /// Packs are read and written whole.
  private static let packByteCountMax = 64 << 20

  private let archive: Archive
  private let leased: LeasedObjects
  private let oldest: Int64

  init(_ archive: Archive, _ reach: Reach, _ rules: GarbageRules) throws(StoreError) {
    self.archive = archive
    leased = try archive.leases()
    // Not older than the clock shows: an age of zero is old enough without a grace period. Work under way stretches it to
    // its beginning.
    oldest = min(archive.now() - rules.graceMicros, leased.youngMicros.map { $0 - 1 } ?? .max)
    let objects = try archive.catalog.objects().compactMap { record in
      ObjectKind(rawValue: record.kind).map { (key: ObjectKey(kind: $0, id: Hash256(bytes: record.id)), record: record) }
    }
    var packIsOld: [String: Bool] = [:]
    func isOldObject(_ key: ObjectKey, _ record: ObjectRecord) throws(StoreError) -> Bool {
      guard case .pack(let name, _) = record.place else { return try isOld(Archive.path(of: key)) }
      if let known = packIsOld[name] { return known }
      let found = try isOld(Pack.path(ofName: name))
      packIsOld[name] = found
      return found
    }

    // What is young is kept with all that it names: a writer that finds it asks for nothing beneath it.
    var kept = reach
    for (key, record) in objects where !kept.keys.contains(key) {
      guard try !isOldObject(key, record) else { continue }
      do {
        try kept.add(key, in: archive)
      } catch {
        // Nothing reachable names it, so that its own damage harms nobody.
        continue
      }
    }
    var live: [String: Set<ObjectKey>] = [:]
    for (key, record) in objects {
      if kept.keys.contains(key) {
        if case .pack(let name, _) = record.place { live[name, default: []].insert(key) }
      } else {
        forgotten.append(key)
        report.objectCounts[key.kind.name, default: 0] += 1
        if key.kind.hasOwnFile { try take(key.kind == .leaf ? .leaf : .tail, Archive.path(of: key)) }
      }
    }
    let known = Set(objects.filter { $0.key.kind.hasOwnFile }.map(\.key))
    try planPacks(live, records: known.subtracting(forgotten), rules)
    try planStrays(known)
  }

  private func isOld(_ path: String) throws(StoreError) -> Bool {
    guard let time = try archive.volume.modifiedMicros(path) else { return true }
    return time <= oldest
  }

  private mutating func take(_ kind: GarbageReport.Item.Kind, _ path: String, keeping: Int = 0) throws(StoreError) {
    guard let count = try archive.volume.byteCount(path) else { return }
    report.items.append(GarbageReport.Item(kind: kind, path: path, byteCount: count - keeping))
  }

  // MARK: Packs

  /// - Parameters:
  ///   - live: by pack, the objects whose bytes the catalog finds in it.
  ///   - records: leaves and tails that are kept; a pack with what is known of one is where a lost catalog would find it.
  private mutating func planPacks(
    _ live: [String: Set<ObjectKey>], records: Set<ObjectKey>, _ rules: GarbageRules
  ) throws(StoreError) {
    var gathered: [(kind: ObjectKind, id: Hash256, bytes: [UInt8])] = []
    let registered = Set(try archive.catalog.packNames())
    for file in try archive.volume.list("packs") where file.hasSuffix(".pack") {
      let name = String(file.dropLast(5))
      let path = Pack.path(ofName: name)
      guard try isOld(path) else { continue }
      guard registered.contains(name) else {
        // Its writer never got to the catalog, or a gc not to its removal.
        try take(.pack, path)
        continue
      }
      let bytes = try archive.volume.read(path)
      let pack = try Pack(decoding: bytes, name: name, path: path)
      let used = pack.entries.filter { entry in
        let key = ObjectKey(kind: entry.kind, id: entry.id)
        return entry.kind.hasOwnFile ? records.contains(key) : live[name]?.contains(key) ?? false
      }
      let usedByteCount = used.reduce(0) { $0 + $1.byteCount }
      if used.isEmpty {
        try take(.pack, path)
        forgottenPacks.append(name)
      } else if used.count < pack.entries.count, Double(usedByteCount) < rules.packShareMin * Double(bytes.count) {
        try take(.repacked, path, keeping: usedByteCount)
        forgottenPacks.append(name)
        gathered += used.map { ($0.kind, $0.id, Array(bytes[$0.offset..<$0.offset + $0.byteCount])) }
      }
      if gathered.reduce(0, { $0 + $1.bytes.count }) > Self.packByteCountMax {
        newPacks.append(Pack(gathered))
        gathered = []
      }
    }
    if !gathered.isEmpty { newPacks.append(Pack(gathered)) }
    // A gc that was cut short may have left the very pack that is to be written now.
    let written = Set(newPacks.map(\.path))
    report.items.removeAll { written.contains($0.path) }
  }

  // MARK: Strays

  /// Files that the catalog does not know.
  private mutating func planStrays(_ known: Set<ObjectKey>) throws(StoreError) {
    let volume = archive.volume
    for folder in try volume.list("leaves") {
      for file in try volume.list("leaves/\(folder)") {
        try planStray("leaves/\(folder)/\(file)", .leaf, hex: folder + file, known)
      }
    }
    for file in try volume.list("tails") { try planStray("tails/\(file)", .tail, hex: file, known) }
    for file in try volume.list("tmp") where try isOld("tmp/\(file)") { try planTemporary("tmp/\(file)", name: file) }
    // Files that nobody has gone on sending.
    for file in try volume.list("incoming") where try isOld("incoming/\(file)") { try take(.temporary, "incoming/\(file)") }
    for file in try volume.list("cache") where try isOld("cache/\(file)") { try take(.temporary, "cache/\(file)") }
    for path in leased.dead { try take(.lease, path) }
  }

  /// A file, or a folder of scratch files with what is in it, unless a living process uses it.
  private mutating func planTemporary(_ path: String, name: String) throws(StoreError) {
    if name.hasPrefix(ScratchFolder.namePrefix) {
      guard try !archive.volume.isClaimed(path) else { return }
      for file in try archive.volume.list(path) { try take(.temporary, "\(path)/\(file)") }
      report.items.append(GarbageReport.Item(kind: .temporary, path: path, byteCount: 0))
    } else {
      try take(.temporary, path)
    }
  }

  private mutating func planStray(
    _ path: String, _ kind: ObjectKind, hex: String, _ known: Set<ObjectKey>
  ) throws(StoreError) {
    if hex.hasSuffix(".parquet"), let id = Hash256(hex: hex.dropLast(8)), known.contains(ObjectKey(kind: kind, id: id)) { return }
    if try isOld(path) { try take(kind == .leaf ? .leaf : .tail, path) }
  }
}
