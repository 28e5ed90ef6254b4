/// What stands in front of every page.
struct PageHeader: Sendable {
  enum Kind: Sendable {
    case dictionary
    case dataV1(definitionLevels: Encoding, repetitionLevels: Encoding)
    case dataV2(definitionByteCount: Int, repetitionByteCount: Int, isCompressed: Bool)
    /// An index page, or one of a later format: skipped.
    case other
  }

  var kind = Kind.other
  var encoding = Encoding.plain
  /// Values, nulls and empty lists counted.
  var valueCount = 0
  /// Only in pages of the second version, which start with a row.
  var rowCount: Int?
  /// The bytes of the page as stored, behind the header.
  var compressedByteCount = 0
  var uncompressedByteCount = 0
  var checksum: UInt32?
  /// The bytes of the header itself.
  var headerByteCount = 0

  var isDataPage: Bool {
    switch kind {
    case .dataV1, .dataV2: true
    case .dictionary, .other: false
    }
  }

  /// - Parameter bytes: start at the header, end anywhere behind it.
  init(decoding bytes: UnsafeRawBufferPointer) throws(ParquetError) {
    var reader = ThriftReader(bytes, subject: "page header")
    var type: Int32 = -1
    var result = PageHeader()
    try reader.fields { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: type = try reader.int32(field)
      case 2: result.uncompressedByteCount = Int(try reader.int32(field))
      case 3: result.compressedByteCount = Int(try reader.int32(field))
      case 4: result.checksum = UInt32(bitPattern: try reader.int32(field))
      case 5: try result.decodeV1(&reader, field)
      case 7: try result.decodeDictionary(&reader, field)
      case 8: try result.decodeV2(&reader, field)
      default: try reader.skip(field)
      }
    }
    result.headerByteCount = reader.position
    guard result.uncompressedByteCount >= 0, result.compressedByteCount >= 0, result.valueCount >= 0,
      result.rowCount ?? 0 >= 0
    else {
      throw .malformed(
        "the page header holds a negative size (\(result.compressedByteCount) bytes stored, "
          + "\(result.uncompressedByteCount) bytes decoded, \(result.valueCount) values)")
    }
    let agrees =
      switch (type, result.kind) {
      case (0, .dataV1), (2, .dictionary), (3, .dataV2): true
      case (0, _), (2, _), (3, _): false
      default: true
      }
    guard agrees else { throw .malformed("the page header does not describe a page of its type \(type)") }
    if type != 0 && type != 2 && type != 3 { result.kind = .other }
    self = result
  }

  private init() {}

  private static func encoding(_ code: Int32) throws(ParquetError) -> Encoding {
    guard let encoding = Encoding(rawValue: code) else { throw .unsupported("the page has the unknown encoding \(code)") }
    return encoding
  }

  private mutating func decodeV1(_ reader: inout ThriftReader, _ field: ThriftField) throws(ParquetError) {
    var result = self
    var definitions = Encoding.rle
    var repetitions = Encoding.rle
    try reader.structure(field) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.valueCount = Int(try reader.int32(field))
      case 2: result.encoding = try Self.encoding(try reader.int32(field))
      case 3: definitions = try Self.encoding(try reader.int32(field))
      case 4: repetitions = try Self.encoding(try reader.int32(field))
      default: try reader.skip(field)
      }
    }
    result.kind = .dataV1(definitionLevels: definitions, repetitionLevels: repetitions)
    self = result
  }

  private mutating func decodeDictionary(_ reader: inout ThriftReader, _ field: ThriftField) throws(ParquetError) {
    var result = self
    try reader.structure(field) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.valueCount = Int(try reader.int32(field))
      case 2: result.encoding = try Self.encoding(try reader.int32(field))
      default: try reader.skip(field)
      }
    }
    result.kind = .dictionary
    self = result
  }

  private mutating func decodeV2(_ reader: inout ThriftReader, _ field: ThriftField) throws(ParquetError) {
    var result = self
    var definitionByteCount = 0
    var repetitionByteCount = 0
    var isCompressed = true
    try reader.structure(field) { (reader, field) throws(ParquetError) in
      switch field.id {
      case 1: result.valueCount = Int(try reader.int32(field))
      case 3: result.rowCount = Int(try reader.int32(field))
      case 4: result.encoding = try Self.encoding(try reader.int32(field))
      case 5: definitionByteCount = Int(try reader.int32(field))
      case 6: repetitionByteCount = Int(try reader.int32(field))
      case 7: isCompressed = try reader.bool(field)
      default: try reader.skip(field)
      }
    }
    guard definitionByteCount >= 0, repetitionByteCount >= 0 else { throw .malformed("the page header holds levels of negative size") }
    result.kind = .dataV2(
      definitionByteCount: definitionByteCount, repetitionByteCount: repetitionByteCount, isCompressed: isCompressed)
    self = result
  }
}
