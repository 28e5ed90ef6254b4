import Checks
import Columns
import History
import Objects
import Tables

/// The gate before a branch moves forward to a commit that is there.
///
/// The rules that the branch has, and keeps, hold for what comes to it: they are asked of the rows, and of their number, where a
/// commit on the way did not have them. A rule that comes along was applied there to rows that were there, and asks nothing.
struct MoveGate {
  let archive: Archive
  let old: CommitID
  let new: CommitID

  /// - Returns: the verdict by which a dataset is refused; nil when nothing is.
  /// - Throws: `StoreError`, `TableError`, `CheckError` when something cannot be read.
  /// - Complexity: O(commits on the way); O(rows that change) where they have to be looked at
  func refusal() throws -> Verdict? {
    let (before, after) = (try archive.commit(old), try archive.commit(new))
    let kept = try PassedRules.contracts(of: before, old, archive).mapValues(\.rules)
    var passed: PassedRules?
    for (name, contract) in try PassedRules.contracts(of: after, new, archive).sorted(by: { $0.key < $1.key }) {
      guard let reference = after.datasets[name], reference.root != before.datasets[name]?.root else { continue }
      let rules = contract.rules.filter { $0.severity == .error && kept[name]?.contains($0) ?? false }
      guard !rules.isEmpty else { continue }
      var line = try passed ?? PassedRules(from: new, beyond: [old], in: archive)
      let missed = try line.missed(rules, of: name)
      passed = line
      guard !missed.isEmpty else { continue }
      var asked = contract
      asked.rules = rules.filter { missed.contains($0) && (!$0.isAboutDataset || reference.rows != before.datasets[name]?.rows) }
      guard !asked.rules.isEmpty else { continue }
      let verdict = try Self.verdict(asked, from: before.datasets[name], to: reference, in: archive)
      if !verdict.passed { return verdict }
    }
    return nil
  }

  /// What a contract says of the rows that one version of its dataset has and another has not, and of their number.
  static func verdict(
    _ contract: Contract, from old: DatasetRef?, to new: DatasetRef, in archive: Archive
  ) throws -> Verdict {
    var gate = try Gate(contract: contract)
    if contract.rules.contains(where: { !$0.isAboutDataset }) {
      let before = try old.map { try TableVersion(archive: archive, root: $0.root) }
      var firstRow = 0
      try TableVersion(archive: archive, root: new.root).forEachGain(over: before) { rows in
        let conformed = try gate.conform(
          rows.keeping(gate.contract.schema), source: "the rows of \(contract.name)", firstRow: firstRow)
        gate.check(conformed, firstRow: firstRow)
        firstRow += rows.rowCount
      }
    }
    var verdict = gate.verdict()
    verdict.noteDuplicateKeys(count: 0, first: [])
    verdict.noteDatasetRowCount(new.rows)
    return verdict
  }
}
