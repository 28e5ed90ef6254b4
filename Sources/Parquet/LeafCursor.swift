import Columns

/// Some rows of a leaf column; with levels where it stands in a list or a structure.
struct LeafRows {
  let column: Column
  let rowCount: Int
  /// One byte an entry: the values, nulls and empty lists of the rows. Empty for flat columns.
  let definitions: BufferSlice
  /// As many, or none where no node above repeats.
  let repetitions: BufferSlice
  let entryCount: Int
}

/// Reads one column chunk from its first row to its last, as many rows at a time as are wanted.
///
/// A page is decompressed once and kept until its last row has been handed out.
// A class, because cursors stand in arrays and own a decompressor.
final class LeafCursor {
  /// The data page that is being read.
  struct OpenPage {
    let offset: Int
    let number: Int
    /// The decompressed bytes; nil where the file's own are read.
    let owner: Buffer?
    var entriesLeft: Int
    var values: PageValues
    /// Only for flat columns: which rows have a value, and the next row.
    var validity = ValidityAppender(capacity: 0)
    var row = 0
    /// Only for nested columns.
    var definitions: HybridCursor?
    var repetitions: HybridCursor?
  }

  let shape: ColumnShape
  let limits: ParquetLimits
  var pages: ChunkPages
  private let decompressor: Decompressor
  var dictionary: ChunkDictionary?
  var page: OpenPage?
  private var pageNumber = 0
  /// Rows of the row group that have not been read.
  var rowsLeft: Int
  /// Values, nulls and empty lists of the chunk that no opened page holds.
  private var entriesUnopened: Int
  var scratch = Buffer(byteCapacity: 0)
  /// A block of levels as bytes, or of bits as words.
  var levelScratch = Buffer(byteCapacity: HybridCursor.blockCount)
  let compressedByteCount: Int

  /// - Parameter file: the whole file, which must stay as long as the cursor.
  init(
    _ file: UnsafeRawBufferPointer, _ shape: ColumnShape, _ chunk: ColumnChunkMetadata, rowCount: Int, dataEnd: Int,
    headerChecksums: HeaderChecksums?, limits: ParquetLimits
  ) throws(ParquetError) {
    self.shape = shape
    self.limits = limits
    pages = try ChunkPages(file, chunk, dataEnd: dataEnd, headerChecksums: headerChecksums)
    decompressor = try Decompressor(code: chunk.codec)
    rowsLeft = rowCount
    entriesUnopened = chunk.valueCount
    compressedByteCount = chunk.compressedByteCount
  }

  /// Whether the values of another page are still to come.
  var hasMorePages: Bool { entriesUnopened > 0 }

  /// Values, nulls and empty lists that have not been read.
  var entriesLeft: Int { entriesUnopened + (page?.entriesLeft ?? 0) }

  /// Where the bytes of the file end that will not be read again.
  var consumedEnd: Int {
    guard let page else { return pages.offset }
    return page.owner == nil ? page.offset : pages.offset
  }

  // MARK: Pages

  private func verify(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetError) {
    guard header.uncompressedByteCount <= limits.byteCountMax(fileByteCount: pages.end) else {
      throw .unsupported("its \(header.uncompressedByteCount) bytes are more than the \(limits.expandedByteCountMax) bytes allowed at once")
    }
    guard let expected = header.checksum else { return }
    let found = PageChecksum.crc32(body)
    guard found == expected else {
      throw .malformed("its checksum is \(String(found, radix: 16)), expected \(String(expected, radix: 16))")
    }
  }

  private func readDictionary(_ page: ChunkPages.Page) throws(ParquetError) {
    let header = page.header
    try verify(header, page.body)
    guard header.encoding == .plain || header.encoding == .plainDictionary else {
      throw .malformed("a dictionary cannot have the encoding \(header.encoding)")
    }
    guard !decompressor.isIdentity else {
      dictionary = try ChunkDictionary(page.body, shape, count: header.valueCount)
      return
    }
    let decoded = try decompressor.decompress(page.body, byteCount: header.uncompressedByteCount)
    let bytes = UnsafeRawBufferPointer(start: decoded.pointer, count: header.uncompressedByteCount)
    dictionary = try ChunkDictionary(bytes, shape, count: header.valueCount)
    _fixLifetime(decoded)
  }

  /// Reads up to the next data page with values and opens it.
  /// - Throws: `.malformed` when the chunk ends before.
  func openPage() throws(ParquetError) {
    page = nil
    while let next = try nextDataPage() {
      pages.advance(behind: next)
      defer { pageNumber += 1 }
      guard next.header.valueCount > 0 else { continue }
      do {
        page = try open(next)
      } catch {
        throw error.within("page \(pageNumber) at byte \(next.offset)")
      }
      entriesUnopened -= next.header.valueCount
      return
    }
    throw .malformed("its pages end at byte \(pages.offset), \(rowsLeft) rows are missing")
  }

  /// The next data page, before which the dictionary is read; nil at the end.
  func nextDataPage() throws(ParquetError) -> ChunkPages.Page? {
    while let next = try pages.peek() {
      switch next.header.kind {
      case .dictionary:
        guard dictionary == nil, pageNumber == 0 else { throw .malformed("it has a second dictionary at byte \(next.offset)") }
        do { try readDictionary(next) } catch { throw error.within("dictionary page at byte \(next.offset)") }
      case .dataV1, .dataV2:
        // Only the grace bytes behind the chunk may hold what looks like another page.
        guard entriesUnopened > 0 else { return nil }
        guard next.header.valueCount <= entriesUnopened else {
          throw .malformed("its pages hold more than the values it claims, the last one at byte \(next.offset)")
        }
        return next
      case .other: break
      }
      pages.advance(behind: next)
    }
    return nil
  }

