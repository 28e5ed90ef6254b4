import Columns

/// Writes the pages of a chunk one by one, and keeps what footer and page index will say about them.
struct ChunkWriting {
  private let leaf: LeafColumn
  private let needsBounds: Bool
  private let bounds: BoundsEncoding
  private var bodies: PageBodies
  private var pages: PageWriting
  private var summary = ChunkSummary()
  private let fileOffset: Int
  /// The next page; -1 is the dictionary.
  private var next: Int
  private var pageBounds: [PageBounds] = []
  /// By entry of a dictionary of strings: the last page that has compared it.
  private var seen: [UInt32]

  init(leaf: LeafColumn, options: ParquetWriterOptions, bodies: PageBodies, pages: PageWriting, fileOffset: Int) {
    self.leaf = leaf
    self.bodies = bodies
    self.pages = pages
    self.fileOffset = fileOffset
    let plan = bodies.plan
    needsBounds = options.statistics || options.pageIndex
    bounds = BoundsEncoding(column: leaf.dense, layout: leaf.layout)
    seen = [UInt32](repeating: .max, count: bounds.comparesBytes ? plan.dictionary?.entries.count ?? 0 : 0)
    next = plan.dictionary == nil ? 0 : -1
    summary.codec = pages.codec
    summary.encoding = plan.encoding
    summary.valueCount = leaf.slotCount
    summary.rowCount = leaf.rowCount
    summary.nullCount = leaf.nullCount
  }

  /// Appends the next page; false when there is none left.
  /// - Throws: `.unsupported` for a page of 2 GiB or more (of one value).
  mutating func writeNext(into sink: inout ByteSink) throws(ParquetError) -> Bool {
    guard next < bodies.pageCount else { return false }
    defer {
      next += 1
      _fixLifetime(leaf)
      _fixLifetime(bodies)
    }
    let start = sink.count
    let offset = fileOffset + summary.byteCount
    if next < 0 {
      summary.dictionaryOffset = offset
      try pages.append(dictionary: bodies.nextDictionary(), entryCount: bodies.plan.dictionary?.entries.count ?? 0, &sink)
    } else {
      try writePage(bodies.ranges[next], offset, &sink)
    }
    summary.byteCount += sink.count - start
    return true
  }

  private mutating func writePage(_ range: PageRange, _ offset: Int, _ sink: inout ByteSink) throws(ParquetError) {
    let start = sink.count
    let body = bodies.nextPage(next)
    let nullCount = range.slots.count - range.values.count
    try pages.append(
      PageWriting.Data(
        slotCount: range.slots.count, rowCount: range.rows.count, nullCount: nullCount, encoding: bodies.plan.encoding,
        repetitionByteCount: body.repetitionByteCount, definitionByteCount: body.definitionByteCount, body: body.bytes), &sink)
    let found =
      needsBounds ? bounds.bounds(range.values, dictionary: bodies.plan.dictionary, seen: &seen, page: UInt32(next)) : .none
    pageBounds.append(found)
    let encoded = bounds.encode(found)
    summary.pages.append(
      ChunkSummary.Page(
        offset: offset, byteCount: sink.count - start, firstRow: range.rows.lowerBound, slotCount: range.slots.count,
        nullCount: nullCount, least: encoded?.least.bytes, greatest: encoded?.greatest.bytes))
  }

  /// - Precondition: all pages are written.
  consuming func finish() -> ChunkSummary {
    defer { _fixLifetime(leaf) }
    summary.headerChecksums = pages.headerChecksums
    summary.uncompressedByteCount = pages.uncompressedByteCount
    summary.boundaryOrder = bounds.boundaryOrder(pageBounds)
    if let whole = bounds.encode(pageBounds.reduce(.none) { bounds.union($0, $1) }) {
      (summary.least, summary.greatest) = (whole.least, whole.greatest)
    }
    return summary
  }
}
