import Features
import History
import JSON

/// What a training set is asked for.
package struct TrainingRequest: Sendable {
  /// Where label rows come from.
  package enum Labels: Hashable, Sendable {
    /// A file, or `-` for standard input.
    case file(String)
    case entities(EntityGrid)
  }

  package var service: String
  package var labels: Labels
  package var output: String
  /// The output's format, if not that of its name.
  package var format: FileFormat?
  /// Use the commit that the ref had at this time.
  package var at: String?
  package var ref: String?
  package var timeColumn: String
  package var fullNames: Bool
  /// Leave out label rows in which any feature of the service is null.
  package var dropMissing: Bool
  /// Commit the result as this dataset too.
  package var save: String?
  /// Note what is read, and why.
  package var explains: Bool

  package init(
    service: String, labels: String, output: String, at: String? = nil, ref: String? = nil,
    timeColumn: String = "event_timestamp", fullNames: Bool = false, dropMissing: Bool = false, save: String? = nil,
    explains: Bool = false
  ) {
    self.init(
      service: service, labels: .file(labels), output: output, at: at, ref: ref, timeColumn: timeColumn, fullNames: fullNames,
      dropMissing: dropMissing, save: save, explains: explains)
  }

  package init(
    service: String, labels: Labels, output: String, at: String? = nil, ref: String? = nil,
    timeColumn: String = "event_timestamp", fullNames: Bool = false, dropMissing: Bool = false, save: String? = nil,
    explains: Bool = false
  ) {
    self.service = service
    self.labels = labels
    self.output = output
    self.at = at
    self.ref = ref
    self.timeColumn = timeColumn
    self.fullNames = fullNames
    self.dropMissing = dropMissing
    self.save = save
    self.explains = explains
  }

  var options: TrainingOptions { TrainingOptions(timeColumn: timeColumn, fullNames: fullNames, dropMissing: dropMissing) }
}

/// A training set to be made again.
package struct RecipeRequest: Sendable {
  /// The manifest beside the training set.
  package var manifest: String
  /// Where the label file lies now; nil for where the manifest says.
  package var labels: String?
  /// Nil for the file that the manifest lies beside.
  package var output: String?
  /// The output's format, if not that of its name.
  package var format: FileFormat?
  package var save: String?

  package init(manifest: String, labels: String? = nil, output: String? = nil, save: String? = nil) {
    self.manifest = manifest
    self.labels = labels
    self.output = output
    self.save = save
  }
}

package struct TrainingReport: Sendable {
  package let output: String
  package let service: String
  package let manifest: JSON
  package let recipe: String
  package let rowCount: Int
  /// Label rows left out because a feature was missing; nil where none may be.
  package let droppedRowCount: Int?
  package let featureCount: Int
  package let savedCommit: CommitID?
  /// When it was asked for.
  package let explanation: TrainingExplanation?
}
