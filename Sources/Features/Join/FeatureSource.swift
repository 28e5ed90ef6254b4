import Columns
import Tables

/// Where the rows of feature views come from: the datasets of one commit.
package protocol FeatureSource: Sendable {
  /// - Throws: an error that names the dataset when there is none of this name.
  func table(_ dataset: String) throws -> SourceTable

  /// All rows of a dataset, with at least `columns`, sorted ascending by `order` in turn; nulls come first.
  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch

  /// The dataset as it is stored, so that only what matters is read; nil when it is not stored, or has no rows.
  func stored(_ dataset: String) throws -> StoredTable?
}

extension FeatureSource {
  package func stored(_ dataset: String) throws -> StoredTable? { nil }
}

/// A version of a dataset, and the layout to read it under.
package struct StoredTable: Sendable {
  package let version: TableVersion
  package let layout: TableLayout

  package init(version: TableVersion, layout: TableLayout) {
    self.version = version
    self.layout = layout
  }
}
