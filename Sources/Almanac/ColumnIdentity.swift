import Checks
import History
import Tables

/// Which columns of a dataset without rows are which: a column that was renamed since its contract was registered stays the one that
/// it was, so that rows which came under an older name, on another branch or before, belong to it.
struct ColumnIdentity {
  private let archive: Archive
  private var contracts: RegisteredContracts

  init(_ archive: Archive) {
    self.archive = archive
    contracts = RegisteredContracts(archive)
  }

  /// The layout under which the dataset gets its first rows, or is merged.
  /// - Parameters:
  ///   - contract: what it is from now on.
  ///   - commit: the newest of those that lead here; nil for none.
  /// - Throws: `StoreError`, `TableError` when something cannot be read.
  /// - Complexity: O(commits since the contract was registered, or the dataset last had rows)
  mutating func layout(of name: String, under contract: Contract, after commit: CommitID?) throws -> TableLayout {
    var steps = [contract]
    var start: TableLayout?
    var next = commit
    while let id = next, start == nil {
      let commit = try archive.commit(id)
      guard let registered = try contracts.of(commit, id)[name] else { break }
      if registered != steps.last { steps.append(registered) }
      start = try commit.datasets[name].map { try TableVersion(archive: archive, root: $0.root).layout }
      // History that is gone says nothing.
      next = try commit.parents.first { parent in
        guard let commit = try? archive.commit(parent) else { return false }
        return try contracts.of(commit, parent)[name] != nil
      }
    }
    var layout = try start ?? steps.removeLast().layout(evolving: nil)
    for step in steps.reversed() { layout = step.declaration.firstLayout(continuing: layout) }
    return layout
  }
}
