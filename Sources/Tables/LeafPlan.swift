import Columns
import History
import Synchronization

/// Collects the leaves of partitions that are rewritten: those kept, and new ones cut at the canonical places, which are
/// encoded and stored some at a time, so that memory follows the size of a leaf and not of the table.
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
  private var written: [LeafEntry] = []
  private(set) var writtenLeafCount = 0
  private var writtenRowCount = 0
  /// Rows behind the last cut.
  private var waiting: Batch?
  private let progress: (@Sendable (_ rowCount: Int) -> Void)?

  /// So many leaves are encoded together, on all processors.
  static let jobCountMax = 6

  init(layout: TableLayout, archive: Archive, progress: (@Sendable (_ rowCount: Int) -> Void)? = nil) {
    self.layout = layout
    self.archive = archive
    self.progress = progress
    rule = CutRule(level: 0, targetRowCount: layout.leafRowCount)
  }

  /// No rows are waiting: the next leaf starts where a leaf starts.
  var isAtCut: Bool { waiting == nil }

  mutating func startPartition(_ number: Int64) { partitions.append((number, [])) }

  mutating func reuse(_ leaf: LeafEntry) { partitions[partitions.count - 1].slots.append(.kept(leaf)) }

  /// Adds rows behind those waiting and cuts as far as the rule allows.
  mutating func append(_ rows: Batch) throws {
    guard rows.rowCount > 0 else { return }
    let all = waiting.map { Batch.concatenate([$0, rows]) } ?? rows
    let columns = layout.primaryKey.map { all[$0]! }
    guard let keys = try? KeyEncoder.encodeAll(columns, rows: 0..<all.rowCount) else {
      preconditionFailure("A dataset with keys that cannot be encoded was created")
    }
    var start = 0
    for row in 0..<all.rowCount where rule.isCut(keyBytes: keys[row], rowsIncludingThis: row - start + 1) {
      try addJob(all.slice(from: start, count: row + 1 - start), firstKey: Array(keys[start]), lastKey: Array(keys[row]))
      start = row + 1
    }
    waiting = start == all.rowCount ? nil : all.slice(from: start, count: all.rowCount - start)
  }

  /// The end of a partition always cuts.
  mutating func endPartition() throws {
    guard let rest = waiting else { return }
    let columns = layout.primaryKey.map { rest[$0]! }
    if let keys = try? KeyEncoder.encodeAll(columns, rows: 0..<rest.rowCount) {
      try addJob(rest, firstKey: Array(keys[0]), lastKey: Array(keys[rest.rowCount - 1]))
    }
    waiting = nil
  }

  private mutating func addJob(_ rows: Batch, firstKey: [UInt8], lastKey: [UInt8]) throws {
    partitions[partitions.count - 1].slots.append(.written(written.count + jobs.count))
    jobs.append(LeafJob(rows: rows, firstKey: firstKey, lastKey: lastKey))
    if jobs.count >= Self.jobCountMax { try flush() }
  }

  /// Encodes and stores the leaves collected so far; those that are already there are not written again.
  private mutating func flush() throws {
    let before = writtenRowCount
    let done = Mutex(before)
    let (layout, archive, progress) = (layout, archive, progress)
    let results = try parallelMap(jobs) { job -> (entry: LeafEntry, isNew: Bool) in
      let result = try job.write(layout: layout, to: archive)
      progress?(
        done.withLock { value in
          value += job.rows.rowCount
          return value
        })
      return result
    }
    writtenRowCount = jobs.reduce(before) { $0 + $1.rows.rowCount }
    written += results.map(\.entry)
    writtenLeafCount += results.count { $0.isNew }
    jobs = []
  }

  /// The leaves of each partition; a partition without rows is left out.
  mutating func finish() throws -> [(number: Int64, leaves: [LeafEntry])] {
    try flush()
    return partitions.compactMap { partition in
      let leaves = partition.slots.map { slot -> LeafEntry in
        switch slot {
        case .kept(let entry): entry
        case .written(let index): written[index]
        }
      }
      return leaves.isEmpty ? nil : (partition.number, leaves)
    }
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
