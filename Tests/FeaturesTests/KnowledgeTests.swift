import Columns
import Testing

@testable import Features

/// `knowledge: created`: at time t a row counts only when it was created up to t. By hand, with exact values.
@Suite struct KnowledgeTests {
  private static let schema = Schema([
    Field("user", .int64), Field("event_timestamp", .timestampMicros), Field("created", .timestampMicros), Field("amount", .float64),
    Field("name", .string),
  ])

  /// User 1: the second row is late by 25 ms, the fourth has no created time, the fifth is late by 150. User 2 has one late row.
  private static let rows: [(user: Int64, time: Int64, created: Int64?, amount: Double?, name: String)] = [
    (1, 10, 10, 1, "a"), (1, 20, 45, 2, "b"), (1, 30, 30, 4, "c"), (1, 40, nil, 8, "d"), (1, 50, 200, 16, "e"), (2, 10, 60, nil, "z"),
  ]

  private func source(eventTime: String? = "event_timestamp", key: [String]) -> MemorySource {
    func time(_ value: Int64?) -> Scalar { value.map { .timestamp($0 * 1000, .microsecond) } ?? .null }
    let columns = [
      Column(.int64, Self.rows.map { .int($0.user) }), Column(.timestampMicros, Self.rows.map { time($0.time) }),
      Column(.timestampMicros, Self.rows.map { time($0.created) }),
      Column(.float64, Self.rows.map { $0.amount.map { .double($0) } ?? .null }), Column(.string, Self.rows.map { .string($0.name) }),
    ]
    let table = SourceTable(name: "events", schema: Self.schema, primaryKey: key, eventTime: eventTime, createdTime: "created")
    return MemorySource(tables: ["events": (table, Batch(schema: Self.schema, columns: columns, rowCount: Self.rows.count))])
  }

  private func definitions(_ lines: String) throws -> DefinitionSet {
    try DefinitionSet.parse(files: [
      (
        "f.yaml",
        """
        entities: [{name: user, keys: [{name: user, type: int64}]}]
        feature_views:
        \(lines)
        feature_services: [{name: all, features: ["v:*"]}]
        """
      )
    ])
  }

  /// What the join gives for labels of a user at times in milliseconds, checked to be what lookups give too.
  private func values(_ feature: String, _ source: MemorySource, user: Int64 = 1, at times: [Int64]) throws -> [Scalar] {
    let extra = feature.contains("ttl: ") ? "\n  ttl: 100ms" : ""
    let text = feature.replacing("ttl: ", with: "")
    let set = try definitions(
      "- name: v\n  entity: user\n  source: events\n  knowledge: created\(extra)\n  features: [{name: f, \(text)}]")
    let table = try source.table("events")
    let labels = Batch(
      schema: Schema([Field("user", .int64), Field("event_timestamp", .timestampMicros)]),
      columns: [
        Column(.int64, repeating: .int(user), count: times.count),
        Column(.timestampMicros, times.map { .timestamp($0 * 1000, .microsecond) }),
      ], rowCount: times.count)
    let training = try TrainingSet.build(
      service: set.compile(service: "all", sources: ["events": table]), labels: labels, source: source)
    let found = training.batch["f"]!.scalars
    let events = try ViewEvents.build(set.compile(view: "v", source: table), from: source)
    let key = try KeyEncoder.encode([Column(.int64, [.int(user)])], row: 0)
    let entity = key.withUnsafeBytes { events.index.find($0) }
    #expect(times.map { events.value(of: 0, at: events.moment(of: entity, at: $0 * 1000)).value } == found)
    return found
  }

  private func texts(_ values: [String?]) -> [Scalar] { values.map { $0.map { .string($0) } ?? .null } }

