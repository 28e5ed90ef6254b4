import Almanac
import History
import Tables

/// What brings changes of other commits to a branch: merge, revert, cherry-pick.
extension HistoryPlayer {
  func merge(_ name: String, _ strategy: MergeStrategy, _ number: Int) throws {
    guard lines[name] != nil, tip(name) != tip(head) else { return skip() }
    let (first, second) = (tip(head), tip(name))
    let bases = bases(first, second)
    // Which base a criss-cross merge has is a matter of its own tests.
    guard bases.count == 1 else { return skip() }
    let run = { [store] in try store.repository.merge(name, strategy: strategy) }
    if bases[0] == second || bases[0] == first {
      let outcome = try accepted("merge", run).outcome
      guard outcome == (bases[0] == second ? .upToDate : .fastForward) else {
        throw HistoryFailure(kind: "merge", detail: "\(outcome) where a branch only had to move")
      }
      if bases[0] == first { move(to: second) }
      return
    }
    let merge = HistoryMerge(
      base: commits[bases[0]].version, ours: commits[first].version, theirs: commits[second].version, strategy: strategy)
    if try integrate(merge, number, otherParents: [second], run), strategy == .fail, merge.openings.isEmpty {
      try checkMirrored(first, second)
    }
  }

  /// A revert, or with `isPick` a cherry-pick, of the commit that an operation made.
  func bring(_ of: Int, _ strategy: MergeStrategy, isPick: Bool, _ number: Int) throws {
    guard let commit = made[of], reachableNumbers.contains(of), let parent = commits[commit].parents.first else { return skip() }
    let (base, theirs) = isPick ? (parent, commit) : (commit, parent)
    let merge = HistoryMerge(base: commits[base].version, ours: tip.version, theirs: commits[theirs].version, strategy: strategy)
    let id = commits[commit].id.description
    _ = try integrate(merge, number) {
      try isPick ? store.repository.cherryPick(id, strategy: strategy) : store.repository.revert(id, strategy: strategy)
    }
  }

  /// - Returns: whether a commit was made.
  private func integrate(_ merge: HistoryMerge, _ number: Int, otherParents: [Int] = [], _ run: () throws -> MergeReport) throws -> Bool {
    for name in merge.cases { tally[name, default: 0] += 1 }
    let report: MergeReport
    do {
      report = try run()
    } catch let error as AlmanacError where error.kind == .failed {
      trace.append("  refused: \(error.description)")
      try comparison.checkRefused(merge, error.description)
      return false
    }
    trace.append("  \(report.outcome)\(report.texts.map { "\n    \($0)" }.joined())")
    switch report.outcome {
    case .conflict: try comparison.checkConflict(merge, report)
    case .upToDate: try comparison.checkUpToDate(merge)
    case .fastForward: throw HistoryFailure(kind: "merge", detail: "a fast-forward where both sides have commits")
    case .merged:
      try comparison.checkMerged(merge)
      try committed(merge.result, by: number, otherParents: otherParents, merge: merge, isOrdered: false)
      try probe()
      return true
    }
    return false
  }

  /// The merge from the other side gives the same rows, and sealed the same root.
  private func checkMirrored(_ first: Int, _ second: Int) throws {
    let repository = store.repository
    try repository.createBranch("mirror", at: commits[second].id.description)
    try repository.createBranch("original", at: tip.id.description)
    defer {
      for name in ["mirror", "original"] { try? repository.deleteRef(name, kind: .branch) }
    }
    guard try repository.merge(commits[first].id.description, into: "mirror").outcome == .merged else {
      throw HistoryFailure(kind: "mirror", detail: "the other branch cannot merge this one")
    }
    let roots = try ["mirror", "original"].map { name in
      _ = try repository.seal(branch: name)
      let found = try store.observed(at: repository.resolve(name))
      try comparison.check(tip.version, is: found, isOrdered: true)
      return found.root
    }
    guard roots[0] == roots[1] else {
      throw HistoryFailure(kind: "mirror", detail: "merged the other way around, the sealed root is another")
    }
  }
}

extension MergeReport {
  /// The conflicts, a line each.
  var texts: [String] {
    let rows = rowConflicts.map { conflict in
      let key = conflict.row.key.map { HistoryValue($0.value).text }.joined(separator: "/")
      return "conflict: \(conflict.row.kind) of row \(key) in \(conflict.row.columns)"
    }
    return rows
      + definitionConflicts.map { "conflict: \($0.object) \($0.what ?? "") \($0.base ?? "-") | \($0.first ?? "-") | \($0.second ?? "-")" }
  }
}
