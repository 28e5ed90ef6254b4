import Columns

/// How Arrow data are written.
package struct ArrowWriterOptions: Hashable, Sendable {
  package enum Format: Hashable, Sendable {
    /// Messages one after another: what is read as it comes.
    case stream
    /// The same between `ARROW1` marks, with a footer: what is mapped, also known as Feather version 2.
    case file
  }

  package var format: Format
  /// Compression of each buffer; nil lets readers use the mapped bytes as they are.
  package var codec: ArrowCodec?
  package var zstdLevel: Int32 = 1
  /// The most threads that compress buffers of one large batch; the bytes do not depend on it.
  package var threadCountMax = Int.max
  /// String and binary fields, by number, that are written as indices into a dictionary. Streams carry new values as deltas before
  /// the batch that has them first; files carry one dictionary a field, behind the batches.
  package var dictionaryColumns: Set<Int> = []

  package init(format: Format = .file, codec: ArrowCodec? = nil, dictionaryColumns: Set<Int> = []) {
    self.format = format
    self.codec = codec
    self.dictionaryColumns = dictionaryColumns
  }
}

/// Writes batches as Arrow IPC, one record batch each.
///
/// Strings, binary and lists get 64-bit offsets, maps Arrow's 32-bit ones. Buffers lie at multiples of 64 bytes in the file.
/// The same batches and options give the same bytes. Memory: the distinct values of dictionary columns, and the compressed buffers of
/// one batch.
///
/// Format: https://arrow.apache.org/docs/format/Columnar.html, metadata version V5.
package struct ArrowWriter: Sendable {
  package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  package let schema: Schema
  package let options: ArrowWriterOptions
  private var position = 0
  private var hasBegun = false
  private var encoders: [Int: DictionaryEncoder] = [:]
  /// How many values of each dictionary have been written.
  private var writtenCounts: [Int: Int] = [:]
  private let codecs: BodyCodecs?
  /// Offset, length of metadata and length of body of each message, as the footer lists them.
  private var batchBlocks: [Int64] = []
  private var dictionaryBlocks: [Int64] = []

  /// Everything in a body begins at a multiple of this, counted from the start of the file.
  private static let alignment = 64

  /// - Precondition: `options.dictionaryColumns` are string or binary fields of the schema.
  package init(schema: Schema, options: ArrowWriterOptions = ArrowWriterOptions()) {
    self.schema = schema
    self.options = options
    for index in options.dictionaryColumns {
      precondition(schema.fields.indices.contains(index), "There is no field \(index) to write with a dictionary")
      let type = schema.fields[index].type
      precondition(type.isVariableLength, "Only string and binary fields are written with a dictionary, not \(type)")
      encoders[index] = DictionaryEncoder(type)
    }
    codecs = options.codec.map { BodyCodecs(encoding: $0, level: options.zstdLevel) }
  }

  /// Writes one record batch, and before the first one the schema.
  /// - Precondition: the batch has the writer's schema.
  package mutating func write(_ batch: Batch, into sink: Sink) rethrows {
    precondition(batch.schema.fields.map(\.type) == schema.fields.map(\.type), "The batch has another schema than the writer")
    try begin(into: sink)
    var encoder = RecordBatchEncoder()
    for (index, column) in batch.columns.enumerated() {
      guard let indices = encoders[index]?.encode(column) else {
        encoder.append(column)
        continue
      }
      encoder.append(column, indices: indices)
    }
    if options.format == .stream { try writeDictionaries(into: sink) }
    let (header, buffers) = recordBatch(encoder, rowCount: batch.rowCount)
    batchBlocks += try write(type: 3, header, buffers, into: sink)
  }

  /// Writes what follows the last batch. Nothing may be written afterwards.
  package mutating func finish(into sink: Sink) rethrows {
    try begin(into: sink)
    if options.format == .file { try writeDictionaries(into: sink) }
    // The end mark: a message without metadata.
    try put([0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], into: sink)
    guard options.format == .file else { return }
    let footer = FlatWriter.encode([
      FlatSlot(0, .int16(4)),
      FlatSlot(1, .table(SchemaEncoder.schema(schema, dictionaryColumns: options.dictionaryColumns))),
      FlatSlot(2, .words(dictionaryBlocks, wordsPerElement: 3)),
      FlatSlot(3, .words(batchBlocks, wordsPerElement: 3)),
    ])
    try put(footer, into: sink)
    try put(withUnsafeBytes(of: Int32(footer.count).littleEndian) { Array($0) } + ArrowFooter.magic, into: sink)
  }

  /// The message that describes a schema, as streams begin with it and Parquet files carry it in base64 under `ARROW:schema`.
  package static func schemaMessage(_ schema: Schema) -> [UInt8] {
    var writer = ArrowWriter(schema: schema, options: ArrowWriterOptions(format: .stream))
    var bytes: [UInt8] = []
    writer.begin { bytes.append(contentsOf: $0) }
    return bytes
  }

  private mutating func begin(into sink: Sink) rethrows {
    guard !hasBegun else { return }
    hasBegun = true
    if options.format == .file { try put(ArrowFooter.magic + [0, 0], into: sink) }
    _ = try write(type: 1, SchemaEncoder.schema(schema, dictionaryColumns: options.dictionaryColumns), [], into: sink)
  }

  private mutating func writeDictionaries(into sink: Sink) rethrows {
    for index in options.dictionaryColumns.sorted() {
      guard let dictionary = encoders[index] else { continue }
      let written = writtenCounts[index]
      // An empty dictionary is written too: not all readers do without one.
      guard written == nil || dictionary.count > written ?? 0 else { continue }
      let values = dictionary.values(from: written ?? 0)
      var encoder = RecordBatchEncoder()
      encoder.append(values)
      let (data, buffers) = recordBatch(encoder, rowCount: values.count)
      let header = [FlatSlot(0, .int64(Int64(index))), FlatSlot(1, .table(data)), FlatSlot(2, .bool(written != nil))]
      dictionaryBlocks += try write(type: 2, header, buffers, into: sink)
      writtenCounts[index] = dictionary.count
    }
  }

  /// The table `RecordBatch` of Message.fbs, and the buffers of its body, compressed if so chosen.
  private func recordBatch(_ encoder: RecordBatchEncoder, rowCount: Int) -> ([FlatSlot], [BufferSlice]) {
    let buffers = compressed(encoder.buffers)
    var places: [Int64] = []
    var offset = 0
    for buffer in buffers {
      places += [Int64(offset), Int64(buffer.byteCount)]
      offset += Self.padded(buffer.byteCount)
    }
    var slots = [
      FlatSlot(0, .int64(Int64(rowCount))), FlatSlot(1, .words(encoder.nodes, wordsPerElement: 2)),
      FlatSlot(2, .words(places, wordsPerElement: 2)),
    ]
    if let codec = options.codec { slots.append(FlatSlot(3, .table([FlatSlot(0, .uint8(codec.rawValue)), FlatSlot(1, .uint8(0))]))) }
    return (slots, buffers)
  }

  private func compressed(_ buffers: [BufferSlice]) -> [BufferSlice] {
    guard let codecs else { return buffers }
    let isLarge = buffers.reduce(0) { $0 + $1.byteCount } >= Self.parallelByteCountMin
    // Compression has no errors: the other path is never taken.
    let result = try? parallelMap(buffers, threadCountMax: isLarge ? options.threadCountMax : 1) { codecs.encode($0) }
    return result ?? buffers.map { codecs.encode($0) }
  }

  /// Waking a thread costs as much as compressing some hundred kilobytes.
  private static let parallelByteCountMin = 1 << 20

  private static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) / alignment * alignment }

  /// Writes a message; gives its block for the footer.
  private mutating func write(type: UInt8, _ header: [FlatSlot], _ buffers: [BufferSlice], into sink: Sink) rethrows -> [Int64] {
    let start = position
    let bodyByteCount = buffers.reduce(0) { $0 + Self.padded($1.byteCount) }
    var metadata = FlatWriter.encode([
      FlatSlot(0, .int16(4)), FlatSlot(1, .uint8(type)), FlatSlot(2, .table(header)), FlatSlot(3, .int64(Int64(bodyByteCount))),
    ])
    let end = Self.padded(start + 8 + metadata.count)
    metadata += [UInt8](repeating: 0, count: end - start - 8 - metadata.count)
    try put(
      [0xFF, 0xFF, 0xFF, 0xFF] + withUnsafeBytes(of: Int32(metadata.count).littleEndian) { Array($0) } + metadata, into: sink)
    for buffer in buffers where buffer.byteCount > 0 {
      try buffer.withBytes { try sink($0) }
      position += buffer.byteCount
      let padding = Self.padded(buffer.byteCount) - buffer.byteCount
      if padding > 0 { try put([UInt8](repeating: 0, count: padding), into: sink) }
    }
    return [Int64(start), Int64(end - start), Int64(bodyByteCount)]
  }

  private mutating func put(_ bytes: [UInt8], into sink: Sink) rethrows {
    try bytes.withUnsafeBytes { try sink($0) }
    position += bytes.count
  }
}
