/// Everything the features files of one commit define, each kind sorted by name.
///
/// Two sets are equal when they define the same, whatever files they came from.
package struct DefinitionSet: Sendable {
  package private(set) var entities: [Entity]
  package private(set) var views: [FeatureView]
  package private(set) var services: [FeatureService]
  package private(set) var onDemand: [OnDemandFeature]
  /// Where each object and expression was defined, by its path; empty when read from a commit.
  let places: [String: DefinitionPlace]

  init(
    entities: [Entity], views: [FeatureView], services: [FeatureService], onDemand: [OnDemandFeature] = [],
    places: [String: DefinitionPlace]
  ) {
    self.entities = entities.sorted { $0.name < $1.name }
    self.views = views.sorted { $0.name < $1.name }
    self.services = services.sorted { $0.name < $1.name }
    self.onDemand = onDemand.sorted { $0.name < $1.name }
    self.places = places
  }

  /// Nothing defined: what a new repository has.
  package init() { self.init(entities: [], views: [], services: [], places: [:]) }

  package func entity(named name: String) -> Entity? { entities.first { $0.name == name } }
  package func view(named name: String) -> FeatureView? { views.first { $0.name == name } }
  package func service(named name: String) -> FeatureService? { services.first { $0.name == name } }
  package func onDemandFeature(named name: String) -> OnDemandFeature? { onDemand.first { $0.name == name } }
  package var isEmpty: Bool { entities.isEmpty && views.isEmpty && services.isEmpty && onDemand.isEmpty }
}

extension DefinitionSet: Hashable {
  package static func == (left: DefinitionSet, right: DefinitionSet) -> Bool {
    left.entities == right.entities && left.views == right.views && left.services == right.services && left.onDemand == right.onDemand
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(entities)
    hasher.combine(views)
    hasher.combine(services)
    hasher.combine(onDemand)
  }
}

/// The paths under which `DefinitionSet.places` keeps where things stand.
enum DefinitionPath {
  static func entity(_ name: String) -> String { "entity \(name)" }
  static func view(_ name: String) -> String { "feature view \(name)" }
  static func onDemand(_ name: String) -> String { "on-demand feature \(name)" }
  static func service(_ name: String) -> String { "feature service \(name)" }
  static func property(_ object: String, _ property: String) -> String { "\(object).\(property)" }
  /// A member of a view's `keys`: its name, or the column that it names.
  static func key(_ view: String, _ key: String, isName: Bool) -> String { "\(view).keys.\(key)\(isName ? ".name" : "")" }
  static func feature(_ view: String, _ name: String) -> String { "\(self.view(view)): feature \(name)" }
}
