import Checks
import History
import JSON
import Objects

/// The gate before a branch or tag takes commits that somebody pushes.
///
/// Each commit passed the gate where it was made, and its rows are not looked at again. What can be seen without them is: no
/// commit that arrives may name a verdict by which a rule of severity `error` is violated, and the datasets of the last one must
/// have as many rows as their contracts ask for. A rule that `apply` has brought to rows that were there refuses nothing, but one
/// that the ref has, and keeps, holds for what comes to it (`MoveGate`).
enum ArrivalGate {
  /// - Parameters:
  ///   - name: of the ref, for messages.
  ///   - old: what the ref stands for; nil when it is new, or is not stored.
  ///   - known: commits that were accepted before, with all behind them; those that are not stored are ignored.
  /// - Throws: `refused`; `notFound` when the commit is not stored; `corrupt`.
  /// - Complexity: one read for each commit that is new and for its verdicts
  static func check(_ name: String, at tip: CommitID, from old: CommitID?, known: [CommitID], in archive: Archive) throws(StoreError) {
    if !known.contains(tip) { try checkNew(name, at: tip, known: known, in: archive) }
    // Commits that are there already, as on another branch, are new to this one.
    guard let old, old != tip, let verdict = try moveRefusal(from: old, to: tip, archive) else { return }
    let rules = verdict.results.filter { !$0.passed }.map(\.rule.text).joined(separator: ", ")
    throw refusal(
      name, tip, "its rows of dataset \(verdict.dataset) violate \(rules), which \(name) asks; a commit on the way did not have that rule")
  }

  private static func refusal(_ name: String, _ tip: CommitID, _ what: String) -> StoreError {
    StoreError(kind: .refused, text: "Cannot move \(name) to \(tip.short): \(what)")
  }

  private static func checkNew(_ name: String, at tip: CommitID, known: [CommitID], in archive: Archive) throws(StoreError) {
    let new = try archive.commits(reachableFrom: [tip], excluding: known, limit: .max).map(\.id)
    for id in new {
      for dataset in try violated(archive.commit(id), id, archive) {
        throw refusal(name, tip, "commit \(id.short) violates the contract of dataset \(dataset), as its own verdict says")
      }
    }
    let commit = try archive.commit(tip)
    var registered = RegisteredContracts(archive)
    let contracts = try registered.of(commit, tip)
    for (dataset, reference) in commit.datasets.sorted(by: { $0.key < $1.key }) {
      guard let rule = broken(contracts[dataset], reference.rows) else { continue }
      guard let origin = try origin(of: dataset, from: tip, Set(new), archive),
        broken(try registered.at(origin)[dataset], reference.rows) != nil
      else { continue }
      let rows = reference.rows == 1 ? "1 row" : "\(reference.rows) rows"
      throw refusal(name, tip, "dataset \(dataset) has \(rows) since commit \(origin.short), and its contract asks for \(rule.text)")
    }
  }

  private static func moveRefusal(from old: CommitID, to new: CommitID, _ archive: Archive) throws(StoreError) -> Verdict? {
    do {
      return try MoveGate(archive: archive, old: old, new: new).refusal()
    } catch let error as StoreError {
      throw error
    } catch {
      throw StoreError(kind: .corrupt, text: "Cannot check the rows of commit \(new): \(error)")
    }
  }

  /// What a repository asks of refs that are pushed to it.
  static let refCheck: RefCheck = { (archive, update) throws(StoreError) in
    let accepted = try archive.refs().filter { $0.kind != .tracking }.map(\.commit)
    try check(update.name, at: update.new, from: update.kind == .branch ? update.expecting : nil, known: accepted, in: archive)
  }

  private static func broken(_ contract: Contract?, _ rowCount: Int) -> Rule? {
    contract?.rules.first { $0.severity == .error && !$0.allows(rowCount: rowCount) }
  }

  /// Datasets whose verdict, named by the commit, is a failed one.
  private static func violated(_ commit: Commit, _ id: CommitID, _ archive: Archive) throws(StoreError) -> [String] {
    guard let blob = commit.verdicts else { return [] }
    let verdicts = try json(archive.blob(blob), "the verdicts of commit \(id)")
    return (verdicts.objectValue ?? [:]).filter { $0.value["success"] == .bool(false) }.keys.sorted()
  }

  /// The commit, among those that are new, that gave a dataset as many rows as it has; nil where it had them before.
  private static func origin(
    of dataset: String, from tip: CommitID, _ new: Set<CommitID>, _ archive: Archive
  ) throws(StoreError) -> CommitID? {
    var id = tip
    while new.contains(id) {
      let commit = try archive.commit(id)
      var same: CommitID?
      for parent in commit.parents where same == nil {
        if try archive.commit(parent).datasets[dataset]?.rows == commit.datasets[dataset]?.rows { same = parent }
      }
      guard let same else { return id }
      id = same
    }
    return nil
  }

  private static func json(_ bytes: [UInt8], _ object: String) throws(StoreError) -> JSON {
    do {
      return try JSON(parsing: bytes)
    } catch {
      throw StoreError(kind: .corrupt, text: "Cannot read \(object): \(error)")
    }
  }
}
