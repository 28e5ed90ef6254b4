import Almanac
import Columns
import Features
import Foundation
import JSON
import Testing

/// Every member of a manifest is checked when its training set is made again.
@Suite struct RecipeEditTests {
  /// A place in a JSON tree: names of members, and numbers of elements.
  private typealias Path = [String]

  /// Every value of the tree that holds no others, and every object and array.
  private static func paths(_ json: JSON, _ prefix: Path = []) -> [(path: Path, value: JSON)] {
    var all: [(path: Path, value: JSON)] = prefix.isEmpty ? [] : [(prefix, json)]
    for (name, value) in (json.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) { all += paths(value, prefix + [name]) }
    for (index, value) in (json.arrayValue ?? []).enumerated() { all += paths(value, prefix + ["\(index)"]) }
    return all
  }

  /// The tree with another value in a place; nil takes it out.
  private static func edit(_ json: JSON, _ path: ArraySlice<String>, _ value: JSON?) -> JSON {
    guard let name = path.first else { return value ?? .null }
    let rest = path.dropFirst()
    if var members = json.objectValue {
      members[name] = rest.isEmpty ? value : edit(members[name] ?? .null, rest, value)
      return .object(members)
    }
    guard var elements = json.arrayValue, let index = Int(name) else { return json }
    if rest.isEmpty && value == nil {
      elements.remove(at: index)
    } else {
      elements[index] = edit(elements[index], rest, value)
    }
    return .array(elements)
  }

  /// Values that stand for none of what was there: of its own kind, and of another.
  private static func others(_ value: JSON) -> [JSON] {
    switch value {
    case .null: [1, "x"]
    case .bool(let value): [.bool(!value), "x"]
    case .int(let value): [.int(value + 1), .int(0 - value - 1), .double(0.5), "x"]
    case .string(let text): [.string(text + "0"), .string(""), .string(String(text.reversed()) + "x"), 1]
    case .array(let values): [.array(values + ["x"]), [:], 1]
    case .object(let members): [.object(members.merging(["unknown": 1]) { first, _ in first }), [], 1]
    default: [1]
    }
  }

  enum Kind: CaseIterable { case labels, dropMissing, grid, timeless }

  private func workshop(_ kind: Kind) throws -> Workshop {
    let workshop = try Workshop.training()
    let labels = TrainingRequest.Labels.file(try workshop.labels())
    switch kind {
    case .labels, .dropMissing:
      _ = try workshop.repository.train(
        TrainingRequest(service: "s", labels: labels, output: workshop.path("t.csv"), dropMissing: kind == .dropMissing))
    case .grid:
      let grid = try EntityGrid(dataset: "readings", from: "2026-02-01T00:00:00Z", to: "2026-02-01T06:00:00Z", every: "3h")
      _ = try workshop.repository.train(
        TrainingRequest(service: "s", labels: .entities(grid), output: workshop.path("t.csv"), fullNames: true))
    case .timeless:
      try workshop.declare(
        "schemas/places.yaml",
        """
        apiVersion: v3.1.0
        kind: DataContract
        id: places
        version: 1.0.0
        status: active
        schema:
        - name: places
          properties:
          - {name: sensor, physicalType: int64, primaryKey: true}
          - {name: place, physicalType: utf8}
        """)
      let view = "- {name: place, entity: sensor, source: places, features: [{name: place, expr: place}]}\nfeature_services:\n"
      let text = Workshop.trainingFeatures.replacingOccurrences(of: "feature_services:\n", with: view)
        .replacingOccurrences(of: "[\"recent:*\"]", with: "[\"recent:*\", \"place:*\"]")
      try workshop.declare("features/f.yaml", text)
      try workshop.apply()
      try workshop.commit("places", workshop.write("places.csv", "sensor,place\n1,here\n"))
      _ = try workshop.repository.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.csv")))
    }
    return workshop
  }

