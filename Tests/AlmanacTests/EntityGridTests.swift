import Almanac
import Columns
import JSON
import Testing

/// Labels made of the entities of a dataset and a grid of times.
@Suite struct EntityGridTests {
  private static let links = """
    apiVersion: v3.1.0
    kind: DataContract
    id: links
    version: 1.0.0
    status: active
    schema:
    - name: links
      properties:
      - {name: id, logicalType: integer, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: left, logicalType: integer, physicalType: int32}
      - {name: right, logicalType: string, physicalType: utf8}
      - {name: weight, logicalType: number, physicalType: float64}
    """

  private static let features =
    Workshop.trainingFeatures
    .replacing("feature_views:", with: "- {name: pair, keys: [{name: left, type: int64}, {name: right, type: string}]}\nfeature_views:")
    .replacing(
      "feature_services:",
      with: """
        - {name: link, entity: pair, source: links, features: [{name: weight, expr: weight}]}
        on_demand_features:
        - name: doubled
          request: [{name: factor, type: float64}]
          inputs: ["recent:last"]
          expr: "request.factor * last"
        feature_services:
        - {name: pairs, features: ["link:weight", {view: recent, join_keys: {sensor: left}, features: [last]}]}
        - {name: others, features: ["link:weight", {view: recent, join_keys: {sensor: probe}, features: [last]}]}
        - {name: asked, features: [doubled]}
        """)

  private func workshop() throws -> Workshop {
    let workshop = try Workshop.training()
    try workshop.declare("schemas/links.yaml", Self.links)
    try workshop.declare("features/f.yaml", Self.features)
    try workshop.apply()
    try workshop.commit(
      "links", workshop.write("links.csv", "id,left,right,weight\n1,2,b,0.5\n2,1,b,1\n3,1,a,2\n4,2,b,3\n5,,a,4\n6,7,,5\n7,,,6\n"))
    return workshop
  }

  private func request(
    _ workshop: Workshop, _ service: String, _ grid: EntityGrid, ref: String? = nil, at: String? = nil, dropMissing: Bool = false
  ) -> TrainingRequest {
    TrainingRequest(
      service: service, labels: .entities(grid), output: workshop.path("t.parquet"), at: at, ref: ref, dropMissing: dropMissing)
  }

  private func grid(
    _ dataset: String = "readings", from: Int = 0, to: Int = 6, every: String = "3h", keys: [(label: String, column: String)] = []
  ) throws -> EntityGrid {
    try EntityGrid(dataset: dataset, from: Workshop.time(hour: from), to: Workshop.time(hour: to), every: every, keys: keys)
  }

