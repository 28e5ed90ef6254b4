import Columns
import JSON
import Testing

@testable import Features

@Suite("Definitions: types, services, changes")
struct DefinitionsCompileTests {
  @Test func viewIsBoundToItsSource() throws {
    let view = try parsed(exampleYAML).compile(view: "user_spend", source: transactions)
    #expect(view.keyColumns == ["user_id"])
    #expect(view.keyTypes == [.int64])
    #expect(view.features.map(\.name) == ["last_amount", "spend_7d", "online_share_30d", "big_24h"])
    #expect(view.features.map(\.type) == [.float64, .float64, .float64, .int64])
    #expect(view.sourceColumns == ["user_id", "event_timestamp", "created", "id", "amount", "is_online"])
    #expect(view.filter?.columns == ["amount"])
    let merchant = try parsed(exampleYAML).compile(view: "merchant_volume", source: transactions)
    #expect(merchant.keyColumns == ["shop"] && merchant.keyTypes == [.int32])
    #expect(merchant.sourceColumns == ["shop", "event_timestamp", "created", "user_id", "id", "amount"])
  }

  @Test func resultTypesOfAggregates() {
    #expect(AggregateFunction.count.resultType(of: nil) == .int64)
    #expect(AggregateFunction.count.resultType(of: .binary) == .int64)
    #expect(AggregateFunction.sum.resultType(of: .int16) == .int64)
    #expect(AggregateFunction.sum.resultType(of: .float32) == .float64)
    #expect(AggregateFunction.sum.resultType(of: .string) == nil)
    #expect(AggregateFunction.sum.resultType(of: .decimal(precision: 9, scale: 2)) == .decimal(precision: 38, scale: 2))
    #expect(AggregateFunction.sum.resultType(of: .uint64) == .decimal(precision: 38, scale: 0))
    #expect(AggregateFunction.avg.resultType(of: .int64) == .float64)
    #expect(AggregateFunction.stddev.resultType(of: .bool) == nil)
    #expect(AggregateFunction.lastN(2).resultType(of: .string) == .list(Field("item", .string)))
    #expect(AggregateFunction.approxCountDistinct.resultType(of: .date) == .int64)
    #expect(AggregateFunction.approxQuantile(0.5).resultType(of: .decimal(precision: 9, scale: 2)) == .float64)
    #expect(AggregateFunction.approxQuantile(0.5).resultType(of: .string) == nil)
    #expect(AggregateFunction.max.resultType(of: .timestampMicros) == .timestampMicros)
    #expect(AggregateFunction.min.resultType(of: .string) == .string)
    #expect(AggregateFunction.min.resultType(of: nil) == nil)
  }

