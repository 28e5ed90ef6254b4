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
/// | `fixedBinary` | `byteWidth` bytes a value, one after another |
/// | `date` | `Int32` days since 1970-01-01 |
/// | `time` | ticks since midnight: `Int32` for s and ms, `Int64` for us and ns |
/// | `duration` | `Int64` ticks |
/// | `timestamp` | `Int64` ticks since 1970-01-01T00:00:00Z; `zone` nil is Arrow's zone-less timestamp, read as UTC |
/// | `string`, `binary` | `Int64` offsets (count + 1) and the bytes: Arrow's LargeUtf8 and LargeBinary |
/// | `list` | `Int64` offsets (count + 1) into one child column: Arrow's LargeList |
/// | `map` | as a list of `structure([key, value])` |
/// | `structure` | one child column a field, each as long as the column |
///
/// Datasets hold the types for which `isNested` is false and that `docs/format/leaf.md` names; files may hold any.
package indirect enum DataType: Hashable, Sendable {
  case bool
  case int8, int16, int32, int64
  case uint8, uint16, uint32, uint64
  case float16, float32, float64
  case decimal(precision: Int, scale: Int)
  case string, binary
  case fixedBinary(byteWidth: Int)
  case date
  case time(TimeUnit)
  case timestamp(TimeUnit, zone: String?)
  case duration(TimeUnit)
  case list(Field)
  /// Keys are never null; they need be neither sorted nor distinct.
  case map(key: Field, value: Field)
  case structure([Field])

  /// The one timestamp type of committed datasets: microseconds, UTC.
  package static let timestampMicros = DataType.timestamp(.microsecond, zone: "UTC")

  /// Bytes a value takes in memory; nil for `bool` (a bit), and for variable-length and nested types.
  package var byteWidth: Int? {
    switch self {
    case .bool, .string, .binary, .list, .map, .structure: nil
    case .int8, .uint8: 1
    case .int16, .uint16, .float16: 2
    case .int32, .uint32, .float32, .date, .time(.second), .time(.millisecond): 4
    case .int64, .uint64, .float64, .timestamp, .time, .duration: 8
    case .decimal: 16
    case .fixedBinary(let byteWidth): byteWidth
    }
  }

  /// Whether values are bytes between offsets: `string` and `binary`.
  package var isVariableLength: Bool {
    switch self {
    case .string, .binary: true
    default: false
    }
  }

  /// The type under which a dataset keeps values of this one without loss (docs/format/leaf.md); nil when datasets have none.
  package var datasetType: DataType? {
    switch self {
    case .float16: .float32
    case .fixedBinary: .binary
    case .timestamp: .timestampMicros
    case .time, .duration, .list, .map, .structure: nil
    default: self
    }
  }

  /// Whether a column has child columns.
  package var isNested: Bool {
    switch self {
    case .list, .map, .structure: true
    default: false
    }
  }

  /// Whether a column has offsets, into bytes or into a child column.
  package var hasOffsets: Bool {
    switch self {
    case .string, .binary, .list, .map: true
    default: false
    }
  }

  /// The fields of the child columns: a list's element, a map's entries as one structure, a structure's fields.
  package var childFields: [Field] {
    switch self {
    case .list(let element): [element]
    case .map(let key, let value): [Field("key_value", .structure([key, value]), isNullable: false)]
    case .structure(let fields): fields
    default: []
    }
  }

  package var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }

  package var isFloat: Bool {
    switch self {
    case .float16, .float32, .float64: true
    default: false
    }
  }

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
    case .float16: "float16"
    case .float32: "float32"
    case .float64: "float64"
    case .fixedBinary(let byteWidth): "binary(\(byteWidth))"
    case .time(let unit): "time[\(unit.rawValue)]"
    case .duration(let unit): "duration[\(unit.rawValue)]"
    case .list(let element): "list<\(element.type)>"
    case .map(let key, let value): "map<\(key.type),\(value.type)>"
    case .structure(let fields): "struct<\(fields.map { "\($0.name):\($0.type)" }.joined(separator: ","))>"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .string: "utf8"
    case .binary: "binary"
    case .date: "date"
    case .timestamp(let unit, let zone): zone.map { "timestamp[\(unit.rawValue),\($0)]" } ?? "timestamp[\(unit.rawValue)]"
    }
  }

  /// Reads the spelling that `description` writes (nested types excepted), and the usual synonyms (`string`, `bool`/`boolean`, `double`, `timestamp`).
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
    case "float16", "half": self = .float16
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
      } else if let inner = DataType.arguments(of: text, name: "binary", open: "(", close: ")") {
        guard inner.count == 1, let width = Int(inner[0]), width > 0 else { return nil }
        self = .fixedBinary(byteWidth: width)
      } else if let inner = DataType.arguments(of: text, name: "time", open: "[", close: "]") {
        guard inner.count == 1, let unit = TimeUnit(rawValue: inner[0].lowercased()) else { return nil }
        self = .time(unit)
      } else if let inner = DataType.arguments(of: text, name: "duration", open: "[", close: "]") {
        guard inner.count == 1, let unit = TimeUnit(rawValue: inner[0].lowercased()) else { return nil }
        self = .duration(unit)
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
