import Columns
import Crypto
import JSON

/// The label rows, in their order, each with the features of its entities as of its time; made a batch of labels at a time.
package struct TrainingRun: Sendable {
  /// The columns of the labels, untouched, then those of the features in service order.
  package let schema: Schema
  /// The output columns that are features.
  package let featureNames: [String]
  package let service: CompiledService
  package let options: TrainingOptions
  /// Labels so far.
  package private(set) var labelRowCount = 0
  /// Rows that came out so far: those of the labels, unless some are dropped.
  package private(set) var rowCount = 0
  /// Of all labels, dropped or not.
  private var labelDigest: BatchDigest
  /// Of the labels that came out, where rows may be dropped.
  private var keptDigest: BatchDigest?
  private var featureDigest: BatchDigest
  private var nullCounts: [Int]
  /// Of the dropped rows.
  private var droppedNullCounts: [Int]
  private let source: any FeatureSource
  private let rangeRowCountMax: Int
  /// Told of what is read.
  package var trace: JoinTrace?

  /// - Parameter rangeRowCountMax: about how many rows of a view each thread has in memory, unless one entity has more.
  /// - Throws: `labels` when the labels lack a column that is needed, or have one that is named like a feature or as Almanac's own are.
  package init(
    service: CompiledService, labels: Schema, options: TrainingOptions = TrainingOptions(), source: any FeatureSource,
    rangeRowCountMax: Int = EventRanges.rowCountMax
  ) throws {
    // A frame without rows has all that can be wrong with columns.
    _ = try LabelFrame(Batch.empty(labels), for: service, timeColumn: options.timeColumn)
    _ = try service.requestColumns(of: Batch.empty(labels))
    let names = service.resultNames(fullNames: options.fullNames)
    try Self.checkNames(names, labels, options)
    let fields = zip(service.results, names).map { result, name in Field(name, result.type) }
    schema = Schema(labels.fields + fields)
    featureNames = names
    labelDigest = BatchDigest(labels)
    keptDigest = options.dropMissing ? BatchDigest(labels) : nil
    featureDigest = BatchDigest(Schema(fields))
    nullCounts = names.map { _ in 0 }
    droppedNullCounts = nullCounts
    self.service = service
    self.options = options
    self.source = source
    self.rangeRowCountMax = rangeRowCountMax
  }

  /// Joins the next labels with every view of the service; views run in parallel.
  ///
  /// - Parameter labels: under the schema of the labels.
  /// - Returns: the labels with their features; without those that lack one, if that was asked for.
  /// - Throws: `labels` when the labels hold a value that is no key, or a null time; `evaluation` when an expression or a sum fails;
  ///   what the source throws.
  /// - Complexity: O(rows that matter + labels) in time; memory for the labels, the features and a range of rows for each thread.
  package mutating func join(_ labels: Batch) throws -> Batch {
    do {
      let frame = try LabelFrame(labels, for: service, timeColumn: options.timeColumn)
      let keys = try service.views.map { use in try frame.keys(for: use) }
      let request = try service.requestColumns(of: labels)
      let columns = try ServiceJoin.columns(
        of: service.views.map(\.view), keys: keys, times: frame.times, source: source, rangeRowCountMax: rangeRowCountMax,
        trace: trace)
      let features = try service.resultColumns(
        lookups: service.outputs.map { columns[$0.view][$0.feature] }, request: request, rowCount: labels.rowCount)
      labelDigest.update(labels)
      labelRowCount += labels.rowCount
      return finished(Batch(schema: schema, columns: labels.columns + features, rowCount: labels.rowCount))
    } catch let error as FeatureError {
      throw error.after(rowCount: labelRowCount)
    }
  }

  /// Drops what is to be dropped, and counts and digests the rest.
  private mutating func finished(_ joined: Batch) -> Batch {
    let labelFields = Array(schema.fields.prefix(schema.fields.count - featureNames.count))
    var rows = joined
    if options.dropMissing, let kept = Self.completeRows(joined.columns.suffix(featureNames.count), rowCount: joined.rowCount) {
      rows = joined.take(kept)
      for (index, column) in joined.columns.suffix(featureNames.count).enumerated() { droppedNullCounts[index] += column.nullCount }
    }
    let features = Array(rows.columns.suffix(featureNames.count))
    keptDigest?.update(Batch(schema: Schema(labelFields), columns: Array(rows.columns.prefix(labelFields.count)), rowCount: rows.rowCount))
    featureDigest.update(
      Batch(schema: Schema(Array(schema.fields.suffix(features.count))), columns: features, rowCount: rows.rowCount))
    for (index, column) in features.enumerated() { nullCounts[index] += column.nullCount }
    rowCount += rows.rowCount
    return rows
  }

  /// The rows in which no column is null; nil for all. - Complexity: O(rows / 64 × columns with nulls)
  private static func completeRows(_ columns: some Collection<Column>, rowCount: Int) -> [Int32]? {
    let masks = columns.filter { $0.nullCount > 0 }.compactMap(\.validity)
    guard !masks.isEmpty else { return nil }
    var rows: [Int32] = []
    rows.reserveCapacity(rowCount)
    for start in stride(from: 0, to: rowCount, by: 64) {
      var word = masks.reduce(UInt64.max) { $0 & $1.word(at: start) }
      while word != 0 {
        rows.append(Int32(start + word.trailingZeroBitCount))
        word &= word - 1
      }
    }
    return rows
  }

  private static func checkNames(_ names: [String], _ labels: Schema, _ options: TrainingOptions) throws(FeatureError) {
    for field in labels.fields where ReservedName.holds(field.name) && field.name != ReservedName.rowNumber {
      throw FeatureError(
        .labels, "Labels have a column \(field.name): names that begin with \(ReservedName.prefix) are Almanac's own; rename the column")
    }
    var seen: Set<String> = []
    for name in names {
      // Definitions that were stored before such names were refused.
      guard !ReservedName.holds(name) else {
        throw FeatureError(
          .definition,
          "A feature is named \(name): names that begin with \(ReservedName.prefix) are Almanac's own; rename it in features/ and apply")
      }
      let hint = options.fullNames ? "; rename the label column" : "; use --full-names"
      guard labels.index(of: name) == nil else {
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
      "labels": .string(labelDigest.finalized()), "service": definition, "datasets": .object(datasetRoots),
      "engine": .int(FeatureEngine.semanticsVersion),
      "options": options.json,
    ]
    var output: [String: JSON] = [
      "digest": .string((keptDigest ?? labelDigest).joined(with: featureDigest)), "rows": .int(Int64(rowCount)),
      "nulls": counts(nullCounts),
    ]
    if options.dropMissing { output["dropped"] = ["rows": .int(Int64(droppedRowCount)), "nulls": counts(droppedNullCounts)] }
    let timeless = service.views.filter { $0.view.isTimeless }.map(\.view.view.name)
    return [
      "format": .int(Self.manifestFormat), "recipe": .string(Self.recipe(of: inputs)), "inputs": inputs, "commit": .string(commit),
      "timeless_views": .array(Set(timeless).sorted().map { .string($0) }), "output": .object(output),
    ]
  }

  /// Of manifests (docs/format/training-set.md).
  package static let manifestFormat: Int64 = 1

  /// The name of a result, from what determines it.
  package static func recipe(of inputs: JSON) -> String { BatchDigest.hex(SHA256.hash(data: inputs.canonicalBytes)) }

  package var droppedRowCount: Int { labelRowCount - rowCount }

  private func counts(_ counts: [Int]) -> JSON {
    .object(Dictionary(zip(featureNames, counts.map { .int(Int64($0)) }), uniquingKeysWith: { first, _ in first }))
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
