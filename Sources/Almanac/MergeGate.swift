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

  /// - Returns: verdicts on datasets whose rows change here; those of contracts without rules are left out.
  /// - Throws: `failed` with the verdict when a rule is violated.
  /// - Complexity: O(datasets); O(rows that change) where they have to be looked at
  func verdicts(of result: RepositoryState, merged: [String: Verdict]) throws -> [String: Verdict] {
    var verdicts = merged
    for (name, contract) in result.definitions.contracts.sorted(by: { $0.key < $1.key })
    where merged[name] == nil && !contract.rules.isEmpty {
      guard let verdict = try verdict(name, contract, result) else { continue }
      verdicts[name] = verdict
      guard verdict.passed else { throw Self.refusal(by: verdict) }
    }
    return verdicts
  }

  private func verdict(_ name: String, _ contract: Contract, _ result: RepositoryState) throws -> Verdict? {
    guard let reference = result.datasets[name] else { return nil }
    let (own, other) = (ours.datasets[name], theirs.datasets[name])
    let isOwn = reference == own
    if isOwn && contract == ours.definitions.contracts[name] { return nil }
    // The rows that this contract has not seen: of a version that stays those since the base, else those that come.
    let before = isOwn ? base.datasets[name] : own
    guard reference.root != before?.root else { return nil }
    // What the other side committed under the contract that both have has passed it there.
    let isChecked =
      reference == other && contract == theirs.definitions.contracts[name] && contract == ours.definitions.contracts[name] && !isRewrite
    let changesCount = reference.rows != before?.rows
    let checksRows = !isChecked && contract.rules.contains { !$0.isAboutDataset }
    guard checksRows || changesCount && contract.rules.contains(where: \.isAboutDataset) else { return nil }
    var asked = contract
    // A number of rows that stays breaks no rule that it did not break before.
    asked.rules.removeAll { $0.isAboutDataset ? !changesCount : !checksRows }
    var gate = try Gate(contract: asked)
    if checksRows { try check(name, from: before, to: reference, &gate) }
    var verdict = gate.verdict()
    verdict.noteDuplicateKeys(count: 0, first: [])
    verdict.noteDatasetRowCount(reference.rows)
    return verdict
  }

  private func check(_ name: String, from old: DatasetRef?, to new: DatasetRef, _ gate: inout Gate) throws {
    let before = try old.map { try TableVersion(archive: archive, root: $0.root) }
    let after = try TableVersion(archive: archive, root: new.root)
    var firstRow = 0
    try after.forEachGain(over: before) { rows in
      let conformed = try gate.conform(rows.keeping(gate.contract.schema), source: "the rows of \(name)", firstRow: firstRow)
      gate.check(conformed, firstRow: firstRow)
      firstRow += rows.rowCount
    }
  }

  static func refusal(by verdict: Verdict) -> AlmanacError {
    AlmanacError(
      .failed, "The result for \(verdict.dataset) was refused by its contract; nothing was changed.\n\(verdict.report())",
      hint: "Correct the rows on one of the branches, then try again.")
  }
}
