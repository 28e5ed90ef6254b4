/// The parts of a Parquet footer that Almanac reads or writes; names and numbers are those of `parquet.thrift`.
enum PhysicalType: Int32, Hashable, Sendable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedLengthByteArray = 7
}

enum Encoding: Int32, Hashable, Sendable {
  case plain = 0
  case plainDictionary = 2
  case rle = 3
  case bitPacked = 4
  case deltaBinaryPacked = 5
  case deltaLengthByteArray = 6
  case deltaByteArray = 7
  case rleDictionary = 8
  case byteStreamSplit = 9
}

/// `FieldRepetitionType`.
enum Repetition: Int32, Hashable, Sendable {
  case required = 0
  case optional = 1
  case repeated = 2
}

enum ConvertedType: Int32, Hashable, Sendable {
  case utf8 = 0
  case map, mapKeyValue, list, `enum`, decimal, date
  case timeMillis, timeMicros, timestampMillis, timestampMicros
  case uint8, uint16, uint32, uint64, int8, int16, int32, int64
  case json, bson, interval
}

enum LogicalType: Hashable, Sendable {
  enum Unit: Int, Hashable, Sendable {
    case millis = 1
    case micros = 2
    case nanos = 3
  }
  case string, map, list, `enum`, date, json, bson, uuid, float16
  case decimal(scale: Int32, precision: Int32)
  case time(isAdjustedToUTC: Bool, unit: Unit)
  case timestamp(isAdjustedToUTC: Bool, unit: Unit)
  case integer(bitWidth: Int, isSigned: Bool)
  /// One that this reader does not know, or that says nothing about values: the physical type decides.
  case other(id: Int)
}

struct SchemaElement: Sendable {
  var type: PhysicalType?
  var typeLength: Int32?
  var repetition: Repetition?
  var name = ""
  var childCount: Int32 = 0
  var convertedType: ConvertedType?
  var scale: Int32?
  var precision: Int32?
  var fieldID: Int32?
  var logicalType: LogicalType?
}

struct ColumnChunkMetadata: Sendable {
  var type: PhysicalType?
  var codec: Int32 = 0
  var valueCount = 0
  var compressedByteCount = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var offsetIndexOffset: Int?
  var offsetIndexByteCount: Int?
  var isElsewhere = false
  var isEncrypted = false
  var isPresent = false
}

struct RowGroupMetadata: Sendable {
  var columns: [ColumnChunkMetadata] = []
  var rowCount = 0
}

struct FileMetadata: Sendable {
  var schema: [SchemaElement] = []
  var rowCount = 0
  var rowGroups: [RowGroupMetadata] = []
  var keyValues: [String: String] = [:]
  var createdBy: String?
  var isEncrypted = false
}
