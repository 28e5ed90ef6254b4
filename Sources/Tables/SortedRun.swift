import Columns

/// Rows in the order of the key: a part of a leaf that is decoded on demand, or rows in memory.
package struct SortedRun: Sendable {
  private enum Content: Sendable {
    case memory(Batch)
    case stored(StoredRows, firstRow: Int)
  }

  private let content: Content
  package let rowCount: Int

  /// - Parameter batch: in the order that the reader expects.
  package init(_ batch: Batch) {
    content = .memory(batch)
    rowCount = batch.rowCount
  }

  init(_ stored: StoredRows, rows: Range<Int>) {
    content = .stored(stored, firstRow: rows.lowerBound)
    rowCount = rows.count
  }

  /// Whether the rows must be decoded first, so that those not needed are better left out.
  package var isStored: Bool { if case .stored = content { true } else { false } }

  /// - Parameters:
  ///   - fields: of a run in memory only those that it was made with.
  ///   - rows: nil for all; pages without any of them are not decoded.
  /// - Complexity: O(bytes of the pages that hold the rows)
  package func read(_ fields: [Field], rows: Range<Int>? = nil) throws -> Batch {
    let rows = rows ?? 0..<rowCount
    switch content {
    case .memory(let batch):
      guard let selected = batch.selecting(fields.map(\.name)) else { preconditionFailure("The rows in memory lack a column") }
      return selected.slice(from: rows.lowerBound, count: rows.count)
    case .stored(let stored, let firstRow):
      return try stored.read(fields, rows: firstRow + rows.lowerBound..<firstRow + rows.upperBound)
    }
  }
}
