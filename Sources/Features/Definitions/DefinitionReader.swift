import Columns

/// Turns the nodes of features files into definitions, and checks what can be checked without datasets.
struct DefinitionReader {
  private(set) var entities: [Entity] = []
  private(set) var views: [FeatureView] = []
  private(set) var services: [FeatureService] = []
  private(set) var onDemand: [OnDemandFeature] = []
  private(set) var places: [String: DefinitionPlace] = [:]
  /// On-demand features and services name views of any file, so they are read when all views are known.
  private var onDemandNodes: [DefinitionNode] = []
  private var serviceNodes: [DefinitionNode] = []
  private(set) var onDemandNames: [String] = []
  /// Per view the names under its `keys`, also those that a definition leaves out.
  private var keyNames: [String: [String]] = [:]

  mutating func read(_ root: DefinitionNode) throws(FeatureError) {
    var file = try DefinitionMap(root, "features file")
    try checkVersion(file.value("version"))
    for node in try file.list("entities") { entities.append(try entity(node)) }
    for node in try file.list("feature_views") { views.append(try view(node)) }
    onDemandNodes += try file.list("on_demand_features")
    serviceNodes += try file.list("feature_services")
    try file.finish()
  }

  /// Resolves names across files. - Returns: the finished set.
  mutating func finish() throws(FeatureError) -> DefinitionSet {
    for view in views { try checkEntity(of: view) }
    // On-demand features may read each other in any order; that none reads itself is seen when they are compiled.
    onDemandNames = onDemandNodes.compactMap(\.name)
    for node in onDemandNodes { onDemand.append(try onDemandFeature(node)) }
    for node in serviceNodes { services.append(try service(node)) }
    return DefinitionSet(entities: entities, views: views, services: services, onDemand: onDemand, places: places)
  }

  private func checkVersion(_ node: DefinitionNode?) throws(FeatureError) {
    guard let node else { return }
    guard case .scalar("1") = node.content else { throw node.error("features file: expected version 1, found \(node.found)") }
  }

  mutating func place(_ path: String, _ place: DefinitionPlace?) { places[path] = place }

  mutating func note(_ path: String, _ place: DefinitionPlace) throws(FeatureError) {
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
          .definition,
          "\(map.object): key \(key) is \(typeName)\(DataType.hint(for: typeName)); keys are integers, string, bool, date or timestamp"
        ).located(keyMap.place("type"))
      }
      try keyMap.finish()
      guard !keys.contains(where: { $0.name == key }) else { throw item.error("\(map.object): key \(key) is there twice") }
      keys.append(EntityKey(name: key, type: type))
    }
    guard !keys.isEmpty else { throw node.error("\(map.object): keys is missing; for example keys: [{name: user_id, type: int64}]") }
    var result = Entity(name: name, keys: keys)
    try map.annotate(&result)
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
    for key in keyNames[view.name] ?? [] where !entity.keys.contains(where: { $0.name == key }) {
      throw FeatureError(
        .notFound, "\(object): entity \(entity.name) has no key \(key)\(Suggestion.text(for: key, among: entity.keys.map(\.name)))"
      ).located(places[DefinitionPath.key(object, key, isName: true)] ?? places[DefinitionPath.property(object, "keys")])
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
    let entity = try map.requiredText("entity")
    let source = try map.requiredText("source")
    let keys = try map.texts("keys")
    let ttl = try duration(&map, "ttl")
    let filter = try map.text("where")
    keyNames[name] = keys.map(\.key)
    for key in keys {
      places[DefinitionPath.key(map.object, key.key, isName: true)] = key.place
      places[DefinitionPath.key(map.object, key.key, isName: false)] = key.textPlace
    }
    let knowledge = try knowledge(&map)
    for key in ["entity", "source", "keys", "ttl", "where", "knowledge"] {
      places[DefinitionPath.property(map.object, key)] = map.place(key)
    }
    var features: [FeatureDefinition] = []
    for item in try map.list("features") { features.append(try feature(item, view: name)) }
    guard !features.isEmpty else { throw node.error("\(map.object): features is missing; a view has at least one") }
    var result = FeatureView(
      name: name, entity: entity, source: source,
      // A column of the same name is the default, so that both spellings are one definition.
      keys: Dictionary(keys.filter { $0.key != $0.text }.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first }),
      ttlMicros: ttl, filter: filter, knowledge: knowledge, features: features)
    try map.annotate(&result)
    try map.finish()
    return result
  }

  private func knowledge(_ map: inout DefinitionMap) throws(FeatureError) -> Knowledge {
    guard let text = try map.text("knowledge") else { return .whole }
    guard text == Knowledge.created.rawValue else {
      throw FeatureError(
        .definition, "\(map.object): knowledge is created, or left out for all that the commit holds; found '\(text)'"
      ).located(map.place("knowledge"))
    }
    return .created
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
    var result = FeatureDefinition(name: name, kind: kind)
    try map.annotate(&result)
    try map.finish()
    return result
  }
}

extension DataType {
  /// The type that a misspelt one probably means, as messages add it; nothing for a type that exists.
  static func hint(for text: String) -> String {
    guard DataType(parsing: text) == nil else { return "" }
    let names = [
      "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64", "string", "date", "timestamp",
    ]
    return Suggestion.text(for: text, among: names)
  }

  /// Floats are refused as keys: equality of floats is no identity.
  fileprivate var isEntityKey: Bool {
    switch self {
    case .uint64, .float32, .float64, .decimal, .binary: false
    default: true
    }
  }
}

extension DefinitionSet {
  /// Reads features files. The order of files and of objects within them does not matter.
  ///
  /// Names are resolved across all files, wildcards of services expanded. Columns and types are checked by `validate`. Names that
  /// are Almanac's own, or those of label columns, are refused here and not where stored definitions are read, as earlier versions let them through.
  /// - Throws: `definition` or `notFound` with file, line and column.
  package static func parse(files: [(name: String, yaml: String)]) throws(FeatureError) -> DefinitionSet {
    var reader = DefinitionReader()
    for file in files {
      if let root = try DefinitionNode.parse(yaml: file.yaml, file: file.name) { try reader.read(root) }
    }
    let definitions = try reader.finish()
    try definitions.checkReservedNames()
    try definitions.checkLabelNames()
    return definitions
  }
}
