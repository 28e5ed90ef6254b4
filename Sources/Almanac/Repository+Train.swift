import Columns
import Features
import History
import JSON
import Tables

extension Repository {
  /// Writes a training set: exactly the label rows (less those that lack a feature, with `dropMissing`), in their order, each with
  /// the features as of its time.
  ///
  /// A manifest (`<output>.manifest.json`) names the recipe that determines the result.
  package func train(_ request: TrainingRequest, progress: ProgressHandler? = nil) throws(AlmanacError) -> TrainingReport {
    try train(request, at: commit(for: request), progress: progress) { (_) throws(AlmanacError) in }
  }

  /// - Parameter accept: sees the manifest before the output gets its name; where it throws, nothing is written.
  func train(
    _ request: TrainingRequest, at id: CommitID, progress: ProgressHandler?, accept: (JSON) throws(AlmanacError) -> Void
  ) throws(AlmanacError) -> TrainingReport {
    try checkOutput(of: request)
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let commit = try commit(id)
    let definitions = try definitions(at: id)
    let source = CommitSource(archive: archive, commit: commit, definitions: definitions)
    let service = try compile(service: request.service, definitions: definitions, fullNames: request.fullNames)
    var labels = try labels(request, for: service, commit: commit, definitions: definitions)
    let context = "Cannot train \(request.service) on \(labels.name)"
    var training = try AlmanacError.translating(context) {
      try TrainingRun(service: service, labels: labels.schema, options: request.options, source: source)
    }
    var saving = try request.save.map { (name) throws(AlmanacError) in try savedTrainingSet(name, schema: training.schema) }
    let trace = request.explains ? JoinTrace(viewCount: service.views.count) : nil
    training.trace = trace
    let target = try TableOutput(path: request.output, schema: training.schema, format: request.format)
    repeat {
      let batch = try labels.next(Self.labelRowCountMax)
      if batch.rowCount == 0 && training.labelRowCount > 0 { break }
      progress?("joining labels", training.labelRowCount + batch.rowCount, labels.rowCount ?? 0)
      let joined = try AlmanacError.translating(context) { try training.join(batch) }
      try target.write(joined)
      let isLast = batch.rowCount < Self.labelRowCountMax
      try saving?.add(joined, isLast: isLast)
      if isLast { break }
    } while true
    let manifest = try manifest(of: training, request, labels, at: id, commit, definitions)
    try accept(manifest)
    // Both are whole before one of them gets its name.
    let description = try manifestPlace(manifest, beside: request.output)
    try target.finish()
    try description?.complete()
    let saved = try saving.map { (saving) throws(AlmanacError) in try save(saving, of: training, manifest: manifest, from: id) }
    return TrainingReport(
      output: request.output, service: request.service, manifest: manifest, recipe: manifest["recipe"]?.stringValue ?? "",
      rowCount: training.rowCount, droppedRowCount: request.dropMissing ? training.droppedRowCount : nil,
      featureCount: service.results.count, savedCommit: saved ?? nil,
      explanation: trace.map { TrainingExplanation(service, $0, commit: commit, id: id, labelCount: training.labelRowCount) })
  }

  private func labels(
    _ request: TrainingRequest, for service: CompiledService, commit: Commit, definitions: Definitions
  ) throws(AlmanacError) -> LabelSource {
    switch request.labels {
    case .file(let path):
      var reading = TableFileOptions()
      reading.wholeNumberColumns = service.wholeNumberColumns
      let file = try TableFile(path: path, types: service.labelSchema(timeColumn: request.timeColumn), options: reading)
      return LabelSource(file, path: path, output: request.output)
    case .entities(let grid):
      let (labels, origin) = try labels(
        grid, for: service, timeColumn: request.timeColumn, commit: commit, definitions: definitions)
      return LabelSource(labels, dataset: grid.dataset, origin: origin)
    }
  }

