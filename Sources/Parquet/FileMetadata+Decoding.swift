extension FileMetadata {
  /// - Parameter bytes: the `FileMetaData` structure between the last row group and the footer's length.
  init(decoding bytes: UnsafeRawBufferPointer) throws(ParquetError) {
    var reader = ThriftReader(bytes, subject: "footer")
    var result = FileMetadata()
    try reader.fields { (reader, field) throws(ParquetError) in
      switch field.id {
      case 2:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          result.schema.append(try SchemaElement(&reader, element))
        }
      case 3: result.rowCount = Int(try reader.int64(field))
      case 4:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          result.rowGroups.append(try RowGroupMetadata(&reader, element))
        }
      case 5:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          var key = ""
          var value = ""
          try reader.structure(element) { (reader, field) throws(ParquetError) in
            switch field.id {
            case 1: key = try reader.string(field)
            case 2: value = try reader.string(field)
            default: try reader.skip(field)
            }
          }
          result.keyValues[key] = value
        }
      case 6: result.createdBy = try reader.string(field)
      case 8:
        result.isEncrypted = true
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    self = result
  }
}

extension SchemaElement {
  init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = SchemaElement()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1:
        let code = try reader.int32(field)
        guard let type = PhysicalType(rawValue: code) else { throw .malformed("the footer holds the unknown physical type \(code)") }
        result.type = type
      case 2: result.typeLength = try reader.int32(field)
      case 3:
        let code = try reader.int32(field)
        guard let repetition = Repetition(rawValue: code) else { throw .malformed("the footer holds the unknown repetition \(code)") }
        result.repetition = repetition
      case 4: result.name = try reader.string(field)
      case 5: result.childCount = try reader.int32(field)
      case 6: result.convertedType = ConvertedType(rawValue: try reader.int32(field))
      case 7: result.scale = try reader.int32(field)
      case 8: result.precision = try reader.int32(field)
      case 9: result.fieldID = try reader.int32(field)
      case 10: result.logicalType = try LogicalType(&reader, field)
      default: try reader.skip(field)
      }
    }
    self = result
  }
}

extension LogicalType {
  init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = LogicalType.other(id: 0)
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result = .string
      case 2: result = .map
      case 3: result = .list
      case 4: result = .enum
      case 5:
        var scale: Int32 = 0
        var precision: Int32 = 0
        try reader.structure(field) { (reader, field) throws(ParquetError) in
          switch field.id {
          case 1: scale = try reader.int32(field)
          case 2: precision = try reader.int32(field)
          default: try reader.skip(field)
          }
        }
        result = .decimal(scale: scale, precision: precision)
        return
      case 6: result = .date
      case 7, 8:
        let (isAdjusted, unit) = try Self.resolution(&reader, field)
        result =
          field.id == 7 ? .time(isAdjustedToUTC: isAdjusted, unit: unit) : .timestamp(isAdjustedToUTC: isAdjusted, unit: unit)
        return
      case 10:
        var bitWidth = 0
        var isSigned = true
        try reader.structure(field) { (reader, field) throws(ParquetError) in
          switch field.id {
          case 1: bitWidth = Int(try reader.int64(field))
          case 2: isSigned = try reader.bool(field)
          default: try reader.skip(field)
          }
        }
        result = .integer(bitWidth: bitWidth, isSigned: isSigned)
        return
      case 12: result = .json
      case 13: result = .bson
      case 14: result = .uuid
      case 15: result = .float16
      default: result = .other(id: field.id)
      }
      try reader.skip(field)
    }
    self = result
  }

  /// The content of `TimeType` and `TimestampType`, which are alike.
  private static func resolution(
    _ reader: inout ThriftReader, _ field: ThriftField
  ) throws(ParquetError) -> (isAdjustedToUTC: Bool, unit: Unit) {
    var isAdjusted = false
    var unit = 0
    try reader.structure(field) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: isAdjusted = try reader.bool(field)
      case 2:
        try reader.structure(field) { (reader, field) throws(ParquetError) in
          unit = field.id
          try reader.skip(field)
        }
      default: try reader.skip(field)
      }
    }
    guard let known = Unit(rawValue: unit) else { throw .malformed("the footer holds a time of unknown unit \(unit)") }
    return (isAdjusted, known)
  }
}

extension RowGroupMetadata {
  init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = RowGroupMetadata()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          result.columns.append(try ColumnChunkMetadata(&reader, element))
        }
      case 3: result.rowCount = Int(try reader.int64(field))
      default: try reader.skip(field)
      }
    }
    self = result
  }
}

extension ColumnChunkMetadata {
  init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = ColumnChunkMetadata()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.isElsewhere = try !reader.binary(field).isEmpty
      case 3:
        result.isPresent = true
        try reader.structure(field) { (reader, field) throws(ParquetError) in try result.decode(&reader, field) }
      case 4: result.offsetIndexOffset = Int(try reader.int64(field))
      case 5: result.offsetIndexByteCount = Int(try reader.int32(field))
      case 8:
        result.isEncrypted = true
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
    self = result
  }

  private mutating func decode(_ reader: inout ThriftReader, _ field: ThriftField) throws(ParquetError) {
    switch field.id {
    case 1:
      let code = try reader.int32(field)
      guard let known = PhysicalType(rawValue: code) else { throw .malformed("the footer holds the unknown physical type \(code)") }
      type = known
    case 4: codec = try reader.int32(field)
    case 5: valueCount = Int(try reader.int64(field))
    case 7: compressedByteCount = Int(try reader.int64(field))
    case 9: dataPageOffset = Int(try reader.int64(field))
    case 11: dictionaryPageOffset = Int(try reader.int64(field))
    default: try reader.skip(field)
    }
  }
}
