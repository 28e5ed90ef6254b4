/// The RLE / bit-packing hybrid of levels, dictionary indices and booleans.
///
/// Source: parquet-format/Encodings.md, "Run Length Encoding / Bit-Packing Hybrid".
struct HybridRuns {
  enum Run {
    case repeated(value: UInt32, count: Int)
    /// Packed values at a byte offset; their bytes are known to be there.
    case packed(byteOffset: Int, count: Int)
  }

  private let bytes: UnsafeRawBufferPointer
  private let bitWidth: Int
  private var position = 0
  private var left: Int

  /// - Parameter bytes: followed by the slack of `BitUnpack`.
  init(_ bytes: UnsafeRawBufferPointer, bitWidth: Int, count: Int) {
    self.bytes = bytes
    self.bitWidth = bitWidth
    left = count
  }

  /// The next run, cut to the values that are still wanted; nil when all have come.
  mutating func next() throws(ParquetError) -> Run? {
    while left > 0 {
      let head = try varint()
      if head & 1 == 1 {
        // A run of 2^31 groups would be longer than any page: the product cannot overflow.
        let count = min(left, Int(head >> 1) &* 8)
        guard count > 0 else { continue }
        let needed = (count &* bitWidth &+ 7) >> 3
        guard needed <= bytes.count - position else { throw ended(missing: left) }
        let start = position
        position += min(Int(head >> 1) &* bitWidth, bytes.count - position)
        left -= count
        return .packed(byteOffset: start, count: count)
      }
      let byteCount = (bitWidth + 7) >> 3
      guard byteCount <= bytes.count - position else { throw ended(missing: left) }
      var value: UInt32 = 0
      for index in 0..<byteCount { value |= UInt32(bytes[position + index]) << UInt32(index * 8) }
      guard bitWidth == 32 || value >> UInt32(bitWidth) == 0 else {
        throw .malformed("a run repeats \(value), which has more than \(bitWidth) bits")
      }
      position += byteCount
      let count = min(left, Int(head >> 1))
      guard count > 0 else { continue }
      left -= count
      return .repeated(value: value, count: count)
    }
    return nil
  }

  private mutating func varint() throws(ParquetError) -> UInt32 {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while true {
      guard position < bytes.count else { throw ended(missing: left) }
      let next = bytes[position]
      position += 1
      guard shift < 28 || (shift == 28 && next < 16) else { throw .malformed("a run's length has more than 32 bits") }
      value |= UInt32(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  private func ended(missing: Int) -> ParquetError {
    .malformed("its runs end after \(bytes.count) bytes, \(missing) values are missing")
  }

  /// Decodes all values into `target`, which has room for them.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, bitWidth: Int, count: Int, into target: UnsafeMutablePointer<UInt32>
  ) throws(ParquetError) {
    // A dictionary of one entry may come without any run.
    if bitWidth == 0 { return target.update(repeating: 0, count: count) }
    var runs = HybridRuns(bytes, bitWidth: bitWidth, count: count)
    var written = 0
    while let run = try runs.next() {
      switch run {
      case .repeated(let value, let count):
        (target + written).update(repeating: value, count: count)
        written += count
      case .packed(let offset, let count):
        // SAFETY: a packed run has bytes, so the buffer has an address; the caller grants the slack.
        BitUnpack.unpack(bytes.baseAddress! + offset, bitWidth: bitWidth, count: count, into: target + written)
        written += count
      }
    }
  }
}
