import Columns

/// Chooses the encoding of a leaf by what it saves.
struct EncodingChoice {
  let dense: DenseColumn
  let layout: ColumnLayout
  let options: ParquetWriterOptions
  let isKey: Bool
  /// The values of each page.
  let pages: [Range<Int>]
  let compressor: PageCompressor

  typealias Chosen = (encoding: Encoding, dictionary: DictionaryPlan?)

  /// Another encoding than plain must save a tenth.
  private static func pays(_ byteCount: Int, _ plain: Int) -> Bool { byteCount * 10 < plain * 9 }

  /// - Throws: `.unsupported` when the options want what the type cannot take.
  func chosen() throws(ParquetError) -> Chosen {
    if let wanted = options.encodings[layout.name] { return try forced(wanted) }
    return switch dense.storage {
    case .bools: (.plain, nil)
    case .words16: dictionaryOrPlain(UInt16.self)
    case .words32: words(UInt32.self)
    case .words64: words(UInt64.self)
    case .words128: dictionaryOrPlain(UInt128.self)
    case .bytes: bytes()
    case .fixedBytes: fixedBytes()
    }
  }

  private func forced(_ wanted: ParquetEncoding) throws(ParquetError) -> Chosen {
    let physical = layout.physicalType
    switch wanted {
    case .plain: return (.plain, nil)
    case .dictionary where dense.storage != .bools:
      // Without values there is nothing to look up.
      guard let dictionary = dictionary(isForced: true) else { return (.plain, nil) }
      return (.rleDictionary, dictionary)
    case .rle where physical == .boolean: return (.rle, nil)
    case .deltaBinaryPacked where physical == .int32 || physical == .int64: return (.deltaBinaryPacked, nil)
    case .deltaLengthByteArray where physical == .byteArray: return (.deltaLengthByteArray, nil)
    case .deltaByteArray where physical == .byteArray || physical == .fixedLengthByteArray: return (.deltaByteArray, nil)
    case .byteStreamSplit where physical != .boolean && physical != .byteArray: return (.byteStreamSplit, nil)
    default: throw .unsupported("Cannot write column \(layout.name) with the encoding \(wanted): its values are stored as \(physical)")
    }
  }

  private func dictionary(isForced: Bool = false) -> DictionaryPlan? {
    guard options.dictionary || isForced else { return nil }
    return switch dense.storage {
    case .bools: nil
    case .words16: DictionaryBuilding.words(dense.words(UInt16.self), count: dense.count, isForced: isForced)
    case .words32: DictionaryBuilding.words(dense.words(UInt32.self), count: dense.count, isForced: isForced)
    case .words64: DictionaryBuilding.words(dense.words(UInt64.self), count: dense.count, isForced: isForced)
    case .words128: DictionaryBuilding.words(dense.words(UInt128.self), count: dense.count, isForced: isForced)
    case .bytes, .fixedBytes: DictionaryBuilding.bytes(dense, isForced: isForced)
    }
  }

  // MARK: Numbers

  private func words<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_: Word.Type) -> Chosen {
    let (values, count, width) = (dense.words(Word.self), dense.count, MemoryLayout<Word>.stride)
    let plain = count * width
    let dictionary = dictionary()
    let dictionaryByteCount = dictionary.map { $0.entries.count * width + $0.indexByteCount(count) } ?? .max
    if layout.order == .float {
      if dictionary != nil, Self.pays(dictionaryByteCount, plain) { return (.rleDictionary, dictionary) }
      return (splitPays(width) ? .byteStreamSplit : .plain, nil)
    }
    let delta = DeltaEncoding.byteCount(values, count: count)
    if dictionary != nil, dictionaryByteCount <= delta, Self.pays(dictionaryByteCount, plain) { return (.rleDictionary, dictionary) }
    return (Self.pays(delta, plain) ? .deltaBinaryPacked : .plain, nil)
  }

  private func dictionaryOrPlain<Word: BitwiseCopyable>(_: Word.Type) -> Chosen {
    let width = MemoryLayout<Word>.stride
    guard let dictionary = dictionary(),
      Self.pays(dictionary.entries.count * width + dictionary.indexByteCount(dense.count), dense.count * width)
    else { return (.plain, nil) }
    return (.rleDictionary, dictionary)
  }

  /// Whether a page in the middle compresses better with its bytes in streams.
  private func splitPays(_ width: Int) -> Bool {
    guard !isKey, options.choosesCodec || options.codec != .none, !pages.isEmpty else { return false }
    let codec = options.choosesCodec ? ParquetCodec.zstd(level: 1) : options.codec
    let range = pages[pages.count / 2]
    guard range.count > 0 else { return false }
    let source = UnsafeRawBufferPointer(start: dense.data.start + range.lowerBound * width, count: range.count * width)
    var plain = ByteSink()
    compressor.compress(source, codec, into: &plain)
    var split = ByteSink(byteCapacity: source.count)
    var compressed = ByteSink()
    ByteStreams.split(dense.data.start + range.lowerBound * width, count: range.count, byteWidth: width, into: split.reserve(source.count))
    split.advance(source.count)
    compressor.compress(split.bytes, codec, into: &compressed)
    return Self.pays(compressed.count, min(plain.count, source.count))
  }

  // MARK: Bytes

  /// A reader holds the whole dictionary while it reads a page.
  private static let dictionaryByteCountMax = 1 << 20

  private func fixedBytes() -> Chosen {
    guard let dictionary = dictionary() else { return (.plain, nil) }
    let entryBytes = dictionary.entries.count * dense.fixedByteCount
    let total = entryBytes + dictionary.indexByteCount(dense.count)
    guard entryBytes <= Self.dictionaryByteCountMax, Self.pays(total, dense.byteCount(0..<dense.count)) else { return (.plain, nil) }
    return (.rleDictionary, dictionary)
  }

  private func bytes() -> Chosen {
    guard dense.count > 0 else { return (.plain, nil) }
    let valueBytes = dense.byteCount(0..<dense.count)
    let plain = valueBytes + 4 * dense.count
    if let dictionary = dictionary() {
      let entryBytes = dictionary.entries.reduce(0) { $0 + 4 + dense.value(Int($1)).count }
      let total = entryBytes + dictionary.indexByteCount(dense.count)
      if entryBytes <= Self.dictionaryByteCountMax, Self.pays(total, plain) { return (.rleDictionary, dictionary) }
    }
    let lengths = Buffer(byteCapacity: dense.count * 4)
    let target = lengths.pointer.assumingMemoryBound(to: UInt32.self)
    for index in 0..<dense.count { target[index] = UInt32(truncatingIfNeeded: dense.value(index).count) }
    let deltaLength = valueBytes + DeltaEncoding.byteCount(target, count: dense.count)
    // Sorted keys share their heads with the key before; other columns leave that to their codec.
    if isKey {
      var shared = 0
      for index in 1..<max(1, dense.count) { shared += EncodingPlan.commonCount(dense.value(index - 1), dense.value(index)) }
      // Lengths of heads take about a byte each.
      if Self.pays(deltaLength - shared + dense.count, min(plain, deltaLength)) { return (.deltaByteArray, nil) }
    }
    return (Self.pays(deltaLength, plain) ? .deltaLengthByteArray : .plain, nil)
  }
}
