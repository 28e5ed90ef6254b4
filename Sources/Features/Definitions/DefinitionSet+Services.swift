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
    let (lookups, visibleCount) = allLookups(of: service)
    let uses = groupByUse(lookups)
    var compiled: [CompiledViewUse] = []
    for use in uses { compiled.append(try compile(use, of: service, sources: sources)) }
    var outputs: [ServiceOutput] = []
    for (index, reference) in lookups.enumerated() {
      guard let view = uses.firstIndex(where: { $0.holds(reference) }),
        let feature = compiled[view].view.features.firstIndex(where: { $0.name == reference.feature })
      else { preconditionFailure("Every reference belongs to a use") }
      outputs.append(
        ServiceOutput(
          outputName: fullNames || index >= visibleCount ? reference.fullName : reference.feature, view: view, feature: feature,
          type: compiled[view].view.features[feature].type))
    }
    let (steps, places) = try onDemandSteps(of: service) { reference in
      let index = lookups.firstIndex(of: reference) ?? 0
      return (index, outputs[index].type)
    }
    var results: [ServiceResult] = []
    var origins: [String: FeatureReference] = [:]
    for reference in service.features {
      let name = fullNames ? reference.fullName : reference.feature
      if let other = origins.updateValue(reference, forKey: name) {
        throw FeatureError(
          .definition,
          "Feature service \(service.name): \(other.fullName) and \(reference.fullName) would both be named \(name)"
            + (fullNames ? "" : "; use --full-names"))
      }
      if reference.isOnDemand {
        let place = places[reference.feature] ?? 0
        results.append(ServiceResult(name: name, source: .onDemand(place), type: steps[place].feature.type))
      } else {
        let place = lookups.firstIndex(of: reference) ?? 0
        results.append(ServiceResult(name: name, source: .lookup(place), type: outputs[place].type))
      }
    }
    return CompiledService(name: service.name, outputs: outputs, views: compiled, onDemand: steps, results: results)
  }

  /// What a service looks up: its own features of views, then what only its on-demand features read.
  private func allLookups(of service: FeatureService) -> (references: [FeatureReference], visibleCount: Int) {
    let visible = service.features.filter { !$0.isOnDemand }
    let hidden = inputs(ofOnDemand: service.features.filter(\.isOnDemand).map(\.feature)).filter { !visible.contains($0) }
    return (visible + hidden, visible.count)
  }

  /// - Returns: the steps, and the index of each on-demand feature of the service.
  private func onDemandSteps(
    of service: FeatureService, lookup: @escaping (FeatureReference) -> (index: Int, type: DataType)
  ) throws(FeatureError) -> (steps: [OnDemandStep], places: [String: Int]) {
    var compiler = OnDemandCompiler(self) { reference in lookup(reference).type }
    var places: [String: Int] = [:]
    for reference in service.features where reference.isOnDemand { places[reference.feature] = try compiler.add(reference.feature) }
    return (compiler.steps { lookup($0).index }, places)
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

  /// Type-checks every view against its dataset, and every on-demand feature against what it reads.
  /// - Parameter datasets: all there are, by name.
  /// - Throws: the first error, in the order of the views' names.
  package func validate(datasets: [String: SourceTable]) throws(FeatureError) {
    var compiled: [String: CompiledView] = [:]
    for view in views {
      guard let source = datasets[view.source] else { throw missingSource(of: view, among: datasets) }
      compiled[view.name] = try compile(view, source: source, only: nil)
    }
    var compiler = OnDemandCompiler(self) { [compiled] reference throws(FeatureError) in
      guard let feature = compiled[reference.view]?.features.first(where: { $0.name == reference.feature }) else {
        throw FeatureError(.notFound, "There is no feature \(reference.text)")
      }
      return feature.type
    }
    for feature in onDemand { _ = try compiler.add(feature.name) }
  }
}
