import Checks
import History
import JSON
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
      start =
        try commit.datasets[name].map { try TableVersion(archive: archive, root: $0.root).layout }
        ?? Self.recorded(of: name, by: commit).map { registered.declaration.firstLayout(keeping: $0) }
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

  // MARK: Where contracts do not tell

  /// What the producer of a commit has to say of the columns of datasets without rows: a merge, revert or cherry-pick may bring names
  /// that the contracts before it do not lead to, as where a side had followed a rename and forgotten it.
  /// - Parameter layouts: what its datasets without rows have come to.
  /// - Returns: nil where the contracts tell all.
  mutating func record(
    _ layouts: [String: TableLayout], under contracts: [String: Contract], after commit: CommitID
  ) throws -> JSON? {
    var datasets: [String: JSON] = [:]
    for (name, wanted) in layouts {
      guard let contract = contracts[name] else { continue }
      let ids = Self.ids(wanted)
      guard try Self.ids(layout(of: name, under: contract, after: commit)) != ids else { continue }
      datasets[name] = .object(ids.mapValues { .int(Int64($0)) })
    }
    return datasets.isEmpty ? nil : .object(datasets)
  }

  /// The member of `producer` that holds them.
  static let member = "fields"

  private static func ids(_ layout: TableLayout) -> [String: Int32] {
    Dictionary(uniqueKeysWithValues: layout.schema.fields.compactMap { field in field.id.map { (field.name, $0) } })
  }

  private static func recorded(of name: String, by commit: Commit) -> [String: Int32]? {
    commit.producer[member]?[name]?.objectValue?.compactMapValues { $0.intValue.flatMap { Int32(exactly: $0) } }
  }
}
