import History
import Tables

/// What several best common ancestors come to as one base, where branches were merged crosswise.
///
/// The ancestors are merged with each other, the oldest first, over their own common ancestors, and these in the same way, as git's
/// recursive strategy does. What conflicts among them is disputed: neither value is what the sides started from. Nothing is
/// written; only what both sides of the merge have changed is put together at all.
final class VirtualBases {
  private let repository: Repository
  private let policy: TailPolicy
  private var states: [CommitID: RepositoryState] = [:]
  private var steps: [[CommitID]: [Step]] = [:]
  private var datasets: [String: [[CommitID]: BaseDataset]] = [:]
  private var featuresKnown: [[CommitID]: FeatureObjects] = [:]
  private var held: [TailID] = []

  /// An ancestor that is merged with those before it, over the best common ancestors of both.
  private struct Step {
    let next: CommitID
    let bases: [CommitID]
  }

  init(_ repository: Repository, policy: TailPolicy) {
    self.repository = repository
    self.policy = policy
  }

  deinit { for tail in held { repository.archive.releaseTail(tail) } }

  func dataset(_ name: String, of commits: [CommitID]) throws -> BaseDataset {
    var known = datasets[name] ?? [:]
    let found = try value(of: commits, &known, isAlike: { try part(name, $0) == part(name, $1) }) { commits, base in
      try dataset(name, commits, base)
    }
    datasets[name] = known
    return found
  }

  func features(of commits: [CommitID]) throws -> FeatureObjects {
    try value(
      of: commits, &featuresKnown, isAlike: { try state($0).definitions.features == state($1).definitions.features }
    ) { commits, base in try features(commits, base) }
  }

  // MARK: Ancestors of ancestors

  /// Computes the values of bases from the oldest up: histories may be crossed more often than a stack is deep.
  /// - Parameters:
  ///   - isAlike: whether a commit has just what another one has.
  ///   - make: the value of some commits, given those of the bases that `steps` names.
  private func value<Value>(
    of commits: [CommitID], _ known: inout [[CommitID]: Value], isAlike: (CommitID, CommitID) throws -> Bool,
    make: ([CommitID], ([CommitID]) throws -> Value) throws -> Value
  ) throws -> Value {
    var open = [commits]
    while let next = open.last {
      if known[next] != nil {
        open.removeLast()
        continue
      }
      // Where all are alike, nobody asks what they started from.
      let isSame = try next.dropFirst().allSatisfy { try isAlike(next[0], $0) }
      let missing = isSame ? [] : try steps(of: next).map(\.bases).filter { known[$0] == nil }
      guard missing.isEmpty else {
        open += missing
        continue
      }
      known[next] = try make(isSame ? Array(next.prefix(1)) : next) { bases in
        guard let value = known[bases] else { preconditionFailure("Bases are computed before what builds on them") }
        return value
      }
      open.removeLast()
    }
    guard let value = known[commits] else { preconditionFailure("The last to be computed is what was asked for") }
    return value
  }

  private func steps(of commits: [CommitID]) throws -> [Step] {
    if let known = steps[commits] { return known }
    // Latest first, as they come; the oldest is the first to be merged.
    let order = Array(commits.reversed())
    let found = try order.indices.dropFirst().map { index in
      Step(next: order[index], bases: try repository.archive.mergeBases(Array(order[..<index]), [order[index]]))
    }
    steps[commits] = found
    return found
  }

  private func state(_ id: CommitID) throws -> RepositoryState {
    if let known = states[id] { return known }
    let state = try repository.state(at: id)
    states[id] = state
    return state
  }

  private func part(_ name: String, _ id: CommitID) throws -> DatasetPart { DatasetPart(name, in: try state(id)) }

  // MARK: Features

  private func features(_ commits: [CommitID], _ base: ([CommitID]) throws -> FeatureObjects) throws -> FeatureObjects {
    guard let oldest = commits.last else { return FeatureObjects() }
    var current = FeatureObjects(try state(oldest).definitions)
    for step in commits.count > 1 ? try steps(of: commits) : [] {
      let merge = FeatureMerge(base: try base(step.bases), first: current, second: FeatureObjects(try state(step.next).definitions))
      current = merge.result
      for (name, _, _, _) in merge.conflicts {
        current.disputed.insert(name)
        current.sections[name.section]?[name.name] = nil
      }
    }
    return current
  }

  // MARK: Datasets

  private func dataset(
    _ name: String, _ commits: [CommitID], _ base: ([CommitID]) throws -> BaseDataset
  ) throws -> BaseDataset {
    guard let oldest = commits.last else { return try whole(DatasetPart(name, in: RepositoryState())) }
    var current = try whole(part(name, oldest))
    for step in commits.count > 1 ? try steps(of: commits) : [] {
      current = try merged(name, base: base(step.bases), current, part(name, step.next))
    }
    return current
  }

  private func whole(_ part: DatasetPart) throws -> BaseDataset {
    BaseDataset(part: part, side: try part.side(in: repository.archive))
  }

  private func merged(_ name: String, base: BaseDataset, _ current: BaseDataset, _ next: DatasetPart) throws -> BaseDataset {
    if current.part == next || base.part == next { return current }
    if let part = current.part, part == base.part { return try whole(next) }
    let other = try next.side(in: repository.archive)
    guard !base.disputes.isWhole, !current.disputes.isWhole else { return disputed(current) }
    guard current.isThere, next.isThere else {
      return try present(name, base: base, current.isThere ? current : BaseDataset(part: nil, side: other))
    }
    var draft = repository.archive.draft()
    var merge = DatasetMerge(
      archive: repository.archive, policy: policy, name: name, isSettled: true, base: base.side, first: current.side, second: other,
      known: base.disputes.union(current.disputes), isBase: true)
    do {
      try merge.run(&draft)
    } catch let error as AlmanacError where error.kind == .failed {
      return disputed(current)
    }
    guard !merge.cannotMatchRows else { return disputed(current) }
    if let tail = merge.held { held.append(tail) }
    let side: DatasetMerge.Side
    if merge.version == nil, let contract = merge.contract, let layout = merge.layout {
      side = .init(contract: contract, layout: layout)
    } else {
      side = try .init(version: merge.version, contract: merge.contract)
    }
    return BaseDataset(part: nil, side: side, disputes: current.disputes.union(merge.disputes))
  }

  private func disputed(_ dataset: BaseDataset) -> BaseDataset {
    var disputes = dataset.disputes
    disputes.isWhole = true
    return BaseDataset(part: nil, side: dataset.side, disputes: disputes)
  }

  /// A dataset that one ancestor has removed and another has changed: what that one has, with all that it changed in dispute.
  private func present(_ name: String, base: BaseDataset, _ dataset: BaseDataset) throws -> BaseDataset {
    guard let layout = dataset.side.layout, let version = dataset.side.version, base.side.layout != nil else { return disputed(dataset) }
    let gone = TableVersion.empty(layout, in: repository.archive)
    let merge = try RowMerge(
      base: base.side.version, first: gone, second: version, layout: layout, disputed: base.disputes.cells, isBase: true)
    var result = BaseDataset(part: nil, side: dataset.side, disputes: dataset.disputes)
    result.disputes.cells.formUnion(merge.disputes)
    result.disputes.isContractDisputed = dataset.side.contract != base.side.contract
    return result
  }
}