  @Test(arguments: Kind.allCases) func everyEditIsNoticed(kind: Kind) throws {
    let workshop = try workshop(kind)
    let manifest = try workshop.manifest("t.csv")
    let paths = Self.paths(manifest)
    #expect(paths.count > 30)
    if kind == .timeless { #expect(manifest["timeless_views"] == ["place"]) }
    if kind == .dropMissing { #expect(manifest["output"]?["dropped"]?["rows"] == 3) }
    let edited = workshop.path("edited.manifest.json")
    func check(_ json: JSON, _ path: Path, _ what: String, given: String? = nil) throws {
      try json.text().write(toFile: edited, atomically: true, encoding: .utf8)
      let request = RecipeRequest(manifest: edited, labels: given, output: workshop.path("again.csv"))
      let context = "\(kind): \(path.joined(separator: ".")) \(what)"
      // Where the labels lay, and that they lay anywhere, says nothing of the training set.
      if path == ["labels", "file"], json["labels"]?["file"]?.stringValue == nil || given != nil { return }
      let error = #expect(throws: AlmanacError.self, "\(context)") { try workshop.repository.train(recipe: request) }
      #expect(!FileManager.default.fileExists(atPath: workshop.path("again.csv")), "\(context)")
      guard let error else { return }
      // A commit, labels or a dataset that are not there are not found; all else is a failed check.
      let mayBeMissing = path[0] == "commit" || path[0] == "labels"
      #expect(error.kind == .failed || (mayBeMissing && error.kind != .io), "\(context): \(error)")
      let names = path.filter { Int($0) == nil }
      let isNamed =
        error.description.contains(names.joined(separator: ".")) || error.description.contains(names[0])
        || error.description.contains("is no manifest of a training set") || (names[0] == "inputs" && error.description.contains("recipe"))
        || (error.kind == .notFound && path.last == "entities_from")
      #expect(isNamed, "\(context): \(error)")
    }
    for (path, value) in paths {
      for other in Self.others(value) { try check(Self.edit(manifest, path[...], other), path, "→ \(other.text())") }
      // Manifests of the first versions have no labels; where they are given then, nothing is missing.
      if path != ["labels"] { try check(Self.edit(manifest, path[...], nil), path, "is taken out") }
    }
    try check(Self.edit(manifest, ["unknown"], 1), ["unknown"], "is added")
    // As it is, it still holds.
    try manifest.text().write(toFile: edited, atomically: true, encoding: .utf8)
    #expect(try workshop.repository.train(recipe: RecipeRequest(manifest: edited, output: workshop.path("again.csv"))).rowCount > 0)
    #expect(try FileBytes.of(workshop.path("again.csv")) == FileBytes.of(workshop.path("t.csv")))
  }

  /// An edit of the inputs whose recipe was computed anew is another recipe, which this training set is not.
  @Test func inputsWithARecipeOfTheirOwnAreComparedToo() throws {
    let workshop = try workshop(.labels)
    let manifest = try workshop.manifest("t.csv")
    let edited = workshop.path("edited.manifest.json")
    for (path, value) in Self.paths(manifest["inputs"]!, ["inputs"]) where path.count > 1 {
      for other in Self.others(value) {
        var json = Self.edit(manifest, path[...], other)
        json = Self.edit(json, ["recipe"], .string(TrainingRun.recipe(of: json["inputs"]!)))
        try json.text().write(toFile: edited, atomically: true, encoding: .utf8)
        let request = RecipeRequest(manifest: edited, output: workshop.path("again.csv"))
        let error = #expect(throws: AlmanacError.self, "\(path) → \(other.text())") { try workshop.repository.train(recipe: request) }
        #expect(error?.kind == .failed || error?.kind == .notFound, "\(path) → \(other.text()): \(String(describing: error))")
      }
    }
  }

  @Test func differencesNameTheMemberWhatWasFoundAndWhatWasExpected() throws {
    let workshop = try workshop(.labels)
    let manifest = try workshop.manifest("t.csv")
    let edited = workshop.path("edited.manifest.json")
    func refusal(_ changes: [([String], JSON?)]) throws -> String? {
      let json = changes.reduce(manifest) { Self.edit($0, $1.0[...], $1.1) }
      try json.text().write(toFile: edited, atomically: true, encoding: .utf8)
      let request = RecipeRequest(manifest: edited, output: workshop.path("again.csv"))
      let error = #expect(throws: AlmanacError.self) { try workshop.repository.train(recipe: request) }
      #expect(error?.kind == .failed)
      return error?.description
    }
    let context = "Cannot make the training set of \(edited): what differs is "
    #expect(try refusal([(["output", "rows"], 6)]) == context + "output.rows: 5, expected 6")
    #expect(
      try refusal([(["output", "nulls", "last"], 0), (["labels", "rows"], 7)])
        == context + "labels.rows: 5, expected 7; output.nulls.last: 2, expected 0")
    #expect(try refusal([(["timeless_views"], ["recent"])]) == context + "timeless_views: [], expected [\"recent\"]")
    #expect(try refusal([(["output", "nulls", "n"], nil)]) == context + "output.nulls.n: 0, expected none")
    #expect(try refusal([(["note"], "mine")]) == context + "note: none, expected \"mine\"")
    #expect(try refusal([(["format"], 2)]) == "Cannot read \(edited): its format is 2, expected 1")
    #expect(try refusal([(["format"], 2), (["inputs"], nil)]) == "Cannot read \(edited): its format is 2, expected 1")
    #expect(try refusal([(["format"], nil)]) == "Cannot read \(edited): it is no manifest of a training set")
  }

  /// Readers differ in which of two counts.
  @Test func aMemberThatIsThereTwiceIsRefused() throws {
    let workshop = try workshop(.labels)
    let text = try workshop.manifest("t.csv").text()
    let path = try workshop.write("twice.manifest.json", "{\"note\":1," + text.dropFirst().dropLast() + ",\"note\":2}")
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(recipe: RecipeRequest(manifest: path, output: workshop.path("again.csv")))
    }
    #expect(error?.description.contains("two members have the name \"note\"") == true)
  }

  /// Manifests of the first versions, which do not say where labels lie.
  @Test func manifestsWithoutLabelsNeedThemGiven() throws {
    let workshop = try workshop(.labels)
    let old = Self.edit(try workshop.manifest("t.csv"), ["labels"], nil)
    let path = try workshop.write("old.manifest.json", old.text())
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.train(recipe: RecipeRequest(manifest: path, output: workshop.path("again.csv")))
    }
    #expect(error?.kind == .usage)
    let request = RecipeRequest(manifest: path, labels: workshop.path("labels.csv"), output: workshop.path("again.csv"))
    #expect(try workshop.repository.train(recipe: request).rowCount == 5)
  }
}
