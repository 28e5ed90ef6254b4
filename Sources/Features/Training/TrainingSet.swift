import Columns
import JSON

/// A training set in memory, made in one go.
package struct TrainingSet: Sendable {
  /// The columns of the labels, untouched, then those of the features in service order.
  package let batch: Batch
  private let run: TrainingRun

  /// - Throws, Complexity: as `TrainingRun.init` and `join`.
  package static func build(
    service: CompiledService, labels: Batch, options: TrainingOptions = TrainingOptions(), source: any FeatureSource,
    rangeRowCountMax: Int = EventRanges.rowCountMax
  ) throws -> TrainingSet {
    var run = try TrainingRun(
      service: service, labels: labels.schema, options: options, source: source, rangeRowCountMax: rangeRowCountMax)
    let batch = try run.join(labels)
    return TrainingSet(batch: batch, run: run)
  }

  /// The output columns that are features.
  package var featureNames: [String] { run.featureNames }

  /// What determines the result, its digest, and what came out: `TrainingRun.manifest`.
  package func manifest(service definition: JSON, datasetRoots: [String: JSON], commit: String) -> JSON {
    run.manifest(service: definition, datasetRoots: datasetRoots, commit: commit)
  }
}
