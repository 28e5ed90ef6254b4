import History
import Objects

/// What `push` did.
package struct PushReport: Sendable {
  package let remote: RemoteEntry
  package let ref: String
  package let kind: RefKind
  /// What the remote's ref stood for; nil when it was made.
  package let old: CommitID?
  package let new: CommitID
  package let transfer: TransferReport
}

extension Repository {
  /// Sends a branch or tag to a remote: first what the remote lacks, then the ref, by compare-and-swap.
  ///
  /// A branch there must be an ancestor of the one here. The log travels along: where the ref is new it keeps its times, so
  /// that the ref at a time is the same commit there and here; where it is not, the moves since then are written down as
  /// having happened when they arrived, because what a branch stood for in the past never changes.
  /// - Parameters:
  ///   - name: of the remote; nil for `origin`, or the only one there is.
  ///   - ref: nil for the current branch.
  ///   - forceWithLease: replace what is there, if it is still what was last fetched.
  /// - Throws: `AlmanacError` of kind `failed` when the remote has what is not here, or refuses.
  package func push(
    _ name: String? = nil, ref: String? = nil, forceWithLease: Bool = false, through door: RemoteDoor,
    progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> PushReport {
    let remote = try remote(named: name)
    let head = try headBranch()
    let ref = ref ?? head
    guard let local = try AlmanacError.translating(nil, { try archive.ref(named: ref) }), local.kind != .tracking else {
      throw AlmanacError(.notFound, "There is no branch or tag \(ref) to push")
    }
    let far = try door.open(remote.address)
    return try AlmanacError.translating {
      let report = try Self.transferring {
        try far.working { far in
          try asRemote.working { here in
            try push(local, from: here, to: far, remote, forceWithLease: forceWithLease, progress: progress)
          }
        }
      }
      if local.kind == .branch || report.old == report.new { _ = try mirror(far, remote, only: local.name, progress: nil) }
      return report
    }
  }

  /// - Parameters here, far: both for this one transfer.
  private func push(
    _ local: Ref, from here: any Remote, to far: any Remote, _ remote: RemoteEntry, forceWithLease: Bool, progress: ProgressHandler?
  ) throws -> PushReport {
    let state = try far.state()
    let current = state.ref(named: local.name)
    if let current, current.kind != local.kind {
      throw AlmanacError(.failed, "Cannot push \(local.name): it is a \(local.kind.name) here and a \(current.kind.name) in \(remote.name)")
    }
    func report(_ transfer: TransferReport) -> PushReport {
      PushReport(
        remote: remote, ref: local.name, kind: local.kind, old: current?.commit, new: local.commit, transfer: transfer)
    }
    if current?.commit == local.commit { return report(TransferReport()) }
    if let current { try checkReplacement(of: current, by: local, remote, forceWithLease: forceWithLease) }
    // The remote would say the same once everything has been sent.
    let old = try current.flatMap { try local.kind == .branch && archive.isStored($0.commit) ? $0.commit : nil }
    try ArrivalGate.check(local.name, at: local.commit, from: old, known: state.refs.map(\.commit), in: archive)
    var transfer = Transfer(from: here, to: far) { done, total in progress?("sending", done, total) }
    let sent = try transfer.copy([local.commit])
    let update = RefUpdate(
      name: local.name, kind: local.kind, expecting: current?.commit, new: local.commit, isForced: forceWithLease,
      reason: "push", steps: try steps(of: local, after: current))
    switch try far.move(update) {
    case .moved: break
    case .notFastForward: throw Self.behind(local, remote, nil)
    case .lostRace(let winner): throw Self.behind(local, remote, winner)
    }
    return report(sent)
  }

  /// Refuses before anything is sent what would be refused afterwards.
  private func checkReplacement(of current: Ref, by local: Ref, _ remote: RemoteEntry, forceWithLease: Bool) throws {
    if forceWithLease {
      let known = try archive.ref(named: Self.trackingName(remote.name, local.name))?.commit
      guard local.kind == .branch, known != current.commit else { return }
      throw AlmanacError(
        .failed,
        "Cannot push \(local.name) to \(remote.name): it is at \(current.commit.short) there, not at "
          + "\(known?.short ?? "nothing") as when it was last fetched",
        hint: "Look at what is new with: almanac fetch \(remote.name)")
    }
    if local.kind == .tag {
      throw AlmanacError(
        .failed, "Cannot push tag \(local.name) to \(remote.name): it is at \(current.commit.short) there, at \(local.commit.short) here",
        hint: "A tag is replaced only with --force-with-lease.")
    }
    let key = ObjectKey(kind: .commit, id: current.commit.hash)
    guard try asRemote.missing([key]).isEmpty, try archive.isReachable(current.commit, from: local.commit) else {
      throw Self.behind(local, remote, current.commit)
    }
  }

  private static func behind(_ local: Ref, _ remote: RemoteEntry, _ current: CommitID?) -> AlmanacError {
    AlmanacError(
      .failed,
      "Cannot push \(local.name) to \(remote.name): \(current.map { "it is at \($0.short) there, which" } ?? "what it stands for there") "
        + "is not part of \(local.name) here",
      hint: "Get it first with: almanac pull \(remote.name) \(local.name)")
  }

  /// How the ref got here from what it is there; all of its log where it is new.
  private func steps(of local: Ref, after current: Ref?) throws -> [RefStep] {
    var steps: [RefStep] = []
    while true {
      let more = try archive.steps(of: local.name, afterMicros: steps.last?.timeMicros ?? .min)
      if more.isEmpty { break }
      steps += more
    }
    guard let current else { return steps }
    guard let shared = steps.lastIndex(where: { $0.new == current.commit }) else { return [] }
    return Array(steps[(shared + 1)...])
  }
}
