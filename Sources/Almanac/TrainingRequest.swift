import Features
import History
import JSON

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
  /// Leave out label rows in which any feature of the service is null.
  package var dropMissing: Bool
  /// Commit the result as this dataset too.
  package var save: String?

  package init(
    service: String, labels: String, output: String, at: String? = nil, ref: String? = nil,
    timeColumn: String = "event_timestamp", fullNames: Bool = false, dropMissing: Bool = false, save: String? = nil
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
  }

  var options: TrainingOptions { TrainingOptions(timeColumn: timeColumn, fullNames: fullNames, dropMissing: dropMissing) }
}

package struct TrainingReport: Sendable {
  package let manifest: JSON
  package let recipe: String
  package let rowCount: Int
  /// Label rows left out because a feature was missing; nil where none may be.
  package let droppedRowCount: Int?
  package let featureCount: Int
  package let savedCommit: CommitID?
}
