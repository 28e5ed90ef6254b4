import Columns
import Crypto
import JSON

/// The label rows, in their order, each with the features of its entities as of its time.
package struct TrainingSet: Sendable {
  /// The columns of the labels, untouched, then those of the features in service order.
  package let batch: Batch
  /// The output columns that are features.
  package let featureNames: [String]
  package let service: CompiledService
  package let options: TrainingOptions
  package let labelDigest: String

  /// Joins the labels with every view of a service; views run in parallel.
  ///
  /// - Throws: `labels` when the labels lack a column, hold a value that is no key, a null time, or a column named like a
  ///   feature; `evaluation` when an expression or a sum fails; what the source throws.
  /// - Complexity: O(rows of the sources + labels) in time and memory.
  package static func build(
    service: CompiledService, labels: Batch, options: TrainingOptions = TrainingOptions(), source: any FeatureSource
  ) throws -> TrainingSet {
    let frame = try LabelFrame(labels, for: service, timeColumn: options.timeColumn)
    let names = service.outputs.map { service.name(of: $0, fullNames: options.fullNames) }
    try checkNames(names, labels, options)
    // All labels are checked before the first row of a source is read.
    let keys = try service.views.map { use in try frame.keys(for: use) }
    let columns = try ServiceJoin.columns(of: service.views.map(\.view), keys: keys, times: frame.times, source: source)
    let fields = zip(service.outputs, names).map { output, name in Field(name, output.type) }
    let features = service.outputs.map { columns[$0.view][$0.feature] }
    let batch = Batch(
      schema: Schema(labels.schema.fields + fields), columns: labels.columns + features, rowCount: labels.rowCount)
    return TrainingSet(
      batch: batch, featureNames: names, service: service, options: options, labelDigest: BatchDigest.sha256(of: labels))
  }

  private static func checkNames(_ names: [String], _ labels: Batch, _ options: TrainingOptions) throws(FeatureError) {
    var seen: Set<String> = []
    for name in names {
      let hint = options.fullNames ? "; rename the label column" : "; use --full-names"
      guard labels.schema.index(of: name) == nil else {
        throw FeatureError(.labels, "Labels have a column \(name), and so does the feature of this name\(hint)")
      }
      guard seen.insert(name).inserted else {
        throw FeatureError(.labels, "Two features are named \(name)\(options.fullNames ? "" : "; use --full-names")")
      }
    }
  }

  /// What determines the result, its digest, and what came out.
  ///
  /// The recipe is the SHA-256 of the canonical JSON of `inputs`: equal recipes give identical values.
  /// - Parameters:
  ///   - definition: the service with everything it refers to, as stored.
  ///   - datasetRoots: of every dataset that is read; null for one without rows.
  ///   - commit: where the rows and definitions came from; named, but no part of the recipe.
  package func manifest(service definition: JSON, datasetRoots: [String: JSON], commit: String) -> JSON {
    let inputs: JSON = [
      "labels": .string(labelDigest), "service": definition, "datasets": .object(datasetRoots),
      "engine": .int(FeatureEngine.semanticsVersion),
      "options": ["time_column": .string(options.timeColumn), "full_names": .bool(options.fullNames)],
    ]
    let recipe = SHA256.hash(data: inputs.canonicalBytes)
    let nulls = featureNames.map { name in (name, JSON.int(Int64(batch[name]?.nullCount ?? 0))) }
    let timeless = service.views.filter { $0.view.source.eventTime == nil }.map(\.view.view.name)
    return [
      "format": 1, "recipe": .string(BatchDigest.hex(recipe)), "inputs": inputs, "commit": .string(commit),
      "timeless_views": .array(Set(timeless).sorted().map { .string($0) }),
      "output": [
        "digest": .string(BatchDigest.sha256(of: batch)), "rows": .int(Int64(batch.rowCount)),
        "nulls": .object(Dictionary(nulls, uniquingKeysWith: { first, _ in first })),
      ],
    ]
  }
}

extension CompiledService {
  /// What an output column is called.
  package func name(of output: ServiceOutput, fullNames: Bool) -> String {
    let use = views[output.view]
    let feature = use.view.features[output.feature].name
    return fullNames ? "\(use.alias ?? use.view.view.name)__\(feature)" : feature
  }
}
