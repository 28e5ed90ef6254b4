/// Appends JSON text to bytes, without values in between: the caller is responsible for commas and brackets.
package struct JSONWriter: Sendable {
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  package init(byteCapacity: Int) {
    bytes = []
    bytes.reserveCapacity(byteCapacity)
  }

  package mutating func raw(_ byte: UInt8) { bytes.append(byte) }

  package mutating func raw(_ text: StaticString) {
    bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  package mutating func raw(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  package mutating func appendNull() { raw("null") }

  package mutating func appendBool(_ value: Bool) { raw(value ? "true" : "false") }

  /// The string in quotes. - Complexity: O(bytes)
  package mutating func appendString(_ text: String) {
    var text = text
    text.withUTF8 { appendString(utf8: UnsafeRawBufferPointer($0)) }
  }

  /// The UTF-8 bytes as a string in quotes; only quotes, backslashes and control characters are escaped.
  package mutating func appendString(utf8 text: UnsafeRawBufferPointer) {
    bytes.append(UInt8(ascii: "\""))
    var start = 0
    for index in 0..<text.count {
      let byte = text[index]
      if byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") { continue }
      if start < index { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start..<index])) }
      appendEscape(byte)
      start = index + 1
    }
    if start < text.count { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[start...])) }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func appendEscape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): raw("\\\"")
    case UInt8(ascii: "\\"): raw("\\\\")
    case 0x08: raw("\\b")
    case 0x09: raw("\\t")
    case 0x0A: raw("\\n")
    case 0x0C: raw("\\f")
    case 0x0D: raw("\\r")
    default:
      let digits: StaticString = "0123456789abcdef"
      raw("\\u00")
      bytes.append(digits.utf8Start[Int(byte >> 4)])
      bytes.append(digits.utf8Start[Int(byte & 15)])
    }
  }

  package mutating func appendInt(_ value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    appendUInt(value.magnitude)
  }

  package mutating func appendUInt(_ value: UInt64) {
    if value < 10 {
      bytes.append(UInt8(ascii: "0") + UInt8(value))
      return
    }
    var digitCount = 1
    var rest = value / 10
    while rest > 0 {
      digitCount += 1
      rest /= 10
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: digitCount))
    bytes.withUnsafeMutableBufferPointer { target in
      var rest = value
      var place = start + digitCount
      while place > start {
        place -= 1
        target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
    }
  }

  /// The shortest decimal that reads back as this double, always with a point or an exponent; NaN and the infinities,
  /// for which JSON has no numbers, as strings.
  package mutating func appendDouble(_ value: Double) {
    if value.isFinite {
      var text = value.description
      text.withUTF8 { bytes.append(contentsOf: $0) }
    } else if value.isNaN {
      raw("\"NaN\"")
    } else {
      raw(value < 0 ? "\"-Infinity\"" : "\"Infinity\"")
    }
  }
}
