import Columns

/// The rows of the next row group: slices of the batches as they came.
struct RowGroupBuffer: Sendable {
  private(set) var rowCount = 0
  private var byteCount = 0
  private var batches: [Batch] = []
  private let rowCountMax: Int
  private let byteCountMax: Int

  init(rowCountMax: Int, byteCountMax: Int) {
    self.rowCountMax = max(1, rowCountMax)
    self.byteCountMax = max(1, byteCountMax)
  }

  var isFull: Bool { rowCount >= rowCountMax }

  /// Takes rows until the group is full, and returns the others.
  ///
  /// A row that would make the group larger than its bytes starts the next one, so that groups do not depend on batches;
  /// a single row may be larger.
  /// - Complexity: O(columns · log(rows))
  mutating func fill(from batch: Batch) -> Batch {
    var count = min(batch.rowCount, rowCountMax - rowCount)
    if byteCount + RowBytes.byteCount(batch, rows: count) > byteCountMax {
      // The largest number of rows that fits.
      var (fits, exceeds) = (0, count)
      while exceeds - fits > 1 {
        let middle = (fits + exceeds) / 2
        if byteCount + RowBytes.byteCount(batch, rows: middle) > byteCountMax { exceeds = middle } else { fits = middle }
      }
      count = fits
      if count == 0 && rowCount == 0 { count = 1 }
    }
    if count > 0 {
      byteCount += RowBytes.byteCount(batch, rows: count)
      rowCount += count
      batches.append(count == batch.rowCount ? batch : batch.slice(from: 0, count: count))
    }
    return count == batch.rowCount ? batch.slice(from: count, count: 0) : batch.slice(from: count, count: batch.rowCount - count)
  }

  /// The parts of each column.
  mutating func take(columnCount: Int) -> [[Column]] {
    defer { (batches, rowCount, byteCount) = ([], 0, 0) }
    return (0..<columnCount).map { column in batches.map { $0.columns[column] } }
  }
}

/// What rows take in memory, without validity.
enum RowBytes {
  /// The first `count` rows of a batch.
  static func byteCount(_ batch: Batch, rows count: Int) -> Int {
    batch.columns.reduce(0) { $0 + byteCount($1, 0..<count) }
  }

  private static func byteCount(_ column: Column, _ rows: Range<Int>) -> Int {
    switch column.type {
    case .bool: return rows.count
    case .string, .binary:
      let offsets = column.bytes.offsets
      return rows.count * 8 + Int(offsets[rows.upperBound] - offsets[rows.lowerBound])
    case .list, .map:
      let offsets = column.listOffsets
      return rows.count * 8 + byteCount(column.children[0], Int(offsets[rows.lowerBound])..<Int(offsets[rows.upperBound]))
    case .structure: return column.children.reduce(0) { $0 + byteCount($1, rows) }
    default: return rows.count * (column.type.byteWidth ?? 0)
    }
  }
}
