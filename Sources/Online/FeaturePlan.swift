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

  /// A feature of a view that is looked up.
  struct Lookup: Sendable {
    let use: Int
    /// In the image.
    let feature: Int
    let type: DataType
  }

  /// What comes before the results of an answer: the entity keys, in the order of first use.
  package let keys: [Key]
  /// What on-demand features read of the request, in the order of first use; no part of the answer.
  package let requests: [Key]
  let uses: [Use]
  let lookups: [Lookup]
  let onDemand: [Step]
  let outputs: [(name: String, source: ServiceResult.Source)]

  /// An on-demand feature, with the place of each of its request fields in `requests`.
  struct Step: Sendable {
    let step: OnDemandStep
    let requests: [Int]
  }

  package var featureNames: [String] { keys.map(\.name) + outputs.map(\.name) }
}

extension Generation {
  /// - Throws: `notFound` for an unknown service.
  package func plan(service name: String, fullNames: Bool = false) throws(OnlineError) -> FeaturePlan {
    guard let service = definitions.service(named: name) else {
      throw OnlineError(
        .notFound, "There is no feature service \(name)\(Suggestion.text(for: name, among: definitions.services.map(\.name)))")
    }
    return try plan(service.features, of: "Feature service \(name)", fullNames: fullNames)
  }

  /// - Parameter features: `view:feature`, `view:*` for all of a view, or the name of an on-demand feature.
  /// - Throws: `notFound` for an unknown view or feature, `malformed` for another form of text, `unprocessable` for two outputs of
  ///   one name.
  package func plan(features: [String], fullNames: Bool = false) throws(OnlineError) -> FeaturePlan {
    var references: [FeatureReference] = []
    for text in features {
      if definitions.onDemandFeature(named: text) != nil {
        references.append(.onDemand(text))
        continue
      }
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        throw OnlineError(
          .malformed,
          "features: expected view:feature, found \(text)\(Suggestion.text(for: text, among: definitions.onDemand.map(\.name)))")
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
    var lookups: [FeaturePlan.Lookup] = []
    var places: [FeatureReference: Int] = [:]
    let onDemand = references.filter(\.isOnDemand).map(\.feature)
    // The service's own features first, so that its keys come in the order in which it names them.
    for reference in references.filter({ !$0.isOnDemand }) + definitions.inputs(ofOnDemand: onDemand) where places[reference] == nil {
      var place = uses.firstIndex { use in
        use.reference.view == reference.view && use.reference.joinKeys == reference.joinKeys && use.reference.alias == reference.alias
      }
      if place == nil {
        uses.append((reference, try use(of: reference, object, &keys)))
        place = uses.count - 1
      }
      guard let place, let feature = uses[place].use.image.descriptor.features.firstIndex(where: { $0.name == reference.feature }) else {
        let names = definitions.view(named: reference.view)?.features.map(\.name) ?? []
        throw OnlineError(
          .notFound,
          "\(object): feature view \(reference.view) has no feature \(reference.feature)\(Suggestion.text(for: reference.feature, among: names))"
        )
      }
      places[reference] = lookups.count
      let type = uses[place].use.image.descriptor.features[feature].type
      lookups.append(FeaturePlan.Lookup(use: place, feature: feature, type: type))
    }
    let (steps, stepPlaces) = try onDemandSteps(onDemand, places, lookups, object)
    var names: Set<String> = []
    var outputs: [(name: String, source: ServiceResult.Source)] = []
    for reference in references {
      let name = fullNames ? reference.fullName : reference.feature
      guard names.insert(name).inserted else {
        throw OnlineError(
          .unprocessable, "\(object): two features would both be named \(name)" + (fullNames ? "" : "; set full_feature_names"))
      }
      let source: ServiceResult.Source =
        reference.isOnDemand ? .onDemand(stepPlaces[reference.feature] ?? 0) : .lookup(places[reference] ?? 0)
      outputs.append((name, source))
    }
    if let clash = keys.first(where: { names.contains($0.name) }) {
      throw OnlineError(
        .unprocessable, "\(object): a feature and a key would both be named \(clash.name)" + (fullNames ? "" : "; set full_feature_names"))
    }
    var requests: [FeaturePlan.Key] = []
    let bound = steps.map { step in
      let fields = step.feature.request.map { FeaturePlan.Key(name: $0.name, type: $0.type) }
      for field in fields where !requests.contains(field) { requests.append(field) }
      return FeaturePlan.Step(step: step, requests: fields.map { field in requests.firstIndex(of: field) ?? 0 })
    }
    return FeaturePlan(keys: keys, requests: requests, uses: uses.map(\.use), lookups: lookups, onDemand: bound, outputs: outputs)
  }

  /// The on-demand features with all that they read.
  private func onDemandSteps(
    _ names: [String], _ places: [FeatureReference: Int], _ lookups: [FeaturePlan.Lookup], _ object: String
  ) throws(OnlineError) -> (steps: [OnDemandStep], places: [String: Int]) {
    var compiler = OnDemandCompiler(definitions) { reference in lookups[places[reference] ?? 0].type }
    var stepPlaces: [String: Int] = [:]
    do {
      for name in names { stepPlaces[name] = try compiler.add(name) }
    } catch {
      throw OnlineError(.notFound, "\(object): \(error.text)")
    }
    return (compiler.steps { places[$0] ?? 0 }, stepPlaces)
  }

  private func use(
    of reference: FeatureReference, _ object: String, _ keys: inout [FeaturePlan.Key]
  ) throws(OnlineError) -> FeaturePlan.Use {
    guard let view = definitions.view(named: reference.view) else {
      throw OnlineError(
        .notFound,
        "\(object): there is no feature view \(reference.view)\(Suggestion.text(for: reference.view, among: definitions.views.map(\.name)))"
      )
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
