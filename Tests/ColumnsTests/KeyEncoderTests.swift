import Columns
import Testing

@Suite struct KeyEncoderTests {
  private let keyTypes = flatTypes.filter { type in
    switch type {
    case .decimal, .fixedBinary, .time, .duration: false
    default: !type.isFloat
    }
  }

  private func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The vectors of docs/format/keys.md.
  @Test(arguments: [
    (DataType.bool, Scalar.bool(false), "00"), (.bool, .bool(true), "01"),
    (.int8, .int(-1), "7fffffffffffffff"), (.int64, .int(0), "8000000000000000"),
    (.int32, .int(1), "8000000000000001"), (.int64, .int(.min), "0000000000000000"),
    (.int64, .int(.max), "ffffffffffffffff"),
    (.uint8, .uint(255), "00000000000000ff"), (.uint64, .uint(.max), "ffffffffffffffff"),
    (.date, .date(-1), "7fffffffffffffff"), (.date, .date(20_000), "8000000000004e20"),
    (.timestampMicros, .timestamp(1_700_000_000_000_000, .microsecond), "80060a24181e4000"),
    (.string, .string(""), "0000"), (.string, .string("a"), "610000"), (.string, .string("a\0b"), "6100ff620000"),
    (.string, .string("ž"), "c5be0000"), (.binary, .binary([0, 255]), "00ffff0000"),
  ]) func vectors(type: DataType, value: Scalar, expected: String) throws {
    let column = Column(type, [value])
    let key = try KeyEncoder.encode([column], row: 0)
    #expect(hex(key) == expected)
    #expect(try hex(KeyEncoder.encodeAll([column], rows: 0..<1).array(at: 0)) == expected)
    #expect(try KeyEncoder.decode(key, types: [type]) == [value])
  }

  @Test func composedVector() throws {
    let columns = [Column(.int64, [.int(42)]), Column(.string, [.string("eu")]), Column(.bool, [.bool(true)])]
    #expect(try hex(KeyEncoder.encode(columns, row: 0)) == "800000000000002a6575000001")
  }

  @Test func bytesOrderAsRowsDo() throws {
    for seed in UInt64(300)..<360 {
      var random = SeededRandom(seed: seed)
      let types = (0..<Int.random(in: 1...4, using: &random)).map { _ in keyTypes.randomElement(using: &random)! }
      let columns = types.map { random.column($0, count: 130, nulls: false, narrow: random.next() % 2 == 0).slice(from: 2, count: 125) }
      let rows = 5..<120
      let keys = try KeyEncoder.encodeAll(columns, rows: rows)
      #expect(keys.count == rows.count)
      var total = 0
      for row in rows {
        let key = keys.array(at: row - 5)
        total += key.count
        #expect(try key == KeyEncoder.encode(columns, row: row), "seed \(seed), types \(types)")
        #expect(try KeyEncoder.decode(key, types: types) == columns.map { $0.scalar(at: row) })
        let other = keys.array(at: Int.random(in: 0..<rows.count, using: &random))
        let otherRow = try #require(rows.first { keys.array(at: $0 - 5) == other })
        let order = key.lexicographicallyPrecedes(other) ? -1 : key == other ? 0 : 1
        #expect(order == naiveOrder(columns, row, columns, otherRow))
      }
      #expect(keys.byteCount == total)
    }
  }

  @Test func nullsAndTypesAreRefusedByName() throws {
    let null = Column(.int64, [.int(1), .null])
    let message = "Cannot encode key column 1: expected a value in every row, found null in row 2"
    #expect(throws: KeyError.null(column: 0, row: 1)) { try KeyEncoder.encodeAll([null], rows: 0..<2) }
    #expect("\(KeyError.null(column: 0, row: 1))" == message)
    #expect(try KeyEncoder.encodeAll([null], rows: 0..<1).count == 1)
    #expect(throws: KeyError.unsupportedType(column: 0, type: .float64)) { try KeyEncoder.encode([Column(.float64, [.double(1)])], row: 0) }
    let nanos = DataType.timestamp(.nanosecond, zone: nil)
    #expect(throws: KeyError.unsupportedType(column: 0, type: nanos)) { try KeyEncoder.encodeAll([Column(nanos, [])], rows: 0..<0) }
  }

  @Test(arguments: [
    ([UInt8](), DataType.int64), ([1, 2, 3], .int32), ([2], .bool), ([0x61], .string), ([0x61, 0], .string), ([0x61, 0, 7], .string),
    ([0xff, 0, 0], .string), ([0x80, 0, 0, 0, 0, 0, 1, 0], .int8), ([0, 0, 0], .string),
  ]) func badBytesAreRefused(bytes: [UInt8], type: DataType) {
    #expect(throws: KeyError.self) { try KeyEncoder.decode(bytes, types: [type]) }
  }

  @Test func hashesMatchXXH3() {
    let text = Array("almanac".utf8)
    let empty = [UInt8]().withUnsafeBytes { XXH3.hash64($0, seed: 0) }
    #expect(empty == 0x2d06_8005_38d3_94c2)
    #expect(text.withUnsafeBytes { XXH3.hash64($0, seed: 0) != XXH3.hash64($0, seed: 1) })
  }
}
