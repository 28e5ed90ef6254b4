import JSON
import Objects
import Synchronization

/// The append-only file that repeats every move of a ref, so that the refs can be rebuilt when the catalog is lost
/// (docs/format/repository.md).
///
/// The catalog is the truth while it is there; the file follows it: whoever moved a ref appends, under a lock, what the
/// catalog has and the file has not, before the move is acknowledged. A crash in between is made good by the next move.
final class RefLogFile: Sendable {
  static let path = "reflog.log"
  private static let lockPath = "reflog.lock"
  private static let magic = Array("ALMRLOG".utf8) + [1]
  /// Names and reasons are short; a longer record is damage.
  static let payloadByteCountMax = 1 << 20

  /// How far the file has been read.
  private struct Position: Equatable {
    var byteCount = 0
    /// Of the last whole record.
    var sequence: Int64 = 0
    /// The last whole record, where it was read and not written.
    var last: RefLogRecord?
  }

  private let volume: any Volume
  private let position = Mutex(Position())

  init(volume: any Volume) { self.volume = volume }

  /// Makes the empty file unless there is one.
  func create() throws(StoreError) {
    if try !volume.exists(Self.path) { try volume.writeDurably(Self.path, Self.magic) }
  }

  /// - Throws: `corrupt` when the file knows of moves that the catalog does not: then the catalog is an old copy, or that of another
  ///   repository, and new moves would contradict the file.
  func check(against catalog: Catalog) throws(StoreError) {
    // The file is read first: it never gets ahead of a catalog that is in order.
    let last = try scan(from: position.withLock { $0 }).position
    position.withLock { $0 = last }
    let known = try catalog.lastSequence()
    guard last.sequence <= known else {
      let ends = "\(volume.absolutePath(Self.path)) ends with move \(last.sequence), the catalog with move \(known)"
      throw StoreError(
        kind: .corrupt, text: "Cannot move a ref: \(ends); the catalog is an older copy, which `almanac fsck --repair` brings forward")
    }
    guard let read = last.last, try catalog.refLog(after: read.sequence - 1).first != read else { return }
    throw StoreError(
      kind: .corrupt,
      text: "Cannot move a ref: move \(read.sequence) of \(volume.absolutePath(Self.path)) is not that of the catalog; "
        + "one of them is damaged or of another repository; `almanac fsck` says more")
  }

  /// Appends the moves that the file lacks; durable on return.
  func catchUp(with catalog: Catalog) throws(StoreError) {
    try volume.lock(Self.lockPath).hold { () throws(StoreError) in
      try create()
      let (found, tornByteCount) = try scan(from: position.withLock { $0 })
      // What a crash left of a record was never acknowledged.
      if tornByteCount > 0 { try volume.truncate(Self.path, toByteCount: found.byteCount) }
      let moves = try catalog.refLog(after: found.sequence)
      guard let last = moves.last else { return }
      var bytes: [UInt8] = []
      for move in moves { bytes += Self.record(move) }
      try volume.append(Self.path, bytes)
      position.withLock { $0 = Position(byteCount: found.byteCount + bytes.count, sequence: last.sequence) }
    }
  }

  /// Every move in the file, the oldest first; a torn end is left out.
  /// - Throws: `corrupt` for damage anywhere but at the end.
  func moves() throws(StoreError) -> [RefLogRecord] {
    var moves: [RefLogRecord] = []
    _ = try scan(from: Position()) { (payload) throws(StoreError) in moves.append(try Self.move(payload, object: Self.path)) }
    return moves
  }

  /// The whole file; nil if there is none.
  func bytes() throws(StoreError) -> [UInt8]? {
    guard let total = try volume.byteCount(Self.path) else { return nil }
    return try volume.read(Self.path, from: 0, byteCount: total)
  }

  /// Every move up to the first damage, whatever follows it.
  func intactMoves() throws(StoreError) -> [RefLogRecord] { Self.intactMoves(in: try bytes() ?? []) }

  static func intactMoves(in bytes: [UInt8]) -> [RefLogRecord] {
    guard bytes.starts(with: magic) else { return [] }
    var moves: [RefLogRecord] = []
    var at = magic.count
    while let end = recordEnd(in: bytes, at: at), let move = try? move(Array(bytes[at + 4..<end - 8]), object: path) {
      moves.append(move)
      at = end
    }
    return moves
  }

  /// Puts a new file with all moves of the catalog in the place of what is there.
  func rewrite(from catalog: Catalog) throws(StoreError) {
    try volume.lock(Self.lockPath).hold { () throws(StoreError) in
      try volume.writeDurably(Self.path, Self.content(try catalog.refLog(ref: nil)))
      position.withLock { $0 = Position() }
    }
  }

