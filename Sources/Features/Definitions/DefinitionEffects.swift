import Columns

/// What a change of definitions does to those who use them.
package struct DefinitionEffect: Hashable, Sendable {
  /// Such as `feature service fraud_v1`.
  package let object: String
  package let text: String

  package init(object: String, text: String) {
    self.object = object
    self.text = text
  }
}

/// What callers of a service see of it.
private struct ServiceInterface {
  /// Entity keys and request fields.
  var needs: [String: DataType] = [:]
  /// By full name.
  var gives: [String: DataType] = [:]
}

extension DefinitionSet {
  /// What callers of services must adapt to when these definitions replace older ones: services and features that go, types that
  /// change, keys and request fields that are needed now.
  ///
  /// A service that the older definitions could not compile is left out: nobody can have used it.
  package func effects(
    from old: DefinitionSet, oldSources: [String: SourceTable], sources: [String: SourceTable]
  ) -> [DefinitionEffect] {
    var effects: [DefinitionEffect] = []
    for service in old.services {
      let object = DefinitionPath.service(service.name)
      guard let before = old.interface(of: service, oldSources) else { continue }
      guard let present = self.service(named: service.name), let after = interface(of: present, sources) else {
        effects.append(DefinitionEffect(object: object, text: "is removed"))
        continue
      }
      func add(_ text: String) { effects.append(DefinitionEffect(object: object, text: text)) }
      for name in before.gives.keys.sorted() where after.gives[name] == nil { add("loses \(name)") }
      for (name, type) in before.gives.sorted(by: { $0.key < $1.key }) {
        if let now = after.gives[name], now != type { add("\(name): \(type) → \(now)") }
      }
      for (name, type) in after.needs.sorted(by: { $0.key < $1.key }) {
        guard let earlier = before.needs[name] else {
          add("now needs \(name) (\(type)) of every row or request")
          continue
        }
        if earlier != type { add("needs \(name) as \(type), no longer as \(earlier)") }
      }
    }
    return effects
  }

  private func interface(of service: FeatureService, _ sources: [String: SourceTable]) -> ServiceInterface? {
    guard let compiled = try? compile(service, sources: sources, fullNames: true) else { return nil }
    var interface = ServiceInterface()
    for result in compiled.results { interface.gives[result.name] = result.type }
    for use in compiled.views {
      for (column, key) in zip(use.labelColumns, use.view.entity.keys) { interface.needs[column] = key.type }
    }
    for step in compiled.onDemand {
      for field in step.feature.request where interface.needs[field.name] == nil { interface.needs[field.name] = field.type }
    }
    return interface
  }

  /// The services whose values these definitions may change: those whose recipe says something else than it did.
  package func servicesWithOtherValues(than old: DefinitionSet) -> [String] {
    old.services.map(\.name).filter { name in
      guard let before = try? old.definition(ofService: name) else { return false }
      return (try? definition(ofService: name)) != before
    }
  }
}
