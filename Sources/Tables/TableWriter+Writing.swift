import Columns
import History

extension TableWriter {
  /// Decides between a tail and leaves, partition by partition, and writes.
  /// - Parameter dropped: partitions of which nothing stays.
  func write(_ changes: [PartitionChange], dropping dropped: [Int64], onto base: TableVersion?) throws -> TableContent {
    let changes = changes.filter { $0.rowCount > 0 }
    let changedRowCount = changes.reduce(0) { $0 + $1.rowCount }
    // What tails fall into only adds to it, and costs a look at their keys.
    var rewritten = try changes.reduce(0) { try $0 + rewrittenRowCount($1, withTails: false) }
    if !policy.writesTail(rewrittenRowCount: rewritten, changedRowCount: changedRowCount) {
      rewritten = try changes.reduce(0) { try $0 + rewrittenRowCount($1, withTails: true) }
    }
    var droppedRowCount = 0
    for number in dropped { droppedRowCount += try base.map { try $0.rowCount(ofPartition: number) } ?? 0 }
    let isSmall =
      dropped.isEmpty && base != nil && policy.writesTail(rewrittenRowCount: rewritten, changedRowCount: changedRowCount)

    // A partition whose tails would outgrow their share of its leaves is folded; what stays small goes to the tail.
    let folding = Set(
      changes.filter { change in
        !isSmall || policy.folds(tailRowCount: change.tailRowCount + change.rowCount, leafRowCount: change.leafRowCount)
      }.map(\.view.number))
    let small = changes.filter { !folding.contains($0.view.number) }
    let (rewrittenPartitions, writtenLeafCount) = try fold(changes.filter { folding.contains($0.view.number) })

    let replaced = folding.union(dropped)
    var partitions: [TableContent.Partition] = (base?.partitions ?? []).filter { !replaced.contains($0.number) }.map { .kept($0) }
    partitions += rewrittenPartitions.map { .rewritten(number: $0.number, leaves: $0.leaves) }
    let old = base?.tails ?? TailList()
    var folded = old.folded
    for number in replaced { folded[number] = old.nextSequence - 1 }
    let kept = TailList(old.entries, folded: folded)
    return TableContent(
      layout: layout, partitions: partitions,
      tails: small.isEmpty ? kept : try adding(small, to: kept, nextSequence: old.nextSequence, of: base!),
      addedCount: changes.reduce(0) { $0 + $1.addedCount }, changedCount: changes.reduce(0) { $0 + $1.changedCount },
      removedCount: changes.reduce(droppedRowCount) { $0 + $1.removedCount }, writtenLeafCount: writtenLeafCount)
  }

  /// Takes all tails into the leaves, and the values of dropped columns out of them. - Complexity: O(rows of the leaves touched)
  package func seal(_ base: TableVersion) throws -> TableContent {
    var plan = plan(rowCount: base.rowCount)
    for number in base.partitionNumbers {
      var fold = try PartitionFold(base.partition(number, as: layout), layout: layout, into: &plan, rewritesDropped: true)
      try fold.finish(&plan)
    }
    let partitions = try plan.finish().map { TableContent.Partition.rewritten(number: $0.number, leaves: $0.leaves) }
    return TableContent(
      layout: layout, partitions: partitions, tails: TailList(), addedCount: 0, changedCount: 0, removedCount: 0,
      writtenLeafCount: plan.writtenLeafCount)
  }

  // MARK: Leaves

  func plan(rowCount: Int) -> LeafPlan {
    let progress = progress
    progress?(0, rowCount)
    return LeafPlan(layout: layout, archive: archive) { progress?($0, max($0, rowCount)) }
  }

  private func fold(
    _ changes: [PartitionChange]
  ) throws -> (partitions: [(number: Int64, leaves: [LeafEntry])], writtenLeafCount: Int) {
    guard !changes.isEmpty else { return ([], 0) }
    var plan = plan(rowCount: changes.reduce(0) { $0 + $1.addedCount })
    for change in changes {
      switch change.content {
      case .new(let input, let rows):
        plan.startPartition(change.view.number)
        try plan.append(input, rows)
        try plan.endPartition()
      case .operations(let operations):
        var fold = try PartitionFold(change.view, layout: layout, into: &plan)
        try fold.add(operations, to: &plan)
        try fold.finish(&plan)
      }
    }
    return (try plan.finish(), plan.writtenLeafCount)
  }

