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

  /// Under the contract's columns: an older version is read by their ids.
  func stored(_ dataset: String) throws -> StoredTable? {
    guard let reference = commit.datasets[dataset] else { return nil }
    let version = try TableVersion(archive: archive, root: reference.root)
    return StoredTable(version: version, layout: try definitions.contracts[dataset]?.layout(evolving: version.layout) ?? version.layout)
  }

  /// A dataset that is registered but has no commits yet has no rows.
  func rows(_ dataset: String, columns: [String], order: [String]) throws -> Batch {
    guard let reference = commit.datasets[dataset] else {
      let schema = try table(dataset).schema
      return Batch.empty(Schema(columns.map { schema[$0]! }))
    }
    let version = try TableVersion(archive: archive, root: reference.root)
    guard let layout = try definitions.contracts[dataset]?.layout(evolving: version.layout), layout != version.layout else {
      return try version.rows(columns: columns, order: order)
    }
    // The contract is newer than the version, as in a commit that something else than `apply` has made: columns are the same where
    // their ids are, narrower ones are widened, and those that the version does not have are null in every row.
    let fields = columns.map { layout.schema[$0]! }
    let sources = fields.map { field in version.layout.schema.fields.first { $0.id == field.id }?.name }
    let stored = order.compactMap { name in version.layout.schema.fields.first { $0.id == layout.schema[name]?.id }?.name }
    let batch = try version.rows(columns: sources.compactMap { $0 }, order: stored)
    let result = try zip(fields, sources).map { field, source -> Column in
      guard let column = source.flatMap({ batch[$0] }) else { return Column(field.type, repeating: .null, count: batch.rowCount) }
      return try column.cast(to: field.type)
    }
    return Batch(schema: Schema(fields), columns: result, rowCount: batch.rowCount)
  }
}
