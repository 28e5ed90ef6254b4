import Columns
import History

extension TableContent {
  /// Counts of a replacement: what it added, changed and removed against the version before.
  func countingReplacement(of base: TableVersion) throws -> TableContent {
    // The written leaves are not under a root yet, so the difference is taken from the leaf lists.
    let oldOnly = Set(try base.leaves()).subtracting(partitions.flatMap(\.leaves))
    let newOnly = Set(partitions.flatMap(\.leaves)).subtracting(try base.leaves())
    let old = base.layout
    let fields = RowDiff.Fields(old: old.schema, new: layout.schema)
    var diff = RowDiff()
    for number in Set(partitions.map(\.number)).union(base.partitions.map(\.number)).sorted() {
      let left = try base.partitions.first { $0.number == number }.map { try base.archive.leaves(of: $0.tree) } ?? []
      let right = partitions.first { $0.number == number }?.leaves ?? []
      let before = try RowDiff.read(left.filter(oldOnly.contains), fields: old.schema.fields, from: base.archive)
      let after = try RowDiff.read(right.filter(newOnly.contains), fields: layout.schema.fields, from: base.archive)
      guard let key = RowDiff.commonKey(old, layout) else { continue }
      diff.add(try RowDiff.Part(partition: number, before: before, after: after, fields: fields, key: key))
    }
    return TableContent(
      layout: layout, partitions: partitions, addedCount: diff.addedCount, changedCount: diff.changedCount,
      removedCount: diff.removedCount, writtenLeafCount: writtenLeafCount)
  }
}
