import Columns
import History

/// Takes operations into the leaves of a partition.
struct PartitionFold {
  let view: PartitionView
  let layout: TableLayout

  /// Walks the leaves. A leaf is kept as it is when nothing before it is waiting to be cut, no operation falls into it and it
  /// holds no values of dropped columns; the last leaf ends where the partition ends, so rows behind it reopen it.
  /// - Parameters:
  ///   - operations: all of them: those of the tails and of the change; under the layout's schema.
  ///   - rewritesDropped: whether leaves with values of columns that are gone are written anew.
  /// - Complexity: O(rows of the leaves that are touched)
  func fold(_ operations: RowOperations?, into plan: inout LeafPlan, rewritesDropped: Bool = false) throws {
    plan.startPartition(view.number)
    let ranges = operations.map { view.ranges(of: 0..<$0.count, keys: $0.keys) }
    for (index, leaf) in view.leaves.enumerated() {
      let own = ranges?[index] ?? 0..<0
      if own.isEmpty && plan.isAtCut, try !rewritesDropped || !holdsDropped(leaf) {
        plan.reuse(leaf)
        continue
      }
      let part = ReadPart(view: view, leaf: leaf.id, operations: own.isEmpty ? nil : operations?.slice(own))
      try plan.append(part.read(layout.schema.fields, threads: ReadPart.countAtATime))
    }
    if view.leaves.isEmpty, let operations {
      try plan.append(ReadPart(view: view, leaf: nil, operations: operations).read(layout.schema.fields))
    }
    try plan.endPartition()
  }

  /// Whether a leaf has values of a field that is not in the schema.
  func holdsDropped(_ leaf: LeafEntry) throws -> Bool {
    let known = Set(layout.schema.fields.compactMap(\.id))
    return try LeafIdentity.fieldIDs(inDigests: view.archive.leafDigests(leaf.id) ?? []).contains { !known.contains($0) }
  }
}
