import Columns

extension FooterDetail {
  mutating func decode(_ reader: inout ThriftReader) throws(ParquetError) {
    var result = self
    try reader.fields { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.version = try reader.int32(field)
      case 2:
        try reader.list(field) { (reader, element) throws(ParquetError) in result.elements.append(try Element(&reader, element)) }
      case 4:
        try reader.list(field) { (reader, element) throws(ParquetError) in result.rowGroups.append(try RowGroup(&reader, element)) }
      case 5:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          try reader.structure(element) { (reader, field) throws(ParquetError) in
            if field.id == 1 { result.keys.append(try reader.string(field)) } else { try reader.skip(field) }
          }
        }
      case 6: result.createdBy = try reader.string(field)
      case 7:
        try reader.list(field) { (reader, element) throws(ParquetError) in
          var hasTypeOrder = false
          try reader.structure(element) { (reader, field) throws(ParquetError) in
            if field.id == 1 { hasTypeOrder = true }
            try reader.skip(field)
          }
          result.hasTypeOrder.append(hasTypeOrder)
        }
      default: try reader.skip(field)
      }
    }
    self = result
  }
}

extension FooterDetail.Element {
  fileprivate init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = Self()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.physicalCode = try reader.int32(field)
      case 2: result.fixedByteCount = try reader.int32(field)
      case 3: result.repetitionCode = try reader.int32(field)
      case 4: result.name = try reader.string(field)
      case 5: result.childCount = try reader.int32(field)
      case 6: result.convertedCode = try reader.int32(field)
      case 7: result.scale = try reader.int32(field)
      case 8: result.precision = try reader.int32(field)
      case 9: result.fieldID = try reader.int32(field)
      case 10:
        try reader.structure(field) { (reader, field) throws(ParquetError) in
          result.logicalID = field.id
          result.logicalText = try result.logicalText(&reader, field)
        }
      default: try reader.skip(field)
      }
    }
    self = result
  }

  private static let units: [Int: (unit: TimeUnit, name: String)] = [
    1: (.millisecond, "MILLIS"), 2: (.microsecond, "MICROS"), 3: (.nanosecond, "NANOS"),
  ]
  private static let names = [
    1: "STRING", 2: "MAP", 3: "LIST", 4: "ENUM", 5: "DECIMAL", 6: "DATE", 7: "TIME", 8: "TIMESTAMP", 10: "INT", 11: "UNKNOWN", 12: "JSON",
    13: "BSON", 14: "UUID", 15: "FLOAT16", 16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY",
  ]

  private mutating func logicalText(_ reader: inout ThriftReader, _ choice: ThriftField) throws(ParquetError) -> String {
    let name = Self.names[choice.id] ?? "LOGICAL_TYPE_\(choice.id)"
    var parts: [Int: String] = [:]
    var result = self
    try reader.structure(choice) { (reader, field) throws(ParquetError) in
      switch (choice.id, field.id) {
      case (5, 1), (5, 2), (10, 1): parts[field.id] = "\(try reader.int64(field))"
      case (7, 1), (8, 1): parts[1] = try reader.bool(field) ? "UTC" : "local"
      case (10, 2):
        result.isUnsigned = try !reader.bool(field)
        parts[2] = result.isUnsigned ? "unsigned" : "signed"
      case (7, 2), (8, 2):
        try reader.structure(field) { (reader, unit) throws(ParquetError) in
          result.unit = Self.units[unit.id]?.unit
          parts[2] = Self.units[unit.id]?.name ?? "unit \(unit.id)"
          try reader.skip(unit)
        }
      default: try reader.skip(field)
      }
    }
    self = result
    // Precision comes first in words, scale in the file.
    let order = choice.id == 5 || choice.id == 7 || choice.id == 8 ? [2, 1] : [1, 2]
    let shown = order.compactMap { parts[$0] }
    return shown.isEmpty ? name : "\(name)(\(shown.joined(separator: ",")))"
  }
}

extension FooterDetail.RowGroup {
  fileprivate init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = Self()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1:
        try reader.list(field) { (reader, element) throws(ParquetError) in result.chunks.append(try FooterDetail.Chunk(&reader, element)) }
      case 2: result.byteCount = Int(try reader.int64(field))
      case 3: result.rowCount = Int(try reader.int64(field))
      case 5: result.fileOffset = Int(try reader.int64(field))
      default: try reader.skip(field)
      }
    }
    self = result
  }
}

extension FooterDetail.Chunk {
  fileprivate init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = Self()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 3: try reader.structure(field) { (reader, field) throws(ParquetError) in try result.decode(&reader, field) }
      case 4: result.offsetIndex.offset = Int(try reader.int64(field))
      case 5: result.offsetIndex.byteCount = Int(try reader.int32(field))
      case 6: result.columnIndex.offset = Int(try reader.int64(field))
      case 7: result.columnIndex.byteCount = Int(try reader.int32(field))
      default: try reader.skip(field)
      }
    }
    self = result
  }

  private mutating func decode(_ reader: inout ThriftReader, _ field: ThriftField) throws(ParquetError) {
    switch field.id {
    case 1: physicalCode = try reader.int32(field)
    case 2:
      var codes: [Int32] = []
      try reader.list(field) { (reader, element) throws(ParquetError) in codes.append(try reader.int32(element)) }
      encodings = codes
    case 3:
      var names: [String] = []
      try reader.list(field) { (reader, element) throws(ParquetError) in names.append(try reader.string(element)) }
      path = names
    case 4: codec = try reader.int32(field)
    case 5: valueCount = Int(try reader.int64(field))
    case 6: uncompressedByteCount = Int(try reader.int64(field))
    case 7: compressedByteCount = Int(try reader.int64(field))
    case 9: dataPageOffset = Int(try reader.int64(field))
    case 11: dictionaryPageOffset = Int(try reader.int64(field))
    case 12: statistics = try FooterDetail.Statistics(&reader, field)
    // Forks of the format have used these numbers for other things.
    case 14 where field.type == .int64: bloomFilterOffset = Int(try reader.int64(field))
    case 15 where field.type == .int32: bloomFilterByteCount = Int(try reader.int32(field))
    default: try reader.skip(field)
    }
  }
}

extension FooterDetail.Statistics {
  fileprivate init(_ reader: inout ThriftReader, _ element: ThriftField) throws(ParquetError) {
    var result = Self()
    try reader.structure(element) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.legacyGreatest = Array(try reader.binary(field))
      case 2: result.legacyLeast = Array(try reader.binary(field))
      case 3: result.nullCount = Int(try reader.int64(field))
      case 4: result.distinctCount = Int(try reader.int64(field))
      case 5: result.greatest = Array(try reader.binary(field))
      case 6: result.least = Array(try reader.binary(field))
      default: try reader.skip(field)
      }
    }
    self = result
  }
}
