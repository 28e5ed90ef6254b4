import Almanac
import Columns
import Foundation
import JSON
import Testing

/// Names that begin as those of Almanac's own columns do.
@Suite struct ReservedNameTests {
  private static func features(key: String = "sensor", view: String = "recent", feature: String = "last", more: String = "") -> String {
    """
    entities:
    - {name: sensor, keys: [{name: \(key), type: int64}]}
    feature_views:
    - {name: \(view), entity: sensor, source: readings, keys: {\(key): sensor}, features: [{name: \(feature), expr: value}]}
    \(more)
    """
  }

  static let refused: [(features: String, error: String)] = [
    (
      features(feature: "_almanac_row"),
      "features/f.yaml:4:87: feature view recent: feature _almanac_row"
    ),
    (features(feature: "_almanac"), "features/f.yaml:4:87: feature view recent: feature _almanac"),
    (features(view: "_almanac_view"), "features/f.yaml:4:3: feature view _almanac_view"),
    (features(key: "_almanac_row"), "features/f.yaml:2:3: entity sensor: key _almanac_row"),
    (
      features(more: "on_demand_features: [{name: _almanac_twice, inputs: [\"recent:last\"], expr: last * 2}]"),
      "features/f.yaml:5:22: on-demand feature _almanac_twice"
    ),
    (
      features(more: "on_demand_features: [{name: twice, request: [{name: _almanac_op, type: int64}], expr: request._almanac_op}]"),
      "features/f.yaml:5:22: on-demand feature twice: request field _almanac_op"
    ),
    (
      features(more: "feature_services: [{name: s, features: [{view: recent, as: _almanac_a}]}]"),
      "features/f.yaml:5:20: feature service s: as: _almanac_a"
    ),
    (
      features(more: "feature_services: [{name: s, features: [{view: recent, as: a, join_keys: {sensor: _almanac_batch}}]}]"),
      "features/f.yaml:5:20: feature service s: label column _almanac_batch"
    ),
    (
      features(
        more: "on_demand_features: [{name: t, inputs: [{view: recent, as: _almanac_i}], expr: _almanac_i__last}]"),
      "features/f.yaml:5:22: on-demand feature t: as: _almanac_i"
    ),
  ]

