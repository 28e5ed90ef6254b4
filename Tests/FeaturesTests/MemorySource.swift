import Columns
import Features

/// Datasets in memory, for tests.
struct MemorySource: FeatureSource {
  var tables: [String: (table: SourceTable, rows: Batch)] = [:]

  func table(_ dataset: String) throws -> SourceTable {
    guard let found = tables[dataset] else { throw FeatureError(.notFound, "There is no dataset \(dataset)") }
    return found.table
  }

  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    guard let found = tables[dataset], let selected = found.rows.selecting(columns), let keys = found.rows.selecting(order) else {
      throw FeatureError(.notFound, "There is no dataset \(dataset) with columns \(columns)")
    }
    guard let permutation = SortKernel.permutation(by: keys.columns) else { return selected }
    return selected.take(permutation)
  }
}
