import Objects

extension Archive {
  /// The best common ancestors of two commits: those that no other common ancestor comes after. Several where branches were
  /// merged crosswise; none for unrelated histories.
  /// - Returns: the latest first, by (time, id), so that the order does not depend on which side is which.
  /// - Complexity: one read for each commit behind the two, down to the common ancestors
  package func mergeBases(_ a: CommitID, _ b: CommitID) throws(StoreError) -> [CommitID] {
    a == b ? [a] : try mergeBases([a], [b])
  }

  /// The best common ancestors of two groups of commits: of what merging each group would give.
  package func mergeBases(_ left: [CommitID], _ right: [CommitID]) throws(StoreError) -> [CommitID] {
    var walk = AncestorWalk()
    for commit in left { try walk.add(commit, .left, self) }
    for commit in right { try walk.add(commit, .right, self) }
    var found: [CommitID] = []
    while let next = walk.next() {
      var mark = walk.marks[next]!
      if mark == .both {
        found.append(next)
        // What lies behind a common ancestor is one too, but never the best.
        mark.insert(.stale)
      }
      for parent in try commit(next).parents { try walk.add(parent, mark, self) }
    }
    // A clock that went backwards can let an ancestor of another candidate come first.
    let candidates = found.filter { walk.marks[$0]!.contains(.stale) == false }
    var best: [CommitID] = []
    for candidate in candidates {
      var isBehind = false
      for other in candidates where other != candidate && !isBehind { isBehind = try isAncestor(candidate, of: other) }
      if !isBehind { best.append(candidate) }
    }
    return best.sorted { (walk.times[$0]!, $0) > (walk.times[$1]!, $1) }
  }

  /// Whether `commit` can be reached from `descendant` over parents; a commit is its own ancestor.
  package func isAncestor(_ commit: CommitID, of descendant: CommitID) throws(StoreError) -> Bool {
    var open = [descendant]
    var seen: Set<CommitID> = [descendant]
    while let next = open.popLast() {
      if next == commit { return true }
      for parent in try self.commit(next).parents where seen.insert(parent).inserted { open.append(parent) }
    }
    return false
  }

  /// A commit and everything behind it.
  package func ancestors(of commits: [CommitID]) throws(StoreError) -> Set<CommitID> {
    var open = commits
    var seen = Set(commits)
    while let next = open.popLast() {
      for parent in try commit(next).parents where seen.insert(parent).inserted { open.append(parent) }
    }
    return seen
  }
}

/// Visits commits from the latest to the oldest and notes from which side each was reached.
private struct AncestorWalk {
  struct Marks: OptionSet {
    let rawValue: UInt8
    static let left = Marks(rawValue: 1)
    static let right = Marks(rawValue: 2)
    /// Behind a common ancestor.
    static let stale = Marks(rawValue: 4)
    static let both: Marks = [.left, .right]
  }

  private(set) var marks: [CommitID: Marks] = [:]
  private(set) var times: [CommitID: Int64] = [:]
  /// Ascending by (time, id), so that the next is the last.
  private var open: [CommitID] = []
  /// How many of `open` are not stale.
  private var freshCount = 0

  mutating func add(_ id: CommitID, _ new: Marks, _ archive: Archive) throws(StoreError) {
    let old = marks[id] ?? []
    let sum = old.union(new)
    guard sum != old else { return }
    if times[id] == nil { times[id] = try archive.commit(id).timeMicros }
    let time = times[id]!
    marks[id] = sum
    let position = place(of: id, time)
    if position < open.count && open[position] == id {
      if !old.contains(.stale) && sum.contains(.stale) { freshCount -= 1 }
      return
    }
    open.insert(id, at: position)
    if !sum.contains(.stale) { freshCount += 1 }
  }

  /// Nil once only commits behind common ancestors are left.
  mutating func next() -> CommitID? {
    guard freshCount > 0, let id = open.popLast() else { return nil }
    if !marks[id]!.contains(.stale) { freshCount -= 1 }
    return id
  }

  private func place(of id: CommitID, _ time: Int64) -> Int {
    var low = 0
    var high = open.count
    while low < high {
      let middle = low + (high - low) / 2
      if (times[open[middle]]!, open[middle]) < (time, id) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
