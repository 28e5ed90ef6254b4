import Columns
import History

/// The rows by which two versions of a dataset differ.
///
/// Columns are matched by field id, each version is read under its own schema: a renamed column is the same one, and a column
/// that only one version has is a change of schema (`SchemaChange`). A row is changed when a column of the newer version has
/// another value than before; a new column counts where it has a value.
package struct RowDiff: Sendable {
  package enum Operation: String, Sendable { case added, removed, changed }

  package typealias Values = [(name: String, value: Scalar)]

  /// One differing row as values, for messages.
  package struct Entry: Sendable {
    package let operation: Operation
    package let key: Values
    /// Names of the columns whose values differ; all columns for added and removed rows.
    package let columns: [String]
    package let before: Values?
    package let after: Values?
  }

  package var addedCount = 0
  package var removedCount = 0
  package var changedCount = 0
  /// How many changed rows have another value in a column, for those that have any, in the order of the newer schema.
  package var changedCellCounts: [(column: String, count: Int)] = []
  package var schemaChanges: [SchemaChange] = []
  /// Filled only when rows were asked for, in the order of (partition, key).
  package var entries: [Entry] = []

  /// No row differs; the schema may.
  package var isEmpty: Bool { addedCount + removedCount + changedCount == 0 }

  package init() {}

  package mutating func add(_ part: Part) {
    addedCount += part.count(of: .added)
    removedCount += part.count(of: .removed)
    changedCount += part.count(of: .changed)
    for (pair, flags) in zip(part.fields.pairs, part.differs) {
      let count = flags.count { $0 }
      guard count > 0 else { continue }
      if let index = changedCellCounts.firstIndex(where: { $0.column == pair.name }) {
        changedCellCounts[index].count += count
      } else {
        changedCellCounts.append((pair.name, count))
      }
    }
  }
}

extension RowDiff {
  /// - Parameters:
  ///   - old: nil when the dataset is not there on the left.
  ///   - withRows: whether to fill `entries` and `changedCellCounts`; `forEachPart` gives them without holding all rows.
  /// - Complexity: O(rows of the leaves and tails that differ); O(1) for numbers alone where one version is the other and a tail
  package static func between(_ old: TableVersion?, _ new: TableVersion?, withRows: Bool) throws -> RowDiff {
    var diff = RowDiff()
    if let old, let new { diff.schemaChanges = SchemaChange.between(old.layout.schema, new.layout.schema) }
    // The tails count rows, and say nothing of columns that one side does not have.
    let isCounted = !withRows && old != nil && new != nil && old?.layout == new?.layout
    var compared: [Int64] = []
    for number in partitions(old, new) {
      guard isCounted, let counts = try countsByTails(old, new, partition: number) else {
        compared.append(number)
        continue
      }
      diff.addedCount += counts.added
      diff.removedCount += counts.removed
      diff.changedCount += counts.changed
    }
    try forEachPart(old, new, partitions: compared) { part in
      diff.add(part)
      if withRows { diff.entries += part.entries }
    }
    return diff
  }

  /// The differing rows, a partition at a time, in the order of (partition, key); leaves that both versions share are not read.
  ///
  /// Memory is bounded by the differing leaves of one partition.
  /// - Parameters: nil stands for a dataset that is not there.
  package static func forEachPart(_ old: TableVersion?, _ new: TableVersion?, _ body: (Part) throws -> Void) throws {
    try forEachPart(old, new, partitions: partitions(old, new), body)
  }

  private static func forEachPart(
    _ old: TableVersion?, _ new: TableVersion?, partitions: [Int64], _ body: (Part) throws -> Void
  ) throws {
    guard let left = old?.layout ?? new?.layout, let right = new?.layout ?? old?.layout else { return }
    let fields = Fields(old: left.schema, new: right.schema, dropped: Set(left.dropped + right.dropped))
    let key = commonKey(left, right)
    for number in partitions {
      let (before, after) = try sides(old, new, partition: number)
      let parts: [Part]
      if let key {
        parts = [try Part(partition: number, before: before, after: after, fields: fields, key: key)]
      } else {
        // Rows that are keyed or divided otherwise have nothing in common.
        let gone = Batch.empty(before.schema)
        let none = Batch.empty(after.schema)
        parts = [
          try Part(
            partition: number, before: before, after: gone, fields: Fields(old: left.schema, new: left.schema),
            key: commonKey(left, left) ?? []),
          try Part(
            partition: number, before: none, after: after, fields: Fields(old: right.schema, new: right.schema),
            key: commonKey(right, right) ?? []),
        ]
      }
      for part in parts where part.rowCount > 0 { try body(part) }
    }
  }

  /// The key columns of two layouts; nil when rows of one key are not in the same place in both.
  static func commonKey(_ old: TableLayout, _ new: TableLayout) -> [(name: String, old: Int, new: Int)]? {
    let (left, right) = (old.keyIndices, new.keyIndices)
    guard left.count == right.count, old.partitioning == new.partitioning else { return nil }
    for (i, j) in zip(left, right) {
      let (a, b) = (old.schema.fields[i], new.schema.fields[j])
      guard a.id == b.id, DataType.widest(a.type, b.type) != nil else { return nil }
    }
    return zip(left, right).map { (new.schema.fields[$1].name, $0, $1) }
  }
}

extension RowDiff.Part {
  /// The rows one by one. - Complexity: O(rows × columns) values in memory
  package var entries: [RowDiff.Entry] { operations.indices.map(entry) }

  package func entry(_ row: Int) -> RowDiff.Entry {
    func values(_ batch: Batch) -> RowDiff.Values {
      zip(batch.schema.fields, batch.columns).map { ($0.name, $1.scalar(at: row)) }
    }
    let operation = operations[row]
    let old = operation == .added ? nil : values(before)
    let new = operation == .removed ? nil : values(after)
    let columns: [String]
    switch operation {
    case .added: columns = after.schema.fields.map(\.name)
    case .removed: columns = before.schema.fields.map(\.name)
    case .changed: columns = zip(fields.pairs, differs).filter { $1[row] }.map { $0.0.name }
    }
    let key = key.map { part in
      (name: part.name, value: operation == .removed ? before.columns[part.old].scalar(at: row) : after.columns[part.new].scalar(at: row))
    }
    return RowDiff.Entry(operation: operation, key: key, columns: columns, before: old, after: new)
  }
}
