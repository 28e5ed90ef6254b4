import Columns
import History

// Which rows of two versions have to be compared: all that may differ, and as few others as the leaves allow.
extension RowDiff {
  /// Partitions that are not the same in both versions, ascending.
  static func partitions(_ old: TableVersion?, _ new: TableVersion?) -> [Int64] {
    guard old?.rootID != new?.rootID else { return [] }
    let left = Dictionary((old?.partitions ?? []).map { ($0.number, $0.tree) }) { first, _ in first }
    let right = Dictionary((new?.partitions ?? []).map { ($0.number, $0.tree) }) { first, _ in first }
    return Set(left.keys).union(right.keys).filter { left[$0] != right[$0] }.sorted()
  }

  /// The rows of one partition that are not in leaves of both versions, in the order of the key.
  /// - Returns: each side under its own schema; nothing under the other's schema for a version that is nil.
  /// - Complexity: O(rows of the leaves that differ)
  static func sides(_ old: TableVersion?, _ new: TableVersion?, partition: Int64) throws -> (before: Batch, after: Batch) {
    guard let archive = new?.archive ?? old?.archive, let schema = new?.layout.schema ?? old?.layout.schema else {
      preconditionFailure("There is no version to compare")
    }
    let left = old?.partitions.first { $0.number == partition }?.tree
    let right = new?.partitions.first { $0.number == partition }?.tree
    let differing = try archive.differingLeaves(left, right)
    return (
      try read(differing.onlyInA, fields: (old?.layout.schema ?? schema).fields, from: archive),
      try read(differing.onlyInB, fields: (new?.layout.schema ?? schema).fields, from: archive)
    )
  }

  static func read(_ leaves: [LeafEntry], fields: [Field], from archive: Archive) throws -> Batch {
    let parts = try parallelMap(leaves) { try LeafFile.read($0.id, fields: fields, from: archive) }
    return parts.isEmpty ? Batch.empty(Schema(fields)) : Batch.concatenate(parts)
  }
}
