import Columns
import Testing

@testable import Parquet

@Suite struct RowGroupSizeTests {
  private static func rowCounts(_ lengths: [Int], byteCountMax: Int, step: Int) throws -> [Int] {
    let column = Column(.string, lengths.map { .string(String(repeating: "x", count: $0)) })
    let batch = Batch(schema: Schema([Field("s", .string)]), columns: [column], rowCount: lengths.count)
    var options = ParquetWriterOptions.export
    options.rowGroupByteCount = byteCountMax
    options.rowGroupRowCount = 10
    var writer = ParquetWriter(schema: batch.schema, options: options)
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: lengths.count, by: step) {
      try writer.write(batch.slice(from: start, count: min(step, lengths.count - start))) { bytes.append(contentsOf: $0) }
    }
    try writer.finish { bytes.append(contentsOf: $0) }
    let reader = try ParquetReader(bytes: BufferSlice(copying: bytes))
    #expect(try reader.readAll().columns[0].equalsExactly(column))
    return (0..<reader.rowGroupCount).map { reader.rowCount(ofRowGroup: $0) }
  }

  @Test func groupsEndBeforeTheyGrowPastTheirBytes() throws {
    // A value takes its bytes and 8 of an offset: 100 here.
    let even = [Int](repeating: 92, count: 12)
    // A single row may be larger than a group; the rows around it are not drawn into its group.
    let uneven = [92, 92, 5000, 92, 92, 92, 92, 92]
    for step in [1, 2, 5, 100] {
      #expect(try Self.rowCounts(even, byteCountMax: 300, step: step) == [3, 3, 3, 3])
      #expect(try Self.rowCounts(even, byteCountMax: 1 << 20, step: step) == [10, 2])
      #expect(try Self.rowCounts(uneven, byteCountMax: 300, step: step) == [2, 1, 3, 2])
    }
  }

  @Test func elementsOfListsCount() {
    let type = DataType.list(Field("element", .structure([Field("a", .int64), Field("b", .string)])))
    let column = Column(type, [.list([.structure([.int(1), .string("abc")])]), .list([]), .list([.null])])
    let batch = Batch(schema: Schema([Field("l", type)]), columns: [column], rowCount: 3)
    // Offsets 8 a row; each element 8 + 8, and its text.
    #expect((0...3).map { RowBytes.byteCount(batch, rows: $0) } == [0, 27, 35, 59])
  }

  @Test func longValuesGetPagesOfTheirOwn() throws {
    let lengths = [10, 3 << 20, 10, 10, 600 << 10, 600 << 10, 10]
    let column = Column(.string, lengths.map { .string(String(repeating: "y", count: $0)) })
    let batch = Batch(schema: Schema([Field("s", .string)]), columns: [column], rowCount: lengths.count)
    let reader = try ParquetReader(bytes: ParquetWriter.file(of: batch, options: .with(codec: .snappy)))
    #expect(try reader.read(rowGroup: 0).columns[0].equalsExactly(column))
    let pages = try #require(try FileDescription(reader, includesPages: true).rowGroups[0].columns[0].pages)
    #expect(pages.map { $0.rowCount } == [1, 1, 2, 1, 2])
  }
}
