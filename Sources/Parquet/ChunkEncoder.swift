import Columns

/// What the footer and the page index say about a written column chunk.
struct ChunkSummary: Sendable {
  struct Page: Sendable {
    let offset: Int
    let byteCount: Int
    let firstRow: Int
    let nullCount: Int
    let least: [UInt8]?
    let greatest: [UInt8]?
  }

  var codec = ParquetCodec.none
  var encoding = Encoding.plain
  var valueCount = 0
  var nullCount = 0
  var byteCount = 0
  var uncompressedByteCount = 0
  var dictionaryOffset: Int?
  var pages: [Page] = []
  var boundaryOrder: Int32 = 0
  var least: BoundsEncoding.Encoded?
  var greatest: BoundsEncoding.Encoded?
  /// Where the indexes lie, once they are written.
  var columnIndex: (offset: Int, byteCount: Int)?
  var offsetIndex: (offset: Int, byteCount: Int)?
}

/// Encodes one column of one row group: encoding and codec by measured benefit.
struct ChunkEncoder {
  let column: Column
  let layout: ColumnLayout
  let options: ParquetWriterOptions
  let isKey: Bool
  private let dense: DenseColumn
  private let compressor = PageCompressor()

  /// - Precondition: the column has the layout's type, and nulls only where the field may have some.
  init(_ column: Column, _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool) {
    precondition(
      layout.field.isNullable || column.nullCount == 0, "Column \(layout.field.name) has \(column.nullCount) nulls but is not nullable")
    self.column = column
    self.layout = layout
    self.options = options
    self.isKey = isKey
    dense = DenseColumn(column, layout)
  }

  /// The rows of a page and its values among the dense ones.
  struct PageRange {
    let rows: Range<Int>
    let values: Range<Int>
  }

  /// Appends the chunk's pages.
  /// - Parameter fileOffset: where `sink` starts in the file.
  func encode(into sink: inout ByteSink, fileOffset: Int) -> ChunkSummary {
    defer { _fixLifetime(dense.data.owner) }
    let ranges = pageRanges()
    let plan = EncodingPlan(dense, layout, options, isKey: isKey, sample: ranges.map(\.values), compressor)
    var summary = ChunkSummary()
    summary.encoding = plan.encoding
    summary.valueCount = column.count
    summary.nullCount = column.nullCount

    // All pages are encoded before any is compressed: their bytes decide on the codec.
    var bodies = ByteSink(byteCapacity: dense.data.byteCount / 2)
    plan.encodeDictionary(into: &bodies)
    let dictionaryByteCount = bodies.count
    var ends = [bodies.count]
    for range in ranges {
      encodeLevels(range.rows, into: &bodies)
      plan.encode(range.values, into: &bodies)
      ends.append(bodies.count)
    }
    summary.codec = codec(bodies, dictionaryByteCount, ends)

    let start = sink.count
    if plan.dictionary != nil {
      summary.dictionaryOffset = fileOffset + sink.count
      append(.dictionary(valueCount: plan.dictionary?.entries.count ?? 0), bodies.bytes(0..<dictionaryByteCount), &summary, &sink)
    }
    let bounds = BoundsEncoding(column: dense, layout: layout)
    var seen = [UInt32](repeating: .max, count: dense.storage == .bytes ? plan.dictionary?.entries.count ?? 0 : 0)
    var pageBounds: [PageBounds] = []
    for (index, range) in ranges.enumerated() {
      let offset = sink.count
      append(.data(rowCount: range.rows.count, encoding: plan.encoding), bodies.bytes(ends[index]..<ends[index + 1]), &summary, &sink)
      let found =
        options.statistics || options.pageIndex
        ? bounds.bounds(range.values, dictionary: plan.dictionary, seen: &seen, page: UInt32(index)) : .none
      pageBounds.append(found)
      let encoded = bounds.encode(found)
      summary.pages.append(
        ChunkSummary.Page(
          offset: fileOffset + offset, byteCount: sink.count - offset, firstRow: range.rows.lowerBound,
          nullCount: range.rows.count - range.values.count, least: encoded?.least.bytes, greatest: encoded?.greatest.bytes))
    }
    summary.byteCount = sink.count - start
    summary.boundaryOrder = bounds.boundaryOrder(pageBounds)
    if let whole = bounds.encode(pageBounds.reduce(.none) { bounds.union($0, $1) }) {
      (summary.least, summary.greatest) = (whole.least, whole.greatest)
    }
    return summary
  }

  // MARK: Pages

  /// A page of long strings ends before it grows past this.
  private static let pageByteCountMax = 1 << 20