  private func open(_ page: ChunkPages.Page) throws(ParquetError) -> OpenPage {
    let header = page.header
    try verify(header, page.body)
    switch header.kind {
    case .dataV1(let definitionEncoding, let repetitionEncoding):
      var body = page.body
      var owner: Buffer?
      if !decompressor.isIdentity {
        let decoded = try decompressor.decompress(body, byteCount: header.uncompressedByteCount)
        body = UnsafeRawBufferPointer(start: decoded.pointer, count: header.uncompressedByteCount)
        owner = decoded
      }
      let empty = UnsafeRawBufferPointer(start: nil, count: 0)
      let (repetition, definition) = (shape.levels.repetition, shape.levels.definition)
      let repetitions =
        repetition > 0 ? try LevelDecoding.cut(&body, repetitionEncoding, greatest: repetition, count: header.valueCount) : empty
      let definitions =
        definition > 0 ? try LevelDecoding.cut(&body, definitionEncoding, greatest: definition, count: header.valueCount) : empty
      return try open(page, body, owner, definitions, definitionEncoding, repetitions, repetitionEncoding)
    case .dataV2(let definitionByteCount, let repetitionByteCount, let isCompressed):
      let levelsEnd = repetitionByteCount + definitionByteCount
      guard levelsEnd <= page.body.count else { throw .malformed("its levels claim \(levelsEnd) bytes of \(page.body.count)") }
      let repetitions = UnsafeRawBufferPointer(rebasing: page.body[..<repetitionByteCount])
      let definitions = UnsafeRawBufferPointer(rebasing: page.body[repetitionByteCount..<levelsEnd])
      var body = UnsafeRawBufferPointer(rebasing: page.body[levelsEnd...])
      var owner: Buffer?
      if !decompressor.isIdentity && isCompressed {
        let byteCount = header.uncompressedByteCount - levelsEnd
        guard byteCount >= 0 else { throw .malformed("its levels take \(levelsEnd) bytes of \(header.uncompressedByteCount)") }
        let decoded = try decompressor.decompress(body, byteCount: byteCount)
        body = UnsafeRawBufferPointer(start: decoded.pointer, count: byteCount)
        owner = decoded
      }
      return try open(page, body, owner, definitions, .rle, repetitions, .rle)
    case .dictionary, .other: throw .malformed("it is not a data page")
    }
  }

  private func open(
    _ page: ChunkPages.Page, _ body: UnsafeRawBufferPointer, _ owner: Buffer?, _ definitions: UnsafeRawBufferPointer,
    _ definitionEncoding: Encoding, _ repetitions: UnsafeRawBufferPointer, _ repetitionEncoding: Encoding
  ) throws(ParquetError) -> OpenPage {
    let count = page.header.valueCount
    var validity = ValidityAppender(capacity: 0)
    var valueCount = count
    if shape.isFlat && shape.levels.definition > 0 {
      validity = try LevelDecoding.validity(definitions, definitionEncoding, count: count)
      valueCount -= validity.nullCount
    }
    var result = OpenPage(
      offset: page.offset, number: pageNumber, owner: owner, entriesLeft: count,
      values: PageValues(body, page.header.encoding, countMax: valueCount, shape), validity: validity)
    guard !shape.isFlat else { return result }
    let (repetition, definition) = (shape.levels.repetition, shape.levels.definition)
    if definition > 0 {
      result.definitions = try LevelDecoding.cursor(definitions, definitionEncoding, greatest: definition, count: count)
    }
    if repetition > 0 {
      result.repetitions = try LevelDecoding.cursor(repetitions, repetitionEncoding, greatest: repetition, count: count)
    }
    return result
  }

  /// Passes over a data page without decompressing it. - Precondition: `nextDataPage` gave it.
  func pass(_ next: ChunkPages.Page, rowCount: Int) {
    pages.advance(behind: next)
    pageNumber += 1
    entriesUnopened -= next.header.valueCount
    rowsLeft -= rowCount
  }

  /// Goes on at the page of a flat column that holds a row, when the offset index knows it.
  /// - Precondition: nothing has been read.
  func jump(to row: Int) throws(ParquetError) {
    guard shape.isFlat, row > 0, let found = try pages.indexedPage(before: row, rowCount: rowsLeft), found.firstRow > 0 else { return }
    // The dictionary comes first.
    guard try nextDataPage() != nil, found.offset > pages.offset else { return }
    pages.jump(to: found.offset)
    pageNumber = found.number
    entriesUnopened -= found.firstRow
    rowsLeft -= found.firstRow
  }

  /// The memory that rows of one width take, checked before it is asked for.
  func checkSize(rowCount: Int) throws(ParquetError) {
    let width = PlainConversion.byteWidth(shape.conversion) ?? (shape.field.type.isVariableLength ? 8 : 1)
    let size = rowCount.multipliedReportingOverflow(by: width)
    guard !size.overflow, size.partialValue <= limits.byteCountMax(fileByteCount: pages.end) else {
      throw .unsupported("its \(rowCount) rows of \(width) bytes take more than the \(limits.expandedByteCountMax) bytes allowed at once")
    }
  }
}
