import Columns

/// Decodes the pages of one column chunk into one column.
struct ChunkDecoder: ~Copyable {
  private enum Dictionary {
    case fixed(Buffer, count: Int)
    case bytes(BytesAppender)
  }

  private let shape: ColumnShape
  private let decompressor: Decompressor
  /// The rows of all pages that will come.
  private let rowCapacity: Int
  private let byteCountMax: Int
  private var validity: ValidityAppender
  private var dictionary: Dictionary?
  /// Fixed-width values, or bools as one byte each.
  private var fixed: Buffer?
  private let byteWidth: Int
  private var bytes: BytesAppender?
  /// Reused from page to page: dictionary indices, or plain values on their way to a wider or narrower type.
  private var scratch = Buffer(byteCapacity: 0)

  init(_ shape: ColumnShape, codec: Int32, rowCapacity: Int, byteCapacity: Int, byteCountMax: Int) throws(ParquetError) {
    self.shape = shape
    decompressor = try Decompressor(code: codec)
    self.rowCapacity = rowCapacity
    self.byteCountMax = byteCountMax
    validity = ValidityAppender(capacity: rowCapacity)
    byteWidth = PlainConversion.byteWidth(shape.conversion) ?? 1
    if shape.field.type.isVariableLength {
      bytes = BytesAppender(valueCapacity: rowCapacity, byteCapacity: byteCapacity, byteCountMax: byteCountMax)
    } else {
      fixed = Buffer(byteCapacity: rowCapacity * byteWidth)
    }
  }

  // MARK: Pages

  private func verify(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetError) {
    guard let expected = header.checksum else { return }
    let found = PageChecksum.crc32(body)
    guard found == expected else {
      throw .malformed("its checksum is \(String(found, radix: 16)), expected \(String(expected, radix: 16))")
    }
  }

  mutating func readDictionary(_ header: PageHeader, _ body: UnsafeRawBufferPointer) throws(ParquetError) {
    try verify(header, body)
    guard header.encoding == .plain || header.encoding == .plainDictionary else {
      throw .malformed("a dictionary cannot have the encoding \(header.encoding)")
    }
    if decompressor.isIdentity { return try readDictionary(body, count: header.valueCount) }
    let decoded = try decompressor.decompress(body, byteCount: header.uncompressedByteCount)
    try readDictionary(
      UnsafeRawBufferPointer(start: decoded.pointer, count: header.uncompressedByteCount), count: header.valueCount)
    _fixLifetime(decoded)
  }

  private mutating func readDictionary(_ body: UnsafeRawBufferPointer, count: Int) throws(ParquetError) {
    switch shape.conversion {
    case .bool: throw .malformed("booleans cannot have a dictionary")
    case .bytes, .bytesFromFixed, .decimalFromBytes:
      let width = shape.plainByteWidth
      guard count <= body.count / (width ?? 4) else {
        throw .malformed("\(body.count) bytes cannot hold a dictionary of \(count) values")
      }
      var entries = BytesAppender(valueCapacity: count, byteCapacity: body.count, byteCountMax: .max)
      if let width {
        try entries.append(fixed: body, byteWidth: width, count: count)
      } else {
        try entries.append(plain: body, count: count)
      }
      if case .decimalFromBytes = shape.conversion {
        let values = Buffer(byteCapacity: count * 16)
        try Self.decimals(entries, shape, count: count, into: values.pointer)
        dictionary = .fixed(values, count: count)
      } else {
        dictionary = .bytes(entries)
      }
    default:
      let width = shape.plainByteWidth ?? 1
      guard count <= body.count / width else { throw .malformed("\(body.count) bytes cannot hold a dictionary of \(count) values") }
      let values = Buffer(byteCapacity: count * byteWidth)
      if count > 0, let source = body.baseAddress { try PlainConversion.convert(source, shape, count: count, into: values.pointer) }
      dictionary = .fixed(values, count: count)
    }
  }

