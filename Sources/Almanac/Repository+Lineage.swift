import History
import JSON
import Tables

/// Where something comes from, or what was made of it.
package struct LineageReport: Sendable {
  package enum Direction: String, Sendable { case up, down }

  package enum Subject: Sendable {
    /// A dataset at a commit; the root is nil when any of its versions is meant.
    case dataset(String, root: String?, commit: CommitID)
    case commit(CommitID)
    /// A feature service, by whatever definition.
    case service(String)
  }

  package let subject: Subject
  package let direction: Direction
  /// Nearest first, then newest first.
  package let runs: [LineageRun]
}

extension Repository {
  /// Walks inputs up, or consumers down.
  ///
  /// Up: the commits that made a dataset's version, back to its beginning or its last replacement, what they were made from, and
  /// so on through the versions among those. Down: the commits on any branch or tag that name the version (or, for a dataset
  /// without `@REVISION`, any of its versions) or the commit among their inputs, and what was made of theirs. Of a feature service these
  /// are the training sets that were saved by it; up it has nothing.
  /// - Parameters:
  ///   - name: `DATASET`, `DATASET@REVISION`, a revision or a feature service, in this order where they share a name.
  ///   - depth: how many steps; nil for all.
  /// - Complexity: up, the commits of the histories walked; down, these for every version that a commit names as an input.
  package func lineage(
    _ name: String, direction: LineageReport.Direction, depth: Int? = nil
  ) throws(AlmanacError) -> LineageReport {
    let subject = try lineageSubject(name)
    if case .service = subject, direction == .up {
      throw AlmanacError(
        .usage, "Cannot show what \(name) was made from: it is a feature service, which files declare",
        hint: "--down shows the training sets that were saved by it.")
    }
    let limit = depth ?? .max
    return try AlmanacError.translating {
      var walk = LineageWalk(repository: self)
      switch direction {
      case .up: try walk.up(from: subject, depth: limit)
      case .down: try walk.down(from: subject, depth: limit)
      }
      return LineageReport(subject: subject, direction: direction, runs: try walk.runs())
    }
  }

  private func lineageSubject(_ name: String) throws(AlmanacError) -> LineageReport.Subject {
    if let head = try currentTip(), try commit(head).datasets[name] != nil {
      return .dataset(name, root: nil, commit: head)
    }
    if let (dataset, id) = try datasetVersion(name) {
      return .dataset(dataset, root: try commit(id).datasets[dataset]?.root.description, commit: id)
    }
    if let id = try revision(name) { return .commit(id) }
    if try isService(name) { return .service(name) }
    throw AlmanacError(
      .notFound,
      "Cannot show the lineage of \(name): it is no dataset of the current branch, no DATASET@REVISION, no revision and no feature service")
  }

  /// Whether the current branch defines a service, or a saved training set was made by one of this name.
  private func isService(_ name: String) throws(AlmanacError) -> Bool {
    if try definitions(at: currentTip()).features.service(named: name) != nil { return true }
    return try AlmanacError.translating {
      try LineageWalk(repository: self).everyCommit().values.contains { commit in
        commit.inputs.flatMap(LineageInput.reading).contains { if case .recipe(_, name, _) = $0 { true } else { false } }
      }
    }
  }
}

/// Collects commits, each once, with the datasets of theirs that matter.
private struct LineageWalk {
  let repository: Repository
  /// By commit: the step it was first met on, and which of its datasets were asked for (nil: all it made).
  private var found: [CommitID: (depth: Int, datasets: Set<String>?)] = [:]
  private var makersOfVersions: [String: [CommitID]] = [:]

  init(repository: Repository) { self.repository = repository }

  func runs() throws -> [LineageRun] {
    try found.map { id, entry in
      let commit = try repository.commit(id)
      let outputs = try Self.outputs(of: commit, in: repository).filter { entry.datasets?.contains($0.dataset) ?? true }
      let inputs = commit.inputs.flatMap(LineageInput.reading).filter { input in
        input.target.map { target in entry.datasets?.contains(target) ?? true } ?? true
      }
      return LineageRun(id: id, commit: commit, depth: entry.depth, inputs: inputs, outputs: outputs)
    }.sorted { a, b in
      (a.depth, -a.commit.timeMicros, a.id.description) < (b.depth, -b.commit.timeMicros, b.id.description)
    }
  }

  /// The versions that a commit has and its parents have not.
  static func outputs(of commit: Commit, in repository: Repository) throws -> [LineageOutput] {
    let parents = try commit.parents.map { try repository.commit($0).datasets }
    return commit.datasets.sorted { $0.key < $1.key }.compactMap { name, reference in
      guard !parents.contains(where: { $0[name]?.root == reference.root }) else { return nil }
      return LineageOutput(dataset: name, root: reference.root.description, rowCount: reference.rows)
    }
  }

  // MARK: Up

