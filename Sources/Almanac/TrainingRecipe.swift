import Features
import Foundation
import History
import JSON

/// A recipe as the manifest of a training set has it.
struct TrainingRecipe {
  let path: String
  let id: String
  let commit: CommitID
  let service: String
  let options: TrainingOptions
  /// Where the label rows were found.
  let labels: JSON
  private let inputs: JSON
  private let outputDigest: String

  /// - Throws: `notFound` and `io` for a file that is not there or no JSON, `failed` for one that is no whole manifest.
  init(manifest path: String) throws(AlmanacError) {
    self.path = path
    let bytes = try InputBytes.open(path)
    let json = try AlmanacError.translating("Cannot read \(path)") { try bytes.withBytes { try JSON(parsing: $0) } }
    guard let id = json["recipe"]?.stringValue, let inputs = json["inputs"], let digest = json["output"]?["digest"]?.stringValue,
      let commit = json["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }),
      let options = inputs["options"].flatMap(TrainingOptions.init),
      let service = inputs["service"]?["feature_services"]?.arrayValue?.first?["name"]?.stringValue
    else {
      throw AlmanacError(
        .failed, "Cannot read \(path): it is no manifest of a training set",
        hint: "`almanac train` writes one beside its output, as OUT\(ManifestPath.suffix).")
    }
    let found = TrainingRun.recipe(of: inputs)
    guard found == id else {
      throw AlmanacError(
        .failed, "Cannot use \(path): it was changed: its recipe is \(id.prefix(12)), but what it lists as inputs makes \(found.prefix(12))"
      )
    }
    self.id = id
    self.commit = commit
    self.service = service
    self.options = options
    self.inputs = inputs
    labels = json["labels"] ?? .null
    outputDigest = digest
  }

  /// The file that the manifest lies beside; nil where its name does not say.
  var output: String? { path.hasSuffix(ManifestPath.suffix) ? String(path.dropLast(ManifestPath.suffix.count)) : nil }

  /// What keeps a training set made again from being the one of the recipe; nothing when it is.
  /// - Parameters:
  ///   - manifest: of what was made again.
  ///   - name: of the labels it was made with.
  func differences(from manifest: JSON, labels name: String) -> [String] {
    let own = manifest["inputs"] ?? .null
    var certain: [String] = []
    if own["labels"] != inputs["labels"] {
      certain.append(
        "the labels: \(Self.labels(in: manifest, inputs: own)) in \(name), expected \(Self.labels(in: ["labels": labels], inputs: inputs))")
    }
    let (roots, wanted) = (own["datasets"]?.objectValue ?? [:], inputs["datasets"]?.objectValue ?? [:])
    for dataset in Set(roots.keys).union(wanted.keys).sorted() where roots[dataset] != wanted[dataset] {
      certain.append("dataset \(dataset): \(Self.root(roots[dataset])) at commit \(commit.short), expected \(Self.root(wanted[dataset]))")
    }
    let digest = manifest["output"]?["digest"]?.stringValue ?? ""
    // Equal values under another spelling of the same definition are the same training set.
    guard digest != outputDigest || !certain.isEmpty else { return [] }
    var all = certain
    if own["service"] != inputs["service"] { all.append("the definition of feature service \(service) at commit \(commit.short)") }
    if own["engine"] != inputs["engine"] {
      all.append("the engine's semantics: \(own["engine"]?.text() ?? "none"), expected \(inputs["engine"]?.text() ?? "none")")
    }
    if all.isEmpty { all.append("no input, but the values: digest \(digest.prefix(12)), expected \(outputDigest.prefix(12))") }
    return all
  }

  private static func labels(in manifest: JSON, inputs: JSON) -> String {
    let rows = manifest["labels"]?["rows"]?.intValue.map { "\($0) rows with " } ?? ""
    return "\(rows)digest \(inputs["labels"]?.stringValue?.prefix(12) ?? "none")"
  }

  private static func root(_ root: JSON?) -> String { root?.stringValue.map { "root \($0.prefix(12))" } ?? "no rows" }
}

extension Repository {
  /// Makes the training set of a recipe again, from the commit that it names, wherever branches have moved.
  ///
  /// Nothing is written unless the result is the recipe's, value for value; standard output excepted.
  /// - Throws: `failed` naming the inputs that differ, `notFound` when the commit, what it holds or the labels are not there.
  package func train(recipe request: RecipeRequest, progress: ProgressHandler? = nil) throws(AlmanacError) -> TrainingReport {
    let recipe = try TrainingRecipe(manifest: request.manifest)
    guard let output = request.output ?? recipe.output else {
      throw AlmanacError(.usage, "Cannot say where the training set of \(recipe.path) goes", hint: "Name a file with --out.")
    }
    let labels = try labels(of: recipe, given: request.labels)
    let options = recipe.options
    let training = TrainingRequest(
      service: recipe.service, labels: labels, output: output, timeColumn: options.timeColumn, fullNames: options.fullNames,
      dropMissing: options.dropMissing, save: request.save)
    guard try revision(recipe.commit.description) != nil else {
      throw AlmanacError(
        .notFound, "Cannot make the training set of \(recipe.path): commit \(recipe.commit.short) is not in this repository",
        hint: "Fetch it from a repository that has it; `almanac gc` removes commits that nothing names.")
    }
    return try train(training, at: recipe.commit, progress: progress) { (manifest) throws(AlmanacError) in
      let name = if case .file(let path) = labels { path } else { "the entities at that commit" }
      let differences = recipe.differences(from: manifest, labels: name)
      guard !differences.isEmpty else { return }
      throw AlmanacError(
        .failed, "Cannot make the training set of \(recipe.path): what differs is \(differences.joined(separator: "; "))",
        hint: output == "-" ? nil : "Nothing was written.")
    }
  }

  private func labels(of recipe: TrainingRecipe, given: String?) throws(AlmanacError) -> TrainingRequest.Labels {
    if let given { return .file(given) }
    if let grid = try EntityGrid(manifest: recipe.labels) { return .entities(grid) }
    guard let file = recipe.labels["file"]?.stringValue, file != "-" else {
      let reason = recipe.labels["file"] == nil ? "it does not say where its labels lie" : "its labels came from standard input"
      throw AlmanacError(.usage, "Cannot make the training set of \(recipe.path): \(reason)", hint: "Name the label file with --labels.")
    }
    let path = ManifestPath.resolved(file, in: recipe.path)
    guard InputBytes.isRegularFile(path) else {
      throw AlmanacError(
        .notFound, "Cannot make the training set of \(recipe.path): its labels are not at \(path) any more",
        hint: "Say where they lie now with --labels.")
    }
    return .file(path)
  }
}
