import Almanac
import Columns
import Tables
import Testing

/// Comparing versions, and writing what differs to a file.
@Suite struct DiffTests {
  @Test func differencesAreWrittenAsATable() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "10"), (9, 0, "9")]), .upsert, branch: "trial")
    try workshop.commit("readings", workshop.readings("b.csv", [(3, 0, "")]), .delete, branch: "trial")
    let comparison = try #require(try repository.comparisons("main", "trial").first)
    for name in ["d.parquet", "d.csv"] {
      let diff = try comparison.write(to: workshop.path(name))
      #expect([diff.addedCount, diff.removedCount, diff.changedCount] == [1, 1, 1])
    }
    let table = try TableFile(path: workshop.path("d.parquet")).readAll()
    #expect(table.schema.fields.map(\.name) == ["_op", "sensor", "event_timestamp", "before_value", "after_value"])
    let time = Scalar.timestamp(Workshop.february, .microsecond)
    #expect(
      table.rows == [
        [.string("changed"), .int(1), time, .double(1), .double(10)], [.string("removed"), .int(3), time, .double(3), .null],
        [.string("added"), .int(9), time, .null, .double(9)],
      ])
    #expect(try repository.comparisons("main", "main").isEmpty)
    #expect(try repository.comparisons("main", "main", dataset: "readings").map { try $0.run().isEmpty } == [true])
  }

  /// A dataset that one side does not have yet is all added rows.
  @Test func aNewDatasetIsAllAdded() throws {
    let workshop = try MergeTests.branched()
    let diff = try workshop.repository.diff("main~1", "main", withRows: false)
    #expect(diff.map(\.name) == ["readings"])
    #expect(diff.map(\.diff.addedCount) == [4])
    #expect(try workshop.repository.diff("main", "main~1", withRows: false).map(\.diff.removedCount) == [4])
    #expect(diff[0].diff.schemaChanges.isEmpty)
  }
}
