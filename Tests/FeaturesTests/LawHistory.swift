import Columns
import Features

/// A random history of two-part entities, small numbers everywhere so that times, keys and windows collide, and a naive
/// implementation of what features of it are worth at a time.
struct LawHistory {
  struct Row {
    var user: Int64?
    var region: String?
    var time: Int64
    var created: Int64?
    var id: Int64
    var amount: Double?
    var items: Int32?
    var category: String?
    var flag: Bool?
  }

  struct Label {
    var user: Int64?
    var region: String?
    var time: Int64
  }

  static let ttl: Int64 = 5_000
  static let width: Int64 = 7_000

  var rows: [Row] = []
  var labels: [Label] = []

  init(seed: UInt64, rowCount: Int, labelCount: Int) {
    var random = SplitMix(seed)
    func maybe<T>(_ value: T, _ random: inout SplitMix) -> T? { Int.random(in: 0..<8, using: &random) == 0 ? nil : value }
    let regions = ["", "a", "b\0", "ä"]
    let special = [0, -0.0, .nan, .infinity, -.infinity, 1e300, -1e300, .leastNonzeroMagnitude, 1.5, 1e-9]
    let withSpecial = seed % 2 == 0
    for id in 0..<rowCount {
      let number = Double(Int.random(in: -1000...1000, using: &random)) / 10
      let amount = withSpecial && Int.random(in: 0..<4, using: &random) == 0 ? special.randomElement(using: &random)! : number
      rows.append(
        Row(
          user: maybe(Int64.random(in: -2...3, using: &random), &random), region: maybe(regions.randomElement(using: &random)!, &random),
          time: Int64.random(in: -20...30, using: &random) * 1000, created: maybe(Int64.random(in: 0...3, using: &random), &random),
          id: Int64(id), amount: maybe(amount, &random), items: maybe(Int32.random(in: -4...4, using: &random), &random),
          category: maybe(["", "x", "xy", "é"].randomElement(using: &random)!, &random),
          flag: maybe(Bool.random(using: &random), &random)))
    }
    for _ in 0..<labelCount {
      let offset = [Int64(0), 0, 1, -1].randomElement(using: &random)!
      labels.append(
        Label(
          user: maybe(Int64.random(in: -3...4, using: &random), &random), region: maybe(regions.randomElement(using: &random)!, &random),
          time: Int64.random(in: -30...40, using: &random) * 1000 + offset))
    }
    labels += labels.prefix(labelCount / 10)
    if labelCount > 0 {
      labels[0].time = .min
      labels[labels.count - 1].time = .max
    }
  }

  static let yaml = """
    entities:
    - {name: shop, keys: [{name: user, type: int64}, {name: region, type: string}]}
    feature_views:
    - name: sales
      entity: shop
      source: orders
      keys: {user: user_id}
      ttl: 5ms
      where: "items is null or items < 4"
      features:
      - {name: amount, expr: amount}
      - {name: category, expr: category}
      - {name: flag, expr: flag}
      - {name: rows_all, agg: count, window: all}
      - {name: rows_7, agg: count, window: 7ms}
      - {name: flagged_7, agg: count, window: 7ms, where: flag}
      - {name: amounts_7, agg: count, of: amount, window: 7ms}
      - {name: sum_7, agg: sum, of: amount, window: 7ms}
      - {name: sum_all, agg: sum, of: amount, window: all}
      - {name: sum_flagged_7, agg: sum, of: amount, window: 7ms, where: flag}
      - {name: avg_7, agg: avg, of: amount, window: 7ms}
      - {name: min_7, agg: min, of: amount, window: 7ms}
      - {name: max_7, agg: max, of: amount, window: 7ms}
      - {name: max_all, agg: max, of: amount, window: all}
      - {name: items_7, agg: sum, of: items, window: 7ms}
      - {name: items_avg_7, agg: avg, of: items, window: 7ms}
      - {name: items_min_7, agg: min, of: items, window: 7ms}
      - {name: category_min_7, agg: min, of: category, window: 7ms, where: flag}
      - {name: category_max_all, agg: max, of: category, window: all}
      - {name: flag_max_7, agg: max, of: flag, window: 7ms}
    feature_services:
    - {name: all, features: ["sales:*"]}
    """

  static let schema = Schema([
    Field("user_id", .int64), Field("region", .string), Field("event_timestamp", .timestampMicros), Field("created", .timestampMicros),
    Field("id", .int64), Field("amount", .float64), Field("items", .int32), Field("category", .string), Field("flag", .bool),
  ])

