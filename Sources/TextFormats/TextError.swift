/// Why rows cannot be read from text, and where.
package struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The bytes are not of the format: a ragged row, a bad quote, invalid UTF-8.
    case malformed
    /// The bytes can be parsed in more ways than one, as different tables.
    case ambiguous
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

  /// The same error where the lines before the part that named it are counted too.
  func adding(lineCount: Int) -> TextError {
    TextError(kind, line: line + lineCount, column: column, fieldName: fieldName, text)
  }

  func naming(_ fieldName: String) -> TextError {
    TextError(kind, line: line, column: column, fieldName: self.fieldName ?? fieldName, text)
  }

  func hinting(_ hint: String) -> TextError {
    TextError(kind, line: line, column: column, fieldName: fieldName, text + hint)
  }

  /// A value for a message, in quotes and not too long.
  static func quoted(_ bytes: UnsafeRawBufferPointer) -> String {
    let shown = String(decoding: bytes.prefix(60), as: UTF8.self)
    return bytes.count > 60 ? "\"\(shown)…\" (\(bytes.count) bytes)" : "\"\(shown)\""
  }

  /// A value for a message as it stands there, if not too long.
  static func shortened(_ bytes: UnsafeRawBufferPointer) -> String {
    let shown = String(decoding: bytes.prefix(60), as: UTF8.self)
    return bytes.count > 60 ? "\(shown)… (\(bytes.count) bytes)" : shown
  }

  /// The number of line ends before a place in the file. - Complexity: O(offset)
  static func lineCount(before offset: Int, of bytes: UnsafeRawBufferPointer, lineEnd: UInt8 = 0x0A) -> Int {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
    let end = min(offset, bytes.count)
    var total = 0
    var index = 0
    // SAFETY: places stay below `end`. Short runs keep the count in a byte each, which lets the compiler use vectors.
    while index < end {
      let runEnd = min(end, index &+ 255)
      var count: UInt8 = 0
      while index < runEnd {
        count &+= base[index] == lineEnd ? 1 : 0
        index &+= 1
      }
      total &+= Int(count)
    }
    return total
  }
}

extension TextError {
  /// - Throws: where the bytes begin with a mark of UTF-16 or UTF-32.
  static func refuseUTF16(_ bytes: UnsafeRawBufferPointer) throws(TextError) {
    guard bytes.count >= 2 else { return }
    if (bytes[0] == 0xFF && bytes[1] == 0xFE) || (bytes[0] == 0xFE && bytes[1] == 0xFF) {
      throw TextError(.malformed, line: 1, "the file is UTF-16 or UTF-32: expected UTF-8, convert it first")
    }
  }
}
