import Columns
import Features
import JSON

/// The body of `POST /get-online-features` (Feast's feature-server protocol, with an optional `at`).
///
/// Unknown members and entity columns that no feature needs are ignored. An integer may be written `1.0` or `1e3`; what is not exactly
/// one is refused, as its neighbour would be another entity. Fields of floats take the nearest value.
package struct OnlineRequest: Sendable {
  /// `feature_service` beats `features`.
  package let service: String?
  package let features: [String]
  package let fullNames: Bool
  /// By column; each should be an array.
  package let entities: [String: JSON]
  /// Micros; nil for now.
  package let time: Int64?

  /// - Throws: `malformed` for bytes that are no JSON, and as `init(_:)`.
  package init(body bytes: UnsafeRawBufferPointer) throws(OnlineError) {
    let json: JSON
    do {
      json = try JSON(parsing: bytes, wholeNumbers: true, uniqueNames: true)
    } catch {
      throw OnlineError(.malformed, "The body: \(error)")
    }
    try self.init(json)
  }

  /// - Parameter body: parsed with whole numbers as integers: doubles stand for none.
  /// - Throws: `malformed` for a member that is missing or of the wrong kind, naming it.
  package init(_ body: JSON) throws(OnlineError) {
    guard case .object = body else { throw OnlineError(.malformed, "The body: expected a JSON object") }
    service = try Self.member(body, "feature_service", "a string") { $0.stringValue }
    fullNames = try Self.member(body, "full_feature_names", "true or false") { $0.boolValue } ?? false
    features =
      try Self.member(body, "features", "an array of strings") { json in
        json.arrayValue.flatMap { values in
          let names = values.compactMap(\.stringValue)
          return names.count == values.count ? names : nil
        }
      } ?? []
    guard service != nil || !features.isEmpty else { throw OnlineError(.malformed, "The body has neither feature_service nor features") }
    let columns = try Self.member(body, "entities", "an object of arrays") { $0.objectValue }
    guard let columns else { throw OnlineError(.malformed, "The body has no entities") }
    entities = columns
    time = try Self.member(body, "at", "an RFC 3339 time such as 2026-02-01T00:00:00Z") { json in
      json.stringValue.flatMap { CivilTime.parseInstantFloored($0) }
    }
  }

  /// The values of the plan's keys and request fields.
  /// - Throws: `malformed` for a missing one or unequal lengths; `unprocessable` for a value of another type.
  package func columns(of plan: FeaturePlan) throws(OnlineError) -> (keys: [Column], requests: [Column]) {
    var columns: [Column] = []
    let names = plan.keys + plan.requests
    for key in names {
      guard let member = entities[key.name] else {
        throw OnlineError(.malformed, "entities: there is no \(key.name), which the features need")
      }
      guard let values = member.arrayValue else { throw OnlineError(.malformed, "entities.\(key.name): expected an array") }
      if let first = columns.first, first.count != values.count {
        throw OnlineError(
          .malformed, "entities.\(key.name): expected \(first.count) values as in \(names[0].name), found \(values.count)")
      }
      var scalars: [Scalar] = []
      for (index, value) in values.enumerated() {
        guard let scalar = Self.scalar(value, as: key.type) else {
          throw OnlineError(
            .unprocessable,
            "entities.\(key.name)[\(index)]: expected a value of type \(key.type), found \(Self.text(of: value, for: key.type))")
        }
        scalars.append(scalar)
      }
      columns.append(Column(key.type, scalars))
    }
    return (Array(columns.prefix(plan.keys.count)), Array(columns.dropFirst(plan.keys.count)))
  }

  private static func member<Value>(
    _ body: JSON, _ name: String, _ expected: String, _ read: (JSON) -> Value?
  ) throws(OnlineError) -> Value? {
    guard let json = body[name], !json.isNull else { return nil }
    guard let value = read(json) else { throw OnlineError(.malformed, "\(name): expected \(expected)") }
    return value
  }

  /// A value in a message. A double that is whole would look like what was expected.
  private static func text(of value: JSON, for type: DataType) -> String {
    guard type.isInteger, case .double(let number) = value, number.rounded() == number else { return value.text() }
    return "a number that no integer of 64 bits equals, about \(value.text())"
  }

  /// The value of a key or request field; numbers may come as strings, since JSON of other languages loses digits and the command
  /// line has nothing else. Nil when it does not fit.
  private static func scalar(_ json: JSON, as type: DataType) -> Scalar? {
    if json.isNull { return .null }
    switch type {
    case .bool: return (json.boolValue ?? ["true": true, "false": false][json.stringValue ?? ""]).map { .bool($0) }
    case .float64: return number(json).map { .double($0) }
    case .float32: return number(json).flatMap { Float(nearest: $0) }.map { .float($0) }
    case .int8: return integer(json, Int8.self).map { .int(Int64($0)) }
    case .int16: return integer(json, Int16.self).map { .int(Int64($0)) }
    case .int32: return integer(json, Int32.self).map { .int(Int64($0)) }
    case .int64: return integer(json, Int64.self).map { .int($0) }
    case .uint8: return integer(json, UInt8.self).map { .uint(UInt64($0)) }
    case .uint16: return integer(json, UInt16.self).map { .uint(UInt64($0)) }
    case .uint32: return integer(json, UInt32.self).map { .uint(UInt64($0)) }
    case .uint64: return integer(json, UInt64.self).map { .uint($0) }
    case .string: return json.stringValue.map { .string($0) }
    case .binary: return json.stringValue.flatMap { Base64.bytes($0) }.map { .binary($0) }
    case .date: return json.stringValue.flatMap { CivilTime.parseDate($0) }.map { .date($0) }
    case .timestamp(.microsecond, _): return json.stringValue.flatMap { CivilTime.parseTimestamp($0) }.map { .timestamp($0, .microsecond) }
    case .timestamp, .decimal, .float16, .fixedBinary, .time, .duration, .list, .map, .structure: return nil
    }
  }

  /// The double nearest to a JSON number, or to one as answers and text files write it, with `NaN` and `Infinity`.
  private static func number(_ json: JSON) -> Double? {
    switch json {
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .double(let value): value
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    case .string("NaN"): .nan
    case .string(var text): text.withUTF8 { NumberText.parseDouble(UnsafeRawBufferPointer($0)) }.flatMap { $0.isFinite ? $0 : nil }
    default: nil
    }
  }

  /// Exactly, or not at all.
  private static func integer<Value: FixedWidthInteger>(_ json: JSON, _: Value.Type) -> Value? {
    switch json {
    case .int(let value): Value(exactly: value)
    case .uint(let value): Value(exactly: value)
    // Only floats tell -0.0 from 0.
    case .double(0): 0
    case .string(let text): WholeNumber.parse(text, as: Value.self)
    default: nil
    }
  }
}
