import Columns

/// How the stored values of a leaf column become the values in memory.
enum Conversion: Hashable, Sendable {
  /// Stored as in memory, so many bytes each.
  case identity(byteWidth: Int)
  /// The low byte or two of an INT32.
  case narrow(byteWidth: Int)
  case decimalFrom32
  case decimalFrom64
  /// Big-endian two's complement of a fixed length.
  case decimalFromFixed(byteCount: Int)
  case decimalFromBytes
  case nanosFrom96
  case microsFrom96
  /// A count of ticks in 12 bytes, little-endian two's complement.
  case ticksFrom12
  /// Nanoseconds in 12 bytes as microseconds, floored.
  case microsFrom12
  case bool
  case bytes
}

/// The levels of a node of the schema (parquet-format/README.md, "Nested Encoding").
struct NodeLevels: Hashable, Sendable {
  /// From this definition level on the node itself is not null.
  var definition = 0
  /// The number of repeated nodes from the root to this node.
  var repetition = 0
  /// From this definition level on the innermost list above has an element here; below it there is no row of this node.
  var slot = 0

  /// The levels of the elements of a list at these levels.
  var element: NodeLevels { NodeLevels(definition: definition + 1, repetition: repetition + 1, slot: definition + 1) }
}

/// A leaf column of a file: its field, how it is stored, and where it stands in the schema.
struct ColumnShape: Sendable {
  let field: Field
  /// The names from the root, joined by points.
  let path: String
  let physicalType: PhysicalType
  /// The bytes of a FIXED_LEN_BYTE_ARRAY, else 0.
  let fixedByteCount: Int
  let conversion: Conversion
  let levels: NodeLevels
  /// Whether the leaf is a column of its own: neither in a list nor in a structure.
  let isFlat: Bool
  var isOptional: Bool { field.isNullable }

  /// Whether the file may hold nanoseconds that 64 bits do not.
  var hasWideNanoseconds: Bool {
    switch conversion {
    case .nanosFrom96: true
    case .ticksFrom12: if case .timestamp(.nanosecond, _) = field.type { true } else { false }
    default: false
    }
  }

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

  /// - Throws: `.malformed` when the element describes no column.
  init(
    _ element: SchemaElement, path: String, levels: NodeLevels, isNullable: Bool, isFlat: Bool, hints: TypeHints, arrow: ArrowHint?
  ) throws(ParquetError) {
    guard let physical = element.type else { throw .malformed("Cannot read column \(path): it is a group without columns") }
    let length = Int(element.typeLength ?? 0)
    guard physical != .fixedLengthByteArray || (1...(1 << 20)).contains(length) else {
      throw .malformed("Cannot read column \(path): it has values of \(length) bytes, expected 1 to 1048576")
    }
    self.path = path
    self.levels = levels
    self.isFlat = isFlat
    physicalType = physical
    fixedByteCount = physical == .fixedLengthByteArray ? length : 0
    var type: DataType
    do {
      (type, conversion) = try LeafTypes.types(element, physical, length, hints)
    } catch {
      throw error.within("Cannot read column \(path)")
    }
    if let arrow { type = LeafTypes.refined(type, element, arrow) }
    field = Field(element.name, type, isNullable: isNullable, id: element.fieldID)
  }
}
