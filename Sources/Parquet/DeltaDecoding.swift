/// Reads DELTA_BINARY_PACKED, the encoding of sorted integers and of the lengths of strings.
///
/// Source: parquet-format/Encodings.md, "Delta Encoding".
enum DeltaDecoding {
  /// How many integers the bytes claim to hold.
  static func valueCount(_ bytes: UnsafeRawBufferPointer, max countMax: Int) throws(ParquetError) -> Int {
    if bytes.isEmpty { return 0 }
    var cursor = DeltaCursor(bytes)
    _ = try cursor.varint()
    _ = try cursor.varint()
    let total = try cursor.varint()
    guard total <= UInt64(countMax) else { throw .malformed("it holds \(total) delta-packed values, expected \(countMax) at most") }
    return Int(total)
  }

  /// Decodes exactly `count` integers, modulo the width of `Word`.
  /// - Parameter bytes: followed by the slack of `BitUnpack`.
  /// - Returns: how many bytes the integers took.
  static func decode<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ bytes: UnsafeRawBufferPointer, count: Int, into target: UnsafeMutablePointer<Word>
  ) throws(ParquetError) -> Int {
    if count == 0 && bytes.isEmpty { return 0 }
    var cursor = DeltaCursor(bytes)
    let blockCount = try cursor.varint()
    let miniCount = try cursor.varint()
    let total = try cursor.varint()
    var last = try cursor.zigzag()
    guard (1...(1 << 24)).contains(blockCount), (1...blockCount).contains(miniCount), blockCount % (miniCount * 8) == 0 else {
      throw .malformed("delta blocks of \(blockCount) values in \(miniCount) parts are not possible")
    }
    guard total == UInt64(count) else { throw .malformed("it holds \(total) delta-packed values, expected \(count)") }
    guard count > 0 else { return cursor.position }
    target[0] = Word(truncatingIfNeeded: last)
    var written = 1
    let miniValueCount = Int(blockCount / miniCount)
    while written < count {
      let least = try cursor.zigzag()
      let widths = try cursor.take(Int(miniCount))
      for width in widths {
        guard written < count else { break }
        guard width <= 64 else { throw .malformed("deltas of \(width) bits are not possible") }
        let wanted = min(miniValueCount, count - written)
        let packed = try cursor.takePacked(
          wantedByteCount: (wanted * Int(width) + 7) / 8, wholeByteCount: miniValueCount / 8 * Int(width))
        last = sum(packed, bitWidth: Int(width), count: wanted, least: least, last: last, into: target + written)
        written += wanted
      }
    }
    return cursor.position
  }

  /// Adds packed deltas up; returns the last sum. Overflow wraps, as the format wants.
  private static func sum<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, bitWidth: Int, count: Int, least: UInt64, last: UInt64, into target: UnsafeMutablePointer<Word>
  ) -> UInt64 {
    var value = last
    if bitWidth == 0 {
      for index in 0..<count {
        value &+= least
        target[index] = Word(truncatingIfNeeded: value)
      }
      return value
    }
    let mask: UInt64 = bitWidth == 64 ? .max : (1 << UInt64(bitWidth)) &- 1
    var bit = 0
    if bitWidth <= 57 {
      for index in 0..<count {
        let word = source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
        value = value &+ least &+ (word &>> UInt64(bit & 7) & mask)
        target[index] = Word(truncatingIfNeeded: value)
        bit &+= bitWidth
      }
    } else {
      for index in 0..<count {
        let (byte, shift) = (bit &>> 3, UInt64(bit & 7))
        let low = source.loadUnaligned(fromByteOffset: byte, as: UInt64.self) &>> shift
        // Two shifts, because a shift by 64 would be a shift by none.
        let high = (UInt64(source.load(fromByteOffset: byte &+ 8, as: UInt8.self)) &<< 1) &<< (63 &- shift)
        value = value &+ least &+ ((low | high) & mask)
        target[index] = Word(truncatingIfNeeded: value)
        bit &+= bitWidth
      }
    }
    return value
  }
}

/// A checked position in delta-packed bytes.
private struct DeltaCursor {
  let bytes: UnsafeRawBufferPointer
  var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private var ended: ParquetError { .malformed("its delta-packed values end after \(bytes.count) bytes") }

  mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < bytes.count else { throw ended }
      let next = bytes[position]
      position += 1
      guard shift < 63 || (shift == 63 && next <= 1) else { throw .malformed("a delta has more than 64 bits") }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  mutating func zigzag() throws(ParquetError) -> UInt64 {
    let value = try varint()
    return value >> 1 ^ (0 &- (value & 1))
  }

  mutating func take(_ count: Int) throws(ParquetError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - position else { throw ended }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
  }

  /// Some writers cut the padding of the last part: only the wanted bytes must be there.
  mutating func takePacked(wantedByteCount: Int, wholeByteCount: Int) throws(ParquetError) -> UnsafeRawPointer {
    guard wantedByteCount <= bytes.count - position, let base = bytes.baseAddress else { throw ended }
    defer { position += min(wholeByteCount, bytes.count - position) }
    return base + position
  }
}