  @Test func theNewestKnownRowCounts() throws {
    let source = source(key: ["user", "event_timestamp"])
    let times: [Int64] = [9, 10, 20, 30, 44, 45, 140, 141, 199, 200]
    #expect(
      try values("expr: name", source, at: times) == texts([nil, "a", "a", "c", "d", "d", "d", "d", "d", "e"]))
    // The newest known row is 100 ms old at 140, and the row that becomes known at 200 is 150 old by then.
    #expect(
      try values("ttl: expr: name", source, at: times) == texts([nil, "a", "a", "c", "d", "d", "d", nil, nil, nil]))
    #expect(try values("expr: name", source, user: 2, at: [10, 59, 60]) == [.null, .null, .string("z")])
  }

  @Test func windowsHoldWhatIsKnown() throws {
    let source = source(key: ["user", "event_timestamp"])
    let times: [Int64] = [9, 10, 20, 30, 40, 44, 45, 109, 110, 119, 120, 139, 140, 150, 200]
    let window = "window: 100ms"
    #expect(
      try values("agg: count, \(window)", source, at: times) == [0, 1, 1, 2, 3, 3, 4, 4, 3, 3, 2, 1, 0, 0, 0].map { .int($0) })
    func optional(_ numbers: [Double?]) -> [Scalar] { numbers.map { $0.map { .double($0) } ?? .null } }
    #expect(
      try values("agg: sum, of: amount, \(window)", source, at: times)
        == optional([nil, 1, 1, 5, 13, 13, 15, 15, 14, 14, 12, 8, nil, nil, nil]))
    #expect(
      try values("agg: min, of: amount, \(window)", source, at: times)
        == optional([nil, 1, 1, 1, 1, 1, 1, 1, 2, 2, 4, 8, nil, nil, nil]))
    #expect(
      try values("agg: max, of: amount, \(window)", source, at: times)
        == optional([nil, 1, 1, 4, 8, 8, 8, 8, 8, 8, 8, 8, nil, nil, nil]))
    #expect(
      try values("agg: first, of: name, \(window)", source, at: times)
        == texts([nil, "a", "a", "a", "a", "a", "a", "a", "b", "b", "c", "d", nil, nil, nil]))
    #expect(
      try values("agg: last_n, n: 3, of: name, \(window)", source, at: [44, 45, 110, 139, 140])
        == [["d", "c", "a"], ["d", "c", "b"], ["d", "c", "b"], ["d"]].map { .list($0.map { .string($0) }) } + [.null])
    // All five from 200 on.
    #expect(
      try values("agg: sum, of: amount, window: all", source, at: [44, 45, 199, 200]) == optional([13, 15, 15, 31]))
    #expect(try values("agg: last, of: name, window: all", source, at: [44, 199, 200]) == ["d", "d", "e"].map { .string($0) })
  }

  @Test func coarseWindowsHoldWhatIsKnown() throws {
    // The start of the window, t - 100, is lowered to a multiple of 40: 0 from 100 to 139, then 40.
    let source = source(key: ["user", "event_timestamp"])
    #expect(
      try values("agg: count, window: 100ms, resolution: 40ms", source, at: [30, 44, 45, 119, 139, 140, 179, 180, 200])
        == [2, 3, 4, 4, 4, 0, 0, 0, 0].map { .int($0) })
    // The late fifth row is known before the window leaves it behind.
    #expect(
      try values("agg: count, window: 200ms, resolution: 20ms", source, at: [199, 200, 209, 219, 220]) == [4, 5, 5, 5, 3].map { .int($0) })
  }

  @Test func aDatasetWithoutEventTimeIsKnownByCreation() throws {
    let source = source(eventTime: nil, key: ["user", "event_timestamp"])
    // By (created, rest of the key): d has none and is known from the start.
    let times: [Int64] = [0, 10, 29, 30, 45, 199, 200]
    #expect(try values("expr: name", source, at: times) == ["d", "a", "a", "c", "b", "b", "e"].map { .string($0) })
    #expect(try values("agg: count", source, at: times) == [1, 2, 2, 3, 4, 4, 5].map { .int($0) })
    #expect(try values("expr: name", source, user: 2, at: [59, 60]) == [.null, .string("z")])
  }
}
