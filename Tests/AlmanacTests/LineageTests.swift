import Almanac
import JSON
import Testing

/// Inputs up and consumers down.
@Suite struct LineageTests {
  /// Datasets raw (two commits), clean (from raw), report (from clean, replaced once) and other (from nothing).
  private struct Graph {
    let workshop: Workshop
    var ids: [String: String] = [:]

    init() throws {
      workshop = try Workshop()
      for name in ["raw", "clean", "report", "other"] {
        let contract = EvolvingContract([("a", "int32")])
        try workshop.declare("schemas/\(name).yaml", contract.yaml.replacingValue("- name: t", "- name: \(name)"))
      }
      try workshop.apply()
      try commit("raw1", "raw", 1)
      try commit("clean1", "clean", 2, inputs: ["raw@main"], producer: "clean.py")
      try commit("raw2", "raw", 3)
      try commit("report0", "report", 4)
      try commit("report1", "report", 5, .replace, inputs: ["clean@main"], producer: "report.py")
      try commit("other1", "other", 6)
      try commit("clean2", "clean", 7, inputs: ["raw@main~1"], producer: "clean.py")
    }

    mutating func commit(
      _ label: String, _ dataset: String, _ value: Int, _ mode: ChangeMode = .append, inputs: [String] = [], producer: String? = nil
    ) throws {
      let file = try workshop.write("\(label).csv", "k,at,a\n\(value),2026-01-05T00:00:00Z,\(value)\n")
      let report = try workshop.repository.commit(
        [CommitInput(dataset: dataset, path: file)], mode: mode, message: label,
        provenance: Provenance(inputs: inputs, producer: producer))
      ids[label] = report.commit?.description
    }

    func runs(_ name: String, down: Bool = false, depth: Int? = nil) throws -> [String] {
      try workshop.repository.lineage(name, direction: down ? .down : .up, depth: depth).runs.map { "\($0.depth) \($0.commit.message)" }
    }
  }

  @Test func upWalksTheVersionsThatRowsWereMadeFrom() throws {
    let graph = try Graph()
    #expect(try graph.runs("raw") == ["1 raw2", "1 raw1"])
    #expect(try graph.runs("other") == ["1 other1"])
    // The first commit of report was replaced, and clean2 came later than what report was made from.
    #expect(try graph.runs("report") == ["1 report1", "2 clean1", "3 raw1"])
    #expect(try graph.runs("report", depth: 2) == ["1 report1", "2 clean1"])
    #expect(try graph.runs("clean") == ["1 clean2", "1 clean1", "2 raw2", "2 raw1"])
    #expect(try graph.runs("clean@main~1") == ["1 clean1", "2 raw1"])
    #expect(try graph.runs("main~2") == ["1 report1", "2 clean1", "3 raw1"])
    #expect(try graph.runs("main~1") == ["1 other1"])
  }

  @Test func downWalksWhatWasMadeOfThem() throws {
    let graph = try Graph()
    #expect(try graph.runs("raw", down: true) == ["1 clean2", "1 clean1", "2 report1"])
    #expect(try graph.runs("raw", down: true, depth: 1) == ["1 clean2", "1 clean1"])
    #expect(try graph.runs("raw@main~5", down: true) == ["1 clean1", "2 report1"])
    #expect(try graph.runs("raw@main", down: true) == ["1 clean2"])
    #expect(try graph.runs("clean", down: true) == ["1 report1"])
    #expect(try graph.runs("report", down: true) == [])
    // The commit that appended raw's first row: its rows are in both versions that were used.
    let raw1 = try #require(graph.ids["raw1"])
    #expect(try graph.runs(raw1, down: true) == ["1 clean2", "1 clean1", "2 report1"])
    let raw2 = try #require(graph.ids["raw2"])
    #expect(try graph.runs(raw2, down: true) == ["1 clean2"])
  }

