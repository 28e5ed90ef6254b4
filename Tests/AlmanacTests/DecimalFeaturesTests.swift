import Almanac
import Columns
import JSON
import Testing

/// Money stays decimal from the commit to the answer: offline as decimals, online as the same digits.
@Suite struct DecimalFeaturesTests {
  private static let contract = """
    apiVersion: v3.1.0
    kind: DataContract
    id: payments
    name: payments
    version: 1.0.0
    status: active
    schema:
    - name: payments
      properties:
      - {name: user_id, logicalType: integer, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: event_timestamp, logicalType: timestamp, physicalType: "timestamp[us,UTC]", required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: amount, logicalType: number, physicalType: "decimal(10,2)"}
    customProperties:
    - {property: almanac, value: {eventTime: event_timestamp}}
    """

  private static let features = """
    entities:
    - {name: user, keys: [{name: user_id, type: int64}]}
    feature_views:
    - name: pay
      entity: user
      source: payments
      where: "amount <> 0"
      features:
      - {name: last_amount, expr: amount}
      - {name: net, expr: "amount * 2 - cast('0.50' as decimal(3,2))"}
      - {name: cents, expr: "cast(amount * 100 as int64)"}
      - {name: total, agg: sum, of: "amount * 2", window: all}
      - {name: mean, agg: avg, of: amount, window: all}
      - {name: least, agg: min, of: "-amount", window: all}
      - {name: most, agg: max, of: amount, window: all}
      - {name: oldest, agg: first, of: amount, window: all}
      - {name: newest, agg: last, of: amount, window: all}
      - {name: count, agg: count, of: amount, window: all, where: "amount > 5"}
      - {name: recent, agg: last_n, n: 2, of: amount, window: all}
    on_demand_features:
    - name: fee
      request: [{name: price, type: float64}]
      inputs: ["pay:total"]
      expr: "cast(request.price as decimal(10,2)) - total"
    feature_services:
    - {name: money, features: ["pay:*", fee]}
    """

  @Test func decimalsAreExactOfflineAndOnline() throws {
    let workshop = try Workshop()
    try workshop.declare("schemas/payments.yaml", Self.contract)
    try workshop.declare("features/pay.yaml", Self.features)
    try workshop.apply()
    let rows = try workshop.write(
      "rows.csv",
      """
      user_id,event_timestamp,amount
      1,2026-01-01T00:00:00Z,12.34
      1,2026-01-02T00:00:00Z,0.00
      1,2026-01-03T00:00:00Z,-7.10
      1,2026-01-04T00:00:00Z,99999999.99
      2,2026-01-04T00:00:00Z,

      """)
    try workshop.commit("payments", rows)
    let labels = try workshop.write(
      "labels.csv", "user_id,event_timestamp,price\n1,2026-01-05T00:00:00Z,100.25\n2,2026-01-05T00:00:00Z,1\n")
    let training = try workshop.train(TrainingRequest(service: "money", labels: labels, output: workshop.path("training.parquet")))
    #expect(training["total"]?.type == .decimal(precision: 38, scale: 2))
    #expect(training["fee"]?.type == .decimal(precision: 38, scale: 2))
    let wanted: [(name: String, offline: Scalar, online: JSON)] = [
      ("last_amount", .decimal(9_999_999_999, scale: 2), "99999999.99"), ("net", .decimal(19_999_999_948, scale: 2), "199999999.48"),
      ("cents", .int(9_999_999_999), .int(9_999_999_999)), ("total", .decimal(20_000_001_046, scale: 2), "200000010.46"),
      ("mean", .double(100_000_005.23 / 3), .double(100_000_005.23 / 3)), ("least", .decimal(-9_999_999_999, scale: 2), "-99999999.99"),
      ("most", .decimal(9_999_999_999, scale: 2), "99999999.99"), ("oldest", .decimal(1_234, scale: 2), "12.34"),
      ("newest", .decimal(9_999_999_999, scale: 2), "99999999.99"), ("count", .int(2), .int(2)),
      ("recent", .list([.decimal(9_999_999_999, scale: 2), .decimal(-710, scale: 2)]), ["99999999.99", "-7.10"]),
      ("fee", .decimal(-19_999_991_021, scale: 2), "-199999910.21"),
    ]
    _ = try workshop.repository.materialize()
    let service = try OnlineService(repository: workshop.repository)
    let body: JSON = [
      "feature_service": "money", "at": "2026-01-05T00:00:00Z",
      "entities": ["user_id": [.int(1), .int(2)], "price": [.double(100.25), .double(1)]],
    ]
    let json = try JSON(parsing: service.answer(body))
    let names = try #require(json["metadata"]?["feature_names"]?.arrayValue).compactMap(\.stringValue)
    let served = try #require(json["results"]?.arrayValue).compactMap { $0["values"]?.arrayValue }
    for (name, offline, online) in wanted {
      #expect(training[name]?.scalar(at: 0) == offline, "\(name)")
      #expect(training[name]?.scalar(at: 1) == (name == "count" ? .int(0) : .null), "\(name)")
      let index = try #require(names.firstIndex(of: name))
      #expect(served[index] == [online, name == "count" ? .int(0) : .null], "\(name)")
    }
  }

  @Test func sumsBeyondThirtyEightDigitsFailInsteadOfWrapping() throws {
    let workshop = try Workshop()
    try workshop.declare("schemas/payments.yaml", Self.contract.replacing("decimal(10,2)", with: "decimal(38,0)"))
    try workshop.declare(
      "features/pay.yaml",
      """
      entities:
      - {name: user, keys: [{name: user_id, type: int64}]}
      feature_views:
      - name: pay
        entity: user
        source: payments
        features:
        - {name: total, agg: sum, of: amount, window: all}
        - {name: mean, agg: avg, of: amount, window: all}
      feature_services:
      - {name: money, features: ["pay:*"]}
      """)
    try workshop.apply()
    let half = "6" + String(repeating: "0", count: 37)
    let rows = try workshop.write(
      "rows.csv",
      "user_id,event_timestamp,amount\n1,2026-01-01T00:00:00Z,\(half)\n1,2026-01-02T00:00:00Z,\(half)\n2,2026-01-01T00:00:00Z,\(half)\n")
    try workshop.commit("payments", rows)
    let labels = try workshop.write("labels.csv", "user_id,event_timestamp\n2,2026-01-05T00:00:00Z\n1,2026-01-05T00:00:00Z\n")
    let error = #expect(throws: AlmanacError.self) {
      try workshop.train(TrainingRequest(service: "money", labels: labels, output: workshop.path("training.parquet")))
    }
    #expect(error?.description.contains("the sum for label row 2 exceeds decimal(38,0)") == true, "\(String(describing: error))")
    _ = try workshop.repository.materialize()
    let body: JSON = ["feature_service": "money", "at": "2026-01-05T00:00:00Z", "entities": ["user_id": [.int(2), .int(1)]]]
    let json = try JSON(parsing: OnlineService(repository: workshop.repository).answer(body))
    let results = try #require(json["results"]?.arrayValue)
    #expect(results[1]["values"] == [.string(half), .null])
    #expect(results[1]["statuses"] == ["PRESENT", "INVALID"])
    #expect(results[2]["values"] == [.double(6e37), .double(6e37)])
  }
}
