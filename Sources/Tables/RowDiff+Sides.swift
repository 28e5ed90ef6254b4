import Columns
import History

/// Which rows of two versions have to be compared. Leaves that both name, and tails that both have over equal leaves, are not
/// looked at, except for the rows under keys that other tails have changed.
extension RowDiff {
  /// Partitions that are not the same in both versions, ascending.
  static func partitions(_ old: TableVersion?, _ new: TableVersion?) -> [Int64] {
    guard old?.rootID != new?.rootID else { return [] }
    let left = Dictionary((old?.partitions ?? []).map { ($0.number, $0.tree) }) { first, _ in first }
    let right = Dictionary((new?.partitions ?? []).map { ($0.number, $0.tree) }) { first, _ in first }
    func tails(_ version: TableVersion?, _ number: Int64) -> [TailID] { (version?.tails.live(number) ?? []).map(\.entry.id) }
    let numbers = Set(old?.partitionNumbers ?? []).union(new?.partitionNumbers ?? [])
    return numbers.filter { left[$0] != right[$0] || tails(old, $0) != tails(new, $0) }.sorted()
  }

  /// Partitions of a version in which one of some fields has a value, in leaves or tails; rows that later tails have replaced count.
  /// - Complexity: O(leaves) records, O(tails) footers; O(1) without fields
  static func partitions(_ version: TableVersion, holding fields: Set<Int32>) throws -> [Int64] {
    guard !fields.isEmpty else { return [] }
    return try version.partitionNumbers.filter { number in
      let view = try version.partition(number)
      return try view.leaves.contains { try view.holds(fields, $0) } || view.tails.contains { try view.tailHolds(fields, $0.id) }
    }
  }

  /// Rows of both versions, ascending by key: every row that differs, and few that do not.
  /// - Parameter appearing: fields that only the newer version has and that count where they have a value: leaves and tails of both
  ///   versions may hold them.
  /// - Parameter disputed: rows that are wanted in any case.
  /// - Returns: each side under its own schema; a side that is not there has no rows.
  /// - Complexity: O(rows of the leaves that differ + rows of the tails that differ), and the key columns of the leaves that
  ///   these tails fall into
  static func sides(
    _ old: TableVersion?, _ new: TableVersion?, partition number: Int64, appearing: Set<Int32> = [],
    disputed: DisputedCells = DisputedCells()
  ) throws -> (before: Batch, after: Batch) {
    let pair = try VersionPair(old, new, partition: number, appearing: appearing)
    let fieldsBefore = (old ?? new)?.layout.schema.fields ?? []
    let fieldsAfter = (new ?? old)?.layout.schema.fields ?? []
    let operationsBefore = try pair.old?.rest.operations(fieldsBefore)
    let operationsAfter = try pair.new?.rest.operations(fieldsAfter)
    let changed = try SortedKeys.union(operationsBefore?.keys, operationsAfter?.keys)
    let keys = try SortedKeys.union(changed, (old ?? new).flatMap { disputed.keys(in: number, of: $0.layout) })
    let before = try pair.old?.rows(fieldsBefore, under: keys.map { SortedKeys.fitted($0, to: old?.layout) }, operationsBefore)
    let after = try pair.new?.rows(fieldsAfter, under: keys.map { SortedKeys.fitted($0, to: new?.layout) }, operationsAfter)
    return (before ?? Batch.empty(Schema(fieldsBefore)), after ?? Batch.empty(Schema(fieldsAfter)))
  }

  /// The numbers of rows that differ, where the tails alone tell; nil where rows have to be compared.
  /// - Complexity: O(1) for one tail more or less, O(rows of the tails) for several
  static func countsByTails(
    _ old: TableVersion?, _ new: TableVersion?, partition number: Int64
  ) throws -> (added: Int, removed: Int, changed: Int)? {
    let pair = try VersionPair(old, new, partition: number)
    guard pair.hasEqualLeaves, let before = pair.old, let after = pair.new else { return nil }
    let isForward = before.rest.tails.isEmpty
    guard isForward || after.rest.tails.isEmpty else { return nil }
    let side = isForward ? after : before
    guard let (inserts, updates, deletes) = try side.restCounts() else { return nil }
    return isForward ? (inserts, deletes, updates) : (deletes, inserts, updates)
  }
}

/// One partition of two versions, divided into what both have and what only one has.
private struct VersionPair {
  let old: Side?
  let new: Side?
  let hasEqualLeaves: Bool

