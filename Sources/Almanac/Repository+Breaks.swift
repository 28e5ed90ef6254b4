import Features
import History
import JSON

extension Repository {
  /// What callers of services and the owners of saved training sets will notice when definitions change.
  func breaks(from registered: Definitions, to wanted: Definitions, tip: CommitID?) throws(AlmanacError) -> [DefinitionEffect] {
    let effects = wanted.features.effects(from: registered.features, oldSources: registered.sources, sources: wanted.sources)
    let services = Set(wanted.features.servicesWithOtherValues(than: registered.features))
    guard !services.isEmpty else { return effects }
    return try effects
      + savedRecipes(registered, tip: tip).filter { services.contains($0.service) }.map { saved in
        DefinitionEffect(
          object: "saved training set \(saved.dataset)",
          text:
            "was made with feature service \(saved.service), which then says something else: recipe \(saved.recipe.prefix(12)) is still "
            + "made with --ref \(saved.commit.short)")
      }
  }

  private struct SavedRecipe {
    let dataset: String
    let service: String
    let recipe: String
    /// What it was made from.
    let commit: CommitID
  }

  /// The newest recipe of every training set that `train --save` made.
  /// - Complexity: O(commits), only when there is one
  private func savedRecipes(_ definitions: Definitions, tip: CommitID?) throws(AlmanacError) -> [SavedRecipe] {
    var waiting = Set(definitions.contracts.values.filter { $0.primaryKey == [SavedTrainingSet.rowColumn] }.map(\.name))
    guard let tip, !waiting.isEmpty else { return [] }
    var result: [SavedRecipe] = []
    for (_, commit) in try log(tip.description) {
      for input in commit.inputs {
        guard let dataset = input["dataset"]?.stringValue, waiting.contains(dataset), let manifest = input["manifest"],
          let recipe = manifest["recipe"]?.stringValue, let origin = input["commit"]?.stringValue.flatMap({ CommitID(hex: $0) }),
          let service = manifest["inputs"]?["service"]?["feature_services"]?.arrayValue?.first?["name"]?.stringValue
        else { continue }
        waiting.remove(dataset)
        result.append(SavedRecipe(dataset: dataset, service: service, recipe: recipe, commit: origin))
      }
      if waiting.isEmpty { break }
    }
    return result.sorted { $0.dataset < $1.dataset }
  }
}
