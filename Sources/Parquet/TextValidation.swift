/// Whether bytes are UTF-8.
enum TextValidation {
  /// - Complexity: O(bytes), 64 at a time.
  static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    var index = 0
    // SAFETY: every load lies within the bytes.
    while index &+ 64 <= bytes.count {
      let block = (base + index).loadUnaligned(as: SIMD64<UInt8>.self)
      if any(block .>= 0x80) { return false }
      index &+= 64
    }
    var seen: UInt8 = 0
    while index < bytes.count {
      seen |= base.load(fromByteOffset: index, as: UInt8.self)
      index &+= 1
    }
    return seen < 0x80
  }

  /// Source: The Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences".
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    let count = bytes.count
    var index = 0
    while index < count {
      // Runs of ASCII, eight at a time.
      if index &+ 8 <= count, base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 {
        index &+= 8
        continue
      }
      let lead = base.load(fromByteOffset: index, as: UInt8.self)
      if lead < 0x80 {
        index &+= 1
        continue
      }
      let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
      guard length > 0, index &+ length <= count else { return false }
      let second = base.load(fromByteOffset: index &+ 1, as: UInt8.self)
      let range: ClosedRange<UInt8> =
        switch lead {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
      guard range.contains(second) else { return false }
      for place in 2..<max(2, length) where base.load(fromByteOffset: index &+ place, as: UInt8.self) & 0xC0 != 0x80 { return false }
      index &+= length
    }
    return true
  }
}
