import Columns

extension DefinitionSet {
  /// The label time of training sets, where no other is asked for.
  private static let timeColumn = "event_timestamp"

  /// Features whose name every label file that has them has too: no training set could hold both under their names.
  ///
  /// - Throws: `definition` for the first one, with its place.
  func checkLabelNames() throws(FeatureError) {
    for view in views {
      guard let entity = entities.first(where: { $0.name == view.entity }) else { continue }
      for feature in view.features where entity.keys.contains(where: { $0.name == feature.name }) {
        let path = DefinitionPath.feature(view.name, feature.name)
        throw FeatureError(
          .definition,
          "\(path): \(feature.name) is a key of entity \(entity.name), and so a column of the labels; give the feature another name"
        ).located(places[path])
      }
    }
    for feature in onDemand {
      let columns = labelColumns(of: inputs(ofOnDemand: [feature.name]), onDemand: [feature.name])
      if let reader = columns[feature.name] { throw clash(of: feature.name, with: reader, at: DefinitionPath.onDemand(feature.name)) }
    }
    for service in services {
      let names = service.features.filter(\.isOnDemand).map(\.feature)
      let columns = labelColumns(of: service)
      for name in names {
        guard let reader = columns[name] else { continue }
        throw clash(of: name, with: reader, at: DefinitionPath.service(service.name))
      }
    }
  }

  /// On-demand features belong to no view: no full name keeps them apart.
  private func clash(of name: String, with reader: String, at path: String) -> FeatureError {
    let object = path == DefinitionPath.onDemand(name) ? path : "\(path): on-demand feature \(name)"
    return FeatureError(.definition, "\(object): \(name) is \(reader), and so a column of the labels; give the feature another name")
      .located(
        places[path])
  }

  /// Features of services that have the name of a column which their labels have: only full names tell them apart.
  var labelNameWarnings: [String] {
    services.flatMap { service -> [String] in
      let columns = labelColumns(of: service)
      return service.features.filter { !$0.isOnDemand }.compactMap { reference -> String? in
        let path = DefinitionPath.service(service.name)
        guard let reader = columns[reference.feature] ?? (reference.feature == Self.timeColumn ? "the labels' time" : nil) else {
          return nil
        }
        let text =
          "\(path): \(reference.view):\(reference.feature) has the name of a column of the labels (\(reader)): training sets need --full-names"
        return FeatureError(.definition, text).located(places[path]).description
      }
    }
  }

  private func labelColumns(of service: FeatureService) -> [String: String] {
    let names = service.features.filter(\.isOnDemand).map(\.feature)
    return labelColumns(of: service.features.filter { !$0.isOnDemand } + inputs(ofOnDemand: names), onDemand: names)
  }

  /// What labels must have for these lookups and on-demand features: name to what it is.
  private func labelColumns(of lookups: [FeatureReference], onDemand names: [String]) -> [String: String] {
    var columns: [String: String] = [:]
    for reference in lookups {
      guard let view = view(named: reference.view), let entity = entities.first(where: { $0.name == view.entity }) else { continue }
      for key in entity.keys { columns[reference.joinKeys[key.name] ?? key.name] = "key \(key.name) of entity \(entity.name)" }
    }
    for name in closure(ofOnDemand: names).sorted() {
      for field in onDemandFeature(named: name)?.request ?? [] {
        columns[field.name] = "request field \(field.name) of on-demand feature \(name)"
      }
    }
    return columns
  }
}
