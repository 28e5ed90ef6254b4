import Columns
import Features
import History
import Objects
import Tables

/// A row as the oracle knows it: no columns, no files.
struct JoinRow {
  /// A number that stands for the value; nil for null, as below.
  var user: Int?
  /// Index into `JoinShape.regions`.
  var region: Int?
  var time: Int64
  var id: Int64
  var created: Int64?
  var amount: Double?
  var flag: Bool?

  /// A number by which a column is ordered; nil, which comes first, for null.
  func order(_ column: JoinColumn) -> Int64? {
    switch column {
    case .user: user.map { Int64($0) }
    case .region: region.map { Int64($0) }
    case .time: time
    case .id: id
    case .created: created
    case .amount, .flag: preconditionFailure("No key")
    }
  }
}

struct JoinLabel {
  /// By the columns of the view's keys, and by the other ones.
  var keys: [(user: Int?, region: Int?)]
  var time: Int64
}

/// A dataset with a random history of commits, beside a dictionary of its rows.
struct JoinHistory: FeatureSource {
  let shape: JoinShape
  let archive: Archive
  var random: SplitMix
  var model: [[Int64?]: JoinRow] = [:]
  var version: TableVersion?
  /// Whether the join may read leaves and tails, and not only sorted rows.
  let isStored: Bool
  private(set) var tailCountMax = 0
  private(set) var leafCountMax = 0
  private(set) var partitionCountMax = 0

  init(seed: UInt64) throws {
    random = SplitMix(seed)
    shape = JoinShape(&random)
    isStored = Int.random(in: 0..<8, using: &random) > 0
    archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
  }

