extension DefinitionSet {
  /// What works, but may not give what its author expects; each with its place where that is known.
  ///
  /// - Parameter sources: by dataset name.
  package func warnings(datasets sources: [String: SourceTable]) -> [String] {
    let knowledge = views.compactMap { view -> String? in
      guard view.knowledge == .created, let source = sources[view.source], let created = source.createdTime,
        !source.primaryKey.contains(created)
      else { return nil }
      let object = DefinitionPath.view(view.name)
      let text =
        "\(object): knowledge: created is exact only when the created time is part of the primary key. Column \(created) is not in "
        + "that of dataset \(source.name), so a row that is written again hides what was known before"
      return FeatureError(.definition, text).located(places[DefinitionPath.property(object, "knowledge")]).description
    }
    return knowledge + labelNameWarnings
  }
}
