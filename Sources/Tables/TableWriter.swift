import Columns
import History

/// Applies a change to a dataset version: sorts the input, merges it into the leaves it touches, and cuts the result at
/// the canonical places, so that the outcome depends on the rows alone.
package struct TableWriter {
  package let archive: Archive
  package let layout: TableLayout
  /// Called with (rows written so far, rows to write).
  package let progress: (@Sendable (Int, Int) -> Void)?

  package init(archive: Archive, layout: TableLayout, progress: (@Sendable (Int, Int) -> Void)? = nil) {
    self.archive = archive
    self.layout = layout
    self.progress = progress
  }

  /// - Parameters:
  ///   - input: rows in the layout's schema (for `delete` at least its key columns), keys without nulls.
  ///   - base: the version to change; nil for a new dataset.
  /// - Returns: durable leaves that no root names yet, or the keys that conflict.
  package func apply(_ mode: ChangeMode, _ input: Batch, onto base: TableVersion?) throws -> ChangeOutcome {
    let sorted = try SortedInput(mode == .delete ? input.selecting(layout.primaryKey)! : input, layout: layout)
    if let conflict = sorted.duplicateKey() { return .conflict(conflict) }
    let old = mode == .replace ? [] : (base?.partitions ?? [])
    let numbers = Set(sorted.partitions.map(\.number)).union(old.map(\.number)).sorted()

    var plan = LeafPlan(layout: layout, archive: archive)
    for number in numbers {
      plan.startPartition(number)
      let rows = sorted.partitions.first { $0.number == number }?.rows
      let leaves = try old.first { $0.number == number }.map { try archive.leaves(of: $0.tree) } ?? []
      guard let rows else {
        leaves.forEach { plan.reuse($0) }
        continue
      }
      try merge(sorted, rows: rows, into: leaves, mode: mode, plan: &plan)
    }
    if plan.conflictCount > 0 {
      return .conflict(sorted.conflict(.alreadyThere, count: plan.conflictCount, sortedRows: plan.conflictRows))
    }
    var content = try plan.write(progress: progress)
    if mode == .replace, let base { content = try content.countingReplacement(of: base) }
    return .content(content)
  }

  /// Walks the leaves of one partition. A leaf is kept as it is when nothing before it is waiting to be cut and no input
  /// row falls into it; the last leaf ends where the partition ends, so rows behind it reopen it.
  private func merge(
    _ sorted: SortedInput, rows: Range<Int>, into leaves: [LeafEntry], mode: ChangeMode, plan: inout LeafPlan
  ) throws {
    var next = rows.lowerBound
    for (index, leaf) in leaves.enumerated() {
      let end = index == leaves.count - 1 ? rows.upperBound : sorted.firstRow(after: leaf.lastKey, in: next..<rows.upperBound)
      if next == end && plan.isAtCut {
        plan.reuse(leaf)
        continue
      }
      let stored = try LeafFile.read(leaf.id, fields: layout.schema.fields, from: archive)
      plan.append(merged(stored, with: sorted, rows: next..<end, mode: mode, plan: &plan))
      next = end
    }
    if next < rows.upperBound && mode != .delete {
      plan.addedCount += rows.upperBound - next
      plan.append(sorted.batch.slice(from: next, count: rows.upperBound - next))
    }
    plan.endPartition()
  }

  private func merged(
    _ stored: Batch, with sorted: SortedInput, rows: Range<Int>, mode: ChangeMode, plan: inout LeafPlan
  ) -> Batch {
    guard !rows.isEmpty else { return stored }
    let input = sorted.batch.slice(from: rows.lowerBound, count: rows.count)
    let storedKeys = layout.primaryKey.map { stored[$0]! }
    let inputKeys = layout.primaryKey.map { input[$0]! }
    let order = SortKernel.merge(storedKeys, inputKeys)
    var kept: [Int32] = []
    kept.reserveCapacity(order.count)
    var replaced: [Int32] = []
    var replacing: [Int32] = []
    var position = 0
    while position < order.count {
      let row = Int(order[position])
      if row >= stored.rowCount {
        // An input row whose key the leaf does not hold.
        if mode != .delete {
          kept.append(Int32(row))
          plan.addedCount += 1
        }
        position += 1
        continue
      }
      // Equal keys stand next to each other, the stored row first.
      if position + 1 < order.count, case let other = Int(order[position + 1]) - stored.rowCount, other >= 0,
        SortKernel.compareRows(storedKeys, row, inputKeys, other) == 0
      {
        switch mode {
        case .append: plan.noteConflict(sortedRow: rows.lowerBound + other)
        case .upsert, .replace:
          kept.append(Int32(stored.rowCount + other))
          replaced.append(Int32(row))
          replacing.append(Int32(other))
        case .delete: plan.removedCount += 1
        }
        position += 2
        continue
      }
      kept.append(Int32(row))
      position += 1
    }
    if mode == .delete { return stored.take(kept) }
    plan.changedCount += RowComparison.differs(stored, replaced, input, replacing).count { $0 }
    return Batch.concatenate([stored, input]).take(kept)
  }
}