  private func pageRanges() -> [PageRange] {
    var ranges: [PageRange] = []
    var row = 0
    var value = 0
    while row < column.count {
      var rowEnd = min(row + max(1, options.pageRowCount), column.count)
      var valueEnd = value + validCount(row..<rowEnd)
      if let offsets = dense.offsets {
        // Halving keeps the rule simple; one row is the least.
        while rowEnd - row > 1 && Int(offsets[valueEnd] - offsets[value]) > Self.pageByteCountMax {
          rowEnd = row + (rowEnd - row) / 2
          valueEnd = value + validCount(row..<rowEnd)
        }
      }
      ranges.append(PageRange(rows: row..<rowEnd, values: value..<valueEnd))
      row = rowEnd
      value = valueEnd
    }
    return ranges
  }

  private func validCount(_ rows: Range<Int>) -> Int {
    column.validity?.slice(from: rows.lowerBound, count: rows.count).setCount ?? rows.count
  }

  private func encodeLevels(_ rows: Range<Int>, into sink: inout ByteSink) {
    guard layout.field.isNullable else { return }
    let start = sink.count
    sink.append(length: 0)
    RunEncoding.encode(column.validity, rows: rows, into: &sink)
    sink.patch(length: sink.count - start - 4, at: start)
  }

  // MARK: Codec

  /// What a codec must save to be worth its decompression.
  private static func pays(_ compressed: Int, _ byteCount: Int) -> Bool { compressed * 10 < byteCount * 9 }

  private func codec(_ bodies: ByteSink, _ dictionaryByteCount: Int, _ ends: [Int]) -> ParquetCodec {
    guard !isKey, bodies.count > 0 else { return .none }
    guard options.choosesCodec else { return options.codec }
    // The dictionary and three pages speak for all.
    let pageCount = ends.count - 1
    let sample = Set([0, pageCount / 2, pageCount - 1]).sorted().map { ends[$0]..<ends[$0 + 1] } + [0..<dictionaryByteCount]
    let byteCount = sample.reduce(0) { $0 + $1.count }
    func compressed(_ codec: ParquetCodec) -> Int {
      var scratch = ByteSink(byteCapacity: byteCount)
      for range in sample where !range.isEmpty { compressor.compress(bodies.bytes(range), codec, into: &scratch) }
      return scratch.count
    }
    let zstd = compressed(.zstd(level: 1))
    guard Self.pays(zstd, byteCount) else { return .none }
    let lz4 = compressed(.lz4Raw)
    // LZ4 decodes four times as fast: it may cost a few bytes more.
    return Self.pays(lz4, byteCount) && lz4 * 100 <= zstd * 115 ? .lz4Raw : .zstd(level: 1)
  }

  private enum PageKind {
    case dictionary(valueCount: Int)
    case data(rowCount: Int, encoding: Encoding)
  }

  private func append(_ kind: PageKind, _ body: UnsafeRawBufferPointer, _ summary: inout ChunkSummary, _ sink: inout ByteSink) {
    if summary.codec == .none {
      let header = header(kind, uncompressedByteCount: body.count, stored: body)
      sink.append(header)
      sink.append(body)
      summary.uncompressedByteCount += header.count + body.count
      return
    }
    var stored = ByteSink(byteCapacity: body.count)
    compressor.compress(body, summary.codec, into: &stored)
    let header = header(kind, uncompressedByteCount: body.count, stored: stored.bytes)
    sink.append(header)
    sink.append(stored.bytes)
    summary.uncompressedByteCount += header.count + body.count
  }

  /// A `PageHeader`; data pages are of version 1, which every reader knows.
  private func header(_ kind: PageKind, uncompressedByteCount: Int, stored: UnsafeRawBufferPointer) -> [UInt8] {
    precondition(stored.count <= Int(Int32.max) && uncompressedByteCount <= Int(Int32.max), "A page is longer than Parquet allows")
    var writer = ThriftWriter()
    let isDictionary = if case .dictionary = kind { true } else { false }
    writer.element(structure: { writer in
      writer.int32(1, isDictionary ? 2 : 0)
      writer.int32(2, Int32(uncompressedByteCount))
      writer.int32(3, Int32(stored.count))
      if options.crc { writer.int32(4, Int32(bitPattern: PageChecksum.crc32(stored))) }
      switch kind {
      case .data(let rowCount, let encoding):
        writer.structure(5) { writer in
          writer.int32(1, Int32(rowCount))
          writer.int32(2, encoding.rawValue)
          writer.int32(3, Encoding.rle.rawValue)
          writer.int32(4, Encoding.rle.rawValue)
        }
      case .dictionary(let valueCount):
        writer.structure(7) { writer in
          writer.int32(1, Int32(valueCount))
          writer.int32(2, Encoding.plain.rawValue)
        }
      }
    })
    return writer.bytes
  }
}
