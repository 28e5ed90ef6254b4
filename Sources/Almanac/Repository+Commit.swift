import Checks
import Columns
import Foundation
import History
import JSON
import Objects
import Tables

/// One `DATASET=FILE` of a commit.
public struct CommitInput: Sendable {
  public let dataset: String
  /// A file's path, or `-` for standard input.
  public let path: String

  public init(dataset: String, path: String) {
    self.dataset = dataset
    self.path = path
  }
}

/// What a commit did.
package struct CommitReport: Sendable {
  package struct Dataset: Sendable {
    package let name: String
    package let addedCount: Int
    package let changedCount: Int
    package let removedCount: Int
    package let rowCount: Int
    package let root: RootID
    package let warnings: [String]
    /// Columns that the files did not have, in the order of the contract.
    package let absences: [Absence]
  }

  /// A column that rows of the input did not bring: it stays as it is where an upsert meets a row that exists, and is null in any
  /// other row.
  package struct Absence: Sendable, Hashable {
    package let column: String
    /// How many rows did not bring it.
    package let rowCount: Int
    /// Whether no row did.
    package let isEverywhere: Bool

    package init(column: String, rowCount: Int, isEverywhere: Bool) {
      self.column = column
      self.rowCount = rowCount
      self.isEverywhere = isEverywhere
    }
  }

  /// nil when nothing changed, and so nothing was committed.
  package let commit: CommitID?
  package let branch: String
  package let datasets: [Dataset]
}

/// Where long work is: rows done of rows to do, and what is being done.
package typealias ProgressHandler = @Sendable (_ phase: String, _ done: Int, _ total: Int) -> Void

extension Repository {
  /// How often a change is recomputed on a new parent before it gives up; a writer's turn (`Archive.writerTurn`) ends a race
  /// long before, unless something that takes no turns moves the branch again and again.
  static let raceCountMax = 100

  /// A quarter of the machine's memory, and no more than rows of a large table need to be sorted in few runs.
  package static let defaultMemoryByteCount = min(Int(clamping: ProcessInfo.processInfo.physicalMemory / 4), 4 << 30)

