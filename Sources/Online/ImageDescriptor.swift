import Columns
import Features
import JSON

/// What an image holds: the part of its view's definition that lookups need.
package struct ImageDescriptor: Hashable, Sendable {
  package struct Feature: Hashable, Sendable {
    package let name: String
    /// Of the result.
    package let type: DataType
    /// Nil for an expression.
    package let aggregate: AggregateFunction?
    /// Of an aggregate.
    package let window: Window
    /// The type of the values held; nil for a count of rows.
    let valueType: DataType?
  }

  package let view: String
  /// What the image is called where it is kept, which says what it was built from: it cannot stand for another one of its view. Nil in images of
  /// earlier versions, and in those that are kept nowhere.
  package let image: String?
  package let keyTypes: [DataType]
  /// Whether events have no times.
  package let isTimeless: Bool
  /// Whether an event counts only once it is known (`knowledge: created`).
  package let knowsByCreation: Bool
  package let ttlMicros: Int64?
  package let features: [Feature]

  init(_ view: CompiledView, _ events: ViewEvents, image: String?) {
    self.view = view.view.name
    self.image = image
    keyTypes = view.entity.keys.map(\.type.entityKeyType)
    isTimeless = events.times == nil
    knowsByCreation = events.known != nil
    ttlMicros = events.ttlMicros
    features = zip(view.features, events.features).map { feature, input in
      switch input {
      case .value(let values):
        Feature(name: feature.name, type: feature.type, aggregate: nil, window: .all, valueType: values.type)
      case .aggregate(let input):
        Feature(name: feature.name, type: feature.type, aggregate: input.function, window: input.window, valueType: input.values?.type)
      }
    }
  }

  /// Whether what it serves is the same at every time.
  package var holdsAlways: Bool { isTimeless && !knowsByCreation }

  var json: JSON {
    let features = features.map { feature -> JSON in
      var members: [String: JSON] = ["name": .string(feature.name), "type": .string(feature.type.description)]
      members["values"] = feature.valueType.map { .string($0.description) }
      if let aggregate = feature.aggregate {
        members["aggregate"] = .string(aggregate.name)
        members["n"] = aggregate.n.map { .int(Int64($0)) }
        members["q"] = aggregate.q.map { .double($0) }
        switch feature.window {
        case .all: break
        case .micros(let micros): members["window_micros"] = .int(micros)
        case .coarse(let micros, let resolution):
          members["window_micros"] = .int(micros)
          members["resolution_micros"] = .int(resolution)
        }
      }
      return .object(members)
    }
    var members: [String: JSON] = [
      "view": .string(view), "keys": .array(keyTypes.map { .string($0.description) }), "timeless": .bool(isTimeless),
      "features": .array(features),
    ]
    // Left out otherwise, so that such images have the bytes they always had.
    if knowsByCreation { members["knowledge"] = .string(Knowledge.created.rawValue) }
    members["ttl_micros"] = ttlMicros.map { .int($0) }
    members["image"] = image.map { .string($0) }
    return .object(members)
  }

  /// - Throws: `damaged` when the bytes are no descriptor.
  init(bytes: UnsafeRawBufferPointer) throws(OnlineError) {
    let json: JSON
    do {
      json = try JSON(parsing: bytes)
    } catch {
      throw OnlineError(.damaged, "Cannot read a view image: its descriptor is no JSON: \(error)")
    }
    guard let view = json["view"]?.stringValue, let keys = json["keys"]?.arrayValue, let timeless = json["timeless"]?.boolValue,
      let features = json["features"]?.arrayValue
    else { throw Self.damaged("expected view, keys, timeless and features") }
    self.view = view
    image = json["image"]?.stringValue
    guard (image == nil) == (json["image"] == nil) else { throw Self.damaged("its name is no text") }
    isTimeless = timeless
    ttlMicros = json["ttl_micros"]?.intValue
    let knowledge = json["knowledge"]
    guard knowledge == nil || knowledge?.stringValue == Knowledge.created.rawValue else { throw Self.damaged("its knowledge is unknown") }
    knowsByCreation = knowledge != nil
    var types: [DataType] = []
    for key in keys { types.append(try Self.type(key)) }
    keyTypes = types
    var parsed: [Feature] = []
    for feature in features { parsed.append(try Self.feature(feature)) }
    self.features = parsed
    if keyTypes.isEmpty { throw Self.damaged("there are no keys") }
  }

  private static func feature(_ json: JSON) throws(OnlineError) -> Feature {
    guard let name = json["name"]?.stringValue else { throw damaged("a feature has no name") }
    let valueType = try json["values"].map { json throws(OnlineError) in try Self.type(json) }
    guard let aggregateName = json["aggregate"] else {
      let type = try type(json["type"])
      guard valueType == type else { throw damaged("feature \(name) is \(type), its values are not") }
      return Feature(name: name, type: type, aggregate: nil, window: .all, valueType: valueType)
    }
    let function = aggregateName.stringValue.flatMap {
      AggregateFunction(name: $0, n: json["n"]?.intValue.flatMap { Int(exactly: $0) }, q: json["q"]?.doubleValue)
    }
    guard let function else { throw damaged("feature \(name) has an unknown aggregate") }
    // The type follows from the values; its text has to agree.
    guard let type = function.resultType(ofValues: valueType), json["type"]?.stringValue == type.description else {
      throw damaged("feature \(name): \(function.name) gives another type")
    }
    return Feature(name: name, type: type, aggregate: function, window: try window(json, of: name), valueType: valueType)
  }

  private static func window(_ json: JSON, of name: String) throws(OnlineError) -> Window {
    guard let width = json["window_micros"] else { return .all }
    guard let micros = width.intValue, micros > 0 else { throw damaged("feature \(name) has a window that is no width") }
    guard let resolution = json["resolution_micros"] else { return .micros(micros) }
    guard let step = resolution.intValue, step > 0 else { throw damaged("feature \(name) has a resolution that is no width") }
    return .coarse(micros, resolution: step)
  }

  private static func type(_ json: JSON?) throws(OnlineError) -> DataType {
    guard let type = json?.stringValue.flatMap({ DataType(parsing: $0) }) else { throw damaged("a type is unknown") }
    return type
  }

  private static func damaged(_ text: String) -> OnlineError {
    OnlineError(.damaged, "Cannot read a view image: its descriptor is damaged: \(text)")
  }
}