  /// - Parameter body: followed by the slack of `BitUnpack`.
  mutating func readPage(_ header: PageHeader, _ body: UnsafeRawBufferPointer, rowCount: Int) throws(ParquetError) {
    guard header.valueCount == rowCount else {
      throw .malformed("it holds \(header.valueCount) values, but the offset index says \(rowCount)")
    }
    try verify(header, body)
    switch header.kind {
    case .dataV1(let levels):
      if decompressor.isIdentity { return try readV1(body, header, levels) }
      let decoded = try decompressor.decompress(body, byteCount: header.uncompressedByteCount)
      try readV1(UnsafeRawBufferPointer(start: decoded.pointer, count: header.uncompressedByteCount), header, levels)
      _fixLifetime(decoded)
    case .dataV2(let definitionByteCount, let repetitionByteCount, let isCompressed):
      guard repetitionByteCount == 0 || !body.isEmpty, repetitionByteCount + definitionByteCount <= body.count else {
        throw .malformed("its levels claim \(repetitionByteCount + definitionByteCount) bytes of \(body.count)")
      }
      let levelsEnd = repetitionByteCount + definitionByteCount
      let levels = UnsafeRawBufferPointer(rebasing: body[repetitionByteCount..<levelsEnd])
      let values = UnsafeRawBufferPointer(rebasing: body[levelsEnd...])
      let valueCount = try readLevels(levels, rowCount: rowCount)
      if decompressor.isIdentity || !isCompressed { return try readValues(values, header.encoding, valueCount, rowCount: rowCount) }
      let byteCount = header.uncompressedByteCount - levelsEnd
      guard byteCount >= 0 else { throw .malformed("its levels take \(levelsEnd) bytes of \(header.uncompressedByteCount)") }
      let decoded = try decompressor.decompress(values, byteCount: byteCount)
      try readValues(UnsafeRawBufferPointer(start: decoded.pointer, count: byteCount), header.encoding, valueCount, rowCount: rowCount)
      _fixLifetime(decoded)
    case .dictionary, .other: throw .malformed("it is not a data page")
    }
  }

  private mutating func readV1(_ body: UnsafeRawBufferPointer, _ header: PageHeader, _ encoding: Encoding) throws(ParquetError) {
    let rowCount = header.valueCount
    guard shape.isOptional else { return try readValues(body, header.encoding, rowCount, rowCount: rowCount) }
    switch encoding {
    case .rle:
      guard body.count >= 4 else { throw .malformed("it has \(body.count) bytes, too few for its levels") }
      let length = Int(body.loadUnaligned(as: UInt32.self))
      guard length <= body.count - 4 else { throw .malformed("its levels claim \(length) bytes of \(body.count - 4)") }
      let levels = UnsafeRawBufferPointer(rebasing: body[4..<(4 + length)])
      let valueCount = try readLevels(levels, rowCount: rowCount)
      try readValues(UnsafeRawBufferPointer(rebasing: body[(4 + length)...]), header.encoding, valueCount, rowCount: rowCount)
    case .bitPacked:
      let length = (rowCount + 7) / 8
      guard length <= body.count else { throw .malformed("its levels take \(length) bytes of \(body.count)") }
      let before = validity.nullCount
      for row in 0..<rowCount {
        // The deprecated packing starts at the most significant bit.
        validity.append(repeating: body[row >> 3] >> UInt8(7 - row & 7) & 1 == 1, count: 1)
      }
      let valueCount = rowCount - (validity.nullCount - before)
      try readValues(UnsafeRawBufferPointer(rebasing: body[length...]), header.encoding, valueCount, rowCount: rowCount)
    default: throw .unsupported("its levels have the encoding \(encoding)")
    }
  }

  /// Notes which rows of the page are null; returns how many are not.
  private mutating func readLevels(_ bytes: UnsafeRawBufferPointer, rowCount: Int) throws(ParquetError) -> Int {
    guard shape.isOptional else { return rowCount }
    let before = validity.nullCount
    var runs = HybridRuns(bytes, bitWidth: 1, count: rowCount)
    while let run = try runs.next() {
      switch run {
      case .repeated(let value, let count): validity.append(repeating: value == 1, count: count)
      case .packed(let offset, let count):
        // SAFETY: a packed run has bytes, and the slack follows them.
        validity.append(packed: bytes.baseAddress! + offset, count: count)
      }
    }
    return rowCount - (validity.nullCount - before)
  }

  // MARK: Values

  private var rowsRead = 0

  private mutating func readValues(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, _ valueCount: Int, rowCount: Int
  ) throws(ParquetError) {
    precondition(rowCount <= rowCapacity - rowsRead && valueCount <= rowCount)
    defer { rowsRead += rowCount }
    let nullBits = valueCount < rowCount ? validity.bits : nil
    if var appender = bytes.take() {
      defer { bytes = appender }
      if valueCount > 0 { try readBytes(body, encoding, valueCount, into: &appender) }
      if let nullBits { appender.spread(valueCount: valueCount, rowCount: rowCount, valid: nullBits, bitOffset: rowsRead) }
      return
    }
    guard let fixed else { return }
    let target = fixed.pointer + rowsRead * byteWidth
    if valueCount > 0 { try readFixed(body, encoding, valueCount, into: target) }
    if let nullBits {
      NullSpreading.spread(target, byteWidth: byteWidth, valueCount: valueCount, rowCount: rowCount, valid: nullBits, bitOffset: rowsRead)
    }
  }

