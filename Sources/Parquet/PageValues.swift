import Columns

/// The dictionary of a column chunk.
enum ChunkDictionary {
  case fixed(Buffer, count: Int)
  case bytes(BytesAppender, greatestByteCount: Int)

  /// The mean bytes of an entry of variable length.
  var averageByteCount: Int { if case .bytes(let entries, _) = self { entries.averageByteCount } else { 0 } }

  /// Decodes the values of a dictionary page, which are always plain.
  init(_ body: UnsafeRawBufferPointer, _ shape: ColumnShape, count: Int) throws(ParquetError) {
    switch shape.conversion {
    case .bool: throw .malformed("booleans cannot have a dictionary")
    case .bytes, .decimalFromBytes:
      guard count <= body.count / 4 else { throw .malformed("\(body.count) bytes cannot hold a dictionary of \(count) values") }
      var entries = BytesAppender(valueCapacity: count, byteCapacity: body.count, byteCountMax: .max)
      _ = try entries.append(plain: body, count: count)
      if shape.field.type == .string { try entries.checkText(from: 0) }
      guard case .decimalFromBytes = shape.conversion else {
        self = .bytes(entries, greatestByteCount: entries.greatestByteCount)
        return
      }
      let values = Buffer(byteCapacity: count * 16)
      try PlainConversion.decimals(entries, shape, count: count, into: values.pointer)
      self = .fixed(values, count: count)
    default:
      let width = shape.plainByteWidth ?? 1
      guard count <= body.count / width else { throw .malformed("\(body.count) bytes cannot hold a dictionary of \(count) values") }
      let values = Buffer(byteCapacity: count * (PlainConversion.byteWidth(shape.conversion) ?? 1))
      if count > 0, let source = body.baseAddress { try PlainConversion.convert(source, shape, count: count, into: values.pointer) }
      self = .fixed(values, count: count)
    }
  }
}

/// The values of one data page, handed out in steps: what a step does not need stays encoded where the encoding allows it.
struct PageValues {
  private let shape: ColumnShape
  private let encoding: Encoding
  /// Followed by the slack of `BitUnpack`; kept by the page.
  private let body: UnsafeRawBufferPointer
  /// The page has at most so many values.
  private let countMax: Int
  /// Values handed out.
  private var index = 0
  /// Bytes of the body that they took, where that is a place to go on from.
  private var position = 0
  /// Dictionary indices, or booleans in runs.
  private var runs: HybridCursor?
  /// Values of an encoding that is decoded as a whole.
  private var words: (buffer: Buffer, count: Int)?
  private var strings: BytesAppender?
  private var lengths: DeltaLengths?

  init(_ body: UnsafeRawBufferPointer, _ encoding: Encoding, countMax: Int, _ shape: ColumnShape) {
    self.body = body
    self.encoding = encoding
    self.countMax = countMax
    self.shape = shape
  }

  private var isDictionary: Bool { encoding == .plainDictionary || encoding == .rleDictionary }

  private var impossible: ParquetError { .unsupported("its encoding \(encoding) is not possible for \(shape.physicalType)") }

  private func ended(_ wanted: Int) -> ParquetError {
    .malformed("its \(body.count) bytes end after fewer than \(index + wanted) values of \(shape.physicalType)")
  }

  /// About how many of the next values take so many bytes in memory, at least one.
  func count(ofByteCount byteCount: Int, dictionary: ChunkDictionary?) -> Int {
    if isDictionary {
      guard case .bytes(_, let greatest)? = dictionary else { return .max }
      return max(1, byteCount / max(1, greatest))
    }
    let left = max(1, countMax - index)
    return max(1, byteCount / max(1, (body.count - position) / left))
  }

  /// About the bytes that the next values take, as an average of the page.
  func estimatedByteCount(of count: Int, dictionary: ChunkDictionary?) -> Int {
    if isDictionary { return count * (dictionary?.averageByteCount ?? 0) }
    return Int(Double(body.count - position) * Double(count) / Double(max(1, countMax - index)))
  }

  /// Opens the dictionary indices: the width of each in the first byte, then runs.
  private mutating func openIndices(entryCount: Int) throws(ParquetError) {
    guard runs == nil else { return }
    guard let width = body.first else { throw .malformed("it has no bytes for its dictionary indices") }
    guard width <= 32 else { throw .malformed("dictionary indices of \(width) bits are not possible") }
    runs = HybridCursor(
      UnsafeRawBufferPointer(rebasing: body[1...]), bitWidth: Int(width), count: countMax, limit: entryCount, subject: "dictionary entry")
  }