  struct Side {
    /// Leaves that only this version has.
    let ownLeaves: [LeafEntry]
    /// The leaves of both, under the tails of both.
    let shared: PartitionView
    /// The tails that only this version has.
    let rest: PartitionView
    let restParts: [TailPart]
  }

  init(_ old: TableVersion?, _ new: TableVersion?, partition number: Int64, appearing: Set<Int32> = []) throws {
    func tree(_ version: TableVersion?) -> NodeID? { version?.partitions.first { $0.number == number }?.tree }
    let (left, right) = (tree(old), tree(new))
    hasEqualLeaves = left == right
    let archive = new?.archive ?? old?.archive
    var differing = try archive.map { try $0.differingLeaves(left, right) } ?? ([], [])
    if !appearing.isEmpty, let old, let new {
      let view = try new.partition(number)
      let own = Set(differing.1)
      let holding = Set(try view.leaves.filter { try !own.contains($0) && view.holds(appearing, $0) })
      differing.0 += try old.partition(number).leaves.filter { holding.contains($0) }
      differing.1 += view.leaves.filter { holding.contains($0) }
    }
    let tailsBefore = old?.tails.live(number) ?? []
    let tailsAfter = new?.tails.live(number) ?? []
    var shared = 0
    if left == right {
      while shared < min(tailsBefore.count, tailsAfter.count),
        tailsBefore[shared].entry.id == tailsAfter[shared].entry.id, tailsBefore[shared].rows == tailsAfter[shared].rows,
        let archive, try appearing.isEmpty || !archive.tailHolds(appearing, tailsAfter[shared].entry.id)
      { shared += 1 }
    }
    self.old = try old.map { try Self.side($0, number, differing.0, sharedTailCount: shared) }
    self.new = try new.map { try Self.side($0, number, differing.1, sharedTailCount: shared) }
  }

  private static func side(
    _ version: TableVersion, _ number: Int64, _ ownLeaves: [LeafEntry], sharedTailCount: Int
  ) throws -> Side {
    let view = try version.partition(number)
    let own = Set(ownLeaves)
    func part(_ leaves: [LeafEntry], _ tails: [(id: TailID, rows: Range<Int>)]) -> PartitionView {
      PartitionView(archive: view.archive, layout: view.layout, number: number, leaves: leaves, tails: tails)
    }
    return Side(
      ownLeaves: ownLeaves,
      shared: part(view.leaves.filter { !own.contains($0) }, Array(view.tails.prefix(sharedTailCount))),
      rest: part([], Array(view.tails.dropFirst(sharedTailCount))),
      restParts: version.tails.live(number).dropFirst(sharedTailCount).map(\.part))
  }
}

extension VersionPair.Side {
  /// The rows of the own leaves, and of the shared ones under the given keys, as the own tails leave them.
  func rows(_ fields: [Field], under keys: [Column]?, _ operations: RowOperations?) throws -> Batch {
    let all = shared.withKeys(fields)
    let archive = shared.archive
    var parts = try parallelMap(ownLeaves) { try StoredRows(leaf: $0.id, in: archive).read(all) }
    if let keys {
      let found = try shared.rows(all, under: keys)
      if found.rowCount > 0 { parts.append(found) }
    }
    var stored = parts.isEmpty ? Batch.empty(Schema(all)) : Batch.concatenate(parts)
    // Shared rows lie between those of own leaves.
    let order = shared.layout.primaryKey.map { stored[$0]! }
    if let sorted = SortKernel.permutation(by: order) { stored = stored.take(sorted) }
    guard let operations else { return stored }
    var search = KeySearch(wantedCount: operations.count, storedCount: stored.rowCount)
    for (name, wanted) in zip(operations.primaryKey, operations.keys) { search.narrow(stored: stored[name]!, wanted: wanted) }
    return operations.applied(to: stored, found: search)
  }

  /// What the own tails do, where each key is in one of them; nil where values have to be compared.
  func restCounts() throws -> (inserts: Int, updates: Int, deletes: Int)? {
    if rest.tails.count > 1 {
      var all: RowOperations?
      for tail in rest.tails {
        let next = try TailFile.read(
          tail.id, rows: tail.rows, fields: rest.layout.keySchema.fields, layout: rest.layout, from: rest.archive)
        if let older = all, !next.matching(older.keys).isEmpty { return nil }
        all = all.map { RowOperations.compose($0, next).operations } ?? next
      }
    }
    return restParts.reduce((0, 0, 0)) { ($0.0 + $1.insertCount, $0.1 + $1.updateCount, $0.2 + $1.deleteCount) }
  }
}

