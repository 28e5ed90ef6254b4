import Almanac
import Foundation
import Testing

/// Registering what the folders schemas/ and features/ declare.
@Suite struct ApplyTests {
  private func features(spend: String = "7d", extra: String = "") -> String {
    """
    entities:
    - {name: sensor, keys: [{name: sensor, type: int64}]}
    feature_views:
    - name: recent
      entity: sensor
      source: readings
      features:
      - {name: total, agg: sum, of: value, window: \(spend)}
    \(extra)
    """
  }

  private let second = """
    - name: latest
      entity: sensor
      source: readings
      features:
      - {name: value_now, expr: value}
    """

  private func objects(_ report: ApplyReport) -> [String] { report.changes.map { "\($0.kind) \($0.object)" } }

  @Test func theExamplesOfInitRegisterNothing() throws {
    let workshop = try Workshop()
    let report = try workshop.apply()
    #expect(report.changes.isEmpty)
    #expect(report.commit == nil)
    #expect(try workshop.state() == [])
  }

  @Test func aPlanChangesNothing() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/recent.yaml", features())
    let before = try workshop.state()
    let plan = try workshop.repository.apply(plan: true)
    #expect(objects(plan) == ["added entity sensor", "added feature view recent"])
    #expect(plan.commit == nil)
    #expect(try workshop.state() == before)
    let report = try workshop.apply()
    #expect(objects(report) == objects(plan))
    #expect(try workshop.repository.resolve("main") == report.commit)
    #expect(try workshop.repository.apply(plan: true).changes.isEmpty)
    #expect(try workshop.apply().commit == nil)
  }

  @Test func onlyPruneDeletes() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/recent.yaml", features(extra: second))
    try workshop.apply()
    try workshop.declare("features/recent.yaml", features())
    #expect(try workshop.apply().changes.isEmpty)
    let pruned = try workshop.repository.apply(plan: false, prune: true)
    #expect(objects(pruned) == ["removed feature view latest"])
    #expect(try workshop.repository.definitions(at: workshop.repository.resolve("main")).features.views.map(\.name) == ["recent"])
    #expect(try workshop.repository.definitions(at: workshop.repository.resolve("main~1")).features.views.count == 2)
  }

  /// What the branch took back stays so, and apply says that it is not what the files say.
  @Test func aRevertedDefinitionIsKeptAndNamed() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/features.yaml", features(spend: "7d"))
    #expect(try workshop.apply().kept == [])
    try workshop.declare("features/features.yaml", features(spend: "8d"))
    #expect(try workshop.apply().kept == [])
    _ = try workshop.repository.revert("HEAD")
    for plan in [true, false] {
      let report = try workshop.repository.apply(plan: plan)
      #expect(report.changes.isEmpty)
      #expect(report.kept == ["features.feature_views recent"])
    }
    _ = try workshop.repository.exportDefinitions()
    #expect(try workshop.apply().kept == [])
  }

  /// Two folders that register on one branch: this one's memory of its last apply is put back, as the other folder has its own.
  private func asAnotherFolder(_ workshop: Workshop, _ body: () throws -> Void) throws {
    let memory = "\(workshop.repository.folder)/.almanac/applied.json"
    let mine = try FileBytes.of(memory)
    try body()
    try mine.write(to: URL(fileURLWithPath: memory))
  }

  @Test func whatBothSidesChangedIsAConflict() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/recent.yaml", features(spend: "7d"))
    try workshop.apply()
    try asAnotherFolder(workshop) {
      try workshop.declare("features/recent.yaml", features(spend: "8d"))
      try workshop.apply()
    }
    let before = try workshop.state()
    try workshop.declare("features/recent.yaml", features(spend: "9d"))
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.kind == .failed)
    #expect(
      error?.description
        == "Cannot apply: changed both in this folder and on the branch since the last apply: features.feature_views recent")
    #expect(try workshop.state() == before)
    // The same change on both sides is none.
    try workshop.declare("features/recent.yaml", features(spend: "8d"))
    #expect(try workshop.apply().changes.isEmpty)
  }

  /// What another folder changed stays, also after this folder applies a change of its own.
  @Test func changesOfOthersAreKept() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("features/recent.yaml", features(spend: "7d"))
    try workshop.apply()
    try asAnotherFolder(workshop) {
      try workshop.declare("features/recent.yaml", features(spend: "8d"))
      try workshop.apply()
    }
    try workshop.declare("features/recent.yaml", features(spend: "7d", extra: second))
    #expect(objects(try workshop.apply()) == ["added feature view latest"])
    #expect(try workshop.apply().changes.isEmpty, "an unchanged folder takes nothing back")
    try workshop.declare("features/recent.yaml", features(spend: "7d"))
    #expect(try workshop.apply().changes.isEmpty)
  }

  @Test(arguments: [
    ("schemas/readings.yaml", "apiVersion: v3.1.0\nkind: DataContract\nschema:\n- nam: x\n", "schemas/readings.yaml:4"),
    ("schemas/readings.yaml", "apiVersion: [v3\n", "schemas/readings.yaml:"),
    ("features/a.yaml", "entities:\n- {name: sensor, keys: [{name: sensor, type: int64}], colour: red}\n", "features/a.yaml:2"),
    (
      "features/a.yaml",
      "entities:\n- {name: sensor, keys: [{name: sensor, type: int64}]}\nfeature_views:\n- name: v\n  entity: sensor\n  source: readings\n"
        + "  features:\n  - {name: total, expr: valu + 1}\n", "features/a.yaml:8"
    ),
    (
      "features/a.yaml",
      "entities:\n- {name: sensor, keys: [{name: sensor, type: int64}]}\nfeature_views:\n- name: v\n  entity: sensor\n  source: rides\n"
        + "  features:\n  - {name: total, expr: value}\n", "features/a.yaml:"
    ),
  ]) func errorsNameFileAndLine(file: String, text: String, place: String) throws {
    let workshop = try Workshop.readings()
    let before = try workshop.state()
    try workshop.declare(file, text)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.description.contains(place) == true, "\(error?.description ?? "")")
    #expect(try workshop.state() == before)
  }

  @Test func aDatasetDeclaredTwiceNamesBothFiles() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("schemas/other.yaml", Workshop.readingsContract())
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.description == "Dataset readings is declared twice: in schemas/other.yaml and in schemas/readings.yaml")
  }

  @Test(arguments: ["{\"branches\": {\"main\": {\"contracts\": {\"events\": 7}}}}", "{\"branches\": 7}", "[]", "{", ""])
  func aDamagedNoteOfWhatWasAppliedIsNamedAndSetAside(note: String) throws {
    let workshop = try Workshop.readings()
    let folder = workshop.repository.folder
    let path = "\(folder)/.almanac/applied.json"
    #expect(try Repository.check(at: folder).problems.isEmpty)
    try Data(note.utf8).write(to: URL(fileURLWithPath: path))
    let found = try Repository.check(at: folder)
    #expect(found.problems.map(\.path) == ["applied.json"])
    #expect(found.problems.map(\.severity) == [.damage])
    let repaired = try Repository.check(at: folder, isRepair: true)
    #expect(
      repaired.repairs == [
        "the note of what was last applied was set aside as applied.json.damaged: the next apply compares with the branch alone"
      ])
    #expect(repaired.problems.isEmpty)
    #expect(try FileBytes.of("\(path).damaged") == Data(note.utf8))
    #expect(try workshop.apply().changes.isEmpty)
    #expect(try Repository.check(at: folder).problems.isEmpty)
  }
}
