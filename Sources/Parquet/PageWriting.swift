import Columns

/// Puts header, levels and values of pages together.
struct PageWriting {
  let layout: ColumnLayout
  let options: ParquetWriterOptions
  let compressor: PageCompressor
  let codec: ParquetCodec
  private(set) var uncompressedByteCount = 0
  /// In the order in which the pages were appended; empty unless the file is sealed.
  private(set) var headerChecksums: [UInt32] = []
  private var scratch = ByteSink()

  init(layout: ColumnLayout, options: ParquetWriterOptions, compressor: PageCompressor, codec: ParquetCodec) {
    self.layout = layout
    self.options = options
    self.compressor = compressor
    self.codec = codec
  }

  struct Data {
    let slotCount: Int
    let rowCount: Int
    let nullCount: Int
    let encoding: Encoding
    let repetitionByteCount: Int
    let definitionByteCount: Int
    /// Levels, then values.
    let body: UnsafeRawBufferPointer
  }

  private enum Kind {
    case dictionary(entryCount: Int)
    case dataV1(Data)
    case dataV2(Data, isCompressed: Bool)
  }

  mutating func append(dictionary body: UnsafeRawBufferPointer, entryCount: Int, _ sink: inout ByteSink) throws(ParquetError) {
    try check(body.count)
    scratch.removeAll()
    let stored = compressed(body)
    try append(.dictionary(entryCount: entryCount), stored, uncompressedByteCount: body.count, &sink)
  }

  mutating func append(_ data: Data, _ sink: inout ByteSink) throws(ParquetError) {
    try check(data.body.count)
    scratch.removeAll()
    guard options.pageVersion == .v2 else {
      let stored = compressed(data.body)
      return try append(.dataV1(data), stored, uncompressedByteCount: data.body.count, &sink)
    }
    // Levels stay as they are in front of the compressed values.
    let levelByteCount = data.repetitionByteCount + data.definitionByteCount
    let values = UnsafeRawBufferPointer(rebasing: data.body[levelByteCount...])
    guard codec != .none, !values.isEmpty else {
      return try append(.dataV2(data, isCompressed: false), data.body, uncompressedByteCount: data.body.count, &sink)
    }
    scratch.append(UnsafeRawBufferPointer(rebasing: data.body[..<levelByteCount]))
    compressor.compress(values, codec, into: &scratch)
    try append(.dataV2(data, isCompressed: true), scratch.bytes, uncompressedByteCount: data.body.count, &sink)
  }

  private mutating func compressed(_ body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if codec == .none { return body }
    compressor.compress(body, codec, into: &scratch)
    return scratch.bytes
  }

  /// Sizes in page headers have 32 bits, and codecs have limits too.
  private func check(_ byteCount: Int) throws(ParquetError) {
    let limit = codec == .none ? Int(Int32.max) : PageCompressor.byteCountMax
    guard byteCount > limit else { return }
    throw .unsupported(
      "Cannot write column \(layout.name): a page of \(byteCount) bytes is needed for one row or dictionary, \(limit) bytes are possible")
  }

  private mutating func append(
    _ kind: Kind, _ stored: UnsafeRawBufferPointer, uncompressedByteCount byteCount: Int, _ sink: inout ByteSink
  ) throws(ParquetError) {
    try check(stored.count)
    let header = header(kind, uncompressedByteCount: byteCount, stored: stored)
    if options.sealedName != nil { headerChecksums.append(header.withUnsafeBytes(PageChecksum.crc32)) }
    sink.append(header)
    sink.append(stored)
    uncompressedByteCount += header.count + byteCount
  }

  /// `PageType` of parquet.thrift.
  static let dataV1Code: Int32 = 0
  static let dictionaryCode: Int32 = 2
  static let dataV2Code: Int32 = 3

  /// A `PageHeader`.
  private func header(_ kind: Kind, uncompressedByteCount: Int, stored: UnsafeRawBufferPointer) -> [UInt8] {
    var writer = ThriftWriter()
    let code =
      switch kind {
      case .dictionary: Self.dictionaryCode
      case .dataV1: Self.dataV1Code
      case .dataV2: Self.dataV2Code
      }
    writer.element(structure: { writer in
      writer.int32(1, code)
      writer.int32(2, Int32(uncompressedByteCount))
      writer.int32(3, Int32(stored.count))
      if options.crc { writer.int32(4, Int32(bitPattern: PageChecksum.crc32(stored))) }
      switch kind {
      case .dataV1(let data):
        writer.structure(5) { writer in
          writer.int32(1, Int32(data.slotCount))
          writer.int32(2, data.encoding.rawValue)
          writer.int32(3, Encoding.rle.rawValue)
          writer.int32(4, Encoding.rle.rawValue)
        }
      case .dictionary(let entryCount):
        writer.structure(7) { writer in
          writer.int32(1, Int32(entryCount))
          writer.int32(2, Encoding.plain.rawValue)
        }
      case .dataV2(let data, let isCompressed):
        writer.structure(8) { writer in
          writer.int32(1, Int32(data.slotCount))
          writer.int32(2, Int32(data.nullCount))
          writer.int32(3, Int32(data.rowCount))
          writer.int32(4, data.encoding.rawValue)
          writer.int32(5, Int32(data.definitionByteCount))
          writer.int32(6, Int32(data.repetitionByteCount))
          writer.bool(7, isCompressed)
        }
      }
    })
    return writer.bytes
  }
}
