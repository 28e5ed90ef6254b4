import Columns

/// Reads Arrow IPC: files (`ARROW1`), streams, and streams as written before version 0.15.
///
/// The bytes may be a mapped file: columns whose layout is already that of `Column` point into them, so they must stay as
/// they are while any batch lives, unless the reader is asked for columns that own their memory. Dictionary-encoded columns are given as their values. Field metadata are not read, so
/// extension types are given as their storage.
///
/// Format: https://arrow.apache.org/docs/format/Columnar.html, "Serialization and Interprocess Communication (IPC)".
package struct ArrowReader: Sendable {
  /// The fields of the batches that `next` gives.
  package let schema: Schema
  /// Whether the bytes are a file rather than a stream.
  package let isFile: Bool
  /// Called by `next` and at the end with the range of bytes of the batch before, once for each: a caller who has dropped that
  /// batch may tell the system to drop its pages.
  package var onConsumed: (@Sendable (Range<Int>) -> Void)?

  /// The most threads that decode columns of one large batch.
  package var threadCountMax = Int.max

  private let bytes: BufferSlice
  private let fields: [ArrowField]
  /// Which fields of the file are given, in this order.
  private let projection: [Int]
  private let decoder: ArrayDecoder
  private var dictionaries: DictionaryStore
  /// Where the messages of a file lie; nil for streams.
  private let footer: ArrowFooter?
  private var codecs: [ArrowCodec: BodyCodecs] = [:]
  private var batchIndex = 0
  /// Where a stream goes on.
  private var position: Int
  private var consumed: Range<Int>?
  private var isFinished = false

  /// Reads the schema.
  ///
  /// - Parameters:
  ///   - columns: the fields to read, in this order; nil for all of them.
  ///   - expandedByteCountMax: the most bytes a column of one batch may take if it is larger in memory than in the file, as
  ///     dictionary-encoded ones are.
  ///   - ownsColumns: columns never point into the bytes, which may change then: what was read stays sound, if not right.
  /// - Precondition: `columns` are fields of the file.
  /// - Throws: `ArrowError` if the bytes are no Arrow data, or have a type that cannot be read.
  package init(
    bytes: BufferSlice, columns: [Int]? = nil, expandedByteCountMax: Int = Int(Int32.max), ownsColumns: Bool = false
  ) throws(ArrowError) {
    do throws(ArrowError) {
      self.bytes = bytes
      isFile = bytes.starts(with: ArrowFooter.magic)
      if isFile {
        let footer = try ArrowFooter(bytes)
        self.footer = footer
        fields = footer.fields
        position = bytes.byteCount
      } else {
        footer = nil
        guard !bytes.starts(with: Array("FEA1".utf8)) else {
          throw ArrowError.unsupported("the file is Feather version 1, expected Arrow IPC")
        }
        guard let message = try ArrowMessage(bytes, at: 0) else { throw ArrowError.malformed("the bytes end before the schema") }
        guard message.kind == .schema else { throw ArrowError.malformed("the first message is no schema") }
        fields = try message.withHeader { (table) throws(ArrowError) in
          var decoder = SchemaDecoder(metadataByteCount: message.metadata.byteCount)
          return try decoder.fields(of: table)
        }
        position = message.range.upperBound
      }
      let all = fields
      let chosen = columns ?? Array(all.indices)
      precondition(chosen.allSatisfy { all.indices.contains($0) }, "A column to read is no field of the file")
      projection = chosen
      schema = Schema(chosen.map { all[$0].field })
      dictionaries = try DictionaryStore(all, projection: chosen)
      decoder = ArrayDecoder(expandedByteCountMax: expandedByteCountMax, borrowed: ownsColumns ? bytes : nil)
    } catch {
      throw error.within("Cannot read Arrow data")
    }
  }

  /// All fields of the file, also those that are not read.
  package var fileSchema: Schema { Schema(fields.map(\.field)) }

  /// How many record batches a file has; nil for streams, which do not say.
  package var batchCount: Int? { footer?.batches.count }

  /// The next record batch; nil behind the last one.
  package mutating func next() throws(ArrowError) -> Batch? {
    if let range = consumed {
      consumed = nil
      onConsumed?(range)
    }
    guard !isFinished else { return nil }
    do throws(ArrowError) {
      guard let batch = try footer == nil ? nextOfStream() : nextOfFile() else {
        isFinished = true
        return nil
      }
      return batch
    } catch {
      // Dictionaries may be incomplete: nothing behind an error is read.
      isFinished = true
      throw error.within("Cannot read Arrow data: batch \(batchIndex)")
    }
  }

  private mutating func nextOfStream() throws(ArrowError) -> Batch? {
    while let message = try ArrowMessage(bytes, at: position) {
      position = message.range.upperBound
      switch message.kind {
      case .schema: throw .malformed("message at byte \(message.range.lowerBound): a second schema")
      case .dictionaryBatch: try dictionaries.read(message, decoder, isReplacementAllowed: true)
      case .recordBatch: return try batch(message)
      }
    }
    return nil
  }

  private mutating func nextOfFile() throws(ArrowError) -> Batch? {
    guard let footer else { return nil }
    if batchIndex == 0 {
      for block in footer.dictionaries {
        let message = try footer.message(block, in: bytes)
        guard message.kind == .dictionaryBatch else { throw .malformed("message at byte \(message.range.lowerBound) is no dictionary") }
        try dictionaries.read(message, decoder, isReplacementAllowed: false)
      }
    }
    guard batchIndex < footer.batches.count else { return nil }
    let message = try footer.message(footer.batches[batchIndex], in: bytes)
    guard message.kind == .recordBatch else { throw .malformed("message at byte \(message.range.lowerBound) is no record batch") }
    return try batch(message)
  }

  private mutating func batch(_ message: ArrowMessage) throws(ArrowError) -> Batch {
    let values = dictionaries.values()
    let (rowCount, codec, arrays) = try message.withHeader { (table) throws(ArrowError) -> (Int, ArrowCodec?, [ArrayData]) in
      var decoder = try RecordBatchDecoder(table, body: message.body)
      var arrays: [ArrayData] = []
      arrays.reserveCapacity(fields.count)
      for field in fields { arrays.append(try decoder.array(field, dictionaries: values)) }
      return (decoder.rowCount, decoder.codec, arrays)
    }
    for index in projection where arrays[index].count != rowCount {
      throw .malformed("column \(fields[index].name) has \(arrays[index].count) values, the batch \(rowCount) rows")
    }
    let columns = try decode(arrays, codec, threadCountMax: message.body.byteCount < Self.parallelByteCountMin ? 1 : threadCountMax)
    batchIndex += 1
    consumed = message.range
    return Batch(schema: schema, columns: columns, rowCount: rowCount)
  }

  /// Waking a thread costs as much as reading some hundred kilobytes.
  private static let parallelByteCountMin = 1 << 20

  private mutating func decode(_ arrays: [ArrayData], _ codec: ArrowCodec?, threadCountMax: Int) throws(ArrowError) -> [Column] {
    if let codec, codecs[codec] == nil { codecs[codec] = BodyCodecs(decoding: codec) }
    let (decoder, fields) = (decoder, fields)
    let shared = codec.flatMap { codecs[$0] }
    do {
      return try parallelMap(projection, threadCountMax: threadCountMax) { (index) throws(ArrowError) in
        guard let shared else { return try decoder.column(fields[index], decoder.owned(arrays[index])) }
        let array = try shared.with { (codec) throws(ArrowError) in
          do throws(ArrowError) { return try arrays[index].decompressed(codec) } catch {
            throw error.within("column \(fields[index].name)")
          }
        }
        return try decoder.column(fields[index], decoder.owned(array))
      }
    } catch {
      guard let error = error as? ArrowError else { preconditionFailure("Columns are decoded with typed errors: \(error)") }
      throw error
    }
  }
}

extension BufferSlice {
  func starts(with prefix: [UInt8]) -> Bool { withBytes { $0.starts(with: prefix) } }
}
