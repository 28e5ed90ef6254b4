import Objects

extension Archive {
  /// Commits that those wanted reach and those excluded do not, the newest first, at most so many.
  ///
  /// Where the clocks of writers disagreed, commits that an excluded one reaches may be among them.
  /// - Parameter excluding: unknown ids are ignored.
  /// - Complexity: one read for each commit returned and for those of the excluded ones' ancestors that are as new.
  /// - Throws: `notFound` when a wanted one is not stored; `corrupt`.
  package func commits(
    reachableFrom wanted: [CommitID], excluding: [CommitID], limit: Int
  ) throws(StoreError) -> [(id: CommitID, bytes: [UInt8])] {
    struct Open {
      let id: CommitID
      let commit: Commit
      let bytes: [UInt8]
    }
    // Ascending, so that the newest is the last.
    var open: [Open] = []
    var isWanted: [CommitID: Bool] = [:]
    var wantedCount = 0
    func visit(_ id: CommitID, wanted: Bool) throws(StoreError) {
      if let before = isWanted[id] {
        // A commit that both reach is not wanted, also when it was thought so until now.
        if before && !wanted {
          isWanted[id] = false
          if open.contains(where: { $0.id == id }) { wantedCount -= 1 }
        }
        return
      }
      let bytes = try content(.commit, id.hash)
      let commit = try Commit(decoding: bytes, object: "commit \(id)")
      isWanted[id] = wanted
      if wanted { wantedCount += 1 }
      let position = open.firstIndex { ($0.commit.timeMicros, $0.id) > (commit.timeMicros, id) } ?? open.count
      open.insert(Open(id: id, commit: commit, bytes: bytes), at: position)
    }
    let known = Set(try catalog.missing(kind: ObjectKind.commit.rawValue, ids: excluding.map(\.bytes)))
    for id in excluding where !known.contains(id.bytes) { try visit(id, wanted: false) }
    for id in wanted { try visit(id, wanted: true) }
    var found: [(id: CommitID, bytes: [UInt8])] = []
    while wantedCount > 0, found.count < limit, let next = open.popLast() {
      let wanted = isWanted[next.id] == true
      if wanted {
        wantedCount -= 1
        found.append((next.id, next.bytes))
      }
      for parent in next.commit.parents { try visit(parent, wanted: wanted) }
    }
    return found
  }

  /// Whether a commit is another one or comes before it, along all parents. - Complexity: one read for each commit after it.
  package func isReachable(_ ancestor: CommitID, from id: CommitID) throws(StoreError) -> Bool {
    if ancestor == id { return true }
    var open = [id]
    var seen: Set<CommitID> = [id]
    while let next = open.popLast() {
      for parent in try commit(next).parents where seen.insert(parent).inserted {
        if parent == ancestor { return true }
        open.append(parent)
      }
    }
    return false
  }
}
