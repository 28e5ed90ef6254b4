import Columns
import History

/// The rows of a change in the order of (partition, key), with where each came from. The rows themselves stay as they came
/// and are put in order a part at a time: a sorted copy of everything would cost as much memory again.
struct SortedInput: Sendable {
  let layout: TableLayout
  /// Contiguous rows of one partition, ascending by number.
  let partitions: [(number: Int64, rows: Range<Int>)]
  private let rows: BatchList
  /// Row of the input for each sorted row; nil when the input was in order.
  private let permutation: [Int32]?
  /// Whether the sort found that no two keys are equal.
  private let isDistinct: Bool

  var rowCount: Int { rows.rowCount }

  /// - Parameter batches: under the layout's schema.
  /// - Throws: `TableError` of kind `input` when a key value is null.
  init(_ batches: [Batch], layout: TableLayout) throws {
    self.layout = layout
    let rows = BatchList(try parallelMap(batches) { $0.canonicalized() }, schema: layout.schema)
    self.rows = rows
    try Self.checkNulls(rows, layout)
    let numbers = try Self.partitionNumbers(of: rows, layout: layout)
    var order: [Int32]?
    (order, isDistinct) = try Self.order(rows, numbers, layout)
    permutation = order
    guard let numbers else {
      partitions = rows.rowCount == 0 ? [] : [(0, 0..<rows.rowCount)]
      return
    }
    var ranges: [(number: Int64, rows: Range<Int>)] = []
    var start = 0
    let values = numbers.values(Int64.self)
    func number(_ row: Int) -> Int64 { values[order.map { Int($0[row]) } ?? row] }
    while start < rows.rowCount {
      // Few partitions of many rows: look for the end of each by halving.
      let current = number(start)
      var low = start + 1
      var high = rows.rowCount
      while low < high {
        let middle = low + (high - low) / 2
        if number(middle) == current { low = middle + 1 } else { high = middle }
      }
      ranges.append((current, start..<low))
      start = low
    }
    partitions = ranges
    order = nil
  }

  private static func checkNulls(_ rows: BatchList, _ layout: TableLayout) throws {
    for name in layout.primaryKey {
      var first = 0
      for batch in rows.batches {
        let column = batch[name]!
        if column.nullCount > 0, let row = (0..<column.count).first(where: { !column.isValid($0) }) {
          throw TableError(.input, "Key column \(name) is null in row \(first + row + 1); a key needs a value in every column")
        }
        first += batch.rowCount
      }
    }
  }

  /// The order of (partition, key). Columns of fixed width, which sort fast, are tried first: where they tell all rows apart,
  /// as entity and time mostly do, the strings behind them need not be looked at.
  private static func order(_ rows: BatchList, _ numbers: Column?, _ layout: TableLayout) throws -> (order: [Int32]?, isDistinct: Bool) {
    let fixed = layout.primaryKey.prefix { layout.schema[$0]?.type.byteWidth != nil }
    let first = try (numbers.map { [$0] } ?? []) + parallelMap(Array(fixed)) { rows.column($0) }
    if !fixed.isEmpty {
      let (order, isDistinct) = SortKernel.distinctPermutation(by: first)
      if isDistinct || fixed.count == layout.primaryKey.count { return (order, isDistinct) }
    }
    return SortKernel.distinctPermutation(by: first + layout.primaryKey.dropFirst(fixed.count).map { rows.column($0) })
  }

  /// Floored UTC days or months of the event time; nil when the dataset is not partitioned.
  private static func partitionNumbers(of rows: BatchList, layout: TableLayout) throws -> Column? {
    guard layout.partitioning != .none, let name = layout.eventTime else { return nil }
    let parts = try parallelMap(rows.batches) { batch in PartitionNumbers.column(of: batch[name]!, layout.partitioning) }
    return parts.isEmpty ? Column(.int64, []) : Column.concatenate(parts)
  }

  // MARK: Rows

  /// Sorted rows. - Complexity: O(bytes of the rows)
  func batch(_ range: Range<Int>) -> Batch {
    guard let permutation else { return rows.slice(range) }
    return rows.take(permutation[range])
  }

  /// Where a sorted row stands in the input.
  func inputRow(_ row: Int) -> Int { permutation.map { Int($0[row]) } ?? row }

  // MARK: Keys

  /// Rows looked at together by one thread.
  static let scanRowCount = 1 << 16

  func duplicateKey() throws -> KeyConflict? {
    if isDistinct { return nil }
    let names = layout.primaryKey
    let starts = Array(stride(from: 0, to: rowCount, by: Self.scanRowCount))
    let found = try parallelMap(starts) { start -> [Int] in
      // One row of the part before, so that no pair is missed.
      let range = max(0, start - 1)..<min(rowCount, start + Self.scanRowCount)
      let keys = rows.selecting(names).sorted(range, permutation).columns
      guard let first = SortKernel.firstDuplicate(in: keys) else { return [] }
      return (first..<range.count).filter { SortKernel.compareRows(keys, $0 - 1, keys, $0) == 0 }.map { range.lowerBound + $0 }
    }.flatMap { $0 }
    guard !found.isEmpty else { return nil }
    return conflict(.duplicateInInput, count: found.count, sortedRows: Array(found.prefix(20)))
  }

  func conflict(_ kind: KeyConflict.Kind, count: Int, sortedRows: [Int]) -> KeyConflict {
    let first = batch(sortedRows[0]..<sortedRows[0] + 1)
    return KeyConflict(
      kind: kind, count: count, firstKey: layout.primaryKey.map { (name: $0, value: first[$0]!.scalar(at: 0)) },
      inputRows: sortedRows.map(inputRow))
  }
}

extension BatchList {
  fileprivate func selecting(_ names: [String]) -> BatchList {
    BatchList(batches.map { $0.selecting(names)! }, schema: Schema(names.map { schema[$0]! }))
  }

  fileprivate func sorted(_ range: Range<Int>, _ permutation: [Int32]?) -> Batch {
    permutation.map { take($0[range]) } ?? slice(range)
  }
}
