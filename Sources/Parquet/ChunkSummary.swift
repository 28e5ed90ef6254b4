/// What the footer and the page index say about a written column chunk.
struct ChunkSummary: Sendable {
  struct Page: Sendable {
    var offset: Int
    let byteCount: Int
    let firstRow: Int
    /// Values, nulls included.
    let slotCount: Int
    let nullCount: Int
    let least: [UInt8]?
    let greatest: [UInt8]?
  }

  /// Where something lies in the file.
  struct Place: Sendable {
    let offset: Int
    let byteCount: Int
  }

  var codec = ParquetCodec.none
  var encoding = Encoding.plain
  /// Nulls included.
  var valueCount = 0
  var rowCount = 0
  var nullCount = 0
  var byteCount = 0
  var uncompressedByteCount = 0
  var dictionaryOffset: Int?
  var pages: [Page] = []
  /// Of the headers of the dictionary, if there is one, and of the pages; empty unless the file is sealed.
  var headerChecksums: [UInt32] = []
  var boundaryOrder: Int32 = 0
  var least: BoundsEncoding.Encoded?
  var greatest: BoundsEncoding.Encoded?
  /// Where the indexes and the filter lie, once they are written.
  var columnIndex: Place?
  var offsetIndex: Place?
  var bloomFilter: Place?

  /// The same chunk, further back in the file.
  mutating func shift(by byteCount: Int) {
    if let offset = dictionaryOffset { dictionaryOffset = offset + byteCount }
    for index in pages.indices { pages[index].offset += byteCount }
  }
}
