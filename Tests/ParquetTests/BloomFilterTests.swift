import Columns
import Testing

@testable import Parquet

@Suite struct BloomFilterTests {
  private static func probe<R>(_ bytes: [UInt8], _ body: (BloomFilterProbe?) -> R) -> R {
    bytes.withUnsafeBytes { body(BloomFilterProbe($0)) }
  }

  @Test func hashesAreThoseOfTheFormat() {
    // XXH64 with seed 0 of nothing and of "abc", as xxHash publishes them.
    #expect(BloomFilter.hash(UnsafeRawBufferPointer(start: nil, count: 0)) == 0xEF46_DB37_51D8_E999)
    #expect(Array("abc".utf8).withUnsafeBytes { BloomFilter.hash($0) } == 0x44BC_2CF5_AD77_0999)
  }

  @Test func oneValueSetsOneBitInEachWord() {
    let bytes = BloomFilter(hashes: [0x0123_4567_89AB_CDEF]).bytes
    #expect(bytes.suffix(32).reduce(0) { $0 + $1.nonzeroBitCount } == 8)
    // {1: 32 (zigzag 64), 2: {1: {}}, 3: {1: {}}, 4: {1: {}}}
    #expect(bytes.dropLast(32) == [0x15, 0x40, 0x1C, 0x1C, 0, 0, 0x1C, 0x1C, 0, 0, 0x1C, 0x1C, 0, 0, 0])
  }

  @Test func everyValueIsFoundAndFewOthers() {
    var generator = SeededGenerator(seed: 71)
    let hashes = (0..<20_000).map { _ in generator.next() }
    let others = (0..<20_000).map { _ in generator.next() }
    let bytes = BloomFilter(hashes: hashes).bytes
    #expect(bytes.count - 17 < 2 * 20_000 * 10 / 8)
    Self.probe(bytes) { probe in
      #expect(hashes.allSatisfy { probe?.mayContain($0) == true })
      let wrong = others.filter { probe?.mayContain($0) == true }.count
      #expect(wrong < 300, "\(wrong) of 20000 with seed 71")
    }
    #expect(BloomFilter(hashes: hashes.reversed() + hashes).bytes == bytes)
  }

  @Test func damagedFiltersAreNotAsked() {
    let bytes = BloomFilter(hashes: [1, 2, 3]).bytes
    for length in 0..<bytes.count { #expect(Self.probe(Array(bytes[..<length])) { $0 == nil }) }
    for place in 0..<15 {
      var damaged = bytes
      damaged[place] ^= 0x55
      _ = Self.probe(damaged) { $0?.mayContain(.max) }
    }
  }

  @Test func booleansHaveNone() {
    let batch = Batch(schema: Schema([Field("b", .bool)]), columns: [Column(.bool, [.bool(true)])], rowCount: 1)
    var options = ParquetWriterOptions.export
    options.bloomFilterColumns = ["b"]
    #expect(throws: ParquetError(kind: .unsupported, text: "Cannot write a Bloom filter for column b: it holds booleans")) {
      try ParquetWriter.file(of: batch, options: options)
    }
  }
}
