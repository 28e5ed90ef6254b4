import Dispatch
import Objects
import Synchronization

/// Looks at everything a store holds and changes nothing.
///
/// The damage found is kept by object, so that what names it can be found, and so that a repair knows what it needs.
struct StoreCheck {
  /// Decodes the file of a leaf or tail; nil: its bytes are compared with the catalog's checksum alone.
  typealias Decoder = @Sendable (MappedFile) throws -> FileIdentity

  /// Compares what a root says of one of its tails with the tail's file: what is wrong with it, in sentences.
  typealias TailCheck = @Sendable (Archive, RootID, TailEntry) throws -> [String]

  let archive: Archive
  let decoder: Decoder?
  let tailCheck: TailCheck?
  let contents: ContentCheck
  var report = CheckReport()
  /// Objects that cannot be read as they should be.
  var damaged: Set<ObjectKey> = []
  /// Of these, those without a file or pack.
  var gone: Set<ObjectKey> = []
  /// Objects that something names and the catalog does not know.
  var missing: Set<ObjectKey> = []
  /// Packs whose file is missing or not what its name says.
  var damagedPacks: Set<String> = []
  /// Leaves and tails whose file holds their rows, in other bytes than the catalog says.
  var reencoded: [ObjectKey: FileRecord] = [:]
  /// Leaves and tails of which no intact pack says what the catalog knows.
  var unrecorded: Set<ObjectKey> = []
  /// What the catalog says of an object is wrong: the pack that it names is intact and has no such object, or there is neither a
  /// file nor a record of it in any pack.
  var misplaced: Set<ObjectKey> = []
  var refLogFileIsDamaged = false
  /// Moves that the ref log has and the catalog, an older copy, has not.
  var laterMoves: [RefLogRecord] = []
  /// Moves of an intact part of the log that contradict those of the catalog.
  var otherMoves: [RefLogRecord] = []
  /// All that the catalog says, at one moment.
  private(set) var survey = CatalogSurvey()
  private(set) var refs: [String: RefRecord] = [:]
  /// By key as the catalog has them.
  private(set) var records: [ObjectKey: ObjectRecord] = [:]
  /// Rows of the files that were decoded.
  var rowCounts: [ObjectKey: Int] = [:]

  /// Tails whose directory has been compared with their file: roots share them.
  var checkedTails: Set<TailEntry> = []

  /// Definitions and verdicts that have been looked at, and whether they are something else.
  var checkedBlobs: [BlobID: Bool] = [:]

  init(_ archive: Archive, decoder: Decoder?, tailCheck: TailCheck? = nil, contents: ContentCheck = .none) {
    self.archive = archive
    self.decoder = decoder
    self.tailCheck = tailCheck
    self.contents = contents
  }

  mutating func run() throws(StoreError) {
    // The file first: it never gets ahead of a catalog that is in order.
    let refLogBytes = try archive.refLog.bytes()
    try checkCatalog()
    try checkPacks()
    try checkFiles()
    try checkStrays()
    checkRefLogFile(refLogBytes)
    try checkReferences()
  }

  mutating func damage(_ key: ObjectKey, path: String, _ detail: String) {
    damaged.insert(key)
    report.add(.init(.damage, "\(key.kind.name) \(key.id)", path: path, detail))
  }

  // MARK: Catalog

  private mutating func checkCatalog() throws(StoreError) {
    survey = try archive.catalog.survey()
    let audit = CatalogAudit(survey)
    for problem in audit.problems { report.add(problem) }
    records = audit.records
    refs = audit.refs
    report.moveCount = survey.moves.count
  }

  // MARK: Packs

