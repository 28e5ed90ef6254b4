import Columns
import History
import Objects

/// The rows of a change: in memory, or, where they would take too much of it, as sorted runs in files.
package enum TableInput: Sendable {
  /// One batch after the other, in the order of the input.
  case batches([Batch])
  /// The same where rows lack columns.
  case partial(PartialRows)
  case runs(SortedRuns)

  package static func rows(_ batch: Batch) -> TableInput { .batches([batch]) }
}

/// Collects the rows of a change within a limit of memory: what would exceed it goes to a file as a sorted run.
///
/// Used by one thread.
package struct InputCollector {
  private let archive: Archive
  private let layout: TableLayout
  private let runByteCount: Int
  private var batches: [Batch] = []
  private var byteCount = 0
  private var rowCount = 0
  private var runs: SortedRuns?
  /// By waiting row the number of its shape, once one of them lacks a column.
  private var shapes: [Int32]?
  /// Set once a run repeats a key.
  private(set) package var conflict: KeyConflict?

  /// Sorting takes about as much again as the rows, and what reads and decodes them the rest.
  private static let sharesOfMemory = 4

  /// - Parameters:
  ///   - layout: the rows' schema, key and partitions.
  ///   - memoryByteCount: about what collecting and sorting may take.
  package init(archive: Archive, layout: TableLayout, memoryByteCount: Int) {
    self.archive = archive
    self.layout = layout
    runByteCount = max(1, memoryByteCount / Self.sharesOfMemory)
  }

  /// - Parameters:
  ///   - batch: under the layout's schema.
  ///   - shapes: for each row the number, among those that `finish` gets, of the columns that it lacks; nil for whole rows.
  /// - Throws: `TableError` of kind `input` for a null key, `StoreError` when a run cannot be written.
  package mutating func add(_ batch: Batch, shapes numbers: [Int32]? = nil) throws {
    guard batch.rowCount > 0 else { return }
    if numbers != nil || shapes != nil {
      if shapes == nil { shapes = Array(repeating: 0, count: batches.reduce(0) { $0 + $1.rowCount }) }
      shapes?.append(contentsOf: numbers ?? Array(repeating: 0, count: batch.rowCount))
      byteCount += batch.rowCount * MemoryLayout<Int32>.size
    }
    batches.append(batch)
    byteCount += batch.byteCount
    if byteCount >= runByteCount { try spill() }
  }

  /// - Parameter shapes: what the rows lack; only for a change that puts rows in place (`ChangeMode.upsert`).
  package mutating func finish(shapes known: RowShapes = RowShapes()) throws -> TableInput {
    if runs != nil && !batches.isEmpty { try spill() }
    if let runs { return .runs(runs.lacking(known)) }
    guard let shapes else { return .batches(batches) }
    return .partial(PartialRows(batches: batches, shapes: known, numbers: shapes, byteCountMax: runByteCount))
  }

  private mutating func spill() throws {
    let input = try SortedInput(batches, layout: layout)
    if conflict == nil, let found = try input.duplicateKey() {
      conflict = KeyConflict(
        kind: found.kind, count: found.count, firstKey: found.firstKey, inputRows: found.inputRows.map { $0 + rowCount })
    }
    var runs = try self.runs ?? SortedRuns(folder: archive.makeScratchFolder(), layout: layout)
    try runs.add(input, shapes: shapes, firstRow: rowCount)
    self.runs = runs
    rowCount += input.rowCount
    batches = []
    shapes = nil
    byteCount = 0
  }
}