  /// The whole file of these moves.
  static func content(_ moves: [RefLogRecord]) -> [UInt8] { moves.reduce(into: magic) { $0 += record($1) } }

  // MARK: Records

  static func record(_ move: RefLogRecord) -> [UInt8] {
    let payload = JSON.object([
      "format": .int(1), "sequence": .int(move.sequence), "ref": .string(move.ref), "kind": .int(Int64(move.refKind)),
      "old": move.old.map { .string(Hash256(bytes: $0).description) } ?? .null,
      "new": move.new.map { .string(Hash256(bytes: $0).description) } ?? .null, "time": .int(move.timeMicros),
      "reason": .string(move.reason),
    ]).canonicalBytes
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt32(payload.count))
    bytes += payload
    bytes.appendLittleEndian(bytes.xxh3(0..<bytes.count))
    return bytes
  }

  private static func move(_ payload: [UInt8], object: String) throws(StoreError) -> RefLogRecord {
    let fields = try StoredJSON(payload, object: object, format: 1)
    func target(_ name: String) throws(StoreError) -> [UInt8]? {
      if case .null = try fields.value(name) { return nil }
      return try fields.id(name, CommitID.self).bytes
    }
    guard let kind = UInt8(exactly: try fields.integer("kind")) else { throw fields.corrupt("unknown kind of ref") }
    return RefLogRecord(
      sequence: try fields.integer("sequence"), ref: try fields.string("ref"), refKind: kind, old: try target("old"),
      new: try target("new"), timeMicros: try fields.integer("time"), reason: try fields.string("reason"))
  }

  /// Reads the records behind a position.
  /// - Returns: the end of the last whole record, and how many bytes of a torn one follow it.
  private func scan(
    from start: Position, _ body: ((_ payload: [UInt8]) throws(StoreError) -> Void)? = nil
  ) throws(StoreError) -> (position: Position, tornByteCount: Int) {
    guard let total = try volume.byteCount(Self.path) else { return (Position(), 0) }
    var found = start.byteCount == 0 || start.byteCount > total ? Position() : start
    if found.byteCount == total { return (found, 0) }
    let base = found.byteCount
    let bytes = try volume.read(Self.path, from: base, byteCount: total - base)
    var at = 0
    if base == 0 {
      guard bytes.starts(with: Self.magic) else {
        throw corrupt("it does not start as a ref log of format 1 does; `almanac fsck --repair` writes it again from the catalog")
      }
      at = Self.magic.count
      found.byteCount = at
    }
    var lastPayload: Range<Int>?
    while at < bytes.count {
      guard let end = Self.recordEnd(in: bytes, at: at) else {
        guard Self.isTorn(bytes, at: at) else {
          throw corrupt("the record at byte \(base + at) is damaged; `almanac fsck --repair` writes it again from the catalog")
        }
        break
      }
      lastPayload = at + 4..<end - 8
      if let body, let lastPayload { try body(Array(bytes[lastPayload])) }
      at = end
      found.byteCount = base + end
    }
    if let lastPayload {
      let last = try Self.move(Array(bytes[lastPayload]), object: volume.absolutePath(Self.path))
      (found.sequence, found.last) = (last.sequence, last)
    }
    return (found, total - found.byteCount)
  }

  private func corrupt(_ text: String) -> StoreError {
    StoreError(kind: .corrupt, text: "Cannot read the ref log \(volume.absolutePath(Self.path)): \(text)")
  }

  /// Where the record at a byte ends; nil if it is not whole.
  private static func recordEnd(in bytes: [UInt8], at start: Int) -> Int? {
    guard let count = payloadByteCount(in: bytes, at: start), count > 0, count <= payloadByteCountMax else { return nil }
    let end = start + 4 + count + 8
    guard end <= bytes.count else { return nil }
    let stored = bytes[end - 8..<end].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return bytes.xxh3(start..<end - 8) == stored ? end : nil
  }

  /// A record that is not whole is torn, not damaged, when nothing follows it that was written later: it reaches the end of
  /// the file, or only zeros follow.
  private static func isTorn(_ bytes: [UInt8], at start: Int) -> Bool {
    guard let count = payloadByteCount(in: bytes, at: start) else { return true }
    // Of several records that were appended at once the later ones may be zeros from first to last.
    let end = count <= payloadByteCountMax ? min(start + 4 + count + 8, bytes.count) : start
    return bytes[end...].allSatisfy { $0 == 0 }
  }

  private static func payloadByteCount(in bytes: [UInt8], at start: Int) -> Int? {
    guard bytes.count - start >= 4 else { return nil }
    return bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
