/// Why an image could not be used or a request not be answered.
package struct OnlineError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable {
    /// The bytes of an image are not what was written.
    case damaged
    /// An image of a newer format.
    case version
    /// The request is no valid one: 400.
    case malformed
    /// A service, view or feature that does not exist: 404.
    case notFound
    /// A value of the wrong type, or outputs that cannot be told apart: 422.
    case unprocessable
    /// The time lies before the image was built: the rows of the commit answer it.
    case beforeBuild
    /// A view that an image cannot hold.
    case unsupported
  }

  package let kind: Kind
  package let text: String

  package init(_ kind: Kind, _ text: String) {
    self.kind = kind
    self.text = text
  }

  package var description: String { text }

  /// The HTTP status that says this.
  package var httpStatus: Int {
    switch kind {
    case .malformed: 400
    case .notFound: 404
    case .unprocessable, .beforeBuild: 422
    case .damaged, .version, .unsupported: 500
    }
  }
}