  func table(_ dataset: String) throws -> SourceTable {
    let layout = shape.layout
    return SourceTable(
      name: dataset, schema: layout.schema, primaryKey: layout.primaryKey, eventTime: layout.eventTime, createdTime: layout.createdTime)
  }

  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    guard let version else { return Batch.empty(Schema(columns.map { shape.layout.schema[$0]! })) }
    return try version.rows(columns: columns, order: order)
  }

  func stored(_ dataset: String) throws -> StoredTable? {
    isStored ? version.map { StoredTable(version: $0, layout: shape.layout) } : nil
  }

  // MARK: History

  private mutating func maybe<Value>(_ value: Value, _ column: JoinColumn) -> Value? {
    guard shape.layout.schema[column.rawValue]!.isNullable else { return value }
    return Int.random(in: 0..<6, using: &random) == 0 ? nil : value
  }

  /// Half days and months, so that times and windows collide across partitions.
  private mutating func randomTime() -> Int64 {
    (Int64(Int.random(in: 0..<shape.timeCount, using: &random) - 10) + [0, 0, 0, 60].randomElement(using: &random)!) * JoinShape.day / 2
  }

  private mutating func randomRow() -> JoinRow {
    let time = randomTime()
    let delay = [0, 0, -2, 1, 3, 14].randomElement(using: &random)! * JoinShape.day / 2 + [0, 0, 1].randomElement(using: &random)!
    return JoinRow(
      user: maybe(Int.random(in: 0..<shape.userCount, using: &random), .user),
      region: maybe(Int.random(in: 0..<JoinShape.regions.count, using: &random), .region), time: time,
      id: Int64.random(in: 0...9, using: &random), created: maybe(time + delay, .created),
      amount: maybe([1, 2.5, -3, 7, 0].randomElement(using: &random)!, .amount), flag: maybe(Bool.random(using: &random), .flag))
  }

  private func key(_ row: JoinRow) -> [Int64?] { shape.layout.primaryKey.map { row.order(JoinColumn(rawValue: $0)!) } }

  private func batch(_ rows: [JoinRow]) -> Batch {
    let columns = shape.layout.schema.fields.map { field in
      Column(
        field.type,
        rows.map { row -> Scalar in
          switch JoinColumn(rawValue: field.name)! {
          case .user: row.user.map { shape.user($0) } ?? .null
          case .region: row.region.map { .string(JoinShape.regions[$0]) } ?? .null
          case .time: .timestamp(row.time, .microsecond)
          case .id: .int(row.id)
          case .created: row.created.map { .timestamp($0, .microsecond) } ?? .null
          case .amount: row.amount.map { .double($0) } ?? .null
          case .flag: row.flag.map { .bool($0) } ?? .null
          }
        })
    }
    return Batch(schema: shape.layout.schema, columns: columns, rowCount: rows.count)
  }

  /// Appends, upserts, deletes, replaces or seals, into tails or leaves.
  mutating func step() throws {
    let policy = TailPolicy(rewrittenRowCountMin: 12, rewrittenRowFactor: 2, mergeCount: 3, sizeClassFactor: 3, foldFactor: 2)
    let writer = TableWriter(
      archive: archive, layout: shape.layout, policy: Int.random(in: 0..<4, using: &random) > 0 ? policy : .standard)
    if let version, Int.random(in: 0..<10, using: &random) == 0 { return try publish(writer.seal(version)) }
    let count = [2, 5, 12, 50].randomElement(using: &random)!
    var rows: [[Int64?]: JoinRow] = [:]
    for _ in 0..<count {
      let row = randomRow()
      rows[key(row)] = row
    }
    let modes: [ChangeMode] = [.append, .append, .append, .append, .append, .upsert, .upsert, .upsert, .upsert, .delete, .delete, .replace]
    let mode = modes.randomElement(using: &random)!
    switch mode {
    case .append:
      rows = rows.filter { model[$0.key] == nil }
      model.merge(rows) { $1 }
    case .upsert: model.merge(rows) { $1 }
    case .delete: for key in rows.keys { model[key] = nil }
    case .replace: model = rows
    }
    guard case .content(let content) = try writer.apply(mode, batch(Array(rows.values)), onto: version) else {
      throw TableError(.input, "The change conflicts")
    }
    try publish(content)
  }

  private mutating func publish(_ content: TableContent) throws {
    var draft = archive.draft()
    let root = content.addRoot(to: &draft)
    let tip = try archive.refs().first { $0.name == "main" }?.commit
    let commit = Commit(
      parents: tip.map { [$0] } ?? [], datasets: ["events": DatasetRef(root: root, rows: content.rowCount)],
      definitions: draft.addBlob([]), author: "a", message: "m", timeMicros: 1, inputs: [], producer: [:], verdicts: nil)
    let id = draft.addCommit(commit)
    _ = try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "test")
    let next = try TableVersion(archive: archive, root: root)
    tailCountMax = max(tailCountMax, next.tails.entries.count)
    leafCountMax = max(leafCountMax, try next.leaves().count)
    partitionCountMax = max(partitionCountMax, next.partitionNumbers.count)
    version = next
  }

  // MARK: Labels

  mutating func randomLabels(_ count: Int) -> [JoinLabel] {
    func number(_ count: Int) -> Int? { Int.random(in: 0..<9, using: &random) == 0 ? nil : Int.random(in: 0..<count, using: &random) }
    return (0..<count).map { _ in
      // One more than there are, so that some are unknown.
      let keys = (0..<2).map { _ in (user: number(shape.labelUserCount), region: number(JoinShape.regions.count + 1)) }
      return JoinLabel(keys: keys, time: randomTime() + [0, 0, 1, -1].randomElement(using: &random)!)
    }
  }

  /// The label frame; integer keys as int64, int32 or, with NaN among the nulls, float64.
  mutating func frame(_ labels: [JoinLabel]) -> Batch {
    var fields = [Field("note", .string), Field("event_timestamp", .timestampMicros)]
    var columns = [
      Column(.string, labels.indices.map { .string("label \($0)") }),
      Column(.timestampMicros, labels.map { .timestamp($0.time, .microsecond) }),
    ]
    for place in 0..<2 {
      for (key, column) in shape.entityKeys {
        let values = labels.map { label -> Scalar in
          switch column {
          case .user: label.keys[place].user.map { shape.labelUser($0) } ?? .null
          default: label.keys[place].region.map { .string((JoinShape.regions + ["z"])[$0]) } ?? .null
          }
        }
        var type = key.type
        if type.isInteger { type = [.int64, .int32, .float64].randomElement(using: &random)! }
        fields.append(Field(place == 0 ? key.name : "other_\(column.rawValue)", type))
        columns.append(
          Column(
            type,
            type != .float64
              ? values
              : values.map { value in
                if case .int(let value) = value { return .double(Double(value)) }
                return Bool.random(using: &random) ? .double(.nan) : .null
              }))
      }
    }
    let order = fields.indices.shuffled(using: &random)
    return Batch(schema: Schema(order.map { fields[$0] }), columns: order.map { columns[$0] }, rowCount: labels.count)
  }
}
