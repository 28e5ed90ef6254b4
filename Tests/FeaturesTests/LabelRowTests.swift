import Columns
import Testing

@testable import Features

/// Errors of label rows name the row of the frame, from 1, whichever batch it came in.
@Suite struct LabelRowTests {
  private let yaml = """
    entities: [{name: user, keys: [{name: user, type: int64}]}]
    feature_views:
    - name: v
      entity: user
      source: events
      features: [{name: total, agg: sum, of: amount, window: all}, {name: last, expr: amount}]
    on_demand_features:
    - {name: ratio, request: [{name: x, type: int64}], inputs: ["v:last"], expr: "request.x + 9223372036854775807"}
    feature_services: [{name: sums, features: ["v:total"]}, {name: ratios, features: [ratio]}]
    """

  private var source: MemorySource {
    let schema = Schema([Field("user", .int64), Field("event_timestamp", .timestampMicros), Field("amount", .int64)])
    let columns = [
      Column(.int64, [.int(1), .int(2), .int(2)]), Column(.timestampMicros, (0..<3).map { .timestamp($0, .microsecond) }),
      Column(.int64, [.int(1), .int(.max), .int(1)]),
    ]
    let table = SourceTable(name: "events", schema: schema, primaryKey: ["user", "event_timestamp"], eventTime: "event_timestamp")
    return MemorySource(tables: ["events": (table, Batch(schema: schema, columns: columns, rowCount: 3))])
  }

  /// What batches of three labels are refused for when the label in `row` is the one that fails.
  private func refusal(_ service: String, user: [Scalar], x: [Scalar], times: [Scalar]? = nil) throws -> (text: String, row: Int?) {
    let source = source
    let compiled = try DefinitionSet.parse(files: [("f.yaml", yaml)]).compile(
      service: service, sources: ["events": source.table("events")])
    let count = user.count
    let userType: DataType = user.contains { if case .double = $0 { true } else { false } } ? .float64 : .int64
    let labels = Batch(
      schema: Schema([Field("user", userType), Field("event_timestamp", .timestampMicros), Field("x", .int64)]),
      columns: [
        Column(userType, user), Column(.timestampMicros, times ?? (0..<count).map { .timestamp(Int64($0) + 10, .microsecond) }),
        Column(.int64, x),
      ], rowCount: count)
    var run = try TrainingRun(service: compiled, labels: labels.schema, source: source)
    do {
      for start in stride(from: 0, to: count, by: 3) { _ = try run.join(labels.slice(from: start, count: min(3, count - start))) }
    } catch let error as FeatureError {
      return (error.text, error.row)
    }
    return ("no error", nil)
  }

  @Test(arguments: [0, 2, 3, 7]) func sumsThatOverflow(row: Int) throws {
    let found = try refusal("sums", user: (0..<8).map { .int($0 == row ? 2 : 1) }, x: [Scalar](repeating: .int(0), count: 8))
    #expect(found == ("Feature view v: feature total: the sum for label row \(row + 1) exceeds int64", row))
  }

  @Test(arguments: [0, 2, 3, 7]) func onDemandFeaturesThatFail(row: Int) throws {
    let found = try refusal("ratios", user: [Scalar](repeating: .int(1), count: 8), x: (0..<8).map { .int($0 == row ? 1 : 0) })
    #expect(found.text.contains(" in label row \(row + 1), at "), "\(found.text)")
    #expect(found.row == row)
  }

  @Test(arguments: [0, 2, 3, 7]) func keysAndTimesThatDoNotFit(row: Int) throws {
    let zeros = [Scalar](repeating: .int(0), count: 8)
    var found = try refusal("sums", user: (0..<8).map { .double($0 == row ? 1.5 : 1) }, x: zeros)
    #expect(
      found
        == (
          "Cannot use label column user as key user of entity user in feature view v: Cannot convert float64 to int64: row \(row + 1) holds "
            + "1.5, which int64 cannot hold exactly", row
        ))
    found = try refusal(
      "sums", user: [Scalar](repeating: .int(1), count: 8), x: zeros,
      times: (0..<8).map { $0 == row ? .null : .timestamp(Int64($0) + 10, .microsecond) })
    #expect(found == ("Label time column event_timestamp: expected a time in every row, found null in row \(row + 1)", row))
  }
}
