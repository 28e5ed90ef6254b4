import Features
import History
import JSON
import Tables

/// Which saved training sets would come out otherwise if they were made anew.
package struct StaleReport: Sendable {
  /// A dataset whose rows or columns are not those that a training set was made from.
  package struct Dataset: Sendable {
    package let name: String
    /// Nil where there were, or are, no rows.
    package let oldRoot: String?
    package let newRoot: String?
    /// Nil when the old version is not in the repository any more.
    package let difference: RowDiff?
  }

  package enum Definition: String, Sendable { case same, changed, gone }

  package struct TrainingSet: Sendable {
    package let name: String
    package let service: String
    package let recipe: String
    /// The commit that says so.
    package let savedIn: CommitID
    package let madeFrom: CommitID
    package let definition: Definition
    /// Whether this engine gives other values to the same definitions.
    package let isOfOtherEngine: Bool
    /// Those that have moved on.
    package let datasets: [Dataset]

    package var isStale: Bool { definition != .same || isOfOtherEngine || !datasets.isEmpty }
  }

  /// What the training sets were compared with; nil for a branch without commits.
  package let commit: CommitID?
  /// By name, stale or not.
  package let trainingSets: [TrainingSet]

  package var staleCount: Int { trainingSets.count { $0.isStale } }
}

extension Repository {
  /// Compares what every saved training set was made from with what a commit has.
  ///
  /// A dataset has moved on when its rows or columns differ; one that was only sealed has not. The label file is not looked at.
  /// - Parameter spec: nil for the current branch.
  /// - Complexity: O(commits) and, for each version that differs, the rows of the leaves and tails that do
  package func stale(_ spec: String? = nil) throws(AlmanacError) -> StaleReport {
    let id: CommitID?
    if let spec { id = try resolve(spec) } else { id = try currentTip() }
    guard let id else { return StaleReport(commit: nil, trainingSets: []) }
    let lease = try lease([id])
    defer { withExtendedLifetime(lease) {} }
    let definitions = try definitions(at: id)
    let datasets = try commit(id).datasets
    var known: [String: StaleReport.Dataset?] = [:]
    var sets: [StaleReport.TrainingSet] = []
    for saved in try savedRecipes(definitions, tip: id) {
      var moved: [StaleReport.Dataset] = []
      for (name, root) in saved.versions {
        let key = "\(name) \(root ?? "")"
        if known[key] == nil { known[key] = .some(try movement(of: name, from: root, to: datasets[name])) }
        if case .some(.some(let dataset)) = known[key] { moved.append(dataset) }
      }
      sets.append(
        StaleReport.TrainingSet(
          name: saved.dataset, service: saved.service, recipe: saved.recipe, savedIn: saved.savedIn, madeFrom: saved.commit,
          definition: try comparison(of: saved, with: definitions),
          isOfOtherEngine: saved.manifest["inputs"]?["engine"]?.intValue != FeatureEngine.semanticsVersion, datasets: moved))
    }
    return StaleReport(commit: id, trainingSets: sets)
  }

  /// - Returns: nil when rows and columns are the same.
  private func movement(of name: String, from old: String?, to new: DatasetRef?) throws(AlmanacError) -> StaleReport.Dataset? {
    let newRoot = new?.root.description
    guard old != newRoot else { return nil }
    var difference: RowDiff?
    do {
      difference = try AlmanacError.translating {
        try RowDiff.between(
          try old.flatMap { RootID(hex: $0) }.map { try TableVersion(archive: archive, root: $0) },
          try new.map { try TableVersion(archive: archive, root: $0.root) }, withRows: false)
      }
    } catch {
      // A version that only the training set's recipe remembers may have been collected.
      guard error.kind == .notFound else { throw error }
    }
    if let difference, difference.isEmpty, difference.schemaChanges.isEmpty { return nil }
    return StaleReport.Dataset(name: name, oldRoot: old, newRoot: newRoot, difference: difference)
  }

  private func comparison(of saved: SavedRecipe, with definitions: Definitions) throws(AlmanacError) -> StaleReport.Definition {
    guard definitions.features.service(named: saved.service) != nil else { return .gone }
    let old = try revision(saved.commit.description).map { (id) throws(AlmanacError) in try self.definitions(at: id) }
    return try AlmanacError.translating {
      // Read as it is read now: a manifest has the form that an earlier version may have written.
      let before = try old?.features.definition(ofService: saved.service) ?? saved.manifest["inputs"]?["service"]
      return try definitions.features.definition(ofService: saved.service) == before ? .same : .changed
    }
  }
}

extension SavedRecipe {
  /// The versions that it was made from, the one whose entities are its labels included.
  fileprivate var versions: [(name: String, root: String?)] {
    var roots = (manifest["inputs"]?["datasets"]?.objectValue ?? [:]).mapValues(\.stringValue)
    if let dataset = manifest["labels"]?["entities_from"]?.stringValue {
      roots[dataset] = manifest["labels"]?["root"]?.stringValue
    }
    return roots.sorted { $0.key < $1.key }.map { (name: $0.key, root: $0.value) }
  }
}

extension StaleReport {
  /// `{"commit", "training_sets": […]}`, all of them; `stale` tells which are.
  package var json: JSON {
    ["commit": commit.map { .string($0.description) } ?? .null, "training_sets": .array(trainingSets.map(\.json))]
  }
}

extension StaleReport.TrainingSet {
  fileprivate var json: JSON {
    [
      "name": .string(name), "service": .string(service), "recipe": .string(recipe), "saved_in": .string(savedIn.description),
      "commit": .string(madeFrom.description), "stale": .bool(isStale), "definition": .string(definition.rawValue),
      "engine": .string(isOfOtherEngine ? "changed" : "same"), "datasets": .array(datasets.map(\.json)),
    ]
  }
}

extension StaleReport.Dataset {
  fileprivate var json: JSON {
    func count(_ value: Int?) -> JSON { value.map { .int(Int64($0)) } ?? .null }
    return [
      "name": .string(name), "old_root": oldRoot.map { .string($0) } ?? .null, "new_root": newRoot.map { .string($0) } ?? .null,
      "added": count(difference?.addedCount), "removed": count(difference?.removedCount), "changed": count(difference?.changedCount),
      "schema_changes": count(difference?.schemaChanges.count),
    ]
  }
}
