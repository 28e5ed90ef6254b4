import Columns
import History
import Objects
import Parquet

/// Rows on disk as several runs, each sorted by (partition, key), to be merged partition by partition.
package struct SortedRuns: SortedParts, Sendable {
  /// Rows of one partition next to each other in a run: one row group of the run's file.
  struct Block: Sendable {
    let partition: Int64
    let rowGroup: Int
    let rowCount: Int
  }

  struct Run: Sendable {
    let file: MappedFile
    let reader: ParquetReader
    let blocks: [Block]
    /// Whether its rows say where they came from and what they lack.
    let hasOrigins: Bool
  }

  let layout: TableLayout
  /// What rows lack; nil where none of them lacks a column.
  private(set) var shapes: RowShapes?
  private(set) var runs: [Run] = []
  private let folder: ScratchFolder
  /// Of a log: the batch that the rows get when they are read. One for all of them, it is no part of their order.
  fileprivate private(set) var batch: [UInt8]?

  /// Large enough that its pages compress well, small enough that one of each run fits into memory.
  private static let blockRowCount = 1 << 16

  init(folder: ScratchFolder, layout: TableLayout) {
    self.folder = folder
    self.layout = layout
  }

  /// The same rows of a log under another batch.
  func stamped(_ batch: [UInt8]) -> SortedRuns {
    var copy = self
    copy.batch = batch
    return copy
  }

  package var rowCount: Int { runs.reduce(0) { $0 + $1.blocks.reduce(0) { $0 + $1.rowCount } } }

  /// Partitions that have rows, ascending.
  var partitions: [Int64] { Set(runs.flatMap { $0.blocks.map(\.partition) }).sorted() }

  /// The same runs of rows that may lack columns.
  func lacking(_ shapes: RowShapes) -> SortedRuns {
    var copy = self
    copy.shapes = runs.contains(where: \.hasOrigins) ? shapes : nil
    return copy
  }

  /// Writes one run.
  /// - Parameters:
  ///   - shapes: by row of the input the number of its shape; nil for whole rows.
  ///   - firstRow: how many rows came in runs before.
  mutating func add(_ input: SortedInput, shapes: [Int32]? = nil, firstRow: Int = 0) throws {
    let file = try folder.makeFile("run-\(runs.count)")
    var options = ParquetWriterOptions()
    // Read once, soon, by us: what costs time is left out.
    options.codec = .lz4Raw
    options.pageIndex = false
    options.statistics = false
    options.crc = false
    options.rowGroupRowCount = Self.blockRowCount
    options.rowGroupByteCount = 1 << 40
    options.threadCount = 2
    var blocks: [Block] = []
    var writer = ParquetWriter(
      schema: Self.fileSchema(Schema(layout.schema.fields + (shapes == nil ? [] : RowOrigins.fields))), options: options)
    for (partition, rows) in input.partitions {
      for start in stride(from: rows.lowerBound, to: rows.upperBound, by: Self.blockRowCount) {
        let part = start..<min(rows.upperBound, start + Self.blockRowCount)
        let origins = shapes.map { shapes in
          part.map { input.inputRow($0) }.reduce(into: (rows: [Int64](), shapes: [Int32]())) { all, row in
            all.rows.append(Int64(firstRow + row))
            all.shapes.append(shapes[row])
          }
        }
        let columns = input.batch(part).columns + (origins.map { RowOrigins.columns($0.rows, $0.shapes) } ?? [])
        try writer.write(Batch(schema: writer.schema, columns: columns, rowCount: part.count)) { try file.write($0) }
        try writer.endRowGroup { try file.write($0) }
        blocks.append(Block(partition: partition, rowGroup: blocks.count, rowCount: part.count))
      }
    }
    try writer.finish { try file.write($0) }
    let mapped = try file.map()
    let reader = try ParquetReader(bytes: BufferSlice(owner: mapped, start: mapped.start, byteCount: mapped.byteCount))
    runs.append(Run(file: mapped, reader: reader, blocks: blocks, hasOrigins: shapes != nil))
  }

  /// Rows of a removal have nulls beside the key, whatever the contract asks of rows that stay.
  private static func fileSchema(_ schema: Schema) -> Schema {
    Schema(schema.fields.map { Field($0.name, $0.type, isNullable: true, id: $0.id) })
  }

  /// The rows of a partition from all runs, ascending by key, a part at a time.
  func cursor(_ partition: Int64) -> RunMerge { RunMerge(self, partition) }
}

extension RowOrigins {
  /// Columns of a run behind those of the layout's schema.
  fileprivate static let fields = [Field("_almanac_input_row", .int64), Field("_almanac_shape", .int32)]

  fileprivate static func columns(_ rows: [Int64], _ shapes: [Int32]) -> [Column] {
    [
      Column(type: .int64, count: rows.count, data: rows.withUnsafeBytes { BufferSlice(copying: $0) }),
      Column(type: .int32, count: shapes.count, data: shapes.withUnsafeBytes { BufferSlice(copying: $0) }),
    ]
  }

