import Columns

/// Encodes one leaf of one row group: encoding and codec by measured benefit, unless the options say which.
struct ChunkEncoder {
  private let leaf: LeafColumn
  private let layout: ColumnLayout
  private let options: ParquetWriterOptions
  private let isKey: Bool
  private let compressor = PageCompressor()

  init(_ column: Column, _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool) throws(ParquetError) {
    try self.init([column], layout, options, isKey: isKey)
  }

  /// - Parameter parts: the leaf's top column of the row group, one part after another.
  /// - Precondition: the parts have the layout's type.
  /// - Throws: `.unsupported` for nulls where the schema has none, and for values that the stored type cannot hold.
  init(_ parts: [Column], _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool) throws(ParquetError) {
    self.layout = layout
    self.options = options
    self.isKey = isKey
    leaf = try LeafColumn(parts, layout)
  }

  /// Where a page's encoded bytes lie, before compression.
  private struct Body {
    let repetitionByteCount: Int
    let definitionByteCount: Int
    let range: Range<Int>
  }

  /// Appends the chunk's pages.
  /// - Parameter fileOffset: where `sink` starts in the file.
  /// - Throws: `.unsupported` for an encoding that the type cannot take, and for a page of 2 GiB or more (of one value).
  func encode(into sink: inout ByteSink, fileOffset: Int) throws(ParquetError) -> ChunkSummary {
    let dense = leaf.dense
    defer { _fixLifetime(dense.data.owner) }
    let ranges = leaf.pages(slotCountMax: options.pageRowCount)
    let plan = try EncodingPlan(dense, layout, options, isKey: isKey, sample: ranges.map(\.values), compressor)
    var summary = ChunkSummary()
    summary.encoding = plan.encoding
    summary.valueCount = leaf.slotCount
    summary.rowCount = leaf.rowCount
    summary.nullCount = leaf.nullCount

    // All pages are encoded before any is compressed: their bytes decide on the codec.
    var bodies = ByteSink(byteCapacity: dense.byteCount(0..<dense.count) / 2)
    plan.encodeDictionary(into: &bodies)
    let dictionaryByteCount = bodies.count
    let pages = ranges.map { encode($0, plan, &bodies) }
    summary.codec = codec(bodies, [0..<dictionaryByteCount] + pages.map(\.range))

    var writing = PageWriting(layout: layout, options: options, compressor: compressor, codec: summary.codec)
    let start = sink.count
    if let dictionary = plan.dictionary {
      summary.dictionaryOffset = fileOffset + sink.count
      try writing.append(dictionary: bodies.bytes(0..<dictionaryByteCount), entryCount: dictionary.entries.count, &sink)
    }
    let bounds = BoundsEncoding(column: dense, layout: layout)
    var seen = [UInt32](repeating: .max, count: bounds.comparesBytes ? plan.dictionary?.entries.count ?? 0 : 0)
    var pageBounds: [PageBounds] = []
    for (index, (range, body)) in zip(ranges, pages).enumerated() {
      let offset = sink.count
      try writing.append(
        PageWriting.Data(
          slotCount: range.slots.count, rowCount: range.rows.count, nullCount: range.slots.count - range.values.count,
          encoding: plan.encoding, repetitionByteCount: body.repetitionByteCount, definitionByteCount: body.definitionByteCount,
          body: bodies.bytes(body.range)), &sink)
      let found =
        options.statistics || options.pageIndex
        ? bounds.bounds(range.values, dictionary: plan.dictionary, seen: &seen, page: UInt32(index)) : .none
      pageBounds.append(found)
      let encoded = bounds.encode(found)
      summary.pages.append(
        ChunkSummary.Page(
          offset: fileOffset + offset, byteCount: sink.count - offset, firstRow: range.rows.lowerBound,
          slotCount: range.slots.count, nullCount: range.slots.count - range.values.count, least: encoded?.least.bytes,
          greatest: encoded?.greatest.bytes))
    }
    summary.byteCount = sink.count - start
    summary.uncompressedByteCount = writing.uncompressedByteCount
    summary.boundaryOrder = bounds.boundaryOrder(pageBounds)
    if let whole = bounds.encode(pageBounds.reduce(.none) { bounds.union($0, $1) }) {
      (summary.least, summary.greatest) = (whole.least, whole.greatest)
    }
    return summary
  }

  private func encode(_ page: PageRange, _ plan: EncodingPlan, _ bodies: inout ByteSink) -> Body {
    let start = bodies.count
    let repetitions = encodeLevels(isPresent: layout.repetitionMax > 0, &bodies) { leaf.encodeRepetitions(page, into: &$0) }
    let definitions = encodeLevels(isPresent: layout.definitionMax > 0, &bodies) { leaf.encodeDefinitions(page, into: &$0) }
    plan.encode(page.values, into: &bodies)
    return Body(repetitionByteCount: repetitions, definitionByteCount: definitions, range: start..<bodies.count)
  }

  /// Returns how many bytes were written; in pages of version 1 their length stands in front.
  private func encodeLevels(isPresent: Bool, _ sink: inout ByteSink, _ body: (inout ByteSink) -> Void) -> Int {
    guard isPresent else { return 0 }
    let start = sink.count
    guard options.pageVersion == .v1 else {
      body(&sink)
      return sink.count - start
    }
    sink.append(length: 0)
    body(&sink)
    sink.patch(length: sink.count - start - 4, at: start)
    return sink.count - start
  }

  /// The filter of all values, as it lies in the file.
  /// - Throws: `.unsupported` for booleans, for which the format has none.
  func bloomFilter() throws(ParquetError) -> [UInt8] {
    guard layout.physicalType != .boolean else {
      throw .unsupported("Cannot write a Bloom filter for column \(layout.name): it holds booleans")
    }
    defer { _fixLifetime(leaf.dense.data.owner) }
    return BloomFilter(hashes: leaf.dense.hashes).bytes
  }

  // MARK: Codec

  /// What a codec must save to be worth its decompression.
  private static func pays(_ compressed: Int, _ byteCount: Int) -> Bool { compressed * 10 < byteCount * 9 }

  /// - Parameter parts: the dictionary, then the pages.
  private func codec(_ bodies: ByteSink, _ parts: [Range<Int>]) -> ParquetCodec {
    guard !isKey, bodies.count > 0 else { return .none }
    guard options.choosesCodec else { return options.codec }
    // The dictionary and three pages speak for all.
    let last = parts.count - 1
    let sample = Set([0, 1, 1 + (last - 1) / 2, last]).sorted().map { parts[$0] }
    let byteCount = sample.reduce(0) { $0 + $1.count }
    func compressed(_ codec: ParquetCodec) -> Int {
      var scratch = ByteSink(byteCapacity: byteCount)
      for range in sample where !range.isEmpty {
        // What a codec cannot take at once is not compressed at all.
        guard range.count <= PageCompressor.byteCountMax else { return .max / 1000 }
        compressor.compress(bodies.bytes(range), codec, into: &scratch)
      }
      return scratch.count
    }
    let zstd = compressed(.zstd(level: 1))
    guard Self.pays(zstd, byteCount) else { return .none }
    let lz4 = compressed(.lz4Raw)
    // LZ4 decodes four times as fast: it may cost a few bytes more.
    return Self.pays(lz4, byteCount) && lz4 * 100 <= zstd * 115 ? .lz4Raw : .zstd(level: 1)
  }
}
