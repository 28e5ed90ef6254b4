import Columns
import Testing

@testable import Arrow

@Suite struct RoundTripTests {
  static let options: [ArrowWriterOptions] = [.file, .stream].flatMap { format in
    [nil, .lz4, .zstd].map { ArrowWriterOptions(format: format, codec: $0) }
  }

  @Test(arguments: options) func everyTypeComesBack(options: ArrowWriterOptions) throws {
    let seed: UInt64 = 20_260_131
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let batches = [100, 0, 1, 65].map { Sample.batch(rowCount: $0, &random) }
    let bytes = write(batches, schema: Sample.schema, options)
    let again = try readAll(bytes)
    try #require(again.count == batches.count)
    for (batch, other) in zip(batches, again) {
      #expect(other.schema == Sample.schema)
      for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, other.columns)) {
        #expect(a.equalsExactly(b), "\(field.name) \(field.type)")
        #expect(b.validity == nil || field.isNullable)
      }
    }
    #expect(write(batches, schema: Sample.schema, options) == bytes, "The same batches give the same bytes")
  }

  @Test func slicesAreWrittenAsIfTheyStoodAlone() throws {
    let seed: UInt64 = 7
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let batch = Sample.batch(rowCount: 50, &random)
    for (start, count) in [(0, 50), (3, 40), (13, 1), (50, 0)] {
      let slice = batch.slice(from: start, count: count)
      let again = try readAll(write([slice], schema: Sample.schema, ArrowWriterOptions(format: .stream)))[0]
      for (field, (a, b)) in zip(slice.schema.fields, zip(slice.columns, again.columns)) {
        #expect(a.equalsExactly(b), "\(field.name) \(field.type) from \(start)")
      }
    }
  }

  /// Validity and bits that begin anywhere within a byte, behind whole bytes or whole words.
  @Test func slicesAtEveryOffsetComeBack() throws {
    var random = SplitMix(state: 8)
    let batch = Sample.batch(rowCount: 90, &random)
    for start in 0...70 {
      let slice = batch.slice(from: start, count: 19)
      let again = try readAll(write([slice], schema: Sample.schema, ArrowWriterOptions(format: .stream)))[0]
      for (field, (a, b)) in zip(batch.schema.fields, zip(batch.columns, again.columns)) {
        #expect((0..<19).allSatisfy { "\(a.scalar(at: start + $0))" == "\(b.scalar(at: $0))" }, "\(field.name) \(field.type) from \(start)")
      }
    }
  }

  @Test(arguments: options) func dictionaryColumnsComeBackAsValues(options: ArrowWriterOptions) throws {
    var options = options
    options.dictionaryColumns = [0, 2]
    let schema = Schema([Field("s", .string), Field("i", .int32, isNullable: false), Field("b", .binary)])
    func batch(_ words: [String?]) -> Batch {
      let texts = words.map { $0.map { Scalar.string($0) } ?? .null }
      let bytes = words.map { $0.map { Scalar.binary(Array($0.utf8)) } ?? .null }
      let numbers = words.indices.map { Scalar.int(Int64($0)) }
      return Batch(
        schema: schema, columns: [Column(.string, texts), Column(.int32, numbers), Column(.binary, bytes)], rowCount: words.count)
    }
    let many = (0..<2000).map { Optional("word \($0 % 1500)") }
    let batches = [batch([nil, nil]), batch(["a", nil, "b", "a"]), batch(["b", "", "c"]), batch(many), batch([])]
    let again = try readAll(write(batches, schema: schema, options))
    #expect(again.count == batches.count)
    for (batch, other) in zip(batches, again) {
      for (a, b) in zip(batch.columns, other.columns) { #expect(a.equalsExactly(b)) }
    }
  }

  @Test func alignedValuesAreNotCopied() throws {
    let schema = Schema([Field("i", .int64), Field("s", .string), Field("d", .decimal(precision: 38, scale: 0))])
    let columns = [
      Column(.int64, [.int(1), .int(2)]), Column(.string, [.string("a"), .string("b")]),
      Column(.decimal(precision: 38, scale: 0), [.decimal(1, scale: 0), .decimal(2, scale: 0)]),
    ]
    let bytes = BufferSlice(copying: write([Batch(schema: schema, columns: columns, rowCount: 2)], schema: schema, ArrowWriterOptions()))
    var reader = try ArrowReader(bytes: bytes)
    let batch = try #require(try reader.next())
    let range = bytes.start..<(bytes.start + bytes.byteCount)
    for column in batch.columns { #expect(range.contains(column.data.start)) }
    #expect(batch.columns[1].offsets.map { range.contains($0.start) } == true)
    // The same bytes elsewhere are copied, and read the same.
    let shifted = BufferSlice(copying: [0] + bytes.withBytes { Array($0) }).dropFirst(byteCount: 1)
    var other = try ArrowReader(bytes: shifted)
    let again = try #require(try other.next())
    for (a, b) in zip(batch.columns, again.columns) { #expect(a.equalsExactly(b)) }
  }

  @Test func consumedBytesAreReported() throws {
    final class Log: @unchecked Sendable { var ranges: [Range<Int>] = [] }
    let schema = Schema([Field("i", .int32)])
    let batch = Batch(schema: schema, columns: [Column(.int32, [.int(1)])], rowCount: 1)
    let bytes = write([batch, batch], schema: schema, ArrowWriterOptions(format: .stream))
    var reader = try ArrowReader(bytes: BufferSlice(copying: bytes))
    let log = Log()
    reader.onConsumed = { log.ranges.append($0) }
    _ = try reader.next()
    #expect(log.ranges.isEmpty)
    while try reader.next() != nil {}
    #expect(log.ranges.count == 2 && log.ranges[0].upperBound == log.ranges[1].lowerBound)
    #expect(log.ranges.last?.upperBound == bytes.count - 8, "Only the end mark lies behind the last batch")
  }

  @Test func buffersLieAtMultiplesOf64() throws {
    let schema = Schema([Field("i", .int64)])
    let batch = Batch(schema: schema, columns: [Column(.int64, [.int(0x0102_0304_0506_0708)])], rowCount: 1)
    for format in [ArrowWriterOptions.Format.file, .stream] {
      let bytes = write([batch], schema: schema, ArrowWriterOptions(format: format))
      let value: [UInt8] = [8, 7, 6, 5, 4, 3, 2, 1]
      let place = try #require((0..<(bytes.count - 8)).first { Array(bytes[$0..<($0 + 8)]) == value })
      #expect(place % 64 == 0)
    }
  }
}
