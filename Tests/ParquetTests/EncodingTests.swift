import Columns
import Testing

@testable import Parquet

@Suite struct EncodingTests {
  /// The bytes with the slack that decoders may read.
  private static func padded(_ sink: ByteSink) -> (BufferSlice, UnsafeRawBufferPointer) {
    let slice = sink.finish()
    return (slice, UnsafeRawBufferPointer(start: sink.bytes.baseAddress, count: sink.count))
  }

  @Test func deltasOfEveryWidthComeBack() throws {
    var generator = SeededGenerator(seed: 31)
    for width in 0...64 {
      let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
      for count in [1, 2, 32, 33, 129, 300] {
        let values = (0..<count).map { _ in generator.next() & mask }
        var sink = ByteSink()
        values.withUnsafeBufferPointer { DeltaEncoding.encode($0.baseAddress!, count: count, into: &sink) }
        let (owner, bytes) = Self.padded(sink)
        var back = [UInt64](repeating: 1, count: count)
        let end = try back.withUnsafeMutableBufferPointer { try DeltaDecoding.decode(bytes, count: count, into: $0.baseAddress!) }
        #expect(back == values, "width \(width), \(count) values")
        #expect(end == bytes.count)
        withExtendedLifetime(owner) {}
      }
    }
  }

  @Test func deltasWrapAroundAtTheExtremes() throws {
    let values: [UInt32] = [0x8000_0000, 0x7FFF_FFFF, 0, 0xFFFF_FFFF, 0x8000_0000]
    var sink = ByteSink()
    values.withUnsafeBufferPointer { DeltaEncoding.encode($0.baseAddress!, count: 5, into: &sink) }
    var back = [UInt32](repeating: 1, count: 5)
    _ = try back.withUnsafeMutableBufferPointer { try DeltaDecoding.decode(sink.bytes, count: 5, into: $0.baseAddress!) }
    #expect(back == values)
  }

  @Test func runsOfEveryWidthComeBack() throws {
    var generator = SeededGenerator(seed: 32)
    for width in 1...32 {
      let mask = UInt32(truncatingIfNeeded: (UInt64(1) << UInt64(width)) - 1)
      var values: [UInt32] = []
      while values.count < 500 {
        let value = UInt32(truncatingIfNeeded: generator.next()) & mask
        values += [UInt32](repeating: value, count: Int(generator.next() % 3 == 0 ? generator.next() % 40 : 1))
      }
      var sink = ByteSink()
      values.withUnsafeBufferPointer { RunEncoding.encode($0.baseAddress!, count: values.count, bitWidth: width, into: &sink) }
      var back = [UInt32](repeating: 1, count: values.count)
      try back.withUnsafeMutableBufferPointer {
        try HybridRuns.decode(sink.bytes, bitWidth: width, count: values.count, into: $0.baseAddress!)
      }
      #expect(back == values, "width \(width)")
    }
  }

  @Test func streamsSplitAndJoin() {
    for width in [2, 4, 8, 16] {
      let values = (0..<(width * 100)).map { UInt8(truncatingIfNeeded: $0 * 31) }
      var split = [UInt8](repeating: 0, count: values.count)
      var joined = split
      ByteStreams.split(values, count: 100, byteWidth: width, into: &split)
      ByteStreams.join(split, streamByteCount: 100, count: 100, byteWidth: width, into: &joined)
      #expect(joined == values)
      #expect(split[1] == values[width])
    }
  }

  private static func bounds(_ type: DataType, _ scalars: [Scalar]) throws -> (
    least: BoundsEncoding.Encoded, greatest: BoundsEncoding.Encoded
  )? {
    let layout = ColumnLayout(Field("c", type))
    let dense = try DenseColumn(Column(type, scalars), layout)
    let encoding = BoundsEncoding(column: dense, layout: layout)
    var seen: [UInt32] = []
    return encoding.encode(encoding.bounds(0..<dense.count, dictionary: nil, seen: &seen, page: 0))
  }

  private static func bytes<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  @Test func boundsKeepToTheOrderOfTheirType() throws {
    let signed = try #require(try Self.bounds(.int32, [.int(3), .null, .int(-7)]))
    #expect(signed.least.bytes == Self.bytes(Int32(-7)) && signed.greatest.bytes == Self.bytes(Int32(3)))
    let unsigned = try #require(try Self.bounds(.uint64, [.uint(3), .uint(.max)]))
    #expect(unsigned.least.bytes == Self.bytes(UInt64(3)) && unsigned.greatest.bytes == Self.bytes(UInt64.max))
    let floats = try #require(try Self.bounds(.float64, [.double(-2.5), .double(.nan), .double(1e300), .double(-.infinity)]))
    #expect(floats.least.bytes == Self.bytes(-Double.infinity) && floats.greatest.bytes == Self.bytes(1e300))
    let decimal = try #require(try Self.bounds(.decimal(precision: 30, scale: 0), [.decimal(-1, scale: 0), .decimal(256, scale: 0)]))
    #expect(decimal.least.bytes == [UInt8](repeating: 0xFF, count: 16))
    #expect(decimal.greatest.bytes == [UInt8](repeating: 0, count: 14) + [1, 0])
    let strings = try #require(try Self.bounds(.string, [.string("b"), .string("ab"), .string("a"), .string("ž")]))
    #expect(strings.least.bytes == Array("a".utf8) && strings.greatest.bytes == Array("ž".utf8))
  }

