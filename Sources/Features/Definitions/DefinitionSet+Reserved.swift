import Columns

extension DefinitionSet {
  /// Everything that is named in the definitions and can become a column: of labels, of a training set, of an answer.
  ///
  /// - Throws: `definition` for the first name that begins as those of Almanac's own columns do.
  func checkReservedNames() throws(FeatureError) {
    for entity in entities {
      let path = DefinitionPath.entity(entity.name)
      for key in entity.keys { try check(key.name, "\(path): key \(key.name)", path) }
    }
    for view in views {
      let path = DefinitionPath.view(view.name)
      // Full names begin with it.
      try check(view.name, path, path)
      for feature in view.features {
        try check(feature.name, "\(path): feature \(feature.name)", DefinitionPath.feature(view.name, feature.name))
      }
    }
    for feature in onDemand {
      let path = DefinitionPath.onDemand(feature.name)
      try check(feature.name, path, path)
      for field in feature.request { try check(field.name, "\(path): request field \(field.name)", path) }
      for input in feature.inputs { try check(input, path) }
    }
    for service in services {
      let path = DefinitionPath.service(service.name)
      for reference in service.features { try check(reference, path) }
    }
  }

  private func check(_ reference: FeatureReference, _ path: String) throws(FeatureError) {
    if let alias = reference.alias { try check(alias, "\(path): as: \(alias)", path) }
    for column in reference.joinKeys.values.sorted() { try check(column, "\(path): label column \(column)", path) }
  }

  private func check(_ name: String, _ object: String, _ path: String) throws(FeatureError) {
    guard ReservedName.holds(name) else { return }
    throw FeatureError(
      .definition, "\(object): names do not begin with \(ReservedName.prefix), as those of Almanac's own columns do"
    ).located(places[path])
  }
}
