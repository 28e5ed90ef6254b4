import Objects

extension Archive {
  /// A commit and everything before it, along all parents: the newest first by time, then by id, of those that a commit
  /// listed earlier names as its parent.
  /// - Parameter limit: at most so many; nil for all.
  /// - Complexity: one read for each commit returned and for each of their parents.
  package func log(from start: CommitID, limit: Int? = nil) throws(StoreError) -> [(CommitID, Commit)] {
    var found: [(CommitID, Commit)] = []
    // Ascending, so that the next is the last.
    var open: [(id: CommitID, commit: Commit)] = [(start, try commit(start))]
    var seen: Set<CommitID> = [start]
    while let next = open.popLast() {
      if let limit, found.count >= limit { break }
      found.append((next.id, next.commit))
      for parent in next.commit.parents where seen.insert(parent).inserted {
        let commit = try commit(parent)
        let position = open.firstIndex { ($0.commit.timeMicros, $0.id) > (commit.timeMicros, parent) } ?? open.count
        open.insert((parent, commit), at: position)
      }
    }
    return found
  }
}
