/// Why a table could not be read or written.
package struct TableError: Error, CustomStringConvertible, Sendable {
  package enum Kind: Sendable {
    /// The rows do not fit the layout (a null key, for example).
    case input
    /// The change of schema is not one that can be made without rewriting.
    case evolution
    /// A stored object does not hold what it should.
    case corrupt
  }

  package let kind: Kind
  package let description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