  /// Of whole rows, whose places are not known.
  fileprivate static func unknown(_ count: Int) -> [Column] {
    columns(Array(repeating: -1, count: count), Array(repeating: 0, count: count))
  }

  fileprivate init(_ columns: ArraySlice<Column>) {
    let columns = Array(columns)
    self.init(
      shapes: columns[1].values(Int32.self).array, inputRows: columns[0].values(Int64.self).array.map { Int($0) })
  }
}

/// Merges the runs of one partition.
struct RunMerge: SortedPartCursor {
  private struct Cursor {
    let file: MappedFile
    let reader: ParquetReader
    let hasOrigins: Bool
    var blocks: ArraySlice<SortedRuns.Block>
    var current: Batch?
  }

  private let layout: TableLayout
  private let logBatch: [UInt8]?
  private let shapes: RowShapes?
  private var cursors: [Cursor]
  private var readBlockCount = 0
  /// 64 blocks of 64 Ki rows: some hundred megabytes at most between two releases.
  private static let releaseBlockCount = 64

  fileprivate init(_ runs: SortedRuns, _ partition: Int64) {
    layout = runs.layout
    logBatch = runs.batch
    shapes = runs.shapes
    cursors = runs.runs.map { run in
      Cursor(
        file: run.file, reader: run.reader, hasOrigins: run.hasOrigins,
        blocks: run.blocks.filter { $0.partition == partition }[...])
    }
    cursors.removeAll { $0.blocks.isEmpty }
  }

  /// The next rows; nil at the end. Equal keys of several runs come in one part, next to each other.
  /// - Complexity: O(bytes of the rows), with a sort of nearly sorted rows
  mutating func next() throws -> SortedPart? {
    try refill()
    guard !cursors.isEmpty else { return nil }
    // No run has, in what is not read yet, a key at or below the least of the last keys in memory, save that very key.
    var bound = 0
    for index in cursors.indices.dropFirst() where compareLast(index, bound) < 0 { bound = index }
    var parts: [Batch] = []
    let limit = cursors[bound].current!
    for index in cursors.indices {
      let batch = cursors[index].current!
      let count = index == bound ? batch.rowCount : Self.rowCount(in: keys(batch), notBehind: keys(limit), limit.rowCount - 1)
      guard count > 0 else { continue }
      parts.append(batch.slice(from: 0, count: count))
      cursors[index].current = count == batch.rowCount ? nil : batch.slice(from: count, count: batch.rowCount - count)
    }
    let all = Batch.concatenate(parts)
    let sorted = SortKernel.permutation(by: keys(all)).map { all.take($0) } ?? all
    let fieldCount = layout.schema.fields.count
    guard shapes != nil else { return SortedPart(rows: sorted, origins: nil) }
    let rows = Batch(schema: layout.schema, columns: Array(sorted.columns[..<fieldCount]), rowCount: sorted.rowCount)
    return SortedPart(rows: rows, origins: RowOrigins(sorted.columns[fieldCount...]))
  }

  private mutating func refill() throws {
    for index in cursors.indices where cursors[index].current == nil {
      guard let block = cursors[index].blocks.popFirst() else { continue }
      let batch = try cursors[index].reader.read(rowGroup: block.rowGroup, threads: 2)
      guard !cursors[index].file.isLost else {
        throw TableError(.corrupt, "Cannot read rows that were set aside in the repository's tmp folder: their file was shortened")
      }
      let fields = layout.schema.fields + (shapes == nil ? [] : RowOrigins.fields)
      let columns = batch.columns + (shapes == nil || cursors[index].hasOrigins ? [] : RowOrigins.unknown(batch.rowCount))
      let rows = Batch(schema: Schema(fields), columns: columns, rowCount: batch.rowCount)
      cursors[index].current = logBatch.map { rows.stamped($0) } ?? rows
      // Mapped pages count as the process's memory; decoded columns do not point into them for long.
      readBlockCount += 1
      if readBlockCount % Self.releaseBlockCount == 0 { for cursor in cursors { cursor.file.releasePages() } }
    }
    cursors.removeAll { $0.current == nil }
  }

  private func keys(_ batch: Batch) -> [Column] { layout.primaryKey.map { batch[$0]! } }

  private func compareLast(_ a: Int, _ b: Int) -> Int {
    let (x, y) = (cursors[a].current!, cursors[b].current!)
    return SortKernel.compareRows(keys(x), x.rowCount - 1, keys(y), y.rowCount - 1)
  }

  private static func rowCount(in keys: [Column], notBehind limit: [Column], _ row: Int) -> Int {
    var low = 0
    var high = keys[0].count
    while low < high {
      let middle = low + (high - low) / 2
      if SortKernel.compareRows(keys, middle, limit, row) <= 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
