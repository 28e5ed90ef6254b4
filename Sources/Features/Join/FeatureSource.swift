import Columns

/// Where the rows of feature views come from: the datasets of one commit.
package protocol FeatureSource: Sendable {
  /// - Throws: an error that names the dataset when there is none of this name.
  func table(_ dataset: String) throws -> SourceTable

  /// All rows of a dataset, with at least `columns`, sorted ascending by `order` in turn; nulls come first.
  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch
}
