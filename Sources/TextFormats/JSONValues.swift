import Columns
import JSON

/// Values of JSON into columns.
enum JSONValues {
  struct Problem {
    let kind: TextError.Kind
    let text: String
  }

  /// The bytes that a string token stands for; nil where they are not valid text.
  static func plain(_ token: JSONToken) -> [UInt8]? {
    if token.kind != .escapedString {
      return UTF8Text.isASCII(token.bytes) || UTF8Text.isValid(token.bytes) ? Array(token.bytes) : nil
    }
    let quoted = [UInt8(ascii: "\"")] + Array(token.bytes) + [UInt8(ascii: "\"")]
    guard case .string(let text)? = try? JSON(parsing: quoted) else { return nil }
    return Array(text.utf8)
  }

  /// What kinds of time the text is where it names an instant in full: date, `T`, time, and `Z` or an offset; else nil.
  static func timestampKinds(_ bytes: UnsafeRawBufferPointer) -> ColumnEvidence.Kinds? {
    guard bytes.count >= 17, bytes[0] <= UInt8(ascii: "9"), bytes.contains(UInt8(ascii: "T")), let time = CivilTime.parse(bytes),
      time.hasTime, time.hasZone
    else { return nil }
    return ColumnEvidence.kinds(of: time)
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

  /// Appends a value that is no array or object, or the text of one.
  /// - Parameter anyScalar: whether a string column takes the texts of other values.
  /// - Returns: why it does not fit; nil when it was appended.
  @inline(__always) static func append<Sink: ValueSink>(_ token: JSONToken, to sink: inout Sink, anyScalar: Bool) -> Problem? {
    if token.kind == .null {
      sink.appendNull()
      return nil
    }
    if token.isString {
      if sink.type == .string && token.kind == .string && UTF8Text.isASCII(token.bytes) {
        sink.append(bytes: token.bytes)
        return nil
      }
      if token.kind == .string && UTF8Text.isASCII(token.bytes) {
        return append(string: token.bytes, to: &sink, isTyped: !anyScalar) ? nil : mismatch(token, sink.type)
      }
      guard let text = plain(token) else { return Problem(kind: .malformed, text: "the string has a bad escape or is not valid UTF-8") }
      return text.withUnsafeBytes { append(string: $0, to: &sink, isTyped: !anyScalar) } ? nil : mismatch(token, sink.type)
    }
    if sink.type == .string && anyScalar {
      guard UTF8Text.isValid(token.bytes) else { return Problem(kind: .malformed, text: "the value is not valid UTF-8") }
      sink.append(bytes: token.bytes)
      return nil
    }
    return append(scalar: token, to: &sink) ? nil : mismatch(token, sink.type)
  }

  /// Whether float64 would change a number (`ColumnEvidence.isNarrowed`).
  static func isNarrowed(_ token: JSONToken) -> Bool {
    // Sixteen digits are the first that may be no double.
    guard token.bytes.count >= 16, token.kind == .float || token.kind == .integer else { return false }
    return TextNumbers.double(token.bytes).map { WholeNumber.isRounded(token.bytes, to: $0) } ?? false
  }

  static func mismatch(_ token: JSONToken, _ type: DataType) -> Problem {
    let found = token.isString ? TextError.quoted(token.bytes) : TextError.shortened(token.bytes)
    return Problem(kind: .badCell, text: "expected \(type), found \(found)")
  }

  /// - Parameter isTyped: the type was asked for. Integers may be strings then, since JSON of other languages loses digits.
  private static func append<Sink: ValueSink>(string: UnsafeRawBufferPointer, to sink: inout Sink, isTyped: Bool) -> Bool {
    switch sink.type {
    case .int8 where isTyped: return append(WholeNumber.parse(string, as: Int8.self), &sink)
    case .int16 where isTyped: return append(WholeNumber.parse(string, as: Int16.self), &sink)
    case .int32 where isTyped: return append(WholeNumber.parse(string, as: Int32.self), &sink)
    case .int64 where isTyped: return append(WholeNumber.parse(string, as: Int64.self), &sink)
    case .uint8 where isTyped: return append(WholeNumber.parse(string, as: UInt8.self), &sink)
    case .uint16 where isTyped: return append(WholeNumber.parse(string, as: UInt16.self), &sink)
    case .uint32 where isTyped: return append(WholeNumber.parse(string, as: UInt32.self), &sink)
    case .uint64 where isTyped: return append(WholeNumber.parse(string, as: UInt64.self), &sink)
    case .string: sink.append(bytes: string)
    case .binary:
      guard let bytes = Base64.decode(string) else { return false }
      bytes.withUnsafeBytes { sink.append(bytes: $0) }
    case .fixedBinary(let width):
      guard let bytes = Base64.decode(string), bytes.count == width else { return false }
      bytes.withUnsafeBytes { sink.append(fixed: $0) }
    case .decimal(let precision, let scale):
      return append(NumberText.parseDecimal(string, precision: precision, scale: scale), &sink)
    case .date: return append(CivilTime.parseDate(string), &sink)
    case .time(let unit):
      guard let ticks = TimeOfDay.parse(string, unit) else { return false }
      if sink.type.byteWidth == 8 { sink.append(ticks) } else { return append(Int32(exactly: ticks), &sink) }
    case .timestamp(let unit, _): return append(TextTimes.ticks(string, unit), &sink)
    case .float64: return append(nonFinite(string), &sink)
    case .float32: return append(nonFinite(string).map { Float($0) }, &sink)
    case .float16: return append(nonFinite(string).map { Float16($0) }, &sink)
    default: return false
    }
    return true
  }

  private static func append<Sink: ValueSink>(scalar token: JSONToken, to sink: inout Sink) -> Bool {
    if token.kind == .bool {
      guard sink.type == .bool else { return false }
      sink.append(bool: token.bytes[0] == UInt8(ascii: "t"))
      return true
    }
    if token.isNested { return false }
    switch sink.type {
    case .int8: return append(integer(token, Int8.self), &sink)
    case .int16: return append(integer(token, Int16.self), &sink)
    case .int32: return append(integer(token, Int32.self), &sink)
    case .int64, .duration: return append(integer(token, Int64.self), &sink)
    case .uint8: return append(integer(token, UInt8.self), &sink)
    case .uint16: return append(integer(token, UInt16.self), &sink)
    case .uint32: return append(integer(token, UInt32.self), &sink)
    case .uint64: return append(integer(token, UInt64.self), &sink)
    case .float16: return append(TextNumbers.half(token.bytes), &sink)
    case .float32: return append(TextNumbers.float(token.bytes), &sink)
    case .float64: return append(TextNumbers.double(token.bytes), &sink)
    case .decimal(let precision, let scale):
      return append(NumberText.parseDecimal(token.bytes, precision: precision, scale: scale), &sink)
    default: return false
    }
  }

  @inline(__always) private static func append<Value: BitwiseCopyable, Sink: ValueSink>(_ value: Value?, _ sink: inout Sink) -> Bool {
    guard let value else { return false }
    sink.append(value)
    return true
  }

  /// An integer of this width; numbers with point or exponent count when they are whole, as some writers know no integers.
  @inline(__always) private static func integer<Value: FixedWidthInteger>(_ token: JSONToken, _: Value.Type) -> Value? {
    if token.kind == .integer {
      if let value = TextNumbers.integer(token.bytes) { return Value(exactly: value) }
      return NumberText.parseUInt64(token.bytes).flatMap { Value(exactly: $0) }
    }
    return WholeNumber.parse(token.bytes, as: Value.self)
  }
}
