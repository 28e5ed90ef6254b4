/// Base64 with the standard alphabet and padding (RFC 4648 §4).
enum Base64 {
  private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  private static let notADigit: UInt8 = 0xFF

  private static let values: [UInt8] = {
    var values = [UInt8](repeating: notADigit, count: 256)
    for index in 0..<64 { values[Int(alphabet.utf8Start[index])] = UInt8(index) }
    return values
  }()

  static func append(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    let digits = alphabet.utf8Start
    let textByteCount = (bytes.count + 2) / 3 * 4
    let target = text.room(textByteCount)
    var index = 0
    var place = 0
    while index < bytes.count {
      let left = bytes.count &- index
      let group =
        UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[index + 2]) : 0)
      target[place] = digits[Int(group >> 18)]
      target[place &+ 1] = digits[Int(group >> 12 & 63)]
      target[place &+ 2] = left > 1 ? digits[Int(group >> 6 & 63)] : UInt8(ascii: "=")
      target[place &+ 3] = left > 2 ? digits[Int(group & 63)] : UInt8(ascii: "=")
      index &+= 3
      place &+= 4
    }
    text.advance(textByteCount)
  }

  /// nil where the text is not whole groups of four, or has other characters or bits set behind the last byte.
  static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var index = 0
    while index < text.count {
      var padding = 0
      if index + 4 == text.count {
        padding = text[index + 3] != UInt8(ascii: "=") ? 0 : text[index + 2] == UInt8(ascii: "=") ? 2 : 1
      }
      var group: UInt32 = 0
      for place in 0..<4 {
        let value = place >= 4 - padding ? 0 : values[Int(text[index + place])]
        if value == notADigit { return nil }
        group = group << 6 | UInt32(value)
      }
      if padding > 0 && group & (padding == 2 ? 0xFFFF : 0xFF) != 0 { return nil }
      bytes.append(UInt8(truncatingIfNeeded: group >> 16))
      if padding < 2 { bytes.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if padding < 1 { bytes.append(UInt8(truncatingIfNeeded: group)) }
      index += 4
    }
    return bytes
  }
}
