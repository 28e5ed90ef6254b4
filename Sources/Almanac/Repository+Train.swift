import Columns
import Features
import Foundation
import History
import JSON
import Tables

/// What a training set is asked for.
package struct TrainingRequest: Sendable {
  package var service: String
  /// The label file, or `-` for standard input.
  package var labels: String
  package var output: String
  /// Use the commit that the ref had at this time.
  package var at: String?
  package var ref: String?
  package var timeColumn: String
  package var fullNames: Bool
  /// Commit the result as this dataset too.
  package var save: String?
  /// Note what is read, and why.
  package var explains: Bool

  package init(
    service: String, labels: String, output: String, at: String? = nil, ref: String? = nil,
    timeColumn: String = "event_timestamp", fullNames: Bool = false, save: String? = nil, explains: Bool = false
  ) {
    self.service = service
    self.labels = labels
    self.output = output
    self.at = at
    self.ref = ref
    self.timeColumn = timeColumn
    self.fullNames = fullNames
    self.save = save
    self.explains = explains
  }
}

package struct TrainingReport: Sendable {
  package let manifest: JSON
  package let recipe: String
  package let rowCount: Int
  package let featureCount: Int
  package let savedCommit: CommitID?
  /// When it was asked for.
  package let explanation: TrainingExplanation?
}

extension Repository {
  /// Writes a training set: exactly the label rows, in their order, each with the features as of its time.
  ///
  /// A manifest (`<output>.manifest.json`) names the recipe that determines the result.
  package func train(_ request: TrainingRequest, progress: ProgressHandler? = nil) throws(AlmanacError) -> TrainingReport {
    let id = try commit(for: request)
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let commit = try commit(id)
    let definitions = try definitions(at: id)
    let source = CommitSource(archive: archive, commit: commit, definitions: definitions)
    let service = try compile(service: request.service, definitions: definitions, fullNames: request.fullNames)
    let labels = try TableFile(path: request.labels, types: service.labelSchema(timeColumn: request.timeColumn))
    let options = TrainingOptions(timeColumn: request.timeColumn, fullNames: request.fullNames)
    let context = "Cannot train \(request.service) on \(request.labels)"
    var training = try AlmanacError.translating(context) {
      try TrainingRun(service: service, labels: labels.schema, options: options, source: source)
    }
    let trace = request.explains ? JoinTrace(viewCount: service.views.count) : nil
    training.trace = trace
    let target = try TableOutput(path: request.output, schema: training.schema)
    // What is saved as a dataset too is committed as a whole.
    var kept: [Batch] = []
    var reader = LabelReader(labels)
    repeat {
      let batch = try reader.next(Self.labelRowCountMax)
      if batch.rowCount == 0 && training.rowCount > 0 { break }
      progress?("joining labels", training.rowCount + batch.rowCount, labels.rowCount ?? 0)
      let joined = try AlmanacError.translating(context) { try training.join(batch) }
      try target.write(joined)
      if request.save != nil { kept.append(joined) }
      if batch.rowCount < Self.labelRowCountMax { break }
    } while true
    try target.finish()
    let roots = service.datasets.map { name -> (String, JSON) in
      (name, commit.datasets[name].map { .string($0.root.description) } ?? .null)
    }
    let manifest = training.manifest(
      service: definitions.definition(ofService: request.service), datasetRoots: Dictionary(uniqueKeysWithValues: roots),
      commit: id.description)
    let recipe = manifest["recipe"]?.stringValue ?? ""
    if request.output != "-" { try writeManifest(manifest, beside: request.output) }
    let saved = try request.save.map { (name) throws(AlmanacError) in
      try save(Batch.concatenate(kept), of: training, as: name, manifest: manifest, from: id)
    }
    return TrainingReport(
      manifest: manifest, recipe: recipe, rowCount: training.rowCount, featureCount: service.results.count,
      savedCommit: saved ?? nil,
      explanation: trace.map { TrainingExplanation(service, $0, commit: commit, id: id, labelCount: training.rowCount) })
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

  private func writeManifest(_ manifest: JSON, beside output: String) throws(AlmanacError) {
    let path = "\(output).manifest.json"
    do {
      try Data((manifest.text(pretty: true) + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw AlmanacError(.io, "Cannot write \(path): \(error.localizedDescription)")
    }
  }
}

/// Label rows in batches of one size, however the file is divided.
private struct LabelReader {
  private let file: TableFile
  private var pending: Batch

  init(_ file: TableFile) {
    self.file = file
    pending = Batch.empty(file.schema)
  }

  /// The next rows, fewer at the end.
  mutating func next(_ rowCount: Int) throws(AlmanacError) -> Batch {
    var parts = [pending]
    var total = pending.rowCount
    while total < rowCount, let batch = try file.next() {
      parts.append(batch)
      total += batch.rowCount
    }
    let rows = parts.filter { $0.rowCount > 0 }
    let all = rows.isEmpty ? pending : Batch.concatenate(rows)
    let count = min(rowCount, all.rowCount)
    pending = all.slice(from: count, count: all.rowCount - count)
    return all.slice(from: 0, count: count)
  }
}

extension CompiledService {
  /// The datasets its views read.
  var datasets: [String] { Array(Set(views.map(\.view.source.name))).sorted() }

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
