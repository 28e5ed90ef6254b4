import Columns
import History
import Objects

/// The rows of a change: in memory, or, where they would take too much of it, as sorted runs in files.
package enum TableInput: Sendable {
  /// One batch after the other, in the order of the input.
  case batches([Batch])
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

  /// - Parameter batch: under the layout's schema.
  /// - Throws: `TableError` of kind `input` for a null key, `StoreError` when a run cannot be written.
  package mutating func add(_ batch: Batch) throws {
    guard batch.rowCount > 0 else { return }
    batches.append(batch)
    byteCount += batch.byteCount
    if byteCount >= runByteCount { try spill() }
  }

  package mutating func finish() throws -> TableInput {
    if runs != nil && !batches.isEmpty { try spill() }
    return runs.map { .runs($0) } ?? .batches(batches)
  }

  private mutating func spill() throws {
    let input = try SortedInput(batches, layout: layout)
    if conflict == nil, let found = try input.duplicateKey() {
      conflict = KeyConflict(
        kind: found.kind, count: found.count, firstKey: found.firstKey, inputRows: found.inputRows.map { $0 + rowCount })
    }
    var runs = try self.runs ?? SortedRuns(folder: archive.makeScratchFolder(), layout: layout)
    try runs.add(input)
    self.runs = runs
    rowCount += input.rowCount
    batches = []
    byteCount = 0
  }
}
