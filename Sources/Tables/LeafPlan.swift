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
  /// So many wait for rows that are put in order beside their encoding.
  private static let jobCountMaxBesideInput = 16

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
    try append(HashedRows(rows, rule: rule, layout: layout), jobCountMax: Self.jobCountMax)
  }

  private mutating func append(_ hashed: HashedRows, jobCountMax: Int) throws {
    let rows = hashed.rows
    var start = 0
    for row in 0..<rows.rowCount where rule.isCut(hash: hashed.hashes[row], rowsIncludingThis: waitingRowCount + row - start + 1) {
      let part = rows.slice(from: start, count: row + 1 - start)
      let firstKey = waiting.isEmpty ? hashed.key(start) : waitingFirstKey
      try addJob(LeafJob(rows: waiting + [part], firstKey: firstKey, lastKey: hashed.key(row)), jobCountMax: jobCountMax)
      waiting = []
      waitingRowCount = 0
      start = row + 1
    }
    guard start < rows.rowCount else { return }
    if waiting.isEmpty { waitingFirstKey = hashed.key(start) }
    waiting.append(start == 0 ? rows : rows.slice(from: start, count: rows.rowCount - start))
    waitingRowCount += rows.rowCount - start
  }

  /// Adds sorted rows of an input, which are put in order and hashed on all processors, some at a time; beside it the leaves of
  /// the rows before are encoded, so that no processor waits for the last of either.
  mutating func append(_ input: SortedInput, _ rows: Range<Int>) throws {
    let step = SortedInput.scanRowCount
    let group = 16 * step
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: group) {
      let starts = Array(stride(from: first, to: min(rows.upperBound, first + group), by: step))
      let (rule, layout) = (rule, layout)
      let parts = try flush(beside: starts) { start in
        HashedRows(input.batch(start..<min(rows.upperBound, start + step)), rule: rule, layout: layout)
      }
      for part in parts { try append(part, jobCountMax: Self.jobCountMaxBesideInput) }
    }
  }

  /// The end of a partition always cuts.
  mutating func endPartition() throws {
    guard let last = waiting.last else { return }
    let lastKey = (try? KeyEncoder.encode(layout.primaryKey.map { last[$0]! }, row: last.rowCount - 1)) ?? []
    try addJob(LeafJob(rows: waiting, firstKey: waitingFirstKey, lastKey: lastKey), jobCountMax: Self.jobCountMaxBesideInput)
    waiting = []
    waitingRowCount = 0
  }

  private mutating func addJob(_ job: LeafJob, jobCountMax: Int) throws {
    partitions[partitions.count - 1].slots.append(.written(written.count + jobs.count))
    jobs.append(job)
    if jobs.count >= jobCountMax { try flush() }
  }

  private mutating func flush() throws { _ = try flush(beside: []) { (item: Int) in item } }

  /// Encodes and stores the leaves collected so far, and does other work beside it, on all processors; leaves that are already there
  /// are not written again.
  private mutating func flush<Item: Sendable, Result: Sendable>(
    beside items: [Item], _ body: @escaping @Sendable (Item) throws -> Result
  ) throws -> [Result] {
    let before = writtenRowCount
    let done = Mutex(before)
    let (layout, archive, progress, jobs) = (layout, archive, progress, jobs)
    // The largest leaf first: what is small fills in.
    let order = jobs.indices.sorted { jobs[$0].rowCount > jobs[$1].rowCount }
    let outcomes = try parallelMap(Array(0..<jobs.count + items.count)) { index -> FlushOutcome<Result> in
      guard index < jobs.count else { return .other(try body(items[index - jobs.count])) }
      let job = jobs[order[index]]
      let result = try job.write(layout: layout, to: archive)
      progress?(
        done.withLock { value in
          value += job.rowCount
          return value
        })
      return .leaf(entry: result.entry, isNew: result.isNew)
    }
    var entries = [LeafEntry?](repeating: nil, count: jobs.count)
    var others: [Result] = []
    for (index, outcome) in outcomes.enumerated() {
      switch outcome {
      case .leaf(let entry, let isNew):
        entries[order[index]] = entry
        if isNew { writtenLeafCount += 1 }
      case .other(let result): others.append(result)
      }
    }
    writtenRowCount = jobs.reduce(before) { $0 + $1.rowCount }
    written += entries.compactMap { $0 }
    self.jobs = []
    return others
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

private enum FlushOutcome<Other: Sendable>: Sendable {
  case leaf(entry: LeafEntry, isNew: Bool)
  case other(Other)
}

/// Rows with the hashes of their keys, by which they are cut.
private struct HashedRows: Sendable {
  let rows: Batch
  let hashes: [UInt64]
  private let keys: [Column]

  init(_ rows: Batch, rule: CutRule, layout: TableLayout) {
    self.rows = rows
    keys = layout.primaryKey.map { rows[$0]! }
    guard let encoded = try? KeyEncoder.encodeAll(keys, rows: 0..<rows.rowCount) else {
      preconditionFailure("A dataset with keys that cannot be encoded was created")
    }
    hashes = (0..<rows.rowCount).map { rule.hash(encoded[$0]) }
  }

  func key(_ row: Int) -> [UInt8] { (try? KeyEncoder.encode(keys, row: row)) ?? [] }
}

/// The rows of one leaf to be written, one batch after the other.
struct LeafJob: Sendable {
  let rows: [Batch]
  let firstKey: [UInt8]
  let lastKey: [UInt8]

  var rowCount: Int { rows.reduce(0) { $0 + $1.rowCount } }

  func write(layout: TableLayout, to archive: Archive) throws -> (entry: LeafEntry, isNew: Bool) {
    let all = Batch.concatenate(rows)
    let batch = Batch(schema: layout.schema, columns: all.columns, rowCount: all.rowCount)
    let identity = LeafIdentity(batch)
    let isNew = try !archive.hasLeaf(identity.id)
    if isNew {
      let bytes = try LeafFile.encode(batch, layout: layout, id: identity.id)
      try bytes.withBytes { try archive.putLeaf(identity.id, bytes: $0, digests: identity.digests) }
    }
    let entry = LeafEntry(firstKey: firstKey, lastKey: lastKey, rowCount: batch.rowCount, id: identity.id)
    return (entry, isNew)
  }
}
