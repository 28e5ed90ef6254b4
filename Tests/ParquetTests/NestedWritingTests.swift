import Columns
import Testing

@testable import Parquet

@Suite struct NestedWritingTests {
  static let number = Field("x", .int64)
  static let required = Field("y", .int64, isNullable: false)
  static let text = Field("s", .string)

  static let fields: [Field] = [
    Field("list", .list(Field("element", .int64, id: 8)), id: 7),
    Field("full", .list(Field("element", .int64, isNullable: false)), isNullable: false),
    Field("lists", .list(Field("element", .list(Field("element", .string))))),
    Field("structure", .structure([number, required, text])),
    Field("deep", .structure([number, Field("inner", .structure([required, text]))]), isNullable: false),
    Field("map", .map(key: Field("key", .string, isNullable: false), value: Field("value", .int32))),
    Field(
      "maps",
      .map(key: Field("key", .int32, isNullable: false), value: Field("value", .list(Field("element", .structure([number, text])))))),
    Field("rows", .list(Field("element", .structure([required, Field("tags", .list(Field("element", .string)))])))),
    Field("bools", .list(Field("element", .bool))),
    Field("fixed", .list(Field("element", .fixedBinary(byteWidth: 3)))),
    Field("flat", .int32, isNullable: false),
  ]

  static func scalar(_ field: Field, _ generator: inout SeededGenerator) -> Scalar {
    if field.isNullable && generator.next() % 5 == 0 { return .null }
    switch field.type {
    case .list(let element): return .list((0..<Int(generator.next() % 4)).map { _ in scalar(element, &generator) })
    case .map(let key, let value):
      return .list((0..<Int(generator.next() % 4)).map { _ in .structure([scalar(key, &generator), scalar(value, &generator)]) })
    case .structure(let fields): return .structure(fields.map { scalar($0, &generator) })
    default: return Samples.scalar(field.type, .few, 0, &generator)
    }
  }

  static func batch(count: Int, seed: UInt64) -> Batch {
    var generator = SeededGenerator(seed: seed)
    let columns = fields.map { field in Column(field.type, (0..<count).map { _ in scalar(field, &generator) }) }
    return Batch(schema: Schema(fields), columns: columns, rowCount: count)
  }

  @Test func slotsFollowThePaperOfDremel() throws {
    // [[1, null], [], null], null, [], [[2]]
    let type = DataType.list(Field("element", .list(Field("element", .int64))))
    let column = Column(
      type, [.list([.list([.int(1), .null]), .list([]), .null]), .null, .list([]), .list([.list([.int(2)])])])
    let layout = try #require(WriterSchema(Schema([Field("a", type)])).leaves.first)
    #expect(layout.path == ["a", "list", "element", "list", "element"])
    #expect((layout.definitionMax, layout.repetitionMax) == (5, 2))
    let shredded = try ShreddedLeaf([column], layout)
    #expect(shredded.definitions == [5, 4, 3, 2, 0, 1, 5])
    #expect(shredded.repetitions == [0, 2, 1, 1, 0, 0, 0])
    let leaf = try LeafColumn([column], layout)
    #expect((leaf.rowCount, leaf.slotCount, leaf.nullCount) == (4, 7, 5))
    #expect(leaf.dense.data.withBytes { $0.loadUnaligned(fromByteOffset: 8, as: Int64.self) } == 2)
  }

  @Test func pagesBeginWithRows() throws {
    let type = DataType.list(Field("element", .int64, isNullable: false))
    // Rows of 3, 3, 9, 1, 1, 1 and 12 elements, pages of 4.
    let lengths = [3, 3, 9, 1, 1, 1, 12]
    let column = Column(type, lengths.map { .list((0..<$0).map { .int(Int64($0)) }) })
    let layout = try #require(WriterSchema(Schema([Field("a", type)])).leaves.first)
    let pages = try LeafColumn([column], layout).pages(slotCountMax: 4)
    #expect(pages.map(\.rows) == [0..<1, 1..<2, 2..<3, 3..<6, 6..<7])
    #expect(pages.map(\.slots) == [0..<3, 3..<6, 6..<15, 15..<18, 18..<30])
    #expect(pages.map(\.values) == pages.map(\.slots))
  }

  @Test(arguments: [ParquetWriterOptions.PageVersion.v1, .v2]) func nestedColumnsComeBack(version: ParquetWriterOptions.PageVersion) throws
  {
    let batch = Self.batch(count: 2000, seed: 41)
    for codec in [ParquetCodec.none, .snappy, .brotli, .zstd(level: 1)] {
      var options = ParquetWriterOptions.with(codec: codec, pageRowCount: 300)
      options.pageVersion = version
      let reader = try ParquetReader(bytes: ParquetWriter.file(of: batch, options: options))
      #expect(reader.schema == batch.schema)
      let back = try reader.read(rowGroup: 0)
      for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, back.columns)) {
        #expect(a.equalsExactly(b), "\(field.name) \(codec)")
      }
    }
  }

  @Test func bytesDependNeitherOnBatchesNorOnThreads() throws {
    let batch = Self.batch(count: 1010, seed: 42).slice(from: 5, count: 1000)
    var files: [[UInt8]] = []
    for (step, threadCount) in [(1000, 1), (1000, 2), (77, 1), (13, 2)] {
      var options = ParquetWriterOptions.with(codec: .zstd(level: 1), pageRowCount: 100)
      options.rowGroupRowCount = 400
      options.threadCount = threadCount
      var writer = ParquetWriter(schema: batch.schema, options: options)
      var bytes: [UInt8] = []
      for start in stride(from: 0, to: 1000, by: step) {
        try writer.write(batch.slice(from: start, count: min(step, 1000 - start))) { bytes.append(contentsOf: $0) }
      }
      try writer.finish { bytes.append(contentsOf: $0) }
      files.append(bytes)
    }
    #expect(files.allSatisfy { $0 == files[0] })
  }

  private static func refusal(_ field: Field, _ column: Column) -> String? {
    let batch = Batch(schema: Schema([field]), columns: [column], rowCount: column.count)
    do {
      _ = try ParquetWriter.file(of: batch, options: .export)
      return nil
    } catch {
      return "\(error)"
    }
  }

  @Test func whatHasNoFormIsRefused() {
    #expect(
      Self.refusal(Field("a", .structure([])), Column(.structure([]), [.structure([])]))
        == "Cannot write column a: a structure without fields has no form in Parquet")
    let list = DataType.list(Field("element", .int64, isNullable: false))
    #expect(
      Self.refusal(Field("a", list), Column(list, [.list([.int(1), .null])]))
        == "Cannot write column a.list.element: it has a null where its schema allows none")
    #expect(
      Self.refusal(Field("a", .int64, isNullable: false), Column(.int64, [.null, .int(1)]))
        == "Cannot write column a: it has 1 nulls where its schema allows none")
    #expect(
      Self.refusal(Field("a", .timestamp(.second, zone: nil)), Column(.timestamp(.second, zone: nil), [.timestamp(.max, .second)]))
        == "Cannot write column a: 9223372036854775807 seconds do not fit milliseconds of 64 bits")
    let decimal = DataType.decimal(precision: 3, scale: 1)
    #expect(
      Self.refusal(Field("a", decimal), Column(decimal, [.decimal(1000, scale: 1)]))
        == "Cannot write column a: the unscaled value 1000 has more than the 3 digits of its type")
  }
}
