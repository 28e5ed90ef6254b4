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
  /// As the file has it.
  let manifest: JSON
  private let inputs: JSON
  private let outputDigest: String

  /// - Throws: `notFound` and `io` for a file that is not there or no JSON, `failed` for one that is no whole manifest.
  init(manifest path: String) throws(AlmanacError) {
    self.path = path
    let bytes = try InputBytes.open(path)
    let json = try InputBytes.reading(bytes, path) { () throws(AlmanacError) in
      try AlmanacError.translating("Cannot read \(path)") { try bytes.withBytes { try JSON(parsing: $0, uniqueNames: true) } }
    }
    // First: what a later format has in it, this version does not know.
    if let format = json["format"], format != .int(TrainingRun.manifestFormat) {
      throw AlmanacError(
        .failed, "Cannot read \(path): its format is \(format.text()), expected \(TrainingRun.manifestFormat)",
        hint: "Another version of Almanac wrote it, or it was changed.")
    }
    guard let id = json["recipe"]?.stringValue, let inputs = json["inputs"], let digest = json["output"]?["digest"]?.stringValue,
      let commit = json["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }),
      let options = inputs["options"].flatMap(TrainingOptions.init),
      let service = inputs["service"]?["feature_services"]?.arrayValue?.first?["name"]?.stringValue, json["format"] != nil
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
    manifest = json
    labels = json["labels"] ?? .null
    outputDigest = digest
  }

  /// The file that the manifest lies beside; nil where its name does not say.
  var output: String? { path.hasSuffix(ManifestPath.suffix) ? String(path.dropLast(ManifestPath.suffix.count)) : nil }

  /// What keeps a training set made again from being the one of the recipe; nothing when it is.
  ///
  /// What differs in the inputs is the reason for whatever else differs, and stands alone then. With equal inputs and values every
  /// other member is compared: a manifest says what it says of the result, and of nothing else.
  /// - Parameters:
  ///   - own: of what was made again.
  ///   - name: of the labels it was made with.
  ///   - areGiven: the labels came from elsewhere than the manifest says.
  func differences(from own: JSON, labels name: String, areGiven: Bool) -> [String] {
    let ownInputs = own["inputs"] ?? .null
    var found: [String] = []
    if ownInputs["labels"] != inputs["labels"] {
      found.append(
        "the labels: \(Self.labels(in: own, inputs: ownInputs)) in \(name), expected \(Self.labels(in: ["labels": labels], inputs: inputs))"
      )
    }
    let (roots, wanted) = (ownInputs["datasets"]?.objectValue ?? [:], inputs["datasets"]?.objectValue ?? [:])
    for dataset in Set(roots.keys).union(wanted.keys).sorted() where roots[dataset] != wanted[dataset] {
      found.append("dataset \(dataset): \(Self.root(roots[dataset])) at commit \(commit.short), expected \(Self.root(wanted[dataset]))")
    }
    if !isDefinition(ownInputs["service"]) { found.append("the definition of feature service \(service) at commit \(commit.short)") }
    let digest = own["output"]?["digest"]?.stringValue ?? ""
    if ownInputs["engine"] != inputs["engine"], digest != outputDigest || !isOlderEngine {
      found.append("the engine's semantics: \(ownInputs["engine"]?.text() ?? "none"), expected \(inputs["engine"]?.text() ?? "none")")
    }
    if !found.isEmpty { return found }
    if digest != outputDigest { return ["no input, but the values: output.digest \(digest), expected \(outputDigest)"] }
    return Self.differences(of: compared(own, areGiven), from: compared(manifest, areGiven))
  }

  /// Whether the manifest's definition of the service is this one, perhaps in the spelling of an earlier version.
  private func isDefinition(_ own: JSON?) -> Bool {
    guard let wanted = inputs["service"], wanted != own else { return true }
    let read = try? DefinitionSet(canonicalJSON: wanted.canonicalBytes).definition(ofService: service)
    return read != nil && read == own
  }

  /// Values of an earlier engine that come out the same are the same.
  private var isOlderEngine: Bool { inputs["engine"]?.intValue.map { (1..<FeatureEngine.semanticsVersion).contains($0) } ?? false }

  /// The members of a manifest that are compared one by one: not those that were compared before, and not where labels lay.
  private func compared(_ json: JSON, _ areGiven: Bool) -> JSON {
    var members = json.objectValue ?? [:]
    // The recipe is that of the inputs, which `init` has checked.
    members["recipe"] = nil
    var inputs = members["inputs"]?.objectValue ?? [:]
    for name in ["service", "engine"] { inputs[name] = nil }
    members["inputs"] = .object(inputs)
    var labels = members["labels"]?.objectValue ?? [:]
    labels["file"] = nil
    if areGiven { labels = labels.filter { $0.key == "rows" } }
    // Manifests of the first versions do not say where labels lie.
    members["labels"] = self.labels.isNull ? nil : .object(labels)
    return .object(members)
  }

  /// The members that differ, by path, with what was found and what was expected.
  private static func differences(of own: JSON?, from wanted: JSON?, at path: String = "") -> [String] {
    if own == wanted { return [] }
    guard let mine = own?.objectValue, let theirs = wanted?.objectValue else {
      func text(_ json: JSON?) -> String {
        let text = json?.text() ?? "none"
        return text.count > 60 ? "\(text.prefix(60))…" : text
      }
      return ["\(path): \(text(own)), expected \(text(wanted))"]
    }
    return Set(mine.keys).union(theirs.keys).sorted().flatMap { name in
      differences(of: mine[name], from: theirs[name], at: path.isEmpty ? name : "\(path).\(name)")
    }
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
    // The manifest beside the output is written again, as it is.
    try OutputClash.check([output], [(request.manifest, "the manifest")])
    let labels = try labels(of: recipe, given: request.labels)
    let options = recipe.options
    var training = TrainingRequest(
      service: recipe.service, labels: labels, output: output, timeColumn: options.timeColumn, fullNames: options.fullNames,
      dropMissing: options.dropMissing, save: request.save)
    training.format = request.format
    guard try revision(recipe.commit.description) != nil else {
      throw AlmanacError(
        .notFound, "Cannot make the training set of \(recipe.path): commit \(recipe.commit.short) is not in this repository",
        hint: "Fetch it from a repository that has it; `almanac gc` removes commits that nothing names.")
    }
    return try train(training, at: recipe.commit, progress: progress) { (manifest) throws(AlmanacError) in
      let name = if case .file(let path) = labels { path } else { "the entities at that commit" }
      let differences = recipe.differences(from: manifest, labels: name, areGiven: request.labels != nil)
      guard !differences.isEmpty else { return }
      throw AlmanacError(
        .failed, "Cannot make the training set of \(recipe.path): what differs is \(differences.joined(separator: "; "))",
        hint: OutputPlace.isStandardOutput(output) ? nil : "Nothing was written.")
    }
  }

  private func labels(of recipe: TrainingRecipe, given: String?) throws(AlmanacError) -> TrainingRequest.Labels {
    if let given { return .file(given) }
    if let dataset = recipe.labels["entities_from"] {
      do throws(AlmanacError) {
        if let grid = try EntityGrid(manifest: recipe.labels) { return .entities(grid) }
      } catch {
        throw AlmanacError(.failed, "Cannot make the labels of \(recipe.path): \(error.description)", hint: error.hint)
      }
      throw AlmanacError(
        .failed,
        "Cannot make the labels of \(recipe.path) from \(dataset.text()): its labels need entities_from, from, to and every as texts")
    }
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
