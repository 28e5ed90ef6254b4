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
  /// Where it is that of a commit.
  var commit: CommitID?

  static func == (a: RepositoryState, b: RepositoryState) -> Bool { a.datasets == b.datasets && a.definitions == b.definitions }
}

/// Three-way merge of whole states: definitions object by object, datasets that both sides changed row by row.
///
/// Datasets that only one side changed are taken as they are. Conflicts are decided for the first side and reported.
struct StateMerge {
  let archive: Archive
  private let policy: TailPolicy
  let base: MergeBase
  let first: RepositoryState
  let second: RepositoryState

  private(set) var result = RepositoryState()
  private(set) var rowConflicts: [RowConflict] = []
  private(set) var definitionConflicts: [DefinitionConflict] = []
  private(set) var verdicts: [String: Verdict] = [:]
  /// What changed in datasets that were merged row by row, against the first side.
  private(set) var counts: [String: (added: Int, changed: Int, removed: Int)] = [:]
  /// The columns of datasets without rows that are not those of our side.
  private(set) var layouts: [String: TableLayout] = [:]
  private let isSettled: Bool
  private let asks: DatasetMerge.Asks

  var hasConflicts: Bool { !rowConflicts.isEmpty || !definitionConflicts.isEmpty }

  /// - Parameters:
  ///   - isSettled: whether conflicts are decided for the first side; otherwise `result` is of no use when there are some.
  ///   - asks: whose rows the rules are asked of.
  ///   - draft: gets the roots of merged datasets.
  /// - Throws: `failed` with the verdict when the merged rows violate a contract.
  init(
    _ archive: Archive, policy: TailPolicy, base: MergeBase, first: RepositoryState, second: RepositoryState, isSettled: Bool,
    asks: DatasetMerge.Asks, draft: inout Draft
  ) throws {
    self.archive = archive
    self.policy = policy
    self.base = base
    self.first = first
    self.second = second
    self.isSettled = isSettled
    self.asks = asks
    try mergeFeatures()
    // What neither side has any more, both have removed.
    let names = [first, second].reduce(into: Set<String>()) { names, state in
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
    if first.definitions.features == second.definitions.features {
      result.definitions.features = first.definitions.features
      return
    }
    let merge = FeatureMerge(
      base: try base.features(), first: FeatureObjects(first.definitions), second: FeatureObjects(second.definitions))
    for (object, x, a, b) in merge.conflicts {
      let kind = object.section.split(separator: ".").last.map(String.init) ?? object.section
      definitionConflicts.append(
        DefinitionConflict(
          object: "\(Self.singular[kind] ?? kind) \(object.name)", what: nil, base: x?.text(), first: a?.text(), second: b?.text()))
    }
    result.definitions = try DefinitionMerge.definitions(from: merge.result.sections)
  }

  private static let singular = [
    "entities": "entity", "feature_views": "feature view", "feature_services": "feature service",
    "on_demand_features": "on-demand feature",
  ]

  // MARK: Datasets

  private mutating func mergeDataset(_ name: String, _ draft: inout Draft) throws {
    let (mine, theirs) = (DatasetPart(name, in: first), DatasetPart(name, in: second))
    if mine == theirs { return take(name, mine.ref, mine.contract) }
    let old = try base.dataset(name)
    // Everything from one side: it was checked when it was committed there.
    if theirs == old.part { return try takeWhole(name, mine, isOurs: asks.isOursFirst) }
    if mine == old.part { return try takeWhole(name, theirs, isOurs: !asks.isOursFirst) }
    guard mine.isThere, theirs.isThere, !old.disputes.isWhole else {
      definitionConflicts.append(
        DefinitionConflict(
          object: "dataset \(name)",
          what: mine.isThere && theirs.isThere
            ? "which both sides have settled differently" : "removed on one side, changed on the other",
          base: old.part?.ref?.root.description, first: mine.ref?.root.description, second: theirs.ref?.root.description))
      return try takeWhole(name, mine, isOurs: asks.isOursFirst)
    }
    var merge = DatasetMerge(
      archive: archive, policy: policy, name: name, isSettled: isSettled, base: old.side,
      first: try mine.side(in: archive), second: try theirs.side(in: archive), known: old.disputes, asks: asks)
    try merge.run(&draft)
    rowConflicts += merge.rowConflicts.map { RowConflict(dataset: name, row: $0) }
    definitionConflicts += merge.definitionConflicts
    verdicts[name] = merge.verdict
    counts[name] = merge.counts
    if merge.ref == nil { layouts[name] = merge.layout }
    take(name, merge.ref, merge.contract)
  }

  private mutating func takeWhole(_ name: String, _ part: DatasetPart, isOurs: Bool) throws {
    if part.ref == nil, !isOurs { layouts[name] = try part.side(in: archive).layout }
    take(name, part.ref, part.contract)
  }

  private mutating func take(_ name: String, _ ref: DatasetRef?, _ contract: Contract?) {
    result.datasets[name] = ref
    result.definitions.contracts[name] = contract
  }
}
