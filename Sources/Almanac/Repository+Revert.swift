import History

extension Repository {
  /// Takes back what one commit changed, rows and definitions, as a new commit on the current branch.
  ///
  /// What has been changed again since is a conflict, as in `merge`. A merge is reverted against its first parent.
  /// - Throws: `AlmanacError`: `failed` for the first commit, before which there is nothing.
  package func revert(
    _ spec: String, strategy: MergeStrategy = .fail, message: String? = nil, author: String? = nil
  ) throws(AlmanacError) -> MergeReport {
    let id = try resolve(spec)
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let commit = try commit(id)
    guard let parent = commit.parents.first else {
      throw AlmanacError(
        .failed, "Cannot revert \(id.short): it is the first commit", hint: "Use `almanac undo`, or remove the rows with --mode delete.")
    }
    let change = Integration(
      bases: [id], theirs: parent, otherParents: [], message: message ?? "Revert \"\(commit.message)\"",
      author: author ?? Self.defaultAuthor, reason: "revert \(id.short)",
      command: ["command": "revert", "commit": .string(id.description), "strategy": .string(strategy.rawValue)])
    return try bring(change, "revert", strategy)
  }

  /// Makes on the current branch what one commit changed against its first parent; author and message stay.
  package func cherryPick(
    _ spec: String, strategy: MergeStrategy = .fail, message: String? = nil
  ) throws(AlmanacError) -> MergeReport {
    let id = try resolve(spec)
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let commit = try commit(id)
    let change = Integration(
      bases: commit.parents.first.map { [$0] } ?? [], theirs: id, otherParents: [], message: message ?? commit.message,
      author: commit.author,
      reason: "cherry-pick \(id.short)",
      command: ["command": "cherry-pick", "commit": .string(id.description), "strategy": .string(strategy.rawValue)])
    return try bring(change, "cherry-pick", strategy)
  }

  private func bring(_ change: Integration, _ action: String, _ strategy: MergeStrategy) throws(AlmanacError) -> MergeReport {
    let branch = try headBranch()
    let virtual = VirtualBases(self, policy: tailPolicy)
    return try retrying(branch) { (tip) throws(AlmanacError) in
      guard let tip else { throw AlmanacError(.failed, "Cannot \(action): branch \(branch) has no commit yet") }
      return try integrate(change, over: virtual, into: branch, at: tip, strategy: strategy)
    }
  }
}
