/// Whether bytes are well-formed UTF-8 (Unicode 16, table 3-7), at eight bytes a step where they are ASCII.
enum UTF8Check {
  static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let count = bytes.count
    var index = 0
    // SAFETY: every load is below `count`.
    while index < count {
      while index &+ 8 <= count && start.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0 { index &+= 8 }
      guard index < count else { return true }
      let lead = start.load(fromByteOffset: index, as: UInt8.self)
      if lead < 0x80 {
        index &+= 1
        continue
      }
      // Two bytes are the most common characters beyond ASCII.
      if lead >= 0xC2, lead < 0xE0, index &+ 2 <= count, start.load(fromByteOffset: index &+ 1, as: UInt8.self) & 0xC0 == 0x80 {
        index &+= 2
        continue
      }
      let (length, low, high) = shape(lead)
      guard length > 0, index &+ length <= count else { return false }
      let second = start.load(fromByteOffset: index &+ 1, as: UInt8.self)
      guard second >= low, second <= high else { return false }
      var place = 2
      while place < length {
        guard start.load(fromByteOffset: index &+ place, as: UInt8.self) & 0xC0 == 0x80 else { return false }
        place &+= 1
      }
      index &+= length
    }
    return true
  }

  /// How many bytes a character of this lead byte has (0: it leads none), and the range of its second byte.
  @inline(__always) private static func shape(_ lead: UInt8) -> (length: Int, low: UInt8, high: UInt8) {
    switch lead {
    case 0xC2...0xDF: (2, 0x80, 0xBF)
    case 0xE0: (3, 0xA0, 0xBF)
    case 0xED: (3, 0x80, 0x9F)
    case 0xE1...0xEF: (3, 0x80, 0xBF)
    case 0xF0: (4, 0x90, 0xBF)
    case 0xF1...0xF3: (4, 0x80, 0xBF)
    case 0xF4: (4, 0x80, 0x8F)
    default: (0, 0, 0)
    }
  }
}