  /// Decodes dictionary indices into the scratch; all lie below the number of entries.
  private mutating func readIndices(
    _ body: UnsafeRawBufferPointer, _ count: Int, entryCount: Int
  ) throws(ParquetError) -> UnsafePointer<UInt32> {
    guard let width = body.first else { throw .malformed("it has no bytes for \(count) dictionary indices") }
    guard width <= 32 else { throw .malformed("dictionary indices of \(width) bits are not possible") }
    let indices = scratch(byteCount: count * 4).assumingMemoryBound(to: UInt32.self)
    try HybridRuns.decode(UnsafeRawBufferPointer(rebasing: body[1...]), bitWidth: Int(width), count: count, into: indices)
    var greatest: UInt32 = 0
    for index in 0..<count { greatest = max(greatest, indices[index]) }
    guard greatest < entryCount else { throw .malformed("it refers to entry \(greatest) of a dictionary of \(entryCount)") }
    return UnsafePointer(indices)
  }

  private mutating func scratch(byteCount: Int) -> UnsafeMutableRawPointer {
    if scratch.byteCapacity < byteCount { scratch = Buffer(byteCapacity: byteCount) }
    return scratch.pointer
  }

  private mutating func readBytes(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, _ count: Int, into target: inout BytesAppender
  ) throws(ParquetError) {
    let first = target.count
    switch (encoding, shape.physicalType) {
    case (.plain, .fixedLengthByteArray): try target.append(fixed: body, byteWidth: shape.fixedByteCount, count: count)
    case (.plain, _): try target.append(plain: body, count: count)
    case (.plainDictionary, _), (.rleDictionary, _):
      guard case .bytes(let entries)? = dictionary else { throw .malformed("it refers to a dictionary that the column does not have") }
      let indices = try readIndices(body, count, entryCount: entries.count)
      try target.append(entries, indices: indices, count: count)
    case (.deltaLengthByteArray, .byteArray): try target.append(deltaLength: body, count: count)
    case (.deltaByteArray, _):
      try target.append(deltaBytes: body, count: count)
      if shape.physicalType == .fixedLengthByteArray {
        for index in first..<target.count where target.value(index).count != shape.fixedByteCount {
          throw .malformed("value \(index - first) has \(target.value(index).count) bytes, expected \(shape.fixedByteCount)")
        }
      }
    case (.byteStreamSplit, .fixedLengthByteArray):
      let joined = try joinStreams(body, count, byteWidth: shape.fixedByteCount)
      try target.append(
        fixed: UnsafeRawBufferPointer(start: joined, count: count * shape.fixedByteCount), byteWidth: shape.fixedByteCount, count: count)
    default: throw .unsupported("its encoding \(encoding) is not possible for \(shape.physicalType)")
    }
  }

  private mutating func joinStreams(_ body: UnsafeRawBufferPointer, _ count: Int, byteWidth: Int) throws(ParquetError) -> UnsafeRawPointer {
    guard count <= body.count / byteWidth, let source = body.baseAddress else {
      throw .malformed("\(body.count) bytes cannot hold \(count) values of \(byteWidth) bytes")
    }
    // Streams are as long as the page has values, which padding may have made longer than the wanted.
    let target = scratch(byteCount: count * byteWidth)
    ByteStreams.join(source, streamByteCount: body.count / byteWidth, count: count, byteWidth: byteWidth, into: target)
    return UnsafeRawPointer(target)
  }

