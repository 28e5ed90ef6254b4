import Columns
import History

/// The rows of a change in the order of (partition, key), with where each came from.
struct SortedInput {
  let batch: Batch
  let layout: TableLayout
  /// Contiguous rows of one partition, ascending by number.
  let partitions: [(number: Int64, rows: Range<Int>)]
  /// Row of the input for each sorted row; nil when the input was in order.
  private let permutation: [Int32]?
  private let keys: [Column]

  /// - Throws: `TableError` of kind `input` when a key value is null.
  init(_ input: Batch, layout: TableLayout) throws {
    let canonical = input.canonicalized()
    for name in layout.primaryKey {
      let column = canonical[name]!
      if column.nullCount > 0, let row = (0..<column.count).first(where: { !column.isValid($0) }) {
        throw TableError(.input, "Key column \(name) is null in row \(row + 1); a key needs a value in every column")
      }
    }
    let numbers = try Self.partitionNumbers(of: canonical, layout: layout)
    let order = (numbers.map { [$0] } ?? []) + layout.primaryKey.map { canonical[$0]! }
    permutation = SortKernel.permutation(by: order)
    batch = permutation.map { canonical.take($0) } ?? canonical
    keys = layout.primaryKey.map { [batch] in batch[$0]! }
    self.layout = layout
    if let numbers {
      let sorted = (permutation.map { numbers.take($0) } ?? numbers).values(Int64.self)
      var ranges: [(number: Int64, rows: Range<Int>)] = []
      var start = 0
      for row in 0..<batch.rowCount where row + 1 == batch.rowCount || sorted[row + 1] != sorted[row] {
        ranges.append((sorted[row], start..<row + 1))
        start = row + 1
      }
      partitions = ranges
    } else {
      partitions = batch.rowCount == 0 ? [] : [(0, 0..<batch.rowCount)]
    }
  }

  /// Floored UTC days or months of the event time; nil when the dataset is not partitioned.
  private static func partitionNumbers(of batch: Batch, layout: TableLayout) throws -> Column? {
    guard layout.partitioning != .none, let name = layout.eventTime, let times = batch[name] else { return nil }
    let isMonth = layout.partitioning == .month
    var builder = ColumnBuilder(.int64, capacity: batch.rowCount)
    if times.type == .date {
      let values = times.values(Int32.self)
      for row in 0..<batch.rowCount {
        let micros = Int64(values[row]) * CivilTime.microsPerDay
        builder.append(isMonth ? CivilTime.monthNumber(ofMicros: micros) : Int64(values[row]))
      }
    } else {
      let values = times.values(Int64.self)
      for row in 0..<batch.rowCount {
        builder.append(isMonth ? CivilTime.monthNumber(ofMicros: values[row]) : CivilTime.dayNumber(ofMicros: values[row]))
      }
    }
    return builder.finish()
  }

  func duplicateKey() -> KeyConflict? {
    guard let first = SortKernel.firstDuplicate(in: keys) else { return nil }
    var rows: [Int] = [first]
    var count = 1
    for row in first + 1..<max(first + 1, batch.rowCount) where SortKernel.compareRows(keys, row - 1, keys, row) == 0 {
      count += 1
      if rows.count < 20 { rows.append(row) }
    }
    return conflict(.duplicateInInput, count: count, sortedRows: rows)
  }

  func conflict(_ kind: KeyConflict.Kind, count: Int, sortedRows: [Int]) -> KeyConflict {
    let first = sortedRows[0]
    return KeyConflict(
      kind: kind, count: count,
      firstKey: zip(layout.primaryKey, keys).map { (name: $0, value: $1.scalar(at: first)) },
      inputRows: sortedRows.map(inputRow))
  }

  /// Where a sorted row stands in the input.
  func inputRow(_ row: Int) -> Int { permutation.map { Int($0[row]) } ?? row }
}
