import JSON
import Objects

/// Gathers the objects of a commit in memory, until `Archive.publish` writes those that are new as one pack.
///
/// The ids are known at once: they depend on content alone.
package struct Draft: Sendable {
  struct Object: Sendable {
    let kind: ObjectKind
    let id: Hash256
    let bytes: [UInt8]
    /// What must be stored, here or in the archive, for this object to be readable.
    let references: [Reference]
  }

  typealias Reference = ObjectKey

  private(set) var objects: [Object] = []
  private(set) var known: Set<Reference> = []
  /// The leaves and tails that its objects name.
  private(set) var files: Set<ObjectKey> = []

  package init() {}

  /// Adds the tree of one partition.
  /// - Parameter leaves: ascending by key and without overlap.
  /// - Complexity: O(leaves)
  package mutating func addPartitionTree(_ leaves: [LeafEntry]) -> NodeID {
    for leaf in leaves { files.insert(ObjectKey(kind: .leaf, id: leaf.id.hash)) }
    return addTree(.leaves, leaves.map { $0.nodeEntry })
  }

  /// Adds a dataset version.
  /// - Parameters:
  ///   - partitions: what is in leaves, in any order; numbers must differ.
  ///   - tails: recent small writes over them.
  package mutating func addRoot(
    schema: JSON, layout: JSON, partitions: [PartitionEntry], tails: TailList = TailList()
  ) -> RootID {
    let entries = partitions.sorted { $0.number < $1.number }.map { partition in
      Node.Entry(firstKey: partition.key, lastKey: partition.key, rowCount: partition.rowCount, child: partition.tree.hash)
    }
    precondition(zip(entries, entries.dropFirst()).allSatisfy { $0.firstKey != $1.firstKey }, "A partition number occurs twice")
    let tree = addTree(.partitions, entries)
    let root = Root(
      schema: schema, layout: layout, partitions: tree,
      rowCount: partitions.reduce(tails.addedRowCount) { $0 + $1.rowCount }, tails: tails)
    let tailKeys = tails.entries.map { ObjectKey(kind: .tail, id: $0.id.hash) }
    files.formUnion(tailKeys)
    return RootID(hash: add(.root, root.canonicalBytes, references: [Reference(kind: .node, id: tree.hash)] + tailKeys))
  }

  package mutating func addBlob(_ bytes: [UInt8]) -> BlobID {
    BlobID(hash: add(.blob, bytes, references: []))
  }

  package mutating func addCommit(_ commit: Commit) -> CommitID {
    var references = commit.parents.map { Reference(kind: .commit, id: $0.hash) }
    references += commit.datasets.values.map { Reference(kind: .root, id: $0.root.hash) }
    references.append(Reference(kind: .blob, id: commit.definitions.hash))
    if let verdicts = commit.verdicts { references.append(Reference(kind: .blob, id: verdicts.hash)) }
    return CommitID(hash: add(.commit, commit.canonicalBytes, references: references))
  }

  private mutating func addTree(_ kind: Node.Kind, _ entries: [Node.Entry]) -> NodeID {
    let nodes = TreeBuilder.nodes(kind: kind, over: entries)
    for (id, node, bytes) in nodes {
      let childKind: ObjectKind = node.level == 1 && kind == .leaves ? .leaf : .node
      insert(
        Object(kind: .node, id: id.hash, bytes: bytes, references: node.entries.map { Reference(kind: childKind, id: $0.child) }))
    }
    // `nodes` always gives one node at least, and the top one last.
    return nodes[nodes.count - 1].id
  }

  private mutating func add(_ kind: ObjectKind, _ bytes: [UInt8], references: [Reference]) -> Hash256 {
    let id = Hash256(bytes: Checksum.sha256(bytes))
    insert(Object(kind: kind, id: id, bytes: bytes, references: references))
    return id
  }

  mutating func insert(_ object: Object) {
    if known.insert(Reference(kind: object.kind, id: object.id)).inserted { objects.append(object) }
  }
}
