/// The resolution of a timestamp: how many of its ticks make one second.
package enum TimeUnit: String, Hashable, Sendable {
  case second = "s"
  case millisecond = "ms"
  case microsecond = "us"
  case nanosecond = "ns"

  package var ticksPerSecond: Int64 {
    switch self {
    case .second: 1
    case .millisecond: 1_000
    case .microsecond: 1_000_000
    case .nanosecond: 1_000_000_000
    }
  }
}

/// The logical type of a column; its physical layout is Arrow's.
///
/// | type | memory |
/// |---|---|
/// | `bool` | one bit a value, least significant first |
/// | integers, floats | their native little-endian width |
/// | `decimal` | `Int128`, the unscaled value |
/// | `date` | `Int32` days since 1970-01-01 |
/// | `timestamp` | `Int64` ticks since 1970-01-01T00:00:00Z; `zone` nil is Arrow's zone-less timestamp, read as UTC |
/// | `string`, `binary` | `Int64` offsets (count + 1) and the bytes: Arrow's LargeUtf8 and LargeBinary |
package enum DataType: Hashable, Sendable {
  case bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float32, float64
  case decimal(precision: Int, scale: Int)
  case string, binary
  case date
  case timestamp(TimeUnit, zone: String?)

  /// The one timestamp type of committed datasets: microseconds, UTC.
  package static let timestampMicros = DataType.timestamp(.microsecond, zone: "UTC")

  /// Bytes a value takes in memory; nil for `bool` (a bit) and for variable-length types.
  package var byteWidth: Int? {
    switch self {
    case .bool, .string, .binary: nil
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float32, .date: 4
    case .int64, .uint64, .float64, .timestamp: 8
    case .decimal: 16
    }
  }

  package var isVariableLength: Bool { self == .string || self == .binary }

  package var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  package var isFloat: Bool { self == .float32 || self == .float64 }

  package var isTimestamp: Bool { if case .timestamp = self { true } else { false } }
}

extension DataType: CustomStringConvertible {
  /// The spelling used in contracts (`physicalType`), messages and JSON, for example `timestamp[us,UTC]`.
  package var description: String {
    switch self {
    case .bool: "bool"
    case .int8: "int8"
    case .int16: "int16"
    case .int32: "int32"
    case .int64: "int64"
    case .uint8: "uint8"
    case .uint16: "uint16"
    case .uint32: "uint32"
    case .uint64: "uint64"
    case .float32: "float32"
    case .float64: "float64"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .string: "utf8"
    case .binary: "binary"
    case .date: "date"
    case .timestamp(let unit, let zone): zone.map { "timestamp[\(unit.rawValue),\($0)]" } ?? "timestamp[\(unit.rawValue)]"
    }
  }

  /// Reads the spelling that `description` writes, and the usual synonyms (`string`, `bool`/`boolean`, `double`, `timestamp`).
  package init?(parsing text: String) {
    switch text.lowercased() {
    case "bool", "boolean": self = .bool
    case "int8": self = .int8
    case "int16", "smallint": self = .int16
    case "int32", "int", "integer": self = .int32
    case "int64", "bigint", "long": self = .int64
    case "uint8": self = .uint8
    case "uint16": self = .uint16
    case "uint32": self = .uint32
    case "uint64": self = .uint64
    case "float32", "float": self = .float32
    case "float64", "double": self = .float64
    case "utf8", "string", "large_utf8", "varchar", "text": self = .string
    case "binary", "large_binary", "bytes": self = .binary
    case "date", "date32": self = .date
    case "timestamp": self = .timestampMicros
    default:
      if let inner = DataType.arguments(of: text, name: "timestamp", open: "[", close: "]") {
        guard let unit = inner.first.flatMap({ TimeUnit(rawValue: $0.lowercased()) }), inner.count <= 2 else { return nil }
        self = .timestamp(unit, zone: inner.count == 2 ? inner[1] : nil)
      } else if let inner = DataType.arguments(of: text, name: "decimal", open: "(", close: ")") {
        guard inner.count == 2, let precision = Int(inner[0]), let scale = Int(inner[1]),
          (1...38).contains(precision), (0...precision).contains(scale)
        else { return nil }
        self = .decimal(precision: precision, scale: scale)
      } else {
        return nil
      }
    }
  }

  private static func arguments(of text: String, name: String, open: Character, close: Character) -> [String]? {
    guard text.lowercased().hasPrefix(name + String(open)), text.last == close else { return nil }
    return text.dropFirst(name.count + 1).dropLast().split(separator: ",", omittingEmptySubsequences: false)
      .map { String($0.drop(while: { $0 == " " })) }
  }
}
