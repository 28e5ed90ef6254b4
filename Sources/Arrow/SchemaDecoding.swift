import Columns

/// Reads the `Schema` table of Arrow's Schema.fbs.
struct SchemaDecoder {
  /// Fields left to read: a schema cannot have more than it has bytes for, however its offsets are entwined.
  private var fieldBudget: Int
  /// Bytes of names and zones left to copy: many fields may refer to one long string.
  private var textBudget: Int
  /// Deeper nesting is refused: every level costs stack here and in each consumer.
  private static let depthMax = 64

  init(metadataByteCount: Int) {
    fieldBudget = metadataByteCount / 4
    // Names that are written once for all their fields are short: a field takes more bytes itself.
    textBudget = metadataByteCount * 16
  }

  mutating func fields(of schema: FlatTable) throws(ArrowError) -> [ArrowField] {
    guard try schema.scalar(0, default: Int16(0)) == 0 else {
      throw .unsupported("the schema is big-endian, only little-endian data can be read")
    }
    return try fields(try schema.tables(1), depth: 0)
  }

  private mutating func fields(_ tables: FlatTable.FlatTables, depth: Int) throws(ArrowError) -> [ArrowField] {
    guard depth < Self.depthMax else { throw .unsupported("fields are nested deeper than \(Self.depthMax) levels") }
    guard tables.count <= fieldBudget else { throw .malformed("the schema has more fields than its bytes can hold") }
    fieldBudget -= tables.count
    var result: [ArrowField] = []
    result.reserveCapacity(tables.count)
    for index in 0..<tables.count { result.append(try field(try tables.table(at: index), depth: depth)) }
    return result
  }

  private mutating func field(_ table: FlatTable, depth: Int) throws(ArrowError) -> ArrowField {
    let name = try table.string(0) ?? ""
    textBudget -= name.utf8.count
    guard textBudget >= 0 else { throw .malformed("the names of the fields take more bytes than the schema can hold") }
    do throws(ArrowError) {
      let children = try fields(try table.tables(5), depth: depth + 1)
      let tag = try table.scalar(2, default: UInt8(0))
      // Zones are copied too, and belong to the same account.
      if tag == 10 { textBudget -= try table.table(3)?.vector(1, elementByteCount: 1)?.count ?? 0 }
      guard let parameters = try table.table(3) else { throw ArrowError.malformed("the type has no parameters") }
      return try ArrowField(
        name: name, isNullable: try table.bool(1), tag: tag, parameters: parameters, children: children,
        dictionary: try dictionary(of: table))
    } catch {
      throw error.within("field \(name)")
    }
  }

  private func dictionary(of field: FlatTable) throws(ArrowError) -> DictionaryEncoding? {
    guard let table = try field.table(4) else { return nil }
    var bitWidth: Int32 = 32
    var isSigned = true
    if let index = try table.table(1) {
      bitWidth = try index.scalar(0, default: Int32(0))
      isSigned = try index.bool(1)
    }
    guard [8, 16, 32, 64].contains(bitWidth) else { throw .malformed("dictionary indices of \(bitWidth) bits") }
    return DictionaryEncoding(id: try table.scalar(0, default: Int64(0)), byteWidth: Int(bitWidth) / 8, isSigned: isSigned)
  }
}

extension ArrowField {
  /// - Parameters:
  ///   - tag: which member of the union `Type` of Schema.fbs `parameters` is.
  init(
    name: String, isNullable: Bool, tag: UInt8, parameters: FlatTable, children: [ArrowField], dictionary: DictionaryEncoding?
  ) throws(ArrowError) {
    let (layout, type) = try Self.layout(tag: tag, parameters, children)
    // Nothing but nulls can lie in a column of the type null.
    self.init(name: name, isNullable: isNullable || layout == .null, layout: layout, type: type, children: children, dictionary: dictionary)
  }

  private static func layout(
    tag: UInt8, _ table: FlatTable, _ children: [ArrowField]
  ) throws(ArrowError) -> (ArrowLayout, DataType) {
    switch tag {
    case 1: return (.null, .int32)
    case 2: return try integer(bitWidth: try table.scalar(0, default: Int32(0)), isSigned: try table.bool(1))
    case 3: return try float(precision: try table.scalar(0, default: Int16(0)))
    case 4: return (.bytes(isText: false, isLarge: false), .binary)
    case 5: return (.bytes(isText: true, isLarge: false), .string)
    case 6: return (.bool, .bool)
    case 7:
      return try decimal(
        precision: Int(try table.scalar(0, default: Int32(0))), scale: Int(try table.scalar(1, default: Int32(0))),
        bitWidth: Int(try table.scalar(2, default: Int32(128))))
    case 8:
      return try table.scalar(0, default: Int16(1)) == 0 ? (.fixed(byteWidth: 4), .date) : (.dateMillis, .date)
    case 9:
      return try time(try unit(try table.scalar(0, default: Int16(1))), bitWidth: Int(try table.scalar(1, default: Int32(32))))
    case 10:
      let zone = try table.string(1)
      return (.fixed(byteWidth: 8), .timestamp(try unit(try table.scalar(0, default: Int16(0))), zone: zone == "" ? nil : zone))
    case 11: throw .unsupported("calendar intervals cannot be read")
    case 14: throw .unsupported("unions cannot be read")
    case 15: return try fixedBinary(byteWidth: Int(try table.scalar(0, default: Int32(0))))
    case 16: return try fixedList(elementCount: Int(try table.scalar(0, default: Int32(0))), children)
    case 18: return (.fixed(byteWidth: 8), .duration(try unit(try table.scalar(0, default: Int16(1)))))
    case 19: return (.bytes(isText: false, isLarge: true), .binary)
    case 20: return (.bytes(isText: true, isLarge: true), .string)
    case 23: return (.view(isText: false), .binary)
    case 24: return (.view(isText: true), .string)
    default: return try nested(tag: tag, children)
    }
  }

