extension DefinitionSet {
  /// The same definitions with the places of those that `files` defines alike, so that errors in them name file and line.
  ///
  /// What is defined elsewhere, or otherwise than in the files, has no place there.
  package func located(in files: DefinitionSet) -> DefinitionSet {
    var paths = Set(entities.filter { files.entity(named: $0.name) == $0 }.map { DefinitionPath.entity($0.name) })
    paths.formUnion(views.filter { files.view(named: $0.name) == $0 }.map { DefinitionPath.view($0.name) })
    paths.formUnion(services.filter { files.service(named: $0.name) == $0 }.map { DefinitionPath.service($0.name) })
    paths.formUnion(onDemand.filter { files.onDemandFeature(named: $0.name) == $0 }.map { DefinitionPath.onDemand($0.name) })
    // A path is an object's, followed by `.property` or `: feature name`; names have neither sign.
    let places = files.places.filter { place in paths.contains(String(place.key.prefix { $0 != "." && $0 != ":" })) }
    return DefinitionSet(entities: entities, views: views, services: services, onDemand: onDemand, places: places)
  }
}
