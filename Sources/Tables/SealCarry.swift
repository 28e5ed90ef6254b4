import History

extension TableContent {
  /// What this seal of an older version comes to when others have written meanwhile: their tails stay on top of the sealed leaves, and
  /// partitions that they have folded stay as they are.
  ///
  /// - Parameters:
  ///   - old: the version that was sealed.
  ///   - newer: one that came of it.
  /// - Returns: nil when the newer version has other columns or does not hold the tails of the old one any more: it is sealed anew.
  /// - Complexity: O(partitions · tails)
  package func carried(from old: TableVersion, to newer: TableVersion) -> TableContent? {
    guard newer.layout == old.layout, newer.tails.entries.starts(with: old.tails.entries) else { return nil }
    let sealedThrough = old.tails.nextSequence - 1
    var sealed: [Int64: Partition] = [:]
    for partition in partitions {
      guard case .rewritten(let number, _) = partition else { return nil }
      sealed[number] = partition
    }
    let oldEntries = Dictionary(uniqueKeysWithValues: old.partitions.map { ($0.number, $0) })
    let newEntries = Dictionary(uniqueKeysWithValues: newer.partitions.map { ($0.number, $0) })
    var folded = newer.tails.folded
    var result: [Partition] = []
    for number in Set(old.partitionNumbers).union(newEntries.keys).sorted() {
      if oldEntries[number] == newEntries[number], old.tails.folded[number] == newer.tails.folded[number] {
        // Nil where deletes in tails had left no row.
        if let partition = sealed[number] { result.append(partition) }
        folded[number] = max(sealedThrough, folded[number] ?? 0)
      } else if let entry = newEntries[number] {
        result.append(.kept(entry))
      }
    }
    return TableContent(
      layout: layout, partitions: result, tails: TailList(newer.tails.entries, folded: folded), addedCount: 0, changedCount: 0,
      removedCount: 0, writtenLeafCount: writtenLeafCount)
  }
}
