import Columns

/// Walks the pages of one column in one row group, header by header.
struct ChunkPages {
  private let file: UnsafeRawBufferPointer
  private let chunk: ColumnChunkMetadata
  private let headerChecksums: HeaderChecksums?
  /// No page reaches behind it. At least 8 bytes of the file follow: the slack of `BitUnpack`.
  let end: Int
  /// Where the chunk ends by its own account.
  let chunkEnd: Int
  /// Where the first page starts.
  let start: Int
  /// Where the next header starts.
  private(set) var offset: Int

  struct Page {
    let offset: Int
    let header: PageHeader
    let body: UnsafeRawBufferPointer
    /// Where the next header starts.
    let end: Int
  }

  /// - Parameters:
  ///   - file: the whole file, which the caller keeps.
  ///   - dataEnd: where the footer starts.
  ///   - headerChecksums: what the headers must be, if that is known.
  init(_ file: UnsafeRawBufferPointer, _ chunk: ColumnChunkMetadata, dataEnd: Int, headerChecksums: HeaderChecksums?) throws(ParquetError) {
    self.headerChecksums = headerChecksums
    self.file = file
    self.chunk = chunk
    var start = chunk.dataPageOffset
    // Some writers put 0 where there is no dictionary.
    if let dictionary = chunk.dictionaryPageOffset, dictionary > 0, dictionary < start { start = dictionary }
    guard start >= 4, start < dataEnd, chunk.compressedByteCount >= 0, chunk.compressedByteCount <= dataEnd - start else {
      throw .malformed(
        "its \(chunk.compressedByteCount) bytes at byte \(start) do not lie between the head of the file and its footer at byte \(dataEnd)")
    }
    // Old writers left the dictionary's header out of the size: 100 bytes of grace, as other readers give.
    chunkEnd = start + chunk.compressedByteCount
    end = min(dataEnd, chunkEnd + 100)
    self.start = start
    offset = start
  }

  /// The page at the current place; nil at the end.
  func peek() throws(ParquetError) -> Page? { offset < end ? try page(at: offset) : nil }

  func page(at offset: Int) throws(ParquetError) -> Page {
    let header: PageHeader
    do {
      header = try PageHeader(decoding: UnsafeRawBufferPointer(rebasing: file[offset..<end]))
    } catch {
      throw error.within("page header at byte \(offset)")
    }
    let bodyStart = offset + header.headerByteCount
    if let headerChecksums {
      guard headerChecksums.checksum(at: offset, in: file) == PageChecksum.crc32(UnsafeRawBufferPointer(rebasing: file[offset..<bodyStart]))
      else { throw .malformed("the page header at byte \(offset) is not the one that was written") }
    }
    guard header.compressedByteCount <= end - bodyStart else {
      throw .malformed(
        "the page at byte \(offset) claims \(header.compressedByteCount) bytes, but its column has only \(end - bodyStart) left")
    }
    let bodyEnd = bodyStart + header.compressedByteCount
    return Page(offset: offset, header: header, body: UnsafeRawBufferPointer(rebasing: file[bodyStart..<bodyEnd]), end: bodyEnd)
  }

  mutating func advance(behind page: Page) { offset = page.end }

  /// Goes on at a data page that the offset index names.
  mutating func jump(to offset: Int) {
    precondition(offset >= start && offset < end)
    self.offset = offset
  }

  /// The last page that starts at or before a row, by the offset index; nil when there is none that can be trusted.
  ///
  /// Source: parquet-format/PageIndex.md.
  func indexedPage(before row: Int, rowCount: Int) throws(ParquetError) -> (offset: Int, firstRow: Int, number: Int)? {
    guard let offset = chunk.offsetIndexOffset, let byteCount = chunk.offsetIndexByteCount, offset > 0, byteCount > 0,
      offset <= file.count, byteCount <= file.count - offset
    else { return nil }
    var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: file[offset..<(offset + byteCount)]), subject: "offset index")
    var found: (offset: Int, firstRow: Int, number: Int)?
    var last = (offset: start - 1, row: 0)
    var number = 0
    var isTrusted = true
    try reader.fields { (reader, field) throws(ParquetError) in
      guard field.id == 1 else { return try reader.skip(field) }
      try reader.list(field) { (reader, element) throws(ParquetError) in
        var page = (offset: 0, row: -1)
        try reader.structure(element) { (reader, field) throws(ParquetError) in
          switch field.id {
          case 1: page.offset = Int(try reader.int64(field))
          case 3: page.row = Int(try reader.int64(field))
          default: try reader.skip(field)
          }
        }
        let isFirst = number == 0
        if page.offset <= last.offset || page.offset >= end || page.row < last.row || page.row > rowCount || (isFirst && page.row != 0) {
          isTrusted = false
        }
        last = (page.offset, page.row)
        if page.row <= row { found = (page.offset, page.row, number) }
        number += 1
      }
    }
    return isTrusted ? found : nil
  }
}
