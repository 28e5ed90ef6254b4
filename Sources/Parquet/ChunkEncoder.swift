import Columns

/// Encodes one leaf of one row group: encoding and codec by measured benefit, unless the options say which.
struct ChunkEncoder {
  private let leaf: LeafColumn
  private let layout: ColumnLayout
  private let options: ParquetWriterOptions
  private let isKey: Bool
  private let compressor: PageCompressor

  init(_ column: Column, _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool) throws(ParquetError) {
    try self.init([column], layout, options, isKey: isKey)
  }

  /// - Parameters:
  ///   - parts: the leaf's top column of the row group, one part after another.
  ///   - compressor: one that no other thread uses.
  /// - Precondition: the parts have the layout's type.
  /// - Throws: `.unsupported` for nulls where the schema has none, and for values that the stored type cannot hold.
  init(
    _ parts: [Column], _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool, compressor: PageCompressor = PageCompressor()
  ) throws(ParquetError) {
    self.compressor = compressor
    self.layout = layout
    self.options = options
    self.isKey = isKey
    leaf = try LeafColumn(parts, layout)
  }

  /// Appends the chunk's pages.
  /// - Parameter fileOffset: where `sink` starts in the file.
  /// - Throws: as `start` and `ChunkWriting.writeNext`.
  func encode(into sink: inout ByteSink, fileOffset: Int) throws(ParquetError) -> ChunkSummary {
    var chunk = try start(fileOffset: fileOffset + sink.count)
    while try chunk.writeNext(into: &sink) {}
    return chunk.finish()
  }

  /// Chooses encoding and codec; the pages are written one by one.
  /// - Throws: `.unsupported` for an encoding that the type cannot take.
  func start(fileOffset: Int) throws(ParquetError) -> ChunkWriting {
    let dense = leaf.dense
    defer { _fixLifetime(leaf) }
    let ranges = leaf.pages(slotCountMax: options.pageRowCount)
    let plan = try EncodingPlan(dense, layout, options, isKey: isKey, sample: ranges.map(\.values), compressor)
    var bodies = PageBodies(leaf: leaf, plan: plan, ranges: ranges, version: options.pageVersion)
    let codec: ParquetCodec
    if isKey || !options.choosesCodec {
      codec = isKey ? .none : options.codec
    } else {
      // All pages are encoded before any is compressed: their bytes decide on the codec.
      bodies.encodeAll()
      codec = chosenCodec(bodies)
    }
    return ChunkWriting(
      leaf: leaf, options: options, bodies: bodies,
      pages: PageWriting(layout: layout, options: options, compressor: compressor, codec: codec), fileOffset: fileOffset)
  }

  /// The filter of all values, as it lies in the file.
  /// - Throws: `.unsupported` for booleans, for which the format has none.
  func bloomFilter() throws(ParquetError) -> [UInt8] {
    guard layout.physicalType != .boolean else {
      throw .unsupported("Cannot write a Bloom filter for column \(layout.name): it holds booleans")
    }
    defer { _fixLifetime(leaf) }
    return BloomFilter(hashes: leaf.dense.hashes).bytes
  }

  // MARK: Codec

  /// What a codec must save to be worth its decompression.
  private static func pays(_ compressed: Int, _ byteCount: Int) -> Bool { compressed * 10 < byteCount * 9 }

  private func chosenCodec(_ bodies: PageBodies) -> ParquetCodec {
    // The dictionary and three pages speak for all.
    let last = bodies.pageCount - 1
    let sample = [bodies.dictionary] + Set([0, last / 2, last]).sorted().map { bodies.page($0).bytes }
    let byteCount = sample.reduce(0) { $0 + $1.count }
    guard byteCount > 0 else { return .none }
    func compressed(_ codec: ParquetCodec) -> Int {
      var scratch = ByteSink(byteCapacity: byteCount)
      for bytes in sample where !bytes.isEmpty {
        // What a codec cannot take at once is not compressed at all.
        guard bytes.count <= PageCompressor.byteCountMax else { return byteCount }
        compressor.compress(bytes, codec, into: &scratch)
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
