import Columns

/// How the stored values of a flat column become the values in memory.
enum Conversion: Hashable, Sendable {
  /// Stored as in memory, 4 or 8 bytes each.
  case identity(byteWidth: Int)
  /// The low byte or two of an INT32.
  case narrow(byteWidth: Int)
  case decimalFrom32
  case decimalFrom64
  /// Big-endian two's complement of a fixed length.
  case decimalFromFixed(byteCount: Int)
  case decimalFromBytes
  case timestampFrom96
  case floatFrom16
  case bool
  case bytes
  case bytesFromFixed(byteCount: Int)
}

/// A flat column of a file: its field, and how it is stored.
struct ColumnShape: Sendable {
  let field: Field
  let physicalType: PhysicalType
  /// The bytes of a FIXED_LEN_BYTE_ARRAY, else 0.
  let fixedByteCount: Int
  let conversion: Conversion
  var isOptional: Bool { field.isNullable }

  /// Bytes of a value in plain encoding; nil where it varies or is a bit.
  var plainByteWidth: Int? {
    switch physicalType {
    case .boolean, .byteArray: nil
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .fixedLengthByteArray: fixedByteCount
    }
  }

  init(_ element: SchemaElement) throws(ParquetError) {
    let name = element.name
    guard element.childCount == 0, let physical = element.type else {
      throw .unsupported("Cannot read column \(name): it is nested, only flat columns are supported")
    }
    guard element.repetition != .repeated else {
      throw .unsupported("Cannot read column \(name): it is repeated, only flat columns are supported")
    }
    let length = Int(element.typeLength ?? 0)
    guard physical != .fixedLengthByteArray || (1...(1 << 20)).contains(length) else {
      throw .malformed("Cannot read column \(name): it has values of \(length) bytes, expected 1 to 1048576")
    }
    physicalType = physical
    fixedByteCount = physical == .fixedLengthByteArray ? length : 0
    let type: DataType
    (type, conversion) = try Self.types(element, physical, length)
    field = Field(name, type, isNullable: element.repetition == .optional, id: element.fieldID)
  }

  private static func types(
    _ element: SchemaElement, _ physical: PhysicalType, _ length: Int
  ) throws(ParquetError) -> (DataType, Conversion) {
    let logical = element.logicalType ?? inherited(element)
    switch (logical, physical) {
    case (.time?, .int32), (.time?, .int64):
      throw .unsupported("Cannot read column \(element.name): times of day are not supported")
    case (.decimal(let scale, let precision)?, _):
      return try decimal(element.name, physical, length, precision: Int(precision), scale: Int(scale))
    case (.date?, .int32): return (.date, .identity(byteWidth: 4))
    case (.timestamp(let isAdjusted, let unit)?, .int64):
      let zone = isAdjusted ? "UTC" : nil
      let ticks: TimeUnit =
        switch unit {
        case .millis: .millisecond
        case .micros: .microsecond
        case .nanos: .nanosecond
        }
      return (.timestamp(ticks, zone: zone), .identity(byteWidth: 8))
    case (.integer(let bitWidth, let isSigned)?, .int32):
      switch bitWidth {
      case 8: return (isSigned ? .int8 : .uint8, .narrow(byteWidth: 1))
      case 16: return (isSigned ? .int16 : .uint16, .narrow(byteWidth: 2))
      default: return (isSigned ? .int32 : .uint32, .identity(byteWidth: 4))
      }
    case (.integer(_, let isSigned)?, .int64): return (isSigned ? .int64 : .uint64, .identity(byteWidth: 8))
    case (.string?, .byteArray), (.enum?, .byteArray), (.json?, .byteArray): return (.string, .bytes)
    case (.float16?, .fixedLengthByteArray) where length == 2: return (.float32, .floatFrom16)
    default: break
    }
    return switch physical {
    case .boolean: (.bool, .bool)
    case .int32: (.int32, .identity(byteWidth: 4))
    case .int64: (.int64, .identity(byteWidth: 8))
    case .int96: (.timestamp(.nanosecond, zone: nil), .timestampFrom96)
    case .float: (.float32, .identity(byteWidth: 4))
    case .double: (.float64, .identity(byteWidth: 8))
    case .byteArray: (.binary, .bytes)
    case .fixedLengthByteArray: (.binary, .bytesFromFixed(byteCount: length))
    }
  }

  private static func decimal(
    _ name: String, _ physical: PhysicalType, _ length: Int, precision: Int, scale: Int
  ) throws(ParquetError) -> (DataType, Conversion) {
    guard precision >= 1, scale >= 0, scale <= precision else {
      throw .malformed("Cannot read column \(name): a decimal of precision \(precision) and scale \(scale) is not possible")
    }
    guard precision <= 38 else {
      throw .unsupported("Cannot read column \(name): a decimal of precision \(precision) is too wide, 38 digits are supported")
    }
    let type = DataType.decimal(precision: precision, scale: scale)
    switch physical {
    case .int32: return (type, .decimalFrom32)
    case .int64: return (type, .decimalFrom64)
    case .fixedLengthByteArray: return (type, .decimalFromFixed(byteCount: length))
    case .byteArray: return (type, .decimalFromBytes)
    default: throw .malformed("Cannot read column \(name): a decimal cannot be stored as \(physical)")
    }
  }

  /// The logical type that a converted type of older writers means; their timestamps are UTC.
  private static func inherited(_ element: SchemaElement) -> LogicalType? {
    switch element.convertedType {
    case nil, .map?, .mapKeyValue?, .list?, .interval?: nil
    case .utf8?: .string
    case .enum?: .enum
    case .decimal?: .decimal(scale: element.scale ?? 0, precision: element.precision ?? 0)
    case .date?: .date
    case .timeMillis?, .timeMicros?: .time
    case .timestampMillis?: .timestamp(isAdjustedToUTC: true, unit: .millis)
    case .timestampMicros?: .timestamp(isAdjustedToUTC: true, unit: .micros)
    case .uint8?: .integer(bitWidth: 8, isSigned: false)
    case .uint16?: .integer(bitWidth: 16, isSigned: false)
    case .uint32?: .integer(bitWidth: 32, isSigned: false)
    case .uint64?: .integer(bitWidth: 64, isSigned: false)
    case .int8?: .integer(bitWidth: 8, isSigned: true)
    case .int16?: .integer(bitWidth: 16, isSigned: true)
    case .int32?: .integer(bitWidth: 32, isSigned: true)
    case .int64?: .integer(bitWidth: 64, isSigned: true)
    case .json?: .json
    case .bson?: .bson
    }
  }
}
