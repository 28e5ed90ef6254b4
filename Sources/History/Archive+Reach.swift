import Objects

/// The objects that some starting points reach.
struct Reach: Sendable {
  private(set) var keys: Set<ObjectKey> = []

  /// Adds an object and all that it reaches and is not in the set yet.
  /// - Complexity: one read for each node, root and commit added.
  mutating func add(_ start: ObjectKey, in archive: Archive) throws(StoreError) {
    guard keys.insert(start).inserted else { return }
    var open = [start]
    while let key = open.popLast() {
      for reference in try archive.references(of: key) where keys.insert(reference).inserted {
        if !reference.kind.hasOwnFile && reference.kind != .blob { open.append(reference) }
      }
    }
  }
}

extension Archive {
  /// What an object names. - Throws: `notFound` and `corrupt` when it cannot be read.
  func references(of key: ObjectKey) throws(StoreError) -> [ObjectKey] {
    switch key.kind {
    case .leaf, .tail, .blob: return []
    case .commit:
      let commit = try commit(CommitID(hash: key.id))
      var found = commit.parents.map { ObjectKey(kind: .commit, id: $0.hash) }
      found += commit.datasets.values.map { ObjectKey(kind: .root, id: $0.root.hash) }
      found.append(ObjectKey(kind: .blob, id: commit.definitions.hash))
      if let verdicts = commit.verdicts { found.append(ObjectKey(kind: .blob, id: verdicts.hash)) }
      return found
    case .root:
      let root = try root(RootID(hash: key.id))
      return [ObjectKey(kind: .node, id: root.partitions.hash)]
        + root.tails.entries.map { ObjectKey(kind: .tail, id: $0.id.hash) }
    case .node: return try Node(decodingAnyOrder: content(.node, key.id), object: "node \(key.id)").references
    }
  }
}

extension Node {
  var references: [ObjectKey] {
    let kind: ObjectKind = level == 1 && kind == .leaves ? .leaf : .node
    return entries.map { ObjectKey(kind: kind, id: $0.child) }
  }
}
