import Almanac
import Columns
import JSON
import Testing

/// `knowledge: created` over a repository: what is trained, what is served, and what `apply` and `features` say of it.
@Suite struct KnowledgeTests {
  private func contract(createdPosition: Int?) -> String {
    Workshop.readingsContract(
      columns: "  - {name: created, logicalType: timestamp, physicalType: 'timestamp[us,UTC]'"
        + (createdPosition.map { ", required: true, primaryKey: true, primaryKeyPosition: \($0)" } ?? "") + "}"
    ).replacing("partition: month", with: "createdTime: created, partition: month")
  }

  private static let features = """
    entities: [{name: sensor, keys: [{name: sensor, type: int64}]}]
    feature_views:
    - name: known
      entity: sensor
      source: readings
      ttl: 12h
      knowledge: created
      features:
      - {name: last, expr: value}
      - {name: total, agg: sum, of: value, window: 6h}
      - {name: rows, agg: count, window: all}
    feature_services: [{name: s, features: ["known:*"]}]
    """

  private func time(_ hour: Int) -> String { CivilTime.formatTimestampMicros(Workshop.february + Int64(hour) * 3_600_000_000) }

  /// Hours of February 1, 2026: the first row is corrected at 4, the row of hour 2 comes at 10, the one of January 31 at 5.
  private func workshop() throws -> Workshop {
    let workshop = try Workshop()
    try workshop.declare("schemas/readings.yaml", contract(createdPosition: 3))
    try workshop.declare("features/f.yaml", Self.features)
    #expect(try workshop.apply().warnings.isEmpty)
    func commit(_ name: String, _ rows: [(event: Int, created: Int, value: Double)]) throws {
      let lines = rows.map { "1,\(time($0.event)),\(time($0.created)),\($0.value)" }
      try workshop.commit(
        "readings", workshop.write(name, (["sensor,event_timestamp,created,value"] + lines).joined(separator: "\n") + "\n"))
    }
    try commit("first.csv", [(0, 0, 1), (3, 3, 4)])
    try commit("late.csv", [(0, 4, 2), (2, 10, 8), (-2, 5, 16)])
    return workshop
  }

  private let hours = [-1, 0, 1, 3, 4, 5, 6, 8, 9, 10, 15, 16]
  private let last: [Double?] = [nil, 1, 1, 4, 4, 4, 4, 4, 4, 4, 4, nil]
  /// The late row of hour 2 is known only when the window has left it.
  private let total: [Double?] = [nil, 1, 1, 5, 7, 7, 4, 4, nil, nil, nil, nil]
  private let rows: [Int64] = [0, 1, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5]

  @Test func trainingSetsKnowWhatWasCreated() throws {
    let workshop = try workshop()
    let labels = try workshop.write(
      "labels.csv", (["sensor,event_timestamp"] + hours.map { "1,\(time($0))" }).joined(separator: "\n") + "\n")
    let batch = try workshop.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("training.parquet")))
    #expect(batch["last"]!.scalars == last.map { $0.map { .double($0) } ?? .null })
    #expect(batch["total"]!.scalars == total.map { $0.map { .double($0) } ?? .null })
    #expect(batch["rows"]!.scalars == rows.map { .int($0) })
  }

  /// Law 2, from the image, whose build time is that of the newest event, and from the leaves.
  @Test func whatIsServedIsTheSame() throws {
    let workshop = try workshop()
    _ = try workshop.repository.materialize()
    for (index, hour) in hours.enumerated() {
      let json = try JSON(parsing: workshop.repository.get("s", keys: [("sensor", "1")], at: time(hour)))
      let values = try #require(json["results"]?.arrayValue).dropFirst().map { $0["values"]?.arrayValue?.first }
      #expect(
        values == [last[index].map { .double($0) } ?? .null, total[index].map { .double($0) } ?? .null, .int(rows[index])], "\(hour)")
    }
  }

  @Test func applyWarnsWhenTheCreatedTimeIsNoKey() throws {
    let workshop = try Workshop()
    try workshop.declare("schemas/readings.yaml", contract(createdPosition: nil))
    try workshop.declare("features/f.yaml", Self.features)
    let warning =
      "features/f.yaml:7:14: feature view known: knowledge: created is exact only when the created time is part of the primary key. "
      + "Column created is not in that of dataset readings, so a row that is written again hides what was known before"
    #expect(try workshop.repository.apply(plan: true).warnings == [warning])
    #expect(try workshop.apply().warnings == [warning])
    #expect(try workshop.apply().warnings == [warning])
    #expect(try workshop.repository.features().json["feature_views"]?.arrayValue?.first?["knowledge"] == "created")
  }

  @Test func applyRefusesADatasetWithoutCreatedTime() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/f.yaml", Self.features)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.kind == .failed)
    #expect(error?.description.hasPrefix("features/f.yaml:7:14: feature view known: knowledge: created needs to know when rows") == true)
  }

  /// A plan shows it, and recipes of views without it are those they were.
  @Test func plansShowTheChange() throws {
    let workshop = try workshop()
    let labels = try workshop.write("labels.csv", "sensor,event_timestamp\n1,\(time(4))\n")
    func recipe() throws -> String {
      try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.csv"))).recipe
    }
    let known = try recipe()
    try workshop.declare("features/f.yaml", Self.features.replacing("  knowledge: created\n", with: ""))
    let plan = try workshop.repository.apply(plan: true)
    #expect(plan.changes.map(\.object) == ["feature view known"])
    #expect(plan.changes.flatMap(\.details) == ["knowledge: removed, was created"])
    try workshop.apply()
    #expect(try recipe() != known)
  }
}
