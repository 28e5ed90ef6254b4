import Columns
import JSON

extension DefinitionSet {
  private static let formatVersion: Int64 = 1

  /// The one form of the definitions for hashing and storing: canonical JSON in the shape of a features file.
  ///
  /// Objects are sorted by name, features keep their order, wildcards are expanded, durations are in their largest exact unit
  /// up to days, and what is not set is left out. Equal sets have equal bytes.
  package var canonicalJSON: [UInt8] { json.canonicalBytes }

  package var json: JSON {
    var members: [String: JSON] = [
      "version": .int(Self.formatVersion),
      "entities": .array(entities.map(\.json)),
      "feature_views": .array(views.map(\.json)),
      "feature_services": .array(services.map(\.json)),
    ]
    // Left out when there are none, so that definitions without them have the bytes they always had.
    if !onDemand.isEmpty { members["on_demand_features"] = .array(onDemand.map(\.json)) }
    return .object(members)
  }

  /// - Throws: `definition` for bytes that `canonicalJSON` did not write.
  package init(canonicalJSON bytes: [UInt8]) throws(FeatureError) {
    let json: JSON
    do {
      json = try JSON(parsing: bytes)
    } catch {
      throw FeatureError(.definition, "Cannot read stored definitions: \(error)")
    }
    guard let version = json["version"]?.intValue, version == Self.formatVersion else {
      throw FeatureError(.definition, "Cannot read stored definitions: expected format version \(Self.formatVersion)")
    }
    var reader = DefinitionReader()
    try reader.read(try DefinitionNode(json, name: "stored definitions"))
    let read = try reader.finish()
    // Every place would say line 1 of the stored bytes.
    self.init(entities: read.entities, views: read.views, services: read.services, onDemand: read.onDemand, places: [:])
  }
}

/// An object without the members that are nil.
private func object(_ members: [String: JSON?]) -> JSON { .object(members.compactMapValues { $0 }) }

private func texts(_ map: [String: String]) -> JSON? { map.isEmpty ? nil : .object(map.mapValues { .string($0) }) }

extension Annotated {
  /// With description, owner and tags added.
  fileprivate func annotated(_ members: [String: JSON?]) -> JSON {
    var members = members
    members["description"] = description.map { .string($0) }
    members["owner"] = owner.map { .string($0) }
    members["tags"] = texts(tags)
    return object(members)
  }
}

extension Entity {
  package var json: JSON {
    annotated([
      "name": .string(name),
      "keys": .array(keys.map { ["name": .string($0.name), "type": .string($0.type.description)] }),
    ])
  }
}

extension OnDemandFeature {
  package var json: JSON {
    annotated([
      "name": .string(name), "expr": .string(expression),
      "request": request.isEmpty ? nil : .array(request.map { ["name": .string($0.name), "type": .string($0.type.description)] }),
      "inputs": inputs.isEmpty ? nil : .array(inputs.map(\.json)),
    ])
  }
}

extension FeatureView {
  package var json: JSON {
    annotated([
      "name": .string(name), "entity": .string(entity), "source": .string(source), "keys": texts(keys),
      "ttl": ttlMicros.map { .string(DurationText.text(ofMicros: $0)) }, "where": filter.map { .string($0) },
      // Left out where it is the whole, so that such views have the bytes they always had.
      "knowledge": knowledge == .whole ? nil : .string(knowledge.rawValue), "features": .array(features.map(\.json)),
    ])
  }
}

extension FeatureDefinition {
  package var json: JSON {
    guard case .object(let members) = core else { return core }
    return annotated(members)
  }

  private var core: JSON {
    let note = description.map { JSON.string($0) }
    switch kind {
    case .expression(let text): return object(["name": .string(name), "expr": .string(text), "description": note])
    case .aggregate(let function, let of, let window, let filter):
      return object([
        "name": .string(name), "agg": .string(function.name), "n": function.n.map { .int(Int64($0)) },
        "q": function.q.map { .double($0) }, "of": of.map { .string($0) }, "window": .string(window.text),
        "resolution": window.resolutionText.map { .string($0) },
        "where": filter.map { .string($0) }, "description": note,
      ])
    }
  }
}

extension FeatureService {
  package var json: JSON {
    annotated(["name": .string(name), "features": .array(features.map(\.json))])
  }
}

extension FeatureReference {
  /// A text where that says all.
  package var json: JSON {
    if alias == nil && joinKeys.isEmpty { return .string(text) }
    return object([
      "view": .string(view), "as": alias.map { .string($0) }, "join_keys": texts(joinKeys), "features": [.string(feature)],
    ])
  }
}
