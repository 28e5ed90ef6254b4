import Columns

/// Turns the nodes of features files into definitions, and checks what can be checked without datasets.
struct DefinitionReader {
  private(set) var entities: [Entity] = []
  private(set) var views: [FeatureView] = []
  private(set) var services: [FeatureService] = []
  private(set) var places: [String: DefinitionPlace] = [:]
  /// Services name views of any file, so they are read when all views are known.
  private var serviceNodes: [DefinitionNode] = []

  mutating func read(_ root: DefinitionNode) throws(FeatureError) {
    var file = try DefinitionMap(root, "features file")
    try file.refuse(["on_demand_features"])
    _ = file.value("version")
    for node in try file.list("entities") { entities.append(try entity(node)) }
    for node in try file.list("feature_views") { views.append(try view(node)) }
    serviceNodes += try file.list("feature_services")
    try file.finish()
  }

  /// Resolves names across files. - Returns: the finished set.
  mutating func finish() throws(FeatureError) -> DefinitionSet {
    for view in views { try checkEntity(of: view) }
    for node in serviceNodes { services.append(try service(node)) }
    return DefinitionSet(entities: entities, views: views, services: services, places: places)
  }

  private mutating func note(_ path: String, _ place: DefinitionPlace) throws(FeatureError) {
    if let other = places.updateValue(place, forKey: path) {
      throw FeatureError(
        .definition, "\(path) is defined twice, first at \(other.file):\(other.line)", file: place.file, line: place.line,
        column: place.column)
    }
  }

  // MARK: Entities

  private mutating func entity(_ node: DefinitionNode) throws(FeatureError) -> Entity {
    var map = try DefinitionMap(node, "entity")
    let name = try map.name()
    map.object = DefinitionPath.entity(name)
    try note(map.object, node.place)
    var keys: [EntityKey] = []
    for item in try map.list("keys") {
      var keyMap = try DefinitionMap(item, "\(map.object): key")
      let key = try keyMap.requiredText("name")
      let typeName = try keyMap.requiredText("type")
      guard let type = DataType(parsing: typeName), type.isEntityKey else {
        throw FeatureError(
          .definition, "\(map.object): key \(key) is \(typeName); keys are integers, string, bool, date or timestamp"
        ).located(keyMap.place("type"))
      }
      try keyMap.finish()
      guard !keys.contains(where: { $0.name == key }) else { throw item.error("\(map.object): key \(key) is there twice") }
      keys.append(EntityKey(name: key, type: type))
    }
    guard !keys.isEmpty else { throw node.error("\(map.object): keys is missing; for example keys: [{name: user_id, type: int64}]") }
    let result = Entity(name: name, keys: keys, description: try map.text("description"))
    try map.finish()
    return result
  }

  private func checkEntity(of view: FeatureView) throws(FeatureError) {
    let object = DefinitionPath.view(view.name)
    guard let entity = entities.first(where: { $0.name == view.entity }) else {
      throw FeatureError(
        .notFound, "\(object): there is no entity \(view.entity)\(Suggestion.text(for: view.entity, among: entities.map(\.name)))"
      ).located(places[DefinitionPath.property(object, "entity")])
    }
    for key in view.keys.keys.sorted() where !entity.keys.contains(where: { $0.name == key }) {
      throw FeatureError(
        .notFound, "\(object): entity \(entity.name) has no key \(key)\(Suggestion.text(for: key, among: entity.keys.map(\.name)))"
      ).located(places[DefinitionPath.property(object, "keys")])
    }
  }

  // MARK: Feature views

