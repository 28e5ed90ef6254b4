import Columns
import Testing

@testable import Parquet

@Suite struct FileDescriptionTests {
  private static let batch = Batch(
    schema: Schema([
      Field("id", .int64, isNullable: false, id: 5), Field("at", .timestampMicros), Field("day", .date),
      Field("price", .decimal(precision: 20, scale: 2)), Field("name", .string), Field("raw", .binary), Field("half", .float16),
      Field("clock", .time(.millisecond)), Field("small", .uint16),
    ]),
    columns: [
      Column(.int64, [.int(-3), .int(4), .int(9)]), Column(.timestampMicros, [.null, .timestamp(1_500_000, .microsecond), .null]),
      Column(.date, [.date(0), .date(1), .date(-1)]),
      Column(.decimal(precision: 20, scale: 2), [.decimal(-1050, scale: 2), .null, .decimal(7, scale: 2)]),
      Column(.string, [.string("b"), .string("a"), .string("é")]), Column(.binary, [.binary([255, 1]), .binary([]), .null]),
      Column(.float16, [.float(1.5), .float(-2), .null]),
      Column(.time(.millisecond), [.time(1, .millisecond), .time(3_600_000, .millisecond), .null]),
      Column(.uint16, [.uint(65535), .uint(1), .null]),
    ], rowCount: 3)

  private static func file(_ change: (inout ParquetWriterOptions) -> Void = { _ in }) throws -> FileDescription {
    var options = ParquetWriterOptions.with(codec: .none, pageRowCount: 2)
    change(&options)
    return try FileDescription(ParquetReader(bytes: ParquetWriter.file(of: batch, options: options)), includesPages: true)
  }

  @Test func theSchemaIsTold() throws {
    let description = try Self.file()
    #expect(description.createdBy == "almanac version 0.1.0" && description.version == 2 && description.rowCount == 3)
    #expect(description.root.name == "schema" && description.root.repetition == nil)
    let children = description.root.children
    #expect(children.map(\.name) == Self.batch.schema.fields.map(\.name))
    #expect(children[0].fieldID == 5 && children[0].repetition == "required" && children[1].repetition == "optional")
    #expect(
      children.map { $0.physicalType ?? "" } == [
        "INT64", "INT64", "INT32", "FIXED_LEN_BYTE_ARRAY(16)", "BYTE_ARRAY", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY(2)", "INT32", "INT32",
      ])
    #expect(
      children.map { $0.logicalType ?? "" } == [
        "", "TIMESTAMP(MICROS,UTC)", "DATE", "DECIMAL(20,2)", "STRING", "", "FLOAT16", "TIME(MILLIS,local)", "INT(16,unsigned)",
      ])
    #expect(children[1].convertedType == "TIMESTAMP_MICROS" && children[0].convertedType == nil)
  }

  @Test func metadataOfTheUserIsKept() throws {
    var options = ParquetWriterOptions.export
    options.keyValueMetadata = ["b": "2", "a": "ž", "c": ""]
    let reader = try ParquetReader(bytes: ParquetWriter.file(of: Self.batch, options: options))
    #expect(reader.keyValueMetadata == options.keyValueMetadata)
    #expect(try FileDescription(reader).keyValueKeys == ["a", "b", "c"])
  }

  @Test func boundsAreShownAsText() throws {
    let columns = try Self.file().rowGroups[0].columns
    let bounds = columns.map { "\($0.statistics?.least ?? "-") \($0.statistics?.greatest ?? "-") \($0.statistics?.nullCount ?? -1)" }
    #expect(
      bounds == [
        "-3 9 0", "1970-01-01T00:00:01.500000Z 1970-01-01T00:00:01.500000Z 2", "1969-12-31 1970-01-02 0", "-10.50 0.07 1", "a é 0",
        "0x 0xff01 1", "-2.0 1.5 1", "00:00:00.001000 01:00:00.000000 1", "1 65535 1",
      ])
  }

  @Test func thePageIndexGivesEachPageItsBounds() throws {
    func bounds(_ column: FileDescription.ColumnChunk) -> [String] {
      column.pages?.map { "\($0.statistics?.least ?? "-") \($0.statistics?.greatest ?? "-") \($0.statistics?.nullCount ?? -1)" } ?? []
    }
    let columns = try Self.file().rowGroups[0].columns
    #expect(bounds(columns[0]) == ["-3 4 0", "9 9 0"])
    #expect(bounds(columns[1]) == ["1970-01-01T00:00:01.500000Z 1970-01-01T00:00:01.500000Z 1", "- - 1"])
    #expect(bounds(columns[3]) == ["-10.50 -10.50 1", "0.07 0.07 0"])
    #expect(try Self.file { $0.pageIndex = false }.rowGroups[0].columns[0].pages?.first?.statistics == nil)
  }

  @Test func pagesComeFromTheIndexOrFromTheirHeaders() throws {
    let indexed = try Self.file().rowGroups[0]
    #expect(indexed.offset == 4 && indexed.rowCount == 3)
    #expect(indexed.columns.allSatisfy { $0.hasColumnIndex && $0.hasOffsetIndex })
    #expect(indexed.columns[0].boundaryOrder == 1)
    #expect(indexed.columns[0].pages?.map(\.rowCount) == [2, 1])
    let scanned = try Self.file {
      $0.pageIndex = false
      $0.encodings["name"] = .dictionary
      $0.bloomFilterColumns = ["id"]
    }.rowGroups[0].columns
    #expect(!scanned[0].hasColumnIndex && !scanned[0].hasOffsetIndex && scanned[0].boundaryOrder == nil)
    #expect(scanned[0].bloomFilterByteCount == 32 && scanned[1].bloomFilterByteCount == nil)
    #expect(scanned[4].pages?.map(\.kind) == ["dictionary", "data v1", "data v1"])
    #expect(scanned[4].pages?.map(\.encoding) == ["PLAIN", "RLE_DICTIONARY", "RLE_DICTIONARY"])
    #expect(scanned[4].pages?.map(\.rowCount) == [nil, 2, 1])
    #expect(scanned[0].pages?.reduce(0) { $0 + $1.byteCount } == scanned[0].compressedByteCount)
    #expect(indexed.columns[0].pages?.reduce(0) { $0 + $1.byteCount } == scanned[0].compressedByteCount)
  }
}
