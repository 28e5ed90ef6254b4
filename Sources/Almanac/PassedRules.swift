import Checks
import History
import Objects

/// Which rules the rows that a line of commits brings have passed where they were committed.
///
/// A contract at the end of the line says nothing of what was asked on the way: a rule may have been taken away, rows committed, and
/// the rule put back.
struct PassedRules {
  private let archive: Archive
  private let line: [CommitID]
  private var contracts: RegisteredContracts

  /// - Parameters:
  ///   - tip: the end of the line.
  ///   - known: commits which, with all behind them, do not belong to it.
  /// - Throws: `notFound` when a commit is not stored; `corrupt`.
  /// - Complexity: O(commits of the line)
  init(from tip: CommitID, beyond known: [CommitID], in archive: Archive) throws(StoreError) {
    self.archive = archive
    contracts = RegisteredContracts(archive)
    line = try archive.commits(reachableFrom: [tip], excluding: known, limit: .max).map(\.id)
  }

  /// Those of some rules that a commit of the line which changed the rows of the dataset did not have, or had otherwise.
  /// - Complexity: O(commits of the line)
  mutating func missed(_ rules: [Rule], of dataset: String) throws(StoreError) -> Set<Rule> {
    var missed: Set<Rule> = []
    for id in line where missed.count < rules.count {
      let commit = try archive.commit(id)
      guard let root = commit.datasets[dataset]?.root else { continue }
      var isTaken = false
      for parent in commit.parents where !isTaken { isTaken = try archive.commit(parent).datasets[dataset]?.root == root }
      if isTaken { continue }
      let own = Set(try contracts.of(commit, id)[dataset]?.rules ?? [])
      missed.formUnion(rules.filter { !own.contains($0) })
    }
    return missed
  }
}
