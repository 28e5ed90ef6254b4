import Objects

/// Commits that only moves name which contradict others, and are given up with them: each gets a branch of its own, so that nothing which
/// was acknowledged goes with the next gc.
struct RefRescue {
  /// Makes the branches.
  let moves: [RefLogRecord]
  /// A sentence for each.
  let sentences: [String]

  /// - Parameters:
  ///   - given: moves that are given up, or refs that stood for something: what they led to.
  ///   - left: what refs stood for by their moves and were moved away from.
  ///   - kept: all moves that stay, the oldest first; the rescuing ones follow them.
  /// - Complexity: O(refs · commits), and only where something is given up
  init(
    _ given: [CommitID], left: [CommitID] = [], kept: [RefLogRecord], archive: Archive, _ walk: inout ObjectWalk
  ) throws(StoreError) {
    let known = Set(kept.flatMap { [$0.old, $0.new].compactMap { $0.map { CommitID(bytes: $0) } } })
    var wanted = Set(given).subtracting(known).union(left).filter { walk.losses(of: $0).isEmpty }
    guard !wanted.isEmpty else {
      (moves, sentences) = ([], [])
      return
    }
    // What a ref or another of them has behind itself needs no branch.
    var parents: [CommitID] = []
    for commit in wanted { parents += try archive.commit(commit).parents }
    wanted.subtract(try archive.ancestors(of: parents))
    for ref in try archive.refs() {
      // Behind a ref that cannot be followed nobody knows what is.
      if let behind = try? archive.ancestors(of: [ref.commit]) { wanted.subtract(behind) }
    }
    var made: [RefLogRecord] = []
    var said: [String] = []
    for commit in wanted.sorted() {
      let name = "rescued-\(commit.description.prefix(12))"
      guard try archive.catalog.ref(named: name) == nil else { continue }
      let reason = "only moves that contradict others lead to it"
      made.append(
        RefSettlement.correction(
          name, RefKind.branch.rawValue, from: nil, to: commit, reason: reason, after: kept + made, nowMicros: archive.now()))
      said.append("made the branch \(name) of commit \(commit), because \(reason)")
    }
    (moves, sentences) = (made, said)
  }
}

extension CatalogSurvey {
  /// Whether this is the catalog of another repository, as far as can be told: what its branches stand for is not here, and what the
  /// moves of an intact ref log that contradicts it lead to is.
  func isForeign(to volume: any Volume, _ catalog: Catalog) throws(StoreError) -> Bool {
    let archive = Archive(volume: volume, catalog: catalog, now: { Clock.nowMicros() })
    guard let bytes = try archive.refLog.bytes() else { return false }
    let logged = RefLogFile.intactMoves(in: bytes)
    guard !logged.isEmpty, RefLogFile.content(logged) == bytes, !zip(logged, moves).allSatisfy({ $0 == $1 }) else { return false }
    let branches = refs.filter { $0.kind == RefKind.branch.rawValue }
    guard branches.contains(where: { (try? archive.commit(CommitID(bytes: $0.target))) == nil }) else { return false }
    var tips: [String: [UInt8]] = [:]
    for move in logged { tips[move.ref] = move.new }
    let packs = try StrayPacks(archive, registered: [])
    for tip in tips.values where try packs.bytes(of: ObjectKey(kind: .commit, id: Hash256(bytes: tip))) == nil { return false }
    return true
  }
}
