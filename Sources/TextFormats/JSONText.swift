import Columns
import JSON

/// What the values of a key have looked like so far.
struct JSONEvidence {
  /// The type that the reader was asked for; nothing is inferred then.
  let wanted: DataType?
  private var found = ColumnEvidence()
  /// `NaN` and the infinities are strings in JSON.
  private var hasNonFinite = false

  init(wanted: DataType?) { self.wanted = wanted }

  var type: DataType {
    if let wanted { return wanted }
    guard hasNonFinite else { return found.type }
    if found.kinds.isEmpty || !found.kinds.isSubset(of: .numbers) { return .string }
    var numbers = found
    numbers.kinds.insert(.float)
    return numbers.type
  }

  mutating func note(_ token: JSONToken) {
    switch token.kind {
    case .null: break
    case .bool: found.kinds.insert(.bool)
    case .integer:
      if let value = NumberText.parseInt64(token.bytes) {
        found.kinds.formUnion(ColumnEvidence.kinds(of: value))
      } else {
        found.kinds.insert(NumberText.parseUInt64(token.bytes) == nil ? .text : .unsigned)
      }
    case .float: found.kinds.insert(NumberText.parseDouble(token.bytes) == nil ? .text : .float)
    case .escapedString: found.kinds.insert(.text)
    case .string:
      if found.isText { break }
      if JSONText.nonFinite(token.bytes) != nil {
        hasNonFinite = true
      } else if JSONText.isTimestamp(token.bytes) {
        found.kinds.insert(.timestamp)
      } else {
        found.kinds.insert(.text)
      }
    }
  }
}

/// Values of JSON into columns.
enum JSONText {
  struct Problem {
    let kind: TextError.Kind
    let text: String
  }

  /// The bytes that a string token stands for; nil where they are not valid text.
  static func plain(_ token: JSONToken) -> [UInt8]? {
    if token.kind != .escapedString {
      return CSVReader.isASCII(token.bytes) || String(validating: token.bytes, as: UTF8.self) != nil ? Array(token.bytes) : nil
    }
    let quoted = [UInt8(ascii: "\"")] + Array(token.bytes) + [UInt8(ascii: "\"")]
    guard case .string(let text)? = try? JSON(parsing: quoted) else { return nil }
    return Array(text.utf8)
  }

  /// Whether the text names an instant in full: date, `T`, time, and `Z` or an offset.
  static func isTimestamp(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 17, bytes[0] <= UInt8(ascii: "9"), bytes.contains(UInt8(ascii: "T")), let time = CivilTime.parse(bytes)
    else { return false }
    return time.hasTime && time.hasZone && time.ticks(.microsecond) != nil
  }

  static func nonFinite(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard bytes.count == 3 || bytes.count == 8 || bytes.count == 9 else { return nil }
    switch String(decoding: bytes, as: UTF8.self) {
    case "NaN": return .nan
    case "Infinity": return .infinity
    case "-Infinity": return -.infinity
    default: return nil
    }
  }

  /// Appends a value.
  /// - Parameter anyScalar: whether a string column takes the texts of numbers and bools.
  /// - Returns: why it does not fit; nil when it was appended.
  static func append(_ token: JSONToken, to column: inout RowColumn, anyScalar: Bool) -> Problem? {
    if token.kind == .null {
      column.appendNull()
      return nil
    }
    if token.isString {
      if column.type == .string && token.kind == .string && CSVReader.isASCII(token.bytes) {
        column.append(bytes: token.bytes)
        return nil
      }
      guard let text = plain(token) else { return Problem(kind: .malformed, text: "the string has a bad escape or is not valid UTF-8") }
      return text.withUnsafeBytes { append(string: $0, to: &column) } ? nil : mismatch(token, column.type)
    }
    if column.type == .string && anyScalar {
      column.append(bytes: token.bytes)
      return nil
    }
    return append(scalar: token, to: &column) ? nil : mismatch(token, column.type)
  }

  private static func mismatch(_ token: JSONToken, _ type: DataType) -> Problem {
    let found = token.isString ? TextError.quoted(token.bytes) : String(decoding: token.bytes.prefix(60), as: UTF8.self)
    return Problem(kind: .badCell, text: "expected \(type), found \(found)")
  }

  private static func append(string: UnsafeRawBufferPointer, to column: inout RowColumn) -> Bool {
    switch column.type {
    case .string: column.append(bytes: string)
    case .binary:
      guard let bytes = Base64.decode(string) else { return false }
      bytes.withUnsafeBytes { column.append(bytes: $0) }
    case .decimal(let precision, let scale):
      guard let value = NumberText.parseDecimal(string, precision: precision, scale: scale) else { return false }
      column.append(value)
    case .date:
      guard let days = CivilTime.parseDate(string) else { return false }
      column.append(days)
    case .timestamp(let unit, _):
      guard let ticks = CivilTime.parse(string)?.ticks(unit) else { return false }
      column.append(ticks)
    case .float64:
      guard let value = nonFinite(string) else { return false }
      column.append(value)
    case .float32:
      guard let value = nonFinite(string) else { return false }
      column.append(Float(value))
    default: return false
    }
    return true
  }

  private static func append(scalar token: JSONToken, to column: inout RowColumn) -> Bool {
    if token.kind == .bool {
      guard column.type == .bool else { return false }
      column.append(bool: token.bytes[0] == UInt8(ascii: "t"))
      return true
    }
    switch column.type {
    case .int8: return append(integer(token, Int8.self), &column)
    case .int16: return append(integer(token, Int16.self), &column)
    case .int32: return append(integer(token, Int32.self), &column)
    case .int64: return append(integer(token, Int64.self), &column)
    case .uint8: return append(integer(token, UInt8.self), &column)
    case .uint16: return append(integer(token, UInt16.self), &column)
    case .uint32: return append(integer(token, UInt32.self), &column)
    case .uint64: return append(integer(token, UInt64.self), &column)
    case .float32: return append(NumberText.parseFloat(token.bytes), &column)
    case .float64: return append(NumberText.parseDouble(token.bytes), &column)
    case .decimal(let precision, let scale):
      return append(NumberText.parseDecimal(token.bytes, precision: precision, scale: scale), &column)
    default: return false
    }
  }

  private static func append<Value: BitwiseCopyable>(_ value: Value?, _ column: inout RowColumn) -> Bool {
    guard let value else { return false }
    column.append(value)
    return true
  }

  /// An integer of this width; doubles count when they are whole and below 2^53, as some writers know no integers.
  private static func integer<Value: FixedWidthInteger>(_ token: JSONToken, _: Value.Type) -> Value? {
    if token.kind == .integer {
      if let value = NumberText.parseInt64(token.bytes) { return Value(exactly: value) }
      return NumberText.parseUInt64(token.bytes).flatMap { Value(exactly: $0) }
    }
    guard let value = NumberText.parseDouble(token.bytes), value.magnitude < 9_007_199_254_740_992 else { return nil }
    return Value(exactly: value)
  }
}
