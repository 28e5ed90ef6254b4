import Objects

/// Refs that lead to what is not here at all, as those of a copy do whose catalog was taken after its packs and files.
///
/// A file that is damaged may be restored, and what else its commit names is here; so a ref leaves its commit only if that cannot be
/// read itself, or if something that came with it has no file and no pack. What is missing since before it came with a commit behind it:
/// then what came later is here, and would go with it.
extension StoreRepair {
  /// Moves such refs to the newest commit of their own history of which everything is here, each by one more move, and forgets
  /// what nothing leads to any more and is not here.
  /// - Complexity: O(objects) reads, and only where something is gone.
  mutating func leaveWhatIsGone() throws(StoreError) {
    let healed = Set(gathered.keys).union(files.keys)
    let lost = check.damaged.union(check.missing).subtracting(healed)
    let gone = check.gone.union(check.misplaced).union(check.missing).subtracting(healed)
    guard lost.contains(where: { $0.kind == .commit }) || !gone.isEmpty else { return }
    var walk = ObjectWalk(archive, lost: lost)
    try moveRefs(gone, &walk)
    try forgetGone(gone, &walk)
  }

  private mutating func moveRefs(_ gone: Set<ObjectKey>, _ walk: inout ObjectWalk) throws(StoreError) {
    let moves = try archive.catalog.refLog(ref: nil)
    var corrections: [RefLogRecord] = []
    for ref in try archive.refs() {
      let tip = ObjectKey(kind: .commit, id: ref.commit.hash)
      let losses = walk.stateLosses(of: ref.commit)
      guard losses.contains(tip) || !losses.isDisjoint(with: gone) else { continue }
      // States since the ref was last made, the newest first. One that is not as its moves say stays for the check to name.
      let states = moves.reversed().filter { $0.ref == ref.name }.prefix { $0.new != nil }.compactMap { $0.new.map { CommitID(bytes: $0) } }
      guard states.first == ref.commit else { continue }
      guard let wanted = newestWhole(states, insteadOf: ref.commit, &walk) else {
        undone.append("\(ref.name) stays at commit \(ref.commit), of which not all is here: no commit of its history is whole")
        continue
      }
      guard !walk.ownLosses(of: ref.commit).isEmpty else {
        let missing = losses.intersection(gone).sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
        undone.append(
          "\(ref.name) stays at commit \(ref.commit), of which \(missing.map { "\($0.kind.name) \($0.id)" }.joined(separator: ", ")) "
            + "is missing since before it; --from another repository restores it; the newest commit without it is \(wanted)")
        continue
      }
      let reason = "of commit \(ref.commit) not all is here"
      done.append("\(ref.name) stands for \(wanted), because \(reason)")
      corrections.append(
        RefSettlement.correction(
          ref.name, ref.kind.rawValue, from: ref.commit, to: wanted, reason: reason, after: moves + corrections, nowMicros: archive.now()))
    }
    if !corrections.isEmpty { try archive.catalog.replay(corrections) }
  }

  /// Of each state, the newest first, the commit itself and those behind it by time.
  private func newestWhole(_ states: [CommitID], insteadOf tip: CommitID, _ walk: inout ObjectWalk) -> CommitID? {
    let before = walk.losses(of: tip)
    // What lies beneath something that cannot be read nobody can say.
    let isKnown = before.allSatisfy { $0.kind.hasOwnFile || $0.kind == .blob }
    var seen: Set<CommitID> = []
    for state in states {
      var open = [state]
      while !open.isEmpty {
        let times = open.map { (try? archive.commit($0))?.timeMicros ?? .max }
        let newest = open.indices.max { (times[$0], open[$0]) < (times[$1], open[$1]) }!
        let commit = open.remove(at: newest)
        guard seen.insert(commit).inserted else { continue }
        if walk.isStateWhole(commit), !isKnown || walk.losses(of: commit).isSubset(of: before) { return commit }
        open += (try? archive.commit(commit))?.parents ?? []
      }
    }
    return nil
  }

  /// A writer that finds an object stored asks for nothing beneath it, and gc reads whatever a move names that is registered: so what
  /// names something that is not here goes too, unless a ref leads there.
  private mutating func forgetGone(_ gone: Set<ObjectKey>, _ walk: inout ObjectWalk) throws(StoreError) {
    let (reached, losses) = walk.reach(of: try archive.refs().map { ObjectKey(kind: .commit, id: $0.commit.hash) })
    guard losses.allSatisfy({ $0.kind.hasOwnFile || $0.kind == .blob }) else { return }
    let known = try archive.catalog.objects().compactMap { record in
      ObjectKind(rawValue: record.kind).map { (key: ObjectKey(kind: $0, id: Hash256(bytes: record.id)), record: record) }
    }
    var owners: [ObjectKey: [ObjectKey]] = [:]
    for (key, _) in known where !reached.contains(key) {
      for name in walk.named(by: key) ?? [] { owners[name, default: []].append(key) }
    }
    var torn = gone.subtracting(reached)
    var open = Array(torn)
    while let key = open.popLast() {
      for owner in owners[key] ?? [] where torn.insert(owner).inserted { open.append(owner) }
    }
    let forgotten = known.filter { torn.contains($0.key) }
    var kept: Set<String> = []
    for (key, record) in known where !torn.contains(key) {
      if case .pack(let name, _) = record.place { kept.insert(name) }
    }
    var packs: [String] = []
    for name in try archive.catalog.packNames() where !kept.contains(name) {
      if try !archive.volume.exists(Pack.path(ofName: name)) { packs.append(name) }
    }
    let expired = try expiredMicros(known: Set(known.map(\.key)).subtracting(torn))
    guard !forgotten.isEmpty || !packs.isEmpty || expired != nil else { return }
    try archive.catalog.reorganize(
      forgetting: forgotten.map { ($0.key.kind.rawValue, $0.key.id.bytes) }, packs: packs, placing: [], in: [],
      settings: expired.map { [Archive.expiredSetting: "\($0)"] } ?? [:])
    if !forgotten.isEmpty { done.append("forgot \(forgotten.count) objects that are not here as a whole and that no ref leads to") }
  }

  /// The time up to which moves name commits that are not known; nil if it need not be later than it is.
  private func expiredMicros(known: Set<ObjectKey>) throws(StoreError) -> Int64? {
    let before = try archive.catalog.setting(Archive.expiredSetting).flatMap { Int64($0) } ?? .min
    let last = try archive.catalog.refLog(ref: nil).filter { move in
      [move.old, move.new].contains { $0.map { !known.contains(ObjectKey(kind: .commit, id: Hash256(bytes: $0))) } ?? false }
    }.map(\.timeMicros).max()
    return last.flatMap { $0 > before ? $0 : nil }
  }
}