  @Test func zerosTakeTheSignThatCoversBoth() throws {
    let found = try #require(try Self.bounds(.float64, [.double(0)]))
    #expect(found.least.bytes == Self.bytes(-0.0) && found.greatest.bytes == Self.bytes(0.0))
    let other = try #require(try Self.bounds(.float32, [.float(-0.0)]))
    #expect(other.least.bytes == Self.bytes(Float(-0.0)) && other.greatest.bytes == Self.bytes(Float(0.0)))
  }

  @Test func onlyNaNHasNoBounds() throws { #expect(try Self.bounds(.float64, [.double(.nan), .double(-.nan)]) == nil) }

  @Test func longStringsAreCutBetweenCharacters() throws {
    let text = String(repeating: "a", count: 63) + "žluť"
    let found = try #require(try Self.bounds(.string, [.string(text)]))
    #expect(found.least.bytes == Array(repeating: 0x61, count: 63) && !found.least.isExact)
    #expect(found.greatest.bytes == Array(repeating: 0x61, count: 62) + [0x62] && !found.greatest.isExact)
  }

  @Test func pageIndexDescribesEveryPage() throws {
    let column = Column(.int64, (0..<10).map { $0 == 4 || $0 == 5 ? .null : .int($0 * 10) })
    var options = ParquetWriterOptions.export
    options.pageRowCount = 2
    var sink = ByteSink()
    let chunk = try ChunkEncoder(column, ColumnLayout(Field("c", .int64)), options, isKey: false).encode(into: &sink, fileOffset: 4)
    #expect(chunk.pages.map(\.firstRow) == [0, 2, 4, 6, 8])
    #expect(chunk.pages.map(\.nullCount) == [0, 0, 2, 0, 0])
    #expect(chunk.pages[2].least == nil)
    #expect(chunk.pages[3].least == Self.bytes(Int64(60)))
    #expect(chunk.boundaryOrder == 1)
    let index = try #require(FooterWriting.columnIndex(chunk))
    var nullPages: [Bool] = []
    var greatest: [[UInt8]] = []
    try index.withUnsafeBytes { bytes in
      var reader = ThriftReader(bytes, subject: "column index")
      try reader.fields { (reader, field) throws(ParquetError) in
        switch field.id {
        case 1: try reader.list(field) { (reader, element) throws(ParquetError) in nullPages.append(try reader.bool(element)) }
        case 3: try reader.list(field) { (reader, element) throws(ParquetError) in greatest.append(Array(try reader.binary(element))) }
        default: try reader.skip(field)
        }
      }
    }
    #expect(nullPages == [false, false, true, false, false])
    #expect(greatest == [Self.bytes(Int64(10)), Self.bytes(Int64(30)), [], Self.bytes(Int64(70)), Self.bytes(Int64(90))])
  }

  @Test func encodingFollowsTheBenefit() throws {
    func encoding(_ type: DataType, isKey: Bool = false, _ value: (Int) -> Scalar) throws -> Encoding {
      let column = Column(type, (0..<4096).map(value))
      var sink = ByteSink()
      return try ChunkEncoder(column, ColumnLayout(Field("c", type)), .leaf(keyColumns: []), isKey: isKey).encode(
        into: &sink, fileOffset: 4
      )
      .encoding
    }
    var generator = SeededGenerator(seed: 33)
    #expect(try encoding(.string) { .string("few \($0 % 3)") } == .rleDictionary)
    #expect(try encoding(.string) { .string("note \($0)") } == .deltaLengthByteArray)
    #expect(try encoding(.string, isKey: true) { .string("customer-of-the-shop-\(100_000 + $0)") } == .deltaByteArray)
    #expect(try encoding(.timestampMicros) { .timestamp(Int64($0) * 1_000_003, .microsecond) } == .deltaBinaryPacked)
    #expect(try encoding(.int64) { _ in .int(Int64(bitPattern: generator.next())) } == .plain)
    #expect(try encoding(.float64) { .double(1000 + Double($0) / 7) } == .byteStreamSplit)
  }
}