  private func error(_ body: () throws -> Void) -> AlmanacError? { #expect(throws: AlmanacError.self) { try body() } }

  @Test func everyEntityAtEveryTime() throws {
    let workshop = try workshop()
    let report = try workshop.repository.train(request(workshop, "s", grid()))
    let null = Scalar.null
    #expect(
      try workshop.output("t.parquet") == [
        [.int(1), .int(0), .double(1.5), .double(1.5), .int(1)], [.int(1), .int(3), .double(5.5), .double(4), .int(2)],
        [.int(1), .int(6), .double(5.5), .double(4), .int(2)], [.int(2), .int(0), null, null, .int(0)],
        [.int(2), .int(3), .double(8), .double(8), .int(1)], [.int(2), .int(6), .double(8), .double(8), .int(1)],
        [.int(3), .int(0), null, null, .int(0)], [.int(3), .int(3), null, null, .int(0)], [.int(3), .int(6), null, null, .int(1)],
      ])
    #expect(
      try TableFile(path: workshop.path("t.parquet")).schema.fields.prefix(2).map { "\($0.name) \($0.type)" } == [
        "sensor int64", "event_timestamp timestamp[us,UTC]",
      ])
    let root = try workshop.root("readings")
    #expect(
      report.manifest["labels"] == [
        "entities_from": "readings", "root": .string(root), "keys": ["sensor": "sensor"], "from": "2026-02-01T00:00:00.000000Z",
        "to": "2026-02-01T06:00:00.000000Z", "every": "3h", "entities": 3, "rows": 9,
      ])
  }

  @Test func theLastTimeIsIncludedWhenAStepFallsOnIt() throws {
    let workshop = try workshop()
    func hours(_ to: Int, _ every: String) throws -> [Scalar] {
      _ = try workshop.repository.train(request(workshop, "s", grid(from: 1, to: to, every: every)))
      return try workshop.output("t.parquet").filter { $0[0] == .int(3) }.map { $0[1] }
    }
    #expect(try hours(7, "3h") == [.int(1), .int(4), .int(7)])
    #expect(try hours(6, "3h") == [.int(1), .int(4)])
    #expect(try hours(1, "3h") == [.int(1)])
    #expect(try hours(25, "1d") == [.int(1), .int(25)])
  }

  /// The recipe is that of a label file with the same rows.
  @Test func madeLabelsAreLabels() throws {
    let workshop = try workshop()
    let made = try workshop.repository.train(request(workshop, "s", grid()))
    let labels = try TableFile(path: workshop.path("t.parquet"), columns: ["sensor", "event_timestamp"]).readAll()
    let read = try workshop.repository.train(
      TrainingRequest(service: "s", labels: workshop.write("labels.parquet", labels), output: workshop.path("u.parquet")))
    #expect(made.recipe == read.recipe)
    #expect(made.manifest["output"] == read.manifest["output"])
    #expect(try FileBytes.of(workshop.path("t.parquet")) == FileBytes.of(workshop.path("u.parquet")))
    // And it is made again from the manifest, though the dataset has another entity since.
    try workshop.commit("readings", workshop.readings("more.csv", [(4, 0, "1")]))
    let again = RecipeRequest(manifest: workshop.path("t.parquet.manifest.json"), output: workshop.path("v.parquet"))
    #expect(try workshop.repository.train(recipe: again).recipe == made.recipe)
    #expect(try FileBytes.of(workshop.path("v.parquet")) == FileBytes.of(workshop.path("t.parquet")))
    #expect(try workshop.repository.train(request(workshop, "s", grid())).rowCount == 12)
  }

  @Test func compositeKeysAreDistinctAndInOrder() throws {
    let workshop = try workshop()
    _ = try workshop.repository.train(request(workshop, "pairs", grid("links", from: 2, to: 2)))
    #expect(
      try workshop.output("t.parquet") == [
        [.int(1), .string("a"), .int(2), .double(2), .double(4)], [.int(1), .string("b"), .int(2), .double(1), .double(4)],
        [.int(2), .string("b"), .int(2), .double(3), .double(8)],
      ])
    #expect(try TableFile(path: workshop.path("t.parquet")).schema["left"]?.type == .int64)
  }

  @Test func renamedKeysTakeTheColumnNamed() throws {
    let workshop = try workshop()
    let named = try grid("links", from: 2, to: 2, keys: [("probe", "id")])
    _ = try workshop.repository.train(request(workshop, "others", named))
    #expect(
      try workshop.output("t.parquet").map { Array($0[0...2]) } == [
        [.int(1), .string("a"), .int(3)], [.int(1), .string("b"), .int(2)], [.int(2), .string("b"), .int(1)],
        [.int(2), .string("b"), .int(4)],
      ])
    #expect(try workshop.manifest("t.parquet")["labels"]?["keys"] == ["left": "left", "right": "right", "probe": "id"])
    // Without --key the column named as the entity's key would do; links has none.
    let missing = error { _ = try workshop.repository.train(request(workshop, "others", try grid("links"))) }
    #expect(missing?.kind == .failed)
    #expect(
      missing?.description
        == "Cannot make labels for others of the entities of links: the dataset has no column probe or sensor for label column probe")
    #expect(missing?.hint == "Name the column with --key probe=COLUMN. Its columns: id, left, right, weight.")
  }

  @Test func refusalsNameWhatIsWrong() throws {
    let workshop = try workshop()
    func refusal(_ service: String, _ grid: EntityGrid) -> AlmanacError? {
      error { _ = try workshop.repository.train(request(workshop, service, grid)) }
    }
    let asked = try refusal("asked", grid())
    #expect(asked?.kind == .failed)
    #expect(
      asked?.description == "Cannot make labels for asked of the entities of readings: on-demand feature doubled needs request.factor, "
        + "which only a label file can give")
    let unknown = try refusal("s", grid("nothing"))
    #expect(unknown?.kind == .notFound)
    #expect(unknown?.description == "There is no dataset nothing at that commit")
    let column = try refusal("s", grid(keys: [("sensor", "nothing")]))
    #expect(
      column?.description
        == "Cannot make labels for s of the entities of readings: the dataset has no column nothing for label column sensor")
    let label = try refusal("s", grid(keys: [("probe", "sensor")]))
    #expect(label?.description == "Cannot make labels for s of the entities of readings: the service needs no label column probe")
    let values = try refusal("s", grid("links", keys: [("sensor", "right")]))
    #expect(values?.kind == .failed)
    #expect(values?.description.contains("Cannot use column right as label column sensor: ") == true)
    #expect(
      error { _ = try grid(from: 6, to: 0) }?.description
        == "Cannot make labels from 2026-02-01T06:00:00.000000Z to 2026-02-01T00:00:00.000000Z: they end before they start")
    #expect(error { _ = try grid(every: "0") }?.kind == .usage)
    #expect(error { _ = try grid(every: "1y") }?.kind == .usage)
    #expect(error { _ = try EntityGrid(dataset: "d", from: "2026-02-01T00:00:00", to: "2026-02-02", every: "1d") }?.kind == .usage)
    #expect(
      try EntityGrid(dataset: "d", from: "2026-02-01", to: "2026-02-02", every: "1d").times == Workshop.february...Workshop.february
        + CivilTime.microsPerDay)
  }

  @Test func entitiesAreThoseOfTheCommit() throws {
    let workshop = try workshop()
    let before = try workshop.repository.archive.reflog("main").last!.timeMicros
    try workshop.commit("readings", workshop.readings("more.csv", [(4, 0, "1")]))
    func entities(ref: String? = nil, at: String? = nil) throws -> [Scalar] {
      _ = try workshop.repository.train(request(workshop, "s", grid(to: 0), ref: ref, at: at))
      return try workshop.output("t.parquet").map { $0[0] }
    }
    #expect(try entities() == [.int(1), .int(2), .int(3), .int(4)])
    #expect(try entities(ref: "main~1") == [.int(1), .int(2), .int(3)])
    #expect(try entities(at: CivilTime.formatTimestampMicros(before)) == [.int(1), .int(2), .int(3)])
    // Registered, but without rows.
    let error = error { _ = try workshop.repository.train(request(workshop, "pairs", grid("links"), ref: "main~2")) }
    #expect(error?.kind == .failed)
    #expect(
      error?.description == "Cannot make labels for pairs of the entities of links: the dataset has no entity at that commit")
  }

  @Test func dropMissingLeavesEntitiesOutBeforeTheyAppear() throws {
    let workshop = try workshop()
    let report = try workshop.repository.train(request(workshop, "s", grid(), dropMissing: true))
    #expect(report.droppedRowCount == 4)
    #expect(
      try workshop.output("t.parquet").map { Array($0[0...1]) } == [
        [.int(1), .int(0)], [.int(1), .int(3)], [.int(1), .int(6)], [.int(2), .int(3)], [.int(2), .int(6)],
      ])
  }
}
