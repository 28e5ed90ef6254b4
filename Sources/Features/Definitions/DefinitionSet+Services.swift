import Columns

extension DefinitionSet {
  /// Binds a service to the sources of its views.
  ///
  /// - Parameters:
  ///   - sources: by dataset name.
  ///   - fullNames: name outputs `view__feature` rather than `feature`.
  /// - Throws: `notFound` for an unknown service or a missing source, `definition` when two outputs have one name, and what
  ///   `compile(view:source:)` throws.
  package func compile(
    service name: String, sources: [String: SourceTable], fullNames: Bool = false
  ) throws(FeatureError) -> CompiledService {
    guard let service = service(named: name) else {
      throw FeatureError(.notFound, "There is no feature service \(name)\(Suggestion.text(for: name, among: services.map(\.name)))")
    }
    return try compile(service, sources: sources, fullNames: fullNames)
  }

  /// The same for features named in a request rather than in a stored service.
  package func compile(
    _ service: FeatureService, sources: [String: SourceTable], fullNames: Bool = false
  ) throws(FeatureError) -> CompiledService {
    let uses = groupByUse(service.features)
    var compiled: [CompiledViewUse] = []
    for use in uses { compiled.append(try compile(use, of: service, sources: sources)) }
    var outputs: [ServiceOutput] = []
    var origins: [String: FeatureReference] = [:]
    for reference in service.features {
      guard let viewIndex = uses.firstIndex(where: { $0.holds(reference) }),
        let featureIndex = compiled[viewIndex].view.features.firstIndex(where: { $0.name == reference.feature })
      else { preconditionFailure("Every reference belongs to a use") }
      let outputName = fullNames ? reference.fullName : reference.feature
      if let other = origins.updateValue(reference, forKey: outputName) {
        throw FeatureError(
          .definition,
          "Feature service \(service.name): \(other.fullName) and \(reference.fullName) would both be named \(outputName)"
            + (fullNames ? "" : "; use --full-names"))
      }
      outputs.append(
        ServiceOutput(
          outputName: outputName, view: viewIndex, feature: featureIndex,
          type: compiled[viewIndex].view.features[featureIndex].type))
    }
    return CompiledService(name: service.name, outputs: outputs, views: compiled)
  }

  /// A view under one alias and one choice of label columns, with the features wanted of it.
  private struct ViewUse {
    let view: String
    let alias: String?
    let joinKeys: [String: String]
    var features: Set<String>

    func holds(_ reference: FeatureReference) -> Bool {
      view == reference.view && alias == reference.alias && joinKeys == reference.joinKeys
    }
  }

  private func groupByUse(_ references: [FeatureReference]) -> [ViewUse] {
    var uses: [ViewUse] = []
    for reference in references {
      if let index = uses.firstIndex(where: { $0.holds(reference) }) {
        uses[index].features.insert(reference.feature)
      } else {
        uses.append(
          ViewUse(view: reference.view, alias: reference.alias, joinKeys: reference.joinKeys, features: [reference.feature]))
      }
    }
    return uses
  }

  private func compile(
    _ use: ViewUse, of service: FeatureService, sources: [String: SourceTable]
  ) throws(FeatureError) -> CompiledViewUse {
    guard let view = view(named: use.view) else {
      throw FeatureError(
        .notFound,
        "Feature service \(service.name): there is no feature view \(use.view)"
          + Suggestion.text(for: use.view, among: views.map(\.name)))
    }
    for feature in use.features.sorted() where !view.features.contains(where: { $0.name == feature }) {
      throw FeatureError(
        .notFound,
        "Feature service \(service.name): feature view \(view.name) has no feature \(feature)"
          + Suggestion.text(for: feature, among: view.features.map(\.name)))
    }
    guard let source = sources[view.source] else { throw missingSource(of: view, among: sources) }
    let compiled = try compile(view, source: source, only: use.features)
    let labelColumns = compiled.entity.keys.map { use.joinKeys[$0.name] ?? $0.name }
    return CompiledViewUse(view: compiled, alias: use.alias, joinKeys: use.joinKeys, labelColumns: labelColumns)
  }

  private func missingSource(of view: FeatureView, among sources: [String: SourceTable]) -> FeatureError {
    let path = DefinitionPath.view(view.name)
    return FeatureError(
      .notFound, "\(path): there is no dataset \(view.source)\(Suggestion.text(for: view.source, among: sources.keys.sorted()))"
    ).located(places[DefinitionPath.property(path, "source")] ?? places[path])
  }

  /// Type-checks every view against its dataset.
  /// - Parameter datasets: all there are, by name.
  /// - Throws: the first error, in the order of the views' names.
  package func validate(datasets: [String: SourceTable]) throws(FeatureError) {
    for view in views {
      guard let source = datasets[view.source] else { throw missingSource(of: view, among: datasets) }
      _ = try compile(view, source: source, only: nil)
    }
  }
}
