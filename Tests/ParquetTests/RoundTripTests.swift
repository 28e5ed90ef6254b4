import Columns
import Testing

@testable import Parquet

@Suite struct RoundTripTests {
  static let codecs: [ParquetCodec] = [.none, .snappy, .gzip, .lz4Raw, .zstd(level: 1)]

  @Test(arguments: codecs) func everyTypeComesBack(codec: ParquetCodec) throws {
    var generator = SeededGenerator(seed: 11)
    for shape in Samples.Shape.allCases {
      for nulls in [false, true] {
        let batch = Samples.batch(count: 3000, shape: shape, nulls: nulls, &generator)
        let file = ParquetWriter.encode(batch, options: .with(codec: codec, pageRowCount: 700))
        let reader = try ParquetReader(bytes: file)
        #expect(reader.schema == batch.schema)
        #expect(reader.rowGroupCount == 1)
        let back = try reader.read(rowGroup: 0)
        for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, back.columns)) {
          #expect(a.equalsExactly(b), "\(field.name) \(field.type) \(shape) nulls \(nulls) \(codec)")
        }
      }
    }
  }

  @Test func leafProfileComesBack() throws {
    var generator = SeededGenerator(seed: 12)
    for shape in Samples.Shape.allCases {
      let batch = Samples.batch(count: 40_000, shape: shape, nulls: shape == .any, &generator)
      let file = ParquetWriter.encode(batch, options: .leaf(keyColumns: [4, 11, 18]))
      let back = try ParquetReader(bytes: file).read(rowGroup: 0)
      for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, back.columns)) {
        #expect(a.equalsExactly(b), "\(field.name) \(field.type) \(shape)")
      }
    }
  }

  /// Validity and bits that begin anywhere within a byte, behind whole bytes or whole words; alone, and behind another batch.
  @Test func slicesAtEveryOffsetComeBack() throws {
    var generator = SeededGenerator(seed: 17)
    for nulls in [false, true] {
      let batch = Samples.batch(count: 90, shape: .few, nulls: nulls, &generator)
      for start in 0...70 {
        let slice = batch.slice(from: start, count: 19)
        var file: [UInt8] = []
        var writer = ParquetWriter(schema: batch.schema, options: .with(codec: .none, pageRowCount: 11))
        for part in [batch.slice(from: 0, count: start % 9), slice] { try writer.write(part) { file.append(contentsOf: $0) } }
        try writer.finish { file.append(contentsOf: $0) }
        let back = try ParquetReader(bytes: BufferSlice(copying: file)).read(rowGroup: 0)
        for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, back.columns)) {
          let isSame = (0..<19).allSatisfy { "\(a.scalar(at: start + $0))" == "\(b.scalar(at: start % 9 + $0))" }
          #expect(isSame, "\(field.name) \(field.type) nulls \(nulls) from \(start)")
        }
      }
    }
  }

  @Test func rowsAndColumnsAreSelected() throws {
    var generator = SeededGenerator(seed: 13)
    for pageIndex in [true, false] {
      let batch = Samples.batch(count: 5000, shape: .few, nulls: true, &generator)
      var options = ParquetWriterOptions.with(codec: .zstd(level: 1), pageRowCount: 512)
      options.pageIndex = pageIndex
      let reader = try ParquetReader(bytes: ParquetWriter.encode(batch, options: options))
      for _ in 0..<20 {
        let low = Int.random(in: 0...5000, using: &generator)
        let high = Int.random(in: low...5000, using: &generator)
        let part = try reader.read(rowGroup: 0, columns: [11, 0, 4], rows: low..<high)
        #expect(part.schema.fields.map(\.name) == ["c11", "c0", "c4"])
        #expect(part.rowCount == high - low)
        for (column, index) in zip(part.columns, [11, 0, 4]) {
          #expect(column.equalsExactly(batch.columns[index].slice(from: low, count: high - low)))
        }
      }
    }
  }

  @Test func streamFillsRowGroupsWhateverTheBatches() throws {
    var generator = SeededGenerator(seed: 14)
    let batch = Samples.batch(count: 2500, shape: .any, nulls: true, &generator)
    var options = ParquetWriterOptions.export
    options.rowGroupRowCount = 1000
    var files: [[UInt8]] = []
    for step in [2500, 999, 170] {
      var writer = ParquetWriter(schema: batch.schema, options: options)
      var bytes: [UInt8] = []
      for start in stride(from: 0, to: 2500, by: step) {
        try writer.write(batch.slice(from: start, count: min(step, 2500 - start))) { bytes.append(contentsOf: $0) }
      }
      try writer.finish { bytes.append(contentsOf: $0) }
      files.append(bytes)
    }
    #expect(files[0] == files[1] && files[1] == files[2])
    let reader = try ParquetReader(bytes: BufferSlice(copying: files[0]))
    #expect((0..<reader.rowGroupCount).map { reader.rowCount(ofRowGroup: $0) } == [1000, 1000, 500])
    let back = try reader.readAll()
    for (a, b) in zip(batch.columns, back.columns) { #expect(a.equalsExactly(b)) }
  }

  @Test func noRowsMakeAFileWithoutRowGroups() throws {
    let schema = Schema(Samples.types.enumerated().map { Field("c\($0.offset)", $0.element) })
    let batch = Batch(schema: schema, columns: Samples.types.map { Column($0, []) }, rowCount: 0)
    let reader = try ParquetReader(bytes: ParquetWriter.encode(batch, options: .leaf(keyColumns: [])))
    #expect(reader.rowCount == 0)
    #expect(reader.rowGroupCount == 0)
    #expect(reader.schema == schema)
    #expect(reader.createdBy == "almanac version 0.1.0")
  }

  @Test func sparseStringsKeepNoBytesOfNulls() throws {
    // A foreign column may have bytes under its nulls.
    let offsets: [Int64] = [0, 2, 5, 6]
    let column = Column(
      type: .string, count: 3, validity: Bitmap([true, false, true]), data: BufferSlice(copying: Array("abxyzc".utf8)),
      offsets: offsets.withUnsafeBytes { BufferSlice(copying: Array($0)) })
    let batch = Batch(schema: Schema([Field("s", .string)]), columns: [column], rowCount: 3)
    let back = try ParquetReader(bytes: ParquetWriter.encode(batch, options: .export)).read(rowGroup: 0)
    #expect(back.columns[0].scalars == [.string("ab"), .null, .string("c")])
  }

  @Test func slicedColumnsAreWrittenFromTheirFirstRow() throws {
    var generator = SeededGenerator(seed: 15)
    let whole = Samples.batch(count: 1000, shape: .any, nulls: true, &generator)
    let part = whole.slice(from: 333, count: 501)
    let back = try ParquetReader(bytes: ParquetWriter.encode(part, options: .export)).read(rowGroup: 0)
    for (a, b) in zip(part.columns, back.columns) { #expect(a.equalsExactly(b)) }
  }

  @Test func secondsBecomeMilliseconds() throws {
    let batch = Batch(
      schema: Schema([Field("t", .timestamp(.second, zone: "UTC"))]),
      columns: [Column(.timestamp(.second, zone: "UTC"), [.timestamp(-3, .second), .null])], rowCount: 2)
    let back = try ParquetReader(bytes: ParquetWriter.encode(batch, options: .export)).read(rowGroup: 0)
    #expect(back.schema.fields[0].type == .timestamp(.millisecond, zone: "UTC"))
    #expect(back.columns[0].scalars == [.timestamp(-3000, .millisecond), .null])
  }

  @Test func sameRowsMakeSameBytes() {
    var first = SeededGenerator(seed: 16)
    var second = SeededGenerator(seed: 16)
    let a = ParquetWriter.encode(Samples.batch(count: 20_000, shape: .any, nulls: true, &first), options: .leaf(keyColumns: [4]))
    let b = ParquetWriter.encode(Samples.batch(count: 20_000, shape: .any, nulls: true, &second), options: .leaf(keyColumns: [4]))
    #expect(a.withBytes { Array($0) } == b.withBytes { Array($0) })
  }
}
