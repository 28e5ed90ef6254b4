import JSON

extension DefinitionSet {
  /// What a recipe says of a service: it, and of its views and entities whatever the values depend on. Features that the service
  /// does not use, descriptions, owners and tags are left out, so that changing them leaves the recipe as it is.
  ///
  /// - Throws: `notFound` for an unknown service.
  package func definition(ofService name: String) throws(FeatureError) -> JSON {
    guard var service = service(named: name) else {
      throw FeatureError(.notFound, "There is no feature service \(name)\(Suggestion.text(for: name, among: services.map(\.name)))")
    }
    service = service.bare
    var used: [FeatureView] = []
    let names = closure(ofOnDemand: service.features.filter(\.isOnDemand).map(\.feature))
    let references = service.features.filter { !$0.isOnDemand } + inputs(ofOnDemand: names.sorted())
    for var view in views {
      let wanted = Set(references.filter { $0.view == view.name }.map(\.feature))
      guard !wanted.isEmpty else { continue }
      view.features = view.features.filter { wanted.contains($0.name) }.map { FeatureDefinition(name: $0.name, kind: $0.kind) }
      used.append(view.bare)
    }
    let entities = entities.filter { entity in used.contains { $0.entity == entity.name } }
      .map { Entity(name: $0.name, keys: $0.keys) }
    return DefinitionSet(
      entities: entities, views: used, services: [service], onDemand: onDemand.filter { names.contains($0.name) }.map(\.bare), places: [:]
    ).json
  }
}
