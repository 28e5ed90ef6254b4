import Columns

/// Reads a Parquet file that lies in memory or is mapped there.
///
/// Everything the file says about itself is checked before it is used: a damaged or hostile file gives a `ParquetError`,
/// never a trap. Flat columns only.
package struct ParquetReader: Sendable {
  package let schema: Schema
  package let rowCount: Int
  package let keyValueMetadata: [String: String]
  package let createdBy: String?
  let bytes: BufferSlice
  private let shapes: [ColumnShape]
  private let rowGroups: [RowGroupMetadata]
  /// Where the footer's metadata starts and data must end.
  private let dataEnd: Int

  /// "PAR1" in front and behind, and the length of the footer.
  private static let byteCountMin = 12

  /// Parses the footer.
  /// - Parameter bytes: must stay unchanged as long as the reader and its slices exist.
  /// - Throws: `.malformed` when the bytes are no Parquet file, `.unsupported` for encrypted files and nested columns.
  /// - Complexity: O(footer)
  package init(bytes: BufferSlice) throws(ParquetError) {
    self.bytes = bytes
    let (metadata, footerStart) = try bytes.withBytes { (bytes) throws(ParquetError) in try Self.footer(bytes) }
    guard !metadata.isEncrypted else { throw .unsupported("Cannot read the file: its columns are encrypted") }
    dataEnd = footerStart
    shapes = try Self.shapes(metadata.schema)
    schema = Schema(shapes.map(\.field))
    keyValueMetadata = metadata.keyValues
    createdBy = metadata.createdBy
    rowGroups = metadata.rowGroups
    var total = 0
    for (index, group) in metadata.rowGroups.enumerated() {
      try Self.check(group, index, shapes, byteCount: bytes.byteCount)
      total += group.rowCount
    }
    guard metadata.rowCount == total else {
      throw .malformed("Cannot read the footer: it claims \(metadata.rowCount) rows, but its row groups hold \(total)")
    }
    rowCount = total
  }

  package var rowGroupCount: Int { rowGroups.count }

  package func rowCount(ofRowGroup index: Int) -> Int { rowGroups[index].rowCount }

  /// Decodes columns of one row group.
  /// - Parameters:
  ///   - columns: indices into the schema, in the order of the result; nil means all.
  ///   - rows: rows of the group; pages without any of them are not decoded. Nil means all.
  /// - Precondition: indices and rows exist.
  /// - Complexity: O(bytes of the pages that hold the rows)
  package func read(rowGroup index: Int, columns: [Int]? = nil, rows: Range<Int>? = nil) throws(ParquetError) -> Batch {
    let group = rowGroups[index]
    let rows = rows ?? 0..<group.rowCount
    precondition(rows.lowerBound >= 0 && rows.upperBound <= group.rowCount, "Rows \(rows) lie outside the row group")
    let wanted = columns ?? Array(shapes.indices)
    var result: [Column] = []
    for column in wanted { result.append(try read(column, of: index, rows: rows)) }
    return Batch(schema: Schema(wanted.map { schema.fields[$0] }), columns: result, rowCount: rows.count)
  }

  private func read(_ column: Int, of group: Int, rows: Range<Int>) throws(ParquetError) -> Column {
    do {
      return try bytes.withBytes { (file) throws(ParquetError) in
        try Self.decode(file, shapes[column], rowGroups[group].columns[column], rowGroups[group].rowCount, rows, dataEnd: dataEnd)
      }
    } catch {
      throw error.within("Cannot read column \(shapes[column].field.name) in row group \(group)")
    }
  }

  private static func decode(
    _ file: UnsafeRawBufferPointer, _ shape: ColumnShape, _ chunk: ColumnChunkMetadata, _ rowCount: Int, _ rows: Range<Int>, dataEnd: Int
  ) throws(ParquetError) -> Column {
    guard !rows.isEmpty else { return Column(shape.field.type, []) }
    let pages = try ChunkPages(file, chunk, dataEnd: dataEnd, rowCount: rowCount, rows: rows)
    let wanted = pages.pages.enumerated().filter { _, page in
      page.firstRow < rows.upperBound && page.firstRow + page.rowCount > rows.lowerBound
    }
    guard let first = wanted.first?.element.firstRow else { throw .malformed("it has no page for the rows \(rows)") }
    var decoder = try ChunkDecoder(
      shape, codec: chunk.codec, rowCapacity: wanted.reduce(0) { $0 + $1.element.rowCount },
      // A first guess for strings; it grows.
      byteCapacity: min(chunk.compressedByteCount * 2, 1 << 26),
      byteCountMax: expandedByteCountMin + 1024 * file.count)
    if let offset = pages.dictionaryOffset {
      let (header, body) = try pages.header(at: offset)
      do { try decoder.readDictionary(header, body) } catch { throw error.within("dictionary page at byte \(offset)") }
    }
    for (number, page) in wanted {
      let (header, body) = try pages.header(at: page.offset)
      do {
        try decoder.readPage(header, body, rowCount: page.rowCount)
      } catch {
        throw error.within("page \(number) at byte \(page.offset)")
      }
    }
    let column = decoder.finish()
    return column.count == rows.count ? column : column.slice(from: rows.lowerBound - first, count: rows.count)
  }

  /// What the strings of any row group may take, however small the file.
  private static let expandedByteCountMin = 1 << 30
  /// A row takes a bit of a run at least; runs and general codecs together reach this many rows a byte in real files.
  private static let rowCountPerByteMax = 1 << 14
  private static let rowCountMin = 1 << 22

  // MARK: The footer

  private static func footer(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) -> (FileMetadata, start: Int) {
    guard bytes.count >= byteCountMin else {
      throw .malformed("Cannot read the file: it has \(bytes.count) bytes, a Parquet file at least \(byteCountMin)")
    }
    let tail = bytes.loadUnaligned(fromByteOffset: bytes.count - 4, as: UInt32.self)
    guard tail != magic("PARE") else { throw .unsupported("Cannot read the file: its footer is encrypted") }
    guard tail == magic("PAR1") else {
      throw .malformed("Cannot read the file: it does not end with PAR1, it is truncated or no Parquet file")
    }
    let length = Int(bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt32.self))
    guard length <= bytes.count - byteCountMin else {
      throw .malformed("Cannot read the footer: it claims \(length) bytes of a file of \(bytes.count) bytes")
    }
    let start = bytes.count - 8 - length
    do {
      return (try FileMetadata(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<(start + length)])), start)
    } catch {
      throw error.within("Cannot read the footer at byte \(start)")
    }
  }

  private static func magic(_ text: StaticString) -> UInt32 {
    UnsafeRawPointer(text.utf8Start).loadUnaligned(as: UInt32.self)
  }

  private static func shapes(_ elements: [SchemaElement]) throws(ParquetError) -> [ColumnShape] {
    guard let root = elements.first else { throw .malformed("Cannot read the footer: it has no schema") }
    var shapes: [ColumnShape] = []
    for element in elements.dropFirst() { shapes.append(try ColumnShape(element)) }
    guard Int(root.childCount) == shapes.count else {
      throw .malformed("Cannot read the footer: its schema claims \(root.childCount) columns and describes \(shapes.count)")
    }
    return shapes
  }

  private static func check(
    _ group: RowGroupMetadata, _ index: Int, _ shapes: [ColumnShape], byteCount: Int
  ) throws(ParquetError) {
    let place = "Cannot read row group \(index)"
    guard group.columns.count == shapes.count else {
      throw .malformed("\(place): it has \(group.columns.count) columns, the schema \(shapes.count)")
    }
    guard group.rowCount >= 0, group.rowCount <= Int(Int32.max), group.rowCount <= rowCountMin + byteCount * rowCountPerByteMax else {
      throw .malformed("\(place): it claims \(group.rowCount) rows in a file of \(byteCount) bytes")
    }
    for (column, shape) in zip(group.columns, shapes) {
      let place = "Cannot read column \(shape.field.name) in row group \(index)"
      guard !column.isElsewhere else { throw .unsupported("\(place): it lies in another file") }
      guard !column.isEncrypted else { throw .unsupported("\(place): it is encrypted") }
      guard column.isPresent else { throw .malformed("\(place): the footer does not describe it") }
      guard column.type == shape.physicalType else {
        throw .malformed("\(place): it is stored as \(column.type.map { "\($0)" } ?? "nothing"), the schema says \(shape.physicalType)")
      }
      guard column.valueCount == group.rowCount else {
        throw .malformed("\(place): it claims \(column.valueCount) values for \(group.rowCount) rows")
      }
    }
  }
}
