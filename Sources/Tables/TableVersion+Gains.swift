import Columns
import History

extension TableVersion {
  /// The rows that this version has and an older one has not, or has with other values, in parts; rows that are gone are not read.
  ///
  /// Memory is bounded by a leaf of this version and what belongs to it in the older one, and by the tails.
  /// - Parameter old: nil for a dataset that was not there.
  /// - Complexity: O(rows of the leaves that only this version has + rows of the tails that differ), and the key columns of the
  ///   leaves that these fall into
  package func forEachGain(over old: TableVersion?, _ body: (Batch) throws -> Void) throws {
    guard let old, RowDiff.commonKey(old.layout, layout) != nil else { return try forEachBatch(body) }
    for number in RowDiff.partitions(old, self) {
      let (before, after) = (try old.partition(number, as: layout), try partition(number))
      func note(_ rows: Batch) throws {
        guard rows.rowCount > 0, !before.isEmpty else {
          if rows.rowCount > 0 { try body(rows) }
          return
        }
        let change = try ChangeResolver(view: before, mode: .upsert, layout: layout).resolve(rows, isDelete: nil, firstRow: 0)
        if case .operations(let operations) = change.content, !operations.isEmpty { try body(operations.rows) }
      }
      try noteLeaves(of: after, over: before, note)
      try noteTails(of: after, over: before, note)
    }
  }

  /// Rows of leaves that only this version has, as its tails leave them.
  private func noteLeaves(of after: PartitionView, over before: PartitionView, _ note: (Batch) throws -> Void) throws {
    let shared = Set(before.leaves)
    guard after.leaves.contains(where: { !shared.contains($0) }) else { return }
    let operations = try after.operations(layout.schema.fields)
    let ranges = operations.map { after.ranges(of: 0..<$0.count, keys: $0.keys) }
    for (index, leaf) in after.leaves.enumerated() where !shared.contains(leaf) {
      let own = ranges.flatMap { ranges in ranges[index].isEmpty ? nil : operations?.slice(ranges[index]) }
      let part = ReadPart(view: after, leaf: leaf.id, operations: own)
      try note(part.read(layout.schema.fields, threads: ReadPart.countAtATime))
    }
  }

  /// Rows of leaves that both versions have, or of none: they differ only under keys of tails that one of the versions has.
  private func noteTails(of after: PartitionView, over before: PartitionView, _ note: (Batch) throws -> Void) throws {
    var sharedTailCount = 0
    if before.leaves == after.leaves {
      sharedTailCount = zip(before.tails, after.tails).prefix { $0.id == $1.id && $0.rows == $1.rows }.count
    }
    func keys(_ view: PartitionView) throws -> [Column]? {
      let tails = Array(view.tails.dropFirst(sharedTailCount))
      return try PartitionView(archive: archive, layout: layout, number: view.number, leaves: [], tails: tails).operations([])?.keys
    }
    guard let all = try SortedKeys.union(keys(before), keys(after)) else { return }
    let shared = Set(before.leaves)
    let ranges = after.ranges(of: 0..<all[0].count, keys: all)
    let open =
      after.leaves.isEmpty
      ? Array(0..<all[0].count) : after.leaves.indices.flatMap { shared.contains(after.leaves[$0]) ? Array(ranges[$0]) : [] }
    guard !open.isEmpty else { return }
    try note(after.rows(layout.schema.fields, under: all.map { $0.take(open.map { Int32($0) }) }))
  }
}
