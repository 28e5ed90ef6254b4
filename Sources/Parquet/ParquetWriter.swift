import Columns

/// What the footer says about a written row group.
struct RowGroupSummary: Sendable {
  let rowCount: Int
  let offset: Int
  /// One a leaf.
  var chunks: [ChunkSummary]
}

/// Writes a Parquet file as batches come; row groups go out as they fill, and no more than one is held.
///
/// The bytes follow from schema, options, rows and the versions of the codecs alone, not from how rows came in batches or
/// from threads. Lists and maps are written in the standard three levels. Timestamps and times of day in seconds are stored,
/// and read back, as milliseconds; durations as INT64; names of zones are not kept. After an error the writer must not be used again.
package struct ParquetWriter: Sendable {
  package let schema: Schema
  package let options: ParquetWriterOptions
  private let written: WriterSchema
  private var pending: RowGroupBuffer
  private var fileOffset = 0
  private var rowGroups: [RowGroupSummary] = []

  package init(schema: Schema, options: ParquetWriterOptions) {
    self.schema = schema
    self.options = options
    written = WriterSchema(schema)
    pending = RowGroupBuffer(rowCountMax: options.rowGroupRowCount, byteCountMax: options.rowGroupByteCount)
  }

  /// - Precondition: the batch has the types of the schema.
  /// - Throws: what the sink throws; `ParquetError` for a schema or values that have no form in Parquet, and for nulls where
  ///   the schema has none.
  package mutating func write(_ batch: Batch, into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has other columns than the file")
    if let refusal = written.refusal { throw refusal }
    var rest = batch
    while rest.rowCount > 0 {
      rest = pending.fill(from: rest)
      if pending.isFull || rest.rowCount > 0 { try writeRowGroup(into: sink) }
    }
  }

  /// Ends the row group here, so that what is written next starts another. - Throws: as `write`.
  package mutating func endRowGroup(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    if pending.rowCount > 0 { try writeRowGroup(into: sink) }
  }

  /// Writes the last rows and the footer. - Throws: as `write`.
  package mutating func finish(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    if let refusal = written.refusal { throw refusal }
    if pending.rowCount > 0 { try writeRowGroup(into: sink) }
    try writeHead(into: sink)
    let indexStart = fileOffset
    let indexes = options.pageIndex ? try writeIndexes(into: sink) : []
    var footer = FooterWriting.footer(written, rowGroups, options)
    guard let byteCount = UInt32(exactly: footer.count) else {
      throw ParquetError.unsupported("Cannot write the footer: it has \(footer.count) bytes, 4294967295 are possible")
    }
    withUnsafeBytes(of: byteCount.littleEndian) { footer.append(contentsOf: $0) }
    footer.append(contentsOf: Self.magic)
    if let name = options.sealedName {
      try put(FileSeal.bytes(name: name, indexStart: indexStart, indexes: indexes, rowGroups, footer: footer), into: sink)
    }
    try put(footer, into: sink)
  }

  private static let magic = Array("PAR1".utf8)

  private mutating func put(_ bytes: [UInt8], into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try bytes.withUnsafeBytes { try sink($0) }
    fileOffset += bytes.count
  }

  private mutating func writeHead(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    if fileOffset == 0 { try put(Self.magic, into: sink) }
  }

  // MARK: Row groups

  /// A leaf of a row group that was encoded apart from the file.
  private struct Chunk: Sendable {
    var summary: ChunkSummary
    let bytes: BufferSlice
    let bloomFilter: [UInt8]
  }

  private typealias Filters = [(chunk: Int, bytes: [UInt8])]

  private mutating func writeRowGroup(into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    try writeHead(into: sink)
    var group = RowGroupSummary(rowCount: pending.rowCount, offset: fileOffset, chunks: [])
    let columns = pending.take(columnCount: schema.fields.count)
    let filters =
      options.threadCount > 1 && written.leaves.count > 1
      ? try writeTogether(columns, &group, into: sink) : try writeInTurn(columns, &group, into: sink)
    for filter in filters {
      group.chunks[filter.chunk].bloomFilter = ChunkSummary.Place(offset: fileOffset, byteCount: filter.bytes.count)
      try put(filter.bytes, into: sink)
    }
    rowGroups.append(group)
  }

  /// Pages wait for a call of the sink until they take this many bytes.
  private static let sinkByteCount = 1 << 20

  /// Leaf after leaf; pages go out as they are made, and the memory of a column as soon as its last leaf is encoded.
  private mutating func writeInTurn(
    _ columns: consuming [[Column]], _ group: inout RowGroupSummary, into sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Filters {
    var filters: Filters = []
    var bytes = ByteSink(byteCapacity: Self.sinkByteCount)
    let compressor = PageCompressor()
    for (index, leaf) in written.leaves.enumerated() {
      let isKey = options.plainColumns.contains(leaf.column)
      let encoder = try ChunkEncoder(columns[leaf.column], leaf, options, isKey: isKey, compressor: compressor)
      if index + 1 == written.leaves.count || written.leaves[index + 1].column != leaf.column { columns[leaf.column] = [] }
      var chunk = try encoder.start(fileOffset: fileOffset)
      while try chunk.writeNext(into: &bytes) {
        if bytes.count >= Self.sinkByteCount { try flush(&bytes, into: sink) }
      }
      try flush(&bytes, into: sink)
      group.chunks.append(chunk.finish())
      if options.bloomFilterColumns.contains(leaf.name) { filters.append((index, try encoder.bloomFilter())) }
    }
    return filters
  }

  private mutating func flush(_ bytes: inout ByteSink, into sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    if bytes.count > 0 { try sink(bytes.bytes) }
    fileOffset += bytes.count
    bytes.removeAll()
  }

  /// Several leaves at once; the encoded row group is held until all are done.
  private mutating func writeTogether(
    _ columns: [[Column]], _ group: inout RowGroupSummary, into sink: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> Filters {
    var filters: Filters = []
    let options = options
    let chunks = try parallelMap(written.leaves, threadCountMax: options.threadCount) { leaf in
      let encoder = try ChunkEncoder(columns[leaf.column], leaf, options, isKey: options.plainColumns.contains(leaf.column))
      var bytes = ByteSink()
      let summary = try encoder.encode(into: &bytes, fileOffset: 0)
      let filter = options.bloomFilterColumns.contains(leaf.name) ? try encoder.bloomFilter() : []
      return Chunk(summary: summary, bytes: bytes.finish(), bloomFilter: filter)
    }
    for var chunk in chunks {
      chunk.summary.shift(by: fileOffset)
      if !chunk.bloomFilter.isEmpty { filters.append((group.chunks.count, chunk.bloomFilter)) }
      group.chunks.append(chunk.summary)
      try chunk.bytes.withBytes { try sink($0) }
      fileOffset += chunk.bytes.byteCount
    }
    return filters
  }

  /// All column indexes, then all offset indexes, so that a reader of one kind fetches one range.
  /// - Returns: their bytes.
  private mutating func writeIndexes(into sink: (UnsafeRawBufferPointer) throws -> Void) throws -> [UInt8] {
    var all: [UInt8] = []
    for group in rowGroups.indices {
      for column in rowGroups[group].chunks.indices {
        guard let index = FooterWriting.columnIndex(rowGroups[group].chunks[column]) else { continue }
        rowGroups[group].chunks[column].columnIndex = ChunkSummary.Place(offset: fileOffset, byteCount: index.count)
        try put(index, into: sink)
        all += index
      }
    }
    for group in rowGroups.indices {
      for column in rowGroups[group].chunks.indices {
        let index = FooterWriting.offsetIndex(rowGroups[group].chunks[column])
        rowGroups[group].chunks[column].offsetIndex = ChunkSummary.Place(offset: fileOffset, byteCount: index.count)
        try put(index, into: sink)
        all += index
      }
    }
    return all
  }

  // MARK: Whole files

  /// A whole file in memory with one row group, whatever the number of rows (none without rows).
  /// - Precondition: as for `write`.
  /// - Throws: as `write`.
  package static func file(of batch: Batch, options: ParquetWriterOptions) throws(ParquetError) -> BufferSlice {
    var options = options
    options.rowGroupRowCount = max(1, batch.rowCount)
    options.rowGroupByteCount = .max
    var writer = ParquetWriter(schema: batch.schema, options: options)
    var file = ByteSink(byteCapacity: 1 << 16)
    do {
      try writer.write(batch) { file.append($0) }
      try writer.finish { file.append($0) }
    } catch {
      guard let error = error as? ParquetError else { preconditionFailure("Memory took no bytes: \(error)") }
      throw error
    }
    return file.finish()
  }

  /// `file(of:options:)` of values that are known to have a form in Parquet.
  /// - Precondition: `file(of:options:)` would not throw.
  package static func encode(_ batch: Batch, options: ParquetWriterOptions) -> BufferSlice {
    do {
      return try file(of: batch, options: options)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