  private mutating func readFixed(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, _ count: Int, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    if shape.conversion == .bool { return try readBools(body, encoding, count, into: target.assumingMemoryBound(to: UInt8.self)) }
    if encoding == .plainDictionary || encoding == .rleDictionary {
      guard case .fixed(let entries, let entryCount)? = dictionary else {
        throw .malformed("it refers to a dictionary that the column does not have")
      }
      let indices = try readIndices(body, count, entryCount: entryCount)
      Gather.gather(entries.pointer, indices, byteWidth: byteWidth, count: count, into: target)
      _fixLifetime(entries)
      return
    }
    if shape.conversion == .decimalFromBytes {
      var values = BytesAppender(valueCapacity: count, byteCapacity: body.count, byteCountMax: byteCountMax)
      try readBytes(body, encoding, count, into: &values)
      return try Self.decimals(values, shape, count: count, into: target)
    }
    let width = shape.plainByteWidth ?? byteWidth
    let isIdentity = if case .identity = shape.conversion { true } else { false }
    switch (encoding, shape.physicalType) {
    case (.plain, _):
      guard count <= body.count / width, let source = body.baseAddress else {
        throw .malformed("\(body.count) bytes cannot hold \(count) values of \(width) bytes")
      }
      try PlainConversion.convert(source, shape, count: count, into: target)
    case (.deltaBinaryPacked, .int32):
      let words = isIdentity ? target : scratch(byteCount: count * 4)
      _ = try DeltaDecoding.decode(body, count: count, into: words.assumingMemoryBound(to: UInt32.self))
      if !isIdentity { try PlainConversion.convert(words, shape, count: count, into: target) }
    case (.deltaBinaryPacked, .int64):
      let words = isIdentity ? target : scratch(byteCount: count * 8)
      _ = try DeltaDecoding.decode(body, count: count, into: words.assumingMemoryBound(to: UInt64.self))
      if !isIdentity { try PlainConversion.convert(words, shape, count: count, into: target) }
    case (.byteStreamSplit, .int32), (.byteStreamSplit, .int64), (.byteStreamSplit, .float), (.byteStreamSplit, .double),
      (.byteStreamSplit, .fixedLengthByteArray):
      let joined = try joinStreams(body, count, byteWidth: width)
      try PlainConversion.convert(joined, shape, count: count, into: target)
    case (.deltaByteArray, .fixedLengthByteArray):
      var values = BytesAppender(valueCapacity: count, byteCapacity: count * width, byteCountMax: byteCountMax)
      try readBytes(body, encoding, count, into: &values)
      if let source = values.value(0).baseAddress { try PlainConversion.convert(source, shape, count: count, into: target) }
    default: throw .unsupported("its encoding \(encoding) is not possible for \(shape.physicalType)")
    }
  }

  private static func decimals(
    _ values: BytesAppender, _ shape: ColumnShape, count: Int, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    let decimals = target.assumingMemoryBound(to: Int128.self)
    for index in 0..<count { decimals[index] = try PlainConversion.decimal(values.value(index)) }
    if case .decimal(let precision, _) = shape.field.type { try PlainConversion.check(target, count: count, precision: precision) }
  }

  /// One byte a value; packed to bits when the column is complete.
  private mutating func readBools(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, _ count: Int, into target: UnsafeMutablePointer<UInt8>
  ) throws(ParquetError) {
    switch encoding {
    case .plain:
      guard count <= body.count * 8 else { throw .malformed("\(body.count) bytes cannot hold \(count) booleans") }
      for index in 0..<count { target[index] = body[index >> 3] >> UInt8(truncatingIfNeeded: index & 7) & 1 }
    case .rle:
      guard body.count >= 4 else { throw .malformed("it has \(body.count) bytes, too few for its booleans") }
      let length = Int(body.loadUnaligned(as: UInt32.self))
      guard length <= body.count - 4 else { throw .malformed("its booleans claim \(length) bytes of \(body.count - 4)") }
      let values = scratch(byteCount: count * 4).assumingMemoryBound(to: UInt32.self)
      try HybridRuns.decode(UnsafeRawBufferPointer(rebasing: body[4..<(4 + length)]), bitWidth: 1, count: count, into: values)
      for index in 0..<count { target[index] = UInt8(truncatingIfNeeded: values[index]) }
    default: throw .unsupported("its encoding \(encoding) is not possible for booleans")
    }
  }

  // MARK: The column

  /// The rows of all pages that were read.
  consuming func finish() -> Column {
    let type = shape.field.type
    let valid = validity.finish()
    if let bytes {
      let (data, offsets) = bytes.finish()
      return Column(type: type, count: rowsRead, validity: valid, data: data, offsets: offsets)
    }
    guard let fixed else { preconditionFailure("A column has fixed or variable values") }
    guard type == .bool else {
      return Column(type: type, count: rowsRead, validity: valid, data: BufferSlice(fixed, byteCount: rowsRead * byteWidth))
    }
    let packed = Buffer(byteCapacity: (rowsRead + 7) / 8 + 8)
    BoolPacking.pack(fixed.pointer.assumingMemoryBound(to: UInt8.self), count: rowsRead, into: packed.pointer)
    return Column(type: type, count: rowsRead, validity: valid, data: BufferSlice(packed, byteCount: (rowsRead + 7) / 8))
  }
}