  private mutating func checkPacks() throws(StoreError) {
    let registered = Set(survey.packs)
    var inPack: [String: [ObjectKey]] = [:]
    for (key, record) in records { if case .pack(let name, _) = record.place { inPack[name, default: []].append(key) } }
    var described: Set<ObjectKey> = []
    let files = Set(try archive.volume.list("packs"))
    for name in registered.union(inPack.keys).sorted() {
      let path = Pack.path(ofName: name)
      let keys = (inPack[name] ?? []).sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
      report.packCount += 1
      guard files.contains("\(name).pack") else {
        damagedPacks.insert(name)
        report.add(.init(.damage, "pack \(name)", path: path, "its file is missing"))
        gone.formUnion(keys)
        for key in keys { damage(key, path: path, "its pack is missing") }
        continue
      }
      let bytes = try archive.volume.read(path)
      report.byteCount += bytes.count
      var entries: [Pack.Entry: Bool] = [:]
      do throws(StoreError) {
        let pack = try Pack(decoding: bytes, name: name, path: path)
        for entry in pack.entries {
          entries[entry] = true
          if entry.kind.hasOwnFile { noteRecord(entry, in: bytes, &described) }
        }
      } catch {
        damagedPacks.insert(name)
        report.add(.init(.damage, "pack \(name)", path: path, error.text))
      }
      for key in keys { checkPacked(key, bytes: bytes, entries: damagedPacks.contains(name) ? nil : entries, path: path) }
    }
    for file in files.sorted() where !registered.contains(String(file.dropLast(5))) {
      report.add(.init(.note, "file packs/\(file)", path: "packs/\(file)", "the catalog does not name it; gc removes it"))
    }
    unrecorded = Set(records.keys.filter { $0.kind.hasOwnFile }).subtracting(described)
    for key in unrecorded.sorted(by: { $0.id < $1.id }) {
      report.add(
        .init(.damage, "\(key.kind.name) \(key.id)", path: "packs", "no intact pack says what the catalog knows of its file"))
    }
  }

  private mutating func noteRecord(_ entry: Pack.Entry, in bytes: [UInt8], _ described: inout Set<ObjectKey>) {
    let key = ObjectKey(kind: entry.kind, id: entry.id)
    guard let record = records[key] else { return }
    let known = FileRecord(
      byteCount: record.byteCount, fileSHA256: record.fileSHA256 ?? [], digests: record.digests ?? [])
    if known.encoded.elementsEqual(bytes[entry.offset..<entry.offset + entry.byteCount]) { described.insert(key) }
  }

  /// - Parameter entries: nil when the pack cannot be trusted to say what it holds.
  private mutating func checkPacked(_ key: ObjectKey, bytes: [UInt8], entries: [Pack.Entry: Bool]?, path: String) {
    guard let record = records[key], case .pack(_, let offset) = record.place else { return }
    report.objectCounts[key.kind.name, default: 0] += 1
    let entry = Pack.Entry(kind: key.kind, id: key.id, offset: offset, byteCount: record.byteCount)
    if let entries, entries[entry] == nil {
      misplaced.insert(key)
      damage(key, path: path, "the catalog says bytes \(offset)..<\(offset + record.byteCount), where the pack has no such object")
      return
    }
    guard offset >= 0, record.byteCount >= 0, offset <= bytes.count, record.byteCount <= bytes.count - offset else {
      damage(key, path: path, "the pack ends at byte \(bytes.count), before the object does")
      return
    }
    let found = Hash256(bytes: bytes[offset..<offset + record.byteCount].withUnsafeBytes { Checksum.sha256($0) })
    if found != key.id { damage(key, path: path, "its bytes have SHA-256 \(found)") }
  }

  // MARK: Files

  private enum FileFinding: Sendable {
    case intact(byteCount: Int, rowCount: Int?)
    case damaged(byteCount: Int, String)
    case missing
    case reencoded(byteCount: Int, rowCount: Int, FileRecord, String)
  }

