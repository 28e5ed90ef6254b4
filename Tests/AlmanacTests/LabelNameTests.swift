import Almanac
import Testing

/// Features that are named as columns which labels must have.
@Suite struct LabelNameTests {
  private func workshop(_ features: String) throws -> Workshop {
    let workshop = try Workshop()
    for (dataset, key) in [("x", "k"), ("y", "j")] {
      try workshop.declare(
        "schemas/\(dataset).yaml",
        """
        apiVersion: v3.1.0
        kind: DataContract
        id: \(dataset)
        version: 1.0.0
        status: active
        schema:
        - name: \(dataset)
          properties:
          - {name: \(key), physicalType: int64, primaryKey: true}
          - {name: v, physicalType: int64}
        """)
    }
    try workshop.declare(
      "features/f.yaml", "entities: [{name: e, keys: [{name: k, type: int64}]}, {name: o, keys: [{name: j, type: int64}]}]\n" + features)
    return workshop
  }

  static let refused: [(features: String, reason: String)] = [
    (
      "feature_views: [{name: w, entity: e, source: x, features: [{name: v, expr: v}, {name: k, expr: v}]}]",
      "features/f.yaml:2:80: feature view w: feature k: k is a key of entity e, and so a column of the labels; give the feature another name"
    ),
    (
      "on_demand_features: [{name: r, request: [{name: r, type: int64}], expr: request.r}]",
      "features/f.yaml:2:22: on-demand feature r: r is request field r of on-demand feature r, and so a column of the labels; give the "
        + "feature another name"
    ),
    (
      "feature_views: [{name: w, entity: e, source: x, features: [{name: v, expr: v}]}]\n"
        + "on_demand_features: [{name: k, inputs: ['w:v'], expr: v}]",
      "features/f.yaml:3:22: on-demand feature k: k is key k of entity e, and so a column of the labels; give the feature another name"
    ),
    (
      "feature_views: [{name: w, entity: e, source: x, features: [{name: v, expr: v}]}]\n"
        + "on_demand_features: [{name: s, inputs: ['w:v'], expr: v}]\n"
        + "feature_services: [{name: t, features: [s, {view: w, as: u, join_keys: {k: s}, features: [v]}]}]",
      "features/f.yaml:4:20: feature service t: on-demand feature s: s is key k of entity e, and so a column of the labels; give the "
        + "feature another name"
    ),
  ]

  @Test(arguments: refused) func applyRefusesNamesThatLabelsHave(features: String, reason: String) throws {
    let workshop = try workshop(features)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.kind == .failed)
    #expect(error?.description == reason)
  }

  /// Full names tell these apart.
  @Test func applyWarnsOfNamesThatSomeLabelsHave() throws {
    let workshop = try workshop(
      """
      feature_views:
      - {name: w, entity: e, source: x, features: [{name: j, expr: v}, {name: event_timestamp, expr: v}]}
      - {name: z, entity: o, source: y, features: [{name: v, expr: v}]}
      feature_services:
      - {name: s, features: ["w:j", "w:event_timestamp", "z:v"]}
      - {name: alone, features: ["w:j"]}
      """)
    #expect(
      try workshop.apply().warnings == [
        "features/f.yaml:6:3: feature service s: w:j has the name of a column of the labels (key j of entity o): training sets need --full-names",
        "features/f.yaml:6:3: feature service s: w:event_timestamp has the name of a column of the labels (the labels' time): training sets "
          + "need --full-names",
      ])
    try workshop.commit("x", workshop.write("x.csv", "k,v\n1,5\n"))
    try workshop.write("l.csv", "k,w\n1,2\n")
    let request = TrainingRequest(service: "alone", labels: workshop.path("l.csv"), output: workshop.path("out.csv"))
    #expect(try workshop.train(request).rows == [[.int(1), .int(2), .int(5)]])
  }
}