  mutating func up(from subject: LineageReport.Subject, depth: Int) throws {
    var open: [(id: CommitID, dataset: String?)]
    switch subject {
    case .dataset(let name, _, let commit): open = try makers(of: name, at: commit).map { ($0, name) }
    case .commit(let id): open = [(id, nil)]
    case .service: return
    }
    var step = 1
    while !open.isEmpty && step <= depth {
      var next: [(id: CommitID, dataset: String?)] = []
      for (id, dataset) in open where add(id, dataset, depth: step) {
        let commit = try repository.commit(id)
        for input in commit.inputs.flatMap(LineageInput.reading) {
          switch input {
          case .version(let name, _, let source): next += try makers(of: name, at: source).map { ($0, name) }
          case .commit(let source):
            for name in try repository.commit(source).datasets.keys.sorted() {
              next += try makers(of: name, at: source).map { ($0, name) }
            }
          case .file, .recipe: break
          }
        }
      }
      open = next
      step += 1
    }
  }

  /// - Returns: whether the commit, or this dataset of it, is new.
  private mutating func add(_ id: CommitID, _ dataset: String?, depth: Int) -> Bool {
    guard let entry = found[id] else {
      found[id] = (depth, dataset.map { [$0] })
      return true
    }
    guard var datasets = entry.datasets else { return false }
    guard let dataset else {
      found[id] = (entry.depth, nil)
      return true
    }
    let isNew = datasets.insert(dataset).inserted
    found[id] = (entry.depth, datasets)
    return isNew
  }

  /// The commits whose rows a version holds: back from a commit, those that changed the dataset, until one that replaced it.
  private mutating func makers(of dataset: String, at start: CommitID) throws -> [CommitID] {
    let key = "\(dataset)@\(start)"
    if let known = makersOfVersions[key] { return known }
    var result: [CommitID] = []
    var seen: Set<CommitID> = [start]
    var open = [start]
    while let id = open.popLast() {
      let commit = try repository.commit(id)
      guard let reference = commit.datasets[dataset] else { continue }
      let parents = try commit.parents.map { (id: $0, root: try repository.commit($0).datasets[dataset]?.root) }
      if let same = parents.first(where: { $0.root == reference.root }) {
        if seen.insert(same.id).inserted { open.append(same.id) }
        continue
      }
      result.append(id)
      guard !commit.replacesRows else { continue }
      for parent in parents where seen.insert(parent.id).inserted { open.append(parent.id) }
    }
    makersOfVersions[key] = result
    return result
  }

  // MARK: Down

  mutating func down(from subject: LineageReport.Subject, depth: Int) throws {
    let all = try everyCommit()
    var step = 1
    var made: Set<CommitID> = []
    while step <= depth {
      var met: Set<CommitID> = []
      for (id, commit) in all where found[id] == nil {
        for input in commit.inputs.flatMap(LineageInput.reading) {
          if try step == 1 ? names(input, subject) : isMade(input, by: made) { met.insert(id) }
        }
      }
      guard !met.isEmpty else { return }
      for id in met { found[id] = (step, nil) }
      made = met
      step += 1
    }
  }

  func everyCommit() throws -> [CommitID: Commit] {
    var result: [CommitID: Commit] = [:]
    for ref in try repository.archive.refs() {
      for (id, commit) in try repository.archive.log(from: ref.commit) { result[id] = commit }
    }
    return result
  }

  /// Whether an input is what was asked about.
  private mutating func names(_ input: LineageInput, _ subject: LineageReport.Subject) throws -> Bool {
    switch (subject, input) {
    case (.dataset(let name, let root, _), .version(let dataset, let inputRoot, _)):
      return name == dataset && (root == nil || root == inputRoot)
    case (.dataset(let name, let root, _), .commit(let id)):
      guard let reference = try repository.commit(id).datasets[name] else { return false }
      return root == nil || root == reference.root.description
    case (.commit(let id), .version(_, _, let commit)), (.commit(let id), .commit(let commit)):
      return try id == commit || isMade(input, by: [id])
    case (.service(let name), .recipe(_, let service, _)): return name == service
    case (_, .file), (_, .recipe), (.service, _): return false
    }
  }

  /// Whether a version among the inputs holds rows of one of these commits.
  private mutating func isMade(_ input: LineageInput, by commits: Set<CommitID>) throws -> Bool {
    switch input {
    case .version(let dataset, _, let id): return try makers(of: dataset, at: id).contains(where: commits.contains)
    case .commit(let id):
      return try repository.commit(id).datasets.keys.contains { dataset in
        try makers(of: dataset, at: id).contains(where: commits.contains)
      }
    case .file, .recipe: return false
    }
  }
}

extension Commit {
  /// Nothing of the version before is left: a replacement, or a training set saved again.
  fileprivate var replacesRows: Bool {
    let parameters = producer["parameters"]
    return parameters?["mode"]?.stringValue == "replace" || parameters?["command"]?.stringValue == "train"
  }
}
