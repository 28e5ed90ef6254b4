import Checks
import Columns
import Features
import Foundation
import History
import JSON
import Objects
import Tables

/// What `apply` would do or has done.
package struct ApplyReport: Sendable {
  package struct Change: Sendable {
    package enum Kind: String, Sendable { case added, removed, changed }
    package let kind: Kind
    /// For example `dataset transactions` or `feature view user_spend`.
    package let object: String
    package let details: [String]
  }

  package let changes: [Change]
  /// nil when nothing changed or only a plan was asked for.
  package let commit: CommitID?
  package let branch: String
  /// Of a plan: what callers of services and saved training sets will notice.
  package var breaks: [DefinitionEffect] = []
  /// Of the definitions as they then are: what may not give what is expected of it.
  package var warnings: [String] = []
  /// What the branch has otherwise than the folder's files, which are as they were applied: the branch was changed since, by a revert or
  /// by others, and stays as it is.
  package var kept: [String] = []
}

extension Repository {
  /// Registers the contracts of `schemas/` and the features of `features/` as a commit on the current branch.
  ///
  /// What the folder does not mention stays registered unless `prune`. A definition changed both here and on the branch
  /// since this folder last applied is a conflict.
  /// - Parameter plan: say what would change, and change nothing.
  package func apply(plan: Bool, prune: Bool = false) throws(AlmanacError) -> ApplyReport {
    let branch = try headBranch()
    let report = try tryingOnTip(of: branch, isPlan: plan) { (tip) throws(AlmanacError) in
      try attemptApply(to: branch, at: tip, plan: plan, prune: prune)
    }
    if let report { return report }
    throw AlmanacError(
      .failed, "Branch \(branch) was moved by other writers \(Self.raceCountMax) times; nothing was applied", hint: "Try again.")
  }

  /// One try on the branch's tip; nil when another writer was first.
  private func attemptApply(
    to branch: String, at parent: CommitID?, plan: Bool, prune: Bool
  ) throws(AlmanacError) -> ApplyReport? {
    let registered = try definitions(at: parent)
    let local = try readDefinitions()
    var wanted = try DefinitionMerge(registered: registered, local: local, lastApplied: lastApplied(to: branch), prune: prune).merged()
    wanted.features = wanted.features.located(in: local.features)
    try AlmanacError.translating { try wanted.features.validate(datasets: wanted.sources) }
    let old = try parent.map { (id) throws(AlmanacError) in try commit(id) }
    var draft = archive.draft()
    let datasets = try evolved(old?.datasets ?? [:], from: registered, to: wanted, draft: &draft)
    let changes = Self.changes(from: registered, to: wanted)
    let kept = Self.differences(local, wanted)
    let warnings = wanted.features.warnings(datasets: wanted.sources) + Self.uncheckedRules(from: registered, to: wanted, of: datasets)
    if plan {
      var report = ApplyReport(changes: changes, commit: nil, branch: branch, warnings: warnings, kept: kept)
      if !changes.isEmpty { report.breaks = try breaks(from: registered, to: wanted, tip: parent) }
      return report
    }
    if changes.isEmpty {
      try recordApplied(local, to: branch, prune: prune)
      return ApplyReport(changes: changes, commit: nil, branch: branch, warnings: warnings, kept: kept)
    }
    let summary = changes.map { "\($0.kind.rawValue) \($0.object)" }.joined(separator: ", ")
    let created = Commit(
      parents: parent.map { [$0] } ?? [], datasets: datasets,
      definitions: draft.addBlob(wanted.json.canonicalBytes), author: Self.defaultAuthor, message: "apply: \(summary)",
      timeMicros: try commitTime(after: [parent]), inputs: [], producer: producer(["command": "apply"]), verdicts: nil)
    let id = draft.addCommit(created)
    let outcome = try AlmanacError.translating {
      try archive.publish(&draft, commit: id, to: branch, expecting: parent, reason: "apply")
    }
    guard case .moved = outcome else { return nil }
    try recordApplied(local, to: branch, prune: prune)
    return ApplyReport(changes: changes, commit: id, branch: branch, warnings: warnings, kept: kept)
  }

  /// The objects that both declare, and differently.
  private static func differences(_ local: Definitions, _ wanted: Definitions) -> [String] {
    let (ours, there) = (DefinitionMerge.objects(of: local), DefinitionMerge.objects(of: wanted))
    return ours.sorted { $0.key < $1.key }.flatMap { section, members in
      members.keys.sorted().filter { name in there[section]?[name].map { $0 != members[name] } ?? false }.map { "\(section) \($0)" }
    }
  }

