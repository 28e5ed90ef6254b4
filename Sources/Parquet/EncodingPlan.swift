import Columns

/// The encoding of a column chunk, and the pages' values in it.
struct EncodingPlan {
  let encoding: Encoding
  let dictionary: DictionaryPlan?
  private let dense: DenseColumn

  /// - Parameter sample: the values of each page.
  /// - Throws: `.unsupported` when the options want what the type cannot take.
  init(
    _ dense: DenseColumn, _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool, sample: [Range<Int>],
    _ compressor: PageCompressor
  ) throws(ParquetError) {
    self.dense = dense
    let choice = EncodingChoice(dense: dense, layout: layout, options: options, isKey: isKey, pages: sample, compressor: compressor)
    (encoding, dictionary) = try choice.chosen()
  }

  /// The dictionary page's values; nothing without one.
  func encodeDictionary(into sink: inout ByteSink) {
    guard let dictionary else { return }
    for entry in dictionary.entries {
      let index = Int(entry)
      switch dense.storage {
      case .words16: append(dense.words(UInt16.self)[index], &sink)
      case .words32: append(dense.words(UInt32.self)[index], &sink)
      case .words64: append(dense.words(UInt64.self)[index], &sink)
      case .words128: append(dense.words(UInt128.self)[index].bigEndian, &sink)
      case .fixedBytes: sink.append(dense.value(index))
      case .bools, .bytes: append(value: index, &sink)
      }
    }
  }

  @inline(__always) private func append<Word: BitwiseCopyable>(_ word: Word, _ sink: inout ByteSink) {
    sink.reserve(MemoryLayout<Word>.stride).storeBytes(of: word, as: Word.self)
    sink.advance(MemoryLayout<Word>.stride)
  }

  private func append(value index: Int, _ sink: inout ByteSink) {
    let value = dense.value(index)
    sink.append(length: value.count)
    sink.append(value)
  }

  /// The values of a page, behind its levels.
  func encode(_ range: Range<Int>, into sink: inout ByteSink) {
    if let dictionary {
      sink.append(UInt8(dictionary.bitWidth))
      RunEncoding.encode(dictionary.base + range.lowerBound, count: range.count, bitWidth: dictionary.bitWidth, into: &sink)
      return
    }
    switch dense.storage {
    case .bools: encodeBools(range, &sink)
    case .words16: encodeWords(range, UInt16.self, &sink)
    case .words32: encodeWords(range, UInt32.self, &sink)
    case .words64: encodeWords(range, UInt64.self, &sink)
    case .words128: encodeBigEndian(range, &sink)
    case .fixedBytes:
      encodeFixed(dense.data.start + range.lowerBound * dense.fixedByteCount, range.count, byteWidth: dense.fixedByteCount, &sink)
    case .bytes:
      switch encoding {
      case .deltaLengthByteArray: encodeDeltaLength(range, &sink)
      case .deltaByteArray: Self.encodeDeltaBytes(count: range.count, &sink) { dense.value(range.lowerBound &+ $0) }
      default: for index in range { append(value: index, &sink) }
      }
    }
  }

  private func encodeBools(_ range: Range<Int>, _ sink: inout ByteSink) {
    let values = dense.words(UInt8.self) + range.lowerBound
    if encoding == .rle {
      // Values in runs have their length in front, in pages of either version.
      let start = sink.count
      sink.append(length: 0)
      RunEncoding.encode(values, count: range.count, bitWidth: 1, into: &sink)
      return sink.patch(length: sink.count - start - 4, at: start)
    }
    let byteCount = (range.count + 7) / 8
    BoolPacking.pack(values, count: range.count, into: sink.reserve(byteCount + 8))
    sink.advance(byteCount)
  }

  private func encodeWords<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ range: Range<Int>, _: Word.Type, _ sink: inout ByteSink
  ) {
    let source = dense.words(Word.self) + range.lowerBound
    if encoding == .deltaBinaryPacked { return DeltaEncoding.encode(source, count: range.count, into: &sink) }
    encodeFixed(source, range.count, byteWidth: MemoryLayout<Word>.stride, &sink)
  }

  private func encodeBigEndian(_ range: Range<Int>, _ sink: inout ByteSink) {
    let source = dense.words(UInt128.self)
    let buffer = Buffer(byteCapacity: range.count * 16)
    let target = buffer.pointer.assumingMemoryBound(to: UInt128.self)
    for (place, index) in range.enumerated() { target[place] = source[index].bigEndian }
    encodeFixed(target, range.count, byteWidth: 16, &sink)
    _fixLifetime(buffer)
  }

  /// Values of one width, as they are stored plainly.
  private func encodeFixed(_ source: UnsafeRawPointer, _ count: Int, byteWidth: Int, _ sink: inout ByteSink) {
    let byteCount = count * byteWidth
    switch encoding {
    case .byteStreamSplit:
      ByteStreams.split(source, count: count, byteWidth: byteWidth, into: sink.reserve(byteCount))
      sink.advance(byteCount)
    case .deltaByteArray:
      Self.encodeDeltaBytes(count: count, &sink) { UnsafeRawBufferPointer(start: source + $0 * byteWidth, count: byteWidth) }
    default: sink.append(UnsafeRawBufferPointer(start: source, count: byteCount))
    }
  }

  // MARK: Bytes

  private func encodeDeltaLength(_ range: Range<Int>, _ sink: inout ByteSink) {
    let lengths = range.map { UInt32(truncatingIfNeeded: dense.value($0).count) }
    Self.encodeLengths(lengths, &sink)
    guard let offsets = dense.offsets, !range.isEmpty else { return }
    let start = Int(offsets[range.lowerBound])
    sink.append(UnsafeRawBufferPointer(start: dense.data.start + start, count: Int(offsets[range.upperBound]) - start))
  }

  private static func encodeLengths(_ lengths: [UInt32], _ sink: inout ByteSink) {
    lengths.withUnsafeBufferPointer { values in
      // Without values there is no address, but a head all the same.
      withUnsafePointer(to: 0 as UInt32) { DeltaEncoding.encode(values.baseAddress ?? $0, count: values.count, into: &sink) }
    }
  }

  private static func encodeDeltaBytes(count: Int, _ sink: inout ByteSink, value: (Int) -> UnsafeRawBufferPointer) {
    var prefixes: [UInt32] = []
    var suffixes: [UInt32] = []
    for index in 0..<count {
      // A page stands alone: its first value is whole.
      let shared = index == 0 ? 0 : commonCount(value(index - 1), value(index))
      prefixes.append(UInt32(truncatingIfNeeded: shared))
      suffixes.append(UInt32(truncatingIfNeeded: value(index).count - shared))
    }
    encodeLengths(prefixes, &sink)
    encodeLengths(suffixes, &sink)
    for index in 0..<count { sink.append(UnsafeRawBufferPointer(rebasing: value(index)[Int(prefixes[index])...])) }
  }

  static func commonCount(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let count = min(a.count, b.count)
    var index = 0
    while index < count && a[index] == b[index] { index &+= 1 }
    return index
  }
}
