import Columns

/// The encoding of a column chunk, chosen by what it saves, and the pages' values in it.
struct EncodingPlan {
  let encoding: Encoding
  let dictionary: DictionaryPlan?
  private let dense: DenseColumn
  private let layout: ColumnLayout

  /// Another encoding than plain must save a tenth.
  private static func pays(_ byteCount: Int, _ plain: Int) -> Bool { byteCount * 10 < plain * 9 }

  /// - Parameter sample: the values of each page.
  init(
    _ dense: DenseColumn, _ layout: ColumnLayout, _ options: ParquetWriterOptions, isKey: Bool, sample: [Range<Int>],
    _ compressor: PageCompressor
  ) {
    self.dense = dense
    self.layout = layout
    let (encoding, dictionary) =
      switch dense.storage {
      case .bools: (Encoding.plain, DictionaryPlan?.none)
      case .words32: Self.words(dense, layout, options, isKey, sample, compressor, UInt32.self)
      case .words64: Self.words(dense, layout, options, isKey, sample, compressor, UInt64.self)
      case .words128: Self.wide(dense)
      case .bytes: Self.bytes(dense, isKey)
      }
    self.encoding = encoding
    self.dictionary = dictionary
  }

  // MARK: Choosing

  private static func words<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ dense: DenseColumn, _ layout: ColumnLayout, _ options: ParquetWriterOptions, _ isKey: Bool, _ sample: [Range<Int>],
    _ compressor: PageCompressor, _: Word.Type
  ) -> (Encoding, DictionaryPlan?) {
    let (values, count, width) = (dense.words(Word.self), dense.count, MemoryLayout<Word>.stride)
    let plain = count * width
    let dictionary = DictionaryBuilding.words(values, count: count)
    let dictionaryByteCount = dictionary.map { $0.entries.count * width + $0.indexByteCount(count) } ?? .max
    if layout.order == .float {
      if dictionary != nil, pays(dictionaryByteCount, plain) { return (.rleDictionary, dictionary) }
      return (splitPays(dense, options, isKey, sample, compressor, width) ? .byteStreamSplit : .plain, nil)
    }
    let delta = DeltaEncoding.byteCount(values, count: count)
    if dictionary != nil, dictionaryByteCount <= delta, pays(dictionaryByteCount, plain) { return (.rleDictionary, dictionary) }
    return (pays(delta, plain) ? .deltaBinaryPacked : .plain, nil)
  }

  private static func wide(_ dense: DenseColumn) -> (Encoding, DictionaryPlan?) {
    guard let dictionary = DictionaryBuilding.words(dense.words(UInt128.self), count: dense.count),
      pays(dictionary.entries.count * 16 + dictionary.indexByteCount(dense.count), dense.count * 16)
    else { return (.plain, nil) }
    return (.rleDictionary, dictionary)
  }

  /// Whether a page in the middle compresses better with its bytes in streams.
  private static func splitPays(
    _ dense: DenseColumn, _ options: ParquetWriterOptions, _ isKey: Bool, _ sample: [Range<Int>], _ compressor: PageCompressor, _ width: Int
  ) -> Bool {
    guard !isKey, options.choosesCodec || options.codec != .none, !sample.isEmpty else { return false }
    let codec = options.choosesCodec ? ParquetCodec.zstd(level: 1) : options.codec
    let range = sample[sample.count / 2]
    let source = UnsafeRawBufferPointer(start: dense.data.start + range.lowerBound * width, count: range.count * width)
    var plain = ByteSink()
    compressor.compress(source, codec, into: &plain)
    var split = ByteSink(byteCapacity: source.count)
    var compressed = ByteSink()
    guard range.count > 0 else { return false }
    ByteStreams.split(dense.data.start + range.lowerBound * width, count: range.count, byteWidth: width, into: split.reserve(source.count))
    split.advance(source.count)
    compressor.compress(split.bytes, codec, into: &compressed)
    return pays(compressed.count, min(plain.count, source.count))
  }

  private static func bytes(_ dense: DenseColumn, _ isKey: Bool) -> (Encoding, DictionaryPlan?) {
    guard dense.count > 0, let offsets = dense.offsets else { return (.plain, nil) }
    let valueBytes = Int(offsets[dense.count] - offsets[0])
    let plain = valueBytes + 4 * dense.count
    if let dictionary = DictionaryBuilding.bytes(dense) {
      let entryBytes = dictionary.entries.reduce(0) { $0 + 4 + dense.value(Int($1)).count }
      let total = entryBytes + dictionary.indexByteCount(dense.count)
      if entryBytes <= dictionaryByteCountMax, pays(total, plain) { return (.rleDictionary, dictionary) }
    }
    let lengths = Buffer(byteCapacity: dense.count * 4)
    let target = lengths.pointer.assumingMemoryBound(to: UInt32.self)
    for index in 0..<dense.count { target[index] = UInt32(truncatingIfNeeded: dense.value(index).count) }
    let deltaLength = valueBytes + DeltaEncoding.byteCount(target, count: dense.count)
    // Sorted keys share their heads with the key before; other columns leave that to their codec.
    if isKey {
      var shared = 0
      for index in 1..<max(1, dense.count) { shared += commonCount(dense.value(index - 1), dense.value(index)) }
      // Lengths of heads take about a byte each.
      if pays(deltaLength - shared + dense.count, min(plain, deltaLength)) { return (.deltaByteArray, nil) }
    }
    return (pays(deltaLength, plain) ? .deltaLengthByteArray : .plain, nil)
  }

  /// A reader holds the whole dictionary while it reads a page.
  private static let dictionaryByteCountMax = 1 << 20

  private static func commonCount(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let count = min(a.count, b.count)
    var index = 0
    while index < count && a[index] == b[index] { index &+= 1 }
    return index
  }

  // MARK: Encoding

  /// The dictionary page's values; nothing without one.
  func encodeDictionary(into sink: inout ByteSink) {
    guard let dictionary else { return }
    for entry in dictionary.entries {
      let index = Int(entry)
      switch dense.storage {
      case .words32: append(dense.words(UInt32.self)[index], &sink)
      case .words64: append(dense.words(UInt64.self)[index], &sink)
      case .words128: append(dense.words(UInt128.self)[index].bigEndian, &sink)
      default:
        let value = dense.value(index)
        sink.append(length: value.count)
        sink.append(value)
      }
    }
  }

  @inline(__always) private func append<Word: BitwiseCopyable>(_ word: Word, _ sink: inout ByteSink) {
    sink.reserve(MemoryLayout<Word>.stride).storeBytes(of: word, as: Word.self)
    sink.advance(MemoryLayout<Word>.stride)
  }

  /// The values of a page, behind its levels.
  func encode(_ range: Range<Int>, into sink: inout ByteSink) {
    if let dictionary {
      sink.append(UInt8(dictionary.bitWidth))
      RunEncoding.encode(dictionary.base + range.lowerBound, count: range.count, bitWidth: dictionary.bitWidth, into: &sink)
      return
    }
    switch dense.storage {
    case .bools:
      let byteCount = (range.count + 7) / 8
      BoolPacking.pack(dense.words(UInt8.self) + range.lowerBound, count: range.count, into: sink.reserve(byteCount + 8))
      sink.advance(byteCount)
    case .words32: encodeWords(range, UInt32.self, &sink)
    case .words64: encodeWords(range, UInt64.self, &sink)
    case .words128:
      let source = dense.words(UInt128.self)
      for index in range { append(source[index].bigEndian, &sink) }
    case .bytes:
      switch encoding {
      case .deltaLengthByteArray: encodeDeltaLength(range, &sink)
      case .deltaByteArray: encodeDeltaBytes(range, &sink)
      default:
        for index in range {
          let value = dense.value(index)
          sink.append(length: value.count)
          sink.append(value)
        }
      }
    }
  }

  private func encodeWords<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ range: Range<Int>, _: Word.Type, _ sink: inout ByteSink
  ) {
    let source = dense.words(Word.self) + range.lowerBound
    let byteCount = range.count * MemoryLayout<Word>.stride
    switch encoding {
    case .deltaBinaryPacked: DeltaEncoding.encode(source, count: range.count, into: &sink)
    case .byteStreamSplit:
      ByteStreams.split(source, count: range.count, byteWidth: MemoryLayout<Word>.stride, into: sink.reserve(byteCount))
      sink.advance(byteCount)
    default: sink.append(UnsafeRawBufferPointer(start: source, count: byteCount))
    }
  }

  private func encodeDeltaLength(_ range: Range<Int>, _ sink: inout ByteSink) {
    let lengths = range.map { UInt32(dense.value($0).count) }
    lengths.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      DeltaEncoding.encode(base, count: values.count, into: &sink)
    }
    guard let offsets = dense.offsets, !range.isEmpty else { return }
    let start = Int(offsets[range.lowerBound])
    sink.append(UnsafeRawBufferPointer(start: dense.data.start + start, count: Int(offsets[range.upperBound]) - start))
  }

  private func encodeDeltaBytes(_ range: Range<Int>, _ sink: inout ByteSink) {
    var prefixes: [UInt32] = []
    var suffixes: [UInt32] = []
    for index in range {
      // A page stands alone: its first value is whole.
      let shared = index == range.lowerBound ? 0 : Self.commonCount(dense.value(index - 1), dense.value(index))
      prefixes.append(UInt32(shared))
      suffixes.append(UInt32(dense.value(index).count - shared))
    }
    for lengths in [prefixes, suffixes] {
      lengths.withUnsafeBufferPointer { values in
        guard let base = values.baseAddress else { return }
        DeltaEncoding.encode(base, count: values.count, into: &sink)
      }
    }
    for (index, shared) in zip(range, prefixes) {
      sink.append(UnsafeRawBufferPointer(rebasing: dense.value(index)[Int(shared)...]))
    }
  }
}
