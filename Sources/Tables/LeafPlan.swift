import Columns
import History
import Synchronization

/// Collects the leaves of a new version, kept and to be written, and cuts waiting rows at the canonical places.
struct LeafPlan {
  private enum Slot {
    case kept(LeafEntry)
    case written(Int)
  }

  private let layout: TableLayout
  private let archive: Archive
  private let rule: CutRule
  private var partitions: [(number: Int64, slots: [Slot])] = []
  private var jobs: [LeafJob] = []
  /// Rows behind the last cut.
  private var waiting: Batch?
  var addedCount = 0
  var changedCount = 0
  var removedCount = 0
  private(set) var conflictCount = 0
  private(set) var conflictRows: [Int] = []

  init(layout: TableLayout, archive: Archive) {
    self.layout = layout
    self.archive = archive
    rule = CutRule(level: 0, targetRowCount: layout.leafRowCount)
  }

  /// No rows are waiting: the next leaf starts where a leaf starts.
  var isAtCut: Bool { waiting == nil }

  mutating func startPartition(_ number: Int64) { partitions.append((number, [])) }

  mutating func reuse(_ leaf: LeafEntry) { partitions[partitions.count - 1].slots.append(.kept(leaf)) }

  mutating func noteConflict(sortedRow: Int) {
    conflictCount += 1
    if conflictRows.count < 20 { conflictRows.append(sortedRow) }
  }

  /// Adds rows behind those waiting and cuts as far as the rule allows.
  mutating func append(_ rows: Batch) {
    guard rows.rowCount > 0 else { return }
    let all = waiting.map { Batch.concatenate([$0, rows]) } ?? rows
    let columns = layout.primaryKey.map { all[$0]! }
    guard let keys = try? KeyEncoder.encodeAll(columns, rows: 0..<all.rowCount) else {
      preconditionFailure("A dataset with keys that cannot be encoded was created")
    }
    var start = 0
    for row in 0..<all.rowCount where rule.isCut(keyBytes: keys[row], rowsIncludingThis: row - start + 1) {
      addJob(all.slice(from: start, count: row + 1 - start), firstKey: Array(keys[start]), lastKey: Array(keys[row]))
      start = row + 1
    }
    waiting = start == all.rowCount ? nil : all.slice(from: start, count: all.rowCount - start)
  }

  /// The end of a partition always cuts.
  mutating func endPartition() {
    guard let rest = waiting else { return }
    let columns = layout.primaryKey.map { rest[$0]! }
    if let keys = try? KeyEncoder.encodeAll(columns, rows: 0..<rest.rowCount) {
      addJob(rest, firstKey: Array(keys[0]), lastKey: Array(keys[rest.rowCount - 1]))
    }
    waiting = nil
  }

  private mutating func addJob(_ rows: Batch, firstKey: [UInt8], lastKey: [UInt8]) {
    partitions[partitions.count - 1].slots.append(.written(jobs.count))
    jobs.append(LeafJob(rows: rows, firstKey: firstKey, lastKey: lastKey))
  }

  /// Encodes and stores every new leaf, on all processors; leaves that are already there are not written again.
  func write(progress: (@Sendable (Int, Int) -> Void)?) throws -> TableContent {
    let total = jobs.reduce(0) { $0 + $1.rows.rowCount }
    let done = Mutex(0)
    let layout = layout
    let archive = archive
    progress?(0, total)
    let written = try parallelMap(jobs) { job -> (entry: LeafEntry, isNew: Bool) in
      let result = try job.write(layout: layout, to: archive)
      let sum = done.withLock { value -> Int in
        value += job.rows.rowCount
        return value
      }
      progress?(sum, total)
      return result
    }
    var parts: [(number: Int64, leaves: [LeafEntry])] = []
    for partition in partitions {
      let leaves = partition.slots.map { slot -> LeafEntry in
        switch slot {
        case .kept(let entry): entry
        case .written(let index): written[index].entry
        }
      }
      // A partition whose last row went is no longer there.
      if !leaves.isEmpty { parts.append((partition.number, leaves)) }
    }
    return TableContent(
      layout: layout, partitions: parts, addedCount: addedCount, changedCount: changedCount, removedCount: removedCount,
      writtenLeafCount: written.count { $0.isNew })
  }
}

/// The rows of one leaf to be written.
struct LeafJob: Sendable {
  let rows: Batch
  let firstKey: [UInt8]
  let lastKey: [UInt8]

  func write(layout: TableLayout, to archive: Archive) throws -> (entry: LeafEntry, isNew: Bool) {
    let batch = Batch(schema: layout.schema, columns: rows.columns, rowCount: rows.rowCount)
    let identity = LeafIdentity(batch)
    let isNew = try !archive.hasLeaf(identity.id)
    if isNew {
      let bytes = try LeafFile.encode(batch, layout: layout)
      try bytes.withBytes { try archive.putLeaf(identity.id, bytes: $0, digests: identity.digests) }
    }
    let entry = LeafEntry(firstKey: firstKey, lastKey: lastKey, rowCount: batch.rowCount, id: identity.id)
    return (entry, isNew)
  }
}
