/// What a check asks of those who know what objects hold: rows, keys and definitions mean nothing to this room.
package struct ContentCheck: Sendable {
  /// What is wrong with the rows of dataset versions of which every object can be read; nil: nobody looks.
  package var versions: (@Sendable (Archive, [RootID]) throws -> [ContentFinding])?
  /// Throws when the bytes of a blob are no definitions; nil: nobody looks.
  package var definitions: (@Sendable ([UInt8]) throws -> Void)?
  /// Throws when the bytes of a blob are no verdicts; nil: nobody looks.
  package var verdicts: (@Sendable ([UInt8]) throws -> Void)?

  package init(
    versions: (@Sendable (Archive, [RootID]) throws -> [ContentFinding])? = nil,
    definitions: (@Sendable ([UInt8]) throws -> Void)? = nil, verdicts: (@Sendable ([UInt8]) throws -> Void)? = nil
  ) {
    self.versions = versions
    self.definitions = definitions
    self.verdicts = verdicts
  }

  package static let none = ContentCheck()
}

/// Something that is wrong with what an object holds or says, although its bytes are those that its id names.
package struct ContentFinding: Hashable, Sendable {
  package enum Subject: Hashable, Sendable {
    case leaf(LeafID)
    case tail(TailID)
    case node(NodeID)
    case root(RootID)
  }

  package let subject: Subject
  package let detail: String
  /// The versions that it touches, and how many of their rows.
  package let touches: [RootID: Int]

  package init(_ subject: Subject, _ detail: String, touches: [RootID: Int]) {
    self.subject = subject
    self.detail = detail
    self.touches = touches
  }

  var key: ObjectKey {
    switch subject {
    case .leaf(let id): ObjectKey(kind: .leaf, id: id.hash)
    case .tail(let id): ObjectKey(kind: .tail, id: id.hash)
    case .node(let id): ObjectKey(kind: .node, id: id.hash)
    case .root(let id): ObjectKey(kind: .root, id: id.hash)
    }
  }

  var path: String { key.kind.hasOwnFile ? Archive.path(of: key) : "packs" }
}
