import Almanac
import Columns
import JSON
import Testing

/// What `train --explain` says was read.
@Suite struct TrainingExplanationTests {
  private let workshop: Workshop

  /// 200 sensors with 100 readings each in January, February and March of 2026, one every 6 hours from the month's first on.
  init() throws {
    workshop = try Workshop.readings()
    let features = """
      entities: [{name: sensor, keys: [{name: sensor, type: int64}]}]
      feature_views:
      - name: recent
        entity: sensor
        source: readings
        features: [{name: sum_7d, agg: sum, of: value, window: 7d}]
      - name: newest
        entity: sensor
        source: readings
        where: "value >= 0"
        features: [{name: last_value, expr: value}]
      feature_services:
      - {name: week, features: ["recent:*"]}
      - {name: ever, features: ["newest:*"]}
      """
    try workshop.declare("features/sensors.yaml", features)
    try workshop.apply()
    var rows: [(sensor: Int, hour: Int, value: String)] = []
    for month in [-31 * 24, 0, 28 * 24] {
      for sensor in 1...200 { for reading in 0..<100 { rows.append((sensor, month + 6 * reading, "1")) } }
    }
    _ = try workshop.commit("readings", workshop.readings("readings.csv", rows))
  }

  private func explanation(_ service: String, _ labels: String) throws -> TrainingExplanation.View {
    var request = TrainingRequest(
      service: service, labels: try workshop.write("labels.csv", labels), output: workshop.path("out.parquet"))
    request.explains = true
    let explanation = try #require(try workshop.repository.train(request).explanation)
    #expect(explanation.views.count == 1)
    return explanation.views[0]
  }

  @Test func onlyPartitionsAndPagesThatMatterAreRead() throws {
    // Row 18,900 and those behind it of 20,000: the second page of a column has them.
    let view = try explanation("week", "sensor,event_timestamp\n190,2026-02-11T00:00:00Z\n,2026-02-11T00:00:00Z\n")
    let summary = view.summary
    #expect(summary.access == .sortedLeaves)
    #expect(view.reason == "the key (sensor, event_timestamp) begins with sensor: rows lie in the order of the join")
    #expect((summary.readPartitionCount, summary.partitionCount) == (1, 3))
    #expect((summary.leafCount, summary.tailCount) == (1, 0))
    #expect((summary.labelCount, summary.labelsWithoutEntityCount, summary.entityCount) == (2, 1, 1))
    #expect(summary.lookbackMicros == 7 * CivilTime.microsPerDay)
    // Of the readings every 6 hours those in (4 February, 11 February].
    #expect((summary.selectedRowCount, summary.rowCount) == (28, 20_000))
    let columns = try #require(summary.files.first).columns
    #expect(summary.files.count == 1)
    #expect(columns.map(\.name) == ["sensor", "event_timestamp", "value"])
    #expect(columns.map(\.readPageCount) == [2, 2, 1])
    #expect(columns.map(\.pageCount) == [2, 2, 2])
    #expect((view.readPageCount, view.pageCount) == (5, 6))
    #expect(view.readByteCount > 0 && view.readByteCount < view.byteCount)
  }

  @Test func aFilterWithoutTtlLooksBackForEver() throws {
    let view = try explanation("ever", "sensor,event_timestamp\n1,2026-02-11T00:00:00Z\n")
    #expect(view.filter == "value >= 0")
    #expect(view.summary.lookbackMicros == nil)
    // Not March.
    #expect((view.summary.readPartitionCount, view.summary.partitionCount) == (2, 3))
    // 100 of January, and those up to the 11th of February.
    #expect(view.summary.selectedRowCount == 141)
  }

  @Test func aTailIsNamed() throws {
    let repository = Repository(
      folder: workshop.repository.folder, archive: workshop.repository.archive, tailPolicy: SimulatedRepository.policy)
    let late = try workshop.readings("late.csv", [(190, 239, "5")])
    _ = try repository.commit([CommitInput(dataset: "readings", path: late)], mode: .append, message: "late")
    let view = try explanation("week", "sensor,event_timestamp\n190,2026-02-11T00:00:00Z\n")
    #expect((view.summary.leafCount, view.summary.tailCount) == (1, 1))
    #expect(view.summary.files.map { $0.name.prefix(5) } == ["leaf ", "tail "])
    #expect(view.summary.selectedRowCount == 29)
  }

  @Test func nothingIsNotedUnlessAskedFor() throws {
    let labels = try workshop.write("labels.csv", "sensor,event_timestamp\n190,2026-02-11T00:00:00Z\n")
    let report = try workshop.repository.train(TrainingRequest(service: "week", labels: labels, output: workshop.path("out.parquet")))
    #expect(report.explanation == nil)
  }
}
