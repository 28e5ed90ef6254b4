/// Why rows cannot be read from text, and where.
package struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The bytes are not of the format: a ragged row, a bad quote, invalid UTF-8.
    case malformed
    /// The bytes can be parsed, but a value has not the type wanted.
    case badCell
  }

  package let kind: Kind
  /// From 1, counting every line of the file, also blank lines and those inside quotes.
  package let line: Int
  /// CSV: the number of the field, JSON Lines: of the byte, from 1; 0 where the whole line is meant.
  package let column: Int
  package let fieldName: String?
  package let text: String

  package init(_ kind: Kind, line: Int, column: Int = 0, fieldName: String? = nil, _ text: String) {
    self.kind = kind
    self.line = line
    self.column = column
    self.fieldName = fieldName
    self.text = text
  }

  package var description: String {
    let place = "line \(line)" + (column > 0 ? ", column \(column)" : "") + (fieldName.map { " (\($0))" } ?? "")
    return "\(place): \(text)"
  }

  /// A value for a message, in quotes and not too long.
  static func quoted(_ bytes: UnsafeRawBufferPointer) -> String {
    let shown = String(decoding: bytes.prefix(60), as: UTF8.self)
    return bytes.count > 60 ? "\"\(shown)…\" (\(bytes.count) bytes)" : "\"\(shown)\""
  }

  /// The line of a place in the file, from 1. - Complexity: O(offset)
  static func line(at offset: Int, of bytes: UnsafeRawBufferPointer) -> Int {
    var line = 1
    for index in 0..<min(offset, bytes.count) where bytes[index] == 0x0A { line += 1 }
    return line
  }
}
