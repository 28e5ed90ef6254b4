import Objects

/// The search for the first bad commit: every step halves what lies between the good commits and the bad one.
package struct Bisection: Sendable {
  package enum Step: Hashable, Sendable {
    /// Test this one; after it about `remaining` commits are left.
    case test(CommitID, remaining: Int)
    /// Every commit before it is good.
    case found(CommitID)
    /// Only skipped commits are left beside the bad one: the first bad commit is one of these.
    case undecided([CommitID])
  }

  /// Commits that can be the first bad one, parents before children; the bad one is the last.
  package private(set) var candidates: [CommitID]
  private var parents: [CommitID: [CommitID]]
  private var skipped: Set<CommitID> = []

  /// - Throws: `invalid` when no good commit is an ancestor of the bad one, or the bad one is good too.
  package init(bad: CommitID, good: [CommitID], in archive: Archive) throws(StoreError) {
    let before = try archive.ancestors(of: good)
    guard !before.contains(bad) else {
      throw StoreError(kind: .invalid, text: "Cannot bisect: the bad commit \(bad) is a good one or comes before one")
    }
    let behind = try archive.ancestors(of: [bad])
    if let stray = good.first(where: { !behind.contains($0) }) {
      throw StoreError(
        kind: .invalid, text: "Cannot bisect: the good commit \(stray) is not an ancestor of the bad one, \(bad)")
    }
    parents = [:]
    candidates = []
    let wanted = behind.subtracting(before)
    for id in wanted { parents[id] = try archive.commit(id).parents.filter(wanted.contains) }
    candidates = Self.sorted(from: bad, parents)
  }

  /// Parents before children: depth first from the newest.
  private static func sorted(from start: CommitID, _ parents: [CommitID: [CommitID]]) -> [CommitID] {
    var order: [CommitID] = []
    var done: Set<CommitID> = []
    var open: [(id: CommitID, isExpanded: Bool)] = [(start, false)]
    while let next = open.popLast() {
      if next.isExpanded {
        if done.insert(next.id).inserted { order.append(next.id) }
      } else if !done.contains(next.id) {
        open.append((next.id, true))
        for parent in (parents[next.id] ?? []).reversed() { open.append((parent, false)) }
      }
    }
    return order
  }

  /// What to do next.
  /// - Complexity: O(candidates² / 64)
  package func next() -> Step {
    guard let bad = candidates.last else { preconditionFailure("A bisection always keeps its bad commit") }
    if candidates.count == 1 { return .found(bad) }
    // How many candidates each commit has behind it, itself included: so many go when it is good.
    let weights = self.weights()
    var best: (id: CommitID, gain: Int)?
    for (position, id) in candidates.enumerated() where id != bad && !skipped.contains(id) {
      let gain = min(weights[position], candidates.count - weights[position])
      if gain > best?.gain ?? 0 { best = (id, gain) }
    }
    guard let best else { return .undecided(candidates) }
    return .test(best.id, remaining: candidates.count - best.gain)
  }

  private func weights() -> [Int] {
    let wordCount = (candidates.count + 63) / 64
    var positions: [CommitID: Int] = [:]
    var sets: [[UInt64]] = []
    for (position, id) in candidates.enumerated() {
      var set = [UInt64](repeating: 0, count: wordCount)
      set[position / 64] |= 1 << UInt64(position % 64)
      for parent in parents[id] ?? [] {
        guard let other = positions[parent] else { continue }
        for word in set.indices { set[word] |= sets[other][word] }
      }
      positions[id] = position
      sets.append(set)
    }
    return sets.map { $0.reduce(0) { $0 + $1.nonzeroBitCount } }
  }

  /// The commit is good, and with it all before it.
  package mutating func noteGood(_ id: CommitID) {
    let gone = behind(id)
    keep { !gone.contains($0) }
  }

  /// The commit is bad: it or one before it is the first.
  package mutating func noteBad(_ id: CommitID) {
    let left = behind(id)
    keep(left.contains)
    candidates = Self.sorted(from: id, parents)
  }

  /// Nothing can be said of the commit.
  package mutating func noteSkipped(_ id: CommitID) { skipped.insert(id) }

  private mutating func keep(_ isWanted: (CommitID) -> Bool) {
    candidates = candidates.filter(isWanted)
    let left = Set(candidates)
    parents = parents.filter { left.contains($0.key) }.mapValues { $0.filter(left.contains) }
  }

  private func behind(_ id: CommitID) -> Set<CommitID> {
    var open = [id]
    var seen: Set<CommitID> = [id]
    while let next = open.popLast() {
      for parent in parents[next] ?? [] where seen.insert(parent).inserted { open.append(parent) }
    }
    return seen
  }
}
