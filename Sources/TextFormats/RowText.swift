import Columns

/// Writes the rows of a batch as text: first each column's cells by themselves, then the cells in the order of rows.
struct RowText: Sendable {
  let style: CellStyle
  /// What stands before each column's cell: a delimiter, or a key.
  let prefixes: [[UInt8]]
  let rowEnd: [UInt8]

  /// The cells of so many rows fit a second-level cache.
  private static let blockRowCount = 1024
  /// Below it a second thread does not pay.
  private static let parallelRowCountMin = 4096

  /// - Complexity: O(bytes written), on all processors
  func append(_ batch: Batch, to sink: inout [UInt8]) {
    let pieceRowCount = max(RowText.parallelRowCountMin, (batch.rowCount + 7) / 8)
    let starts = Array(stride(from: 0, to: batch.rowCount, by: pieceRowCount))
    let pieces = try? parallelMap(starts) { start in
      text(of: batch, rows: start..<min(start + pieceRowCount, batch.rowCount))
    }
    guard let pieces else { preconditionFailure("Writing text does not fail") }
    sink.reserveCapacity(sink.count + pieces.reduce(0) { $0 + $1.byteCount })
    for piece in pieces { piece.withBytes { sink.append(contentsOf: $0) } }
  }

  private func text(of batch: Batch, rows: Range<Int>) -> BufferSlice {
    var text = TextBuffer(byteCapacity: rows.count * prefixes.count * 12)
    var cells = batch.columns.map { _ in TextBuffer(byteCapacity: RowText.blockRowCount * 16) }
    let writers = batch.columns.map { ColumnText(column: $0, style: style) }
    let blockRowCount = RowText.blockRowCount
    withUnsafeTemporaryAllocation(of: Int.self, capacity: max(1, blockRowCount * writers.count)) { ends in
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: blockRowCount) {
        let block = start..<min(start + blockRowCount, rows.upperBound)
        for (index, writer) in writers.enumerated() {
          cells[index].removeAll()
          writer.append(block, to: &cells[index], ends: ends.baseAddress! + index * blockRowCount)
        }
        interleave(cells, ends, rowCount: block.count, to: &text)
      }
    }
    return text.finish()
  }

  private func interleave(_ cells: [TextBuffer], _ ends: UnsafeMutableBufferPointer<Int>, rowCount: Int, to text: inout TextBuffer) {
    let prefixByteCount = prefixes.reduce(rowEnd.count) { $0 + $1.count }
    let byteCount = cells.reduce(prefixByteCount * rowCount) { $0 + $1.count }
    let start = text.room(byteCount)
    var target = UnsafeMutableRawPointer(start)
    let joined = prefixes.flatMap { $0 + [UInt8](repeating: 0, count: RowText.copyByteCount) } + rowEnd
    let padded = joined + [UInt8](repeating: 0, count: RowText.copyByteCount)
    padded.withUnsafeBytes { constants in
      for row in 0..<rowCount {
        var constant = constants.baseAddress!
        for index in cells.indices {
          let prefixCount = prefixes[index].count
          // SAFETY: sources have 16 readable bytes behind their end, and the room its slack; see `copy`.
          target = RowText.copy(constant, prefixCount, to: target)
          constant += prefixCount + RowText.copyByteCount
          let place = index &* RowText.blockRowCount &+ row
          let cellStart = row == 0 ? 0 : ends[place &- 1]
          target = RowText.copy(UnsafeRawPointer(cells[index].base + cellStart), ends[place] &- cellStart, to: target)
        }
        target = RowText.copy(constant, rowEnd.count, to: target)
      }
    }
    let written = target - UnsafeMutableRawPointer(start)
    precondition(written == byteCount, "The cells are not as long as they were counted")
    text.advance(byteCount)
  }

  private static let copyByteCount = 16

  /// Copies in steps of 16 bytes: up to 15 bytes behind the end are read and written too.
  @inline(__always) private static func copy(
    _ source: UnsafeRawPointer, _ byteCount: Int, to target: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer {
    if byteCount > 64 {
      target.copyMemory(from: source, byteCount: byteCount)
    } else {
      var index = 0
      while index < byteCount {
        target.storeBytes(
          of: source.loadUnaligned(fromByteOffset: index, as: SIMD16<UInt8>.self), toByteOffset: index, as: SIMD16<UInt8>.self)
        index &+= copyByteCount
      }
    }
    return target + byteCount
  }
}
