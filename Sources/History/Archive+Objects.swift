import Objects
import Synchronization

extension Archive {
  /// - Throws: `notFound`, or `corrupt` when what is stored is not what the id names. The same for all readers below.
  package func commit(_ id: CommitID) throws(StoreError) -> Commit {
    try Commit(decoding: content(.commit, id.hash), object: "commit \(id)")
  }

  /// Whether a commit is registered; with it everything that it reaches is.
  package func isStored(_ id: CommitID) throws(StoreError) -> Bool {
    try catalog.missing(kind: ObjectKind.commit.rawValue, ids: [id.bytes]).isEmpty
  }

  package func root(_ id: RootID) throws(StoreError) -> Root {
    try Root(decoding: content(.root, id.hash), object: "root \(id)")
  }

  package func blob(_ id: BlobID) throws(StoreError) -> [UInt8] { try content(.blob, id.hash) }

  /// The canonical JSON of a commit, whose SHA-256 is the id.
  package func canonicalBytes(of id: CommitID) throws(StoreError) -> [UInt8] { try content(.commit, id.hash) }

  /// What the partitions of a dataset version have in leaves, ascending by number.
  package func partitions(of id: RootID) throws(StoreError) -> [PartitionEntry] {
    let root = try root(id)
    var found: [PartitionEntry] = []
    try forEachEntry(of: root.partitions, kind: .partitions) { (entry) throws(StoreError) in
      guard let number = PartitionEntry.number(fromKey: entry.firstKey) else {
        throw StoreError(kind: .corrupt, text: "Cannot read root \(id): the key of a partition has \(entry.firstKey.count) bytes, not 8")
      }
      found.append(PartitionEntry(number: number, tree: NodeID(hash: entry.child), rowCount: entry.rowCount))
    }
    guard found.reduce(root.tails.addedRowCount, { $0 + $1.rowCount }) == root.rowCount else {
      throw StoreError(
        kind: .corrupt, text: "Cannot read root \(id): its partitions and tails do not have \(root.rowCount) rows together")
    }
    return found
  }

  /// The leaves of a partition, ascending by key.
  /// - Parameter inAnyOrder: for those who read all of them: they get what a damaged tree has, in the order in which it has it.
  package func leaves(of tree: NodeID, inAnyOrder: Bool = false) throws(StoreError) -> [LeafEntry] {
    var found: [LeafEntry] = []
    try forEachEntry(of: tree, kind: .leaves, inAnyOrder: inAnyOrder) { (entry) throws(StoreError) in found.append(LeafEntry(entry)) }
    return found
  }

  /// The id of the tree over these leaves, as `Draft.addPartitionTree` makes it. - Complexity: O(leaves)
  package static func treeID(over leaves: [LeafEntry]) -> NodeID? {
    TreeBuilder.nodes(kind: .leaves, over: leaves.map { $0.nodeEntry }).last?.id
  }

  /// The nodes of level 1 of a partition's tree, from left to right, whatever the order of their keys; `leaves(of:)` gives what one of
  /// them names.
  package func leafNodes(of tree: NodeID) throws(StoreError) -> [NodeID] {
    let top = try node(tree, kind: .leaves, parent: nil, inAnyOrder: true)
    guard top.level > 1 else { return [tree] }
    var found: [NodeID] = []
    var open = [top]
    while let next = open.popLast() {
      guard next.level > 2 else {
        found += next.entries.map { NodeID(hash: $0.child) }
        continue
      }
      for entry in next.entries.reversed() {
        open.append(try node(NodeID(hash: entry.child), kind: .leaves, parent: (next.level, entry.rowCount), inAnyOrder: true))
      }
    }
    return found
  }

  /// Every entry of level 1 from left to right.
  private func forEachEntry(
    of id: NodeID, kind: Node.Kind, inAnyOrder: Bool = false, _ body: (Node.Entry) throws(StoreError) -> Void
  ) throws(StoreError) {
    // Depth first; the last of the array is the next to be visited.
    var open: [(id: NodeID, parent: (level: Int, rowCount: Int)?)] = [(id, nil)]
    while let next = open.popLast() {
      let node = try node(next.id, kind: kind, parent: next.parent, inAnyOrder: inAnyOrder)
      if node.level == 1 {
        for entry in node.entries { try body(entry) }
      } else {
        for entry in node.entries.reversed() { open.append((NodeID(hash: entry.child), (node.level, entry.rowCount))) }
      }
    }
  }