  private mutating func view(_ node: DefinitionNode) throws(FeatureError) -> FeatureView {
    var map = try DefinitionMap(node, "feature view")
    let name = try map.name()
    map.object = DefinitionPath.view(name)
    guard !name.contains("__") else {
      throw node.error("\(map.object): the name of a view cannot hold __, which joins view and feature in full names")
    }
    try note(map.object, node.place)
    try map.refuse(["knowledge"])
    let entity = try map.requiredText("entity")
    let source = try map.requiredText("source")
    let keys = try map.texts("keys")
    let ttl = try duration(&map, "ttl")
    let filter = try map.text("where")
    for key in ["entity", "source", "keys", "ttl", "where"] { places[DefinitionPath.property(map.object, key)] = map.place(key) }
    var features: [FeatureDefinition] = []
    for item in try map.list("features") { features.append(try feature(item, view: name)) }
    guard !features.isEmpty else { throw node.error("\(map.object): features is missing; a view has at least one") }
    let result = FeatureView(
      name: name, entity: entity, source: source,
      // A column of the same name is the default, so that both spellings are one definition.
      keys: Dictionary(keys.filter { $0.key != $0.text }.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first }),
      ttlMicros: ttl, filter: filter, features: features, description: try map.text("description"), owner: try map.text("owner"),
      tags: Dictionary(try map.texts("tags").map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first }))
    try map.finish()
    return result
  }

  private func duration(_ map: inout DefinitionMap, _ key: String) throws(FeatureError) -> Int64? {
    guard let text = try map.text(key) else { return nil }
    guard let micros = DurationText.micros(parsing: text) else {
      throw FeatureError(.definition, "\(map.object): \(key) needs \(DurationText.expected), found '\(text)'").located(map.place(key))
    }
    return micros
  }

  private mutating func feature(_ node: DefinitionNode, view: String) throws(FeatureError) -> FeatureDefinition {
    var map = try DefinitionMap(node, "\(DefinitionPath.view(view)): feature")
    let name = try map.name()
    map.object = DefinitionPath.feature(view, name)
    try note(map.object, node.place)
    let expression = try map.text("expr")
    let aggregate = try map.text("agg")
    let of = try map.text("of")
    let windowText = try map.text("window")
    let filter = try map.text("where")
    let numbers = AggregateNumbers(n: try map.text("n"), q: try map.text("q"), resolution: try map.text("resolution"))
    for key in ["expr", "of", "window", "where"] { places[DefinitionPath.property(map.object, key)] = map.place(key) }
    let kind: FeatureKind
    switch (expression, aggregate) {
    case (let expression?, nil):
      for key in ["of", "window", "where", "n", "q", "resolution"] where map.place(key) != nil {
        throw FeatureError(.definition, "\(map.object): \(key) belongs to agg, not to expr").located(map.place(key))
      }
      kind = .expression(expression)
    case (nil, let aggregate?):
      let function = try numbers.function(aggregate, map)
      guard of != nil || function == .count else {
        throw node.error("\(map.object): of is missing; \(function.name) aggregates the values of an expression")
      }
      let window = try numbers.window(windowText, map)
      kind = .aggregate(function, of: of, window: window, filter: filter)
    default:
      throw node.error("\(map.object): expected either expr or agg, found \(expression == nil ? "neither" : "both")")
    }
    let result = FeatureDefinition(name: name, kind: kind, description: try map.text("description"))
    try map.finish()
    return result
  }
}

extension DataType {
  /// Floats are refused as keys: equality of floats is no identity.
  fileprivate var isEntityKey: Bool {
    switch self {
    case .uint64, .float32, .float64, .decimal, .binary: false
    default: true
    }
  }
}

// MARK: Feature services

extension DefinitionReader {
  private mutating func service(_ node: DefinitionNode) throws(FeatureError) -> FeatureService {
    var map = try DefinitionMap(node, "feature service")
    let name = try map.name(allowing: "-.")
    map.object = DefinitionPath.service(name)
    try note(map.object, node.place)
    var references: [FeatureReference] = []
    var seen: Set<String> = []
    for item in try map.list("features") {
      for reference in try self.references(item, map.object) {
        guard seen.insert(reference.fullName).inserted else {
          throw item.error("\(map.object): \(reference.fullName) is there twice; give one use of the view another name with as:")
        }
        references.append(reference)
      }
    }
    guard !references.isEmpty else { throw node.error("\(map.object): features is missing; a service has at least one") }
    let result = FeatureService(name: name, features: references, description: try map.text("description"))
    try map.finish()
    return result
  }

