import Columns
import Testing

@testable import Features

@Suite("Definitions: on-demand features")
struct OnDemandTests {
  private let views = """
    entities: [{name: user, keys: [{name: user_id, type: int64}], owner: risk, tags: {tier: "1"}}]
    feature_views:
    - name: v
      entity: user
      source: transactions
      features:
      - {name: total, agg: sum, of: amount, window: 7d, owner: risk, tags: {pii: "no"}}
      - {name: visits, agg: count, window: 7d}

    """

  private func file(_ onDemand: String, service: String = "") -> String {
    views + "on_demand_features:\n\(onDemand)\n" + (service.isEmpty ? "" : "feature_services: [{name: s, features: [\(service)]}]\n")
  }

  private let ratio = """
    - name: ratio
      request: [{name: amount, type: float64}]
      inputs: ["v:total"]
      expr: "request.amount / nullif(total / 7, 0)"
      description: How much more than usual.
      owner: risk
      tags: {model: fraud}
    """

  @Test func isReadStoredAndReadBack() throws {
    let set = try parsed(file(ratio, service: "\"v:*\", ratio"))
    #expect(
      set.onDemand == [
        OnDemandFeature(
          name: "ratio", request: [RequestField(name: "amount", type: .float64)], inputs: [FeatureReference(view: "v", feature: "total")],
          expression: "request.amount / nullif(total / 7, 0)", description: "How much more than usual.", owner: "risk",
          tags: ["model": "fraud"])
      ])
    #expect(set.service(named: "s")?.features.map(\.text) == ["v:total", "v:visits", "ratio"])
    #expect(set.entity(named: "user")?.owner == "risk")
    #expect(set.view(named: "v")?.features[0].tags == ["pii": "no"])
    #expect(try DefinitionSet(canonicalJSON: set.canonicalJSON) == set)
    #expect(try DefinitionSet(canonicalJSON: set.canonicalJSON).canonicalJSON == set.canonicalJSON)
  }

  @Test func aServiceLooksUpWhatItsOnDemandFeaturesRead() throws {
    let second = "- {name: twice, inputs: [ratio, v:visits], expr: ratio * visits}\n"
    let set = try parsed(file(second + ratio, service: "twice, \"v:visits\""))
    let service = try set.compile(service: "s", sources: ["transactions": transactions])
    #expect(service.results.map(\.name) == ["twice", "visits"])
    #expect(service.results.map(\.type) == [.float64, .int64])
    #expect(service.results.map(\.source) == [.onDemand(1), .lookup(0)])
    #expect(service.outputs.map(\.outputName) == ["visits", "v__total"])
    #expect(service.onDemand.map(\.feature.name) == ["ratio", "twice"])
    #expect(service.onDemand.map(\.inputs) == [[.lookup(1)], [.onDemand(0), .lookup(0)]])
    let recipe = try set.definition(ofService: "s")
    #expect(recipe["on_demand_features"]?.arrayValue?.compactMap { $0["name"]?.stringValue } == ["ratio", "twice"])
    #expect(recipe["on_demand_features"]?.arrayValue?.first?["owner"] == nil)
    #expect(recipe["feature_views"]?.arrayValue?.first?["features"]?.arrayValue?.count == 2)
  }

  @Test(arguments: [
    (
      "- {name: f, inputs: [v:total], expr: totl + 1}",
      "features/a.yaml:10:38: on-demand feature f: there is no column totl (did you mean total?)"
    ),
    (
      "- {name: f, request: [{name: amount, type: int64}], expr: request.amont}",
      "features/a.yaml:10:59: on-demand feature f: there is no column request.amont (did you mean request.amount?)"
    ),
    (
      "- {name: f, inputs: [v:totl], expr: total}",
      "features/a.yaml:10:22: on-demand feature f: feature view v has no feature totl (did you mean total?)"
    ),
    (
      "- {name: f, inputs: [g], expr: '1'}\n- {name: g, inputs: [f], expr: '1'}",
      "features/a.yaml:10:3: on-demand feature f reads itself: f → g → f"
    ),
    ("- {name: f, inputs: [v:total], expr: total, window: 7d}", "features/a.yaml:10:45: on-demand feature f: there is no key window"),
    ("- {name: f, inputs: [v:total]}", "features/a.yaml:10:3: on-demand feature f: expr is missing"),
    ("- {name: a__b, expr: '1'}", "features/a.yaml:10:3: on-demand feature a__b: the name cannot hold __"),
    (
      "- {name: f, request: [{name: x, type: 'decimal(4,2)'}], expr: '1'}",
      "features/a.yaml:10:39: on-demand feature f: request field x is decimal(4,2)"
    ),
    (
      "- {name: f, request: [{name: x, type: int8}, {name: x, type: int8}], expr: '1'}",
      "features/a.yaml:10:46: on-demand feature f: request field x is there twice"
    ),
    (
      "- {name: f, expr: '1'}\n- {name: f, expr: '2'}",
      "features/a.yaml:11:3: on-demand feature f is defined twice, first at features/a.yaml:10"
    ),
    ("- {name: f, request: [{name: x, type: string}], expr: request.x + 1}", "features/a.yaml:10:55: on-demand feature f: `+` needs"),
  ]) func refusalsNameTheirPlace(definition: String, text: String) {
    let found = refusal(file(definition))
    #expect(found.hasPrefix(text), "\(found)")
  }

  @Test func inputsOfOneNameGoByTheirFullNames() throws {
    let two = "- {name: f, inputs: [\"v:total\", {view: v, as: w, join_keys: {user_id: sender_id}, features: [total]}], expr: "
    #expect(refusal(file(two + "v__total - w__total}")) == "no error")
    #expect(refusal(file(two + "total}")).contains("there is no column total"))
    let set = try parsed(file(two + "v__total - w__total}", service: "f"))
    let service = try set.compile(service: "s", sources: ["transactions": transactions])
    #expect(service.views.map(\.labelColumns) == [["user_id"], ["sender_id"]])
  }

  @Test func misspeltOnDemandFeaturesGetASuggestion() {
    #expect(refusal(file(ratio, service: "ratoi")).contains("found 'ratoi' (did you mean ratio?)"))
    #expect(refusal("version: 2").hasSuffix("features file: expected version 1, found '2'"))
  }

  // MARK: What a change breaks

  private func effects(_ new: String, from old: String) throws -> [String] {
    let sources = ["transactions": transactions]
    return try parsed(new).effects(from: parsed(old), oldSources: sources, sources: sources).map { "\($0.object) \($0.text)" }
  }

  @Test func effectsAreWhatCallersNotice() throws {
    let old = file(ratio, service: "\"v:*\", ratio")
    #expect(try effects(old, from: old) == [])
    #expect(try effects(old.replacing("window: 7d}", with: "window: 8d}"), from: old) == [])
    #expect(try effects(views, from: old) == ["feature service s is removed"])
    #expect(try effects(old.replacing("\"v:*\"", with: "\"v:total\""), from: old) == ["feature service s loses v__visits"])
    #expect(
      try effects(old.replacing("sum, of: amount", with: "max, of: country").replacing("total / 7", with: "length(total) / 7"), from: old)
        == ["feature service s v__total: float64 → utf8"])
    #expect(
      try effects(
        old.replacing("request: [{name: amount, type: float64}]", with: "request: [{name: amount, type: int64}, {name: fee, type: int64}]"),
        from: old)
        == [
          "feature service s needs amount as int64, no longer as float64",
          "feature service s now needs fee (int64) of every row or request",
        ]
    )
  }

  @Test func onlyWhatTheRecipeSaysChangesValues() throws {
    #expect(try changed("How much more", with: "How many more") == [])
    #expect(try changed("agg: count, window: 7d", with: "agg: count, window: 8d") == [])
    #expect(try changed("of: amount, window: 7d", with: "of: amount, window: 8d") == ["s"])
    #expect(try changed("total / 7", with: "total / 8") == ["s"])
  }

  private func changed(_ a: String, with b: String) throws -> [String] {
    let old = file(ratio, service: "ratio")
    return try parsed(old.replacing(a, with: b)).servicesWithOtherValues(than: parsed(old))
  }
}
