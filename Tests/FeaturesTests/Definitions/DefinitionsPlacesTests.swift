import Testing

@testable import Features

/// Every refusal of a features file names file, line and column, and what is probably meant.
@Suite("Definitions: places of errors")
struct DefinitionsPlacesTests {
  private func service(_ features: String) -> String {
    oneView("{name: feat, expr: amount}") + "\nfeature_services:\n- name: s\n  features:\n  - \(features)"
  }

  @Test(arguments: [
    (
      "{name: u, keys: [{name: k, type: float64}]}",
      "features/a.yaml:2:36: entity u: key k is float64; keys are integers, string, bool, date or timestamp"
    ),
    (
      "{name: u, keys: [{name: k, type: int65}]}",
      "features/a.yaml:2:36: entity u: key k is int65 (did you mean int64?); keys are integers, string, bool, date or timestamp"
    ),
    ("{name: u, keys: [{name: k, type: int64}, {name: k, type: string}]}", "features/a.yaml:2:44: entity u: key k is there twice"),
    ("{name: u, keys: [{name: k}]}", "features/a.yaml:2:20: entity u: key: type is missing"),
    ("{name: u, keys: [{type: int64}]}", "features/a.yaml:2:20: entity u: key: name is missing"),
    (
      "{name: u, keys: [{name: k, typ: int64, type: int64}]}",
      "features/a.yaml:2:30: entity u: key: there is no key typ (did you mean type?)"
    ),
    ("{name: u, keys: [k]}", "features/a.yaml:2:20: entity u: key: expected a map, found 'k'"),
    ("{name: u, keys: {k: int64}}", "features/a.yaml:2:19: entity u: keys needs a list, found a map"),
    ("{name: u, keys: []}", "features/a.yaml:2:3: entity u: keys is missing; for example keys: [{name: user_id, type: int64}]"),
    ("{name: u, key: [{name: k, type: int64}]}", "features/a.yaml:2:3: entity u: keys is missing; for example keys:"),
    (
      "{name: u, keys: [{name: k, type: int64}], discription: x}",
      "features/a.yaml:2:45: entity u: there is no key discription (did you mean description?)"
    ),
    ("{keys: [{name: k, type: int64}]}", "features/a.yaml:2:3: entity: name is missing"),
    (
      "{name: 1u, keys: []}", "features/a.yaml:2:10: entity: expected a name of letters, digits and _ that starts with a letter, found '1u'"
    ),
    (
      "{name: u, keys: [{name: k, type: int64}]}\n- {name: u, keys: [{name: k, type: int64}]}",
      "features/a.yaml:3:3: entity u is defined twice, first at features/a.yaml:2"
    ),
    ("{name: u, keys: [{name: k, type: int64}], tags: [a]}", "features/a.yaml:2:51: entity u: tags needs a map, found a list"),
  ]) func entities(definition: String, text: String) {
    let found = refusal("entities:\n- \(definition)")
    #expect(found.hasPrefix(text), "\(found)")
  }

  @Test(arguments: [
    ("{user_id: country}", "6:19: feature view v: key user_id of entity user is int64, but column country of transactions is utf8"),
    (
      "{user_id: shp}", "6:19: feature view v: dataset transactions has no column shp for key user_id of entity user (did you mean shop?)"
    ),
    ("{usr_id: shop}", "6:10: feature view v: entity user has no key usr_id (did you mean user_id?)"),
    ("{user_id: shop, usr_id: usr_id}", "6:25: feature view v: entity user has no key usr_id (did you mean user_id?)"),
    ("{user_id: [shop]}", "6:19: feature view v: keys.user_id needs a text, found a list"),
    ("[user_id]", "6:9: feature view v: keys needs a map, found a list"),
    ("{user_id: shop, user_id: id}", "6:10: the same key stands twice in one map: user_id"),
  ]) func keysOfViews(keys: String, text: String) {
    let found = refusal(oneView("{name: f, expr: amount}", extra: "keys: \(keys)"))
    #expect(found == "features/a.yaml:\(text)")
  }

