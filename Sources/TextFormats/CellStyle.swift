import Columns

/// How the two formats write one and the same value.
enum CellStyle: Hashable, Sendable {
  case csv(delimiter: UInt8)
  case json

  @inline(__always) func appendNull(to text: inout TextBuffer) {
    if self == .json { text.append("null") }
  }

  /// Writes what JSON puts in quotes, and CSV does not.
  @inline(__always) func quoted(_ text: inout TextBuffer, _ body: (inout TextBuffer) -> Void) {
    if self == .json { text.append(UInt8(ascii: "\"")) }
    body(&text)
    if self == .json { text.append(UInt8(ascii: "\"")) }
  }

  @inline(__always) func append(string bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    switch self {
    case .csv(let delimiter): CSVText.append(bytes, delimiter: delimiter, to: &text)
    case .json: JSONText.append(string: bytes, to: &text)
    }
  }

  @inline(__always) func append(binary bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    if bytes.isEmpty { text.append("\"\"") } else { quoted(&text) { Base64.append(bytes, to: &$0) } }
  }

  @inline(__always) func append(double value: Double, to text: inout TextBuffer) {
    if value.isFinite { text.append(double: value) } else { quoted(&text) { $0.append(double: value) } }
  }

  /// Readers of JSON know doubles alone: there the digits are those of the double that equals the value.
  @inline(__always) func append(float value: Float, to text: inout TextBuffer) {
    if self == .json { return append(double: Double(value), to: &text) }
    if value.isFinite { text.append(float: value) } else { quoted(&text) { $0.append(float: value) } }
  }

  @inline(__always) func append(half value: Float16, to text: inout TextBuffer) {
    if self == .json { return append(double: Double(value), to: &text) }
    if value.isFinite { text.append(half: value) } else { quoted(&text) { $0.append(half: value) } }
  }
}

/// CSV's quotes.
enum CSVText {
  static let quote = UInt8(ascii: "\"")

  /// A field, in quotes where it is empty or holds the delimiter, a quote or a line end.
  static func append(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8, to text: inout TextBuffer) {
    guard bytes.isEmpty || needsQuotes(bytes, delimiter) else { return text.append(bytes) }
    appendQuoted(bytes, to: &text)
  }

  /// A column's name: also in quotes where a reader would take it for a byte order mark or for other delimiters.
  static func append(name bytes: UnsafeRawBufferPointer, delimiter: UInt8, to text: inout TextBuffer) {
    if bytes.first == 0xEF || bytes.contains(where: { delimiters.contains($0) }) { return appendQuoted(bytes, to: &text) }
    append(bytes, delimiter: delimiter, to: &text)
  }

  /// The bytes that a reader takes for delimiters when it is not told; the first one before the others.
  static let delimiters = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]

  private static func appendQuoted(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
    // Every byte may be a quote, which is doubled.
    let target = text.room(bytes.count * 2 + 2)
    target[0] = quote
    var place = 1
    for byte in bytes {
      target[place] = byte
      place &+= 1
      if byte == quote {
        target[place] = quote
        place &+= 1
      }
    }
    target[place] = quote
    text.advance(place + 1)
  }

  @inline(__always) private static func needsQuotes(_ bytes: UnsafeRawBufferPointer, _ delimiter: UInt8) -> Bool {
    for byte in bytes where byte == delimiter || byte == quote || byte == 0x0A || byte == 0x0D { return true }
    return false
  }

  /// The bytes with every doubled quote halved.
  /// - Precondition: quotes come in pairs, as they do inside a quoted field.
  static func unescaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      plain.append(bytes[index])
      index += bytes[index] == quote ? 2 : 1
    }
    return plain
  }
}
