import Columns

/// Writes the tables of Schema.fbs.
enum SchemaEncoder {
  /// - Parameter dictionaryColumns: the fields whose arrays are indices into the dictionary of the same number.
  static func schema(_ schema: Schema, dictionaryColumns: Set<Int>) -> [FlatSlot] {
    let fields = schema.fields.enumerated().map { index, field in
      Self.field(field, dictionary: dictionaryColumns.contains(index) ? Int64(index) : nil)
    }
    return [FlatSlot(1, .tables(fields))]
  }

  private static func field(_ field: Field, dictionary: Int64? = nil) -> [FlatSlot] {
    let (tag, parameters) = type(field.type)
    var children = field.type.childFields
    // Arrow's name for the structure of a map's key and value.
    if case .map = field.type { children[0].name = "entries" }
    var slots = [
      FlatSlot(0, .string(field.name)), FlatSlot(1, .bool(field.isNullable)), FlatSlot(2, .uint8(tag)), FlatSlot(3, .table(parameters)),
      FlatSlot(5, .tables(children.map { Self.field($0) })),
    ]
    if let dictionary {
      slots.append(FlatSlot(4, .table([FlatSlot(0, .int64(dictionary)), FlatSlot(1, .table(integer(32, isSigned: true)))])))
    }
    return slots
  }

  private static func integer(_ bitWidth: Int32, isSigned: Bool) -> [FlatSlot] {
    [FlatSlot(0, .int32(bitWidth)), FlatSlot(1, .bool(isSigned))]
  }

  private static func unit(_ unit: TimeUnit) -> FlatSlot {
    switch unit {
    case .second: FlatSlot(0, .int16(0))
    case .millisecond: FlatSlot(0, .int16(1))
    case .microsecond: FlatSlot(0, .int16(2))
    case .nanosecond: FlatSlot(0, .int16(3))
    }
  }

  /// The member of the union `Type`, and its table.
  private static func type(_ type: DataType) -> (UInt8, [FlatSlot]) {
    switch type {
    case .bool: return (6, [])
    case .int8: return (2, integer(8, isSigned: true))
    case .int16: return (2, integer(16, isSigned: true))
    case .int32: return (2, integer(32, isSigned: true))
    case .int64: return (2, integer(64, isSigned: true))
    case .uint8: return (2, integer(8, isSigned: false))
    case .uint16: return (2, integer(16, isSigned: false))
    case .uint32: return (2, integer(32, isSigned: false))
    case .uint64: return (2, integer(64, isSigned: false))
    case .float16: return (3, [FlatSlot(0, .int16(0))])
    case .float32: return (3, [FlatSlot(0, .int16(1))])
    case .float64: return (3, [FlatSlot(0, .int16(2))])
    case .decimal(let precision, let scale):
      return (7, [FlatSlot(0, .int32(Int32(precision))), FlatSlot(1, .int32(Int32(scale))), FlatSlot(2, .int32(128))])
    case .string: return (20, [])
    case .binary: return (19, [])
    case .fixedBinary(let byteWidth): return (15, [FlatSlot(0, .int32(Int32(byteWidth)))])
    case .date: return (8, [FlatSlot(0, .int16(0))])
    case .time(let unit): return (9, [Self.unit(unit), FlatSlot(1, .int32(Int32(type.byteWidth ?? 8) * 8))])
    case .timestamp(let unit, let zone): return (10, [Self.unit(unit)] + (zone.map { [FlatSlot(1, .string($0))] } ?? []))
    case .duration(let unit): return (18, [Self.unit(unit)])
    case .list: return (21, [])
    case .map: return (17, [FlatSlot(0, .bool(false))])
    case .structure: return (13, [])
    }
  }
}
