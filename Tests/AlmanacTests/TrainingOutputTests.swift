import Almanac
import Columns
import JSON
import Testing

/// What `train` writes, beside the values themselves.
@Suite struct TrainingOutputTests {
  @Test func dropMissingLeavesOutRowsThatLackAFeature() throws {
    let workshop = try Workshop.training()
    var request = try TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("all.parquet"))
    let all = try workshop.repository.train(request)
    #expect(
      try workshop.output("all.parquet") == [
        [.int(1), .int(5), .double(5.5), .double(4), .int(2)], [.int(2), .int(20), .null, .double(8), .int(0)],
        [.int(3), .int(6), .null, .null, .int(1)], [.int(9), .int(7), .null, .null, .int(0)],
        [.int(1), .int(1), .double(1.5), .double(1.5), .int(1)],
      ])
    #expect(all.droppedRowCount == nil)
    request.output = workshop.path("some.parquet")
    request.dropMissing = true
    request.save = "saved"
    let some = try workshop.repository.train(request)
    #expect(
      try workshop.output("some.parquet") == [
        [.int(1), .int(5), .double(5.5), .double(4), .int(2)], [.int(1), .int(1), .double(1.5), .double(1.5), .int(1)],
      ])
    #expect(some.rowCount == 2)
    #expect(some.droppedRowCount == 3)
    let manifest = try workshop.manifest("some.parquet")
    #expect(manifest["output"]?["dropped"] == ["rows": 3, "nulls": ["total": 3, "last": 2, "n": 0]])
    #expect(manifest["output"]?["nulls"] == ["total": 0, "last": 0, "n": 0])
    #expect(all.recipe != some.recipe)
    #expect(all.manifest["inputs"]?["labels"] == manifest["inputs"]?["labels"])
    // Rows are numbered as they come out.
    #expect(try workshop.rows("saved").map { $0[0] } == [.int(0), .int(1)])
  }

  @Test func dropMissingMayLeaveNothing() throws {
    let workshop = try Workshop.training()
    let request = try TrainingRequest(
      service: "s", labels: workshop.labels("none.csv", [(9, 1)]), output: workshop.path("none.csv.parquet"), dropMissing: true)
    #expect(try workshop.repository.train(request).droppedRowCount == 1)
    #expect(try workshop.output("none.csv.parquet") == [])
  }

  /// Descriptions, owners and features that the service does not use are no part of what determines its values.
  @Test func recipesDoNotSeeWhatValuesDoNotDependOn() throws {
    let workshop = try Workshop.training()
    let request = try TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("t.parquet"))
    let first = try workshop.repository.train(request)
    try workshop.declare(
      "features/f.yaml",
      Workshop.trainingFeatures.replacing("  source: readings", with: "  source: readings\n  owner: plant")
        .replacing("  features:\n", with: "  features:\n  - {name: most, agg: max, of: value, description: unused}\n")
        .replacing("\"recent:*\"", with: "\"recent:total\", \"recent:last\", \"recent:n\""))
    try workshop.apply()
    #expect(try workshop.repository.features().views[0].features.count == 4)
    let second = try workshop.repository.train(request)
    #expect(second.recipe == first.recipe)
    #expect(second.manifest["commit"] != first.manifest["commit"])
  }
}
