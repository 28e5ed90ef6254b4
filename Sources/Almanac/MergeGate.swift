import Checks
import Columns
import History
import Tables

/// The gate before a branch takes what a merge, revert or cherry-pick has come to, for datasets that were not merged row by row:
/// `DatasetMerge` checks those itself.
struct MergeGate {
  let archive: Archive
  /// What both have come from; of several such commits one.
  let base: RepositoryState
  /// What the branch holds.
  let ours: RepositoryState
  let theirs: RepositoryState
  /// Whether rows that come as the other side has them have not passed the gate for this branch: so in a revert or cherry-pick,
  /// whose other side is no state that somebody committed for others to merge.
  let isRewrite: Bool
  /// Where both sides end, for a merge.
  let line: (tip: CommitID, ours: CommitID)?

  /// - Returns: verdicts on datasets whose rows change here; those of contracts without rules are left out.
  /// - Throws: `failed` with the verdict when a rule is violated.
  /// - Complexity: O(datasets); O(rows that change) where they have to be looked at
  func verdicts(of result: RepositoryState, merged: [String: Verdict]) throws -> [String: Verdict] {
    var verdicts = merged
    var passed: PassedRules?
    for (name, contract) in result.definitions.contracts.sorted(by: { $0.key < $1.key })
    where merged[name] == nil && !contract.rules.isEmpty {
      guard let verdict = try verdict(name, contract, result, &passed) else { continue }
      verdicts[name] = verdict
      guard verdict.passed else { throw Self.refusal(by: verdict) }
    }
    return verdicts
  }

  private func verdict(
    _ name: String, _ contract: Contract, _ result: RepositoryState, _ passed: inout PassedRules?
  ) throws -> Verdict? {
    guard let reference = result.datasets[name] else { return nil }
    let (own, other) = (ours.datasets[name], theirs.datasets[name])
    let isOwn = reference == own
    if isOwn && (isRewrite || contract == ours.definitions.contracts[name]) { return nil }
    // The rows that this contract has not seen: of a version that stays those since the base, else those that come.
    let before = isOwn ? base.datasets[name] : own
    guard reference.root != before?.root else { return nil }
    var asked = contract
    // A number of rows that stays breaks no rule that it did not break before.
    if reference.rows == before?.rows { asked.rules.removeAll { $0.isAboutDataset } }
    if reference == other, !isRewrite, let line {
      // What the other side committed under a rule has passed it there.
      var known = try passed ?? PassedRules(from: line.tip, beyond: [line.ours], in: archive)
      let missed = try known.missed(asked.rules, of: name)
      passed = known
      asked.rules.removeAll { !$0.isAboutDataset && !missed.contains($0) }
    }
    guard !asked.rules.isEmpty else { return nil }
    return try MoveGate.verdict(asked, from: before, to: reference, in: archive)
  }

  static func refusal(by verdict: Verdict) -> AlmanacError {
    AlmanacError(
      .failed, "The result for \(verdict.dataset) was refused by its contract; nothing was changed.\n\(verdict.report())",
      hint: "Correct the rows on one of the branches, then try again.")
  }
}
