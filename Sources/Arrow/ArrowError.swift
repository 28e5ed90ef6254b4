/// Why bytes could not be read as Arrow data.
///
/// The text follows one order: action, object, place (message, byte offset), expected, found.
package struct ArrowError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The bytes contradict themselves or the format.
    case malformed
    /// Legal data that use what this reader does not know, or that would take more memory than allowed.
    case unsupported
  }

  package let kind: Kind
  package let text: String

  package init(kind: Kind, text: String) {
    self.kind = kind
    self.text = text
  }

  package var description: String { text }

  static func malformed(_ text: String) -> ArrowError { ArrowError(kind: .malformed, text: text) }

  static func unsupported(_ text: String) -> ArrowError { ArrowError(kind: .unsupported, text: text) }

  /// The same error with the place where it was found in front.
  func within(_ place: String) -> ArrowError { ArrowError(kind: kind, text: "\(place): \(text)") }
}
