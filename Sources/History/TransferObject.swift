import Objects

/// An object on its way from one repository to another: of a leaf or tail what is known of its file (`FileRecord.encoded`), of
/// any other kind its bytes.
package struct TransferObject: Hashable, Sendable {
  package let key: ObjectKey
  package let bytes: [UInt8]

  package init(key: ObjectKey, bytes: [UInt8]) {
    self.key = key
    self.bytes = bytes
  }

  /// For messages: "node 12ab…".
  package var name: String { "\(key.kind.name) \(key.id)" }

  /// - Throws: `corrupt` unless the bytes of a packed object are those that its id names.
  package func verify() throws(StoreError) {
    guard !key.kind.hasOwnFile else { return }
    let found = Hash256(bytes: Checksum.sha256(bytes))
    guard found == key.id else {
      throw StoreError(kind: .corrupt, text: "Cannot accept \(name): its bytes have SHA-256 \(found)")
    }
  }

  /// What must be stored for this object to be readable. - Throws: `corrupt` for bytes that are no such object.
  package func references() throws(StoreError) -> [ObjectKey] {
    switch key.kind {
    case .leaf, .tail, .blob: return []
    case .node:
      let node = try Node(decodingAnyOrder: bytes, object: name)
      let childKind: ObjectKind = node.kind == .leaves && node.level == 1 ? .leaf : .node
      return node.entries.map { ObjectKey(kind: childKind, id: $0.child) }
    case .root:
      let root = try Root(decoding: bytes, object: name)
      return [ObjectKey(kind: .node, id: root.partitions.hash)] + root.tails.entries.map { ObjectKey(kind: .tail, id: $0.id.hash) }
    case .commit:
      let commit = try Commit(decoding: bytes, object: name)
      return commit.parents.map { ObjectKey(kind: .commit, id: $0.hash) } + commit.contents
    }
  }

  /// Objects sorted by this come after what they name. Commits keep the order in which they are given.
  var rank: Int {
    get throws(StoreError) {
      switch key.kind {
      case .leaf, .tail: return 0
      case .node:
        let node = try Node(decodingAnyOrder: bytes, object: name)
        return 1 + Int(node.kind.rawValue) * (Node.levelMax + 1) + node.level
      case .root: return 100
      case .blob: return 101
      case .commit: return 102
      }
    }
  }
}

extension Commit {
  /// What a commit names beside its parents.
  var contents: [ObjectKey] {
    datasets.values.map { ObjectKey(kind: .root, id: $0.root.hash) } + [ObjectKey(kind: .blob, id: definitions.hash)]
      + (verdicts.map { [ObjectKey(kind: .blob, id: $0.hash)] } ?? [])
  }
}

extension Pack {
  /// Objects as one stream of bytes that checks itself; the form in which they travel.
  package static func encode(_ objects: [TransferObject]) -> [UInt8] {
    Pack(objects.map { ($0.key.kind, $0.key.id, $0.bytes) }).bytes
  }

  /// - Parameter source: where the bytes come from, for messages.
  /// - Throws: `corrupt` unless the bytes are a whole pack whose objects are what their ids name.
  package static func objects(decoding bytes: [UInt8], source: String) throws(StoreError) -> [TransferObject] {
    guard bytes.count >= Hash256.byteCount else {
      throw StoreError(kind: .corrupt, text: "Cannot read the objects from \(source): expected a pack, found \(bytes.count) bytes")
    }
    let pack = try Pack(decoding: bytes, name: Hash256(bytes: bytes.suffix(Hash256.byteCount)).description, path: "from \(source)")
    var objects: [TransferObject] = []
    for entry in pack.entries {
      let range = entry.offset..<entry.offset + entry.byteCount
      let object = TransferObject(key: ObjectKey(kind: entry.kind, id: entry.id), bytes: Array(pack.bytes[range]))
      try object.verify()
      objects.append(object)
    }
    return objects
  }
}
