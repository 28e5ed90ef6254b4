import Checks
import Columns
import Features
import History
import JSON
import Tables

/// What a commit holds: the versions of its datasets, and its definitions. Nothing stands for the state before the first commit.
struct RepositoryState: Equatable {
  var datasets: [String: DatasetRef] = [:]
  var definitions = Definitions()
}

/// Three-way merge of whole states: definitions object by object, datasets that both sides changed row by row.
///
/// Datasets that only one side changed are taken as they are. Conflicts are decided for the first side and reported.
struct StateMerge {
  let archive: Archive
  private let policy: TailPolicy
  let base: RepositoryState
  let first: RepositoryState
  let second: RepositoryState

  private(set) var result = RepositoryState()
  private(set) var rowConflicts: [RowConflict] = []
  private(set) var definitionConflicts: [DefinitionConflict] = []
  private(set) var verdicts: [String: Verdict] = [:]
  /// What changed in datasets that were merged row by row, against the first side.
  private(set) var counts: [String: (added: Int, changed: Int, removed: Int)] = [:]
  private let isSettled: Bool

  var hasConflicts: Bool { !rowConflicts.isEmpty || !definitionConflicts.isEmpty }

  /// - Parameters:
  ///   - isSettled: whether conflicts are decided for the first side; otherwise `result` is of no use when there are some.
  ///   - draft: gets the roots of merged datasets.
  /// - Throws: `failed` with the verdict when the merged rows violate a contract.
  init(
    _ archive: Archive, policy: TailPolicy, base: RepositoryState, first: RepositoryState, second: RepositoryState, isSettled: Bool,
    draft: inout Draft
  ) throws {
    self.archive = archive
    self.policy = policy
    self.base = base
    self.first = first
    self.second = second
    self.isSettled = isSettled
    try mergeFeatures()
    let names = [base, first, second].reduce(into: Set<String>()) { names, state in
      names.formUnion(state.datasets.keys)
      names.formUnion(state.definitions.contracts.keys)
    }
    for name in names.sorted() { try mergeDataset(name, &draft) }
    if !hasConflicts || isSettled {
      try AlmanacError.translating("The merged definitions do not go together") {
        try result.definitions.features.validate(datasets: result.definitions.sources)
      }
    }
  }

  // MARK: Feature definitions

  private mutating func mergeFeatures() throws {
    let (old, mine, theirs) = (
      DefinitionMerge.objects(of: base.definitions), DefinitionMerge.objects(of: first.definitions),
      DefinitionMerge.objects(of: second.definitions)
    )
    var merged: DefinitionMerge.Objects = [:]
    for section in Set(mine.keys).union(theirs.keys).sorted() where section != "contracts" {
      for name in Set((mine[section] ?? [:]).keys).union((theirs[section] ?? [:]).keys).sorted() {
        let (x, a, b) = (old[section]?[name], mine[section]?[name], theirs[section]?[name])
        if a != b && a != x && b != x {
          let kind = section.split(separator: ".").last.map(String.init) ?? section
          let object = "\(Self.singular[kind] ?? kind) \(name)"
          definitionConflicts.append(
            DefinitionConflict(object: object, what: nil, base: x?.text(), first: a?.text(), second: b?.text()))
        }
        merged[section, default: [:]][name] = a == x ? b : a
      }
    }
    result.definitions = try DefinitionMerge.definitions(from: merged)
  }

  private static let singular = [
    "entities": "entity", "feature_views": "feature view", "feature_services": "feature service",
    "on_demand_features": "on-demand feature",
  ]

  // MARK: Datasets

  private struct Part: Equatable {
    let ref: DatasetRef?
    let contract: Contract?

    init(_ name: String, in state: RepositoryState) {
      ref = state.datasets[name]
      contract = state.definitions.contracts[name]
    }

    var isThere: Bool { ref != nil || contract != nil }

    func side(in archive: Archive) throws -> DatasetMerge.Side {
      try .init(version: ref.map { try TableVersion(archive: archive, root: $0.root) }, contract: contract)
    }
  }

  private mutating func mergeDataset(_ name: String, _ draft: inout Draft) throws {
    let (old, mine, theirs) = (Part(name, in: base), Part(name, in: first), Part(name, in: second))
    // Everything from one side: it was checked when it was committed there.
    if mine == theirs || theirs == old { return take(name, mine.ref, mine.contract) }
    if mine == old { return take(name, theirs.ref, theirs.contract) }
    guard mine.isThere, theirs.isThere else {
      definitionConflicts.append(
        DefinitionConflict(
          object: "dataset \(name)", what: "removed on one side, changed on the other", base: old.ref?.root.description,
          first: mine.ref?.root.description, second: theirs.ref?.root.description))
      return take(name, mine.ref, mine.contract)
    }
    var merge = DatasetMerge(
      archive: archive, policy: policy, name: name, isSettled: isSettled, base: try old.side(in: archive),
      first: try mine.side(in: archive),
      second: try theirs.side(in: archive))
    try merge.run(&draft)
    rowConflicts += merge.rowConflicts.map { RowConflict(dataset: name, row: $0) }
    definitionConflicts += merge.definitionConflicts
    verdicts[name] = merge.verdict
    counts[name] = merge.counts
    take(name, merge.ref, merge.contract)
  }

  private mutating func take(_ name: String, _ ref: DatasetRef?, _ contract: Contract?) {
    result.datasets[name] = ref
    result.definitions.contracts[name] = contract
  }
}
