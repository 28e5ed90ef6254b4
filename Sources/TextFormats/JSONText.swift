import Columns

/// Values as JSON text.
enum JSONText {
  /// A string in quotes; only quotes, backslashes and control characters are escaped.
  /// - Precondition: the bytes are UTF-8.
  @inline(__always) static func append(string bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    let count = bytes.count
    let target = text.room(count + 2)
    target[0] = UInt8(ascii: "\"")
    var index = 0
    // SAFETY: the room holds the bytes and two quotes; loads of eight end with the bytes.
    while index &+ 8 <= count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if stops(word) != 0 { return appendEscaped(bytes, to: &text) }
      UnsafeMutableRawPointer(target).storeBytes(of: word, toByteOffset: index &+ 1, as: UInt64.self)
      index &+= 8
    }
    while index < count {
      let byte = bytes[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return appendEscaped(bytes, to: &text) }
      target[index &+ 1] = byte
      index &+= 1
    }
    target[count &+ 1] = UInt8(ascii: "\"")
    text.advance(count &+ 2)
  }

  /// The top bit of each byte that ends a plain stretch of a string: quote, backslash or control character. The lowest bit set is
  /// right; above it there may be some too many.
  @inline(__always) static func stops(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
    let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
    let hits = ((word &- ones &* 0x20) & ~word) | ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes)
    return hits & (ones &* 0x80)
  }

  private static func appendEscaped(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    // The longest escape takes six bytes.
    let target = text.room(bytes.count * 6 + 2)
    var place = 0
    func put(_ byte: UInt8) {
      target[place] = byte
      place &+= 1
    }
    put(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        put(UInt8(ascii: "\\"))
        put(byte)
      case 0x20...: put(byte)
      default:
        put(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: put(UInt8(ascii: "b"))
        case 0x09: put(UInt8(ascii: "t"))
        case 0x0A: put(UInt8(ascii: "n"))
        case 0x0C: put(UInt8(ascii: "f"))
        case 0x0D: put(UInt8(ascii: "r"))
        default:
          for digit in [UInt8(ascii: "u"), UInt8(ascii: "0"), UInt8(ascii: "0")] { put(digit) }
          put(UInt8(ascii: "0") + byte >> 4)
          put(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + byte & 15 - 10)
        }
      }
    }
    put(UInt8(ascii: "\""))
    text.advance(place)
  }

  /// A value of any type: a list is an array, a structure an object with all its fields, a map an array of
  /// `[key, value]` arrays, as its keys need be neither strings nor distinct.
  static func append(_ column: Column, _ row: Int, to text: inout TextBuffer) {
    guard column.isValid(row) else { return text.append("null") }
    switch column.type {
    case .list, .map:
      let ends = column.listOffsets
      text.append(UInt8(ascii: "["))
      for element in Int(ends[row])..<Int(ends[row + 1]) {
        if element > Int(ends[row]) { text.append(UInt8(ascii: ",")) }
        if case .map = column.type {
          text.append(UInt8(ascii: "["))
          append(column.children[0].children[0], element, to: &text)
          text.append(UInt8(ascii: ","))
          append(column.children[0].children[1], element, to: &text)
          text.append(UInt8(ascii: "]"))
        } else {
          append(column.children[0], element, to: &text)
        }
      }
      text.append(UInt8(ascii: "]"))
    case .structure(let fields): append(fields.map(\.name), column, row, to: &text)
    default: ColumnText.append(column, row, .json, to: &text)
    }
  }

  private static func append(_ names: [String], _ column: Column, _ row: Int, to text: inout TextBuffer) {
    text.append(UInt8(ascii: "{"))
    for (index, child) in column.children.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      append(name: names[index], to: &text)
      append(child, row, to: &text)
    }
    text.append(UInt8(ascii: "}"))
  }

  /// `"name":`
  static func append(name: String, to text: inout TextBuffer) {
    var name = name
    name.withUTF8 { append(string: UnsafeRawBufferPointer($0), to: &text) }
    text.append(UInt8(ascii: ":"))
  }
}
