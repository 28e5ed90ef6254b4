import Columns
import Glibc
import Testing

@testable import Parquet

/// Reads the files of apache/parquet-testing: from ALMANAC_CONFORMANCE, or from `../shared/conformance/parquet` beside the package.
///
/// The checksums are of the values as `ScalarText` writes them, which were compared with PyArrow 26 for every file that it reads.
@Suite struct ConformanceTests {
  enum Expectation: Sendable {
    case read(rowCount: Int, columnCount: Int, checksum: UInt32)
    case refused(ParquetError.Kind, String)
    /// Two strings of 2^30 bytes and one more: tested by itself.
    case large
  }

  static let expectations: [String: Expectation] = [
    "data/alltypes_dictionary.parquet": .read(rowCount: 2, columnCount: 11, checksum: 0x4ad0b77b),
    "data/alltypes_plain.parquet": .read(rowCount: 8, columnCount: 11, checksum: 0x805eaa0b),
    "data/alltypes_plain.snappy.parquet": .read(rowCount: 2, columnCount: 11, checksum: 0x27e21c03),
    "data/alltypes_tiny_pages.parquet": .read(rowCount: 7300, columnCount: 13, checksum: 0x60471725),
    "data/binary.parquet": .read(rowCount: 12, columnCount: 1, checksum: 0xe6d578f3),
    "data/byte_array_decimal.parquet": .read(rowCount: 24, columnCount: 1, checksum: 0x62d2a940),
    "data/byte_stream_split.zstd.parquet": .read(rowCount: 300, columnCount: 2, checksum: 0xe1384125),
    "data/column_chunk_key_value_metadata.parquet": .read(rowCount: 0, columnCount: 2, checksum: 0x44198566),
    "data/concatenated_gzip_members.parquet": .read(rowCount: 513, columnCount: 1, checksum: 0x6d2d6f19),
    "data/data_index_bloom_encoding_stats.parquet": .read(rowCount: 14, columnCount: 1, checksum: 0xd444851f),
    "data/datapage_v1-corrupt-checksum.parquet": .refused(
      .malformed, "Cannot read column a in row group 0: page 0 at byte 4: its checksum is f4f6d0a, expected bbce3b9d"),
    "data/datapage_v1-snappy-compressed-checksum.parquet": .read(rowCount: 5120, columnCount: 2, checksum: 0x0220e0aa),
    "data/delta_binary_packed.parquet": .read(rowCount: 200, columnCount: 66, checksum: 0x1b942579),
    "data/delta_byte_array.parquet": .read(rowCount: 1000, columnCount: 9, checksum: 0x8fbf256b),
    "data/delta_encoding_optional_column.parquet": .read(rowCount: 100, columnCount: 17, checksum: 0xa873f340),
    "data/delta_length_byte_array.parquet": .read(rowCount: 1000, columnCount: 1, checksum: 0x56e7453e),
    "data/dict-page-offset-zero.parquet": .read(rowCount: 39, columnCount: 1, checksum: 0xc91693f5),
    "data/fixed_length_byte_array.parquet": .read(rowCount: 1000, columnCount: 1, checksum: 0x165b31f8),
    "data/fixed_length_decimal_legacy.parquet": .read(rowCount: 24, columnCount: 1, checksum: 0x3f05e7bb),
    "data/float16_nonzeros_and_nans.parquet": .read(rowCount: 8, columnCount: 1, checksum: 0x88f76d6e),
    "data/floating_orders_nan_count.parquet": .read(rowCount: 50, columnCount: 6, checksum: 0x8d73a787),
    "data/hadoop_lz4_compressed.parquet": .read(rowCount: 4, columnCount: 3, checksum: 0x2779b5cb),
    "data/int96_from_spark.parquet": .read(rowCount: 6, columnCount: 1, checksum: 0x18688591),
    "data/lz4_raw_compressed.parquet": .read(rowCount: 4, columnCount: 3, checksum: 0x2779b5cb),
    "data/map_no_value.parquet": .read(rowCount: 3, columnCount: 3, checksum: 0xfa340d63),
    "data/nation.dict-malformed.parquet": .read(rowCount: 25, columnCount: 4, checksum: 0x30fd0120),
    "data/non_hadoop_lz4_compressed.parquet": .read(rowCount: 4, columnCount: 3, checksum: 0x92a45fe1),
    "data/null_list.parquet": .read(rowCount: 1, columnCount: 1, checksum: 0xaa300da3),
    "data/nullable.impala.parquet": .read(rowCount: 7, columnCount: 6, checksum: 0x76932c22),
    "data/old_list_structure.parquet": .read(rowCount: 1, columnCount: 1, checksum: 0x19056453),
    "data/overflow_i16_page_cnt.parquet": .read(rowCount: 40000, columnCount: 1, checksum: 0x7e9de378),
    "data/plain-dict-uncompressed-checksum.parquet": .read(rowCount: 1000, columnCount: 2, checksum: 0xef0f59ba),
    "data/repeated_no_annotation.parquet": .read(rowCount: 6, columnCount: 2, checksum: 0x886e7187),
    "data/rle-dict-snappy-checksum.parquet": .read(rowCount: 1000, columnCount: 2, checksum: 0x2231feb7),
    "data/rle-dict-uncompressed-corrupt-checksum.parquet": .refused(
      .malformed, "Cannot read column long_field in row group 0: dictionary page at byte 4: its checksum is 6522df69, expected 6522df6a"),
    "data/rle_boolean_encoding.parquet": .read(rowCount: 68, columnCount: 1, checksum: 0x43c83de0),
    "data/sort_columns.parquet": .read(rowCount: 6, columnCount: 2, checksum: 0xcf116f41),
    "data/unknown-logical-type.parquet": .read(rowCount: 3, columnCount: 2, checksum: 0x596a4b18),
    "data/geospatial/crs-arbitrary-value.parquet": .read(rowCount: 1, columnCount: 2, checksum: 0x7501af3e),
    "data/geospatial/geography-lines.parquet": .read(rowCount: 499, columnCount: 2, checksum: 0x2fd0be81),
    "data/geospatial/geography-polygons.parquet": .read(rowCount: 500, columnCount: 2, checksum: 0x618bb73b),
    "data/geospatial/geospatial.parquet": .read(rowCount: 196, columnCount: 3, checksum: 0xc475d12a),
    "bad_data/ARROW-GH-41321.parquet": .refused(
      .malformed, "Cannot read column int64 in row group 0: page 0 at byte 1313: its runs end after 2 bytes, 3 values are missing"),
    "bad_data/ARROW-GH-43605.parquet": .read(rowCount: 21186, columnCount: 1, checksum: 0x18a17c14),
    "bad_data/ARROW-GH-47662.parquet": .refused(
      .malformed,
      "Cannot read column flba_field in row group 0: page 0 at byte 4: its 364 bytes end after fewer than 100 values of fixedLengthByteArray"
    ),
    "bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet": .refused(
      .malformed,
      "Cannot read column name in row group 0: its 322 bytes at byte 129 do not lie between the head of the file and its footer at byte 291"
    ),
    "data/large_string_map.brotli.parquet": .large,
  ]

