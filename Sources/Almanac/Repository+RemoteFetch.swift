import History
import Objects

/// What `fetch` learned.
package struct FetchReport: Sendable {
  package struct Move: Sendable {
    /// `origin/main`, or a tag.
    package let ref: String
    /// nil when it was not known here.
    package let old: CommitID?
    package let new: CommitID
  }

  package let remote: RemoteEntry
  package var moves: [Move] = []
  package var transfer = TransferReport()
  /// What was left as it is, in whole sentences.
  package var notes: [String] = []
}

/// What `pull` did to the branch.
package struct PullReport: Sendable {
  package enum Outcome: String, Sendable {
    case created, upToDate, fastForward, ahead, merged
  }

  package let fetch: FetchReport
  package let branch: String
  package let outcome: Outcome
  package let old: CommitID?
  package let new: CommitID
}

extension Repository {
  /// Gets what a remote has and this repository lacks, and lets `REMOTE/BRANCH` stand for what each of its branches stands
  /// for, at each time for what it stood for there. Branches of this repository stay; tags that it lacks are made.
  /// - Parameter name: nil for `origin`, or the only one there is.
  package func fetch(
    _ name: String? = nil, through door: RemoteDoor, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> FetchReport {
    let remote = try remote(named: name)
    let far = try door.open(remote.address)
    return try AlmanacError.translating { try mirror(far, remote, only: nil, progress: progress) }
  }

  /// So often a transfer begins again that found something gone: refs may have moved back there meanwhile, and a gc may have taken
  /// what they had stood for; or one took what had arrived before a ref named it, where nothing could keep it.
  private static let transferCountMax = 5

  /// A transfer, from the look at refs to the move of a ref, begun again when something that was there is gone.
  static func transferring<Report>(_ body: () throws -> Report) throws -> Report {
    for _ in 1..<transferCountMax {
      do {
        return try body()
      } catch let error as StoreError where error.kind == .notFound {}
    }
    return try body()
  }

  /// - Parameter only: the branch or tag to look at; nil for all.
  func mirror(_ far: any Remote, _ remote: RemoteEntry, only: String?, progress: ProgressHandler?) throws -> FetchReport {
    try Self.transferring {
      try far.working { far in
        try asRemote.working { here in try mirror(far, into: here, remote, only: only, progress: progress) }
      }
    }
  }

  /// - Parameters: both for this one transfer.
  private func mirror(
    _ far: any Remote, into here: any Remote, _ remote: RemoteEntry, only: String?, progress: ProgressHandler?
  ) throws -> FetchReport {
    var report = FetchReport(remote: remote)
    let refs = try far.state().refs.filter { only == nil || $0.name == only }
    var wanted: [(ref: Ref, local: String, before: Ref?, steps: [RefStep])] = []
    for ref in refs {
      let local = ref.kind == .branch ? Self.trackingName(remote.name, ref.name) : ref.name
      let before = try archive.ref(named: local)
      if let before, before.kind != (ref.kind == .branch ? .tracking : ref.kind) {
        report.notes.append("\(ref.kind.name) \(ref.name) of \(remote.name) was left out: there is a \(before.kind.name) \(local) here")
        continue
      }
      if let before, ref.kind == .tag {
        if before.commit != ref.commit {
          report.notes.append("Tag \(ref.name) stays at \(before.commit.short); that of \(remote.name) is at \(ref.commit.short)")
        }
        continue
      }
      wanted.append((ref, local, before, try steps(of: ref.name, in: far, after: archive.lastMoveMicros(of: local))))
    }
    // What the log names is asked for too, as far as it is still there, so that a branch at a time can be read here.
    let logged = Set(wanted.flatMap { $0.steps.compactMap(\.new) }).subtracting(wanted.map(\.ref.commit))
    let lost = Set(try far.missing(logged.map { ObjectKey(kind: .commit, id: $0.hash) }).map(\.id))
    let tips = wanted.map(\.ref.commit) + logged.filter { !lost.contains($0.hash) }.sorted()
    var transfer = Transfer(from: far, to: here) { done, total in progress?("receiving", done, total) }
    report.transfer = try transfer.copy(tips)
    let gone = wanted.flatMap(\.steps).filter { step in
      [step.old, step.new].contains { $0.map { lost.contains($0.hash) } ?? false }
    }
    if let last = gone.map(\.timeMicros).max() { try archive.noteExpired(upToMicros: last) }
    for (ref, local, before, steps) in wanted {
      let kind: RefKind = ref.kind == .branch ? .tracking : .tag
      let outcome = try archive.importRef(
        local, kind, at: ref.commit, expecting: before?.commit, steps: steps, reason: "fetch \(remote.name)")
      // Who was faster has fetched the same, or something newer.
      guard case .moved = outcome, before?.commit != ref.commit else { continue }
      report.moves.append(.init(ref: local, old: before?.commit, new: ref.commit))
    }
    return report
  }

  /// The log of a ref elsewhere after a time.
  private func steps(of ref: String, in far: any Remote, after timeMicros: Int64?) throws -> [RefStep] {
    var found: [RefStep] = []
    while true {
      let more = try far.moves(of: ref, afterMicros: found.last?.timeMicros ?? timeMicros ?? .min)
      if more.isEmpty { return found }
      guard more.first.map({ $0.timeMicros > found.last?.timeMicros ?? .min }) ?? false else {
        throw StoreError(kind: .corrupt, text: "Cannot read the log of \(ref) in \(far.location): its times do not ascend")
      }
      found += more
    }
  }

  /// Fetches, and brings a branch to where that of the remote is.
  ///
  /// A branch that is not here yet is made, with its log. Histories that diverged are merged.
  /// - Parameter branch: nil for the current one.
  package func pull(
    _ name: String? = nil, branch: String? = nil, through door: RemoteDoor, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> PullReport {
    let fetched = try fetch(name, through: door, progress: progress)
    let head = try headBranch()
    let branch = branch ?? head
    let tracking = Self.trackingName(fetched.remote.name, branch)
    guard let target = try AlmanacError.translating(nil, { try archive.ref(named: tracking) }), target.kind == .tracking else {
      throw AlmanacError(.notFound, "\(fetched.remote.name) has no branch \(branch)")
    }
    func report(_ outcome: PullReport.Outcome, _ old: CommitID?, _ new: CommitID) -> PullReport {
      PullReport(fetch: fetched, branch: branch, outcome: outcome, old: old, new: new)
    }
    guard let tip = try tip(of: branch) else {
      try createBranch(branch, from: target)
      return report(.created, nil, target.commit)
    }
    if tip == target.commit { return report(.upToDate, tip, tip) }
    let (isBehind, isAhead) = try AlmanacError.translating {
      (try archive.isReachable(tip, from: target.commit), try archive.isReachable(target.commit, from: tip))
    }
    if isAhead { return report(.ahead, tip, tip) }
    guard isBehind else { return report(.merged, tip, try mergePulled(target, into: branch)) }
    let outcome = try AlmanacError.translating {
      try archive.moveRef(branch, to: target.commit, expecting: tip, reason: "pull: fast-forward to \(tracking)")
    }
    guard case .moved = outcome else {
      throw AlmanacError(.failed, "Branch \(branch) was moved by another writer while it was pulled", hint: "Pull again.")
    }
    return report(.fastForward, tip, target.commit)
  }

  /// Makes a branch of what a remote's branch stands for, with its log.
  func createBranch(_ branch: String, from target: Ref) throws(AlmanacError) {
    try AlmanacError.translating {
      var steps: [RefStep] = []
      while true {
        let more = try archive.steps(of: target.name, afterMicros: steps.last?.timeMicros ?? .min)
        if more.isEmpty { break }
        steps += more
      }
      let outcome = try archive.importRef(
        branch, .branch, at: target.commit, expecting: nil, steps: steps, reason: "branch from \(target.name)")
      guard case .moved = outcome else {
        throw AlmanacError(.failed, "Branch \(branch) was made by another writer meanwhile", hint: "Try again.")
      }
    }
  }

  /// The one place where a pull meets histories that diverged.
  /// - Returns: the merge commit that the branch stands for now.
  private func mergePulled(_ target: Ref, into branch: String) throws(AlmanacError) -> CommitID {
    let report = try merge(target.name, into: branch, message: "Merge \(target.name) into \(branch)")
    guard report.outcome != .conflict else {
      let count = report.rowConflicts.count + report.definitionConflicts.count
      throw AlmanacError(
        .failed, "Cannot pull into \(branch): it and \(target.name) have diverged, with \(count) \(count == 1 ? "conflict" : "conflicts")",
        hint: "\(target.name) has been fetched. See and settle them with: almanac merge \(target.name) --strategy ours|theirs")
    }
    return report.commit
  }
}
