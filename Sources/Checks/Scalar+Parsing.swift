import Columns
import JSON

extension Scalar {
  /// A value of `type` from its text in a contract; nil when the text is none, or does not fit the type exactly.
  package init?(parsing text: String, as type: DataType) {
    switch type {
    case .bool:
      guard text == "true" || text == "false" else { return nil }
      self = .bool(text == "true")
    case .int8: self.init(int: Int8(text).map(Int64.init))
    case .int16: self.init(int: Int16(text).map(Int64.init))
    case .int32: self.init(int: Int32(text).map(Int64.init))
    case .int64: self.init(int: Int64(text))
    case .float32:
      guard let value = Self.number(text, NumberText.parseFloat), value.isFinite else { return nil }
      self = .float(value)
    case .float64:
      guard let value = Self.number(text, NumberText.parseDouble), value.isFinite else { return nil }
      self = .double(value)
    case .decimal(let precision, let scale):
      guard let value = Self.decimal(text, precision: precision, scale: scale) else { return nil }
      self = .decimal(value, scale: scale)
    case .string: self = .string(text)
    case .date:
      guard let days = CivilTime.parseDate(text) else { return nil }
      self = .date(days)
    case .timestamp(.microsecond, _):
      guard let micros = CivilTime.parseTimestamp(text) else { return nil }
      self = .timestamp(micros, .microsecond)
    default: return nil
    }
  }

  /// A value of `type` as `ruleJSON` wrote it; nil for anything else.
  init?(ruleJSON json: JSON, as type: DataType) {
    switch (json, type) {
    case (.bool(let value), .bool): self = .bool(value)
    // A double without a fraction is written without a point, and may lie beyond Int64.
    case (.int(let value), _) where type.isInteger || type.isFloat: self.init(parsing: String(value), as: type)
    case (.uint(let value), _) where type.isFloat: self.init(parsing: String(value), as: type)
    case (.double(let value), .float64): self = .double(value)
    case (.double(let value), .float32): self = .float(Float(value))
    case (.string(let text), _) where !type.isInteger && !type.isFloat && type != .bool: self.init(parsing: text, as: type)
    default: return nil
    }
  }

  private init?(int value: Int64?) {
    guard let value else { return nil }
    self = .int(value)
  }

  private static func number<Value>(_ text: String, _ parse: (UnsafeRawBufferPointer) -> Value?) -> Value? {
    var text = text
    return text.withUTF8 { parse(UnsafeRawBufferPointer($0)) }
  }

  private static func decimal(_ text: String, precision: Int, scale: Int) -> Int128? {
    var text = text
    return text.withUTF8 { NumberText.parseDecimal(UnsafeRawBufferPointer($0), precision: precision, scale: scale) }
  }
}