  /// Commits files to datasets, all of them or none.
  ///
  /// The files are checked against their contracts first; a refused commit changes nothing. When another writer moves the
  /// branch meanwhile, the change is recomputed on the new tip.
  /// - Parameter memoryByteCount: about what rows may take while they are read and sorted; more go through files.
  /// - Throws: `AlmanacError`: `failed` with the verdict when a rule or key is violated, `notFound` for an unknown dataset.
  package func commit(
    _ inputs: [CommitInput], mode: ChangeMode, message: String, author: String? = nil, branch: String? = nil,
    provenance: Provenance = Provenance(), memoryByteCount: Int = defaultMemoryByteCount, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> CommitReport {
    guard !inputs.isEmpty else { throw AlmanacError(.usage, "Nothing to commit: name at least one DATASET=FILE") }
    let head = try headBranch()
    let branch = branch ?? head
    let origin = try resolve(provenance, parameters: ["command": "commit", "mode": .string(mode.rawValue)])
    var staged: [StagedRows]?
    let report = try tryingOnTip(of: branch) { (current) throws(AlmanacError) -> CommitReport? in
      // A branch that is not there yet starts at the current one.
      var parent = current
      if current == nil && branch != head { parent = try currentTip() }
      let lease = current == nil ? try parent.map { (id) throws(AlmanacError) in try self.lease([id]) } : nil
      defer { withExtendedLifetime(lease) {} }
      let definitions = try definitions(at: parent)
      let rows: [StagedRows]
      let datasets = try parent.map { (id) throws(AlmanacError) in try self.commit(id).datasets } ?? [:]
      if let staged, try isCurrent(staged, mode, definitions, datasets, parent) {
        rows = staged
      } else {
        let staging = Staging(
          mode: mode, definitions: definitions, datasets: datasets, parent: parent, memoryByteCount: memoryByteCount)
        rows = try stage(inputs, staging, progress: progress)
        staged = rows
      }
      return try attempt(
        rows, mode: mode, message: message, author: author, origin: origin, branch: branch, current: current, parent: parent,
        progress: progress)
    }
    if let report { return report }
    throw AlmanacError(
      .failed, "Branch \(branch) was moved by other writers \(Self.raceCountMax) times; nothing was committed", hint: "Try again.")
  }

  /// One try on one parent; nil when another writer was first.
  private func attempt(
    _ staged: [StagedRows], mode: ChangeMode, message: String, author: String?, origin: ResolvedProvenance,
    branch: String, current: CommitID?, parent: CommitID?, progress: ProgressHandler?
  ) throws(AlmanacError) -> CommitReport? {
    let old = try parent.map { (id) throws(AlmanacError) in try commit(id) }
    var draft = archive.draft()
    var datasets = old?.datasets ?? [:]
    var reports: [CommitReport.Dataset] = []
    var verdicts: [String: JSON] = [:]
    // Drawn for each try: what another writer has committed meanwhile is older than this.
    let batchTime = try commitTime(after: [parent])
    let batch = LogKey.drawBatch(timeMicros: batchTime)
    for rows in staged {
      let input = rows.contract.kind == .log ? rows.input.stamped(batch: batch) : rows.input
      let (content, gate) = try apply(rows, input, mode: mode, onto: old?.datasets[rows.dataset], progress: progress)
      let verdict = rows.verdict(on: content, of: gate)
      guard verdict.passed else { throw Self.refusal(by: verdict) }
      verdicts[rows.dataset] = verdict.json
      let root = content.addRoot(to: &draft)
      datasets[rows.dataset] = DatasetRef(root: root, rows: content.rowCount)
      reports.append(
        CommitReport.Dataset(
          name: rows.dataset, addedCount: content.addedCount, changedCount: content.changedCount,
          removedCount: content.removedCount, rowCount: content.rowCount, root: root,
          warnings: verdict.warnings.map { "\($0.rule.text): \($0.failedCount) of \($0.evaluatedCount)" }, absences: rows.absences))
    }
    if let old, datasets == old.datasets { return CommitReport(commit: nil, branch: branch, datasets: reports) }
    let time = max(batchTime, try commitTime(after: [parent]))
    let created = Commit(
      parents: parent.map { [$0] } ?? [], datasets: datasets,
      definitions: old?.definitions ?? draft.addBlob(Definitions().json.canonicalBytes),
      author: author ?? Self.defaultAuthor, message: message, timeMicros: time,
      inputs: staged.flatMap(\.inputs) + origin.inputs, producer: origin.producer,
      verdicts: draft.addBlob(JSON.object(verdicts).canonicalBytes))
    return try AlmanacError.translating {
      let id = draft.addCommit(created)
      switch try archive.publish(&draft, commit: id, to: branch, expecting: current, reason: "commit: \(message)") {
      case .moved: return CommitReport(commit: id, branch: branch, datasets: reports)
      case .lostRace: return nil
      }
    }
  }

  /// - Returns: the content, and the gate that has seen all rows as they are in it.
  private func apply(
    _ staged: StagedRows, _ input: TableInput, mode: ChangeMode, onto reference: DatasetRef?, progress: ProgressHandler?
  ) throws(AlmanacError) -> (TableContent, Gate) {
    let name = staged.dataset
    let check = CompletionCheck(staged)
    let outcome = try AlmanacError.translating { () -> ChangeOutcome in
      let base = try reference.map { try TableVersion(archive: archive, root: $0.root) }
      let writer = TableWriter(archive: archive, layout: staged.layout, policy: tailPolicy) { progress?("writing \(name)", $0, $1) }
      return try writer.apply(mode, input, onto: base, observer: check)
    }
    switch outcome {
    case .content(let content): return (content, check.gate)
    case .conflict(let conflict): throw refusal(of: conflict, staged)
    }
  }

  func refusal(of conflict: KeyConflict, _ staged: StagedRows) -> AlmanacError {
    let key = conflict.firstKey.map { "\($0.name)=\($0.value.text)" }.joined(separator: ", ")
    let rows = conflict.count == 1 ? "1 row" : "\(conflict.count) rows"
    // Rows that went through files are in no order of the input any more.
    let place = conflict.inputRows.first.map { " in \(staged.place(ofRow: $0))" } ?? ""
    switch conflict.kind {
    case .duplicateInInput:
      return AlmanacError(
        .failed,
        "Cannot commit to \(staged.dataset): \(rows) of the input repeat the primary key of another row; the first is (\(key))\(place)",
        hint: "Remove the duplicates, or add a column to the primary key that tells them apart.")
    case .alreadyThere:
      return AlmanacError(
        .failed,
        "Cannot append to \(staged.dataset): \(rows) of the input have a primary key that is there already; the first is (\(key))\(place)",
        hint: "Use --mode upsert to replace rows that exist.")
    }
  }

  /// The time of a new commit: that of the clock, but later than the commits that it builds on or takes rows from.
  ///
  /// Batches of logs are made of it, and ascend along history because it does, whatever the clocks of the machines say.
  func commitTime(after commits: [CommitID?]) throws(AlmanacError) -> Int64 {
    var time = Self.nowMicros()
    for id in commits.compactMap({ $0 }) {
      let (next, overflow) = try commit(id).timeMicros.addingReportingOverflow(1)
      time = max(time, overflow ? .max : next)
    }
    return time
  }

  static func nowMicros() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
  }

  /// `ALMANAC_AUTHOR`, else the user's login name.
  static var defaultAuthor: String {
    let environment = ProcessInfo.processInfo.environment
    return environment["ALMANAC_AUTHOR"] ?? environment["USER"] ?? NSUserName()
  }

  /// - Parameter fields: what `ColumnIdentity` has to record.
  static func producer(_ parameters: [String: JSON], fields: JSON? = nil) -> JSON {
    var members: [String: JSON] = [
      "program": "almanac", "version": .string(AlmanacVersion.text), "parameters": .object(parameters),
    ]
    members[ColumnIdentity.member] = fields
    return .object(members)
  }
}

/// This build of Almanac.
public enum AlmanacVersion {
  public static let text = "0.1.0"
}
