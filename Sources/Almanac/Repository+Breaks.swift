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
}
