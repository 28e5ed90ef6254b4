import Columns
import Features
import Testing

@testable import Online

/// Online(t) = offline(t) for views joined twice, filtered views, entities of several keys, and features computed on demand.
@Suite struct LawOnDemandTests {
  static let yaml = """
    entities:
    - {name: user, keys: [{name: user_id, type: int64}]}
    - {name: shop, keys: [{name: user_id, type: int64}, {name: region, type: string}]}
    feature_views:
    - name: sales
      entity: shop
      source: orders
      ttl: 6ms
      where: "items is null or items < 4"
      features:
      - {name: amount, expr: amount}
      - {name: sum_7, agg: sum, of: amount, window: 7ms, where: flag}
    - name: recent
      entity: user
      source: orders
      features:
      - {name: sum_2, agg: sum, of: amount, window: 2ms}
      - {name: items_9, agg: sum, of: items, window: 9ms}
    on_demand_features:
    - name: chained
      inputs: [ratio, "sales:amount"]
      expr: "case when ratio is null then amount else ratio + 1 end"
    - name: ratio
      request: [{name: paid, type: float64}]
      inputs: ["recent:sum_2", {view: recent, as: buyer, join_keys: {user_id: buyer_id}, features: [sum_2]}]
      expr: "(request.paid + coalesce(recent__sum_2, 0)) / nullif(buyer__sum_2, 0)"
    - name: risky
      request: [{name: factor, type: int64}]
      inputs: ["recent:items_9"]
      expr: "request.factor * items_9"
    - {name: careless, inputs: [risky], expr: "coalesce(risky, 0)"}
    feature_services:
    - name: all
      features:
      - "sales:*"
      - chained
      - {view: recent, as: buyer, join_keys: {user_id: buyer_id}, features: ["*"]}
      - {view: sales, as: abroad, join_keys: {region: other_region}}
      - ratio
    - {name: risk, features: [risky, careless]}
    """

  private static let schema = Schema([
    Field("user_id", .int64), Field("buyer_id", .int64), Field("region", .string), Field("other_region", .string),
    Field("paid", .float64), Field("factor", .int64), Field("event_timestamp", .timestampMicros),
  ])

  private static func labels(at time: Int64, _ random: inout SplitMix) -> Batch {
    let regions: [Scalar] = [.string(""), .string("a"), .string("b\0"), .string("c"), .null]
    let numbers: [Scalar] = [.double(0), .double(-0.0), .double(1.5), .double(.nan), .double(.infinity), .double(-3), .null]
    let factors: [Scalar] = [.int(3), .int(.max), .int(.min), .int(0), .null]
    var columns: [[Scalar]] = Array(repeating: [], count: schema.fields.count)
    for _ in 0..<40 {
      func user() -> Scalar { Int.random(in: 0..<9, using: &random) == 0 ? .null : .int(Int64.random(in: -3...4, using: &random)) }
      let row: [Scalar] = [
        user(), user(), regions.randomElement(using: &random)!, regions.randomElement(using: &random)!,
        numbers.randomElement(using: &random)!, factors.randomElement(using: &random)!, .timestamp(time, .microsecond),
      ]
      for (index, value) in row.enumerated() { columns[index].append(value) }
    }
    return Batch(schema: schema, columns: zip(schema.fields, columns).map { Column($0.type, $1) }, rowCount: 40)
  }

