import Columns
import Testing

@testable import Parquet

@Suite struct DamagedIndexTests {
  /// A file with every kind of metadata.
  private static func file() throws -> [UInt8] {
    var generator = SeededGenerator(seed: 81)
    let batch = Samples.batch(count: 60, shape: .any, nulls: true, &generator)
    var options = ParquetWriterOptions.with(codec: .none, pageRowCount: 20)
    options.bloomFilterColumns = ["c4", "c11"]
    return try ParquetWriter.file(of: batch, options: options).withBytes { Array($0) }
  }

  private static func examine(_ bytes: [UInt8]) {
    guard let reader = try? ParquetReader(bytes: BufferSlice(copying: bytes)) else { return }
    _ = try? FileDescription(reader, includesPages: true)
    guard let pruning = try? ParquetPruning(reader) else { return }
    for group in 0..<reader.rowGroupCount {
      let rowCount = reader.rowCount(ofRowGroup: group)
      for column in reader.schema.fields.indices {
        for test in [
          ColumnCondition.Test.isNull, .equals(.int(5)), .equals(.string("key_5")), .range(lower: .init(.double(0)), upper: nil),
          .range(lower: nil, upper: .init(.decimal(3, scale: 2))), .equals(.timestamp(7, .second)),
        ] {
          let ranges = pruning.rowRanges(rowGroup: group, matching: [ColumnCondition(column: column, test)])
          #expect(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= rowCount && !$0.isEmpty })
        }
      }
    }
  }

  @Test func damagedMetadataNeverTraps() throws {
    let bytes = try Self.file()
    let footerByteCount = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt32.self)) }
    var generator = SeededGenerator(seed: 82)
    for _ in 0..<1500 {
      var damaged = bytes
      // Mostly in the footer, else in the indexes before it.
      let reach = generator.next() % 4 == 0 ? min(bytes.count - 8, footerByteCount * 3) : footerByteCount
      for _ in 0...(generator.next() % 3) {
        let place = bytes.count - 8 - 1 - Int(generator.next() % UInt64(reach))
        damaged[place] =
          generator.next() % 2 == 0 ? UInt8(truncatingIfNeeded: generator.next()) : damaged[place] ^ 1 << UInt8(generator.next() % 8)
      }
      Self.examine(damaged)
    }
  }

  @Test func contradictingIndexesAreIgnored() throws {
    let column = Column(.int64, (0..<40).map { .int(Int64($0)) })
    let layout = ColumnLayout(Field("c", .int64))
    var options = ParquetWriterOptions.export
    options.pageRowCount = 10
    var sink = ByteSink()
    let chunk = try ChunkEncoder(column, layout, options, isKey: false).encode(into: &sink, fileOffset: 0)
    var place = FooterDetail.Chunk()
    func index(_ bytes: [UInt8], rowCount: Int) -> OffsetIndexDetail? {
      let file = [0] + bytes
      place.offsetIndex = (1, bytes.count)
      return file.withUnsafeBytes { OffsetIndexDetail(place, rowCount: rowCount, $0) }
    }
    let bytes = FooterWriting.offsetIndex(chunk)
    #expect(index(bytes, rowCount: 40)?.pages.map(\.firstRow) == [0, 10, 20, 30])
    #expect(index(bytes, rowCount: 29) == nil)
    #expect(index(Array(bytes.dropLast(3)), rowCount: 40) == nil)
    #expect(index([], rowCount: 40) == nil)
  }
}
