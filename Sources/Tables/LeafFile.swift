import Columns
import History
import Parquet

/// Leaves as files: encoding in our Parquet profile, and reading back by field id.
package enum LeafFile {
  /// - Parameter id: what the rows are called, if the file is to be kept under it.
  /// - Throws: `TableError` of kind `input` for values that a file cannot hold, as decimals of more digits than their type.
  package static func encode(_ batch: Batch, layout: TableLayout, id: LeafID? = nil) throws(TableError) -> BufferSlice {
    do {
      return try ParquetWriter.file(of: batch, options: .leaf(keyColumns: Set(layout.keyIndices), name: id?.bytes))
    } catch {
      throw TableError(.input, "Cannot store the rows: \(error)")
    }
  }

  /// The wanted fields of a leaf; a field that the file does not have is null in every row.
  package static func read(_ id: LeafID, fields: [Field], from archive: Archive) throws -> Batch {
    try StoredRows(leaf: id, in: archive).read(fields)
  }
}
