import Columns
import Foundation
import History
import JSON
import Tables
import Testing

@testable import Almanac

/// Saved training sets: which of them have been overtaken, and how they are kept.
@Suite struct StaleTests {
  private func workshop() throws -> Workshop {
    let workshop = try Workshop.training()
    _ = try save(workshop)
    return workshop
  }

  @discardableResult private func save(_ workshop: Workshop, _ name: String = "set", ref: String? = nil) throws -> TrainingReport {
    try workshop.repository.train(
      TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("t.parquet"), ref: ref, save: name))
  }

  @Test func whatWasMadeFromTheTipIsNotStale() throws {
    let empty = try Workshop().repository.stale()
    #expect(empty.commit == nil && empty.trainingSets.isEmpty)
    let workshop = try workshop()
    let report = try workshop.repository.stale()
    #expect(report.staleCount == 0)
    #expect(report.trainingSets.map(\.name) == ["set"])
    #expect(report.trainingSets[0].madeFrom == (try workshop.repository.resolve("main~1")))
    #expect(report.trainingSets[0].savedIn == (try workshop.repository.resolve("main")))
    // A commit that changes none of its inputs.
    try workshop.declare("schemas/other.yaml", Workshop.readingsContract(name: "other"))
    try workshop.apply()
    try workshop.commit("other", workshop.readings("other.csv", [(1, 1, "1")]))
    #expect(try workshop.repository.stale().staleCount == 0)
  }

  @Test func rowsThatMovedOnAreCounted() throws {
    let workshop = try workshop()
    let saved = try workshop.repository.resolve("main")
    let old = try workshop.root("readings")
    try workshop.commit("readings", workshop.readings("late.csv", [(1, 2, "5"), (1, 3, "1"), (7, 1, "2")]), .upsert)
    try workshop.commit("readings", workshop.readings("gone.csv", [(2, 1, "8")]), .delete)
    let report = try workshop.repository.stale()
    #expect(report.staleCount == 1)
    #expect(
      report.json == [
        "commit": .string(try workshop.repository.resolve("main").description),
        "training_sets": [
          [
            "name": "set", "service": "s", "recipe": .string(report.trainingSets[0].recipe), "saved_in": .string(saved.description),
            "commit": .string(try workshop.repository.resolve("main~3").description), "stale": true, "definition": "same",
            "engine": "same",
            "datasets": [
              [
                "name": "readings", "old_root": .string(old), "new_root": .string(try workshop.root("readings")), "added": 2,
                "removed": 1, "changed": 1, "schema_changes": 0,
              ]
            ],
          ]
        ],
      ])
    #expect(try workshop.repository.stale("main~2").staleCount == 0, "at the commit that saved it")
    try save(workshop)
    #expect(try workshop.repository.stale().staleCount == 0)
  }

  /// Late rows of entities that no label names leave the values as they are.
  @Test func savedAgainWithEqualRowsItIsUpToDate() throws {
    let workshop = try workshop()
    let rows = try workshop.root("set")
    try workshop.commit("readings", workshop.readings("far.csv", [(50, 1, "2")]))
    #expect(try workshop.repository.stale().staleCount == 1)
    #expect(try save(workshop).savedCommit != nil)
    #expect(try workshop.root("set") == rows)
    #expect(try workshop.repository.stale().staleCount == 0)
    #expect(try save(workshop).savedCommit == nil, "the commit before is another, the recipe is the same")
  }

  @Test func aDefinitionThatSaysSomethingElseIsNoticed() throws {
    let workshop = try workshop()
    func definition(_ features: String, prune: Bool = false) throws -> StaleReport.Definition {
      try workshop.declare("features/f.yaml", features)
      _ = try workshop.repository.apply(plan: false, prune: prune)
      let set = try workshop.repository.stale().trainingSets[0]
      #expect(set.isStale == (set.definition != .same))
      return set.definition
    }
    #expect(try definition(Workshop.trainingFeatures.replacing("  source: readings", with: "  source: readings\n  owner: plant")) == .same)
    #expect(
      try definition(Workshop.trainingFeatures.replacing("{name: n, agg: count, window: 12h}", with: "{name: n, agg: count}")) == .changed)
    #expect(try definition(Workshop.trainingFeatures) == .same)
    #expect(try definition(Workshop.trainingFeatures.replacing("{name: s,", with: "{name: z,"), prune: true) == .gone)
  }

  /// Another root, the same rows.
  @Test func sealingMakesNothingStale() throws {
    let workshop = try Workshop.readings()
    let repository = Repository(
      folder: workshop.repository.folder, archive: workshop.repository.archive, tailPolicy: SimulatedRepository.policy)
    try workshop.declare("features/f.yaml", Workshop.trainingFeatures)
    try workshop.apply()
    func commit(_ sensors: some Sequence<Int>, _ value: String) throws {
      let file = try workshop.readings("rows.csv", sensors.map { (sensor: $0, hour: 1, value: value) })
      _ = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .upsert, message: value)
    }
    try commit(0..<64, "0")
    try commit([2, 3], "1")
    try save(workshop)
    let before = try workshop.root("readings")
    _ = try repository.seal()
    #expect(try workshop.root("readings") != before)
    #expect(try repository.stale().staleCount == 0)
    try commit([2], "2")
    let moved = try repository.stale().trainingSets[0].datasets
    #expect(moved.map { [$0.difference?.addedCount, $0.difference?.changedCount, $0.difference?.removedCount] } == [[0, 1, 0]])
  }

  @Test func aDatasetWhoseEntitiesWereTheLabelsCounts() throws {
    let workshop = try Workshop.training()
    try workshop.declare("schemas/places.yaml", Workshop.readingsContract(name: "places"))
    try workshop.apply()
    try workshop.commit("places", workshop.readings("places.csv", [(1, 0, "1"), (2, 0, "1")]))
    let grid = try EntityGrid(dataset: "places", from: "2026-02-01", to: "2026-02-02", every: "1d")
    _ = try workshop.repository.train(
      TrainingRequest(service: "s", labels: .entities(grid), output: workshop.path("t.parquet"), save: "set"))
    #expect(try workshop.repository.stale().staleCount == 0)
    try workshop.commit("places", workshop.readings("more.csv", [(3, 0, "1")]))
    #expect(try workshop.repository.stale().trainingSets[0].datasets.map(\.name) == ["places"])
  }

  /// The branch that had it is gone, and so is what it had.
  @Test func aVersionThatWasCollectedIsNotCounted() throws {
    let workshop = try Workshop.training()
    let repository = workshop.repository
    try repository.createBranch("side", at: "main")
    try workshop.commit("readings", workshop.readings("side.csv", [(1, 4, "6")]), branch: "side")
    try save(workshop, ref: "side")
    let side = try workshop.root("readings", at: "side")
    try repository.deleteRef("side", kind: .branch)
    #expect(try repository.stale().trainingSets[0].datasets.map { $0.difference?.removedCount } == [1])
    _ = try repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
    let set = try repository.stale().trainingSets[0]
    #expect(set.definition == .same)
    #expect(set.datasets.map(\.oldRoot) == [side])
    #expect(set.datasets.map(\.newRoot) == [try workshop.root("readings")])
    #expect(set.datasets[0].difference == nil)
    let error = #expect(throws: AlmanacError.self) {
      try repository.train(recipe: RecipeRequest(manifest: workshop.path("t.parquet.manifest.json")))
    }
    #expect(error?.kind == .notFound)
    #expect(error?.description.hasSuffix("is not in this repository") == true)
  }

  // MARK: Saving

  /// Rows that went through files are the same dataset, also where they replace another version.
  @Test func rowsThroughFilesAreTheSameDataset() throws {
    let workshop = try Workshop.training()
    let archive = workshop.repository.archive
    let schema = Schema([Field("sensor", .int64), Field("total", .float64), Field("at", .timestamp(.nanosecond, zone: "UTC"))])
    func part(_ rows: Range<Int>, factor: Double = 1) throws -> Batch {
      let at = Column(.timestampMicros, rows.map { .timestamp(Int64($0), .microsecond) })
      return Batch(
        schema: schema,
        columns: [
          Column(.int64, rows.map { .int(Int64($0 % 7)) }), Column(.float64, rows.map { .double(Double($0) * factor) }),
          try at.cast(to: .timestamp(.nanosecond, zone: "UTC")),
        ], rowCount: rows.count)
    }
    func saved(_ parts: [Batch], memoryByteCount: Int, onto base: TableVersion? = nil) throws -> TableContent? {
      var set = try SavedTrainingSet(
        name: "set", schema: schema, archive: archive, evolving: base?.layout, memoryByteCount: memoryByteCount)
      for (index, part) in parts.enumerated() { try set.add(part, isLast: index == parts.count - 1) }
      let rows = try set.rows()
      if case .runs = rows { #expect(memoryByteCount == 1 && parts.count > 1) } else { #expect(memoryByteCount > 1 || parts.count == 1) }
      guard case .content(let content) = try TableWriter(archive: archive, layout: set.layout).apply(.replace, rows, onto: base) else {
        return nil
      }
      return content
    }
    func root(_ content: TableContent?) throws -> RootID? {
      var draft = archive.draft()
      return content?.addRoot(to: &draft)
    }
    let parts = try [part(0..<70_000), part(70_000..<70_001), part(70_001..<150_000)]
    let inMemory = try saved(parts, memoryByteCount: SavedTrainingSet.memoryByteCount)
    let throughFiles = try saved(parts, memoryByteCount: 1)
    #expect(inMemory?.rowCount == 150_000)
    #expect(try root(inMemory) == root(throughFiles))
    #expect(try root(inMemory) == root(saved([part(0..<150_000)], memoryByteCount: 1)))
    #expect(try root(inMemory) != root(saved([part(0..<75_000), part(75_000..<150_000, factor: 2)], memoryByteCount: 1)))
  }

  @Test func refusedNamesAreRefusedBeforeAnythingIsWritten() throws {
    let workshop = try Workshop.training()
    for (name, text) in [
      ("readings", "Cannot save the training set as readings: a dataset of this name is registered already"),
      ("1st", "Cannot save a training set as 1st: a dataset's name has letters, digits and _, and starts with no digit"),
    ] {
      let error = #expect(throws: AlmanacError.self) { try save(workshop, name) }
      #expect(error?.description == text)
      #expect(!FileManager.default.fileExists(atPath: workshop.path("t.parquet")))
    }
  }
}
