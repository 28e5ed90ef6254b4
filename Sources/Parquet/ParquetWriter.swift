import Columns

/// What the footer says about a written row group.
struct RowGroupSummary: Sendable {
  let rowCount: Int
  let offset: Int
  var chunks: [ChunkSummary]
}

/// Writes a Parquet file as batches come; row groups go out as they fill.
///
/// The bytes follow from schema, options, rows and the versions of the codecs alone, not from how rows came in batches.
/// Timestamps in seconds are stored, and read back, as milliseconds. After a sink has thrown, the writer must not be used again.
package struct ParquetWriter: Sendable {
  package let schema: Schema
  package let options: ParquetWriterOptions
  private let layouts: [ColumnLayout]
  private var pending: [Batch] = []
  private var pendingRowCount = 0
  private var fileOffset = 0
  private var rowGroups: [RowGroupSummary] = []

  package init(schema: Schema, options: ParquetWriterOptions) {
    self.schema = schema
    self.options = options
    layouts = schema.fields.map { ColumnLayout($0) }
  }

  /// - Precondition: the batch has the types of the schema, and nulls only where a field is nullable.
  /// - Throws: what the sink throws.
  package mutating func write(_ batch: Batch, into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has other columns than the file")
    if batch.rowCount > 0 { pending.append(batch) }
    pendingRowCount += batch.rowCount
    let groupRowCount = max(1, options.rowGroupRowCount)
    guard pendingRowCount >= groupRowCount else { return }
    let rows = Batch.concatenate(pending)
    var start = 0
    while rows.rowCount - start >= groupRowCount {
      try writeRowGroup(rows.slice(from: start, count: groupRowCount), into: sink)
      start += groupRowCount
    }
    pendingRowCount = rows.rowCount - start
    pending = pendingRowCount > 0 ? [rows.slice(from: start, count: pendingRowCount)] : []
  }

  /// Writes the last rows and the footer. - Throws: what the sink throws.
  package mutating func finish(into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    if !pending.isEmpty { try writeRowGroup(Batch.concatenate(pending), into: sink) }
    pending = []
    pendingRowCount = 0
    try writeHead(into: sink)
    if options.pageIndex { try writeIndexes(into: sink) }
    var footer = FooterWriting.footer(layouts, rowGroups, options)
    let byteCount = UInt32(footer.count)
    withUnsafeBytes(of: byteCount.littleEndian) { footer.append(contentsOf: $0) }
    footer.append(contentsOf: Self.magic)
    try put(footer, into: sink)
  }

  private static let magic = Array("PAR1".utf8)

  private mutating func put(_ bytes: [UInt8], into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try bytes.withUnsafeBytes { try sink($0) }
    fileOffset += bytes.count
  }

  private mutating func writeHead(into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    if fileOffset == 0 { try put(Self.magic, into: sink) }
  }

  private mutating func writeRowGroup(_ batch: Batch, into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    try writeHead(into: sink)
    var group = RowGroupSummary(rowCount: batch.rowCount, offset: fileOffset, chunks: [])
    var bytes = ByteSink()
    for (index, layout) in layouts.enumerated() {
      bytes.removeAll()
      let encoder = ChunkEncoder(batch.columns[index], layout, options, isKey: options.plainColumns.contains(index))
      group.chunks.append(encoder.encode(into: &bytes, fileOffset: fileOffset))
      try sink(bytes.bytes)
      fileOffset += bytes.count
    }
    rowGroups.append(group)
  }

  /// All column indexes, then all offset indexes, so that a reader of one kind fetches one range.
  private mutating func writeIndexes(into sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    for group in rowGroups.indices {
      for column in rowGroups[group].chunks.indices {
        guard let index = FooterWriting.columnIndex(rowGroups[group].chunks[column]) else { continue }
        rowGroups[group].chunks[column].columnIndex = (fileOffset, index.count)
        try put(index, into: sink)
      }
    }
    for group in rowGroups.indices {
      for column in rowGroups[group].chunks.indices {
        let index = FooterWriting.offsetIndex(rowGroups[group].chunks[column])
        rowGroups[group].chunks[column].offsetIndex = (fileOffset, index.count)
        try put(index, into: sink)
      }
    }
  }

  /// A whole file in memory with one row group, whatever the number of rows (none without rows).
  /// - Precondition: as for `write`.
  package static func encode(_ batch: Batch, options: ParquetWriterOptions) -> BufferSlice {
    var options = options
    options.rowGroupRowCount = max(1, batch.rowCount)
    var writer = ParquetWriter(schema: batch.schema, options: options)
    var file = ByteSink(byteCapacity: 1 << 16)
    writer.write(batch) { file.append($0) }
    writer.finish { file.append($0) }
    return file.finish()
  }
}
