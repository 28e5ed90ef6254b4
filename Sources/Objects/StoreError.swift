/// Something the store of a repository could not do, or found damaged.
///
/// The text follows one order: action, object, expected, found.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The named object, ref, file or repository does not exist.
    case notFound
    /// Bytes that do not say what their name or their checksum promises.
    case corrupt
    /// The operating system refused; the code is its `errno`.
    case io(Int32)
    /// The thing to be created exists already.
    case exists
    /// The folder holds no repository of this program, or one of a format it does not know.
    case notARepository
    /// A name, a ref expression or a size that can never be valid.
    case invalid
    /// Another repository does not allow it.
    case refused
  }

  package let kind: Kind
  package let text: String

  package init(kind: Kind, text: String) {
    self.kind = kind
    self.text = text
  }

  package var description: String { text }
}