  @Test func typesAreCheckedAtTheirPlace() {
    #expect(
      refusal(oneView("{name: f, agg: sum, of: country, window: 1d}"))
        == "features/a.yaml:7:29: feature view v: feature f: sum needs a number, `country` is utf8"
    )
    #expect(
      refusal(oneView("{name: f, agg: count, window: 1d, where: amount}"))
        == "features/a.yaml:7:46: feature view v: feature f, where: expected a condition (bool), `amount` is float64")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "where: country > 1")).hasPrefix(
        "features/a.yaml:6:10: feature view v, where: `>` needs values of one type"))
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "keys: {user_id: country}"))
        == "features/a.yaml:6:19: feature view v: key user_id of entity user is int64, but column country of transactions is utf8")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "keys: {user_id: usr}")).hasSuffix(
        "dataset transactions has no column usr for key user_id of entity user"))
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "keys: {usr_id: shop}")).hasSuffix(
        "entity user has no key usr_id (did you mean user_id?)"))
    #expect(refusal(oneView("{name: f, agg: max, of: country, window: all}")) == "no error")
  }

  @Test func timelessSourcesHaveNeitherTtlNorWindow() {
    let timeless = SourceTable(name: "transactions", schema: transactions.schema, primaryKey: ["user_id"])
    #expect(refusal(oneView("{name: f, expr: amount}"), source: timeless) == "no error")
    #expect(refusal(oneView("{name: f, agg: count}"), source: timeless) == "no error")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "ttl: 1d"), source: timeless).hasPrefix(
        "features/a.yaml:6:8: feature view v: dataset transactions has no event time"))
    #expect(
      refusal(oneView("{name: f, agg: count, window: 1d}"), source: timeless).hasPrefix(
        "features/a.yaml:7:35: feature view v: feature f: dataset transactions has no event time"))
  }

  @Test func serviceHoldsOneUsePerViewAndAlias() throws {
    let set = try parsed(exampleYAML)
    let sources = ["transactions": transactions]
    #expect(
      throws: FeatureError(
        .definition, "Feature service fraud_v1: user_spend__spend_7d and sender__spend_7d would both be named spend_7d; use --full-names")
    ) {
      try set.compile(service: "fraud_v1", sources: sources)
    }
    let service = try set.compile(service: "fraud_v1", sources: sources, fullNames: true)
    #expect(service.views.map(\.alias) == [nil, nil, "sender"])
    #expect(service.views.map(\.labelColumns) == [["user_id"], ["merchant_id"], ["sender_id"]])
    #expect(service.views[2].view.features.map(\.name) == ["spend_7d"])
    #expect(service.outputs.map(\.outputName).last == "sender__spend_7d")
    #expect(service.outputs.map(\.view) == [0, 0, 0, 0, 1, 2])
    #expect(service.outputs.map(\.feature) == [0, 1, 2, 3, 0, 0])
    #expect(service.outputs.map(\.type) == [.float64, .float64, .float64, .int64, .float64, .float64])
    #expect(throws: FeatureError(.notFound, "There is no feature service fraud_v2 (did you mean fraud_v1?)")) {
      try set.compile(service: "fraud_v2", sources: sources)
    }
  }

  @Test func canonicalJSONRoundTripsAndIgnoresOrder() throws {
    let set = try parsed(exampleYAML)
    let bytes = set.canonicalJSON
    #expect(try DefinitionSet(canonicalJSON: bytes) == set)
    #expect(try DefinitionSet(canonicalJSON: bytes).canonicalJSON == bytes)
    let small = try parsed(oneView("{name: f, agg: count, window: 24h}", extra: "tags: {team: risk}"))
    #expect(
      String(decoding: small.canonicalJSON, as: UTF8.self)
        == #"{"entities":[{"keys":[{"name":"user_id","type":"int64"}],"name":"user"}],"feature_services":[],"feature_views":[{"entity":"user","features":[{"agg":"count","name":"f","window":"1d"}],"name":"v","source":"transactions","tags":{"team":"risk"}}],"version":1}"#
    )
    #expect(throws: FeatureError.self) { try DefinitionSet(canonicalJSON: Array("{}".utf8)) }
    #expect(throws: FeatureError.self) { try DefinitionSet(canonicalJSON: Array("{".utf8)) }
  }

  @Test func diffNamesWhatChanged() throws {
    let old = try parsed(exampleYAML)
    let new = try parsed(
      exampleYAML.replacing("ttl: 30d", with: "ttl: 1w").replacing("window: 1h}", with: "window: 2h}")
        .replacing("- {name: last_amount, expr: amount}", with: "- {name: last_country, expr: country}"))
    #expect(
      new.diff(from: old) == [
        DefinitionChange(
          kind: .changed, object: "feature view merchant_volume",
          details: ["feature volume_1h: sum of amount, window 1h → sum of amount, window 2h"]),
        DefinitionChange(
          kind: .changed, object: "feature view user_spend",
          details: ["ttl: 30d → 7d", "feature last_country: added, country", "feature last_amount: removed, was amount"]),
        DefinitionChange(
          kind: .changed, object: "feature service fraud_v1",
          details: [
            "feature user_spend__last_country: added, user_spend:last_country",
            "feature user_spend__last_amount: removed, was user_spend:last_amount",
          ]),
      ])
    #expect(old.diff(from: old).isEmpty)
    #expect(old.diff(from: DefinitionSet()).map(\.kind) == Array(repeating: .added, count: 5))
    #expect(DefinitionSet().diff(from: old).map(\.object).first == "entity merchant")
  }

  @Test func suggestionsAreNearNames() {
    #expect(Suggestion.nearest(to: "amuont", among: ["count", "amount"]) == "amount")
    #expect(Suggestion.nearest(to: "x", among: ["y"]) == nil)
    #expect(Suggestion.nearest(to: "Amount", among: ["amount"]) == "amount")
  }
}
