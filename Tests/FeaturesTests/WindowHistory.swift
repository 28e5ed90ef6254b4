import Columns

@testable import Features

/// A random history with a column of every type, a feature for every aggregate of it over several windows, and what they are worth.
struct WindowHistory {
  struct Case {
    let feature: FeatureDefinition
    let function: AggregateFunction
    /// Index into `schema`; nil for a count of rows.
    let column: Int?
    let window: Window
    let isFiltered: Bool
  }

  static let schema = Schema([
    Field("user", .int64), Field("event_timestamp", .timestampMicros), Field("id", .int64), Field("keep", .bool),
    Field("amount", .float64), Field("wide", .float64), Field("ratio", .float32), Field("items", .int32), Field("big", .uint64),
    Field("price", .decimal(precision: 9, scale: 2)), Field("vast", .decimal(precision: 38, scale: 4)), Field("name", .string),
    Field("raw", .binary), Field("day", .date), Field("seen", .timestampMicros), Field("flag", .bool),
  ])
  static let windows: [Window] = [.micros(7_000), .coarse(7_000, resolution: 3_000), .all]
  static let functions: [AggregateFunction] = [
    .count, .sum, .avg, .min, .max, .stddev, .first, .last, .lastN(3), .approxCountDistinct, .approxQuantile(0), .approxQuantile(0.4),
    .approxQuantile(1),
  ]

  let cases: [Case]
  let rows: [[Scalar]]
  let labels: [(user: Int64, time: Int64)]

  init(seed: UInt64, rowCount: Int, labelCount: Int) {
    var random = SplitMix(seed)
    var cases: [Case] = []
    for window in Self.windows {
      for isFiltered in [false, true] {
        func add(_ function: AggregateFunction, _ column: Int?) {
          let of = column.map { Self.schema.fields[$0].name }
          let kind = FeatureKind.aggregate(function, of: of, window: window, filter: isFiltered ? "keep" : nil)
          let feature = FeatureDefinition(name: "f\(cases.count)", kind: kind)
          cases.append(Case(feature: feature, function: function, column: column, window: window, isFiltered: isFiltered))
        }
        add(.count, nil)
        for column in 4..<Self.schema.fields.count {
          for function in Self.functions where function.resultType(of: Self.schema.fields[column].type) != nil { add(function, column) }
        }
      }
    }
    self.cases = cases
    let special: [Double] = [0, -0.0, .nan, .infinity, -.infinity]
    let hasSpecial = seed % 2 == 0
    var rows: [[Scalar]] = []
    for id in 0..<rowCount {
      func maybe(_ value: Scalar) -> Scalar { Int.random(in: 0..<7, using: &random) == 0 ? .null : value }
      let isSpecial = hasSpecial && Int.random(in: 0..<8, using: &random) == 0
      let amount = isSpecial ? special.randomElement(using: &random)! : Double(Int.random(in: -9999...9999, using: &random)) / 100
      let wide = Double(sign: .plus, exponent: Int.random(in: -1070...1000, using: &random), significand: amount.isFinite ? amount : 1)
      let digits = Int128(Int64.random(in: .min ... .max, using: &random)) * 1_000_000_000_000_000_000
      rows.append([
        .int(Int64.random(in: 0...2, using: &random)), .timestamp(Int64.random(in: -20...30, using: &random) * 1000, .microsecond),
        .int(Int64(id)), maybe(.bool(Bool.random(using: &random))), maybe(.double(amount)), maybe(.double(wide)),
        maybe(.float(Float(amount))), maybe(.int(Int64(Int32.random(in: .min ... .max, using: &random)))),
        maybe(.uint(random.next())), maybe(.decimal(Int128(Int.random(in: -999_999_999...999_999_999, using: &random)), scale: 2)),
        maybe(.decimal(digits, scale: 4)), maybe(.string(["", "a", "ab", "é", "a\0"].randomElement(using: &random)!)),
        maybe(.binary([[], [0], [255, 1], [1]].randomElement(using: &random)!)),
        maybe(.date(Int32.random(in: -3...3, using: &random))),
        maybe(.timestamp(Int64.random(in: .min ... .max, using: &random), .microsecond)), maybe(.bool(Bool.random(using: &random))),
      ])
    }
    self.rows = rows
    var labels: [(user: Int64, time: Int64)] = []
    for _ in 0..<labelCount {
      let edge = [Int64(0), 0, 1, -1].randomElement(using: &random)!
      labels.append((Int64.random(in: 0...3, using: &random), Int64.random(in: -22...45, using: &random) * 1000 + edge))
    }
    if labelCount > 1 {
      labels[0].time = .min
      labels[1].time = .max
    }
    self.labels = labels
  }

  var source: MemorySource {
    let table = SourceTable(
      name: "events", schema: Self.schema, primaryKey: ["user", "event_timestamp", "id"], eventTime: "event_timestamp")
    let columns = Self.schema.fields.indices.map { index in Column(Self.schema.fields[index].type, rows.map { $0[index] }) }
    return MemorySource(tables: ["events": (table, Batch(schema: Self.schema, columns: columns, rowCount: rows.count))])
  }

  var definitions: DefinitionSet {
    let view = FeatureView(name: "v", entity: "user", source: "events", features: cases.map(\.feature))
    let service = FeatureService(name: "all", features: cases.map { FeatureReference(view: "v", feature: $0.feature.name) })
    return DefinitionSet(
      entities: [Entity(name: "user", keys: [EntityKey(name: "user", type: .int64)])], views: [view], services: [service], places: [:])
  }

  var labelBatch: Batch {
    let schema = Schema([Field("user", .int64), Field("event_timestamp", .timestampMicros)])
    let columns = [
      Column(.int64, labels.map { .int($0.user) }), Column(.timestampMicros, labels.map { .timestamp($0.time, .microsecond) }),
    ]
    return Batch(schema: schema, columns: columns, rowCount: labels.count)
  }

  /// The rows of a label's window that pass the case's filter, oldest first.
  func window(_ label: (user: Int64, time: Int64), _ one: Case) -> [[Scalar]] {
    func time(_ row: [Scalar]) -> Int64 { if case .timestamp(let time, _) = row[1] { time } else { 0 } }
    func id(_ row: [Scalar]) -> Int64 { if case .int(let id) = row[2] { id } else { 0 } }
    // 128 bits, so that nothing overflows here.
    var start = Int128(label.time) - 7_000
    switch one.window {
    case .all: start = .min
    case .micros: break
    case .coarse:
      while start % 3_000 != 0 { start -= 1 }
    }
    return rows.filter { row in
      row[0] == .int(label.user) && time(row) <= label.time && Int128(time(row)) > start && (!one.isFiltered || row[3] == .bool(true))
    }.sorted { (time($0), id($0)) < (time($1), id($1)) }
  }
}