  @Test func jsonNamesRunsInputsAndOutputs() throws {
    let graph = try Graph()
    let report = try graph.workshop.repository.lineage("report", direction: .up, depth: 1)
    let json = report.json
    let root = try graph.workshop.root("report")
    #expect(json["direction"] == "up")
    #expect(json["subject"]?["dataset"] == "report")
    let run = try #require(json["runs"]?.arrayValue?.first)
    #expect(run["run"]?["runId"]?.stringValue == graph.ids["report1"])
    #expect(run["job"] == ["namespace": "almanac", "name": "report.py"])
    #expect(run["outputs"] == [["type": "dataset", "name": "report", "root": .string(root), "rows": 1]])
    let inputs = try #require(run["inputs"]?.arrayValue)
    #expect(inputs.map { $0["type"] } == ["file", "dataset"])
    #expect(inputs[0]["name"] == "report1.csv")
    #expect(inputs[0]["rows"] == 1)
    #expect(inputs[1]["name"] == "clean")
    #expect(inputs[1]["root"]?.stringValue == (try graph.workshop.root("clean", at: "main~1")))
    let event = try #require(report.openLineage.arrayValue?.first)
    let id = try #require(graph.ids["report1"])
    let digits = Array(id)
    #expect(
      event["run"]?["runId"]?.stringValue
        == String(digits[0..<8]) + "-" + String(digits[8..<12]) + "-8" + String(digits[13..<16]) + "-a" + String(digits[17..<20]) + "-"
        + String(digits[20..<32]))
    #expect(event["eventType"] == "COMPLETE")
    #expect(event["outputs"]?.arrayValue?.first?["facets"]?["version"]?["datasetVersion"] == .string("sha256:\(root)"))
  }

  @Test func aSavedTrainingSetLeadsToItsRecipeAndDatasets() throws {
    let workshop = try Workshop.fraudWithRows()
    let labels = Fixtures.path("pyarrow/labels.parquet")
    _ = try workshop.repository.train(
      TrainingRequest(service: "fraud_v1", labels: labels, output: workshop.path("t.parquet"), save: "training"))
    let up = try workshop.repository.lineage("training", direction: .up)
    #expect(up.runs.map { "\($0.depth) \($0.commit.message)" } == ["1 train: save training", "2 first load"])
    #expect(up.runs[0].jobName == "trainingset.fraud_v1")
    #expect(up.runs[0].outputs.map(\.dataset) == ["training"])
    let kinds = up.json["runs"]?.arrayValue?.first?["inputs"]?.arrayValue?.map { $0["name"] ?? $0["service"] ?? .null }
    #expect(kinds == ["fraud_v1", "transactions", "user_profile", "labels.parquet"])
    #expect(up.runs[1].outputs.map(\.dataset) == ["transactions", "user_profile"])
    let down = try workshop.repository.lineage("transactions", direction: .down)
    #expect(down.runs.map(\.commit.message) == ["train: save training"])
  }

  /// Which training sets used which definition of a service, and which version of what they read.
  @Test func servicesLeadDownToTheirTrainingSets() throws {
    let workshop = try Workshop.training()
    func save(_ name: String, _ labels: TrainingRequest.Labels) throws {
      _ = try workshop.repository.train(
        TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet"), save: name))
    }
    try save("first", .file(workshop.labels()))
    try workshop.declare("features/f.yaml", Workshop.trainingFeatures.replacing("of: value, window: 12h", with: "of: value, window: 6h"))
    try workshop.apply()
    try workshop.commit("readings", workshop.readings("more.csv", [(4, 0, "1")]))
    try save("second", .entities(EntityGrid(dataset: "readings", from: "2026-02-01", to: "2026-02-02", every: "1d")))
    let report = try workshop.repository.lineage("s", direction: .down)
    #expect(report.json["subject"] == ["service": "s"])
    #expect(report.runs.map(\.commit.message) == ["train: save second", "train: save first"])
    let inputs = report.json["runs"]?.arrayValue?.map { $0["inputs"]?.arrayValue ?? [] } ?? []
    #expect(inputs.map { $0.map { $0["type"]?.stringValue } } == [["recipe", "dataset"], ["recipe", "dataset", "file"]])
    let definitions = inputs.map { $0[0]["definition"]?.stringValue }
    #expect(definitions.allSatisfy { $0?.count == 64 })
    #expect(definitions[0] != definitions[1])
    #expect(inputs.map { $0[1]["root"]?.stringValue } == [try workshop.root("readings"), try workshop.root("readings", at: "main~2")])
    #expect(inputs[1][2] == ["type": "file", "name": "labels.csv", "sha256": "", "rows": 5])
    #expect(try workshop.repository.lineage("readings@main", direction: .down).runs.map(\.commit.message) == ["train: save second"])
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.lineage("s", direction: .up) }
    #expect(error?.kind == .usage)
    #expect(error?.description == "Cannot show what s was made from: it is a feature service, which files declare")
  }

  @Test func anUnknownNameIsNotFound() throws {
    let graph = try Graph()
    for name in ["nothing", "raw@nowhere", "nothing@main"] {
      let error = #expect(throws: AlmanacError.self) { try graph.workshop.repository.lineage(name, direction: .up) }
      #expect(error?.kind == .notFound)
      #expect(
        error?.description
          == "Cannot show the lineage of \(name): it is no dataset of the current branch, no DATASET@REVISION, no revision and no "
          + "feature service")
    }
  }
}
