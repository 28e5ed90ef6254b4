import Columns

/// The distinct keys among rows that come in batches, ascending.
///
/// Rows with a null in a key column name no entity. Used by one thread.
package struct EntityCollector {
  private let schema: Schema
  /// Each part distinct and ascending.
  private var parts: [Batch] = []
  /// Of the parts that were not merged yet.
  private var pendingRowCount = 0
  private var mergedRowCount = 0

  /// Below this, merging costs more than the repeated keys take.
  private static let pendingRowCountMin = 1 << 20

  /// - Parameter keys: names and types of the key columns, none of them a float.
  package init(keys: [Field]) { schema = Schema(keys) }

  /// - Parameter columns: of the types of `keys`, equally long.
  /// - Complexity: O(n log n), O(n) for rows that are in order; memory for the distinct keys of all rows and those of some batches
  package mutating func add(_ columns: [Column]) {
    let part = Self.distinct(withoutNulls(Batch(schema: schema, columns: columns, rowCount: columns[0].count)))
    guard part.rowCount > 0 else { return }
    parts.append(part)
    pendingRowCount += part.rowCount
    // So every key is merged a number of times that grows with the logarithm of their number.
    if pendingRowCount >= max(Self.pendingRowCountMin, mergedRowCount) { merge() }
  }

  package mutating func finish() -> Batch {
    merge()
    return parts.first ?? Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }

  private mutating func merge() {
    guard parts.count > 1 else { return }
    let merged = Self.distinct(Batch.concatenate(parts))
    parts = [merged]
    mergedRowCount = merged.rowCount
    pendingRowCount = 0
  }

  private func withoutNulls(_ batch: Batch) -> Batch {
    guard batch.columns.contains(where: { $0.nullCount > 0 }) else { return batch }
    return batch.take((0..<batch.rowCount).filter { row in batch.columns.allSatisfy { $0.isValid(row) } }.map { Int32($0) })
  }

  private static func distinct(_ batch: Batch) -> Batch {
    let sorted = SortKernel.permutation(by: batch.columns).map { batch.take($0) } ?? batch
    let rows = SortKernel.distinctRows(in: sorted.columns)
    return rows.count == sorted.rowCount ? sorted : sorted.take(rows)
  }
}
