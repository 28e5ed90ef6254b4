import Columns
import History
import Objects
import Tables

/// A random history of a table whose key has columns of random types in random places, beside a plain model of it: a list of rows by key.
struct KeyTypeHistory {
  static let keyTypes: [DataType] = [
    .bool, .bool, .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .date, .timestampMicros, .string, .binary,
  ]
  /// So small that a few rows pass through tails, merges of tails and folds.
  static let small = TailPolicy(rewrittenRowCountMin: 20, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 3, foldFactor: 2)

  /// The places of a key's values among those of its columns, as digits: keys have the order of their numbers but for partitions.
  typealias Key = Int
  /// By key the values beside it, as one number.
  typealias Model = [Key: Int]

  let archive: Archive
  let layout: TableLayout
  let writer: TableWriter
  var random: SeededRandom
  /// Few values of each column, ascending, so that keys meet again.
  private let values: [[Scalar]]
  /// The partition of each value of the event time; empty where there are no partitions.
  private let partitions: [Int64]
  private let timeIndex: Int?
  private(set) var versions: [(version: TableVersion?, model: Model)] = [(nil, [:])]

  var version: TableVersion? { versions[versions.count - 1].version }
  var model: Model { versions[versions.count - 1].model }

  init(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let types = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.keyTypes.randomElement(using: &random)! }
    // An event time among the key columns may divide the rows.
    let times = types.indices.filter { types[$0] == .timestampMicros || types[$0] == .date }
    let time = times.randomElement(using: &random)
    let partitioning = time == nil ? .none : [Partitioning.none, .day, .month].randomElement(using: &random)!
    var fields = types.indices.map { Field("k\($0)", types[$0], isNullable: false) }
    fields += [Field("flag", .bool), Field("number", .int64), Field("text", .string)]
    let schema = FieldIDs.assign(to: Schema(fields.shuffled(using: &random)))
    layout = TableLayout(
      schema: schema, primaryKey: types.indices.map { "k\($0)" }, eventTime: time.map { "k\($0)" }, createdTime: nil,
      partitioning: partitioning, leafRowCount: [8, 16, 32].randomElement(using: &random)!)
    archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    writer = TableWriter(archive: archive, layout: layout, policy: Bool.random(using: &random) ? Self.small : .standard)
    let valueCount = types.count == 1 ? 60 : types.count == 2 ? 12 : 5
    let values = types.map { type in
      Array(Set((0..<valueCount).map { _ in Self.value(type, &random) })).sorted { Self.order($0, $1) < 0 }
    }
    self.values = values
    timeIndex = partitioning == .none ? nil : time
    partitions = time.flatMap { partitioning == .none ? nil : values[$0].map { Self.partition(of: $0, partitioning) } } ?? []
    self.random = random
  }

  private static func value(_ type: DataType, _ random: inout SeededRandom) -> Scalar {
    let isSmall = Bool.random(using: &random)
    let bits = isSmall ? UInt64.random(in: 0..<40, using: &random) : random.next()
    let signed = Int64(bitPattern: bits) &- (isSmall ? 20 : 0)
    switch type {
    case .bool: return .bool(bits & 1 == 1)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: signed)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: signed)))
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: signed)))
    case .int64: return .int(signed)
    case .uint8: return .uint(UInt64(UInt8(truncatingIfNeeded: bits)))
    case .uint16: return .uint(UInt64(UInt16(truncatingIfNeeded: bits)))
    case .uint32: return .uint(UInt64(UInt32(truncatingIfNeeded: bits)))
    case .uint64: return .uint(bits)
    // Days of a few months on both sides of 1970.
    case .date: return .date(Int32(truncatingIfNeeded: Int64(bits % 90) - 45))
    case .timestampMicros: return .timestamp((Int64(bits % 90) - 45) * 86_400_000_000 + Int64(bits >> 60), .microsecond)
    case .string: return .string(["", "a", "a\0", "a\0b", "ž", "k\(bits % 50)"][Int(bits % 6)])
    default: return .binary((0..<bits % 4).map { UInt8(truncatingIfNeeded: bits >> (8 * ($0 + 1)) & 1) &* 0xFF })
    }
  }

  /// The order of two values of one type, written plainly.
  static func order(_ a: Scalar, _ b: Scalar) -> Int {
    func order<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x == y ? 0 : 1 }
    switch (a, b) {
    case (.bool(let x), .bool(let y)): return order(x ? 1 : 0, y ? 1 : 0)
    case (.int(let x), .int(let y)): return order(x, y)
    case (.uint(let x), .uint(let y)): return order(x, y)
    case (.date(let x), .date(let y)): return order(x, y)
    case (.timestamp(let x, _), .timestamp(let y, _)): return order(x, y)
    case (.string(let x), .string(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8) ? -1 : x == y ? 0 : 1
    case (.binary(let x), .binary(let y)): return x.lexicographicallyPrecedes(y) ? -1 : x == y ? 0 : 1
    default: preconditionFailure("Two types")
    }
  }

  /// Floored days or months since 1970.
  private static func partition(of time: Scalar, _ partitioning: Partitioning) -> Int64 {
    let day: Int64
    switch time {
    case .date(let days): day = Int64(days)
    case .timestamp(let micros, _): day = Int64((Double(micros) / 86_400_000_000).rounded(.down))
    default: preconditionFailure("No time")
    }
    return partitioning == .day ? day : CivilTime.monthNumber(ofDays: day)
  }

  private static let digit = 64

  /// The place of the value of a column.
  private func place(_ key: Key, _ column: Int) -> Int {
    var rest = key
    for _ in column + 1..<values.count { rest /= Self.digit }
    return rest % Self.digit
  }

  func scalars(of key: Key) -> [Scalar] { values.indices.map { values[$0][place(key, $0)] } }

  private func partition(_ key: Key) -> Int64 { timeIndex.map { partitions[place(key, $0)] } ?? 0 }

  /// In the order of (partition, key).
  func sorted(_ keys: some Sequence<Key>) -> [Key] {
    keys.map { (partition($0), $0) }.sorted { $0 < $1 }.map(\.1)
  }

  // MARK: Steps

  mutating func randomKey() -> Key {
    values.reduce(0) { $0 * Self.digit + Int.random(in: 0..<$1.count, using: &random) }
  }

  private static let flags: [Scalar] = [.null, .bool(true), .bool(false)]
  private static let numbers: [Scalar] = [.null, .int(1), .int(2)]
  private static let texts: [Scalar] = [.null, .string(""), .string("x")]

  private mutating func randomValues() -> Int { Int.random(in: 0..<27, using: &random) }

  /// The columns of rows under the schema; of a key without values the rest is null.
  func columns(_ rows: [(key: Key, values: Int?)]) -> [[Scalar]] {
    layout.schema.fields.map { field in
      if let index = layout.primaryKey.firstIndex(of: field.name) { return rows.map { values[index][place($0.key, index)] } }
      switch field.name {
      case "flag": return rows.map { row in row.values.map { Self.flags[$0 % 3] } ?? .null }
      case "number": return rows.map { row in row.values.map { Self.numbers[$0 / 3 % 3] } ?? .null }
      default: return rows.map { row in row.values.map { Self.texts[$0 / 9] } ?? .null }
      }
    }
  }

  private func batch(_ rows: [(key: Key, values: Int?)]) -> Batch {
    Batch(schema: layout.schema, columns: zip(layout.schema.fields, columns(rows)).map { Column($0.type, $1) }, rowCount: rows.count)
  }

  /// The input in pieces that begin within a byte of their bits.
  private mutating func pieces(_ rows: Batch) -> [Batch] {
    var result: [Batch] = []
    var start = 0
    while start < rows.rowCount {
      let count = min(rows.rowCount - start, Int.random(in: 1...13, using: &random))
      result.append(rows.slice(from: start, count: count))
      start += count
    }
    return result
  }

  /// One random change. - Throws: `TableError` for what should not have been refused.
  mutating func step() throws {
    var next = model
    let count = Int.random(in: 1...[3, 9, 40].randomElement(using: &random)!, using: &random)
    var keys: [Key] = []
    for _ in 0..<count {
      let key = randomKey()
      if !keys.contains(key) { keys.append(key) }
    }
    switch Int.random(in: 0..<10, using: &random) {
    case 0..<4:
      let rows = keys.filter { next[$0] == nil }.map { (key: $0, values: randomValues()) }
      for row in rows { next[row.key] = row.values }
      try change(.append, rows, next)
    case 4..<6:
      let rows = keys.map { (key: $0, values: Bool.random(using: &random) ? next[$0] ?? randomValues() : randomValues()) }
      for row in rows { next[row.key] = row.values }
      try change(.upsert, rows, next)
    case 6..<8:
      for key in keys { next[key] = nil }
      try change(.delete, keys.map { (key: $0, values: nil) }, next)
    case 8:
      for key in sorted(next.keys) where Int.random(in: 0..<3, using: &random) == 0 { next[key] = nil }
      for key in keys { next[key] = randomValues() }
      try change(.replace, next.map { (key: $0, values: $1) }, next)
    default: if let version { try publish(writer.seal(version), next) }
    }
  }

  private mutating func change(_ mode: ChangeMode, _ rows: [(key: Key, values: Int?)], _ next: Model) throws {
    guard case .content(let content) = try writer.apply(mode, pieces(batch(rows)), onto: version) else {
      throw TableError(.input, "The change conflicts")
    }
    try publish(content, next)
  }

  /// Goes on from an earlier version.
  mutating func rewind(to earlier: (version: TableVersion?, model: Model)) { versions = [earlier] }

  mutating func publish(_ content: TableContent, _ next: Model) throws {
    versions.append((try Self.publish(content, in: archive), next))
  }

  static func publish(_ content: TableContent, in archive: Archive) throws -> TableVersion {
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let tip = try archive.refs().first { $0.name == "main" }?.commit
    let commit = Commit(
      parents: tip.map { [$0] } ?? [], datasets: ["t": DatasetRef(root: root, rows: content.rowCount)],
      definitions: draft.addBlob([]), author: "a", message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test")
    return try TableVersion(archive: archive, root: root)
  }

  // MARK: What has to hold

  /// The columns of a model's rows, in the order of (partition, key).
  func columns(_ model: Model) -> [[Scalar]] { columns(sorted(model.keys).map { (key: $0, values: model[$0]) }) }

  /// The root of one commit of all rows.
  func rootOfOneCommit() throws -> RootID? {
    let archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    let all = batch(model.map { ($0, $1) })
    guard case .content(let content) = try TableWriter(archive: archive, layout: layout).apply(.append, all, onto: nil) else { return nil }
    return try Self.publish(content, in: archive).rootID
  }

  var description: String {
    "key \(layout.keySchema.fields.map { "\($0.type)" }), \(layout.partitioning), leaves of \(layout.leafRowCount)"
  }
}
