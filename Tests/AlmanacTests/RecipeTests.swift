import Almanac
import Columns
import Foundation
import JSON
import Testing

/// Training sets made again from their manifests.
@Suite struct RecipeTests {
  /// A training set `data/t.parquet` from `labels.csv`, then late rows that change its values.
  private func workshop(dropMissing: Bool = false) throws -> Workshop {
    let workshop = try Workshop.training()
    try FileManager.default.createDirectory(atPath: workshop.path("data"), withIntermediateDirectories: true)
    let request = try TrainingRequest(
      service: "s", labels: workshop.labels(), output: workshop.path("data/t.parquet"), dropMissing: dropMissing)
    _ = try workshop.repository.train(request)
    try workshop.commit("readings", workshop.readings("late.csv", [(1, 1, "100"), (9, 2, "3")]))
    return workshop
  }

  private func refusal(_ workshop: Workshop, _ request: RecipeRequest) throws -> AlmanacError? {
    let before = try? FileBytes.of(workshop.path("data/t.parquet"))
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.train(recipe: request) }
    #expect(before == (try? FileBytes.of(workshop.path("data/t.parquet"))))
    #expect(!FileManager.default.fileExists(atPath: workshop.path("again.parquet")), "nothing is written")
    return error
  }

  private func edit(_ workshop: Workshop, _ change: (inout [String: JSON]) -> Void) throws -> String {
    var members = try workshop.manifest("data/t.parquet").objectValue!
    change(&members)
    return try workshop.write("data/edited.manifest.json", JSON.object(members).text(pretty: true))
  }

  @Test(arguments: [false, true]) func aRecipeIsMadeFromItsCommit(dropMissing: Bool) throws {
    let workshop = try workshop(dropMissing: dropMissing)
    let manifest = workshop.path("data/t.parquet.manifest.json")
    let report = try workshop.repository.train(recipe: RecipeRequest(manifest: manifest, output: workshop.path("again.parquet")))
    #expect(try FileBytes.of(workshop.path("again.parquet")) == FileBytes.of(workshop.path("data/t.parquet")))
    #expect(report.rowCount == (dropMissing ? 2 : 5))
    #expect(report.recipe == (try workshop.manifest("data/t.parquet"))["recipe"]?.stringValue)
    #expect(try workshop.manifest("again.parquet")["recipe"]?.stringValue == report.recipe)
    // The branch has other values now.
    let now = try workshop.repository.train(
      TrainingRequest(service: "s", labels: workshop.path("labels.csv"), output: workshop.path("now.parquet"), dropMissing: dropMissing))
    #expect(now.recipe != report.recipe)
    #expect(try workshop.output("now.parquet")[0] == [.int(1), .int(5), .double(105.5), .double(4), .int(3)])
    #expect(try workshop.output("again.parquet")[0] == [.int(1), .int(5), .double(5.5), .double(4), .int(2)])
  }

  @Test func anotherFormatHoldsTheSameValues() throws {
    let workshop = try workshop()
    let request = RecipeRequest(manifest: workshop.path("data/t.parquet.manifest.json"), output: workshop.path("again.csv"))
    _ = try workshop.repository.train(recipe: request)
    #expect(
      try String(contentsOfFile: workshop.path("again.csv"), encoding: .utf8)
        == """
        sensor,event_timestamp,total,last,n
        1,2026-02-01T05:00:00.000000Z,5.5,4.0,2
        2,2026-02-01T20:00:00.000000Z,,8.0,0
        3,2026-02-01T06:00:00.000000Z,,,1
        9,2026-02-01T07:00:00.000000Z,,,0
        1,2026-02-01T01:00:00.000000Z,1.5,1.5,1

        """)
  }

  @Test func withoutAnOutputTheFileItselfIsMadeAgain() throws {
    let workshop = try workshop()
    let bytes = try FileBytes.of(workshop.path("data/t.parquet"))
    try FileManager.default.removeItem(atPath: workshop.path("data/t.parquet"))
    let request = RecipeRequest(manifest: workshop.path("data/t.parquet.manifest.json"))
    #expect(try workshop.repository.train(recipe: request).output == workshop.path("data/t.parquet"))
    #expect(try FileBytes.of(workshop.path("data/t.parquet")) == bytes)
    let renamed = try edit(workshop) { _ in }
    try FileManager.default.moveItem(atPath: renamed, toPath: workshop.path("data/other.json"))
    let error = try refusal(workshop, RecipeRequest(manifest: workshop.path("data/other.json")))
    #expect(error?.kind == .usage)
    #expect(error?.description == "Cannot say where the training set of \(workshop.path("data/other.json")) goes")
  }

  @Test func otherLabelsAreRefused() throws {
    let workshop = try workshop()
    let manifest = workshop.path("data/t.parquet.manifest.json")
    let changed = try workshop.labels("changed.csv", Array(Workshop.standardLabels.dropLast()) + [(1, 2)])
    let request = RecipeRequest(manifest: manifest, labels: changed, output: workshop.path("again.parquet"))
    let digests = try [changed, workshop.path("labels.csv")].map { path in
      let report = try workshop.repository.train(TrainingRequest(service: "s", labels: path, output: workshop.path("x.parquet")))
      return report.manifest["inputs"]!["labels"]!.stringValue!.prefix(12)
    }
    let error = try refusal(workshop, request)
    #expect(error?.kind == .failed)
    #expect(
      error?.description
        == "Cannot make the training set of \(manifest): what differs is the labels: 5 rows with digest \(digests[0]) in \(changed), "
        + "expected 5 rows with digest \(digests[1])")
    // The same rows elsewhere, in another format, will do.
    _ = try Conversion.run(from: workshop.path("labels.csv"), to: workshop.path("moved.parquet"))
    let moved = RecipeRequest(manifest: manifest, labels: workshop.path("moved.parquet"), output: workshop.path("again.parquet"))
    #expect(try workshop.repository.train(recipe: moved).rowCount == 5)
  }

  /// Also where the rows that differ are dropped, so that the output is the same.
  @Test func droppedLabelsCountToo() throws {
    let workshop = try workshop(dropMissing: true)
    let changed = try workshop.labels("changed.csv", Workshop.standardLabels + [(9, 8)])
    let request = RecipeRequest(
      manifest: workshop.path("data/t.parquet.manifest.json"), labels: changed, output: workshop.path("again.parquet"))
    #expect(try refusal(workshop, request)?.description.contains("what differs is the labels: 6 rows with digest") == true)
  }

  @Test func labelsThatAreGoneAreNotFound() throws {
    let workshop = try workshop()
    let manifest = workshop.path("data/t.parquet.manifest.json")
    try FileManager.default.removeItem(atPath: workshop.path("labels.csv"))
    let error = try refusal(workshop, RecipeRequest(manifest: manifest, output: workshop.path("again.parquet")))
    #expect(error?.kind == .notFound)
    #expect(
      error?.description == "Cannot make the training set of \(manifest): its labels are not at \(workshop.path("labels.csv")) any more")
    #expect(error?.hint == "Say where they lie now with --labels.")
    let piped = try edit(workshop) { $0["labels"] = ["file": "-", "rows": 5] }
    let usage = try refusal(workshop, RecipeRequest(manifest: piped, output: workshop.path("again.parquet")))
    #expect(usage?.kind == .usage)
    #expect(usage?.description == "Cannot make the training set of \(piped): its labels came from standard input")
  }

  @Test func anotherRepositoryHasNotTheCommit() throws {
    let workshop = try workshop()
    let other = try Workshop.training()
    let manifest = workshop.path("data/t.parquet.manifest.json")
    let commit = try #require(try workshop.manifest("data/t.parquet")["commit"]?.stringValue)
    let error = #expect(throws: AlmanacError.self) {
      try other.repository.train(recipe: RecipeRequest(manifest: manifest, output: other.path("again.parquet")))
    }
    #expect(error?.kind == .notFound)
    #expect(
      error?.description == "Cannot make the training set of \(manifest): commit \(commit.prefix(12)) is not in this repository")
  }

  @Test func anotherCommitHasOtherDatasets() throws {
    let workshop = try workshop()
    let main = try workshop.repository.resolve("main").description
    let before = try workshop.root("readings", at: "main~1").prefix(12)
    let after = try workshop.root("readings").prefix(12)
    let edited = try edit(workshop) { $0["commit"] = .string(main) }
    let error = try refusal(workshop, RecipeRequest(manifest: edited, output: workshop.path("again.parquet")))
    #expect(error?.kind == .failed)
    #expect(
      error?.description == "Cannot make the training set of \(edited): what differs is dataset readings: root \(after) at commit "
        + "\(main.prefix(12)), expected root \(before)")
  }

  @Test func editedInputsAreNoticed() throws {
    let workshop = try workshop()
    let edited = try edit(workshop) { members in
      var inputs = members["inputs"]!.objectValue!
      inputs["options"] = ["time_column": "event_timestamp", "full_names": true]
      members["inputs"] = .object(inputs)
    }
    let error = try refusal(workshop, RecipeRequest(manifest: edited, output: workshop.path("again.parquet")))
    #expect(error?.kind == .failed)
    #expect(error?.description.hasPrefix("Cannot use \(edited): it was changed: its recipe is ") == true)
  }

  @Test func whatIsNoManifestIsRefused() throws {
    let workshop = try workshop()
    let text = try workshop.write("a.manifest.json", "{\"format\": 1}")
    #expect(
      try refusal(workshop, RecipeRequest(manifest: text))?.description == "Cannot read \(text): it is no manifest of a training set")
    let broken = try workshop.write("b.manifest.json", "{")
    #expect(try refusal(workshop, RecipeRequest(manifest: broken))?.kind == .io)
    #expect(try refusal(workshop, RecipeRequest(manifest: workshop.path("none.json")))?.kind == .notFound)
  }

  @Test func manifestsSayWhereLabelsLie() throws {
    let workshop = try workshop()
    #expect(try workshop.manifest("data/t.parquet")["labels"] == ["file": .string(workshop.path("labels.csv")), "rows": 5])
  }
}
