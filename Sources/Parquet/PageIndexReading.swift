/// What the column index says about the pages of a chunk.
struct ColumnIndexDetail {
  var isNullPage: [Bool] = []
  var least: [[UInt8]] = []
  var greatest: [[UInt8]] = []
  var boundaryOrder: Int32 = 0
  var nullCounts: [Int]?

  /// Nil where there is none, or where it contradicts itself.
  init?(_ chunk: FooterDetail.Chunk, _ file: UnsafeRawBufferPointer) {
    guard let bytes = PageIndexBytes.slice(file, chunk.columnIndex.offset, chunk.columnIndex.byteCount) else { return nil }
    var reader = ThriftReader(bytes, subject: "column index")
    var result = Self()
    do {
      try reader.fields { (reader, field) throws(ParquetError) in
        switch field.id {
        case 1: try reader.list(field) { (reader, element) throws(ParquetError) in result.isNullPage.append(try reader.bool(element)) }
        case 2: try reader.list(field) { (reader, element) throws(ParquetError) in result.least.append(Array(try reader.binary(element))) }
        case 3:
          try reader.list(field) { (reader, element) throws(ParquetError) in result.greatest.append(Array(try reader.binary(element))) }
        case 4: result.boundaryOrder = try reader.int32(field)
        case 5:
          var counts: [Int] = []
          try reader.list(field) { (reader, element) throws(ParquetError) in counts.append(Int(try reader.int64(element))) }
          result.nullCounts = counts
        default: try reader.skip(field)
        }
      }
    } catch {
      return nil
    }
    let count = result.isNullPage.count
    guard result.least.count == count, result.greatest.count == count, (result.nullCounts?.count ?? count) == count else { return nil }
    self = result
  }

  private init() {}

  /// What it says of each page, as text.
  func statistics(_ text: StatisticsText) -> [FileDescription.Statistics] {
    isNullPage.indices.map { page in
      FileDescription.Statistics(
        least: isNullPage[page] ? nil : text.text(least[page]), greatest: isNullPage[page] ? nil : text.text(greatest[page]),
        nullCount: nullCounts?[page], distinctCount: nil)
    }
  }
}

/// Where the offset index says that the data pages of a chunk lie.
struct OffsetIndexDetail {
  struct Page {
    var offset = 0
    var byteCount = 0
    var firstRow = -1
  }

  private(set) var pages: [Page] = []

  /// Nil where there is none, or where its pages do not ascend from row 0 on.
  init?(_ chunk: FooterDetail.Chunk, rowCount: Int, _ file: UnsafeRawBufferPointer) {
    guard let bytes = PageIndexBytes.slice(file, chunk.offsetIndex.offset, chunk.offsetIndex.byteCount) else { return nil }
    var reader = ThriftReader(bytes, subject: "offset index")
    var found: [Page] = []
    do {
      try reader.fields { (reader, field) throws(ParquetError) in
        guard field.id == 1 else { return try reader.skip(field) }
        try reader.list(field) { (reader, element) throws(ParquetError) in
          var page = Page()
          try reader.structure(element) { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: page.offset = Int(try reader.int64(field))
            case 2: page.byteCount = Int(try reader.int32(field))
            case 3: page.firstRow = Int(try reader.int64(field))
            default: try reader.skip(field)
            }
          }
          found.append(page)
        }
      }
    } catch {
      return nil
    }
    guard found.first?.firstRow == 0, let last = found.last, last.firstRow <= rowCount else { return nil }
    for (page, next) in zip(found, found.dropFirst()) where page.firstRow > next.firstRow { return nil }
    pages = found
  }

  /// The rows of a page.
  func rows(_ index: Int, rowCount: Int) -> Range<Int> {
    pages[index].firstRow..<(index + 1 < pages.count ? pages[index + 1].firstRow : rowCount)
  }
}

enum PageIndexBytes {
  static func slice(_ file: UnsafeRawBufferPointer, _ offset: Int, _ byteCount: Int) -> UnsafeRawBufferPointer? {
    guard offset > 0, byteCount > 0, offset <= file.count, byteCount <= file.count - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: file[offset..<(offset + byteCount)])
  }
}
