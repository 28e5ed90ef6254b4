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
  private var waiting: [Batch] = []
  private var waitingRowCount = 0
  private var waitingFirstKey: [UInt8] = []
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
  var isAtCut: Bool { waitingRowCount == 0 }

  mutating func startPartition(_ number: Int64) { partitions.append((number, [])) }

  mutating func reuse(_ leaf: LeafEntry) { partitions[partitions.count - 1].slots.append(.kept(leaf)) }

  /// Adds rows behind those waiting and cuts as far as the rule allows.
  mutating func append(_ rows: Batch) throws {
    guard rows.rowCount > 0 else { return }
    let columns = layout.primaryKey.map { rows[$0]! }
    guard let keys = try? KeyEncoder.encodeAll(columns, rows: 0..<rows.rowCount) else {
      preconditionFailure("A dataset with keys that cannot be encoded was created")
    }
    var start = 0
    for row in 0..<rows.rowCount where rule.isCut(keyBytes: keys[row], rowsIncludingThis: waitingRowCount + row - start + 1) {
      let part = rows.slice(from: start, count: row + 1 - start)
      let firstKey = waiting.isEmpty ? Array(keys[start]) : waitingFirstKey
      try addJob(LeafJob(.batches(waiting + [part]), firstKey: firstKey, lastKey: Array(keys[row])))
      waiting = []
      waitingRowCount = 0
      start = row + 1
    }
    guard start < rows.rowCount else { return }
    if waiting.isEmpty { waitingFirstKey = Array(keys[start]) }
    waiting.append(start == 0 ? rows : rows.slice(from: start, count: rows.rowCount - start))
    waitingRowCount += rows.rowCount - start
  }

  /// Adds all rows of a partition that is new. They are put in order leaf by leaf, when they are written.
  /// - Precondition: nothing is waiting.
  mutating func append(_ input: SortedInput, _ rows: Range<Int>) throws {
    precondition(isAtCut, "A new partition does not start in the middle of a leaf")
    let hashes = try input.cutHashes(rule, rows)
    var start = rows.lowerBound
    for row in rows {
      let isLast = row + 1 == rows.upperBound
      guard isLast || rule.isCut(hash: hashes[row - rows.lowerBound], rowsIncludingThis: row - start + 1) else { continue }
      try addJob(
        LeafJob(.sorted(input, start..<row + 1), firstKey: input.encodedKey(start), lastKey: input.encodedKey(row)))
      start = row + 1
    }
  }

  /// The end of a partition always cuts.
  mutating func endPartition() throws {
    guard let last = waiting.last else { return }
    let lastKey = (try? KeyEncoder.encode(layout.primaryKey.map { last[$0]! }, row: last.rowCount - 1)) ?? []
    try addJob(LeafJob(.batches(waiting), firstKey: waitingFirstKey, lastKey: lastKey))
    waiting = []
    waitingRowCount = 0
  }

  private mutating func addJob(_ job: LeafJob) throws {
    partitions[partitions.count - 1].slots.append(.written(written.count + jobs.count))
    jobs.append(job)
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
          value += job.rowCount
          return value
        })
      return result
    }
    writtenRowCount = jobs.reduce(before) { $0 + $1.rowCount }
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
  enum Source: Sendable {
    /// One after the other.
    case batches([Batch])
    case sorted(SortedInput, Range<Int>)
  }

  private let source: Source
  let firstKey: [UInt8]
  let lastKey: [UInt8]

  init(_ source: Source, firstKey: [UInt8], lastKey: [UInt8]) {
    self.source = source
    self.firstKey = firstKey
    self.lastKey = lastKey
  }

  var rowCount: Int {
    switch source {
    case .batches(let batches): batches.reduce(0) { $0 + $1.rowCount }
    case .sorted(_, let rows): rows.count
    }
  }

  func write(layout: TableLayout, to archive: Archive) throws -> (entry: LeafEntry, isNew: Bool) {
    let rows =
      switch source {
      case .batches(let batches): Batch.concatenate(batches)
      case .sorted(let input, let rows): input.batch(rows)
      }
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
