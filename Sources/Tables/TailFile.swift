import Columns
import History
import Parquet

/// Tails as files: the columns of the schema and the operation, in the order of (partition, key) (docs/format/repository.md).
enum TailFile {
  /// Stores operations as one file.
  /// - Parameter parts: by partition, ascending; none of them empty.
  /// - Returns: the tail, durable in the archive, under the given sequence.
  static func write(
    _ parts: [(partition: Int64, operations: RowOperations)], sequence: Int, layout: TableLayout, to archive: Archive
  ) throws -> TailEntry {
    let (entry, bytes, digests) = try encode(parts, sequence: sequence, layout: layout)
    try bytes.withBytes { try archive.putTail(entry.id, bytes: $0, digests: digests) }
    return entry
  }

  /// The file of some operations, and what a root says of it.
  /// - Parameter parts: as of `write`.
  static func encode(
    _ parts: [(partition: Int64, operations: RowOperations)], sequence: Int, layout: TableLayout
  ) throws -> (entry: TailEntry, bytes: BufferSlice, digests: [UInt8]) {
    // Deleted rows are null beside the key, whatever the contract asks of rows that stay.
    let fields = layout.schema.fields.map { field in
      Field(field.name, field.type, isNullable: !layout.primaryKey.contains(field.name), id: field.id)
    }
    let rows = Batch.concatenate(parts.map { $0.operations.rows })
    let codes = parts.flatMap { $0.operations.codes.map(\.rawValue) }
    let operations = Column(
      type: .int8, count: codes.count, data: BufferSlice(copying: codes.map { UInt8(bitPattern: $0) }))
    // A row number of -1 gives a null.
    let kept = codes.indices.map { codes[$0] == RowOperation.delete.rawValue ? -1 : Int32($0) }
    let hasDeletes = kept.contains(-1)
    let columns = zip(fields, rows.columns).map { field, column in
      hasDeletes && field.isNullable ? column.take(kept) : column
    }
    let batch = Batch(schema: Schema(fields + [RowOperation.field]), columns: columns + [operations], rowCount: rows.rowCount)
    let identity = LeafIdentity(batch)
    let id = TailID(hash: identity.id.hash)
    let bytes: BufferSlice
    do {
      bytes = try ParquetWriter.file(of: batch, options: .leaf(keyColumns: [], name: id.bytes))
    } catch {
      throw TableError(.input, "Cannot store the rows: \(error)")
    }
    let entry = TailEntry(
      id: id, sequence: sequence,
      parts: parts.map { part in
        TailPart(
          partition: part.partition, rowCount: part.operations.count, insertCount: part.operations.insertCount,
          deleteCount: part.operations.deleteCount)
      })
    return (entry, bytes, identity.digests)
  }

  /// Rows of a tail with the wanted fields, among them the key.
  static func read(
    _ id: TailID, rows: Range<Int>, fields: [Field], layout: TableLayout, from archive: Archive
  ) throws -> RowOperations {
    let stored = try StoredRows(tail: id, in: archive)
    guard rows.upperBound <= stored.rowCount else {
      throw TableError(.corrupt, "Cannot read tail \(id): expected \(rows.upperBound) rows at least, found \(stored.rowCount)")
    }
    let batch = try stored.read(fields + [RowOperation.field], rows: rows)
    let codes = try batch.columns[fields.count].values(Int8.self).array.map { code -> RowOperation in
      guard let operation = RowOperation(rawValue: code) else {
        throw TableError(.corrupt, "Cannot read tail \(id): operation \(code) is unknown")
      }
      return operation
    }
    let columns = Array(batch.columns.dropLast())
    return RowOperations(
      rows: Batch(schema: Schema(fields), columns: columns, rowCount: rows.count), codes: codes, primaryKey: layout.primaryKey)
  }

  /// What a tail does to the given keys. - Parameter keys: key columns, sorted, each key once.
  /// - Complexity: the key columns of the rows, and the pages of those found
  static func find(
    _ id: TailID, rows: Range<Int>, keys: [Column], fields: [Field], layout: TableLayout, from archive: Archive
  ) throws -> RowOperations? {
    let stored = try StoredRows(tail: id, in: archive)
    guard rows.upperBound <= stored.rowCount else {
      throw TableError(.corrupt, "Cannot read tail \(id): expected \(rows.upperBound) rows at least, found \(stored.rowCount)")
    }
    var search = KeySearch(wantedCount: keys[0].count, storedCount: rows.count)
    for (field, column) in zip(layout.keySchema.fields, keys) {
      guard let open = search.openRows else { break }
      let part = rows.lowerBound + open.lowerBound..<rows.lowerBound + open.upperBound
      search.narrow(stored: try stored.read([field], rows: part).columns[0], firstRow: open.lowerBound, wanted: column)
    }
    let found = search.lower.indices.compactMap { search.match($0) }
    guard let first = found.first, let last = found.last else { return nil }
    let part = rows.lowerBound + first..<rows.lowerBound + last + 1
    return try read(id, rows: part, fields: fields, layout: layout, from: archive).take(found.map { Int32($0 - first) })
  }
}
