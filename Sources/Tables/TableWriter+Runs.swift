import Columns
import History

extension TableWriter {
  /// Applies rows that do not fit into memory. The leaves that they fall into are rewritten; there is no tail of such a size.
  /// - Throws, returns: as the other `apply`; conflicts name keys and no rows, which are in no order of the input any more.
  func apply(
    _ mode: ChangeMode, _ parts: some SortedParts, onto base: TableVersion?, _ observer: (any CompletionObserver)?
  ) throws -> ChangeOutcome {
    precondition(parts.shapes == nil || mode == .upsert, "Rows that lack columns can only be put in place")
    let shapes = parts.shapes ?? RowShapes()
    var plan = plan(rowCount: parts.rowCount)
    var counts = RunCounts()
    for number in parts.partitions {
      let view = try mode == .replace ? soundView(of: number, base) : view(of: number, base)
      var cursor = parts.cursor(number)
      let isNew = view.isEmpty || mode == .replace
      if isNew && mode == .delete { continue }
      // A replaced partition is written as a new one; what it has in common with the old one is stored already.
      let target = isNew ? PartitionView(archive: archive, layout: layout, number: number, leaves: [], tails: []) : view
      var fold = try PartitionFold(target, layout: layout, into: &plan)
      var existing = 0
      var last: Batch?
      while let part = try cursor.next() {
        let rows = part.rows
        if let conflict = duplicate(rows, behind: last) { return .conflict(conflict) }
        last = rows.slice(from: rows.rowCount - 1, count: 1)
        guard !view.isEmpty else {
          counts.added += rows.rowCount
          try observer?.note(new: part, shapes)
          try plan.append(rows)
          continue
        }
        let resolver = ChangeResolver(view: view, mode: mode == .replace ? .upsert : mode, layout: layout)
        let change: PartitionChange
        do {
          let (resolved, completed) = try resolver.resolve(part, shapes)
          if let completed { try observer?.note(completed) }
          change = resolved
        } catch let error as TableError {
          // What cannot be read is replaced all the same, only not compared.
          guard mode == .replace, error.kind == .corrupt else { throw error }
          counts.added += rows.rowCount
          try plan.append(rows)
          continue
        }
        if let row = change.conflictRows.first { return .conflict(keyConflict(.alreadyThere, rows, row, count: change.conflictRows.count)) }
        guard case .operations(let operations) = change.content else { continue }
        counts.added += change.addedCount
        counts.changed += change.changedCount
        counts.removed += change.removedCount
        existing += rows.rowCount - change.addedCount
        if isNew { try plan.append(rows) } else { try fold.add(operations, to: &plan) }
      }
      // A damaged version may claim fewer rows than it has.
      if mode == .replace { counts.removed += max(0, (try base?.rowCount(ofPartition: number) ?? 0) - existing) }
      try fold.finish(&plan)
    }
    try observer?.settle()
    let written = Set(parts.partitions)
    let dropped = mode == .replace ? (base?.partitionNumbers ?? []).filter { !written.contains($0) } : []
    for number in dropped { counts.removed += try base?.rowCount(ofPartition: number) ?? 0 }
    return .content(try content(plan: &plan, replacing: written.union(dropped), counts, onto: base))
  }

  private struct RunCounts {
    var added = 0
    var changed = 0
    var removed = 0
  }

  private func content(
    plan: inout LeafPlan, replacing replaced: Set<Int64>, _ counts: RunCounts, onto base: TableVersion?
  ) throws -> TableContent {
    let rewritten = try plan.finish()
    let old = base?.tails ?? TailList()
    var folded = old.folded
    for number in replaced { folded[number] = old.nextSequence - 1 }
    return TableContent(
      layout: layout,
      partitions: (base?.partitions ?? []).filter { !replaced.contains($0.number) }.map { .kept($0) }
        + rewritten.map { .rewritten(number: $0.number, leaves: $0.leaves) },
      tails: TailList(old.entries, folded: folded), addedCount: counts.added, changedCount: counts.changed,
      removedCount: counts.removed, writtenLeafCount: plan.writtenLeafCount)
  }

  /// A key that two runs have.
  private func duplicate(_ rows: Batch, behind last: Batch?) -> KeyConflict? {
    let keys = layout.primaryKey.map { rows[$0]! }
    if let row = SortKernel.firstDuplicate(in: keys) { return keyConflict(.duplicateInInput, rows, row, count: 1) }
    guard let last else { return nil }
    let before = layout.primaryKey.map { last[$0]! }
    return SortKernel.compareRows(before, 0, keys, 0) == 0 ? keyConflict(.duplicateInInput, rows, 0, count: 1) : nil
  }

  private func keyConflict(_ kind: KeyConflict.Kind, _ rows: Batch, _ row: Int, count: Int) -> KeyConflict {
    KeyConflict(kind: kind, count: count, firstKey: layout.primaryKey.map { ($0, rows[$0]!.scalar(at: row)) }, inputRows: [])
  }
}
