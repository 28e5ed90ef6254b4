import Columns

/// What an `apply` would do to one object.
package struct DefinitionChange: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable { case added, removed, changed }

  package let kind: Kind
  /// Such as `feature view user_spend`.
  package let object: String
  /// One line a difference, such as `ttl: 30d → 7d`; of an added object its properties.
  package let details: [String]
}

extension DefinitionSet {
  /// The changes from an older set to this one: entities, feature views, on-demand features, feature services, each by name.
  package func diff(from old: DefinitionSet) -> [DefinitionChange] {
    changes(old.entities, entities, name: { DefinitionPath.entity($0.name) }, properties: \.properties)
      + changes(old.views, views, name: { DefinitionPath.view($0.name) }, properties: \.properties)
      + changes(old.onDemand, onDemand, name: { DefinitionPath.onDemand($0.name) }, properties: \.properties)
      + changes(old.services, services, name: { DefinitionPath.service($0.name) }, properties: \.properties)
  }

  private func changes<Object: Hashable>(
    _ old: [Object], _ new: [Object], name: (Object) -> String, properties: (Object) -> [(name: String, value: String)]
  ) -> [DefinitionChange] {
    let before = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
    let after = Dictionary(new.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
    var result: [DefinitionChange] = []
    for object in Set(before.keys).union(after.keys).sorted() {
      switch (before[object], after[object]) {
      case (nil, let added?):
        result.append(DefinitionChange(kind: .added, object: object, details: properties(added).map { "\($0.name): \($0.value)" }))
      case (.some, nil): result.append(DefinitionChange(kind: .removed, object: object, details: []))
      case (let old?, let new?) where old != new:
        result.append(DefinitionChange(kind: .changed, object: object, details: difference(properties(old), properties(new))))
      default: break
      }
    }
    return result
  }

  private func difference(_ old: [(name: String, value: String)], _ new: [(name: String, value: String)]) -> [String] {
    var lines: [String] = []
    for (name, value) in new {
      guard let before = old.first(where: { $0.name == name })?.value else {
        lines.append("\(name): added, \(value)")
        continue
      }
      if before != value { lines.append("\(name): \(before) → \(value)") }
    }
    for (name, value) in old where !new.contains(where: { $0.name == name }) { lines.append("\(name): removed, was \(value)") }
    if lines.isEmpty { lines.append("order: \(old.map(\.name).joined(separator: ", ")) → \(new.map(\.name).joined(separator: ", "))") }
    return lines
  }
}

private func mapText(_ map: [String: String]) -> String {
  map.keys.sorted().map { "\($0): \(map[$0] ?? "")" }.joined(separator: ", ")
}

private typealias Properties = [(name: String, value: String)]

/// The properties that are set.
private func present(_ properties: [(name: String, value: String?)]) -> Properties {
  properties.compactMap { property in property.value.map { (property.name, $0) } }
}

extension Annotated {
  fileprivate var notes: Properties {
    present([("description", description), ("owner", owner), ("tags", tags.isEmpty ? nil : mapText(tags))])
  }
}

extension OnDemandFeature {
  fileprivate var properties: Properties {
    present([
      ("request", request.isEmpty ? nil : request.map { "\($0.name) \($0.type)" }.joined(separator: ", ")),
      ("inputs", inputs.isEmpty ? nil : inputs.map(\.summary).joined(separator: ", ")), ("expr", expression),
    ]) + notes
  }
}

extension FeatureReference {
  /// `user_spend:spend_7d as sender, join keys user_id: sender_id`.
  package var summary: String {
    text + (alias.map { " as \($0)" } ?? "") + (joinKeys.isEmpty ? "" : ", join keys \(mapText(joinKeys))")
  }
}

extension Entity {
  fileprivate var properties: Properties {
    present([("keys", keys.map { "\($0.name) \($0.type)" }.joined(separator: ", "))]) + notes
  }
}

extension FeatureView {
  fileprivate var properties: Properties {
    let own = present([
      ("entity", entity), ("source", source), ("keys", keys.isEmpty ? nil : mapText(keys)),
      ("ttl", ttlMicros.map(DurationText.text(ofMicros:))), ("where", filter),
      ("knowledge", knowledge == .whole ? nil : knowledge.rawValue),
    ])
    return own + notes + features.map { ("feature \($0.name)", $0.summary + $0.notesText) }
  }
}

extension FeatureDefinition {
  /// One line: `sum of amount, window 7d, where amount > 100`.
  package var summary: String {
    let text: String
    switch kind {
    case .expression(let expression): text = expression
    case .aggregate(let function, let of, let window, let filter):
      text =
        function.text + (of.map { " of \($0)" } ?? "") + ", window \(window.text)"
        + (window.resolutionText.map { ", resolution \($0)" } ?? "") + (filter.map { ", where \($0)" } ?? "")
    }
    return text
  }
}

extension FeatureService {
  fileprivate var properties: Properties {
    notes
      + features.map { reference in
        let keys = reference.joinKeys.isEmpty ? "" : ", join keys \(mapText(reference.joinKeys))"
        return ("feature \(reference.fullName)", "\(reference.text)\(keys)")
      }
  }
}
