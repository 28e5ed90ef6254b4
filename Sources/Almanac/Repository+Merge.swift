import Checks
import History
import JSON
import Objects
import Tables

/// A change to be brought onto the current branch: what leads from `base` to `theirs`.
struct Integration {
  /// None: the state before the first commit. Several: what they come to, the latest first.
  let bases: [CommitID]
  let theirs: CommitID?
  /// Parents of the new commit beside the branch's own.
  let otherParents: [CommitID]
  let message: String
  let author: String
  let reason: String
  let command: [String: JSON]
}

extension Repository {
  /// Merges another line of history into a branch: by key and by cell, definitions object by object.
  ///
  /// The base is the best common ancestor; several are put together first (`VirtualBases`). What both sides changed alike agrees;
  /// what they changed differently is a conflict. The result is checked against its contracts before the branch moves.
  /// - Parameters:
  ///   - spec: the commit to merge.
  ///   - branch: nil for the current one.
  ///   - fastForward: whether a branch without commits of its own just moves.
  /// - Returns: conflicts, when there are some and the strategy is `fail`; then nothing has changed.
  /// - Throws: `AlmanacError`: `failed` with the verdict when the result violates a contract.
  /// - Complexity: O(changes of both sides); datasets that one side changed are taken as they are
  package func merge(
    _ spec: String, into branch: String? = nil, strategy: MergeStrategy = .fail, message: String? = nil, author: String? = nil,
    fastForward: Bool = true
  ) throws(AlmanacError) -> MergeReport {
    let theirs = try resolve(spec)
    let lease = try lease([theirs])
    defer { withExtendedLifetime(lease) {} }
    let head = try headBranch()
    let branch = branch ?? head
    let virtual = VirtualBases(self, policy: tailPolicy)
    return try retrying(branch) { (tip) throws(AlmanacError) in
      guard let tip else { return try moveForward(branch, from: nil, to: theirs, spec) }
      let bases = try AlmanacError.translating { try archive.mergeBases(tip, theirs) }
      if bases == [theirs] { return MergeReport(outcome: .upToDate, branch: branch, commit: tip, bases: bases) }
      if bases == [tip] && fastForward { return try moveForward(branch, from: tip, to: theirs, spec) }
      let change = Integration(
        bases: bases, theirs: theirs, otherParents: [theirs], message: message ?? "Merge \(spec) into \(branch)",
        author: author ?? Self.defaultAuthor, reason: "merge \(spec)",
        command: ["command": "merge", "strategy": .string(strategy.rawValue)])
      return try integrate(change, over: virtual, into: branch, at: tip, strategy: strategy)
    }
  }

  /// Tries on the branch's tip until no other writer was faster.
  func retrying(
    _ branch: String, _ attempt: (_ tip: CommitID?) throws(AlmanacError) -> MergeReport?
  ) throws(AlmanacError) -> MergeReport {
    if let report = try tryingOnTip(of: branch, attempt) { return report }
    throw AlmanacError(
      .failed, "Branch \(branch) was moved by other writers \(Self.raceCountMax) times; nothing was changed", hint: "Try again.")
  }

  private func moveForward(_ branch: String, from tip: CommitID?, to commit: CommitID, _ spec: String) throws(AlmanacError) -> MergeReport?
  {
    let outcome = try AlmanacError.translating { () -> PublishOutcome in
      guard let tip else {
        try archive.createBranch(branch, at: commit, reason: "merge \(spec): fast-forward")
        return .moved
      }
      if let verdict = try MoveGate(archive: archive, old: tip, new: commit).refusal() { throw MergeGate.refusal(by: verdict) }
      return try archive.moveRef(branch, to: commit, expecting: tip, reason: "merge \(spec): fast-forward")
    }
    guard case .moved = outcome else { return nil }
    let before = try tip.map { (id) throws(AlmanacError) in try self.commit(id).datasets } ?? [:]
    var report = MergeReport(outcome: .fastForward, branch: branch, commit: commit, bases: tip.map { [$0] } ?? [])
    report.datasets = Self.taken(try self.commit(commit).datasets, before)
    return report
  }

