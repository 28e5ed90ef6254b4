import Columns

/// Reads a file from front to back in batches, page by page: memory follows the size of a batch and of a page, not of a row group.
///
/// A page is decoded once; a batch never spans two row groups.
package struct ParquetScan {
  /// One column of the row group that is being read.
  private struct OpenColumn {
    let node: ColumnNode
    let cursors: [LeafCursor]
    /// Rows that were decoded and not yet handed out, because another column stopped short of them.
    var pending: Column?
    /// By leaf: where the bytes end that were reported as consumed.
    var reported: [Int]
  }

  // SAFETY: each column is used by one thread at a time; `parallelMap` returns after all are done.
  private struct Task: @unchecked Sendable {
    let column: OpenColumn
  }

  private struct Part: Sendable {
    let column: Column
  }

  package let schema: Schema
  package let reader: ParquetReader
  private let columns: [Int]
  private let batchRowCountMax: Int
  private let batchByteCountTarget: Int
  private let threads: Int
  private let consumed: ((Range<Int>) -> Void)?
  private var groups: Range<Int>
  private var open: [OpenColumn] = []
  /// Rows of the open row group that have not been handed out.
  private var rowsLeft = 0

  /// Bytes are reported as consumed in steps of at least this: advice to the system costs a call.
  private static let reportByteCountMin = 1 << 20

  /// - Parameters:
  ///   - columns: indices into the schema, in the order of the batches; nil means all.
  ///   - rowGroups: which row groups; nil means all.
  ///   - batchRowCountMax: the most rows of a batch.
  ///   - batchByteCountTarget: a batch ends early when its values take about so many bytes; it has a row at least.
  ///   - threads: how many columns are decoded at a time.
  ///   - consumed: told ranges of the file's bytes that will not be read again, so that mapped memory can be released.
  /// - Precondition: columns and row groups exist.
  package init(
    _ reader: ParquetReader, columns: [Int]? = nil, rowGroups: Range<Int>? = nil, batchRowCountMax: Int = 65_536,
    batchByteCountTarget: Int = 32 << 20, threads: Int = 1, consumed: ((Range<Int>) -> Void)? = nil
  ) {
    self.reader = reader
    self.columns = columns ?? Array(reader.nodes.indices)
    schema = Schema(self.columns.map { reader.schema.fields[$0] })
    groups = rowGroups ?? 0..<reader.rowGroupCount
    precondition(groups.upperBound <= reader.rowGroupCount, "The file has \(reader.rowGroupCount) row groups")
    self.batchRowCountMax = max(1, batchRowCountMax)
    self.batchByteCountTarget = max(1, batchByteCountTarget)
    self.threads = threads
    self.consumed = consumed
  }

  /// The next rows; nil at the end. After an error the scan must not be used again.
  package mutating func next() throws(ParquetError) -> Batch? {
    while rowsLeft == 0 {
      guard let group = groups.first else { return nil }
      groups = group + 1..<groups.upperBound
      try openGroup(group)
    }
    defer { _fixLifetime(reader.bytes.owner) }
    let group = groups.lowerBound - 1
    let wanted = try rowCountOfNextBatch(group)
    let read = try readColumns(wanted, group)
    let count = read.reduce(wanted) { min($0, $1.count) }
    var result: [Column] = []
    result.reserveCapacity(read.count)
    for (index, column) in read.enumerated() {
      if column.count == count {
        open[index].pending = nil
        result.append(column)
      } else {
        open[index].pending = column.slice(from: count, count: column.count - count)
        result.append(column.slice(from: 0, count: count))
      }
    }
    rowsLeft -= count
    report()
    if rowsLeft == 0 { open = [] }
    return Batch(schema: schema, columns: result, rowCount: count)
  }

  private mutating func openGroup(_ group: Int) throws(ParquetError) {
    open = []
    rowsLeft = reader.rowCount(ofRowGroup: group)
    guard rowsLeft > 0 else { return }
    open.reserveCapacity(columns.count)
    for column in columns {
      let node = reader.nodes[column]
      var cursors: [LeafCursor] = []
      for leaf in node.leaves {
        do { cursors.append(try reader.cursor(leaf: leaf, rowGroup: group)) } catch { throw within(error, leaf, group) }
      }
      open.append(OpenColumn(node: node, cursors: cursors, pending: nil, reported: cursors.map { $0.pages.start }))
    }
  }

  private func within(_ error: ParquetError, _ leaf: Int, _ group: Int) -> ParquetError {
    error.within("Cannot read column \(reader.shapes[leaf].path) in row group \(group)")
  }

  /// What a batch may have, by the sizes of the pages to come.
  private func rowCountOfNextBatch(_ group: Int) throws(ParquetError) -> Int {
    let count = min(batchRowCountMax, rowsLeft)
    // Rows that are there already go first.
    if let pending = open.compactMap({ $0.pending?.count }).min() { return min(count, pending) }
    var byteCount = 0
    for column in open {
      for (leaf, cursor) in zip(column.node.leaves, column.cursors) {
        do { byteCount += try cursor.estimatedByteCount(rowCount: count) } catch { throw within(error, leaf, group) }
      }
    }
    guard byteCount > batchByteCountTarget else { return count }
    return max(1, Int(Double(count) * Double(batchByteCountTarget) / Double(byteCount)))
  }

  private func readColumns(_ count: Int, _ group: Int) throws(ParquetError) -> [Column] {
    guard threads > 1, open.count > 1 else {
      var result: [Column] = []
      result.reserveCapacity(open.count)
      for column in open { result.append(try read(column, count, group)) }
      return result
    }
    let tasks = open.map { Task(column: $0) }
    let (reader, target) = (reader, batchByteCountTarget)
    do {
      return try parallelMap(tasks, threadCountMax: threads) { task in
        Part(column: try Self.read(task.column, count, group, reader, byteCountTarget: target))
      }.map(\.column)
    } catch {
      guard let error = error as? ParquetError else { throw .malformed("Cannot read row group \(group): \(error)") }
      throw error
    }
  }

  private func read(_ column: OpenColumn, _ count: Int, _ group: Int) throws(ParquetError) -> Column {
    try Self.read(column, count, group, reader, byteCountTarget: batchByteCountTarget)
  }

  private static func read(
    _ column: OpenColumn, _ count: Int, _ group: Int, _ reader: ParquetReader, byteCountTarget: Int
  ) throws(ParquetError) -> Column {
    if let pending = column.pending { return pending }
    var leaves: [LeafRows] = []
    for (leaf, cursor) in zip(column.node.leaves, column.cursors) {
      do {
        // The estimate may be wrong where lengths vary much: a hard stop at twice the target.
        leaves.append(
          column.node.isFlat
            ? try cursor.readFlat(rowCountMax: count, byteCountTarget: byteCountTarget * 2) : try cursor.readNested(rowCount: count))
      } catch {
        throw error.within("Cannot read column \(reader.shapes[leaf].path) in row group \(group)")
      }
    }
    return try reader.assemble(column.node, leaves, rowGroup: group)
  }

  private mutating func report() {
    guard let consumed else { return }
    for index in open.indices {
      for (place, cursor) in open[index].cursors.enumerated() {
        let start = open[index].reported[place]
        let end = rowsLeft == 0 ? max(cursor.consumedEnd, cursor.pages.chunkEnd) : cursor.consumedEnd
        guard end > start, rowsLeft == 0 || end - start >= Self.reportByteCountMin else { continue }
        open[index].reported[place] = end
        consumed(start..<end)
      }
    }
  }
}

