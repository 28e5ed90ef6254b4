import Objects

extension Archive {
  /// The one leaf of a partition tree that can hold a key; nil when the key lies in none.
  /// - Complexity: O(height) node reads
  package func leaf(of tree: NodeID, holding key: [UInt8]) throws(StoreError) -> LeafEntry? {
    var node = try node(tree, kind: .leaves, parent: nil)
    while true {
      // The first entry whose last key is not before the wanted one.
      var low = 0
      var high = node.entries.count
      while low < high {
        let middle = low + (high - low) / 2
        if node.entries[middle].lastKey.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
      }
      guard low < node.entries.count, case let entry = node.entries[low], !key.lexicographicallyPrecedes(entry.firstKey) else { return nil }
      if node.level == 1 { return LeafEntry(entry) }
      node = try self.node(NodeID(hash: entry.child), kind: .leaves, parent: (node.level, entry.rowCount))
    }
  }
}
