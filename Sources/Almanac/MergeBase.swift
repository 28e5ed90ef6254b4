import Checks
import History
import JSON
import Tables

/// One dataset at one commit.
struct DatasetPart: Equatable {
  let ref: DatasetRef?
  let contract: Contract?
  private let name: String
  private let commit: CommitID?

  init(_ name: String, in state: RepositoryState) {
    self.name = name
    ref = state.datasets[name]
    contract = state.definitions.contracts[name]
    commit = state.commit
  }

  static func == (a: DatasetPart, b: DatasetPart) -> Bool { a.ref == b.ref && a.contract == b.contract }

  var isThere: Bool { ref != nil || contract != nil }

  func side(in archive: Archive) throws -> DatasetMerge.Side {
    if ref == nil, let contract {
      var identity = ColumnIdentity(archive)
      return .init(contract: contract, layout: try identity.layout(of: name, under: contract, after: commit))
    }
    return try .init(version: ref.map { try TableVersion(archive: archive, root: $0.root) }, contract: contract)
  }
}

/// What two versions of a dataset started from.
struct BaseDataset {
  /// Where it is just what a commit has, without disputes; nil where it was put together.
  let part: DatasetPart?
  let side: DatasetMerge.Side
  var disputes = DatasetDisputes()

  var isThere: Bool { side.version != nil || side.contract != nil }
}

/// Feature definitions as objects by name.
struct FeatureObjects {
  struct Name: Hashable {
    let section: String
    let name: String
  }

  var sections: DefinitionMerge.Objects = [:]
  /// Objects in which common ancestors disagree; they are in no section.
  var disputed: Set<Name> = []

  init() {}

  init(_ definitions: Definitions) {
    sections = DefinitionMerge.objects(of: definitions)
    sections["contracts"] = nil
  }

  subscript(name: Name) -> JSON? { sections[name.section]?[name.name] }

  var names: [Name] { sections.flatMap { section, objects in objects.keys.map { Name(section: section, name: $0) } } }
}

/// Three-way merge of feature definitions, object by object, decided for the first side.
struct FeatureMerge {
  private(set) var result = FeatureObjects()
  private(set) var conflicts: [(object: FeatureObjects.Name, base: JSON?, first: JSON?, second: JSON?)] = []

  init(base: FeatureObjects, first: FeatureObjects, second: FeatureObjects) {
    result.disputed = first.disputed
    for section in Set(first.sections.keys).union(second.sections.keys) { result.sections[section] = [:] }
    let names = Set(first.names + second.names).sorted { ($0.section, $0.name) < ($1.section, $1.name) }
    for name in names where !first.disputed.contains(name) {
      let (x, a, b) = (base[name], first[name], second[name])
      let isDisputed = base.disputed.contains(name)
      if a != b && (isDisputed || a != x && b != x) { conflicts.append((name, x, a, b)) }
      result.sections[name.section]?[name.name] = a == x && !isDisputed ? b : a
    }
  }
}

/// What the two sides of a merge started from: the state of a commit, or of several put together.
enum MergeBase {
  case state(RepositoryState, Archive)
  case ancestors([CommitID], VirtualBases)

  func dataset(_ name: String) throws -> BaseDataset {
    switch self {
    case .state(let state, let archive):
      let part = DatasetPart(name, in: state)
      return BaseDataset(part: part, side: try part.side(in: archive))
    case .ancestors(let commits, let bases): return try bases.dataset(name, of: commits)
    }
  }

  func features() throws -> FeatureObjects {
    switch self {
    case .state(let state, _): FeatureObjects(state.definitions)
    case .ancestors(let commits, let bases): try bases.features(of: commits)
    }
  }
}
