/// Packs integers least significant bit first.
enum BitPack {
  /// Writes `(count * bitWidth + 7) / 8` bytes; the values must have at most `bitWidth` (0...64) bits.
  static func pack<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ source: UnsafePointer<Word>, count: Int, bitWidth: Int, into sink: inout ByteSink
  ) {
    guard bitWidth > 0, count > 0 else { return }
    let byteCount = (count * bitWidth + 7) / 8
    let target = sink.reserve(byteCount + 8)
    let width = UInt64(bitWidth)
    var word: UInt64 = 0
    var used: UInt64 = 0
    var position = 0
    for index in 0..<count {
      let value = UInt64(truncatingIfNeeded: source[index])
      word |= value &<< used
      used &+= width
      if used >= 64 {
        target.storeBytes(of: word, toByteOffset: position, as: UInt64.self)
        position &+= 8
        used &-= 64
        // What did not fit; a shift by 64 gives zero.
        word = value >> (width &- used)
      }
    }
    if used > 0 { target.storeBytes(of: word, toByteOffset: position, as: UInt64.self) }
    sink.advance(byteCount)
  }

  /// The bits that the value takes.
  static func bitWidth(_ value: some FixedWidthInteger & UnsignedInteger) -> Int {
    type(of: value).bitWidth - value.leadingZeroBitCount
  }
}
