import Columns
import Features
import History
import JSON

/// The feature definitions of one commit, bound to the datasets of that commit.
package struct FeatureListing: Sendable {
  package struct Feature: Sendable {
    package let name: String
    package let type: DataType
    /// One line: what it is computed from.
    package let summary: String
  }

  package struct View: Sendable {
    package let view: FeatureView
    package let isTimeless: Bool
    package let features: [Feature]
  }

  package struct OnDemand: Sendable {
    package let feature: OnDemandFeature
    package let type: DataType
  }

  package struct Service: Sendable {
    package let service: FeatureService
    /// In service order; by full name.
    package let features: [Feature]
    /// The label columns that the service reads, and the members of `entities` online.
    package let needs: [Field]
  }

  /// nil before the first commit.
  package let commit: CommitID?
  package let entities: [Entity]
  package let views: [View]
  package let onDemand: [OnDemand]
  package let services: [Service]
}

extension Repository {
  /// The feature definitions registered at a commit (default: the tip of the current branch), with the types of all features.
  ///
  /// - Throws: `notFound` for an unknown revision.
  /// - Complexity: O(definitions)
  package func features(at spec: String? = nil) throws(AlmanacError) -> FeatureListing {
    let id: CommitID?
    if let spec { id = try resolve(spec) } else { id = try currentTip() }
    let definitions = try definitions(at: id)
    let (set, sources) = (definitions.features, definitions.sources)
    return try AlmanacError.translating {
      var views: [FeatureListing.View] = []
      var types: [FeatureReference: DataType] = [:]
      for view in set.views {
        guard let source = sources[view.source] else { throw AlmanacError(.notFound, "There is no dataset \(view.source)") }
        let compiled = try set.compile(view: view.name, source: source)
        for feature in compiled.features { types[FeatureReference(view: view.name, feature: feature.name)] = feature.type }
        let features = zip(view.features, compiled.features).map { definition, feature in
          FeatureListing.Feature(name: feature.name, type: feature.type, summary: definition.summary)
        }
        views.append(FeatureListing.View(view: view, isTimeless: compiled.isTimeless, features: features))
      }
      var compiler = OnDemandCompiler(set) { [types] reference throws(FeatureError) in
        guard let type = types[FeatureReference(view: reference.view, feature: reference.feature)] else {
          throw FeatureError(.notFound, "There is no feature \(reference.text)")
        }
        return type
      }
      var onDemand: [FeatureListing.OnDemand] = []
      for feature in set.onDemand {
        let index = try compiler.add(feature.name)
        onDemand.append(FeatureListing.OnDemand(feature: feature, type: compiler.features[index].type))
      }
      let services = try set.services.map { service in
        try FeatureListing.Service(service, set.compile(service, sources: sources, fullNames: true))
      }
      return FeatureListing(commit: id, entities: set.entities, views: views, onDemand: onDemand, services: services)
    }
  }
}

extension FeatureListing.Service {
  init(_ service: FeatureService, _ compiled: CompiledService) {
    var needs: [Field] = []
    for use in compiled.views {
      for (column, key) in zip(use.labelColumns, use.view.entity.keys) where !needs.contains(where: { $0.name == column }) {
        needs.append(Field(column, key.type))
      }
    }
    for field in compiled.requestFields where !needs.contains(where: { $0.name == field.name }) { needs.append(field) }
    self.service = service
    self.needs = needs
    features = zip(service.features, compiled.results).map { reference, result in
      FeatureListing.Feature(name: result.name, type: result.type, summary: reference.summary)
    }
  }
}

extension FeatureListing {
  /// The definitions as they are stored, with the types of features, what services need, and which views are timeless.
  package var json: JSON {
    [
      "commit": commit.map { .string($0.description) } ?? .null,
      "entities": .array(entities.map(\.json)),
      "feature_views": .array(
        views.map { view in
          let features = zip(view.view.features, view.features).map { $0.json.adding(["type": .string($1.type.description)]) }
          return view.view.json.adding(["features": .array(features), "timeless": .bool(view.isTimeless)])
        }),
      "on_demand_features": .array(onDemand.map { $0.feature.json.adding(["type": .string($0.type.description)]) }),
      "feature_services": .array(
        services.map { service in
          let features = service.features.map { feature -> JSON in
            ["name": .string(feature.name), "type": .string(feature.type.description), "from": .string(feature.summary)]
          }
          let needs = service.needs.map { ["name": .string($0.name), "type": .string($0.type.description)] as JSON }
          return service.service.json.adding(["features": .array(features), "needs": .array(needs)])
        }),
    ]
  }
}

extension JSON {
  /// An object with more members, which replace those of the same name.
  fileprivate func adding(_ members: [String: JSON]) -> JSON {
    .object((objectValue ?? [:]).merging(members) { $1 })
  }
}
