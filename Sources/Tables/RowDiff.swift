import Columns
import History

/// The rows by which two versions of a dataset differ.
package struct RowDiff: Sendable {
  package enum Operation: String, Sendable { case added, removed, changed }

  package typealias Values = [(name: String, value: Scalar)]

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
  /// Filled only when rows were asked for, in the order of (partition, key).
  package var entries: [Entry] = []

  package var isEmpty: Bool { addedCount + removedCount + changedCount == 0 }
}

extension RowDiff {
  /// Leaves that both versions share are not read.
  /// - Parameters:
  ///   - old: nil when the dataset is not there on the left.
  ///   - withRows: whether to fill `entries`.
  /// - Complexity: O(rows of the leaves that differ)
  package static func between(_ old: TableVersion?, _ new: TableVersion?, withRows: Bool) throws -> RowDiff {
    var diff = RowDiff()
    guard old?.rootID != new?.rootID else { return diff }
    let numbers = Set(old?.partitionNumbers ?? []).union(new?.partitionNumbers ?? []).sorted()
    let fields = TableLayout.comparedFields(old?.layout, new?.layout)
    let isOneSchema = old?.layout.schema == new?.layout.schema
    for number in numbers {
      if !withRows, isOneSchema, let counts = try countsByTails(old, new, partition: number) {
        diff.addedCount += counts.added
        diff.removedCount += counts.removed
        diff.changedCount += counts.changed
        continue
      }
      let (before, after) = try sides(old, new, partition: number)
      diff.add(
        before.aligned(to: fields), after.aligned(to: fields), primaryKey: (new ?? old!).layout.primaryKey, withRows: withRows)
    }
    return diff
  }

  private mutating func add(_ before: Batch, _ after: Batch, primaryKey: [String], withRows: Bool) {
    let left = primaryKey.map { before[$0]! }
    let right = primaryKey.map { after[$0]! }
    let order = SortKernel.merge(left, right)
    // Pairs of rows with one key first, so that their values are compared a column at a time.
    var steps: [(old: Int, new: Int)] = []
    var oldRows: [Int32] = []
    var newRows: [Int32] = []
    var position = 0
    while position < order.count {
      let row = Int(order[position])
      let next = position + 1 < order.count ? Int(order[position + 1]) - before.rowCount : -1
      if row >= before.rowCount {
        steps.append((-1, row - before.rowCount))
      } else if next >= 0, SortKernel.compareRows(left, row, right, next) == 0 {
        steps.append((row, next))
        oldRows.append(Int32(row))
        newRows.append(Int32(next))
        position += 1
      } else {
        steps.append((row, -1))
      }
      position += 1
    }
    let differs = RowComparison.differs(before, oldRows, after, newRows)
    var pair = 0
    for step in steps {
      if step.new < 0 {
        removedCount += 1
        if withRows { entries.append(.removed(before, step.old, primaryKey)) }
      } else if step.old < 0 {
        addedCount += 1
        if withRows { entries.append(.added(after, step.new, primaryKey)) }
      } else {
        if differs[pair] {
          changedCount += 1
          if withRows { entries.append(.changed(before, step.old, after, step.new, primaryKey)) }
        }
        pair += 1
      }
    }
  }
}

extension RowDiff.Entry {
  private static func values(_ batch: Batch, _ row: Int, _ names: [String]) -> [(name: String, value: Scalar)] {
    names.map { ($0, batch[$0]!.scalar(at: row)) }
  }

  fileprivate static func removed(_ batch: Batch, _ row: Int, _ key: [String]) -> Self {
    let names = batch.schema.fields.map(\.name)
    return Self(
      operation: .removed, key: values(batch, row, key), columns: names, before: values(batch, row, names), after: nil)
  }

  fileprivate static func added(_ batch: Batch, _ row: Int, _ key: [String]) -> Self {
    let names = batch.schema.fields.map(\.name)
    return Self(operation: .added, key: values(batch, row, key), columns: names, before: nil, after: values(batch, row, names))
  }

  fileprivate static func changed(_ old: Batch, _ i: Int, _ new: Batch, _ j: Int, _ key: [String]) -> Self {
    let names = new.schema.fields.map(\.name).filter { name in
      !old[name]!.slice(from: i, count: 1).equalsExactly(new[name]!.slice(from: j, count: 1))
    }
    return Self(
      operation: .changed, key: values(new, j, key), columns: names, before: values(old, i, names), after: values(new, j, names))
  }
}

extension Batch {
  /// The columns of these fields, by id: null where the batch has none, widened where its own is narrower.
  fileprivate func aligned(to fields: [Field]) -> Batch {
    let columns = fields.map { field -> Column in
      guard let index = schema.fields.firstIndex(where: { $0.id == field.id }) else {
        return Column(field.type, repeating: .null, count: rowCount)
      }
      let own = self.columns[index]
      return (try? own.cast(to: field.type)) ?? own
    }
    return Batch(schema: Schema(fields), columns: columns, rowCount: rowCount)
  }
}
