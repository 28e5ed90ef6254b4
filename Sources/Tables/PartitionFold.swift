import Columns
import History

/// Takes operations into the leaves of a partition, which they meet in the order of keys.
///
/// A leaf is kept as it is when nothing before it is waiting to be cut, no operation falls into it and it holds no values of
/// dropped columns; the last leaf ends where the partition ends, so rows behind it reopen it.
struct PartitionFold {
  let view: PartitionView
  let layout: TableLayout
  /// Whether leaves with values of columns that are gone are written anew.
  private let rewritesDropped: Bool
  /// What the tails do, not used up yet.
  private var tail: RowOperations?
  /// Operations that came and whose leaf may get more.
  private var pending: RowOperations?
  private var nextLeaf = 0

  /// Starts a partition of the plan. - Throws: `TableError`, `StoreError` when a tail cannot be read.
  init(_ view: PartitionView, layout: TableLayout, into plan: inout LeafPlan, rewritesDropped: Bool = false) throws {
    self.view = view
    self.layout = layout
    self.rewritesDropped = rewritesDropped
    tail = try view.operations(layout.schema.fields)
    plan.startPartition(view.number)
  }

  /// Takes more operations, which are resolved against the view and behind all that came before.
  /// - Complexity: O(rows of the leaves that end before the last of them)
  mutating func add(_ operations: RowOperations, to plan: inout LeafPlan) throws {
    guard !operations.isEmpty else { return }
    let all = pending.map { $0.appending(operations) } ?? operations
    pending = all
    let keys = all.keys
    while nextLeaf + 1 < view.leaves.count {
      let end = SortedKeys.firstRow(after: view.leaves[nextLeaf].lastKey, in: 0..<all.count, keys: keys)
      guard end < all.count else { return }
      try takeLeaf(to: &plan)
    }
    // Behind the last leaf rows need not wait for its end, once it has been taken.
    if let last = view.leaves.last, nextLeaf + 1 == view.leaves.count {
      let end = SortedKeys.firstRow(after: last.lastKey, in: 0..<(pending?.count ?? 0), keys: pending?.keys ?? [])
      if end < pending?.count ?? 0 { try takeLeaf(to: &plan, isReopened: true) }
    }
    if nextLeaf == view.leaves.count { try takeRest(upTo: pending?.rows, to: &plan) }
  }

  /// Takes what is left, and ends the partition of the plan.
  mutating func finish(_ plan: inout LeafPlan) throws {
    while nextLeaf < view.leaves.count {
      let isLast = nextLeaf + 1 == view.leaves.count
      let end = isLast ? view.leaves[nextLeaf].lastKey : []
      let isReopened = isLast && [pending, tail].contains { $0.map { SortedKeys.hasRow(after: end, in: $0) } ?? false }
      try takeLeaf(to: &plan, isReopened: isReopened)
    }
    try takeRest(upTo: nil, to: &plan)
    try plan.endPartition()
  }

  /// Takes the next leaf with all operations up to its last key. - Parameter isReopened: rows follow the last leaf.
  private mutating func takeLeaf(to plan: inout LeafPlan, isReopened: Bool = false) throws {
    let leaf = view.leaves[nextLeaf]
    nextLeaf += 1
    let own = Self.compose(Self.cut(&tail, through: leaf.lastKey), Self.cut(&pending, through: leaf.lastKey))
    if own == nil && plan.isAtCut && !isReopened, try !rewritesDropped || !holdsDropped(leaf) {
      plan.reuse(leaf)
      return
    }
    let part = ReadPart(view: view, leaf: leaf.id, operations: own)
    try plan.append(part.read(layout.schema.fields, threads: ReadPart.countAtATime))
  }

  /// Takes operations behind all leaves. - Parameter limit: what tails have behind its last row stays; nil for all.
  private mutating func takeRest(upTo limit: Batch?, to plan: inout LeafPlan) throws {
    var ready: RowOperations? = tail
    if let limit, let key = try? KeyEncoder.encode(layout.primaryKey.map({ limit[$0]! }), row: limit.rowCount - 1) {
      ready = Self.cut(&tail, through: key)
    } else {
      tail = nil
    }
    guard let rest = Self.compose(ready, pending) else { return }
    pending = nil
    try plan.append(ReadPart(view: view, leaf: nil, operations: rest).read(layout.schema.fields))
  }

  private static func compose(_ older: RowOperations?, _ newer: RowOperations?) -> RowOperations? {
    guard let older, !older.isEmpty else { return newer.flatMap { $0.isEmpty ? nil : $0 } }
    guard let newer, !newer.isEmpty else { return older }
    let both = RowOperations.compose(older, newer).operations
    return both.isEmpty ? nil : both
  }

  /// Takes the operations up to a key away. - Returns: them; nil for none.
  private static func cut(_ operations: inout RowOperations?, through key: [UInt8]) -> RowOperations? {
    guard let all = operations else { return nil }
    let end = SortedKeys.firstRow(after: key, in: 0..<all.count, keys: all.keys)
    operations = end == all.count ? nil : all.slice(end..<all.count)
    return end == 0 ? nil : all.slice(0..<end)
  }

  /// Whether a leaf has values of a field that is not in the schema.
  private func holdsDropped(_ leaf: LeafEntry) throws -> Bool { try view.holdsDropped(leaf, layout: layout) }
}

extension PartitionView {
  /// Whether a leaf has values of a field that the layout does not have.
  func holdsDropped(_ leaf: LeafEntry, layout: TableLayout) throws -> Bool {
    let known = Set(layout.schema.fields.compactMap(\.id))
    return try LeafIdentity.fieldIDs(inDigests: archive.leafDigests(leaf.id) ?? []).contains { !known.contains($0) }
  }
}

extension SortedKeys {
  static func hasRow(after key: [UInt8], in operations: RowOperations) -> Bool {
    firstRow(after: key, in: 0..<operations.count, keys: operations.keys) < operations.count
  }
}

extension RowOperations {
  /// These operations and others behind them.
  func appending(_ others: RowOperations) -> RowOperations {
    RowOperations(rows: Batch.concatenate([rows, others.rows]), codes: codes + others.codes, primaryKey: primaryKey)
  }
}
