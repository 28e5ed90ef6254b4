import Columns
import History
import Objects

/// Applies a change to a dataset version: sorts the input, resolves it against what is there, and writes either a tail, when
/// the change is small against what would have to be rewritten, or the leaves it touches, cut at the canonical places.
package struct TableWriter {
  package let archive: Archive
  package let layout: TableLayout
  package let policy: TailPolicy
  /// Called with (rows written so far, rows to write at least).
  package let progress: (@Sendable (Int, Int) -> Void)?

  package init(
    archive: Archive, layout: TableLayout, policy: TailPolicy = .standard, progress: (@Sendable (Int, Int) -> Void)? = nil
  ) {
    self.archive = archive
    self.layout = layout
    self.policy = policy
    self.progress = progress
  }

  /// - Parameters:
  ///   - input: rows in the layout's schema (for `delete` at least its key columns), keys without nulls.
  ///   - base: the version to change; nil for a new dataset.
  /// - Returns: durable leaves and tails that no root names yet, or the keys that conflict.
  /// - Throws: `TableError` of kind `input` for rows that do not fit, `StoreError`.
  package func apply(_ mode: ChangeMode, _ input: Batch, onto base: TableVersion?) throws -> ChangeOutcome {
    try apply(mode, [input], onto: base)
  }

  /// Several batches as one input.
  package func apply(_ mode: ChangeMode, _ input: [Batch], onto base: TableVersion?) throws -> ChangeOutcome {
    let rows = mode == .delete ? input.map { layout.padded($0.selecting(layout.primaryKey)!) } : input
    return try apply(SortedInput(rows, layout: layout), mode: mode, isDelete: nil, onto: base)
  }

  /// Rows that may be in memory or in runs on disk.
  ///
  /// Columns that rows lack stay as they are where the row exists, and are null in new rows.
  /// - Parameter observer: sees the rows that lacked columns, and may end the change; leaves may have been written by then.
  /// - Precondition: rows that lack columns are to be put in place (`ChangeMode.upsert`).
  package func apply(
    _ mode: ChangeMode, _ input: TableInput, onto base: TableVersion?, observer: (any CompletionObserver)? = nil
  ) throws -> ChangeOutcome {
    switch input {
    case .batches(let batches): return try apply(mode, batches, onto: base)
    case .partial(let rows):
      precondition(mode == .upsert, "Rows that lack columns can only be put in place")
      return try upsert(rows, onto: base, observer)
    case .runs(let runs): return try apply(mode, runs, onto: base, observer)
    }
  }

  /// Puts rows in place and removes keys in one go. - Throws: as the other `apply`.
  package func apply(_ change: RowChange, onto base: TableVersion?) throws -> ChangeOutcome {
    let input = try SortedInput([change.upserts, layout.padded(change.deletes)], layout: layout)
    let firstDelete = change.upserts.rowCount
    let isDelete = (0..<input.rowCount).map { input.inputRow($0) >= firstDelete }
    return try apply(input, mode: .upsert, isDelete: isDelete, onto: base)
  }

  private func apply(
    _ input: SortedInput, mode: ChangeMode, isDelete: [Bool]?, onto base: TableVersion?
  ) throws -> ChangeOutcome {
    if let conflict = try input.duplicateKey() { return .conflict(conflict) }
    var changes: [PartitionChange] = []
    for (number, rows) in input.partitions {
      let view = try mode == .replace ? soundView(of: number, base) : view(of: number, base)
      if view.isEmpty && mode != .delete && isDelete == nil {
        changes.append(PartitionChange(view: view, content: .new(input, rows), conflictRows: []))
        continue
      }
      let resolver = ChangeResolver(view: view, mode: mode, layout: layout)
      do {
        changes.append(
          try resolver.resolve(input.batch(rows), isDelete: isDelete.map { Array($0[rows]) }, firstRow: rows.lowerBound))
      } catch let error as TableError {
        // Rows that replace a partition wholly also replace what of it cannot be read any more.
        guard mode == .replace, error.kind == .corrupt else { throw error }
        changes.append(PartitionChange(view: try self.view(of: number, nil), content: .new(input, rows), conflictRows: []))
      }
    }
    let conflicts = changes.flatMap(\.conflictRows)
    if !conflicts.isEmpty {
      return .conflict(input.conflict(.alreadyThere, count: conflicts.count, sortedRows: Array(conflicts.prefix(20))))
    }
    let given = Set(input.partitions.map(\.number))
    let dropped = mode == .replace ? (base?.partitionNumbers ?? []).filter { !given.contains($0) } : []
    return .content(try write(changes, dropping: dropped, onto: base))
  }

  /// A partition for a replacement: an empty one where its tree cannot be read, or is not the tree over its leaves under their number of
  /// rows, so that it is written anew.
  func soundView(of number: Int64, _ base: TableVersion?) throws -> PartitionView {
    let none = try view(of: number, nil)
    guard let entry = base?.partitions.first(where: { $0.number == number }) else { return try view(of: number, base) }
    do {
      let view = try view(of: number, base)
      let isSound = entry.tree == Archive.treeID(over: view.leaves) && entry.rowCount == view.leaves.reduce(0) { $0 + $1.rowCount }
      return isSound ? view : none
    } catch let error as StoreError where error.kind == .corrupt {
      return none
    }
  }

  func view(of number: Int64, _ base: TableVersion?) throws -> PartitionView {
    guard let base else { return PartitionView(archive: archive, layout: layout, number: number, leaves: [], tails: []) }
    return try base.partition(number, as: layout)
  }
}