  /// A node that is what the entry of its parent says.
  /// - Parameter inAnyOrder: whether its keys need not ascend.
  func node(
    _ id: NodeID, kind: Node.Kind, parent: (level: Int, rowCount: Int)?, inAnyOrder: Bool = false
  ) throws(StoreError) -> Node {
    let node = try inAnyOrder ? node(id) : orderedNode(id)
    guard node.kind == kind, parent.map({ $0.level == node.level + 1 && $0.rowCount == node.rowCount }) ?? true else {
      throw StoreError(kind: .corrupt, text: "Cannot read node \(id): its kind, level or row count is not what its parent says")
    }
    return node
  }

  /// A node as it is, whatever those say who name it, and whatever the order of its keys.
  func node(_ id: NodeID) throws(StoreError) -> Node {
    if let cached = nodeCache.withLock({ $0[id] }) { return cached }
    return try Node(decodingAnyOrder: content(.node, id.hash), object: "node \(id)")
  }

  private func orderedNode(_ id: NodeID) throws(StoreError) -> Node {
    if let cached = nodeCache.withLock({ $0[id] }) { return cached }
    let node = try Node(decoding: content(.node, id.hash), object: "node \(id)")
    nodeCache.withLock { cache in
      if cache.count >= Self.nodeCacheCountMax { cache.removeAll(keepingCapacity: true) }
      cache[id] = node
    }
    return node
  }

  /// The bytes of a packed object, compared with its id.
  func content(_ kind: ObjectKind, _ id: Hash256) throws(StoreError) -> [UInt8] {
    let record = try packedRecord(kind, id)
    do {
      return try content(kind, id, record)
    } catch {
      // gc may have moved it to another pack between the look into the catalog and the reading.
      let again = try packedRecord(kind, id)
      guard again != record else { throw error }
      return try content(kind, id, again)
    }
  }

  private func packedRecord(_ kind: ObjectKind, _ id: Hash256) throws(StoreError) -> ObjectRecord {
    guard let record = try catalog.object(kind: kind.rawValue, id: id.bytes) else {
      throw StoreError(kind: .notFound, text: "Cannot read \(kind.name) \(id): it is not stored in \(volume.absolutePath(""))")
    }
    return record
  }

  func content(_ kind: ObjectKind, _ id: Hash256, _ record: ObjectRecord) throws(StoreError) -> [UInt8] {
    guard case .pack(let name, let offset) = record.place else {
      throw StoreError(kind: .corrupt, text: "Cannot read \(kind.name) \(id): the catalog names no pack for it")
    }
    let path = Pack.path(ofName: name)
    let bytes: [UInt8]
    do {
      bytes = try volume.read(path, from: offset, byteCount: record.byteCount)
    } catch  where error.kind == .notFound {
      throw StoreError(kind: .corrupt, text: "Cannot read \(kind.name) \(id): its pack \(volume.absolutePath(path)) is missing")
    } catch  where error.kind == .corrupt {
      throw StoreError(kind: .corrupt, text: "Cannot read \(kind.name) \(id): \(error.text)")
    }
    let found = Hash256(bytes: Checksum.sha256(bytes))
    guard found == id else {
      throw StoreError(
        kind: .corrupt, text: "Cannot read \(kind.name) \(id) from \(volume.absolutePath(path)): its bytes have SHA-256 \(found)")
    }
    return bytes
  }
}

extension LeafEntry {
  var nodeEntry: Node.Entry { Node.Entry(firstKey: firstKey, lastKey: lastKey, rowCount: rowCount, child: id.hash) }

  init(_ entry: Node.Entry) {
    self.init(firstKey: entry.firstKey, lastKey: entry.lastKey, rowCount: entry.rowCount, id: LeafID(hash: entry.child))
  }
}
