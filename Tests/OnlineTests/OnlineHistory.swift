import Columns
import Features
import Online

/// A random history with every kind of feature, as a source of rows.
struct OnlineHistory: FeatureSource {
  /// One of every kind, over `orders`.
  private static let features = """
      - {name: amount, expr: amount}
      - {name: category, expr: category}
      - {name: flag, expr: flag}
      - {name: rows_all, agg: count, window: all}
      - {name: rows_7, agg: count, window: 7ms}
      - {name: flagged_7, agg: count, window: 7ms, where: flag}
      - {name: amounts_7, agg: count, of: amount, window: 7ms}
      - {name: sum_7, agg: sum, of: amount, window: 7ms}
      - {name: sum_all, agg: sum, of: amount, window: all}
      - {name: avg_3, agg: avg, of: amount, window: 3ms}
      - {name: min_7, agg: min, of: amount, window: 7ms, where: flag}
      - {name: max_all, agg: max, of: amount, window: all}
      - {name: items_7, agg: sum, of: items, window: 7ms}
      - {name: items_avg_7, agg: avg, of: items, window: 7ms}
      - {name: items_min_7, agg: min, of: items, window: 7ms}
      - {name: category_min_7, agg: min, of: category, window: 7ms, where: flag}
      - {name: flag_max_7, agg: max, of: flag, window: 7ms}
      - {name: stddev_7, agg: stddev, of: amount, window: 7ms}
      - {name: items_stddev_3, agg: stddev, of: items, window: 7ms, resolution: 3ms}
      - {name: first_7, agg: first, of: category, window: 7ms}
      - {name: last_flagged_7, agg: last, of: amount, window: 7ms, where: flag}
      - {name: last_3, agg: last_n, n: 3, of: amount, window: all}
      - {name: categories_3, agg: last_n, n: 3, of: category, window: 7ms, resolution: 5ms, where: flag}
      - {name: distinct_7, agg: approx_count_distinct, of: category, window: 7ms}
      - {name: distinct_all, agg: approx_count_distinct, of: amount, window: all}
      - {name: median_7, agg: approx_quantile, q: 0.5, of: amount, window: 7ms}
      - {name: items_p90, agg: approx_quantile, q: 0.9, of: items, window: all, where: flag}
      - {name: rows_coarse, agg: count, window: 7ms, resolution: 4ms}
    """

  static let yaml = """
    entities:
    - {name: user, keys: [{name: user_id, type: int64}]}
    - {name: shop, keys: [{name: user_id, type: int64}, {name: region, type: string}]}
    feature_views:
    - name: sales
      entity: shop
      source: orders
      ttl: 5ms
      where: "items is null or items < 4"
      features:
    \(features)
    - name: known
      entity: shop
      source: orders
      knowledge: created
      ttl: 9ms
      where: "items is null or items < 4"
      features:
    \(features)
    - name: known_newest
      entity: user
      source: orders
      knowledge: created
      features:
      - {name: known_items, expr: items}
      - {name: known_time, expr: event_timestamp}
    - name: plan
      entity: user
      source: plans
      knowledge: created
      features:
      - {name: plan, expr: plan}
      - {name: plans, agg: count, window: all}
    - name: recent
      entity: user
      source: orders
      features:
      - {name: sum_2, agg: sum, of: amount, window: 2ms}
      - {name: category_max_2, agg: max, of: category, window: 2ms}
    - name: newest
      entity: user
      source: orders
      features:
      - {name: last_items, expr: items}
      - {name: last_time, expr: event_timestamp}
    - name: ever
      entity: user
      source: profiles
      features:
      - {name: country, expr: country}
      - {name: profiles, agg: count, window: all}
    feature_services:
    - {name: all, features: ["sales:*", "recent:*", "newest:*", "ever:*"]}
    - {name: known, features: ["known:*", "known_newest:*", "plan:*"]}
    """

  let orders: Batch
  let profiles: Batch
  /// Without an event time.
  let plans: Batch

