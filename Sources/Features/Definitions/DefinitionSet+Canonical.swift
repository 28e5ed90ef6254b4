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
    [
      "version": .int(Self.formatVersion),
      "entities": .array(entities.map(\.json)),
      "feature_views": .array(views.map(\.json)),
      "feature_services": .array(services.map(\.json)),
    ]
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
    self.init(entities: read.entities, views: read.views, services: read.services, places: [:])
  }
}

/// An object without the members that are nil.
private func object(_ members: [String: JSON?]) -> JSON { .object(members.compactMapValues { $0 }) }

private func texts(_ map: [String: String]) -> JSON? { map.isEmpty ? nil : .object(map.mapValues { .string($0) }) }

extension Entity {
  var json: JSON {
    object([
      "name": .string(name),
      "keys": .array(keys.map { ["name": .string($0.name), "type": .string($0.type.description)] }),
      "description": description.map { .string($0) },
    ])
  }
}

extension FeatureView {
  var json: JSON {
    object([
      "name": .string(name), "entity": .string(entity), "source": .string(source), "keys": texts(keys),
      "ttl": ttlMicros.map { .string(DurationText.text(ofMicros: $0)) }, "where": filter.map { .string($0) },
      "features": .array(features.map(\.json)), "description": description.map { .string($0) }, "owner": owner.map { .string($0) },
      "tags": texts(tags),
    ])
  }
}

extension FeatureDefinition {
  var json: JSON {
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
  var json: JSON {
    object([
      "name": .string(name), "features": .array(features.map(\.json)), "description": description.map { .string($0) },
    ])
  }
}

extension FeatureReference {
  /// `view:feature` where that says all.
  var json: JSON {
    if alias == nil && joinKeys.isEmpty { return .string("\(view):\(feature)") }
    return object([
      "view": .string(view), "as": alias.map { .string($0) }, "join_keys": texts(joinKeys), "features": [.string(feature)],
    ])
  }
}