extension LeafCursor {
  /// About the bytes that the next rows take in memory, by the headers of the pages that hold them.
  /// - Complexity: O(pages)
  func estimatedByteCount(rowCount: Int) throws(ParquetError) -> Int {
    let width = PlainConversion.byteWidth(shape.conversion) ?? (shape.conversion == .bool ? 1 : 8)
    guard !shape.isFlat || shape.conversion == .bytes else { return rowCount * width }
    // Entries a row, on the average of what is left.
    let entryCount = min(entriesLeft, Int((Double(rowCount) * Double(entriesLeft) / Double(max(rowsLeft, 1))).rounded(.up)))
    guard shape.conversion == .bytes else { return entryCount * (width + 2) }
    var (found, byteCount) = (0, entryCount * width)
    if let page, page.entriesLeft > 0 {
      found = min(entryCount, page.entriesLeft)
      byteCount += page.values.estimatedByteCount(of: found, dictionary: dictionary)
    }
    guard found < entryCount, var next = try nextDataPage() else { return byteCount }
    var walker = pages
    while found < entryCount {
      let count = min(entryCount - found, next.header.valueCount)
      if next.header.isDataPage {
        if next.header.encoding == .rleDictionary || next.header.encoding == .plainDictionary {
          byteCount += count * (dictionary?.averageByteCount ?? 0)
        } else if count > 0 {
          byteCount += Int(Double(next.header.uncompressedByteCount) * Double(count) / Double(next.header.valueCount))
        }
        found += count
      }
      walker.advance(behind: next)
      // The headers are checked when the pages are read: an estimate only stops at what is not one.
      guard found < entryCount, let following = try? walker.peek() else { break }
      next = following
    }
    return byteCount
  }
}
