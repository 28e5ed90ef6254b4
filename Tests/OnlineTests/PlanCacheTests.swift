import Columns
import Features
import JSON
import Testing

@testable import Online

/// Requests for the same features share one plan: expressions are compiled when they are first asked for.
@Suite struct PlanCacheTests {
  private func generation() throws -> Generation {
    let yaml = """
      entities: [{name: user, keys: [{name: user_id, type: int64}]}]
      feature_views:
      - name: spend
        entity: user
        source: payments
        features: [{name: amount, expr: amount}, {name: payments, agg: count, window: 1h}]
      on_demand_features:
      - {name: ratio, request: [{name: price, type: float64}], inputs: ["spend:amount"], expr: "request.price / amount"}
      feature_services:
      - {name: fraud, features: ["spend:amount", ratio]}
      """
    let schema = Schema([Field("user_id", .int64), Field("event_timestamp", .timestampMicros), Field("amount", .float64)])
    let table = SourceTable(name: "payments", schema: schema, primaryKey: ["user_id", "event_timestamp"], eventTime: "event_timestamp")
    let rows = Batch(
      schema: schema,
      columns: [Column(.int64, [.int(1)]), Column(.timestampMicros, [.timestamp(0, .microsecond)]), Column(.float64, [.double(4)])],
      rowCount: 1)
    let definitions = try DefinitionSet.parse(files: [("f.yaml", yaml)])
    let view = try definitions.compile(view: "spend", source: table)
    let bytes = try GenerationBuilder.encode(view: view, events: .build(view, rows: rows), buildTimeMicros: 0)
    return Generation(commit: "abc", definitions: definitions, images: ["spend": try ViewImage(bytes: BufferSlice(copying: bytes))])
  }

  private func values(_ generation: Generation, _ body: String) throws -> [JSON?] {
    let bytes = try Array(body.utf8).withUnsafeBytes { try generation.answer(body: $0, now: 1) }
    return try #require(JSON(parsing: bytes)["results"]?.arrayValue).map { $0["values"] }
  }

  @Test func equalQuestionsCompileOnce() throws {
    let generation = try generation()
    for price in 1...20 {
      let body = #"{"entities": {"user_id": [1], "price": [\#(price)]}, "feature_service": "fraud"}"#
      #expect(try values(generation, body) == [[1], [.double(4)], [.double(Double(price) / 4)]])
    }
    #expect(generation.plans.builtCount == 1)
    // A copy has the same definitions and images.
    let copy = generation
    #expect(try values(copy, #"{"entities": {"user_id": [1], "price": [2]}, "feature_service": "fraud"}"#).count == 3)
    #expect(generation.plans.builtCount == 1)
  }

  @Test func otherQuestionsHaveTheirOwnPlans() throws {
    let generation = try generation()
    let entities = #""entities": {"user_id": [1], "price": [2]}"#
    #expect(try values(generation, "{\(entities), \"features\": [\"ratio\"]}") == [[1], [.double(0.5)]])
    #expect(try values(generation, "{\(entities), \"features\": [\"spend:amount\", \"ratio\"]}") == [[1], [.double(4)], [.double(0.5)]])
    #expect(try values(generation, "{\(entities), \"features\": [\"ratio\", \"spend:amount\"]}") == [[1], [.double(0.5)], [.double(4)]])
    #expect(try values(generation, "{\(entities), \"features\": [\"ratio\"], \"full_feature_names\": true}").count == 2)
    #expect(generation.plans.builtCount == 4)
    for _ in 0..<3 {
      let error = #expect(throws: OnlineError.self) { try values(generation, "{\(entities), \"features\": [\"nothing\"]}") }
      #expect(error?.kind == .malformed)
    }
    #expect(generation.plans.builtCount == 4, "refusals are not kept")
  }

  @Test func aFloodOfQuestionsKeepsABoundedNumber() throws {
    let cache = PlanCache()
    let generation = try generation()
    let plan = try generation.plan(service: "fraud")
    for index in 0...PlanCache.planCountMax { _ = try cache.plan(for: .features(["\(index)"], fullNames: false)) { plan } }
    #expect(cache.builtCount == PlanCache.planCountMax + 1)
    _ = try cache.plan(for: .features(["\(PlanCache.planCountMax)"], fullNames: false)) { plan }
    #expect(cache.builtCount == PlanCache.planCountMax + 1, "the newest is kept")
    _ = try cache.plan(for: .features(["0"], fullNames: false)) { plan }
    #expect(cache.builtCount == PlanCache.planCountMax + 2, "the older ones went")
  }
}
