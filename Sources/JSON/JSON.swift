/// A JSON value (RFC 8259) that keeps integers apart from doubles, so that 64-bit numbers stay exact.
package enum JSON: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int64)
  /// Only above `Int64.max`.
  case uint(UInt64)
  case double(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  /// The member of an object; nil for a missing key and for values that are no objects.
  package subscript(key: String) -> JSON? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  package var isNull: Bool { self == .null }

  package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// An integer that fits `Int64`; doubles are not converted.
  package var intValue: Int64? { if case .int(let value) = self { value } else { nil } }

  /// Any number; integers beyond 2^53 are rounded.
  package var doubleValue: Double? {
    switch self {
    case .double(let value): value
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    default: nil
    }
  }

  package var stringValue: String? { if case .string(let value) = self { value } else { nil } }

  package var arrayValue: [JSON]? { if case .array(let values) = self { values } else { nil } }

  package var objectValue: [String: JSON]? { if case .object(let members) = self { members } else { nil } }

  /// An unsigned integer as the case that holds it.
  package init(_ value: UInt64) { self = Int64(exactly: value).map { .int($0) } ?? .uint(value) }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
  package init(nilLiteral: ()) { self = .null }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
  }
}

/// Bytes that are not JSON, and where: lines and columns count from 1, columns in bytes.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  package let line: Int
  package let column: Int
  package let text: String

  package init(line: Int, column: Int, text: String) {
    self.line = line
    self.column = column
    self.text = text
  }

  package var description: String { "Cannot parse JSON at line \(line), column \(column): \(text)" }
}
