import Columns
import History

/// One version of one dataset, ready to be read: leaves and tails together, as one sorted table.
package struct TableVersion: Sendable {
  package let archive: Archive
  package let rootID: RootID
  package let layout: TableLayout
  package let rowCount: Int
  /// What is in leaves, ascending by number.
  package let partitions: [PartitionEntry]
  package let tails: TailList

  package init(archive: Archive, root id: RootID) throws {
    let root = try archive.root(id)
    self.archive = archive
    rootID = id
    layout = try TableLayout(schemaJSON: root.schema, layoutJSON: root.layout)
    rowCount = root.rowCount
    partitions = try archive.partitions(of: id)
    tails = root.tails
  }

  private init(_ version: TableVersion, under layout: TableLayout) {
    archive = version.archive
    rootID = version.rootID
    self.layout = layout
    rowCount = version.rowCount
    partitions = version.partitions
    tails = version.tails
  }

  /// The same leaves and tails, read under another layout of the dataset; the root's id stays that of this version.
  func viewed(under layout: TableLayout) -> TableVersion { TableVersion(self, under: layout) }

  /// Every leaf, in the order of (partition, key); rows in tails are in none.
  package func leaves() throws -> [LeafEntry] {
    try partitions.flatMap { try archive.leaves(of: $0.tree) }
  }

  /// Whether the root is a function of the rows: no tails, and no leaf with values of a column that is gone.
  /// - Complexity: O(leaves)
  package func isCanonical() throws -> Bool {
    var form = CanonicalForm(archive)
    return try form.holds(for: self)
  }

  /// Partitions that have rows in leaves or tails, ascending.
  package var partitionNumbers: [Int64] { Set(partitions.map(\.number)).union(tails.partitions).sorted() }

  /// - Parameters:
  ///   - other: a later layout of the dataset to read it under; nil for its own.
  ///   - below: other tails than all of the version's; nil for all.
  ///   - inAnyOrder: whether the leaves of a damaged tree are given as it has them: for those who read all rows.
  func partition(
    _ number: Int64, as other: TableLayout? = nil, tails below: TailList? = nil, inAnyOrder: Bool = false
  ) throws -> PartitionView {
    let entry = partitions.first { $0.number == number }
    return PartitionView(
      archive: archive, layout: other ?? layout, number: number,
      leaves: try entry.map { try archive.leaves(of: $0.tree, inAnyOrder: inAnyOrder) } ?? [],
      tails: (below ?? tails).live(number).map { ($0.entry.id, $0.rows) })
  }

  /// Rows of a partition, in leaves and tails. - Complexity: O(partitions + tails)
  package func rowCount(ofPartition number: Int64) throws -> Int {
    (partitions.first { $0.number == number }?.rowCount ?? 0) + tails.addedRowCount(in: number)
  }

  /// The rows in the order of (partition, key), a leaf at a time, decoded on all processors.
  /// - Parameters:
  ///   - columns: names in the order wanted; nil for all.
  ///   - numbers: of the partitions wanted; nil for all.
  package func forEachBatch(columns: [String]? = nil, partitions numbers: Set<Int64>? = nil, _ body: (Batch) throws -> Void) throws {
    let fields = schema(selecting: columns).fields
    let parts = try readParts(fields, partitions: numbers)
    // As many leaves are in memory as can be decoded at a time.
    let step = ReadPart.countAtATime
    for start in stride(from: 0, to: parts.count, by: step) {
      let group = Array(parts[start..<min(parts.count, start + step)])
      let threads = group.count == 1 ? step : 1
      for batch in try parallelMap(group, { try $0.read(fields, threads: threads) }) where batch.rowCount > 0 { try body(batch) }
    }
  }

  /// All rows at once, in the order of (partition, key). - Complexity: O(bytes of the columns); decoded on all processors.
  package func read(columns: [String]? = nil) throws -> Batch {
    let wanted = schema(selecting: columns)
    let parts = try parallelMap(try readParts(wanted.fields)) { try $0.read(wanted.fields) }
    guard !parts.isEmpty else { return Batch.empty(wanted) }
    return Batch.concatenate(parts)
  }

  /// All rows with the named columns, ascending by `order` (nulls first); ties keep key order.
  package func rows(columns: [String], order: [String]) throws -> Batch {
    let extra = order.filter { !columns.contains($0) }
    let batch = try read(columns: columns + extra)
    let keys = order.map { batch[$0]! }
    let sorted = SortKernel.permutation(by: keys).map { batch.take($0) } ?? batch
    return sorted.selecting(columns)!
  }

  private func schema(selecting columns: [String]?) -> Schema {
    guard let columns else { return layout.schema }
    return Schema(columns.map { layout.schema[$0]! })
  }

  private func readParts(_ fields: [Field], partitions wanted: Set<Int64>? = nil) throws -> [ReadPart] {
    var parts: [ReadPart] = []
    for number in partitionNumbers where wanted?.contains(number) ?? true {
      // What a damaged version has can be taken out of it.
      let view = try partition(number, inAnyOrder: true)
      let operations = try view.operations(fields)
      guard !view.leaves.isEmpty else {
        if let operations { parts.append(ReadPart(view: view, leaf: nil, operations: operations)) }
        continue
      }
      let ranges = operations.map { view.ranges(of: 0..<$0.count, keys: $0.keys) }
      for (index, leaf) in view.leaves.enumerated() {
        let own = ranges.flatMap { ranges in ranges[index].isEmpty ? nil : operations?.slice(ranges[index]) }
        parts.append(ReadPart(view: view, leaf: leaf.id, operations: own))
      }
    }
    return parts
  }
}

/// A leaf with the tail rows that belong into its range of keys; or tail rows alone, where a partition has no leaves.
struct ReadPart: Sendable {
  let view: PartitionView
  let leaf: LeafID?
  let operations: RowOperations?

  static let countAtATime = 2

  /// - Complexity: O(bytes of the columns), and a look at the key columns where there are tail rows
  func read(_ fields: [Field], threads: Int = 1) throws -> Batch {
    guard let leaf else {
      let own = (operations?.rows.selecting(fields.map(\.name)))!
      let kept = (operations?.codes ?? []).indices.filter { operations?.codes[$0] != .delete }
      return kept.count == own.rowCount ? own : own.take(kept.map { Int32($0) })
    }
    let stored = try StoredRows(leaf: leaf, in: view.archive)
    let batch = try stored.read(fields, threads: threads)
    guard let operations else { return batch }
    let found = try LeafSearch.find(operations.keys, in: stored, layout: view.layout, known: batch)
    return operations.applied(to: batch, found: found)
  }
}

extension Batch {
  package static func empty(_ schema: Schema) -> Batch {
    Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }
}
