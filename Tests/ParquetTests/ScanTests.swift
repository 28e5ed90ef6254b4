import Columns
import Testing

@testable import Parquet

@Suite struct ScanTests {
  static func file(_ batch: Batch, rowGroupRowCount: Int, pageRowCount: Int, codec: ParquetCodec = .snappy) throws -> BufferSlice {
    var options = ParquetWriterOptions.with(codec: codec, pageRowCount: pageRowCount)
    options.rowGroupRowCount = rowGroupRowCount
    var writer = ParquetWriter(schema: batch.schema, options: options)
    var bytes: [UInt8] = []
    let sink: (UnsafeRawBufferPointer) throws -> Void = { bytes.append(contentsOf: $0) }
    try writer.write(batch, into: sink)
    try writer.finish(into: sink)
    return BufferSlice(copying: bytes)
  }

  @Test(arguments: Samples.Shape.allCases) func batchesHoldTheRowsOfTheFile(shape: Samples.Shape) throws {
    var generator = SeededGenerator(seed: 51)
    let batch = Samples.batch(count: 3000, shape: shape, nulls: true, &generator)
    let reader = try ParquetReader(bytes: Self.file(batch, rowGroupRowCount: 1700, pageRowCount: 270))
    for (rowCountMax, threads) in [(1, 1), (64, 1), (271, 2), (5000, 1)] where rowCountMax > 1 || shape == .few {
      var scan = ParquetScan(reader, columns: [0, 4, 11, 14], batchRowCountMax: rowCountMax, threads: threads)
      var batches: [Batch] = []
      while let next = try scan.next() { batches.append(next) }
      #expect(batches.allSatisfy { $0.rowCount <= rowCountMax && $0.rowCount > 0 })
      let whole = Batch.concatenate(batches)
      #expect(whole.rowCount == 3000)
      for (column, index) in zip(whole.columns, [0, 4, 11, 14]) {
        #expect(column.equalsExactly(batch.columns[index]), "\(batch.schema.fields[index].type) in batches of \(rowCountMax)")
      }
    }
  }

  @Test func batchesEndEarlyWhenStringsAreLong() throws {
    let rows = (0..<400).map { Scalar.string(String(repeating: "ab", count: $0 % 20 == 0 ? 5000 : 5)) }
    let batch = Batch(
      schema: Schema([Field("n", .int64), Field("s", .string)]),
      columns: [Column(.int64, (0..<400).map { .int(Int64($0)) }), Column(.string, rows)], rowCount: 400)
    let reader = try ParquetReader(bytes: Self.file(batch, rowGroupRowCount: 400, pageRowCount: 50, codec: .none))
    var scan = ParquetScan(reader, batchByteCountTarget: 20_000)
    var batches: [Batch] = []
    while let next = try scan.next() { batches.append(next) }
    #expect(batches.count > 8)
    for part in batches { #expect(part.columns[1].bytes.count == part.rowCount) }
    let whole = Batch.concatenate(batches)
    for (a, b) in zip(whole.columns, batch.columns) { #expect(a.equalsExactly(b)) }
  }

  @Test func consumedBytesAreReportedOnceAndInOrder() throws {
    var generator = SeededGenerator(seed: 52)
    let batch = Samples.batch(count: 2000, shape: .any, nulls: false, &generator)
    let bytes = try Self.file(batch, rowGroupRowCount: 1000, pageRowCount: 100)
    let reader = try ParquetReader(bytes: bytes)
    var ranges: [Range<Int>] = []
    var scan = ParquetScan(reader, batchRowCountMax: 300) { ranges.append($0) }
    while try scan.next() != nil {}
    #expect(ranges.count == 2 * batch.columns.count)
    let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
    #expect(sorted.first?.lowerBound == 4)
    for (a, b) in zip(sorted, sorted.dropFirst()) { #expect(a.upperBound == b.lowerBound) }
  }
}