  init(seed: UInt64, rowCount: Int) {
    var random = SplitMix(seed)
    func maybe(_ value: Scalar, _ random: inout SplitMix) -> Scalar { Int.random(in: 0..<8, using: &random) == 0 ? .null : value }
    let special = [0, -0.0, .nan, .infinity, -.infinity, 1e300, -1e300, .leastNonzeroMagnitude]
    var columns: [[Scalar]] = Array(repeating: [], count: 9)
    for id in 0..<rowCount {
      let number = Double(Int.random(in: -1000...1000, using: &random)) / 10
      let amount = Int.random(in: 0..<9, using: &random) == 0 ? special.randomElement(using: &random)! : number
      let row: [Scalar] = [
        maybe(.int(Int64.random(in: -2...3, using: &random)), &random),
        maybe(.string(["", "a", "b\0"].randomElement(using: &random)!), &random),
        .timestamp(Int64.random(in: -20...30, using: &random) * 1000, .microsecond),
        maybe(.timestamp(Self.created(&random), .microsecond), &random), .int(Int64(id)), maybe(.double(amount), &random),
        maybe(.int(Int64.random(in: -4...4, using: &random)), &random),
        maybe(.string(["", "x", "é"].randomElement(using: &random)!), &random),
        maybe(.bool(Bool.random(using: &random)), &random),
      ]
      for (index, value) in row.enumerated() { columns[index].append(value) }
    }
    orders = Batch(
      schema: Self.orderSchema, columns: zip(Self.orderSchema.fields, columns).map { Column($0.type, $1) }, rowCount: rowCount)
    var planColumns: [[Scalar]] = Array(repeating: [], count: 3)
    for number in 0..<rowCount / 20 {
      planColumns[0].append(.int(Int64.random(in: -2...3, using: &random)))
      planColumns[1].append(.timestamp(Int64.random(in: -40...90, using: &random) * 500 + Int64(number % 2), .microsecond))
      planColumns[2].append(maybe(.string("p\(number)"), &random))
    }
    plans = Batch(
      schema: Self.planSchema, columns: zip(Self.planSchema.fields, planColumns).map { Column($0.type, $1) }, rowCount: rowCount / 20)
    let countries: [Scalar] = [.string("DE"), .null, .string("FR")]
    profiles = Batch(
      schema: Self.profileSchema, columns: [Column(.int32, [.int(-1), .int(0), .int(2)]), Column(.string, countries)], rowCount: 3)
  }

  /// All at once, or at any time beside those of events.
  private static func created(_ random: inout SplitMix) -> Int64 {
    Bool.random(using: &random) ? Int64.random(in: 0...3, using: &random) : Int64.random(in: -40...90, using: &random) * 500
  }

  static let orderSchema = Schema([
    Field("user_id", .int64), Field("region", .string), Field("event_timestamp", .timestampMicros), Field("created", .timestampMicros),
    Field("id", .int64), Field("amount", .float64), Field("items", .int32), Field("category", .string), Field("flag", .bool),
  ])
  static let planSchema = Schema([Field("user_id", .int64), Field("since", .timestampMicros), Field("plan", .string)])
  static let profileSchema = Schema([Field("user_id", .int32), Field("country", .string)])

  func table(_ dataset: String) throws -> SourceTable {
    if dataset == "plans" {
      return SourceTable(name: "plans", schema: Self.planSchema, primaryKey: ["user_id", "since", "plan"], createdTime: "since")
    }
    return dataset == "profiles"
      ? SourceTable(name: "profiles", schema: Self.profileSchema, primaryKey: ["user_id"])
      : SourceTable(
        name: "orders", schema: Self.orderSchema, primaryKey: ["user_id", "event_timestamp", "id"], eventTime: "event_timestamp",
        createdTime: "created")
  }

  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    let all = dataset == "profiles" ? profiles : dataset == "plans" ? plans : orders
    guard let selected = all.selecting(columns), let keys = all.selecting(order) else {
      throw FeatureError(.notFound, "There are no columns \(columns) and \(order)")
    }
    return SortKernel.permutation(by: keys.columns).map { selected.take($0) } ?? selected
  }

  func generation(at buildTime: Int64, yaml: String = OnlineHistory.yaml) throws -> Generation {
    let definitions = try DefinitionSet.parse(files: [("features.yaml", yaml)])
    var images: [String: ViewImage] = [:]
    for view in definitions.views {
      let compiled = try definitions.compile(view: view.name, source: table(view.source))
      let bytes = try GenerationBuilder.encode(view: compiled, events: .build(compiled, from: self), buildTimeMicros: buildTime)
      images[view.name] = try ViewImage(bytes: BufferSlice(copying: bytes))
    }
    return Generation(commit: "c0ffee", definitions: definitions, images: images)
  }
}

/// A small generator whose runs can be repeated by seed.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
