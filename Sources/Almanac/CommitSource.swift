import Columns
import Features
import History
import Tables

/// The datasets of one commit as feature views read them.
struct CommitSource: FeatureSource {
  let archive: Archive
  let commit: Commit
  let definitions: Definitions

  func table(_ dataset: String) throws -> SourceTable {
    guard let table = definitions.sources[dataset] else {
      throw AlmanacError(.notFound, "There is no dataset \(dataset) among the registered contracts")
    }
    return table
  }

  /// A dataset that is registered but has no commits yet has no rows.
  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    guard let reference = commit.datasets[dataset] else {
      let schema = try table(dataset).schema
      return Batch.empty(Schema(columns.map { schema[$0]! }))
    }
    let version = try TableVersion(archive: archive, root: reference.root)
    // A column that the contract has gained since the last commit is null in every row of it.
    let known = columns.filter { version.layout.schema.index(of: $0) != nil }
    let batch = try version.rows(columns: known, order: order)
    guard known.count < columns.count else { return batch }
    let schema = try table(dataset).schema
    let fields = columns.map { schema[$0]! }
    return Batch(
      schema: Schema(fields),
      columns: fields.map { batch[$0.name] ?? Column($0.type, repeating: .null, count: batch.rowCount) }, rowCount: batch.rowCount)
  }
}
