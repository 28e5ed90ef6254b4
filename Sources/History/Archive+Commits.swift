import Objects

extension Archive {
  /// Every commit that is stored, whether a ref reaches it or not; those that cannot be read are left out.
  /// - Returns: newest first.
  /// - Complexity: O(objects), and one read for each commit
  package func storedCommits() throws(StoreError) -> [(id: CommitID, commit: Commit)] {
    var found: [(id: CommitID, commit: Commit)] = []
    for record in try catalog.objects() where record.kind == ObjectKind.commit.rawValue && record.id.count == Hash256.byteCount {
      let id = CommitID(hash: Hash256(bytes: record.id))
      if let commit = try? commit(id) { found.append((id, commit)) }
    }
    return found.sorted { ($0.commit.timeMicros, $0.id.hash) > ($1.commit.timeMicros, $1.id.hash) }
  }
}
