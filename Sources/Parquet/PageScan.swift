/// Lists the pages of a chunk for a description.
enum PageScan {
  static func start(_ chunk: FooterDetail.Chunk) -> Int {
    // Some writers put 0 where there is no dictionary.
    guard let dictionary = chunk.dictionaryPageOffset, dictionary > 0 else { return chunk.dataPageOffset }
    return min(dictionary, chunk.dataPageOffset)
  }

  /// - Parameter bounds: what the column index says of each page; left aside where it has another number of pages.
  static func pages(
    _ index: OffsetIndexDetail, rowCount: Int, _ bounds: [FileDescription.Statistics]
  ) -> [FileDescription.Page] {
    index.pages.indices.map { page in
      FileDescription.Page(
        kind: nil, offset: index.pages[page].offset, byteCount: index.pages[page].byteCount, uncompressedByteCount: nil, encoding: nil,
        valueCount: nil, rowCount: index.rows(page, rowCount: rowCount).count,
        statistics: bounds.count == index.pages.count ? bounds[page] : nil)
    }
  }

  /// Reads the header of each page, dictionary and all.
  static func pages(
    _ chunk: FooterDetail.Chunk, _ leaf: FooterDetail.Element, _ file: UnsafeRawBufferPointer
  ) throws(ParquetError) -> [FileDescription.Page] {
    let start = start(chunk)
    guard start >= 0, chunk.compressedByteCount >= 0, start <= file.count, chunk.compressedByteCount <= file.count - start else {
      throw .malformed("its \(chunk.compressedByteCount) bytes at byte \(start) do not lie in the file")
    }
    // Old writers left the dictionary's header out of the size: 100 bytes of grace, as other readers give.
    let end = min(file.count, start + chunk.compressedByteCount + 100)
    // Levels of lists are needed to count rows; the path tells whether there are any only together with the schema.
    let isFlat = chunk.path.count == 1 && leaf.repetitionCode != Repetition.repeated.rawValue
    var pages: [FileDescription.Page] = []
    var offset = start
    var valueCount = 0
    while offset < end && valueCount < chunk.valueCount {
      let header: Header
      do {
        header = try Header(UnsafeRawBufferPointer(rebasing: file[offset..<end]))
      } catch {
        throw error.within("page header at byte \(offset)")
      }
      guard header.storedByteCount >= 0, header.storedByteCount <= end - offset - header.headerByteCount else {
        throw .malformed("the page at byte \(offset) claims \(header.storedByteCount) bytes, but its column ends at byte \(end)")
      }
      let isData = header.type == PageWriting.dataV1Code || header.type == PageWriting.dataV2Code
      let byteCount = header.headerByteCount + header.storedByteCount
      pages.append(
        FileDescription.Page(
          kind: FormatNames.pageKind(header.type), offset: offset, byteCount: byteCount,
          uncompressedByteCount: header.uncompressedByteCount,
          encoding: header.encoding.map { FormatNames.encoding($0) }, valueCount: header.valueCount,
          rowCount: isData ? header.rowCount ?? (isFlat ? header.valueCount : nil) : nil, statistics: nil))
      if isData { valueCount += max(0, header.valueCount ?? 0) }
      offset += byteCount
    }
    return pages
  }

  /// The parts of a `PageHeader` that a description shows.
  private struct Header {
    var type: Int32 = -1
    var uncompressedByteCount = 0
    var storedByteCount = 0
    var valueCount: Int?
    var rowCount: Int?
    var encoding: Int32?
    var headerByteCount = 0

    init(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) {
      var reader = ThriftReader(bytes, subject: "page header")
      var result = self
      try reader.fields { (reader, field) throws(ParquetError) in
        switch field.id {
        case 1: result.type = try reader.int32(field)
        case 2: result.uncompressedByteCount = Int(try reader.int32(field))
        case 3: result.storedByteCount = Int(try reader.int32(field))
        case 5, 7: try result.decode(&reader, field, encodingID: 2, rowCountID: nil)
        case 8: try result.decode(&reader, field, encodingID: 4, rowCountID: 3)
        default: try reader.skip(field)
        }
      }
      result.headerByteCount = reader.position
      self = result
    }

    private mutating func decode(
      _ reader: inout ThriftReader, _ field: ThriftField, encodingID: Int, rowCountID: Int?
    ) throws(ParquetError) {
      var result = self
      try reader.structure(field) { (reader, field) throws(ParquetError) in
        switch field.id {
        case 1: result.valueCount = Int(try reader.int32(field))
        case encodingID: result.encoding = try reader.int32(field)
        case rowCountID: result.rowCount = Int(try reader.int32(field))
        default: try reader.skip(field)
        }
      }
      self = result
    }
  }
}
