import Objects
import Synchronization

extension Archive {
  /// The setting that says up to which time moves of refs may name commits that are gone (microseconds since 1970).
  static let expiredSetting = "gc.expired"

  /// Removes what no ref, no move of a ref within retention, no lease and none of the further commits reaches, and that is
  /// older than the grace period. Moves whose commit is an ancestor of a ref never expire, because the ref reaches it.
  ///
  /// Safe beside readers and writers of any process: what is reachable is looked up again, and ages are looked at, while
  /// `objects.lock` is held alone, which every writer holds shared from finding an object until a commit names it.
  /// A crash leaves files that nothing names, which the next gc takes.
  /// - Parameters:
  ///   - isDryRun: says what would go, and changes nothing.
  ///   - further: commits that something outside of the history needs, as generations do; asked twice.
  /// - Throws: `corrupt` when something reachable cannot be read: then nothing is removed.
  /// - Complexity: one read for each reachable commit, root and node, one look at each file.
  package func collectGarbage(
    _ rules: GarbageRules, isDryRun: Bool, further: () throws(StoreError) -> [CommitID] = { () throws(StoreError) in [] }
  ) throws(StoreError) -> GarbageReport {
    var reach = Reach()
    if isDryRun {
      try addRoots(to: &reach, rules, further: further())
      return try GarbagePlan(self, reach, rules).report
    }
    try refuseReadOnly("remove garbage")
    return try holdingMaintenance { () throws(StoreError) in
      // Most of the reading is done before anybody has to wait.
      try addRoots(to: &reach, rules, further: further())
      return try holdingObjects { () throws(StoreError) in
        try addRoots(to: &reach, rules, further: further())
        let plan = try GarbagePlan(self, reach, rules)
        try carryOut(plan, rules)
        var report = plan.report
        report.isDone = true
        return report
      }
    }
  }

  /// Notes that moves of refs up to a time may name commits that are gone: a log that came from elsewhere may name some that
  /// gc had removed there.
  package func noteExpired(upToMicros timeMicros: Int64) throws(StoreError) {
    let known = try catalog.setting(Self.expiredSetting).flatMap { Int64($0) } ?? 0
    if timeMicros > known { try catalog.setSetting(Self.expiredSetting, to: "\(timeMicros)") }
  }

  private func addRoots(to reach: inout Reach, _ rules: GarbageRules, further: [CommitID]) throws(StoreError) {
    var commits = try refs().map(\.commit) + leases().commits + further
    let cutoff = now() - rules.retentionMicros
    for move in try reflog(nil) where move.timeMicros > cutoff {
      // A move that gc may have expired once stays expired, also when the retention is longer now.
      for id in [move.old, move.new] {
        if let id, try catalog.object(kind: ObjectKind.commit.rawValue, id: id.bytes) != nil { commits.append(id) }
      }
    }
    for commit in commits { try reach.add(ObjectKey(kind: .commit, id: commit.hash), in: self) }
  }

  private func carryOut(_ plan: GarbagePlan, _ rules: GarbageRules) throws(StoreError) {
    var placed: [ObjectRecord] = []
    for pack in plan.newPacks {
      try volume.stage(pack.path, pack.bytes)
      for entry in pack.entries where !entry.kind.hasOwnFile {
        placed.append(
          ObjectRecord(
            kind: entry.kind.rawValue, id: entry.id.bytes, place: .pack(name: pack.name, offset: entry.offset),
            byteCount: entry.byteCount))
      }
    }
    if !plan.newPacks.isEmpty { try volume.syncFolders(["packs"]) }
    if !plan.forgotten.isEmpty || !plan.forgottenPacks.isEmpty || !placed.isEmpty {
      let known = try catalog.setting(Self.expiredSetting).flatMap { Int64($0) } ?? 0
      // Once the catalog has forgotten them, nobody can find and name them any more; only then the files go.
      try catalog.reorganize(
        forgetting: plan.forgotten.map { ($0.kind.rawValue, $0.id.bytes) }, packs: plan.forgottenPacks, placing: placed,
        in: plan.newPacks.map(\.name), settings: [Self.expiredSetting: "\(max(known, now() - rules.retentionMicros))"])
    }
    nodeCache.withLock { $0.removeAll() }
    for item in plan.report.items { try volume.remove(item.path) }
  }
}
