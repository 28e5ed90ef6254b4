/// Why bytes could not be read as a Parquet file.
///
/// The text follows one order: action, object, place (page, byte offset), expected, found.
package struct ParquetError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The bytes contradict themselves or the format.
    case malformed
    /// A legal file that uses what this reader does not know.
    case unsupported
    /// A time that the ticks of its type do not reach with 64 bits.
    case outOfRange
  }

  package let kind: Kind
  package let text: String

  package init(kind: Kind, text: String) {
    self.kind = kind
    self.text = text
  }

  package var description: String { text }

  static func malformed(_ text: String) -> ParquetError { ParquetError(kind: .malformed, text: text) }

  static func outOfRange(_ text: String) -> ParquetError { ParquetError(kind: .outOfRange, text: text) }

  static func unsupported(_ text: String) -> ParquetError { ParquetError(kind: .unsupported, text: text) }

  /// The same error with the place where it was found in front.
  func within(_ place: String) -> ParquetError { ParquetError(kind: kind, text: "\(place): \(text)") }
}
