import Columns
import Testing

@testable import Features

@Suite("Definitions: files")
struct DefinitionsParsingTests {
  @Test func readsTheExample() throws {
    let set = try parsed(exampleYAML)
    #expect(
      set.entities == [
        Entity(name: "merchant", keys: [EntityKey(name: "merchant_id", type: .int64)]),
        Entity(name: "user", keys: [EntityKey(name: "user_id", type: .int64)]),
      ])
    let view = try #require(set.view(named: "user_spend"))
    #expect(view.ttlMicros == 2_592_000_000_000)
    #expect(view.filter == "amount > 0")
    #expect(
      view.features == [
        FeatureDefinition(name: "last_amount", kind: .expression("amount")),
        FeatureDefinition(name: "spend_7d", kind: .aggregate(.sum, of: "amount", window: .micros(604_800_000_000), filter: nil)),
        FeatureDefinition(
          name: "online_share_30d",
          kind: .aggregate(.avg, of: "case when is_online then 1 else 0 end", window: .micros(2_592_000_000_000), filter: nil)),
        FeatureDefinition(name: "big_24h", kind: .aggregate(.count, of: nil, window: .micros(86_400_000_000), filter: "amount > 100")),
      ])
    #expect(set.view(named: "merchant_volume")?.keys == ["merchant_id": "shop"])
  }

  @Test func servicesAreStoredExpanded() throws {
    let service = try #require(try parsed(exampleYAML).service(named: "fraud_v1"))
    #expect(
      service.features.map(\.fullName) == [
        "user_spend__last_amount", "user_spend__spend_7d", "user_spend__online_share_30d", "user_spend__big_24h",
        "merchant_volume__volume_1h", "sender__spend_7d",
      ])
    #expect(
      service.features.last
        == FeatureReference(view: "user_spend", feature: "spend_7d", alias: "sender", joinKeys: ["user_id": "sender_id"]))
  }

  @Test func filesMayNameEachOtherInAnyOrder() throws {
    let whole = try parsed(exampleYAML)
    let cut = try #require(exampleYAML.firstRange(of: "feature_services:"))
    let front = String(exampleYAML[..<cut.lowerBound])
    let back = String(exampleYAML[cut.lowerBound...])
    #expect(try DefinitionSet.parse(files: [(name: "z.yaml", yaml: back), (name: "a.yaml", yaml: front)]) == whole)
  }

  @Test func emptyFilesAndCommentsDefineNothing() throws {
    #expect(try parsed("").isEmpty)
    #expect(try parsed("# only a comment\n\n# [another one\n").isEmpty)
    #expect(try parsed("entities:\nfeature_views:\n").isEmpty)
  }

  @Test func durationsAreIntegersWithAUnit() {
    #expect(DurationText.micros(parsing: "250ms") == 250_000)
    #expect(DurationText.micros(parsing: "90s") == 90_000_000)
    #expect(DurationText.micros(parsing: "2w") == 1_209_600_000_000)
    for text in ["0", "0d", "7", "d", "-1d", "1.5h", "1 d", "7D", "1y", "99999999999999999999d", "9223372036854775807w", "٣d"] {
      #expect(DurationText.micros(parsing: text) == nil, "\(text)")
    }
    #expect(DurationText.text(ofMicros: 604_800_000_000) == "7d")
    #expect(DurationText.text(ofMicros: 5_400_000_000) == "90m")
  }

  @Test func refusalsNameFileLineAndColumn() {
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "ttl: 0"))
        == "features/a.yaml:6:8: feature view v: ttl needs \(DurationText.expected), found '0'")
    #expect(
      refusal(oneView("{name: f, exp: amount}"))
        == "features/a.yaml:7:5: feature view v: feature f: expected either expr or agg, found neither")
    #expect(refusal(oneView("{name: f, expr: amount, desc: x}")) == "features/a.yaml:7:29: feature view v: feature f: there is no key desc")
    #expect(
      refusal(oneView("{name: f, expr: amount, descripton: x}"))
        == "features/a.yaml:7:29: feature view v: feature f: there is no key descripton (did you mean description?)")
    #expect(refusal("entitys: []") == "features/a.yaml:1:1: features file: there is no key entitys (did you mean entities?)")
    #expect(refusal("entities: [").hasPrefix("features/a.yaml:"))
    #expect(refusal("- a") == "features/a.yaml:1:1: features file: expected a map, found a list")
    #expect(
      refusal(oneView("{name: f, expr: amount}\n  - {name: f, expr: count}"))
        == "features/a.yaml:8:5: feature view v: feature f is defined twice, first at features/a.yaml:7")
    #expect(refusal("entities: [{name: a, name: b}]").contains("the same key stands twice"))
  }

  @Test func unknownNamesComeWithSuggestions() {
    let entities = "entities: [{name: user, keys: [{name: user_id, type: int64}]}]\n"
    #expect(
      refusal(oneView("{name: f, expr: amount}").replacing("entity: user", with: "entity: usr"))
        == "features/a.yaml:4:11: feature view v: there is no entity usr (did you mean user?)")
    #expect(
      refusal(oneView("{name: f, expr: amount}").replacing("source: transactions", with: "source: transaction"))
        == "features/a.yaml:5:11: feature view v: there is no dataset transaction (did you mean transactions?)")
    #expect(
      refusal(oneView("{name: f, expr: amont}"))
        == "features/a.yaml:7:21: feature view v: feature f: there is no column amont (did you mean amount?), at column 1 of `amont`")
    let service = "\nfeature_services: [{name: s, features: ["
    #expect(refusal(oneView("{name: f, expr: amount}") + service + "'w:f']}]").hasSuffix("feature service s: there is no feature view w"))
    #expect(
      refusal(oneView("{name: feat, expr: amount}") + service + "'v:fest']}]").hasSuffix(
        "feature service s: feature view v has no feature fest (did you mean feat?)"))
    #expect(refusal(oneView("{name: feat, expr: amount}") + service + "feat]}]").contains("(did you mean v:feat?)"))
    #expect(
      refusal(oneView("{name: f, expr: amount}") + service + "{view: v, join_keys: {usr_id: x}}]}]").contains(
        "entity user has no key usr_id (did you mean user_id?)"))
    #expect(refusal(entities + "feature_services: [{name: s, features: []}]").contains("features is missing"))
  }

  @Test func aggregatesAndTheirNumbersBelongTogether() throws {
    #expect(
      refusal(oneView("{name: f, agg: summ, of: amount, window: 1d}")).hasSuffix(
        "there is no agg summ (did you mean sum?); there are count, sum, avg, min, max, stddev, first, last, last_n, "
          + "approx_count_distinct, approx_quantile"))
    #expect(
      refusal(oneView("{name: f, agg: last_n, of: amount, n: 0}"))
        == "features/a.yaml:7:43: feature view v: feature f: last_n needs n, an integer from 1 to 1000, found '0'")
    #expect(refusal(oneView("{name: f, agg: last_n, of: amount}")).hasSuffix("last_n needs n, an integer from 1 to 1000"))
    #expect(refusal(oneView("{name: f, agg: approx_quantile, of: amount, q: 1.5}")).hasSuffix("needs q, a number from 0 to 1, found '1.5'"))
    #expect(refusal(oneView("{name: f, agg: approx_quantile, of: amount, q: nan}")).hasSuffix("needs q, a number from 0 to 1, found 'nan'"))
    #expect(refusal(oneView("{name: f, agg: sum, of: amount, n: 3}")).hasSuffix("n belongs to last_n, not to sum"))
    #expect(refusal(oneView("{name: f, expr: amount, q: 0.5}")).hasSuffix("q belongs to agg, not to expr"))
    #expect(
      refusal(oneView("{name: f, agg: sum, of: amount, resolution: 1h}")).hasSuffix("resolution needs a window with a beginning, found all")
    )
    #expect(refusal(oneView("{name: f, agg: sum, of: amount, window: 1d, resolution: 0h}")).contains("resolution needs an integer above 0"))
    let set = try DefinitionSet.parse(files: [
      (
        "a.yaml",
        oneView(
          "{name: f, agg: last_n, n: 7, of: amount, window: 1d, resolution: 1h}\n  - {name: g, agg: approx_quantile, q: 0.25, of: amount}"
            + "\n  - {name: h, agg: approx_quantile, q: 1, of: amount}")
      )
    ])
    let features = try #require(set.view(named: "v")?.features)
    #expect(
      features.map(\.kind) == [
        .aggregate(.lastN(7), of: "amount", window: .coarse(86_400_000_000, resolution: 3_600_000_000), filter: nil),
        .aggregate(.approxQuantile(0.25), of: "amount", window: .all, filter: nil),
        .aggregate(.approxQuantile(1), of: "amount", window: .all, filter: nil),
      ])
    #expect(
      features.map(\.summary).prefix(2) == [
        "last_n (n 7) of amount, window 1d, resolution 1h", "approx_quantile (q 0.25) of amount, window all",
      ])
    #expect(try DefinitionSet(canonicalJSON: set.canonicalJSON).views == set.views)
  }

  @Test func contradictionsAreRefused() {
    #expect(refusal(oneView("{name: f, expr: amount, agg: sum}")).hasSuffix("expected either expr or agg, found both"))
    #expect(refusal(oneView("{name: f, expr: amount, window: 1d}")).hasSuffix("window belongs to agg, not to expr"))
    #expect(refusal(oneView("{name: f, agg: sum, window: 1d}")).hasSuffix("of is missing; sum aggregates the values of an expression"))
    #expect(refusal(oneView("{name: 1f, expr: amount}")).contains("expected a name of letters, digits and _"))
    #expect(refusal(oneView("{name: f, expr: amount}").replacing("name: v", with: "name: a__b")).contains("cannot hold __"))
    #expect(
      refusal("entities: [{name: u, keys: [{name: k, type: float64}]}]").hasSuffix(
        "entity u: key k is float64; keys are integers, string, bool, date or timestamp"))
    #expect(refusal("entities: [{name: u}]").contains("keys is missing"))
  }

  @Test func hostileFilesAreRefused() {
    let deep = 200_000
    #expect(refusal(String(repeating: "[", count: deep)).contains("nests deeper than 256 levels"))
    #expect(refusal(String(repeating: "{a: ", count: deep)).contains("nests deeper than 256 levels"))
    #expect(refusal(String(repeating: "- ", count: deep)).contains("nests deeper than 256 levels"))
    #expect(refusal(String(repeating: "? ", count: deep)).contains("nests deeper than 256 levels"))
    let bomb = (1..<30).reduce("a0: &a0 [x, x]\n") { text, level in
      text + "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", "))]\n"
    }
    #expect(refusal(bomb).contains("the file is too large or too deep") || refusal(bomb).contains("there is no key a0"))
    #expect(refusal("entities: \"\u{1}\"") != "no error")
  }
}
