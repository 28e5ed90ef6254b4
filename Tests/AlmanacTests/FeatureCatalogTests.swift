import Almanac
import Columns
import JSON
import Testing

/// What `apply --plan` foresees, what `features` lists, and training and serving by the definitions of a commit.
@Suite struct FeatureCatalogTests {
  private static func definitions(total: String = "sum, of: value", window: String = "12h", service: String = "\"recent:*\"") -> String {
    """
    entities:
    - {name: sensor, keys: [{name: sensor, type: int64}], owner: plant}
    feature_views:
    - name: recent
      entity: sensor
      source: readings
      where: "value < 100"
      features:
      - {name: total, agg: \(total), window: \(window)}
      - {name: last, expr: value}
    on_demand_features:
    - name: jump
      request: [{name: reading, type: float64}]
      inputs: ["recent:last", {view: recent, as: reference, join_keys: {sensor: other}, features: [last]}]
      expr: "(request.reading - recent__last) / nullif(reference__last, 0)"
    feature_services:
    - name: alarm
      features:
      - \(service)
      - jump
      - {view: recent, as: reference, join_keys: {sensor: other}, features: [total]}
    """
  }

  private func workshop() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.declare("features/f.yaml", Self.definitions())
    try workshop.apply()
    try workshop.commit(
      "readings",
      workshop.readings(
        "rows.csv", [(1, 0, "1.5"), (1, 2, "4"), (1, 3, "200"), (2, 1, "8"), (2, 6, "0"), (3, 4, ""), (4, 5, "2.25")]))
    return workshop
  }

  private func labels(_ workshop: Workshop) throws -> String {
    var lines = ["sensor,other,reading,event_timestamp"]
    for (sensor, other, reading, hour) in [
      ("1", "2", "10", 5), ("1", "2", "10", 6), ("2", "1", "-1.25", 20), ("3", "4", "1", 6), ("9", "1", "2", 7), ("1", "4", "", 5),
      ("", "1", "3", 5),
    ] {
      lines.append("\(sensor),\(other),\(reading),\(CivilTime.formatTimestampMicros(Workshop.february + Int64(hour) * 3_600_000_000))")
    }
    return try workshop.write("labels.csv", lines.joined(separator: "\n") + "\n")
  }

  private func request(_ workshop: Workshop, _ name: String = "training.parquet", ref: String? = nil) throws -> TrainingRequest {
    try TrainingRequest(service: "alarm", labels: labels(workshop), output: workshop.path(name), ref: ref, fullNames: true)
  }

  @Test func trainingHasAliasesAndOnDemandFeatures() throws {
    let workshop = try workshop()
    let batch = try workshop.train(request(workshop))
    #expect(
      batch.schema.fields.map(\.name) == [
        "sensor", "other", "reading", "event_timestamp", "recent__total", "recent__last", "jump", "reference__total",
      ])
    let null = Scalar.null
    #expect(batch["recent__total"]!.scalars == [.double(5.5), .double(5.5), null, null, null, .double(5.5), null])
    #expect(batch["recent__last"]!.scalars == [.double(4), .double(4), .double(0), null, null, .double(4), null])
    // 8 at hour 5, 0 at hour 6: divided by nothing.
    #expect(batch["jump"]!.scalars == [.double(0.75), null, .double(-0.3125), null, null, null, null])
    #expect(
      batch["reference__total"]!.scalars == [.double(8), .double(8), null, .double(2.25), .double(5.5), .double(2.25), .double(5.5)])
  }

  @Test func withoutFullNamesAClashSaysWhatToDo() throws {
    let workshop = try workshop()
    var request = try request(workshop)
    request.fullNames = false
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.train(request) }
    #expect(error?.kind == .failed)
    #expect(
      error?.description
        == "Feature service alarm: recent__total and reference__total would both be named total; use --full-names")
  }

  @Test func aMissingRequestColumnIsRefused() throws {
    let workshop = try workshop()
    var request = try request(workshop)
    request.labels = try .file(workshop.write("short.csv", "sensor,other,readings,event_timestamp\n1,2,3,2026-02-01T05:00:00Z\n"))
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.train(request) }
    #expect(error?.kind == .failed)
    #expect(
      error?.description.hasSuffix(
        "Labels lack column reading, which is request.reading of on-demand feature jump (did you mean readings?)")
        == true, "\(error?.description ?? "")")
  }

  /// Law 2 over a repository: images, leaves of the commit, and the training set.
  @Test func servedIsWhatIsTrained() throws {
    let workshop = try workshop()
    let batch = try workshop.train(request(workshop))
    _ = try workshop.repository.materialize()
    let service = try OnlineService(repository: workshop.repository)
    let names = ["recent__total", "recent__last", "jump", "reference__total"]
    for row in 0..<batch.rowCount {
      func member(_ name: String) -> JSON {
        switch batch[name]!.scalar(at: row) {
        case .int(let value): [.int(value)]
        case .double(let value): [.double(value)]
        default: [.null]
        }
      }
      let body: JSON = [
        "feature_service": "alarm", "full_feature_names": true,
        "at": .string(CivilTime.formatTimestampMicros(batch["event_timestamp"]!.scalar(at: row).micros!)),
        "entities": ["sensor": member("sensor"), "other": member("other"), "reading": member("reading")],
      ]
      let json = try JSON(parsing: service.answer(body))
      #expect(json["metadata"]?["feature_names"] == .array((["sensor", "other"] + names).map { .string($0) }))
      for (place, name) in names.enumerated() {
        let found = try #require(json["results"]?.arrayValue?[place + 2]["values"]?.arrayValue?.first)
        #expect(found.isSame(as: batch[name]!.scalar(at: row)), "row \(row): \(name) is \(found.text())")
      }
    }
    // The command line has texts only; short names clash.
    let clash = #expect(throws: AlmanacError.self) {
      try workshop.repository.get("alarm", keys: [("sensor", "1"), ("other", "2"), ("reading", "10")], at: "2026-02-01T05:00:00Z")
    }
    #expect(clash?.description.contains("two features would both be named total") == true)
  }

  @Test func planSaysWhatBreaks() throws {
    let workshop = try workshop()
    #expect(try workshop.repository.apply(plan: true).breaks.isEmpty)
    var saving = try request(workshop)
    saving.save = "alarm_set"
    let saved = try workshop.repository.train(saving)
    let origin = try workshop.repository.resolve("main~1")

    try workshop.declare("features/f.yaml", Self.definitions(window: "13h"))
    var plan = try workshop.repository.apply(plan: true)
    #expect(plan.changes.map(\.object) == ["feature view recent"])
    let recipe =
      "saved training set alarm_set was made with feature service alarm, which then says something else: recipe "
      + "\(saved.recipe.prefix(12)) is still made with --ref \(origin.short)"
    #expect(plan.breaks.map { "\($0.object) \($0.text)" } == [recipe])

    try workshop.declare("features/f.yaml", Self.definitions(total: "count", service: "\"recent:total\""))
    plan = try workshop.repository.apply(plan: true)
    #expect(
      plan.breaks.map { "\($0.object) \($0.text)" } == [
        "feature service alarm loses recent__last", "feature service alarm recent__total: float64 → int64",
        "feature service alarm reference__total: float64 → int64", recipe,
      ])
    #expect(plan.changes.map { "\($0.kind) \($0.object)" } == ["changed feature view recent", "changed feature service alarm"])
    #expect(try workshop.apply().breaks.isEmpty)
  }

  @Test func wildcardsAreExpandedAtApply() throws {
    let workshop = try workshop()
    try workshop.declare(
      "features/f.yaml", Self.definitions().replacing("  - {name: last,", with: "  - {name: rows, agg: count}\n  - {name: last,"))
    let plan = try workshop.repository.apply(plan: true)
    #expect(plan.breaks.isEmpty)
    #expect(plan.changes.last?.object == "feature service alarm")
    #expect(plan.changes.last?.details == ["feature recent__rows: added, recent:rows"])
  }

  @Test func trainingByARefUsesItsDefinitions() throws {
    let workshop = try workshop()
    let before = try workshop.train(request(workshop, "before.parquet"))
    let tag = try workshop.repository.resolve("main")
    try workshop.declare("features/f.yaml", Self.definitions(total: "count"))
    try workshop.apply()
    let after = try workshop.train(request(workshop, "after.parquet"))
    #expect(after["recent__total"]!.scalars.first == .int(2))
    #expect(try workshop.train(request(workshop, "again.parquet", ref: tag.description)).rows == before.rows)
    #expect(try FileBytes.of(workshop.path("again.parquet")) == FileBytes.of(workshop.path("before.parquet")))
    #expect(try workshop.repository.features(at: tag.description).views[0].features[0].summary == "sum of value, window 12h")
    #expect(try workshop.repository.features().views[0].features[0].summary == "count, window 12h")
  }

  @Test func listingHasTypesAndNeeds() throws {
    let workshop = try workshop()
    let json = try workshop.repository.features().json
    #expect(json["commit"]?.stringValue == (try workshop.repository.resolve("main").description))
    #expect(json["entities"]?.arrayValue?.first?["owner"] == "plant")
    let view = try #require(json["feature_views"]?.arrayValue?.first)
    #expect(view["timeless"] == false)
    #expect(view["features"]?.arrayValue?.map { $0["type"]?.stringValue } == ["float64", "float64"])
    #expect(json["on_demand_features"]?.arrayValue?.first?["type"] == "float64")
    let service = try #require(json["feature_services"]?.arrayValue?.first)
    #expect(
      service["needs"]?.arrayValue?.map { "\($0["name"]!.stringValue!) \($0["type"]!.stringValue!)" } == [
        "sensor int64", "other int64", "reading float64",
      ])
    #expect(
      service["features"]?.arrayValue?.map { $0["from"]!.stringValue! } == [
        "recent:total", "recent:last", "jump", "recent:total as reference, join keys sensor: other",
      ])
    let empty = try Workshop().repository.features()
    #expect(empty.commit == nil && empty.entities.isEmpty)
  }

  @Test func exportedFilesSayTheSame() throws {
    let workshop = try workshop()
    let json = try workshop.repository.features().json
    try workshop.declare("features/f.yaml", "")
    _ = try workshop.repository.exportDefinitions()
    #expect(try workshop.repository.apply(plan: true).changes.isEmpty)
    #expect(try workshop.repository.features().json["on_demand_features"] == json["on_demand_features"])
  }
}