  static let folder: String? = {
    let beside = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/../shared/conformance/parquet"
    let path = getenv("ALMANAC_CONFORMANCE").map { String(cString: $0) } ?? beside
    guard let directory = opendir(path) else {
      print("The conformance files are not at \(path): their tests are skipped")
      return nil
    }
    closedir(directory)
    return path
  }()

  static let paths: [String] = {
    guard let folder else { return [] }
    return ["data", "bad_data"].flatMap { walk(folder, $0, depth: 0) }.sorted()
  }()

  private static func walk(_ root: String, _ path: String, depth: Int) -> [String] {
    guard depth < 8, let directory = opendir("\(root)/\(path)") else { return [] }
    defer { closedir(directory) }
    var found: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasPrefix(".") { continue }
      if name.hasSuffix(".parquet") { found.append("\(path)/\(name)") } else { found += walk(root, "\(path)/\(name)", depth: depth + 1) }
    }
    return found
  }

  static func read(_ path: String) throws(ParquetError) -> Batch {
    guard let folder, let bytes = ForeignFileTests.bytes("\(folder)/\(path)") else {
      throw ParquetError(kind: .malformed, text: "The file \(path) cannot be opened")
    }
    return try ParquetReader(bytes: bytes).readAll()
  }

  @Test(.enabled(if: folder != nil)) func everyFileOfTheFolderIsNamedHere() {
    #expect(Set(Self.paths) == Set(Self.expectations.keys))
  }

  @Test(.enabled(if: folder != nil), arguments: paths) func filesAreReadOrRefused(path: String) {
    guard let expectation = Self.expectations[path] else {
      Issue.record("No test names \(path)")
      return
    }
    if case .large = expectation { return expectLargeSchema(path) }
    do throws(ParquetError) {
      let batch = try Self.read(path)
      guard case .read(let rowCount, let columnCount, let checksum) = expectation else {
        Issue.record("\(path) was read, expected it to be refused")
        return
      }
      #expect(batch.rowCount == rowCount)
      #expect(batch.columns.count == columnCount)
      var text: [UInt8] = []
      for (field, column) in zip(batch.schema.fields, batch.columns) {
        text += "# \(field.name) \(field.type) \(field.isNullable)\n".utf8
        for row in 0..<column.count { text += (ScalarText.text(column.scalar(at: row), field.type) + "\n").utf8 }
      }
      #expect(text.withUnsafeBytes { PageChecksum.crc32($0) } == checksum, "\(path) has other values")
    } catch {
      guard case .refused(let kind, let text) = expectation else {
        Issue.record("\(path) was refused: \(error)")
        return
      }
      #expect(error == ParquetError(kind: kind, text: text))
    }
  }

  private func expectLargeSchema(_ path: String) {
    guard let folder = Self.folder, let bytes = ForeignFileTests.bytes("\(folder)/\(path)"), let reader = try? ParquetReader(bytes: bytes)
    else {
      Issue.record("\(path) cannot be opened")
      return
    }
    #expect(reader.rowCount == 2)
    #expect(reader.schema.fields[0].type == .map(key: Field("key", .string, isNullable: false), value: Field("value", .int32)))
  }

  /// It takes a minute without optimization, and eight GiB of memory for a moment: set ALMANAC_CONFORMANCE_LARGE to run it.
  @Test(.enabled(if: folder != nil && getenv("ALMANAC_CONFORMANCE_LARGE") != nil)) func stringsPastTwoGigabytesAreRead() throws {
    let column = try Self.read("data/large_string_map.brotli.parquet").columns[0]
    let entries = column.children[0]
    #expect(column.listOffsets.array == [0, 1, 2])
    #expect(entries.children[1].scalars == [.int(1), .int(1)])
    let keys = entries.children[0].bytes
    #expect((0..<2).map { keys[$0].count } == [1 << 30, 1 << 30])
    #expect(keys[0].prefix(4).elementsEqual("aaaa".utf8) && keys[1].suffix(4).elementsEqual("aaaa".utf8))
  }

  @Test(.enabled(if: folder != nil)) func rowsOfNestedColumnsAreSelectedAndScanned() throws {
    guard let folder = Self.folder else { return }
    for name in ["nullable.impala", "map_no_value", "repeated_no_annotation"] {
      let bytes = try #require(ForeignFileTests.bytes("\(folder)/data/\(name).parquet"))
      let reader = try ParquetReader(bytes: bytes)
      let whole = try reader.readAll()
      for low in 0..<whole.rowCount {
        let part = try reader.read(rowGroup: 0, rows: low..<whole.rowCount)
        for (a, b) in zip(part.columns, whole.columns) { #expect(a.equalsExactly(b.slice(from: low, count: part.rowCount))) }
      }
      var scan = ParquetScan(reader, batchRowCountMax: 2, threads: 2)
      var row = 0
      while let batch = try scan.next() {
        for (a, b) in zip(batch.columns, whole.columns) { #expect(a.equalsExactly(b.slice(from: row, count: batch.rowCount))) }
        row += batch.rowCount
      }
      #expect(row == whole.rowCount)
    }
  }

  @Test(.enabled(if: folder != nil)) func nestedValuesAreThoseOfTheFiles() throws {
    func first(_ path: String, _ column: Int) throws -> [Scalar] { try Self.read("data/\(path).parquet").columns[column].scalars }
    let number = { Scalar.int($0) }
    #expect(try first("old_list_structure", 0) == [.list([.list([number(1), number(2)]), .list([number(3), number(4)])])])
    #expect(try first("map_no_value", 1).first == .list([number(1), number(2), number(3)]))
    #expect(try first("null_list", 0) == [.list([])])
    #expect(try first("repeated_no_annotation", 1)[2] == .structure([.list([])]))
    #expect(
      try first("nullable.impala", 2)[1]
        == .list([
          .list([.null, number(1), number(2), .null]), .list([number(3), .null, number(4)]), .list([]), .null,
        ]))
    #expect(
      try first("int96_from_spark", 0)[2...] == [
        .timestamp(253_402_225_200_000_000, .microsecond), .timestamp(1_735_599_600_000_000, .microsecond), .null,
        .timestamp(9_089_380_393_200_000_000, .microsecond),
      ])
  }
}