  /// Rows of the leaves that would have to be rewritten for a change: those that it or, if asked for, a tail falls into.
  private func rewrittenRowCount(_ change: PartitionChange, withTails: Bool) throws -> Int {
    guard case .operations(let operations) = change.content else { return 0 }
    let view = change.view
    let own = view.ranges(of: 0..<operations.count, keys: operations.keys)
    let tail = withTails ? try view.operations([]) : nil
    let others = tail.map { view.ranges(of: 0..<$0.count, keys: $0.keys) }
    return view.leaves.indices.reduce(0) { sum, index in
      let isTouched = !own[index].isEmpty || !(others?[index].isEmpty ?? true)
      return isTouched ? sum + view.leaves[index].rowCount : sum
    }
  }

  // MARK: Tails

  /// Writes the changes as one tail, together with as many of the last tails as the policy merges.
  private func adding(
    _ changes: [PartitionChange], to tails: TailList, nextSequence: Int, of base: TableVersion
  ) throws -> TailList {
    let newRowCount = changes.reduce(0) { $0 + $1.rowCount }
    let liveRowCounts = tails.entries.map { entry in
      entry.parts.reduce(0) { tails.isLive(entry, $1.partition) ? $0 + $1.rowCount : $0 }
    }
    let mergedCount = policy.mergedCount(liveRowCounts, newRowCount: newRowCount)
    var parts = changes.compactMap { change -> (partition: Int64, operations: RowOperations)? in
      guard case .operations(let operations) = change.content else { return nil }
      return (change.view.number, operations)
    }
    let kept = Array(tails.entries.dropLast(mergedCount))
    if mergedCount > 0 {
      let below = TailList(kept, folded: tails.folded)
      let merging = TailList(Array(tails.entries.suffix(mergedCount)), folded: tails.folded)
      parts = try merged(parts, with: merging, below: below, base)
    }
    guard !parts.isEmpty else { return TailList(kept, folded: tails.folded) }
    let entry = try TailFile.write(parts, sequence: nextSequence, layout: layout, to: archive)
    return TailList(kept + [entry], folded: tails.folded)
  }

  /// What several tails and a change come to, as seen by the version below them.
  private func merged(
    _ parts: [(partition: Int64, operations: RowOperations)], with merging: TailList, below: TailList, _ base: TableVersion
  ) throws -> [(partition: Int64, operations: RowOperations)] {
    var result: [(partition: Int64, operations: RowOperations)] = []
    for number in Set(parts.map(\.partition)).union(merging.partitions).sorted() {
      var all: RowOperations?
      // Keys that occur in several tails may have come back to where they were.
      var repeated: RowOperations?
      func add(_ next: RowOperations) {
        guard let older = all else {
          all = next
          return
        }
        let (operations, isInBoth) = RowOperations.compose(older, next)
        let both = operations.take(isInBoth.indices.filter { isInBoth[$0] }.map { Int32($0) })
        repeated = repeated.map { RowOperations.compose($0, both).operations } ?? both
        all = operations
      }
      for tail in merging.live(number) {
        add(try TailFile.read(tail.entry.id, rows: tail.rows, fields: layout.schema.fields, layout: layout, from: archive))
      }
      if let own = parts.first(where: { $0.partition == number }) { add(own.operations) }
      guard var operations = all else { continue }
      if let repeated, !repeated.isEmpty {
        operations = try withoutUnchanged(operations, among: repeated, below: base.partition(number, as: layout, tails: below))
      }
      if !operations.isEmpty { result.append((number, operations)) }
    }
    return result
  }

  /// Leaves out updates, among the rows that changed several times, that put back what the version below has.
  private func withoutUnchanged(
    _ operations: RowOperations, among repeated: RowOperations, below view: PartitionView
  ) throws -> RowOperations {
    let resolver = ChangeResolver(view: view, mode: .upsert, layout: layout)
    let suspects = operations.matching(repeated.keys)
    guard !suspects.isEmpty else { return operations }
    let updates = operations.take(suspects)
    let change = try resolver.resolve(updates.rows, isDelete: updates.codes.map { $0 == .delete }, firstRow: 0)
    guard case .operations(let real) = change.content else { return operations }
    let isReal = Set(real.isEmpty ? [] : updates.matching(real.keys).map { suspects[Int($0)] })
    let suspected = Set(suspects)
    let kept = operations.codes.indices.map { Int32($0) }.filter { !suspected.contains($0) || isReal.contains($0) }
    return kept.count == operations.count ? operations : operations.take(kept)
  }
}

extension RowOperations {
  /// The operations on keys that are among others, ascending. - Parameter others: key columns, sorted.
  func matching(_ others: [Column]) -> [Int32] {
    var search = KeySearch(wantedCount: count, storedCount: others[0].count)
    for (mine, theirs) in zip(others, keys) { search.narrow(stored: mine, wanted: theirs) }
    return codes.indices.filter { search.match($0) != nil }.map { Int32($0) }
  }
}