  @Test(arguments: refused) func definitionsWithSuchNamesAreRefused(features: String, error: String) throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/f.yaml", features)
    let before = try workshop.state()
    let refused = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(refused?.kind == .failed)
    #expect(refused?.description == "\(error): names do not begin with _almanac, as those of Almanac's own columns do")
    #expect(try workshop.state() == before)
  }

  /// What only resembles them is a name as any other, and so are names that become no columns.
  @Test func otherNamesAreNot() throws {
    let workshop = try Workshop.readings()
    try workshop.declare(
      "features/f.yaml",
      Self.features(view: "almanac", feature: "_Almanac_row", more: "feature_services: [{name: _almanac, features: [\"almanac:*\"]}]"))
    try workshop.apply()
  }

  // MARK: Labels

  /// A repository with training sets of two services: `s` has total, last and n of a sensor, `later` has `latest`.
  private func workshop() throws -> Workshop {
    let workshop = try Workshop.training()
    let more = """
      - {name: other, entity: sensor, source: readings, features: [{name: latest, expr: value}]}
      feature_services:
      - {name: later, features: ["other:*"]}
      - {name: s, features: ["recent:*"]}
      """
    let text = Workshop.trainingFeatures.replacingOccurrences(of: "feature_services:\n- {name: s, features: [\"recent:*\"]}", with: more)
    try workshop.declare("features/f.yaml", text)
    try workshop.apply()
    return workshop
  }

  private func train(
    _ workshop: Workshop, _ service: String, _ labels: String, save: String? = nil, out: String = "out.csv", dropMissing: Bool = false
  ) throws -> TrainingReport {
    try workshop.repository.train(
      TrainingRequest(
        service: service, labels: workshop.path(labels), output: workshop.path(out), dropMissing: dropMissing, save: save))
  }

  /// Rows of a dataset, with times as hours of 2026-02-01.
  private func rows(_ workshop: Workshop, _ dataset: String) throws -> [[Scalar]] {
    try workshop.rows(dataset).map { row in
      row.map { value in value.micros.map { .int(($0 - Workshop.february) / 3_600_000_000) } ?? value }
    }
  }

  @Test(arguments: ["csv", "jsonl", "parquet", "arrow"]) func aCheckedOutTrainingSetIsLabelsOfAnother(format: String) throws {
    let workshop = try workshop()
    try workshop.labels()
    _ = try train(workshop, "s", "labels.csv", save: "first")
    #expect(try workshop.repository.checkout("main", "first", to: workshop.path("first.\(format)")) == 5)
    _ = try train(workshop, "later", "first.\(format)", save: "second", out: "second.csv")
    #expect(
      try String(contentsOfFile: workshop.path("second.csv"), encoding: .utf8)
        == """
        _almanac_row,sensor,event_timestamp,total,last,n,latest
        0,1,2026-02-01T05:00:00.000000Z,5.5,4.0,2,4.0
        1,2,2026-02-01T20:00:00.000000Z,,8.0,0,8.0
        2,3,2026-02-01T06:00:00.000000Z,,,1,
        3,9,2026-02-01T07:00:00.000000Z,,,0,
        4,1,2026-02-01T01:00:00.000000Z,1.5,1.5,1,1.5

        """)
    #expect(try workshop.repository.checkout("main", "second", to: workshop.path("back.csv")) == 5)
    #expect(try FileBytes.of(workshop.path("back.csv")) == FileBytes.of(workshop.path("second.csv")))
    // And once more, which changes nothing.
    let tip = try workshop.repository.resolve("main")
    _ = try train(workshop, "later", "first.\(format)", save: "second", out: "third.csv")
    #expect(try workshop.repository.resolve("main") == tip)
  }

  /// Rows keep the numbers that they had, so that a comparison finds them again.
  @Test func someRowsKeepTheirNumbers() throws {
    let workshop = try workshop()
    try workshop.labels()
    _ = try train(workshop, "s", "labels.csv", save: "first")
    _ = try workshop.repository.checkout("main", "first", to: workshop.path("first.csv"), filter: "sensor < 3")
    _ = try train(workshop, "later", "first.csv", save: "second")
    #expect(
      try rows(workshop, "second") == [
        [.int(0), .int(1), .int(5), .double(5.5), .double(4), .int(2), .double(4)],
        [.int(1), .int(2), .int(20), .null, .double(8), .int(0), .double(8)],
        [.int(4), .int(1), .int(1), .double(1.5), .double(1.5), .int(1), .double(1.5)],
      ])
    // The column may stand anywhere, and rows that are dropped take their numbers with them.
    try workshop.write("moved.csv", "sensor,_almanac_row,event_timestamp\n9,7,2026-02-01T05:00:00Z\n1,8,2026-02-01T05:00:00Z\n")
    _ = try train(workshop, "later", "moved.csv", save: "third", dropMissing: true)
    #expect(try rows(workshop, "third") == [[.int(8), .int(1), .int(5), .double(4)]])
  }

  static let badNumbers: [(column: [String], what: String)] = [
    (["1", "1"], "must ascend, found 1 after 1 in row 2"), (["2", "1"], "must ascend, found 1 after 2 in row 2"),
    (["1", ""], "must have a value in every row, found null in row 2"), (["1.5", "2"], "must be int64, found float64"),
    (["a", "b"], "must be int64, found utf8"),
  ]

  @Test(arguments: badNumbers) func numbersThatAreNoneAreRefused(column: [String], what: String) throws {
    let workshop = try workshop()
    try workshop.write(
      "labels.csv", "_almanac_row,sensor,event_timestamp\n" + column.map { "\($0),1,2026-02-01T05:00:00Z\n" }.joined())
    let before = try workshop.state()
    let error = #expect(throws: AlmanacError.self) { try train(workshop, "later", "labels.csv", save: "set") }
    #expect(error?.kind == .failed)
    #expect(
      error?.description
        == "Cannot save the training set as set: label column _almanac_row, the row's number in a saved one, \(what)")
    #expect(error?.hint == "Leave the column out of the labels, then rows are numbered from 0, or sort the labels by it.")
    #expect(try workshop.state() == before)
    #expect(!FileManager.default.fileExists(atPath: workshop.path("out.csv")))
    // Where nothing is saved it is a column as any other.
    #expect(try train(workshop, "later", "labels.csv").rowCount == 2)
  }

  @Test(arguments: ["_almanac_batch", "_almanac_op", "_almanac", "_almanac_row2"]) func otherSuchLabelColumnsAreRefused(name: String) throws
  {
    let workshop = try workshop()
    try workshop.write("labels.csv", "sensor,event_timestamp,\(name)\n1,2026-02-01T05:00:00Z,7\n")
    for save in [nil, "set"] {
      let error = #expect(throws: AlmanacError.self) { try train(workshop, "s", "labels.csv", save: save) }
      #expect(error?.kind == .failed)
      #expect(
        error?.description == "Cannot train s on \(workshop.path("labels.csv")): Labels have a column \(name): names that begin with "
          + "_almanac are Almanac's own; rename the column")
    }
  }

  @Test func noTrainingSetIsSavedUnderSuchAName() throws {
    let workshop = try workshop()
    try workshop.labels()
    let error = #expect(throws: AlmanacError.self) { try train(workshop, "s", "labels.csv", save: "_almanac_set") }
    #expect(error?.kind == .usage)
    #expect(
      error?.description == "Cannot save a training set as _almanac_set: names that begin with _almanac are Almanac's own")
  }

  @Test func rowsWithSuchColumnsAreNotCommitted() throws {
    let workshop = try Workshop.readings()
    for name in ["_almanac_row", "_almanac_op", "_almanac_batch", "_almanac_ordinal"] {
      let path = try workshop.write("rows.csv", "sensor,event_timestamp,value,\(name)\n1,2026-02-01T00:00:00Z,1,1\n")
      let error = #expect(throws: AlmanacError.self) { try workshop.commit("readings", path) }
      #expect(error?.kind == .failed)
      #expect(error?.description == "\(path): Cannot use these rows for readings: column \(name) is not in the contract")
    }
  }
}
