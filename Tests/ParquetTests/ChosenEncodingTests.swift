import Columns
import Testing

@testable import Parquet

@Suite struct ChosenEncodingTests {
  /// Every type that has a physical form of its own, and the encodings that it takes.
  static let types: [(DataType, [ParquetEncoding])] = [
    (.bool, [.plain, .rle]),
    (.int8, [.plain, .dictionary, .deltaBinaryPacked, .byteStreamSplit]),
    (.uint32, [.plain, .dictionary, .deltaBinaryPacked, .byteStreamSplit]),
    (.int64, [.plain, .dictionary, .deltaBinaryPacked, .byteStreamSplit]),
    (.float16, [.plain, .dictionary, .byteStreamSplit, .deltaByteArray]),
    (.float32, [.plain, .dictionary, .byteStreamSplit]),
    (.float64, [.plain, .dictionary, .byteStreamSplit]),
    (.decimal(precision: 30, scale: 2), [.plain, .dictionary, .byteStreamSplit, .deltaByteArray]),
    (.fixedBinary(byteWidth: 5), [.plain, .dictionary, .byteStreamSplit, .deltaByteArray]),
    (.string, [.plain, .dictionary, .deltaLengthByteArray, .deltaByteArray]),
    (.binary, [.plain, .dictionary, .deltaLengthByteArray, .deltaByteArray]),
    (.time(.millisecond), [.plain, .dictionary, .deltaBinaryPacked]),
    (.time(.microsecond), [.plain, .dictionary, .deltaBinaryPacked]),
    (.time(.nanosecond), [.plain, .dictionary, .deltaBinaryPacked]),
  ]

  private static func options(_ encoding: ParquetEncoding, _ version: ParquetWriterOptions.PageVersion) -> ParquetWriterOptions {
    var options = ParquetWriterOptions.with(codec: version == .v1 ? .none : .lz4Raw, pageRowCount: 400)
    options.encodings["c"] = encoding
    options.pageVersion = version
    return options
  }

  @Test(arguments: [ParquetWriterOptions.PageVersion.v1, .v2]) func everyEncodingComesBack(version: ParquetWriterOptions.PageVersion) throws
  {
    var generator = SeededGenerator(seed: 51)
    for (type, encodings) in Self.types {
      for (shape, nulls) in [(Samples.Shape.few, false), (.any, true), (.sorted, true), (.allNull, true)] {
        let column = Samples.column(type, shape, count: 1000, nulls: nulls, &generator)
        let batch = Batch(schema: Schema([Field("c", type, isNullable: nulls)]), columns: [column], rowCount: 1000)
        for encoding in encodings {
          let reader = try ParquetReader(bytes: ParquetWriter.file(of: batch, options: Self.options(encoding, version)))
          #expect(reader.schema == batch.schema)
          #expect(try reader.read(rowGroup: 0).columns[0].equalsExactly(column), "\(type) \(shape) \(encoding) \(version)")
        }
      }
    }
  }

  @Test func otherEncodingsAreRefused() throws {
    for (type, encodings) in Self.types where type != .time(.millisecond) && type != .time(.microsecond) && type != .time(.nanosecond) {
      let batch = Batch(schema: Schema([Field("c", type)]), columns: [Column(type, [])], rowCount: 0)
      let one = Batch(schema: batch.schema, columns: [Column(type, [.null])], rowCount: 1)
      for encoding in ParquetEncoding.allCases where !encodings.contains(encoding) {
        let physical = ColumnLayout(one.schema.fields[0]).physicalType
        #expect(
          throws: ParquetError(
            kind: .unsupported, text: "Cannot write column c with the encoding \(encoding): its values are stored as \(physical)")
        ) { try ParquetWriter.file(of: one, options: Self.options(encoding, .v1)) }
      }
    }
  }

  @Test func chosenEncodingsStandInTheFooter() throws {
    let column = Column(.int64, (0..<500).map { .int(Int64($0)) })
    let batch = Batch(schema: Schema([Field("c", .int64)]), columns: [column], rowCount: 500)
    for (encoding, names) in [
      (ParquetEncoding.plain, ["PLAIN", "RLE"]), (.dictionary, ["RLE_DICTIONARY", "PLAIN", "RLE"]),
      (.deltaBinaryPacked, ["DELTA_BINARY_PACKED", "RLE"]), (.byteStreamSplit, ["BYTE_STREAM_SPLIT", "RLE"]),
    ] {
      let reader = try ParquetReader(bytes: ParquetWriter.file(of: batch, options: Self.options(encoding, .v1)))
      #expect(try FileDescription(reader).rowGroups[0].columns[0].encodings == names)
    }
  }

  @Test func withoutDictionariesValuesStayPlain() throws {
    let column = Column(.string, (0..<500).map { .string("v\($0 % 3)") })
    let batch = Batch(schema: Schema([Field("c", .string)]), columns: [column], rowCount: 500)
    var options = ParquetWriterOptions.export
    options.dictionary = false
    let reader = try ParquetReader(bytes: ParquetWriter.file(of: batch, options: options))
    #expect(try !FileDescription(reader).rowGroups[0].columns[0].encodings.contains("RLE_DICTIONARY"))
    #expect(try reader.read(rowGroup: 0).columns[0].equalsExactly(column))
  }
}
