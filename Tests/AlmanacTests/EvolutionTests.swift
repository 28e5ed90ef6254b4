import Almanac
import Columns
import Testing

/// A contract that changes after rows were committed.
@Suite struct EvolutionTests {
  private let note = "  - {name: note, logicalType: string, physicalType: utf8}"

  private func withRows() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1"), (2, 0, "2"), (1, 24 * 40, "3")]))
    return workshop
  }

  @Test func aNewNullableColumnIsNullInOldRows() throws {
    let workshop = try withRows()
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract(columns: note))
    #expect(try workshop.apply().changes.flatMap(\.details) == ["+ column note: utf8"])
    #expect(try workshop.rows("readings").map(\.count) == [3, 3, 3], "no rows have been committed since")
    let text = "sensor,event_timestamp,value,note\n3,2026-02-01T00:00:00Z,4,new\n"
    let report = try workshop.commit("readings", workshop.write("2.csv", text))
    #expect(report.datasets.map { [$0.addedCount, $0.changedCount, $0.rowCount] } == [[1, 0, 4]])
    let rows = try workshop.rows("readings")
    #expect(rows.map { $0[3] } == [.null, .null, .string("new"), .null])
    #expect(rows.map { $0[2] } == [.double(1), .double(2), .double(4), .double(3)])
    // Versions from before keep their columns.
    #expect(try workshop.rows("readings", at: "main~1").map(\.count) == [3, 3, 3])
    let diff = try workshop.repository.diff("main~1", "main", dataset: "readings", withRows: true)
    #expect(diff.map { [$0.diff.addedCount, $0.diff.changedCount, $0.diff.removedCount] } == [[1, 0, 0]])
    // The file of a checkout has the column; old files without it are still accepted.
    #expect(try workshop.repository.checkout("main", "readings", to: workshop.path("out.csv"), columns: ["note"]) == 4)
    let old = try workshop.commit("readings", workshop.readings("3.csv", [(4, 0, "5")]))
    #expect(old.datasets.first?.rowCount == 5)
  }

  /// Features over a column that no committed row has yet are null, offline and online alike.
  @Test func featuresReadANewColumnBeforeItsFirstRow() throws {
    let workshop = try withRows()
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract(columns: note))
    try workshop.declare(
      "features/notes.yaml",
      """
      entities:
      - {name: sensor, keys: [{name: sensor, type: int64}]}
      feature_views:
      - name: notes
        entity: sensor
        source: readings
        features:
        - {name: last_note, expr: note}
        - {name: last_value, expr: value}
      feature_services:
      - {name: notes_v1, features: ["notes:*"]}
      """)
    try workshop.apply()
    let labels = try workshop.write("labels.csv", "sensor,event_timestamp\n1,2026-02-05T00:00:00Z\n2,2026-02-05T00:00:00Z\n")
    let training = try workshop.train(TrainingRequest(service: "notes_v1", labels: labels, output: workshop.path("t.parquet")))
    #expect(training["last_note"]?.scalars == [.null, .null])
    #expect(training["last_value"]?.scalars == [.double(1), .double(2)])
  }

  @Test(arguments: [
    (
      Workshop.readingsContract(value: "float32"),
      "Cannot change dataset readings, which has committed rows: column value is float64, the contract says float32"
    ),
    (
      Workshop.readingsContract(columns: "  - {name: unit, logicalType: string, physicalType: utf8, required: true}"),
      "Cannot change dataset readings, which has committed rows: new column unit is required, but committed rows have no value for "
        + "it; make it nullable"
    ),
    (
      Workshop.readingsContract().replacingValue("name: value,", "name: level,"),
      "Cannot change dataset readings, which has committed rows: column value is missing in the contract; dropping and renaming "
        + "columns is not supported yet"
    ),
    (
      Workshop.readingsContract().replacingValue("partition: month", "partition: day"),
      "Cannot change dataset readings, which has committed rows: it is partitioned by month, the contract says day"
    ),
    (
      Workshop.readingsContract().replacingValue("physicalType: float64,", "physicalType: float64, required: true,"),
      "Cannot change dataset readings, which has committed rows: column value has been nullable and cannot become required"
    ),
  ]) func otherChangesAreRefused(contract: String, text: String) throws {
    let workshop = try withRows()
    let before = try workshop.state()
    try workshop.declare("schemas/readings.yaml", contract)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.kind == .failed)
    #expect(error?.description == text)
    #expect(try workshop.state() == before)
  }
}

extension String {
  /// - Precondition: the text occurs.
  func replacingValue(_ old: String, _ new: String) -> String {
    precondition(contains(old))
    return split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