  private static func nested(tag: UInt8, _ children: [ArrowField]) throws(ArrowError) -> (ArrowLayout, DataType) {
    switch tag {
    case 12: return (.list(isLarge: false), try list(children))
    case 13: return (.structure, .structure(children.map(\.field)))
    case 17: return (.map, try map(children))
    case 21: return (.list(isLarge: true), try list(children))
    case 22: return (.runEndEncoded, try runEndEncoded(children))
    case 25: return (.listView(isLarge: false), try list(children))
    case 26: return (.listView(isLarge: true), try list(children))
    default: throw .unsupported("type number \(tag) of Schema.fbs is unknown")
    }
  }

  static func unit(_ code: Int16) throws(ArrowError) -> TimeUnit {
    switch code {
    case 0: return .second
    case 1: return .millisecond
    case 2: return .microsecond
    case 3: return .nanosecond
    default: throw .malformed("time unit number \(code) is unknown")
    }
  }

  private static func integer(bitWidth: Int32, isSigned: Bool) throws(ArrowError) -> (ArrowLayout, DataType) {
    switch (bitWidth, isSigned) {
    case (8, true): return (.fixed(byteWidth: 1), .int8)
    case (16, true): return (.fixed(byteWidth: 2), .int16)
    case (32, true): return (.fixed(byteWidth: 4), .int32)
    case (64, true): return (.fixed(byteWidth: 8), .int64)
    case (8, false): return (.fixed(byteWidth: 1), .uint8)
    case (16, false): return (.fixed(byteWidth: 2), .uint16)
    case (32, false): return (.fixed(byteWidth: 4), .uint32)
    case (64, false): return (.fixed(byteWidth: 8), .uint64)
    default: throw .malformed("integers of \(bitWidth) bits")
    }
  }

  private static func float(precision: Int16) throws(ArrowError) -> (ArrowLayout, DataType) {
    switch precision {
    case 0: return (.fixed(byteWidth: 2), .float16)
    case 1: return (.fixed(byteWidth: 4), .float32)
    case 2: return (.fixed(byteWidth: 8), .float64)
    default: throw .malformed("floating-point precision number \(precision) is unknown")
    }
  }

  /// Decimals have 1 to 38 digits and a scale from 0 to their precision here: others are widened to such, where they fit.
  static func decimal(precision: Int, scale: Int, bitWidth: Int) throws(ArrowError) -> (ArrowLayout, DataType) {
    guard let precisionMax = [32: 9, 64: 18, 128: 38, 256: 76][bitWidth], (1...precisionMax).contains(precision) else {
      throw .malformed("decimals of \(bitWidth) bits and precision \(precision)")
    }
    guard (-38...38).contains(scale) else { throw .unsupported("decimals of scale \(scale), expected -38 to 38") }
    let shift = max(0, -scale)
    let digits = precision + shift
    guard bitWidth == 256 || digits <= 38 else { throw .unsupported("decimals of \(digits) digits, expected at most 38") }
    return (.decimal(bitWidth: bitWidth, shift: shift), .decimal(precision: min(38, max(digits, scale)), scale: max(0, scale)))
  }

  static func time(_ unit: TimeUnit, bitWidth: Int) throws(ArrowError) -> (ArrowLayout, DataType) {
    guard let byteWidth = DataType.time(unit).byteWidth, byteWidth * 8 == bitWidth else {
      throw .malformed("times in \(unit.rawValue) of \(bitWidth) bits")
    }
    return (.fixed(byteWidth: byteWidth), .time(unit))
  }

  static func fixedBinary(byteWidth: Int) throws(ArrowError) -> (ArrowLayout, DataType) {
    guard byteWidth > 0 else { throw .unsupported("binary values of \(byteWidth) bytes, expected at least 1") }
    return (.fixed(byteWidth: byteWidth), .fixedBinary(byteWidth: byteWidth))
  }

  static func fixedList(elementCount: Int, _ children: [ArrowField]) throws(ArrowError) -> (ArrowLayout, DataType) {
    guard elementCount >= 0 else { throw .malformed("lists of \(elementCount) elements") }
    return (.fixedList(elementCount: elementCount), try list(children))
  }

  static func list(_ children: [ArrowField]) throws(ArrowError) -> DataType {
    guard children.count == 1 else { throw .malformed("a list with \(children.count) child fields, expected 1") }
    return .list(children[0].field)
  }

  static func map(_ children: [ArrowField]) throws(ArrowError) -> DataType {
    guard children.count == 1, children[0].layout == .structure, children[0].dictionary == nil, children[0].children.count == 2 else {
      throw .malformed("a map's child is not a structure of key and value")
    }
    let (key, value) = (children[0].children[0].field, children[0].children[1].field)
    return .map(key: Field(key.name, key.type, isNullable: false), value: value)
  }

  static func runEndEncoded(_ children: [ArrowField]) throws(ArrowError) -> DataType {
    guard children.count == 2, children[0].dictionary == nil, [.int16, .int32, .int64].contains(children[0].type),
      case .fixed = children[0].layout
    else { throw .malformed("a run-end encoded field needs two children, of which the first are int16, int32 or int64 ends") }
    return children[1].type
  }
}
