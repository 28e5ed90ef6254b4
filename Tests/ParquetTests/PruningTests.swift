import Columns
import Testing

@testable import Parquet

@Suite struct PruningTests {
  private static func reader(_ column: Column, isNullable: Bool = true, bloom: Bool = false, pageIndex: Bool = true) throws -> ParquetReader
  {
    let batch = Batch(schema: Schema([Field("c", column.type, isNullable: isNullable)]), columns: [column], rowCount: column.count)
    var options = ParquetWriterOptions.with(codec: .none, pageRowCount: 10)
    options.pageIndex = pageIndex
    if bloom { options.bloomFilterColumns = ["c"] }
    return try ParquetReader(bytes: ParquetWriter.file(of: batch, options: options))
  }

  private static func ranges(_ reader: ParquetReader, _ test: ColumnCondition.Test) throws -> [Range<Int>] {
    try reader.rowRanges(rowGroup: 0, matching: [ColumnCondition(column: 0, test)])
  }

  @Test func sortedColumnsAreFoundByTheirPages() throws {
    let reader = try Self.reader(Column(.int64, (0..<100).map { $0 / 10 == 4 ? .null : .int(Int64($0)) }))
    #expect(try Self.ranges(reader, .equals(.int(27))) == [20..<30])
    #expect(try Self.ranges(reader, .equals(.int(200))) == [])
    #expect(try Self.ranges(reader, .isOneOf([.int(5), .int(15), .int(95)])) == [0..<20, 90..<100])
    #expect(try Self.ranges(reader, .range(lower: .init(.int(35)), upper: .init(.int(59)))) == [30..<40, 50..<60])
    #expect(
      try Self.ranges(reader, .range(lower: .init(.int(29), isInclusive: false), upper: .init(.int(60), isInclusive: false))) == [
        30..<40, 50..<60,
      ])
    #expect(try Self.ranges(reader, .range(lower: nil, upper: .init(.int(9)))) == [0..<10])
    #expect(try Self.ranges(reader, .isNull) == [40..<50])
    #expect(try Self.ranges(reader, .isNotNull) == [0..<40, 50..<100])
    // What cannot be compared drops nothing.
    #expect(try Self.ranges(reader, .equals(.string("x"))) == [0..<100])
    #expect(try Self.ranges(reader, .equals(.null)) == [0..<100])
    let both = [ColumnCondition(column: 0, .isNotNull), ColumnCondition(column: 0, .range(lower: .init(.int(38)), upper: .init(.int(51))))]
    #expect(try reader.rowRanges(rowGroup: 0, matching: both) == [30..<40, 50..<60])
  }

  @Test func withoutPageIndexTheChunkAnswers() throws {
    let reader = try Self.reader(Column(.int64, (0..<100).map { .int(Int64($0)) }), pageIndex: false)
    #expect(try Self.ranges(reader, .equals(.int(27))) == [0..<100])
    #expect(try Self.ranges(reader, .equals(.int(100))) == [])
    #expect(try Self.ranges(reader, .isNull) == [])
  }

  @Test func unitsAndScalesAreCompared() throws {
    let times = try Self.reader(Column(.timestampMicros, (0..<30).map { .timestamp(Int64($0) * 1_000_000, .microsecond) }))
    #expect(try Self.ranges(times, .equals(.timestamp(15, .second))) == [10..<20])
    #expect(try Self.ranges(times, .equals(.timestamp(15_000_000_001, .nanosecond))) == [10..<20])
    #expect(try Self.ranges(times, .range(lower: .init(.timestamp(29_001, .millisecond)), upper: nil)) == [])
    let prices = try Self.reader(Column(.decimal(precision: 30, scale: 2), (0..<30).map { .decimal(Int128($0) - 15, scale: 2) }))
    #expect(try Self.ranges(prices, .range(lower: nil, upper: .init(.decimal(-1, scale: 1)))) == [0..<10])
    let unsigned = try Self.reader(Column(.uint64, (0..<30).map { .uint(UInt64.max - 29 + UInt64($0)) }))
    #expect(try Self.ranges(unsigned, .equals(.uint(.max))) == [20..<30])
    #expect(try Self.ranges(unsigned, .equals(.int(-1))) == [])
  }

  @Test func filtersRuleOutWhatBoundsCannot() throws {
    // Even numbers, and zeros of both signs.
    let numbers = try Self.reader(Column(.int32, (0..<1000).map { .int(Int64($0 * 2)) }), bloom: true, pageIndex: false)
    let absent = try (0..<1000).filter { try !Self.ranges(numbers, .equals(.int(Int64($0 * 2 + 1)))).isEmpty }.count
    #expect(absent < 30)
    #expect(try (0..<1000).allSatisfy { try Self.ranges(numbers, .equals(.int(Int64($0 * 2)))) == [0..<1000] })
    let floats = try Self.reader(Column(.float64, [.double(-1), .double(-0.0), .double(3)]), bloom: true)
    #expect(try Self.ranges(floats, .equals(.double(0))) == [0..<3])
    #expect(try Self.ranges(floats, .equals(.double(1))) == [])
    let texts = try Self.reader(Column(.string, [.string("a"), .null, .string("žluť")]), bloom: true)
    #expect(try Self.ranges(texts, .equals(.string("žluť"))) == [0..<3])
    #expect(try Self.ranges(texts, .isOneOf([.string("b"), .string("c")])) == [])
  }

  @Test func noMatchingRowIsEverDropped() throws {
    var generator = SeededGenerator(seed: 61)
    for type in Samples.types {
      for shape in [Samples.Shape.few, .sorted, .any] {
        let column = Samples.column(type, shape, count: 120, nulls: true, &generator)
        let reader = try Self.reader(column, bloom: type != .bool)
        for row in stride(from: 0, to: 120, by: 7) {
          let value = column.scalar(at: row)
          let tests: [ColumnCondition.Test] =
            value == .null ? [.isNull] : [.equals(value), .isOneOf([value]), .range(lower: .init(value), upper: .init(value)), .isNotNull]
          for test in tests {
            #expect(try Self.ranges(reader, test).contains { $0.contains(row) }, "\(type) \(shape) row \(row) \(test)")
          }
        }
      }
    }
  }

  @Test func boundsOfOldWritersAreTrustedForSignedNumbersOnly() throws {
    let statistics = FooterDetail.Statistics(legacyLeast: [5, 0, 0, 0], legacyGreatest: [9, 0, 0, 0])
    func zone(_ type: DataType) -> Zone {
      var element = FooterDetail.Element()
      element.physicalCode = ColumnLayout(Field("c", type)).physicalType.rawValue
      return Zone(statistics, ValueKeys(element, type: type), rowCount: 10, hasTypeOrder: false)
    }
    #expect(zone(.int32).least != nil)
    #expect(zone(.uint32).least == nil)
    #expect(zone(.string).least == nil)
    #expect(zone(.decimal(precision: 9, scale: 0)).least == nil)
  }

  @Test func boundsThatAreNaNBoundNothing() {
    var element = FooterDetail.Element()
    element.physicalCode = PhysicalType.double.rawValue
    let nan = withUnsafeBytes(of: Double.nan) { Array($0) }
    let one = withUnsafeBytes(of: 1.0) { Array($0) }
    let zone = Zone(
      FooterDetail.Statistics(least: one, greatest: nan), ValueKeys(element, type: .float64), rowCount: 1, hasTypeOrder: true)
    #expect(zone.least == nil && zone.greatest == nil)
  }
}