  /// The datasets under the layouts that their new contracts give them: a commit's versions always have the columns of its
  /// contracts, and a rename of a rename, or a column dropped and added again, is followed step by step.
  /// - Throws: `failed` for a change that needs a rewrite, or that a contract's `evolution: none` excludes.
  private func evolved(
    _ datasets: [String: DatasetRef], from registered: Definitions, to wanted: Definitions, draft: inout Draft
  ) throws(AlmanacError) -> [String: DatasetRef] {
    var result = datasets
    for (name, reference) in datasets.sorted(by: { $0.key < $1.key }) {
      guard let contract = wanted.contracts[name], contract != registered.contracts[name] else { continue }
      result[name] = try AlmanacError.translating {
        let version = try TableVersion(archive: archive, root: reference.root)
        let layout = try contract.layout(evolving: version.layout)
        guard layout != version.layout else { return reference }
        try Self.checkEvolution(from: registered.contracts[name], to: contract)
        return try version.addRoot(under: layout, to: &draft)
      }
    }
    return result
  }

  /// Rules that rows which are there have not been asked for: a rule is applied to what is committed.
  private static func uncheckedRules(
    from registered: Definitions, to wanted: Definitions, of datasets: [String: DatasetRef]
  ) -> [String] {
    datasets.sorted { $0.key < $1.key }.flatMap { name, reference -> [String] in
      guard reference.rows > 0, let contract = wanted.contracts[name] else { return [] }
      let new = contract.rules(absentFrom: registered.contracts[name])
      let rows = reference.rows == 1 ? "the row that is there has" : "the \(reference.rows) rows that are there have"
      let broken = new.filter { !$0.allows(rowCount: reference.rows) }.map { rule in
        "dataset \(name) has \(reference.rows) \(reference.rows == 1 ? "row" : "rows"), and its new rule is \(rule.text): "
          + "commits to it are refused until that holds"
      }
      let unchecked = new.filter { !$0.isAboutDataset }.map(\.text)
      guard !unchecked.isEmpty else { return broken }
      return broken + ["dataset \(name): \(rows) not been checked against new rules: \(unchecked.joined(separator: "; "))"]
    }
  }

  private static func checkEvolution(from old: Contract?, to new: Contract) throws(AlmanacError) {
    let way: String
    if old?.evolution == Contract.Evolution.none {
      way = "its contract says evolution: none; apply evolution: backward by itself first"
    } else if new.evolution == .none {
      way = "the contract says evolution: none; apply the change under evolution: backward first"
    } else {
      return
    }
    throw AlmanacError(.failed, "Cannot change the columns of dataset \(new.name), which has committed rows: \(way)")
  }

  /// What the files of the folder define.
  func readDefinitions() throws(AlmanacError) -> Definitions {
    var contracts: [String: (contract: Contract, file: String)] = [:]
    for file in try yamlFiles(in: "schemas") {
      for contract in try AlmanacError.translating(nil, { try Contract.parse(yaml: file.text, file: file.name) }) {
        if let other = contracts[contract.name] {
          throw AlmanacError(.failed, "Dataset \(contract.name) is declared twice: in \(other.file) and in \(file.name)")
        }
        contracts[contract.name] = (contract, file.name)
      }
    }
    let features = try AlmanacError.translating {
      try DefinitionSet.parse(files: yamlFiles(in: "features").map { (name: $0.name, yaml: $0.text) })
    }
    var local = Definitions()
    local.contracts = contracts.mapValues(\.contract)
    local.features = features
    return local
  }

  func yamlFiles(in name: String) throws(AlmanacError) -> [(name: String, text: String)] {
    let path = "\(folder)/\(name)"
    guard let entries = FileManager.default.enumerator(atPath: path) else { return [] }
    var files: [(name: String, text: String)] = []
    for case let entry as String in entries where entry.hasSuffix(".yaml") || entry.hasSuffix(".yml") {
      guard let text = try? String(contentsOfFile: "\(path)/\(entry)", encoding: .utf8) else {
        throw AlmanacError(.io, "Cannot read \(name)/\(entry): it is not UTF-8 text or not readable")
      }
      files.append(("\(name)/\(entry)", text))
    }
    return files.sorted { $0.name < $1.name }
  }