  var source: MemorySource {
    let table = SourceTable(
      name: "orders", schema: Self.schema, primaryKey: ["user_id", "region", "event_timestamp", "id"], eventTime: "event_timestamp",
      createdTime: "created")
    let columns = [
      Column(.int64, rows.map { $0.user.map { .int($0) } ?? .null }), Column(.string, rows.map { $0.region.map { .string($0) } ?? .null }),
      Column(.timestampMicros, rows.map { .timestamp($0.time, .microsecond) }),
      Column(.timestampMicros, rows.map { $0.created.map { .timestamp($0, .microsecond) } ?? .null }),
      Column(.int64, rows.map { .int($0.id) }), Column(.float64, rows.map { $0.amount.map { .double($0) } ?? .null }),
      Column(.int32, rows.map { $0.items.map { .int(Int64($0)) } ?? .null }),
      Column(.string, rows.map { $0.category.map { .string($0) } ?? .null }),
      Column(.bool, rows.map { $0.flag.map { .bool($0) } ?? .null }),
    ]
    return MemorySource(tables: ["orders": (table, Batch(schema: Self.schema, columns: columns, rowCount: rows.count))])
  }

  var labelBatch: Batch {
    let schema = Schema([Field("user", .int64), Field("region", .string), Field("event_timestamp", .timestampMicros)])
    let columns = [
      Column(.int64, labels.map { $0.user.map { .int($0) } ?? .null }),
      Column(.string, labels.map { $0.region.map { .string($0) } ?? .null }),
      Column(.timestampMicros, labels.map { .timestamp($0.time, .microsecond) }),
    ]
    return Batch(schema: schema, columns: columns, rowCount: labels.count)
  }

  /// What every feature is worth for a label, looked up by going through all rows.
  func expected(_ label: Label) -> [String: Scalar] {
    func number(_ value: Double?) -> Scalar { value.map { .double($0.isNaN ? .nan : $0 == 0 ? 0 : $0) } ?? .null }
    let mine = rows.filter { row in
      guard let user = row.user, let region = row.region, user == label.user, region == label.region else { return false }
      return (row.items ?? 0) < 4 && row.time <= label.time
    }
    let newest = mine.max { a, b in
      (a.time, a.created ?? -1, a.id) < (b.time, b.created ?? -1, b.id)
    }.flatMap { label.time < Int64.min + Self.ttl || $0.time >= label.time - Self.ttl ? $0 : nil }
    let window = mine.filter { label.time < Int64.min + Self.width || $0.time > label.time - Self.width }
    func amounts(_ rows: [Row]) -> [Double] { rows.compactMap(\.amount) }
    func sum(_ values: [Double]) -> Scalar { values.isEmpty ? .null : number(NaiveSum.rounded(values)) }
    func least(_ a: Double, _ b: Double) -> Bool { a.isNaN ? false : b.isNaN ? true : a < b }
    let items = window.compactMap(\.items)
    let flagged = window.filter { $0.flag == true }
    func text(_ value: String?) -> Scalar { value.map { .string($0) } ?? .null }
    func byBytes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
    let average = amounts(window).isEmpty ? nil : NaiveSum.rounded(amounts(window), dividedBy: amounts(window).count)
    let itemAverage = items.isEmpty ? nil : NaiveSum.rounded(items.map(Double.init), dividedBy: items.count)
    let flags = window.compactMap(\.flag)
    return [
      "amount": number(newest?.amount), "category": text(newest?.category), "flag": (newest?.flag).map { .bool($0) } ?? .null,
      "rows_all": .int(Int64(mine.count)), "rows_7": .int(Int64(window.count)), "flagged_7": .int(Int64(flagged.count)),
      "amounts_7": .int(Int64(amounts(window).count)), "sum_7": sum(amounts(window)), "sum_all": sum(amounts(mine)),
      "sum_flagged_7": sum(amounts(flagged)), "avg_7": number(average), "min_7": number(amounts(window).min(by: least)),
      "max_7": number(amounts(window).max(by: least)), "max_all": number(amounts(mine).max(by: least)),
      "items_7": items.isEmpty ? .null : .int(Int64(items.reduce(0, +))), "items_avg_7": number(itemAverage),
      "items_min_7": items.min().map { .int(Int64($0)) } ?? .null,
      "category_min_7": text(flagged.compactMap(\.category).min(by: byBytes)),
      "category_max_all": text(mine.compactMap(\.category).max(by: byBytes)),
      "flag_max_7": flags.isEmpty ? .null : .bool(flags.contains(true)),
    ]
  }
}

extension Scalar {
  /// Equal bit for bit, so that NaN equals NaN.
  func isSame(as other: Scalar) -> Bool {
    if case .double(let a) = self, case .double(let b) = other { return a.bitPattern == b.bitPattern }
    return self == other
  }
}
