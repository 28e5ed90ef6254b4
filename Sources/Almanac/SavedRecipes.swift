import Features
import History
import JSON

/// The recipe of a training set that `train --save` keeps as a dataset.
struct SavedRecipe {
  let dataset: String
  /// The commit that says so.
  let savedIn: CommitID
  /// What it was made from.
  let commit: CommitID
  let service: String
  let recipe: String
  let manifest: JSON
}

extension Repository {
  /// The newest recipe of every saved training set among the definitions, by name.
  /// - Complexity: O(commits), only when there is one
  func savedRecipes(_ definitions: Definitions, tip: CommitID?) throws(AlmanacError) -> [SavedRecipe] {
    var waiting = Set(definitions.contracts.values.filter { $0.primaryKey == [SavedTrainingSet.rowColumn] }.map(\.name))
    guard let tip, !waiting.isEmpty else { return [] }
    var result: [SavedRecipe] = []
    for (id, commit) in try log(tip.description) {
      for input in commit.inputs {
        guard let dataset = input["dataset"]?.stringValue, waiting.contains(dataset), let manifest = input["manifest"],
          let recipe = manifest["recipe"]?.stringValue, let origin = input["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }),
          let service = manifest["inputs"]?["service"]?["feature_services"]?.arrayValue?.first?["name"]?.stringValue
        else { continue }
        waiting.remove(dataset)
        result.append(
          SavedRecipe(dataset: dataset, savedIn: id, commit: origin, service: service, recipe: recipe, manifest: manifest))
      }
      if waiting.isEmpty { break }
    }
    return result.sorted { $0.dataset < $1.dataset }
  }
}
