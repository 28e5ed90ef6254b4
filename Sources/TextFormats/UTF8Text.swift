/// Checks of UTF-8.
enum UTF8Text {
  /// Whether no byte has its high bit set.
  static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var bits: UInt64 = 0
    var index = 0
    while index &+ 32 <= bytes.count {
      bits |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      bits |= bytes.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
      bits |= bytes.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self)
      bits |= bytes.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self)
      index &+= 32
    }
    while index < bytes.count {
      bits |= UInt64(bytes[index])
      index &+= 1
    }
    return bits & 0x8080_8080_8080_8080 == 0
  }

  /// Whether the bytes are UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = bytes.count
    guard count > 0, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return true }
    // SAFETY: every load is below `count`, as each sequence's length is checked first.
    var index = 0
    while index < count {
      let lead = base[index]
      if lead < 0x80 {
        index &+= 1
        continue
      }
      let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
      guard lead >= 0xC2 && lead <= 0xF4 && index &+ length <= count else { return false }
      let second = base[index &+ 1]
      let low: UInt8 = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80
      let high: UInt8 = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF
      guard second >= low && second <= high else { return false }
      for place in 2..<4 where place < length {
        guard base[index &+ place] & 0xC0 == 0x80 else { return false }
      }
      index &+= length
    }
    return true
  }
}
