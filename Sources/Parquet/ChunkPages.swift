import Columns

/// A data page of a column chunk: where its header starts, and which rows of the row group it holds.
struct PageReference: Sendable {
  let offset: Int
  let firstRow: Int
  let rowCount: Int
}

/// The pages of one column in one row group, found by reading their headers or the offset index.
struct ChunkPages {
  private let file: UnsafeRawBufferPointer
  private let chunk: ColumnChunkMetadata
  /// No page reaches behind it. At least 8 bytes of the file follow: the slack of `BitUnpack`.
  private let end: Int
  private(set) var dictionaryOffset: Int?
  private(set) var pages: [PageReference] = []

  /// - Parameters:
  ///   - dataEnd: where the footer starts.
  ///   - rows: the wanted rows; pages without any of them may be missing.
  init(
    _ file: UnsafeRawBufferPointer, _ chunk: ColumnChunkMetadata, dataEnd: Int, rowCount: Int, rows: Range<Int>
  ) throws(ParquetError) {
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
    end = min(dataEnd, start + chunk.compressedByteCount + 100)
    if rows.count < rowCount, try readOffsetIndex(start: start, dataEnd: dataEnd, rowCount: rowCount) { return }
    try scan(from: start, rowCount: rowCount)
  }

  /// The header at an offset, and where its page's bytes lie.
  func header(at offset: Int) throws(ParquetError) -> (PageHeader, body: UnsafeRawBufferPointer) {
    let header: PageHeader
    do {
      header = try PageHeader(decoding: UnsafeRawBufferPointer(rebasing: file[offset..<end]))
    } catch {
      throw error.within("page header at byte \(offset)")
    }
    let bodyStart = offset + header.headerByteCount
    guard header.compressedByteCount <= end - bodyStart else {
      throw .malformed(
        "the page at byte \(offset) claims \(header.compressedByteCount) bytes, but its column has only \(end - bodyStart) left")
    }
    return (header, UnsafeRawBufferPointer(rebasing: file[bodyStart..<(bodyStart + header.compressedByteCount)]))
  }

  private mutating func scan(from start: Int, rowCount: Int) throws(ParquetError) {
    var offset = start
    var row = 0
    while row < rowCount {
      guard offset < end else { throw .malformed("its pages end at byte \(end) with \(row) values, expected \(rowCount)") }
      let (header, body) = try header(at: offset)
      switch header.kind {
      case .dictionary:
        guard dictionaryOffset == nil, pages.isEmpty else { throw .malformed("it has a second dictionary at byte \(offset)") }
        dictionaryOffset = offset
      case .dataV1, .dataV2:
        guard header.valueCount <= rowCount - row else {
          throw .malformed("its pages hold more than \(rowCount) values, the last one at byte \(offset)")
        }
        if header.valueCount > 0 { pages.append(PageReference(offset: offset, firstRow: row, rowCount: header.valueCount)) }
        row += header.valueCount
      case .other: break
      }
      offset += header.headerByteCount + body.count
    }
  }

  /// Takes the pages from the offset index; false when there is none, or none that can be trusted.
  private mutating func readOffsetIndex(start: Int, dataEnd: Int, rowCount: Int) throws(ParquetError) -> Bool {
    guard let offset = chunk.offsetIndexOffset, let byteCount = chunk.offsetIndexByteCount, offset > 0, byteCount > 0,
      offset <= dataEnd, byteCount <= dataEnd - offset
    else { return false }
    var reader = ThriftReader(UnsafeRawBufferPointer(rebasing: file[offset..<(offset + byteCount)]), subject: "offset index")
    var starts: [(offset: Int, row: Int)] = []
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
        starts.append(page)
      }
    }
    guard starts.first?.row == 0 else { return false }
    var found: [PageReference] = []
    for (index, page) in starts.enumerated() {
      let nextRow = index + 1 < starts.count ? starts[index + 1].row : rowCount
      let nextOffset = index + 1 < starts.count ? starts[index + 1].offset : end
      guard page.offset >= start, page.offset < nextOffset, nextOffset <= end, page.row <= nextRow, nextRow <= rowCount else {
        return false
      }
      if nextRow > page.row { found.append(PageReference(offset: page.offset, firstRow: page.row, rowCount: nextRow - page.row)) }
    }
    if let first = starts.first, first.offset > start {
      guard case .dictionary = try header(at: start).0.kind else { return false }
      dictionaryOffset = start
    }
    pages = found
    return true
  }
}
