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
  /// The key columns, in the order of the input.
  private let keys: [Column]

  var rowCount: Int { rows.rowCount }

  /// - Parameter batches: under the layout's schema.
  /// - Throws: `TableError` of kind `input` when a key value is null.
  init(_ batches: [Batch], layout: TableLayout) throws {
    self.layout = layout
    rows = BatchList(batches.map { $0.canonicalized() }, schema: layout.schema)
    keys = layout.primaryKey.map { [rows] in rows.column($0) }
    for (name, column) in zip(layout.primaryKey, keys) where column.nullCount > 0 {
      if let row = (0..<column.count).first(where: { !column.isValid($0) }) {
        throw TableError(.input, "Key column \(name) is null in row \(row + 1); a key needs a value in every column")
      }
    }
    let eventTime = zip(layout.primaryKey, keys).first { $0.0 == layout.eventTime }?.1
    let numbers = Self.partitionNumbers(of: eventTime ?? layout.eventTime.map { [rows] in rows.column($0) }, layout: layout)
    let order = SortKernel.permutation(by: (numbers.map { [$0] } ?? []) + keys)
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
  }

  /// Floored UTC days or months of the event time; nil when the dataset is not partitioned.
  static func partitionNumbers(of times: Column?, layout: TableLayout) -> Column? {
    guard layout.partitioning != .none, let times else { return nil }
    let isMonth = layout.partitioning == .month
    var builder = ColumnBuilder(.int64, capacity: times.count)
    if times.type == .date {
      let values = times.values(Int32.self)
      for row in 0..<times.count {
        let micros = Int64(values[row]) * CivilTime.microsPerDay
        builder.append(isMonth ? CivilTime.monthNumber(ofMicros: micros) : Int64(values[row]))
      }
    } else {
      let values = times.values(Int64.self)
      for row in 0..<times.count {
        builder.append(isMonth ? CivilTime.monthNumber(ofMicros: values[row]) : CivilTime.dayNumber(ofMicros: values[row]))
      }
    }
    return builder.finish()
  }

  // MARK: Rows

  /// Sorted rows. - Complexity: O(bytes of the rows)
  func batch(_ range: Range<Int>) -> Batch {
    guard let permutation else { return rows.slice(range) }
    return rows.take(permutation[range])
  }

  /// The key columns of sorted rows.
  func keyColumns(_ range: Range<Int>) -> [Column] {
    guard let permutation else { return keys.map { $0.slice(from: range.lowerBound, count: range.count) } }
    return permutation.withUnsafeBufferPointer { order in
      keys.map { $0.take(UnsafeBufferPointer(rebasing: order[range])) }
    }
  }

  /// The encoded key of a sorted row.
  func encodedKey(_ row: Int) -> [UInt8] {
    // Keys of a dataset were encodable when it was created; contracts refuse other key types.
    (try? KeyEncoder.encode(keys, row: inputRow(row))) ?? []
  }

  /// Where a sorted row stands in the input.
  func inputRow(_ row: Int) -> Int { permutation.map { Int($0[row]) } ?? row }

  // MARK: Keys

  /// Rows looked at together by one thread.
  private static let scanRowCount = 1 << 17

  func duplicateKey() throws -> KeyConflict? {
    let starts = Array(stride(from: 0, to: rowCount, by: Self.scanRowCount))
    let found = try parallelMap(starts) { start -> [Int] in
      // One row of the part before, so that no pair is missed.
      let range = max(0, start - 1)..<min(rowCount, start + Self.scanRowCount)
      let keys = keyColumns(range)
      guard let first = SortKernel.firstDuplicate(in: keys) else { return [] }
      return (first..<range.count).filter { SortKernel.compareRows(keys, $0 - 1, keys, $0) == 0 }.map { range.lowerBound + $0 }
    }.flatMap { $0 }
    guard !found.isEmpty else { return nil }
    return conflict(.duplicateInInput, count: found.count, sortedRows: Array(found.prefix(20)))
  }

  /// The hash by which a rule cuts, for each row of a range. - Complexity: O(bytes of the keys), on all processors
  func cutHashes(_ rule: CutRule, _ range: Range<Int>) throws -> [UInt64] {
    let starts = Array(stride(from: range.lowerBound, to: range.upperBound, by: Self.scanRowCount))
    return try parallelMap(starts) { start -> [UInt64] in
      let part = start..<min(range.upperBound, start + Self.scanRowCount)
      let encoded = try KeyEncoder.encodeAll(keyColumns(part), rows: 0..<part.count)
      return (0..<part.count).map { rule.hash(encoded[$0]) }
    }.flatMap { $0 }
  }

  func conflict(_ kind: KeyConflict.Kind, count: Int, sortedRows: [Int]) -> KeyConflict {
    let first = inputRow(sortedRows[0])
    return KeyConflict(
      kind: kind, count: count, firstKey: zip(layout.primaryKey, keys).map { (name: $0, value: $1.scalar(at: first)) },
      inputRows: sortedRows.map(inputRow))
  }
}
