import Columns
import Features

/// A request's features bound to the images of a generation; the same for every request that names the same ones.
package struct FeaturePlan: Sendable {
  package struct Key: Hashable, Sendable {
    /// As in the request's `entities`.
    package let name: String
    package let type: DataType
  }

  /// A view under one choice of entity columns.
  struct Use: Sendable {
    let image: ViewImage
    /// Per key of the entity its place in `keys`, and the type it declares.
    let keys: [(place: Int, type: DataType)]
  }

  struct Output: Sendable {
    let name: String
    let use: Int
    /// In the image.
    let feature: Int
  }

  /// In the order of first use: they come first in the answer.
  package let keys: [Key]
  let uses: [Use]
  let outputs: [Output]

  package var featureNames: [String] { keys.map(\.name) + outputs.map(\.name) }
}

extension Generation {
  /// - Throws: `notFound` for an unknown service.
  package func plan(service name: String, fullNames: Bool = false) throws(OnlineError) -> FeaturePlan {
    guard let service = definitions.service(named: name) else {
      throw OnlineError(.notFound, "There is no feature service \(name)")
    }
    return try plan(service.features, of: "Feature service \(name)", fullNames: fullNames)
  }

  /// - Parameter features: `view:feature`, or `view:*` for all of a view.
  /// - Throws: `notFound` for an unknown view or feature, `malformed` for another form of text, `unprocessable` for two outputs of
  ///   one name.
  package func plan(features: [String], fullNames: Bool = false) throws(OnlineError) -> FeaturePlan {
    var references: [FeatureReference] = []
    for text in features {
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw OnlineError(.malformed, "features: expected view:feature, found \(text)")
      }
      if parts[1] == "*", let view = definitions.view(named: String(parts[0])) {
        references += view.features.map { FeatureReference(view: view.name, feature: $0.name) }
      } else {
        references.append(FeatureReference(view: String(parts[0]), feature: String(parts[1])))
      }
    }
    return try plan(references, of: "The request", fullNames: fullNames)
  }

  private func plan(_ references: [FeatureReference], of object: String, fullNames: Bool) throws(OnlineError) -> FeaturePlan {
    var keys: [FeaturePlan.Key] = []
    var uses: [(reference: FeatureReference, use: FeaturePlan.Use)] = []
    var outputs: [FeaturePlan.Output] = []
    var names: Set<String> = []
    for reference in references {
      var place = uses.firstIndex { use in
        use.reference.view == reference.view && use.reference.joinKeys == reference.joinKeys && use.reference.alias == reference.alias
      }
      if place == nil {
        uses.append((reference, try use(of: reference, object, &keys)))
        place = uses.count - 1
      }
      guard let place, let feature = uses[place].use.image.descriptor.features.firstIndex(where: { $0.name == reference.feature }) else {
        throw OnlineError(.notFound, "\(object): feature view \(reference.view) has no feature \(reference.feature)")
      }
      let name = fullNames ? reference.fullName : reference.feature
      guard names.insert(name).inserted else {
        throw OnlineError(
          .unprocessable, "\(object): two features would both be named \(name)" + (fullNames ? "" : "; set full_feature_names"))
      }
      outputs.append(FeaturePlan.Output(name: name, use: place, feature: feature))
    }
    if let clash = keys.first(where: { names.contains($0.name) }) {
      throw OnlineError(
        .unprocessable, "\(object): a feature and a key would both be named \(clash.name)" + (fullNames ? "" : "; set full_feature_names"))
    }
    return FeaturePlan(keys: keys, uses: uses.map(\.use), outputs: outputs)
  }

  private func use(
    of reference: FeatureReference, _ object: String, _ keys: inout [FeaturePlan.Key]
  ) throws(OnlineError) -> FeaturePlan.Use {
    guard let view = definitions.view(named: reference.view) else {
      throw OnlineError(.notFound, "\(object): there is no feature view \(reference.view)")
    }
    guard let image = images[view.name], let entity = definitions.entity(named: view.entity) else {
      throw OnlineError(.notFound, "\(object): feature view \(view.name) is not materialized")
    }
    var places: [(place: Int, type: DataType)] = []
    for key in entity.keys {
      let name = reference.joinKeys[key.name] ?? key.name
      if let place = keys.firstIndex(where: { $0.name == name }) {
        places.append((place, key.type))
      } else {
        places.append((keys.count, key.type))
        keys.append(FeaturePlan.Key(name: name, type: key.type))
      }
    }
    return FeaturePlan.Use(image: image, keys: places)
  }
}
