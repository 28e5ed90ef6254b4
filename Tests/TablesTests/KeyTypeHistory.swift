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

  typealias Key = [Scalar]
  /// The values beside the key.
  typealias Model = [Key: [Scalar]]

  let archive: Archive
  let layout: TableLayout
  let writer: TableWriter
  var random: SeededRandom
  /// Few values of each column, so that keys meet again.
  private let values: [[Scalar]]
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
    values = types.map { type in Array(Set((0..<valueCount).map { _ in Self.value(type, &random) })) }.map {
      $0.sorted { Self.order($0, $1) < 0 }
    }
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

  func order(_ a: Key, _ b: Key) -> Int {
    let (x, y) = (partition(a), partition(b))
    if x != y { return x < y ? -1 : 1 }
    for (x, y) in zip(a, b) where Self.order(x, y) != 0 { return Self.order(x, y) }
    return 0
  }

  /// Floored days or months since 1970.
  private func partition(_ key: Key) -> Int64 {
    guard layout.partitioning != .none, let index = layout.eventTime.flatMap({ layout.primaryKey.firstIndex(of: $0) }) else { return 0 }
    let day: Int64
    switch key[index] {
    case .date(let days): day = Int64(days)
    case .timestamp(let micros, _): day = Int64((Double(micros) / 86_400_000_000).rounded(.down))
    default: preconditionFailure("No time")
    }
    return layout.partitioning == .day ? day : CivilTime.monthNumber(ofDays: day)
  }

  // MARK: Steps

  mutating func randomKey() -> Key { values.indices.map { values[$0].randomElement(using: &random)! } }

  private mutating func randomValues() -> [Scalar] {
    [
      [.null, .bool(true), .bool(false)].randomElement(using: &random)!, [.null, .int(1), .int(2)].randomElement(using: &random)!,
      [.null, .string(""), .string("x")].randomElement(using: &random)!,
    ]
  }

  /// Rows under the schema, in any order; nil for a key alone.
  private func batch(_ rows: [(key: Key, values: [Scalar]?)]) -> Batch {
    let columns = layout.schema.fields.map { field in
      Column(
        field.type,
        rows.map { row -> Scalar in
          if let index = layout.primaryKey.firstIndex(of: field.name) { return row.key[index] }
          return row.values?[["flag", "number", "text"].firstIndex(of: field.name)!] ?? .null
        })
    }
    return Batch(schema: layout.schema, columns: columns, rowCount: rows.count)
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
      for key in next.keys.sorted(by: { order($0, $1) < 0 }) where Int.random(in: 0..<3, using: &random) == 0 { next[key] = nil }
      for key in keys { next[key] = randomValues() }
      try change(.replace, next.map { (key: $0, values: $1) }, next)
    default: if let version { try publish(writer.seal(version), next) }
    }
  }

  private mutating func change(_ mode: ChangeMode, _ rows: [(key: Key, values: [Scalar]?)], _ next: Model) throws {
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

  /// The rows of a model under the schema, in the order of (partition, key).
  func rows(_ model: Model) -> [[Scalar]] {
    let all = batch(model.keys.sorted { order($0, $1) < 0 }.map { ($0, model[$0]) })
    return (0..<all.rowCount).map { row in all.columns.map { $0.scalar(at: row) } }
  }

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
