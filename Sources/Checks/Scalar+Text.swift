import Columns
import JSON

extension Scalar {
  /// The value for a message: strings in double quotes, timestamps as RFC 3339 in UTC.
  package var text: String {
    switch self {
    case .null: "null"
    case .string(let value): "\"\(value)\""
    default: plainText
    }
  }

  /// The value for a table cell: as `text`, but strings bare.
  package var plainText: String {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .int(let value): return String(value)
    case .uint(let value): return String(value)
    case .float(let value): return NumberText.format(value)
    case .double(let value): return NumberText.format(value)
    case .decimal(let value, let scale): return NumberText.formatDecimal(value, scale: scale)
    case .string(let value): return value
    case .binary(let bytes): return Self.hexText(bytes)
    case .date(let days): return CivilTime.formatDate(days: Int64(days))
    case .time(let ticks, let unit): return "\(ticks) \(unit.rawValue) since midnight"
    case .duration(let ticks, let unit): return "\(ticks) \(unit.rawValue)"
    case .list(let values): return "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .structure(let values): return "{" + values.map(\.text).joined(separator: ", ") + "}"
    case .timestamp(let ticks, let unit): return CivilTime.formatTimestamp(ticks, unit)
    }
  }

  /// The value in a verdict's JSON; what has no JSON form of its own is a string.
  package var json: JSON {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .int(let value): .int(value)
    case .uint(let value): value <= UInt64(Int64.max) ? .int(Int64(value)) : .uint(value)
    case .float(let value): value.isFinite ? .double(Double(value)) : .string(plainText)
    case .double(let value): value.isFinite ? .double(value) : .string(plainText)
    default: .string(plainText)
    }
  }

  private static func hexText(_ bytes: [UInt8]) -> String {
    let shown = bytes.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return "0x" + shown + (bytes.count > 32 ? "… (\(bytes.count) bytes)" : "")
  }
}