  /// What this folder last applied, by branch: definitions of one branch say nothing about another.
  private var appliedPath: String { "\(storeFolder)/applied.json" }

  /// A record that cannot be read is none: then the branch's own definitions are the base of the merge.
  var appliedIsReadable: Bool {
    guard let data = FileManager.default.contents(atPath: appliedPath) else { return true }
    let branches = (try? JSON(parsing: Array(data)))?["branches"]?.objectValue
    return branches?.values.allSatisfy { (try? Definitions(json: $0)) != nil } ?? false
  }

  /// Takes a record that cannot be read out of the way, for the next `apply` to write another.
  /// - Returns: what was done, if anything.
  func setDamagedAppliedAside() throws(AlmanacError) -> [String] {
    guard !appliedIsReadable else { return [] }
    do {
      try? FileManager.default.removeItem(atPath: "\(appliedPath).damaged")
      try FileManager.default.moveItem(atPath: appliedPath, toPath: "\(appliedPath).damaged")
    } catch {
      throw AlmanacError(.io, "Cannot set \(appliedPath) aside: \(error.localizedDescription)")
    }
    return ["the note of what was last applied was set aside as applied.json.damaged: the next apply compares with the branch alone"]
  }

  private func appliedByBranch() -> [String: JSON] {
    guard let data = FileManager.default.contents(atPath: appliedPath), let json = try? JSON(parsing: Array(data)) else { return [:] }
    return json["branches"]?.objectValue ?? [:]
  }

  private func lastApplied(to branch: String) -> Definitions? {
    appliedByBranch()[branch].flatMap { try? Definitions(json: $0) }
  }

  /// Only what the folder itself declares or, until it prunes, once declared: what others registered is theirs to change.
  private func recordApplied(_ local: Definitions, to branch: String, prune: Bool) throws(AlmanacError) {
    let before = lastApplied(to: branch)
    let definitions = try DefinitionMerge(registered: before ?? Definitions(), local: local, lastApplied: before, prune: prune).merged()
    var branches = appliedByBranch()
    guard branches[branch] != definitions.json else { return }
    branches[branch] = definitions.json
    let json: JSON = ["branches": .object(branches)]
    try OutputPlace.write(json.canonicalBytes, to: appliedPath)
  }

  static func changes(from old: Definitions, to new: Definitions) -> [ApplyReport.Change] {
    var changes: [ApplyReport.Change] = []
    for name in Set(old.contracts.keys).union(new.contracts.keys).sorted() where old.contracts[name] != new.contracts[name] {
      let before = old.contracts[name]
      let after = new.contracts[name]
      let kind: ApplyReport.Change.Kind = before == nil ? .added : after == nil ? .removed : .changed
      changes.append(.init(kind: kind, object: "dataset \(name)", details: Contract.describeChange(from: before, to: after)))
    }
    for change in new.features.diff(from: old.features) {
      let kind: ApplyReport.Change.Kind =
        switch change.kind {
        case .added: .added
        case .removed: .removed
        case .changed: .changed
        }
      changes.append(.init(kind: kind, object: change.object, details: change.details))
    }
    return changes
  }
}

extension Contract {
  /// Lines such as `column amount: float64` and `rule added: amount minimum 0`.
  static func describeChange(from old: Contract?, to new: Contract?) -> [String] {
    func lines(_ contract: Contract?) -> [String] {
      guard let contract else { return [] }
      let columns = contract.columns.map { column in
        let origin = column.previousName.map { ", renamed from \($0)" } ?? ""
        return "column \(column.name): \(column.type)\(column.isRequired ? " required" : "")\(origin)"
      }
      return columns + contract.rules.map { "rule \($0.text)" }
    }
    let before = lines(old)
    let after = lines(new)
    return before.filter { !after.contains($0) }.map { "- \($0)" } + after.filter { !before.contains($0) }.map { "+ \($0)" }
  }
}

extension Contract {
  /// Rules that another contract of the dataset does not have, columns followed through renames.
  fileprivate func rules(absentFrom old: Contract?) -> [Rule] {
    let names = Dictionary(
      columns.compactMap { column in column.previousName.map { ($0, column.name) } }, uniquingKeysWith: { first, _ in first })
    let known = (old?.rules ?? []).map { rule in
      Rule(dataset: rule.dataset, columns: rule.columns.map { names[$0] ?? $0 }, kind: rule.kind, severity: rule.severity)
    }
    return rules.filter { !known.contains($0) && !(old?.rules.contains($0) ?? false) }
  }
}