  // MARK: Strings and bytes

  /// Appends the next values. - Precondition: the target has room for as many.
  mutating func read(_ count: Int, into target: inout BytesAppender, _ dictionary: ChunkDictionary?) throws(ParquetError) {
    guard count > 0 else { return }
    if isDictionary {
      guard case .bytes(let entries, _)? = dictionary else { throw .malformed("it refers to a dictionary that the column does not have") }
      try openIndices(entryCount: entries.count)
      var done = 0
      while done < count {
        let block = try runs!.peek()
        let step = min(block.count, count - done)
        // SAFETY: a peeked block is never empty; its indices are below the number of entries.
        try target.append(entries, indices: block.baseAddress!, count: step)
        runs!.advance(step)
        done += step
      }
      index += count
      return
    }
    let first = target.count
    do {
      try readStored(count, into: &target)
      if shape.field.type == .string { try target.checkText(from: first) }
    } catch {
      guard index > 0 else { throw error }
      throw error.within("after \(index) values")
    }
    index += count
  }

  private mutating func readStored(_ count: Int, into target: inout BytesAppender) throws(ParquetError) {
    switch (encoding, shape.physicalType) {
    case (.plain, .byteArray):
      position += try target.append(
        plain: UnsafeRawBufferPointer(rebasing: body[position...]), count: count, isWhole: index == 0 && count == countMax)
    case (.deltaLengthByteArray, .byteArray):
      if lengths == nil { (lengths, position) = try DeltaLengths.decode(body, count: try DeltaDecoding.valueCount(body, max: countMax)) }
      guard let lengths, count <= lengths.count - index else { throw ended(count) }
      let total = index == 0 && count == lengths.count ? lengths.total : lengths.total(from: index, count: count)
      guard total <= body.count - position else {
        throw .malformed("its values claim \(total) bytes, but only \(body.count - position) are left")
      }
      let bytes = UnsafeRawBufferPointer(rebasing: body[position..<(position + total)])
      try target.append(lengths: lengths.base + index, count: count, bytes: bytes)
      _fixLifetime(lengths.buffer)
      position += total
    case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray):
      if strings == nil {
        let total = try DeltaDecoding.valueCount(body, max: countMax)
        if index == 0 && count == total { return try target.append(deltaBytes: body, count: count) }
        var all = BytesAppender(valueCapacity: total, byteCapacity: body.count * 2, byteCountMax: target.byteCountMax)
        try all.append(deltaBytes: body, count: total)
        strings = all
      }
      guard let strings, count <= strings.count - index else { throw ended(count) }
      try target.append(strings, from: index, count: count)
    default: throw impossible
    }
  }

  // MARK: Values of one width

  /// Writes the next values.
  /// - Parameters:
  ///   - target: has room for them, and for a buffer's slack.
  ///   - scratch: for values on their way to a wider or narrower type.
  mutating func read(
    _ count: Int, into target: UnsafeMutableRawPointer, _ dictionary: ChunkDictionary?, scratch: inout Buffer
  ) throws(ParquetError) {
    guard count > 0 else { return }
    defer { index += count }
    if shape.conversion == .bool { return try readBools(count, into: target.assumingMemoryBound(to: UInt8.self)) }
    if isDictionary {
      guard case .fixed(let entries, let entryCount)? = dictionary else {
        throw .malformed("it refers to a dictionary that the column does not have")
      }
      let width = PlainConversion.byteWidth(shape.conversion) ?? 1
      try openIndices(entryCount: entryCount)
      var done = 0
      while done < count {
        let block = try runs!.peek()
        let step = min(block.count, count - done)
        // SAFETY: a peeked block is never empty; its indices are below the number of entries.
        Gather.gather(entries.pointer, block.baseAddress!, byteWidth: width, count: step, into: target + done * width)
        runs!.advance(step)
        done += step
      }
      return _fixLifetime(entries)
    }
    if shape.conversion == .decimalFromBytes {
      var values = BytesAppender(valueCapacity: count, byteCapacity: body.count, byteCountMax: .max)
      try readStored(count, into: &values)
      return try PlainConversion.decimals(values, shape, count: count, into: target)
    }
    switch (encoding, shape.physicalType) {
    case (.plain, _):
      let width = shape.plainByteWidth ?? 1
      guard count <= (body.count - position) / width, let source = body.baseAddress else { throw ended(count) }
      try PlainConversion.convert(source + position, shape, count: count, into: target)
      position += count * width
    case (.deltaBinaryPacked, .int32): try readDelta(count, UInt32.self, into: target)
    case (.deltaBinaryPacked, .int64): try readDelta(count, UInt64.self, into: target)
    case (.byteStreamSplit, .int32), (.byteStreamSplit, .int64), (.byteStreamSplit, .float), (.byteStreamSplit, .double),
      (.byteStreamSplit, .fixedLengthByteArray):
      try readStreams(count, into: target, scratch: &scratch)
    case (.deltaByteArray, .fixedLengthByteArray):
      var values = BytesAppender(valueCapacity: count, byteCapacity: count * shape.fixedByteCount, byteCountMax: .max)
      try readStored(count, into: &values)
      for index in 0..<count where values.value(index).count != shape.fixedByteCount {
        throw .malformed("value \(self.index + index) has \(values.value(index).count) bytes, expected \(shape.fixedByteCount)")
      }
      if let source = values.value(0).baseAddress { try PlainConversion.convert(source, shape, count: count, into: target) }
    default: throw impossible
    }
  }

  private mutating func readDelta<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ count: Int, _: Word.Type, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    if words == nil {
      let total = try DeltaDecoding.valueCount(body, max: countMax)
      if case .identity = shape.conversion, index == 0, count == total {
        _ = try DeltaDecoding.decode(body, count: count, into: target.assumingMemoryBound(to: Word.self))
        return
      }
      let buffer = Buffer(byteCapacity: total * MemoryLayout<Word>.stride)
      _ = try DeltaDecoding.decode(body, count: total, into: buffer.pointer.assumingMemoryBound(to: Word.self))
      words = (buffer, total)
    }
    guard let words, count <= words.count - index else { throw ended(count) }
    try PlainConversion.convert(words.buffer.pointer + index * MemoryLayout<Word>.stride, shape, count: count, into: target)
    _fixLifetime(words.buffer)
  }

  private func readStreams(_ count: Int, into target: UnsafeMutableRawPointer, scratch: inout Buffer) throws(ParquetError) {
    let width = shape.plainByteWidth ?? 1
    // Streams are as long as the page has values.
    let streamByteCount = body.count / width
    guard count <= streamByteCount - index, let source = body.baseAddress else { throw ended(count) }
    if case .identity = shape.conversion {
      return ByteStreams.join(source + index, streamByteCount: streamByteCount, count: count, byteWidth: width, into: target)
    }
    if scratch.byteCapacity < count * width { scratch = Buffer(byteCapacity: count * width) }
    ByteStreams.join(source + index, streamByteCount: streamByteCount, count: count, byteWidth: width, into: scratch.pointer)
    try PlainConversion.convert(scratch.pointer, shape, count: count, into: target)
  }

  /// One byte a value; packed to bits when the column is complete.
  private mutating func readBools(_ count: Int, into target: UnsafeMutablePointer<UInt8>) throws(ParquetError) {
    switch encoding {
    case .plain:
      guard index + count <= body.count * 8 else { throw ended(count) }
      for place in 0..<count {
        let bit = index &+ place
        target[place] = body[bit >> 3] >> UInt8(truncatingIfNeeded: bit & 7) & 1
      }
    case .rle:
      if runs == nil {
        guard body.count >= 4 else { throw .malformed("it has \(body.count) bytes, too few for its booleans") }
        let length = Int(body.loadUnaligned(as: UInt32.self))
        guard length <= body.count - 4 else { throw .malformed("its booleans claim \(length) bytes of \(body.count - 4)") }
        runs = HybridCursor(
          UnsafeRawBufferPointer(rebasing: body[4..<(4 + length)]), bitWidth: 1, count: countMax, limit: 2, subject: "boolean")
      }
      var done = 0
      while done < count {
        let block = try runs!.peek()
        let step = min(block.count, count - done)
        for place in 0..<step { target[done + place] = UInt8(truncatingIfNeeded: block[place]) }
        runs!.advance(step)
        done += step
      }
    default: throw impossible
    }
  }
}
