import JSON

/// What a training set takes from the command that asks for it.
package struct TrainingOptions: Hashable, Sendable {
  /// The label column with the time as of which features are wanted.
  package var timeColumn: String
  /// Name feature columns `view__feature`.
  package var fullNames: Bool
  /// Leave out label rows in which any feature column of the service is null.
  package var dropMissing: Bool

  package init(timeColumn: String = "event_timestamp", fullNames: Bool = false, dropMissing: Bool = false) {
    self.timeColumn = timeColumn
    self.fullNames = fullNames
    self.dropMissing = dropMissing
  }

  /// As recipes have them. What came later stands there only when it is used, so that recipes without it keep their ids.
  var json: JSON {
    var members: [String: JSON] = ["time_column": .string(timeColumn), "full_names": .bool(fullNames)]
    if dropMissing { members["drop_missing"] = true }
    return .object(members)
  }

  /// - Returns: nil for what `json` did not write.
  package init?(_ json: JSON) {
    guard let timeColumn = json["time_column"]?.stringValue, let fullNames = json["full_names"]?.boolValue else { return nil }
    self.init(timeColumn: timeColumn, fullNames: fullNames, dropMissing: json["drop_missing"]?.boolValue ?? false)
  }
}

package enum FeatureEngine {
  /// Raised whenever the same definitions over the same rows would give other values; part of every recipe.
  package static let semanticsVersion: Int64 = 1
}
