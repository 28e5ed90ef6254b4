import Columns

/// What a schema element says about its values: the written part of `LogicalType` of parquet.thrift.
enum Annotation: Hashable, Sendable {
  case string, map, list, date, float16
  case decimal(precision: Int, scale: Int)
  case time(TimeUnit)
  case timestamp(TimeUnit, isAdjustedToUTC: Bool)
  case integer(bitWidth: Int, isSigned: Bool)
}

/// How one leaf of the schema is stored by the writer: a flat column, or a part of a nested one that holds values.
struct ColumnLayout: Sendable {
  /// The order of values in statistics (TYPE_ORDER of parquet.thrift).
  enum Order: Sendable { case signed, unsigned, float, bytes }

  /// A nested column on the way down to the leaf, and which of its children leads on.
  struct Step: Sendable {
    let isNullable: Bool
    let child: Int
  }

  let field: Field
  /// The names from the top of the schema tree to the leaf.
  let path: [String]
  /// The index of the top column.
  let column: Int
  /// Empty for a flat column.
  let steps: [Step]
  let definitionMax: Int
  let repetitionMax: Int
  let physicalType: PhysicalType
  /// The bytes of a FIXED_LEN_BYTE_ARRAY, else 0.
  let fixedByteCount: Int
  let order: Order
  let converted: ConvertedType?
  let annotation: Annotation?

  /// Decimals beyond 18 digits: every precision up to 38 fits.
  static let decimalByteCount = 16

  var isFlat: Bool { steps.isEmpty }
  /// How messages and options name the leaf: `price`, `tags.list.element`.
  var name: String { path.joined(separator: ".") }

  /// - Parameter field: of a type without children.
  init(_ field: Field, path: [String]? = nil, column: Int = 0, steps: [Step] = [], definitionMax: Int? = nil, repetitionMax: Int = 0) {
    self.field = field
    self.path = path ?? [field.name]
    self.column = column
    self.steps = steps
    self.definitionMax = definitionMax ?? (field.isNullable ? 1 : 0)
    self.repetitionMax = repetitionMax
    let storage = Storage(field.type)
    physicalType = storage.physicalType
    fixedByteCount = storage.fixedByteCount
    order = storage.order
    converted = storage.converted
    annotation = storage.annotation
  }
}

/// The physical type and the annotations of values.
private struct Storage {
  var physicalType = PhysicalType.int32
  var fixedByteCount = 0
  var order = ColumnLayout.Order.signed
  var converted: ConvertedType?
  var annotation: Annotation?

  init(_ type: DataType) {
    switch type {
    case .bool: (physicalType, order) = (.boolean, .unsigned)
    case .int8: set(integer: 8, isSigned: true, .int8)
    case .int16: set(integer: 16, isSigned: true, .int16)
    case .int32: physicalType = .int32
    // Parquet has no durations: the ticks alone are kept, as other writers do.
    case .int64, .duration: physicalType = .int64
    case .uint8: set(integer: 8, isSigned: false, .uint8)
    case .uint16: set(integer: 16, isSigned: false, .uint16)
    case .uint32: set(integer: 32, isSigned: false, .uint32)
    case .uint64: set(integer: 64, isSigned: false, .uint64)
    case .float16: (physicalType, fixedByteCount, order, annotation) = (.fixedLengthByteArray, 2, .float, .float16)
    case .float32: (physicalType, order) = (.float, .float)
    case .float64: (physicalType, order) = (.double, .float)
    case .decimal(let precision, let scale):
      physicalType = precision <= 9 ? .int32 : precision <= 18 ? .int64 : .fixedLengthByteArray
      if precision > 18 { fixedByteCount = ColumnLayout.decimalByteCount }
      converted = .decimal
      annotation = .decimal(precision: precision, scale: scale)
    case .string: (physicalType, order, converted, annotation) = (.byteArray, .bytes, .utf8, .string)
    case .binary: (physicalType, order) = (.byteArray, .bytes)
    case .fixedBinary(let byteWidth): (physicalType, fixedByteCount, order) = (.fixedLengthByteArray, byteWidth, .bytes)
    case .date: (physicalType, converted, annotation) = (.int32, .date, .date)
    // The old types of times and timestamps always meant UTC, and know no nanoseconds: times of day have no zone here.
    case .time(let unit):
      physicalType = unit == .second || unit == .millisecond ? .int32 : .int64
      annotation = .time(unit == .second ? .millisecond : unit)
    case .timestamp(let unit, let zone):
      physicalType = .int64
      annotation = .timestamp(unit == .second ? .millisecond : unit, isAdjustedToUTC: zone != nil)
      if zone != nil && unit != .nanosecond { converted = unit == .microsecond ? .timestampMicros : .timestampMillis }
    case .list, .map, .structure: preconditionFailure("A column of \(type) is no leaf")
    }
  }

  private mutating func set(integer bitWidth: Int, isSigned: Bool, _ converted: ConvertedType) {
    physicalType = bitWidth == 64 ? .int64 : .int32
    order = isSigned ? .signed : .unsigned
    self.converted = converted
    annotation = .integer(bitWidth: bitWidth, isSigned: isSigned)
  }
}