  /// `view:feature`, `view:*`, or a map `{view, as, join_keys, features}`.
  private func references(_ node: DefinitionNode, _ object: String) throws(FeatureError) -> [FeatureReference] {
    guard case .scalar(let text) = node.content else { return try detailed(node, object) }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      let homes = views.filter { view in view.features.contains { $0.name == text } }.map { "\($0.name):\(text)" }
      let hint = homes.isEmpty ? Suggestion.text(for: text, among: views.map(\.name)) : " (did you mean \(homes[0])?)"
      throw node.error("\(object): expected view:feature or view:*, found '\(text)'\(hint); on-demand features are not supported yet")
    }
    let view = try self.view(named: parts[0], node, object)
    return try expand(parts[1], of: view, node, object).map { FeatureReference(view: view.name, feature: $0) }
  }

  private func detailed(_ node: DefinitionNode, _ object: String) throws(FeatureError) -> [FeatureReference] {
    var map = try DefinitionMap(node, "\(object): use of a view")
    let view = try self.view(named: try map.requiredText("view"), node, object)
    let alias = try map.text("as")
    if let alias {
      try DefinitionMap.check(alias, "\(object): as", node)
      guard !alias.contains("__") else { throw node.error("\(object): as cannot hold __, which joins view and feature in full names") }
    }
    let joinKeys = try map.texts("join_keys")
    let entityKeys = entities.first { $0.name == view.entity }?.keys.map(\.name) ?? []
    for (key, place, _) in joinKeys where !entityKeys.contains(key) {
      throw FeatureError(
        .notFound, "\(object): entity \(view.entity) has no key \(key)\(Suggestion.text(for: key, among: entityKeys))"
      ).located(place)
    }
    var names: [String] = []
    for item in try map.list("features") {
      guard case .scalar(let text) = item.content else {
        throw item.error("\(object): expected the name of a feature, found \(item.found)")
      }
      names += try expand(text, of: view, item, object)
    }
    if map.place("features") == nil { names = view.features.map(\.name) }
    try map.finish()
    guard !names.isEmpty else { throw node.error("\(object): features is empty; leave it out for all of the view") }
    let renamed = Dictionary(joinKeys.filter { $0.key != $0.text }.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first })
    return names.map {
      FeatureReference(view: view.name, feature: $0, alias: alias == view.name ? nil : alias, joinKeys: renamed)
    }
  }

  private func view(named name: String, _ node: DefinitionNode, _ object: String) throws(FeatureError) -> FeatureView {
    if let view = views.first(where: { $0.name == name }) { return view }
    throw node.error("\(object): there is no feature view \(name)\(Suggestion.text(for: name, among: views.map(\.name)))", .notFound)
  }

  private func expand(
    _ feature: String, of view: FeatureView, _ node: DefinitionNode, _ object: String
  ) throws(FeatureError) -> [String] {
    let names = view.features.map(\.name)
    if feature == "*" { return names }
    guard names.contains(feature) else {
      throw node.error(
        "\(object): feature view \(view.name) has no feature \(feature)\(Suggestion.text(for: feature, among: names))", .notFound)
    }
    return [feature]
  }
}

extension DefinitionSet {
  /// Reads features files. The order of files and of objects within them does not matter.
  ///
  /// Names are resolved across all files, wildcards of services expanded. Columns and types are checked by `validate`.
  /// - Throws: `definition` or `notFound` with file, line and column.
  package static func parse(files: [(name: String, yaml: String)]) throws(FeatureError) -> DefinitionSet {
    var reader = DefinitionReader()
    for file in files {
      if let root = try DefinitionNode.parse(yaml: file.yaml, file: file.name) { try reader.read(root) }
    }
    return try reader.finish()
  }
}