extension Archive {
  /// Whether a tail's file has a column of one of the fields.
  fileprivate func tailHolds(_ fields: Set<Int32>, _ id: TailID) throws -> Bool {
    try !StoredRows(tail: id, in: self).fieldIDs.isDisjoint(with: fields)
  }
}

extension PartitionView {
  /// Whether a leaf has values of one of the fields.
  func holds(_ fields: Set<Int32>, _ leaf: LeafEntry) throws -> Bool {
    try LeafIdentity.fieldIDs(inDigests: archive.leafDigests(leaf.id) ?? []).contains { fields.contains($0) }
  }

  fileprivate func tailHolds(_ fields: Set<Int32>, _ id: TailID) throws -> Bool { try archive.tailHolds(fields, id) }

  /// The rows under the given keys, ascending; keys that are not there are left out.
  /// - Parameters:
  ///   - fields: with the key's.
  ///   - keys: key columns, sorted, each key once.
  func rows(_ fields: [Field], under keys: [Column]) throws -> Batch {
    struct Task: Sendable {
      let leaf: LeafID
      let rows: Range<Int>
    }
    let tasks = zip(leaves, ranges(of: 0..<keys[0].count, keys: keys)).map { Task(leaf: $0.id, rows: $1) }
    let parts = try parallelMap(tasks.filter { !$0.rows.isEmpty }) { task -> Batch in
      let stored = try StoredRows(leaf: task.leaf, in: archive)
      let wanted = keys.map { $0.slice(from: task.rows.lowerBound, count: task.rows.count) }
      let search = try LeafSearch.find(wanted, in: stored, layout: layout)
      let found = search.lower.indices.compactMap { search.match($0) }
      guard let first = found.first, let last = found.last else { return Batch.empty(Schema(fields)) }
      return try stored.read(fields, rows: first..<last + 1).take(found.map { Int32($0 - first) })
    }
    let stored = parts.isEmpty ? Batch.empty(Schema(fields)) : Batch.concatenate(parts)
    guard let own = try operations(fields, under: keys) else { return stored }
    var search = KeySearch(wantedCount: own.count, storedCount: stored.rowCount)
    for (name, wanted) in zip(own.primaryKey, own.keys) { search.narrow(stored: stored[name]!, wanted: wanted) }
    return own.applied(to: stored, found: search)
  }
}

extension SortedKeys {
  /// The keys of two sorted sets, each once; nil when both are missing.
  ///
  /// A key column that one version has widened is as wide as there.
  static func union(_ one: [Column]?, _ other: [Column]?) throws -> [Column]? {
    guard let one else { return other }
    guard let other else { return one }
    let pairs = try zip(one, other).map { try RowDiff.alike($0, $1) }
    let (a, b) = (pairs.map(\.0), pairs.map(\.1))
    var search = KeySearch(wantedCount: b[0].count, storedCount: a[0].count)
    for (mine, theirs) in zip(a, b) { search.narrow(stored: mine, wanted: theirs) }
    let new = search.lower.indices.filter { search.match($0) == nil }.map { Int32($0) }
    let all = zip(a, b).map { Column.concatenate([$0, $1.take(new)]) }
    return SortKernel.permutation(by: all).map { order in all.map { $0.take(order) } } ?? all
  }

  /// Keys in the types of a layout, without those that they cannot hold: no version under it has them.
  /// - Complexity: O(1) where the types are the same, as they are but for widened key columns
  static func fitted(_ keys: [Column], to layout: TableLayout?) -> [Column] {
    guard let types = layout?.keySchema.fields.map(\.type), types != keys.map(\.type) else { return keys }
    func cast(_ keys: [Column]) -> [Column]? {
      let columns = zip(keys, types).map { try? $0.cast(to: $1) }
      return columns.contains { $0 == nil } ? nil : columns.compactMap { $0 }
    }
    if let whole = cast(keys) { return whole }
    let rows = (0..<keys[0].count).compactMap { row in cast(keys.map { $0.slice(from: row, count: 1) }) }
    return types.indices.map { index in rows.isEmpty ? Column(types[index], []) : Column.concatenate(rows.map { $0[index] }) }
  }
}
