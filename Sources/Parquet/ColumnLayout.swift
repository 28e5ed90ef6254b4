import Columns

/// How a field is stored by the writer.
struct ColumnLayout: Sendable {
  /// The order of values in statistics (TYPE_ORDER of parquet.thrift).
  enum Order: Sendable { case signed, unsigned, float, bytes }

  let field: Field
  let physicalType: PhysicalType
  let order: Order
  let converted: ConvertedType?
  let logical: LogicalType?

  /// Decimals beyond 18 digits: every precision up to 38 fits.
  static let decimalByteCount = 16

  init(_ field: Field) {
    self.field = field
    switch field.type {
    case .bool: (physicalType, order, converted, logical) = (.boolean, .unsigned, nil, nil)
    case .int8: (physicalType, order, converted, logical) = (.int32, .signed, .int8, .integer(bitWidth: 8, isSigned: true))
    case .int16: (physicalType, order, converted, logical) = (.int32, .signed, .int16, .integer(bitWidth: 16, isSigned: true))
    case .int32: (physicalType, order, converted, logical) = (.int32, .signed, nil, nil)
    case .int64: (physicalType, order, converted, logical) = (.int64, .signed, nil, nil)
    case .uint8: (physicalType, order, converted, logical) = (.int32, .unsigned, .uint8, .integer(bitWidth: 8, isSigned: false))
    case .uint16: (physicalType, order, converted, logical) = (.int32, .unsigned, .uint16, .integer(bitWidth: 16, isSigned: false))
    case .uint32: (physicalType, order, converted, logical) = (.int32, .unsigned, .uint32, .integer(bitWidth: 32, isSigned: false))
    case .uint64: (physicalType, order, converted, logical) = (.int64, .unsigned, .uint64, .integer(bitWidth: 64, isSigned: false))
    case .float32: (physicalType, order, converted, logical) = (.float, .float, nil, nil)
    case .float64: (physicalType, order, converted, logical) = (.double, .float, nil, nil)
    case .decimal(let precision, let scale):
      physicalType = precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLengthByteArray
      order = .signed
      converted = .decimal
      logical = .decimal(scale: Int32(scale), precision: Int32(precision))
    case .string: (physicalType, order, converted, logical) = (.byteArray, .bytes, .utf8, .string)
    case .binary: (physicalType, order, converted, logical) = (.byteArray, .bytes, nil, nil)
    case .date: (physicalType, order, converted, logical) = (.int32, .signed, .date, .date)
    case .timestamp(let unit, let zone):
      (physicalType, order) = (.int64, .signed)
      // The old types always meant UTC, and know no nanoseconds.
      switch unit {
      case .second, .millisecond:
        converted = zone != nil ? .timestampMillis : nil
        logical = .timestamp(isAdjustedToUTC: zone != nil, unit: .millis)
      case .microsecond:
        converted = zone != nil ? .timestampMicros : nil
        logical = .timestamp(isAdjustedToUTC: zone != nil, unit: .micros)
      case .nanosecond:
        converted = nil
        logical = .timestamp(isAdjustedToUTC: zone != nil, unit: .nanos)
      }
    default: preconditionFailure("The writer has no layout for \(field.type)")
    }
  }
}
