/// Bit-packed integers, least significant bit first.
enum BitUnpack {
  /// Bytes behind the packed ones that the functions here may read, and every page body must therefore have.
  static let slackByteCount = 8

  /// Reads `count` integers of `bitWidth` (0...32) bits each.
  /// - Precondition: `(count * bitWidth + 7) / 8` bytes and the slack are readable.
  static func unpack(_ source: UnsafeRawPointer, bitWidth: Int, count: Int, into target: UnsafeMutablePointer<UInt32>) {
    switch bitWidth {
    case 0: target.update(repeating: 0, count: count)
    case 1...8: unpackNarrow(source, bitWidth: bitWidth, count: count, into: target)
    case 16:
      for index in 0..<count {
        target[index] = UInt32(source.loadUnaligned(fromByteOffset: index &* 2, as: UInt16.self))
      }
    default:
      let mask: UInt64 = (1 << UInt64(bitWidth)) &- 1
      var bit = 0
      for index in 0..<count {
        let word = source.loadUnaligned(fromByteOffset: bit &>> 3, as: UInt64.self)
        target[index] = UInt32(truncatingIfNeeded: word &>> UInt64(bit & 7) & mask)
        bit &+= bitWidth
      }
    }
  }

  /// Eight integers of up to eight bits lie in one word.
  private static func unpackNarrow(
    _ source: UnsafeRawPointer, bitWidth: Int, count: Int, into target: UnsafeMutablePointer<UInt32>
  ) {
    let width = UInt64(bitWidth)
    let mask: UInt64 = (1 << width) &- 1
    var index = 0
    var byte = 0
    while index &+ 8 <= count {
      let word = source.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
      for place in 0..<8 {
        target[index &+ place] = UInt32(truncatingIfNeeded: word &>> (UInt64(place) &* width) & mask)
      }
      index &+= 8
      byte &+= bitWidth
    }
    if index < count {
      let word = source.loadUnaligned(fromByteOffset: byte, as: UInt64.self)
      for place in 0..<(count &- index) {
        target[index &+ place] = UInt32(truncatingIfNeeded: word &>> (UInt64(place) &* width) & mask)
      }
    }
  }
}
