import Columns

/// What a file says about its types outside of its schema.
struct TypeHints: Sendable {
  /// INT96 has no unit, and as nanoseconds of 12 bytes reaches further than 64 bits. Spark keeps microseconds in it, over years that nanoseconds in 64 bits cannot reach.
  var hasMicrosecondInt96 = false
  /// By position of the top-level fields.
  var arrow: [(name: String, hint: ArrowHint?)] = []

  init(_ keyValues: [String: String], hasMicrosecondInt96: Bool = false) {
    self.hasMicrosecondInt96 = hasMicrosecondInt96 || keyValues["org.apache.spark.version"] != nil
    if let text = keyValues["ARROW:schema"] { arrow = ArrowSchemaHint.hints(base64: text) }
  }
}

/// The logical types of leaf columns.
///
/// Source: parquet-format/LogicalTypes.md. An annotation that is unknown, or that does not fit the stored type, is left
/// aside, and the stored type decides.
enum LeafTypes {
  static func types(
    _ element: SchemaElement, _ physical: PhysicalType, _ length: Int, _ hints: TypeHints
  ) throws(ParquetError) -> (DataType, Conversion) {
    let logical = element.logicalType ?? inherited(element)
    switch (logical, physical) {
    case (.decimal(let scale, let precision)?, _):
      return try decimal(physical, length, precision: Int(precision), scale: Int(scale))
    case (.date?, .int32): return (.date, .identity(byteWidth: 4))
    case (.time(_, .millis)?, .int32): return (.time(.millisecond), .identity(byteWidth: 4))
    case (.time(_, .micros)?, .int64): return (.time(.microsecond), .identity(byteWidth: 8))
    case (.time(_, .nanos)?, .int64): return (.time(.nanosecond), .identity(byteWidth: 8))
    case (.timestamp(let isAdjusted, let unit)?, .int64):
      return (.timestamp(ticks(unit), zone: isAdjusted ? "UTC" : nil), .identity(byteWidth: 8))
    case (.timestamp(let isAdjusted, let unit)?, .fixedLengthByteArray) where length == 12:
      let zone = isAdjusted ? "UTC" : nil
      if unit == .nanos && hints.hasMicrosecondInt96 { return (.timestamp(.microsecond, zone: zone), .microsFrom12) }
      return (.timestamp(ticks(unit), zone: zone), .ticksFrom12)
    case (.integer(let bitWidth, let isSigned)?, .int32):
      switch bitWidth {
      case 8: return (isSigned ? .int8 : .uint8, .narrow(byteWidth: 1))
      case 16: return (isSigned ? .int16 : .uint16, .narrow(byteWidth: 2))
      case 32: return (isSigned ? .int32 : .uint32, .identity(byteWidth: 4))
      default: break
      }
    case (.integer(64, let isSigned)?, .int64): return (isSigned ? .int64 : .uint64, .identity(byteWidth: 8))
    case (.string?, .byteArray), (.enum?, .byteArray), (.json?, .byteArray): return (.string, .bytes)
    case (.float16?, .fixedLengthByteArray) where length == 2: return (.float16, .identity(byteWidth: 2))
    default: break
    }
    return switch physical {
    case .boolean: (.bool, .bool)
    case .int32: (.int32, .identity(byteWidth: 4))
    case .int64: (.int64, .identity(byteWidth: 8))
    case .int96:
      hints.hasMicrosecondInt96
        ? (.timestamp(.microsecond, zone: nil), .microsFrom96) : (.timestamp(.nanosecond, zone: nil), .nanosFrom96)
    case .float: (.float32, .identity(byteWidth: 4))
    case .double: (.float64, .identity(byteWidth: 8))
    case .byteArray: (.binary, .bytes)
    case .fixedLengthByteArray: (.fixedBinary(byteWidth: length), .identity(byteWidth: length))
    }
  }

  /// The type of a top-level column that Arrow's schema says more about.
  static func refined(_ type: DataType, _ element: SchemaElement, _ hint: ArrowHint) -> DataType {
    switch (type, hint) {
    case (.timestamp(let unit, zone: .some), .zone(let zone)): .timestamp(unit, zone: zone)
    case (.int64, .duration(let unit)) where element.logicalType == nil && element.convertedType == nil: .duration(unit)
    default: type
    }
  }

  private static func ticks(_ unit: LogicalType.Unit) -> TimeUnit {
    switch unit {
    case .millis: .millisecond
    case .micros: .microsecond
    case .nanos: .nanosecond
    }
  }

  private static func decimal(
    _ physical: PhysicalType, _ length: Int, precision: Int, scale: Int
  ) throws(ParquetError) -> (DataType, Conversion) {
    guard precision >= 1, scale >= 0, scale <= precision else {
      throw .malformed("a decimal of precision \(precision) and scale \(scale) is not possible")
    }
    // Wider types are read where their values have 38 digits at most, which is checked value by value.
    guard scale <= 38 else { throw .unsupported("a decimal of scale \(scale) is too fine, 38 digits are supported") }
    let type = DataType.decimal(precision: min(38, precision), scale: scale)
    switch physical {
    case .int32: return (type, .decimalFrom32)
    case .int64: return (type, .decimalFrom64)
    case .fixedLengthByteArray: return (type, .decimalFromFixed(byteCount: length))
    case .byteArray: return (type, .decimalFromBytes)
    default: throw .malformed("a decimal cannot be stored as \(physical)")
    }
  }

  /// The logical type that a converted type of older writers means; their times are UTC.
  private static func inherited(_ element: SchemaElement) -> LogicalType? {
    switch element.convertedType {
    case nil, .map?, .mapKeyValue?, .list?, .interval?: nil
    case .utf8?: .string
    case .enum?: .enum
    case .decimal?: .decimal(scale: element.scale ?? 0, precision: element.precision ?? 0)
    case .date?: .date
    case .timeMillis?: .time(isAdjustedToUTC: true, unit: .millis)
    case .timeMicros?: .time(isAdjustedToUTC: true, unit: .micros)
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
