import Columns
import History
import Parquet

/// One version of one dataset, ready to be read.
package struct TableVersion: Sendable {
  package let archive: Archive
  package let rootID: RootID
  package let layout: TableLayout
  package let rowCount: Int
  package let partitions: [PartitionEntry]

  package init(archive: Archive, root id: RootID) throws {
    let root = try archive.root(id)
    self.archive = archive
    rootID = id
    layout = try TableLayout(schemaJSON: root.schema, layoutJSON: root.layout)
    rowCount = root.rowCount
    partitions = try archive.partitions(of: id)
  }

  /// Every leaf, in the order of (partition, key).
  package func leaves() throws -> [LeafEntry] {
    try partitions.flatMap { try archive.leaves(of: $0.tree) }
  }

  /// The rows in the order of (partition, key), a leaf at a time.
  /// - Parameter columns: names in the order wanted; nil for all.
  package func forEachBatch(columns: [String]? = nil, _ body: (Batch) throws -> Void) throws {
    let wanted = schema(selecting: columns)
    for leaf in try leaves() {
      try body(LeafFile.read(leaf.id, fields: wanted.fields, from: archive))
    }
  }

  /// All rows at once, in the order of (partition, key). - Complexity: O(bytes of the columns); decoded on all processors.
  package func read(columns: [String]? = nil) throws -> Batch {
    let wanted = schema(selecting: columns)
    let parts = try parallelMap(try leaves()) { try LeafFile.read($0.id, fields: wanted.fields, from: archive) }
    guard !parts.isEmpty else { return Batch.empty(wanted) }
    return parts.count == 1 ? parts[0] : Batch.concatenate(parts)
  }

  /// All rows with the named columns, ascending by `order` (nulls first); ties keep key order.
  package func rows(columns: [String], order: [String]) throws -> Batch {
    let extra = order.filter { !columns.contains($0) }
    let batch = try read(columns: columns + extra)
    let keys = order.map { batch[$0]! }
    let sorted = SortKernel.permutation(by: keys).map { batch.take($0) } ?? batch
    return sorted.selecting(columns)!
  }

  private func schema(selecting columns: [String]?) -> Schema {
    guard let columns else { return layout.schema }
    return Schema(columns.map { layout.schema[$0]! })
  }
}

extension Batch {
  package static func empty(_ schema: Schema) -> Batch {
    Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }
}

/// Leaves as files: encoding in our Parquet profile, and reading back by field id.
package enum LeafFile {
  /// - Throws: `TableError` of kind `input` for values that a file cannot hold, as decimals of more digits than their type.
  package static func encode(_ batch: Batch, layout: TableLayout) throws(TableError) -> BufferSlice {
    do {
      return try ParquetWriter.file(of: batch, options: .leaf(keyColumns: Set(layout.keyIndices)))
    } catch {
      throw TableError(.input, "Cannot store the rows: \(error)")
    }
  }

  /// The wanted fields of a leaf; a field that the file does not have is null in every row, a narrower one is widened.
  package static func read(_ id: LeafID, fields: [Field], from archive: Archive) throws -> Batch {
    let file = try archive.mapLeaf(id)
    let reader: ParquetReader
    do {
      reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
    } catch {
      throw TableError(.corrupt, "Cannot read leaf \(id): \(error)")
    }
    let positions = fields.map { wanted in reader.schema.fields.firstIndex { $0.id == wanted.id } }
    let present = positions.compactMap { $0 }
    var parts: [Batch] = []
    do {
      for group in 0..<reader.rowGroupCount { parts.append(try reader.read(rowGroup: group, columns: present)) }
    } catch {
      throw TableError(.corrupt, "Cannot read leaf \(id): \(error)")
    }
    let rowCount = reader.rowCount
    let stored = parts.isEmpty ? [] : (parts.count == 1 ? parts[0] : Batch.concatenate(parts)).columns
    var next = 0
    var columns: [Column] = []
    for (field, position) in zip(fields, positions) {
      guard position != nil else {
        columns.append(Column(field.type, repeating: .null, count: rowCount))
        continue
      }
      let column = stored.isEmpty ? Column(field.type, []) : stored[next]
      next += 1
      columns.append(column.type == field.type ? column : try column.cast(to: field.type))
    }
    return Batch(schema: Schema(fields), columns: columns, rowCount: rowCount)
  }
}