  private mutating func checkFiles() throws(StoreError) {
    let keys = records.keys.filter { $0.kind.hasOwnFile }.sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
    let jobs = keys.map { (key: $0, record: records[$0]) }
    let archive = archive
    let decoder = decoder
    let findings = Mutex([Int: FileFinding]())
    DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
      let finding = Self.look(at: jobs[index].key, jobs[index].record, archive, decoder)
      findings.withLock { $0[index] = finding }
    }
    let all = findings.withLock { $0 }
    for (index, key) in keys.enumerated() {
      let path = Archive.path(of: key)
      report.objectCounts[key.kind.name, default: 0] += 1
      switch all[index] {
      case .intact(let byteCount, let rowCount)?:
        report.byteCount += byteCount
        rowCounts[key] = rowCount
      case .damaged(let byteCount, let detail)?:
        report.byteCount += byteCount
        damage(key, path: path, detail)
        if byteCount == 0 && unrecorded.contains(key) { misplaced.insert(key) }
      case .missing?:
        gone.insert(key)
        damage(key, path: path, "its file is missing")
        if unrecorded.contains(key) { misplaced.insert(key) }
      case .reencoded(let byteCount, let rowCount, let record, let detail)?:
        report.byteCount += byteCount
        rowCounts[key] = rowCount
        reencoded[key] = record
        report.add(.init(.damage, "\(key.kind.name) \(key.id)", path: path, detail))
      case nil: continue
      }
    }
  }

  private static func look(
    at key: ObjectKey, _ record: ObjectRecord?, _ archive: Archive, _ decoder: Decoder?
  ) -> FileFinding {
    let file: MappedFile
    do throws(StoreError) {
      file = try archive.volume.map(Archive.path(of: key))
    } catch {
      return error.kind == .notFound ? .missing : .damaged(byteCount: 0, error.text)
    }
    let sum = file.withBytes { Checksum.sha256($0) }
    let isAsRecorded = file.byteCount == record?.byteCount && sum == record?.fileSHA256
    let difference =
      file.byteCount == record?.byteCount
      ? "expected SHA-256 \((record?.fileSHA256).map { Hash256.text($0) } ?? "none"), found \(Hash256.text(sum))"
      : "expected \(record?.byteCount ?? 0) bytes, found \(file.byteCount)"
    guard let decoder else {
      return isAsRecorded ? .intact(byteCount: file.byteCount, rowCount: nil) : .damaged(byteCount: file.byteCount, difference)
    }
    do {
      let identity = try decoder(file)
      guard identity.hash == key.id else {
        return .damaged(
          byteCount: file.byteCount,
          isAsRecorded ? "its rows have the id \(identity.hash)" : "\(difference); its rows have the id \(identity.hash)")
      }
      if isAsRecorded && identity.digests == record?.digests {
        return .intact(byteCount: file.byteCount, rowCount: identity.rowCount)
      }
      let detail = isAsRecorded ? "the catalog has other digests of its columns" : "\(difference); its rows are intact"
      return .reencoded(
        byteCount: file.byteCount, rowCount: identity.rowCount,
        FileRecord(byteCount: file.byteCount, fileSHA256: sum, digests: identity.digests), detail)
    } catch {
      return .damaged(byteCount: file.byteCount, isAsRecorded ? "it cannot be decoded: \(error)" : difference)
    }
  }

  private mutating func checkStrays() throws(StoreError) {
    let volume = archive.volume
    var found: [(path: String, hex: String, kind: ObjectKind)] = []
    for folder in try volume.list("leaves") {
      for file in try volume.list("leaves/\(folder)") { found.append(("leaves/\(folder)/\(file)", folder + file, .leaf)) }
    }
    for file in try volume.list("tails") { found.append(("tails/\(file)", file, .tail)) }
    for (path, hex, kind) in found {
      if let id = Hash256(hex: hex.dropLast(8)), records[ObjectKey(kind: kind, id: id)] != nil { continue }
      report.add(.init(.note, "file \(path)", path: path, "the catalog does not name it; gc removes it"))
    }
  }
}

extension Hash256 {
  /// Hexadecimal digits of a sum that may have another length.
  static func text(_ bytes: [UInt8]) -> String {
    bytes.count == byteCount ? "\(Hash256(bytes: bytes))" : "of \(bytes.count) bytes"
  }
}
