/// What a training set takes from the command that asks for it.
package struct TrainingOptions: Hashable, Sendable {
  /// The label column with the time as of which features are wanted.
  package var timeColumn: String
  /// Name feature columns `view__feature`.
  package var fullNames: Bool

  package init(timeColumn: String = "event_timestamp", fullNames: Bool = false) {
    self.timeColumn = timeColumn
    self.fullNames = fullNames
  }
}

package enum FeatureEngine {
  /// Raised whenever the same definitions over the same rows would give other values; part of every recipe.
  package static let semanticsVersion: Int64 = 1
}