  func state(at id: CommitID?) throws(AlmanacError) -> RepositoryState {
    guard let id else { return RepositoryState() }
    return RepositoryState(datasets: try commit(id).datasets, definitions: try definitions(at: id), commit: id)
  }

  /// One try of a three-way merge; nil when another writer was first.
  func integrate(
    _ change: Integration, over virtual: VirtualBases, into branch: String, at tip: CommitID, strategy: MergeStrategy
  ) throws(AlmanacError) -> MergeReport? {
    let (ours, theirs, ancestor) = (try state(at: tip), try state(at: change.theirs), try state(at: change.bases.first))
    let base = change.bases.count > 1 ? MergeBase.ancestors(change.bases, virtual) : .state(ancestor, archive)
    let isRewrite = change.otherParents.isEmpty
    var draft = archive.draft()
    let merge = try AlmanacError.translating {
      // Settled for theirs, it is their version that the other side's changes are put on.
      try StateMerge(
        archive, policy: tailPolicy, base: base, first: strategy == .theirs ? theirs : ours, second: strategy == .theirs ? ours : theirs,
        isSettled: strategy != .fail, asks: .init(isOursFirst: strategy != .theirs, isRewrite: isRewrite), draft: &draft)
    }
    if merge.hasConflicts && strategy == .fail {
      var report = MergeReport(outcome: .conflict, branch: branch, commit: tip, bases: change.bases)
      report.rowConflicts = merge.rowConflicts
      report.definitionConflicts = merge.definitionConflicts
      return report
    }
    if isRewrite && merge.result == ours {
      return MergeReport(outcome: .upToDate, branch: branch, commit: tip, bases: change.bases)
    }
    let result = merge.result
    let verdicts = try AlmanacError.translating {
      let line = change.theirs.map { (tip: $0, ours: tip) }
      return try MergeGate(archive: archive, base: ancestor, ours: ours, theirs: theirs, isRewrite: isRewrite, line: line)
        .verdicts(of: result, merged: merge.verdicts)
    }
    let fields = try AlmanacError.translating {
      var identity = ColumnIdentity(archive)
      return try identity.record(merge.layouts, under: result.definitions.contracts, after: tip)
    }
    let created = Commit(
      parents: [tip] + change.otherParents, datasets: result.datasets,
      definitions: draft.addBlob(result.definitions.json.canonicalBytes), author: change.author, message: change.message,
      timeMicros: try commitTime(after: change.bases + [tip, change.theirs]), inputs: [],
      producer: Self.producer(change.command, fields: fields),
      verdicts: verdicts.isEmpty ? nil : draft.addBlob(JSON.object(verdicts.mapValues(\.json)).canonicalBytes))
    let id = draft.addCommit(created)
    let outcome = try AlmanacError.translating {
      try archive.publish(&draft, commit: id, to: branch, expecting: tip, reason: change.reason)
    }
    guard case .moved = outcome else { return nil }
    var report = MergeReport(outcome: .merged, branch: branch, commit: id, bases: change.bases)
    report.datasets = Self.taken(result.datasets, ours.datasets).map { dataset in
      let warnings = verdicts[dataset.name]?.warnings ?? []
      return MergeReport.Dataset(
        name: dataset.name, rowCount: dataset.rowCount, root: dataset.root,
        // Counted against the side that the merge was put on.
        counts: strategy == .theirs ? nil : merge.counts[dataset.name],
        warnings: warnings.map { "\($0.rule.text): \($0.failedCount) of \($0.evaluatedCount)" })
    }
    return report
  }

  private static func taken(_ after: [String: DatasetRef], _ before: [String: DatasetRef]) -> [MergeReport.Dataset] {
    after.filter { before[$0.key] != $0.value }.sorted { $0.key < $1.key }
      .map { MergeReport.Dataset(name: $0.key, rowCount: $0.value.rows, root: $0.value.root, counts: nil, warnings: []) }
  }
}
