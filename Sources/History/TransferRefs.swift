import Objects

extension Archive {
  /// How many entries of a log travel in one answer.
  static let stepCountMax = 2000

  /// Moves of a ref after a time, the oldest first, at most `stepCountMax`.
  package func steps(of ref: String, afterMicros timeMicros: Int64) throws(StoreError) -> [RefStep] {
    try catalog.refLog(ref: ref, afterMicros: timeMicros, limit: Self.stepCountMax).map { record in
      RefStep(
        old: record.old.map { CommitID(bytes: $0) }, new: record.new.map { CommitID(bytes: $0) }, timeMicros: record.timeMicros,
        reason: record.reason)
    }
  }

  /// The time of the last entry that the log has of a ref; nil if it has none.
  package func lastMoveMicros(of ref: String) throws(StoreError) -> Int64? {
    try catalog.refLogEntry(ref: ref, atOrBefore: .max)?.timeMicros
  }

  /// Lets a ref stand for a commit as it does elsewhere, with the steps that led there and the times they had: the ref at a
  /// time is then the same commit here and there.
  ///
  /// Only for refs that are new here, whose past nobody can have asked for, and for those of kind `tracking`, which are a copy.
  /// - Parameters:
  ///   - expecting: nil: it must not exist.
  ///   - steps: the oldest first. Those that the log has already are skipped; those after the last one that leads to the
  ///     commit are left to the next time.
  package func importRef(
    _ name: String, _ kind: RefKind, at commit: CommitID, expecting: CommitID?, steps: [RefStep], reason: String
  ) throws(StoreError) -> PublishOutcome {
    let end = steps.lastIndex { $0.new == commit }.map { $0 + 1 } ?? 0
    return try record(
      name, kind, at: commit, expecting: expecting, steps: Array(steps[..<end]), keepingTimes: true, reason: reason)
  }

  /// Moves a branch or tag for another repository.
  /// - Throws: `notFound` when the commit is not stored, as when a gc has taken what had been sent.
  func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome {
    try refuseReadOnly("move \(update.name)")
    // Shared from the look at the commits, which are there with all that they reach, until the ref and its log name them: a gc
    // between the two would take them, as nothing names them yet.
    return try sharingObjects { () throws(StoreError) in try moveHeld(update) }
  }

  private func moveHeld(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome {
    let current = try catalog.ref(named: update.name)
    if let current, current.kind != update.kind.rawValue { throw Self.otherKind(update.name, current.kind) }
    let currentID = current.map { CommitID(bytes: $0.target) }
    if currentID == update.new { return .moved }
    guard currentID == update.expecting else { return .lostRace(current: currentID) }
    if let currentID, !update.isForced {
      guard update.kind == .branch, try isReachable(currentID, from: update.new) else { return .notFastForward }
    }
    // Steps to commits that did not travel say nothing here.
    let ids = update.steps.compactMap(\.new)
    let absent = Set(try catalog.missing(kind: ObjectKind.commit.rawValue, ids: ids.map(\.bytes)))
    let steps = update.steps.filter { $0.new.map { !absent.contains($0.bytes) } ?? false }
    // A ref that was never here has no past that somebody could have asked for, so it gets the one it had there. Otherwise
    // the past stays as it was: the steps happened here when they arrived.
    let moment = now()
    let lastMicros = try lastMoveMicros(of: update.name)
    let isNew = current == nil && lastMicros == nil && steps.allSatisfy { $0.timeMicros <= moment }
    let outcome =
      isNew
      ? try importRef(update.name, update.kind, at: update.new, expecting: nil, steps: steps, reason: update.reason)
      : try record(
        update.name, update.kind, at: update.new, expecting: update.expecting, steps: steps, keepingTimes: false,
        reason: update.reason)
    switch outcome {
    case .moved: return .moved
    case .lostRace(let current): return .lostRace(current: current)
    }
  }

  private func record(
    _ name: String, _ kind: RefKind, at commit: CommitID, expecting: CommitID?, steps: [RefStep], keepingTimes: Bool,
    reason: String
  ) throws(StoreError) -> PublishOutcome {
    try RefName.check(name)
    let move = RefMove(name: name, kind: kind.rawValue, expecting: expecting?.bytes, new: commit.bytes, reason: Self.kept(reason))
    let records = steps.map { step in
      RefLogRecord(
        sequence: 0, ref: name, refKind: kind.rawValue, old: step.old?.bytes, new: step.new?.bytes, timeMicros: step.timeMicros,
        reason: Self.kept(step.reason))
    }
    try refuseReadOnly("move \(name)")
    // Shared, as above; whoever holds it already may take it again.
    return try sharingObjects { () throws(StoreError) in
      _ = try self.commit(commit)
      try refLog.check(against: catalog)
      switch try catalog.record(move, steps: records, keepingTimes: keepingTimes, nowMicros: now()) {
      case .moved:
        try refLog.catchUp(with: catalog)
        return .moved
      case .alreadyThere: return .moved
      case .lostRace(let current): return .lostRace(current: current.map { CommitID(bytes: $0) })
      case .otherKind(let kind): throw Self.otherKind(name, kind)
      }
    }
  }

  /// A reason from elsewhere may be longer than the log keeps.
  private static func kept(_ reason: String) -> String {
    let most = RefLogFile.payloadByteCountMax / 16
    return reason.utf8.count <= most ? reason : String(decoding: reason.utf8.prefix(most), as: UTF8.self)
  }

  // MARK: Remote repositories

  static let remotePrefix = "remote."

  /// The addresses of remote repositories by name.
  package func remotes() throws(StoreError) -> [String: String] { try catalog.settings(withPrefix: Self.remotePrefix) }

  package func setRemote(_ name: String, to address: String) throws(StoreError) {
    try RefName.check(name)
    try catalog.setSetting(Self.remotePrefix + name, to: address)
  }

  static let cloningSetting = "cloning"

  /// The address that this repository is being cloned from; nil when it is whole.
  package func cloneSource() throws(StoreError) -> String? { try catalog.setting(Self.cloningSetting) }

  package func setCloneSource(_ address: String?) throws(StoreError) {
    if let address {
      try catalog.setSetting(Self.cloningSetting, to: address)
    } else {
      try catalog.removeSetting(Self.cloningSetting)
    }
  }

  package func removeRemote(_ name: String) throws(StoreError) { try catalog.removeSetting(Self.remotePrefix + name) }
}