  @Test(arguments: 0..<10) func everyColumnOfTheServiceIsTheSame(round: Int) throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let history = OnlineHistory(seed: seed, rowCount: [0, 30, 200, 700, 900][round % 5])
    let buildTime = Int64.random(in: -25...35, using: &random) * 1000
    let generation = try history.generation(at: buildTime, yaml: Self.yaml)
    let service = try generation.definitions.compile(service: "all", sources: ["orders": history.table("orders")], fullNames: true)
    let plan = try generation.plan(service: "all", fullNames: true)
    let names = [
      "sales__amount", "sales__sum_7", "chained", "buyer__sum_2", "buyer__items_9", "abroad__amount", "abroad__sum_7", "ratio",
    ]
    #expect(plan.featureNames == ["user_id", "region", "buyer_id", "other_region"] + names)
    #expect(plan.requests.map(\.name) == ["paid"])
    for time in [buildTime, buildTime + 1] + (0..<6).map({ _ in buildTime + Int64.random(in: 0...40, using: &random) * 500 }) {
      let labels = Self.labels(at: time, &random)
      let offline = try TrainingSet.build(
        service: service, labels: labels, options: TrainingOptions(fullNames: true), source: history)
      #expect(offline.featureNames == names)
      let online = try generation.answer(
        plan, entities: plan.keys.map { labels[$0.name]! }, requests: plan.requests.map { labels[$0.name]! }, at: time)
      for (place, name) in names.enumerated() {
        for row in 0..<labels.rowCount {
          let (found, wanted) = (online[place][row], offline.batch[name]!.scalar(at: row))
          #expect(
            found.value.isSame(as: wanted),
            "seed \(seed), built at \(buildTime): \(name) of row \(row) at \(time) is \(found), expected \(wanted)")
          #expect((found.status == .present) == (wanted != .null), "seed \(seed): \(name) \(found)")
        }
      }
    }
  }

  /// What fails offline is INVALID online, in that row and no other, also for what reads it.
  @Test func failuresAreInvalidRowByRow() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let history = OnlineHistory(seed: seed, rowCount: 60)
    let generation = try history.generation(at: 10_000, yaml: Self.yaml)
    let service = try generation.definitions.compile(service: "risk", sources: ["orders": history.table("orders")])
    let plan = try generation.plan(service: "risk")
    let labels = Self.labels(at: 12_000, &random)
    let online = try generation.answer(plan, entities: [labels["user_id"]!], requests: [labels["factor"]!], at: 12_000)
    for row in 0..<labels.rowCount {
      let one = Batch(schema: labels.schema, columns: labels.columns.map { $0.slice(from: row, count: 1) }, rowCount: 1)
      do {
        let offline = try TrainingSet.build(service: service, labels: one, source: history)
        let wanted = offline.batch["risky"]!.scalar(at: 0)
        #expect(online[0][row].value.isSame(as: wanted), "seed \(seed): row \(row)")
        #expect(online[0][row].status == (wanted == .null ? .nullValue : .present), "seed \(seed): row \(row)")
        #expect(online[1][row].value.isSame(as: offline.batch["careless"]!.scalar(at: 0)), "seed \(seed): row \(row)")
      } catch let error as FeatureError {
        #expect(error.kind == .evaluation, "seed \(seed): \(error)")
        #expect(online[0][row].status == .invalid, "seed \(seed): row \(row)")
        #expect(online[1][row].status == .invalid, "seed \(seed): row \(row)")
      }
    }
  }

  @Test func requestsGiveTheFieldsAmongTheEntities() throws {
    let generation = try OnlineHistory(seed: 3, rowCount: 50).generation(at: 30_000, yaml: Self.yaml)
    func answer(_ body: String) throws -> String {
      do {
        return String(decoding: try Array(body.utf8).withUnsafeBytes { try generation.answer(body: $0, now: 31_000) }, as: UTF8.self)
      } catch let error as OnlineError {
        return "\(error.httpStatus) \(error.text)"
      }
    }
    #expect(
      try answer(#"{"features": ["risky"], "entities": {"user_id": [99, 99], "factor": [2, "3"]}}"#)
        == #"{"metadata":{"feature_names":["user_id","risky"],"commit":"c0ffee","overlay":0},"results":["#
        + #"{"values":[99,99],"statuses":["PRESENT","PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]},"#
        + #"{"values":[null,null],"statuses":["NULL_VALUE","NULL_VALUE"],"#
        + #""event_timestamps":["1970-01-01T00:00:00Z","1970-01-01T00:00:00Z"]}]}"#)
    #expect(
      try answer(#"{"features": ["risky"], "entities": {"user_id": [1]}}"#) == "400 entities: there is no factor, which the features need")
    #expect(
      try answer(#"{"features": ["risky"], "entities": {"user_id": [1], "factor": [1, 2]}}"#)
        == "400 entities.factor: expected 1 values as in user_id, found 2")
    #expect(
      try answer(#"{"features": ["risky"], "entities": {"user_id": [1], "factor": [1.5]}}"#)
        == "422 entities.factor[0]: expected a value of type int64, found 1.5")
    #expect(try answer(#"{"features": ["risk"], "entities": {}}"#).hasPrefix("400 features: expected view:feature"))
  }
}
