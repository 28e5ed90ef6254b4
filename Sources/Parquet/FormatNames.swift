/// The names that parquet.thrift gives its numbers; unknown ones are shown as numbers.
enum FormatNames {
  private static func name(_ names: [String], _ code: Int32) -> String {
    names.indices.contains(Int(code)) ? names[Int(code)] : "\(code)"
  }

  static func physicalType(_ code: Int32, _ fixedByteCount: Int32?) -> String {
    let names = ["BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"]
    let name = name(names, code)
    return code == PhysicalType.fixedLengthByteArray.rawValue ? "\(name)(\(fixedByteCount ?? 0))" : name
  }

  static func repetition(_ code: Int32) -> String { name(["required", "optional", "repeated"], code) }

  static func convertedType(_ code: Int32) -> String {
    name(
      [
        "UTF8", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME_MILLIS", "TIME_MICROS", "TIMESTAMP_MILLIS",
        "TIMESTAMP_MICROS", "UINT_8", "UINT_16", "UINT_32", "UINT_64", "INT_8", "INT_16", "INT_32", "INT_64", "JSON", "BSON", "INTERVAL",
      ], code)
  }

  static func encoding(_ code: Int32) -> String {
    name(
      [
        "PLAIN", "1", "PLAIN_DICTIONARY", "RLE", "BIT_PACKED", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY",
        "RLE_DICTIONARY", "BYTE_STREAM_SPLIT",
      ], code)
  }

  static func codec(_ code: Int32) -> String {
    name(["UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"], code)
  }

  static func pageKind(_ code: Int32) -> String {
    switch code {
    case PageWriting.dataV1Code: "data v1"
    case PageWriting.dataV2Code: "data v2"
    case PageWriting.dictionaryCode: "dictionary"
    default: "other"
    }
  }
}