  /// What determines a training set, what came out, and, as `labels`, where the label rows are found again.
  private func manifest(
    of training: TrainingRun, _ request: TrainingRequest, _ labels: LabelSource, at id: CommitID, _ commit: Commit,
    _ definitions: Definitions
  ) throws(AlmanacError) -> JSON {
    var roots: [String: JSON] = [:]
    for name in training.service.datasets { roots[name] = commit.datasets[name].map { .string($0.root.description) } ?? .null }
    let definition = try AlmanacError.translating { try definitions.features.definition(ofService: request.service) }
    let manifest = training.manifest(service: definition, datasetRoots: roots, commit: id.description)
    var members = manifest.objectValue ?? [:]
    members["labels"] = labels.manifest(rowCount: training.labelRowCount)
    return .object(members)
  }

  /// Labels that are joined at a time: each batch reads the views anew, and memory follows its features.
  private static let labelRowCountMax = 2 << 20

  private func commit(for request: TrainingRequest) throws(AlmanacError) -> CommitID {
    guard let at = request.at else { return try resolve(request.ref ?? "HEAD") }
    let ref: String
    if let named = request.ref { ref = named } else { ref = try headBranch() }
    return try resolve("\(ref)@{\(at)}")
  }

  package func compile(
    service: String, definitions: Definitions, fullNames: Bool = false
  ) throws(AlmanacError) -> CompiledService {
    guard definitions.features.service(named: service) != nil else {
      let known = definitions.features.services.map(\.name).sorted().joined(separator: ", ")
      throw AlmanacError(
        .notFound, "There is no feature service \(service)",
        hint: known.isEmpty ? "None is registered: declare one in features/ and run `almanac apply`." : "Registered: \(known).")
    }
    return try AlmanacError.translating {
      try definitions.features.compile(service: service, sources: definitions.sources, fullNames: fullNames)
    }
  }

  /// The manifest, written but without its name; nil where nothing lies beside the output.
  private func manifestPlace(_ manifest: JSON, beside output: String) throws(AlmanacError) -> OutputPlace? {
    guard OutputPlace.isFile(output) else { return nil }
    let place = try OutputPlace(path: output + ManifestPath.suffix)
    try place.put(Array((manifest.text(pretty: true) + "\n").utf8))
    return place
  }

  /// A training set must not overwrite its labels: it could never be made again.
  private func checkOutput(of request: TrainingRequest) throws(AlmanacError) {
    try checkOutside(request.output)
    guard case .file(let labels) = request.labels else { return }
    var outputs = [request.output]
    if OutputPlace.isFile(request.output) { outputs.append(request.output + ManifestPath.suffix) }
    try OutputClash.check(outputs, [(labels, "the label file")])
  }
}

extension CompiledService {
  /// The datasets its views read.
  var datasets: [String] { Array(Set(views.map(\.view.source.name))).sorted() }

  /// The label columns that are read as integers, whatever they are in the file.
  fileprivate var wholeNumberColumns: Set<String> {
    var names = Set(requestFields.filter { $0.type.isInteger }.map(\.name))
    for use in views { for (column, key) in zip(use.labelColumns, use.view.entity.keys) where key.type.isInteger { names.insert(column) } }
    return names
  }

  /// The types that text label files are read with: the time, and keys whose text could be taken for numbers. Numeric keys are
  /// inferred and then converted without loss, as those of Parquet are (pandas writes nullable integers as 1.0).
  func labelSchema(timeColumn: String) -> Schema {
    var fields = [Field(timeColumn, .timestampMicros)]
    for use in views {
      for (column, key) in zip(use.labelColumns, use.view.entity.keys)
      where !key.type.isInteger && !fields.contains(where: { $0.name == column }) {
        fields.append(Field(column, key.type))
      }
    }
    for field in requestFields where !field.type.isInteger && !field.type.isFloat && !fields.contains(where: { $0.name == field.name }) {
      fields.append(field)
    }
    return Schema(fields)
  }
}
