import Objects

extension Archive {
  /// The leaves that only one of two partition trees names, ascending by key. Nodes with equal ids are not read.
  /// - Parameters: nil stands for an empty tree.
  /// - Complexity: O(nodes that differ), one read each.
  package func differingLeaves(
    _ a: NodeID?, _ b: NodeID?
  ) throws(StoreError) -> (onlyInA: [LeafEntry], onlyInB: [LeafEntry]) {
    if a == b { return ([], []) }
    var left = try Side(a, self)
    var right = try Side(b, self)
    // Both sides go down level by level, the higher one first, and forget at each level what both have: what stands in
    // both trees under different parents meets its twin further down.
    while true {
      if left.level == right.level {
        let common = Set(left.entries.map(\.child)).intersection(right.entries.map(\.child))
        left.entries.removeAll { common.contains($0.child) }
        right.entries.removeAll { common.contains($0.child) }
        if left.level == 0 { return (left.entries.map(LeafEntry.init), right.entries.map(LeafEntry.init)) }
      }
      let level = max(left.level, right.level)
      if left.level == level { try left.descend(self) }
      if right.level == level { try right.descend(self) }
    }
  }

  /// Entries of one tree whose children are of one level.
  private struct Side {
    /// Of the children: 0 for leaves.
    var level: Int
    var entries: [Node.Entry]

    init(_ id: NodeID?, _ archive: Archive) throws(StoreError) {
      guard let id else {
        level = 0
        entries = []
        return
      }
      let node = try archive.node(id, kind: .leaves, parent: nil)
      level = node.level - 1
      entries = node.entries
    }

    mutating func descend(_ archive: Archive) throws(StoreError) {
      guard level > 0 else { return }
      var below: [Node.Entry] = []
      for entry in entries {
        below += try archive.node(NodeID(hash: entry.child), kind: .leaves, parent: (level + 1, entry.rowCount)).entries
      }
      entries = below
      level -= 1
    }
  }
}
