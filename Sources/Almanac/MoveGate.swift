import Checks
import Columns
import History
import Objects
import Tables

/// The gate before a branch moves forward to a commit that is there.
///
/// What the branch asks, and goes on asking, holds for what comes to it: a rule of the new contract about something that the old one
/// has a rule about, in whatever words, is asked of the rows, and of their number, where a commit on the way did not have it. A rule
/// about something new was applied there to rows that were there, and asks nothing.
struct MoveGate {
  let archive: Archive
  let old: CommitID
  let new: CommitID

  /// - Returns: the verdict by which a dataset is refused; nil when nothing is.
  /// - Throws: `StoreError`, `TableError`, `CheckError` when something cannot be read.
  /// - Complexity: O(commits on the way); O(rows that change) where they have to be looked at
  func refusal() throws -> Verdict? {
    let (before, after) = (try archive.commit(old), try archive.commit(new))
    var registered = RegisteredContracts(archive)
    let contracts = try registered.of(before, old)
    var passed: PassedRules?
    for (name, contract) in try registered.of(after, new).sorted(by: { $0.key < $1.key }) {
      guard let reference = after.datasets[name], reference.root != before.datasets[name]?.root else { continue }
      guard let asking = contracts[name] else { continue }
      let known = Set(asking.subjects(try layout(before.datasets[name])))
      let own = try layout(reference)
      let rules = contract.rules.filter { $0.severity == .error && known.contains(RuleSubject($0, own)) }
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

  private func layout(_ reference: DatasetRef?) throws -> TableLayout? {
    try reference.map { try TableVersion(archive: archive, root: $0.root).layout }
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

/// What a rule is about: a bound on one side, a length, a pattern, values or nulls of a column, whatever its name and the bound; or the
/// number of rows.
private struct RuleSubject: Hashable {
  private enum Part: Hashable { case nulls, key, least, most, shortest, longest, pattern, values, rowCount }

  private let part: Part
  /// The columns by field id; by name where there are no rows to have them.
  private let columns: [String]

  init(_ rule: Rule, _ layout: TableLayout?) {
    part =
      switch rule.kind {
      case .required: .nulls
      case .primaryKeyUnique: .key
      case .minimum, .exclusiveMinimum: .least
      case .maximum, .exclusiveMaximum: .most
      case .minLength: .shortest
      case .maxLength: .longest
      case .pattern: .pattern
      case .validValues: .values
      case .rowCount: .rowCount
      }
    columns = Self.columns(rule.columns, layout)
  }

  init(nullsOf column: String, _ layout: TableLayout?) {
    part = .nulls
    columns = Self.columns([column], layout)
  }

  private static func columns(_ names: [String], _ layout: TableLayout?) -> [String] {
    names.map { name in layout?.schema[name]?.id.map { "#\($0)" } ?? name }
  }
}

extension Contract {
  /// What it refuses rows for.
  fileprivate func subjects(_ layout: TableLayout?) -> [RuleSubject] {
    rules.filter { $0.severity == .error }.map { RuleSubject($0, layout) }
      + columns.filter(\.isRequired).map { RuleSubject(nullsOf: $0.name, layout) }
  }
}