  @Test func keysOfTwoColumnsNameTheWrongOne() {
    let yaml = """
      entities: [{name: pair, keys: [{name: a, type: int64}, {name: b, type: int64}]}]
      feature_views:
      - name: v
        entity: pair
        source: transactions
        keys:
          a: user_id
          b: shap
        features: [{name: f, expr: amount}]
      """
    #expect(
      refusal(yaml)
        == "features/a.yaml:8:8: feature view v: dataset transactions has no column shap for key b of entity pair (did you mean shop?)")
    #expect(
      refusal(yaml.replacing("    b: shap\n", with: ""))
        == "features/a.yaml:7:5: feature view v: dataset transactions has no column b for key b of entity pair; name it with keys: {b: COLUMN}"
    )
  }

  @Test(arguments: [
    ("'v:fest'", "11:5: feature service s: feature view v has no feature fest (did you mean feat?)"),
    ("'w:feat'", "11:5: feature service s: there is no feature view w"),
    (
      "feat",
      "11:5: feature service s: expected view:feature, view:* or the name of an on-demand feature, found 'feat' (did you mean v:feat?)"
    ),
    ("{view: vv, features: [feat]}", "11:12: feature service s: there is no feature view vv (did you mean v?)"),
    ("{view: v, features: [feat, fest]}", "11:32: feature service s: feature view v has no feature fest (did you mean feat?)"),
    ("{view: v, features: []}", "11:5: feature service s: features is empty; leave it out for all of the view"),
    ("{view: v, features: feat}", "11:25: feature service s: use of a view: features needs a list, found 'feat'"),
    ("{view: v, join_keys: {usr_id: x}}", "11:27: feature service s: entity user has no key usr_id (did you mean user_id?)"),
    ("{view: v, join_key: {user_id: x}}", "11:15: feature service s: use of a view: there is no key join_key (did you mean join_keys?)"),
    ("{view: v, as: a__b}", "11:19: feature service s: as cannot hold __, which joins view and feature in full names"),
    ("{view: v, as: a-b}", "11:19: feature service s: as: expected a name of letters, digits and _ that starts with a letter, found 'a-b'"),
    ("{features: [feat]}", "11:5: feature service s: use of a view: view is missing"),
    ("[v]", "11:5: feature service s: use of a view: expected a map, found a list"),
    ("'v:feat'\n  - 'v:*'", "12:5: feature service s: v__feat is there twice; give one use of the view another name with as:"),
  ]) func services(features: String, text: String) {
    #expect(refusal(service(features)) == "features/a.yaml:\(text)")
  }

  @Test func namesOfServicesAndTheirProperties() {
    let yaml = service("'v:feat'")
    #expect(
      refusal(yaml.replacing("  features:\n  - 'v", with: "  feature:\n  - 'v"))
        == "features/a.yaml:9:3: feature service s: features is missing; a service has at least one")
    #expect(
      refusal(yaml + "\n  onwer: risk") == "features/a.yaml:12:3: feature service s: there is no key onwer (did you mean owner?)")
    #expect(
      refusal(yaml + "\n- {name: s, features: ['v:feat']}")
        == "features/a.yaml:12:3: feature service s is defined twice, first at features/a.yaml:9")
    #expect(
      refusal(yaml.replacing("- name: s\n", with: "- name: s/1\n"))
        == "features/a.yaml:9:9: feature service: expected a name of letters, digits and _ (also -.) that starts with a letter, found 's/1'"
    )
  }

  @Test(arguments: [
    (
      "{name: f, request: [{name: x, type: flaot64}], expr: '1'}",
      "10:39: on-demand feature f: request field x is flaot64 (did you mean float64?)"
    ),
    ("{name: f, request: [{name: x}], expr: '1'}", "10:23: on-demand feature f: request field: type is missing"),
    ("{name: f, request: [{nam: x, type: int8}], expr: '1'}", "10:23: on-demand feature f: request field: name is missing"),
    ("{name: f, request: [x], expr: '1'}", "10:23: on-demand feature f: request field: expected a map, found 'x'"),
    ("{name: f, input: ['v:feat'], expr: '1'}", "10:13: on-demand feature f: there is no key input (did you mean inputs?)"),
    ("{name: f, inputs: ['v:feat', 'v:feat'], expr: '1'}", "10:32: on-demand feature f: v__feat is there twice"),
    (
      "{name: f, inputs: [g], expr: '1'}",
      "10:22: on-demand feature f: expected view:feature, view:* or the name of an on-demand feature, found 'g'"
    ),
    (
      "{name: f, inputs: ['v:feat'], expr: feet}",
      "10:39: on-demand feature f: there is no column feet (did you mean feat?), at column 1 of `feet`"
    ),
    ("{name: f, inputs: ['v:feat'], expr: 'feat +'}", "10:39: on-demand feature f: expected a value, found the end"),
    ("{name: f, inputs: ['v:feat'], expr: feat || 'x'}", "10:39: on-demand feature f: `||` needs a string, found float64"),
    ("{name: f, inputs: ['v:feat'], expr: roud(feat)}", "10:39: on-demand feature f: there is no function roud (did you mean round?)"),
  ]) func onDemandFeatures(definition: String, text: String) {
    let yaml = oneView("{name: feat, expr: amount}") + "\non_demand_features:\n\n- \(definition)"
    let found = refusal(yaml)
    #expect(found.hasPrefix("features/a.yaml:\(text)"), "\(found)")
  }

  @Test func propertiesOfViewsAndFeatures() {
    #expect(
      refusal(oneView("{name: f, agg: count, windw: 1d}"))
        == "features/a.yaml:7:27: feature view v: feature f: there is no key windw (did you mean window?)")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "entitty: user"))
        == "features/a.yaml:6:3: feature view v: there is no key entitty (did you mean entity?)")
    #expect(
      refusal("feature_view: []") == "features/a.yaml:1:1: features file: there is no key feature_view (did you mean feature_views?)")
    #expect(
      refusal(oneView("{name: f, agg: sum, of: amuont, window: 1d}"))
        == "features/a.yaml:7:29: feature view v: feature f, of: there is no column amuont (did you mean amount?), at column 1 of `amuont`")
    #expect(
      refusal(oneView("{name: f, expr: amount}", extra: "where: amuont > 0"))
        == "features/a.yaml:6:10: feature view v, where: there is no column amuont (did you mean amount?), at column 1 of `amuont > 0`")
  }
}
