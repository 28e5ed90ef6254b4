/// Feature services, and how they and on-demand features name what they read.
extension DefinitionReader {
  mutating func service(_ node: DefinitionNode) throws(FeatureError) -> FeatureService {
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
    var result = FeatureService(name: name, features: references)
    try map.annotate(&result)
    try map.finish()
    return result
  }

  /// `view:feature`, `view:*`, the name of an on-demand feature, or a map `{view, as, join_keys, features}`.
  func references(_ node: DefinitionNode, _ object: String) throws(FeatureError) -> [FeatureReference] {
    guard case .scalar(let text) = node.content else { return try detailed(node, object) }
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      if onDemandNames.contains(text) { return [.onDemand(text)] }
      let homes = views.filter { view in view.features.contains { $0.name == text } }.map { "\($0.name):\(text)" }
      let hint = homes.isEmpty ? Suggestion.text(for: text, among: onDemandNames + views.map(\.name)) : " (did you mean \(homes[0])?)"
      throw node.error(
        "\(object): expected view:feature, view:* or the name of an on-demand feature, found '\(text)'\(hint)", .notFound)
    }
    let view = try self.view(named: parts[0], node, object)
    return try expand(parts[1], of: view, node, object).map { FeatureReference(view: view.name, feature: $0) }
  }

  private func detailed(_ node: DefinitionNode, _ object: String) throws(FeatureError) -> [FeatureReference] {
    var map = try DefinitionMap(node, "\(object): use of a view")
    let viewName = try map.requiredText("view")
    let view = try self.view(named: viewName, map.member("view"), object)
    let alias = try map.text("as")
    if let alias {
      try DefinitionMap.check(alias, "\(object): as", map.member("as"))
      guard !alias.contains("__") else {
        throw map.member("as").error("\(object): as cannot hold __, which joins view and feature in full names")
      }
    }
    let joinKeys = try map.texts("join_keys")
    let entityKeys = entities.first { $0.name == view.entity }?.keys.map(\.name) ?? []
    for member in joinKeys where !entityKeys.contains(member.key) {
      throw FeatureError(
        .notFound, "\(object): entity \(view.entity) has no key \(member.key)\(Suggestion.text(for: member.key, among: entityKeys))"
      ).located(member.place)
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
