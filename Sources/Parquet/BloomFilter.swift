internal import CXxhash

/// A split-block Bloom filter: each value sets one bit in each of the eight words of one block of 32 bytes.
///
/// Source: BloomFilter.md of the format; values are hashed as plain encoding stores them (bytes without their length) with
/// XXH64, seed 0.
struct BloomFilter {
  private var words: [UInt32]
  private var blockCount: Int { words.count / 8 }

  static let blockByteCount = 32
  /// The limit that other writers keep to.
  private static let byteCountMax = 128 << 20
  /// -8 / ln(1 - 0.01^(1/8)): bits a distinct value for 1 % false positives, in hundredths.
  private static let bitsPerValueHundredths = 969

  /// The odd numbers that spread a hash over the eight words.
  fileprivate static let salts: SIMD8<UInt32> = [
    0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
  ]

  /// A filter that suits the number of different hashes; equal sets of hashes give equal filters.
  /// - Complexity: O(n log n)
  init(hashes: [UInt64]) {
    let sorted = hashes.sorted()
    var distinctCount = 0
    for index in sorted.indices where index == 0 || sorted[index] != sorted[index - 1] { distinctCount += 1 }
    let byteCount = min(Self.byteCountMax, distinctCount * Self.bitsPerValueHundredths / 800)
    var size = Self.blockByteCount
    while size < byteCount { size *= 2 }
    words = [UInt32](repeating: 0, count: size / 4)
    for hash in sorted {
      let start = Self.block(hash, of: blockCount) * 8
      let masks = Self.masks(hash)
      for word in 0..<8 { words[start + word] |= masks[word] }
    }
  }

  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXH64(bytes.baseAddress, bytes.count, 0) }

  fileprivate static func block(_ hash: UInt64, of count: Int) -> Int {
    Int(truncatingIfNeeded: (hash >> 32 &* UInt64(truncatingIfNeeded: count)) >> 32)
  }

  fileprivate static func masks(_ hash: UInt64) -> SIMD8<UInt32> {
    SIMD8(repeating: 1) &<< ((salts &* SIMD8(repeating: UInt32(truncatingIfNeeded: hash))) &>> SIMD8(repeating: 27))
  }

  /// The header (a `BloomFilterHeader`) and the blocks, as they lie in a file.
  var bytes: [UInt8] {
    var writer = ThriftWriter()
    writer.element(structure: { writer in
      writer.int32(1, Int32(words.count * 4))
      // Unions of one known case each: split blocks, XXH64, uncompressed.
      for id in 2...4 { writer.structure(id) { writer in writer.structure(1) { _ in } } }
    })
    return writer.bytes + words.withUnsafeBytes { Array($0) }
  }
}

/// The blocks of a filter in a file.
struct BloomFilterProbe {
  private let blocks: UnsafeRawBufferPointer

  var byteCount: Int { blocks.count }

  /// Nil when the header claims what this reader does not know, or does not fit.
  /// - Parameter bytes: from the filter's header to where it must end at the latest.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var reader = ThriftReader(bytes, subject: "Bloom filter")
    var byteCount: Int32 = 0
    var isKnown = true
    do {
      try reader.fields { (reader, field) throws(ParquetError) in
        guard field.id != 1 else { return byteCount = try reader.int32(field) }
        guard (2...4).contains(field.id) else { return try reader.skip(field) }
        try reader.structure(field) { (reader, choice) throws(ParquetError) in
          if choice.id != 1 { isKnown = false }
          try reader.skip(choice)
        }
      }
    } catch {
      return nil
    }
    let count = Int(byteCount)
    guard isKnown, count > 0, count % BloomFilter.blockByteCount == 0, count <= bytes.count - reader.position else { return nil }
    blocks = UnsafeRawBufferPointer(rebasing: bytes[reader.position..<(reader.position + count)])
  }

  /// False when no value has this hash.
  func mayContain(_ hash: UInt64) -> Bool {
    let start = BloomFilter.block(hash, of: blocks.count / BloomFilter.blockByteCount) * BloomFilter.blockByteCount
    let masks = BloomFilter.masks(hash)
    for word in 0..<8 where blocks.loadUnaligned(fromByteOffset: start + word * 4, as: UInt32.self) & masks[word] == 0 { return false }
    return true
  }
}

extension DenseColumn {
  /// The hash of each value, as a Bloom filter takes it.
  var hashes: [UInt64] {
    switch storage {
    case .bools: words(UInt8.self) { $0 }
    case .words16: words(UInt16.self) { $0.littleEndian }
    case .words32: words(UInt32.self) { $0.littleEndian }
    case .words64: words(UInt64.self) { $0.littleEndian }
    case .words128: words(UInt128.self) { $0.bigEndian }
    case .bytes, .fixedBytes: (0..<count).map { BloomFilter.hash(value($0)) }
    }
  }

  private func words<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type, _ stored: (Word) -> Word) -> [UInt64] {
    let values = words(Word.self)
    return (0..<count).map { index in withUnsafeBytes(of: stored(values[index])) { BloomFilter.hash($0) } }
  }
}
