import Columns
import Testing
import TextFormats

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}

@Suite struct RoundTripTests {
  static let types: [DataType] = [
    .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .decimal(precision: 38, scale: 9), .string,
    .binary, .date, .timestamp(.second, zone: nil), .timestamp(.millisecond, zone: "UTC"), .timestampMicros,
    .timestamp(.nanosecond, zone: nil), .float16, .fixedBinary(byteWidth: 3), .decimal(precision: 9, scale: 2),
    .decimal(precision: 5, scale: 0), .time(.second), .time(.millisecond), .time(.microsecond), .time(.nanosecond), .duration(.nanosecond),
    .list(Field("item", .int32)), .list(Field("element", .string, isNullable: false)), .list(Field("item", .list(Field("item", .date)))),
    .map(key: Field("k", .string, isNullable: false), value: Field("v", .float64)),
    .structure([
      Field("a \"b\"", .timestamp(.nanosecond, zone: nil)), Field("n", .int8, isNullable: false),
      Field("inner", .structure([Field("x", .binary), Field("y", .list(Field("item", .decimal(precision: 20, scale: 3))))])),
    ]),
  ]

  static func value(_ type: DataType, isNullable: Bool = true, _ generator: inout SplitMix) -> Scalar {
    let bits = generator.next()
    if isNullable && bits % 7 == 0 { return .null }
    let number = generator.next() >> (bits % 64)
    switch type {
    case .bool: return .bool(number & 1 == 0)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: number)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: number)))
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: number)))
    case .int64: return .int(Int64(bitPattern: number))
    case .uint8: return .uint(number & 0xFF)
    case .uint16: return .uint(number & 0xFFFF)
    case .uint32: return .uint(number & 0xFFFF_FFFF)
    case .uint64: return .uint(number)
    case .float32: return .float(Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())))
    case .float64: return .double(bits % 3 == 0 ? Double(number % 1000) / 4 : Double(bitPattern: generator.next()))
    case .float16: return .float(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: generator.next()))))
    case .decimal(38, let scale): return .decimal(Int128(Int64(bitPattern: number)) * Int128(bits % 1_000_000), scale: scale)
    case .decimal(let precision, let scale):
      var bound: UInt64 = 1
      for _ in 0..<min(precision, 19) { bound *= 10 }
      let magnitude = Int128(number % bound)
      return .decimal(bits % 2 == 0 ? magnitude : -magnitude, scale: scale)
    case .time(let unit): return .time(Int64(number % UInt64(unit.ticksPerSecond * 86_400)), unit)
    case .duration(let unit): return .duration(Int64(bitPattern: number), unit)
    case .fixedBinary(let width): return .binary((0..<width).map { _ in UInt8.random(in: 0...255, using: &generator) })
    case .list(let element):
      return .list((0..<Int(bits % 4)).map { _ in value(element.type, isNullable: element.isNullable, &generator) })
    case .map(let key, let other):
      return .list(
        (0..<Int(bits % 3)).map { _ in
          .structure([value(key.type, isNullable: false, &generator), value(other.type, isNullable: other.isNullable, &generator)])
        })
    case .structure(let fields):
      return .structure(fields.map { value($0.type, isNullable: $0.isNullable, &generator) })
    case .date: return .date(Int32(truncatingIfNeeded: number))
    case .timestamp(let unit, _): return .timestamp(Int64(bitPattern: number), unit)
    case .binary: return .binary((0..<Int(bits % 9)).map { _ in UInt8.random(in: 0...255, using: &generator) })
    case .string:
      let alphabet: [String] = [",", "\"", "\n", "\r", "a", "1", " ", "é", "😀", "\\", "\u{0}", "\t", "NaN", "\u{7F}", "\r\n", "true"]
      return .string((0..<Int(bits % 6)).map { _ in alphabet.randomElement(using: &generator)! }.joined())
    }
  }

  static func batch(_ rowCount: Int, _ generator: inout SplitMix) -> Batch {
    let fields = types.enumerated().map { Field("c\($0) \"\($1)\"", $1) }
    let columns = fields.map { field in Column(field.type, (0..<rowCount).map { _ in value(field.type, &generator) }) }
    return Batch(schema: Schema(fields), columns: columns, rowCount: rowCount)
  }

  static func expectEqual(_ found: Batch, _ expected: Batch, _ seed: UInt64) {
    #expect(found.schema == expected.schema, "seed \(seed)")
    #expect(found.rowCount == expected.rowCount, "seed \(seed)")
    for (field, (one, other)) in zip(expected.schema.fields, zip(found.columns, expected.columns)) {
      #expect(one.equalsExactly(other), "\(field.name), seed \(seed)")
    }
  }

  @Test(arguments: [1, 3, 5_000]) func csvGivesBackEveryValue(_ rowCount: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix(seed: seed)
    let batch = Self.batch(rowCount, &generator)
    var writer = CSVWriter(schema: batch.schema)
    var bytes: [UInt8] = []
    writer.write(batch, to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    var options = CSVOptions(types: batch.schema, batchRowCount: 700)
    options.chunkByteCount = Int.random(in: 1...100_000, using: &generator)
    Self.expectEqual(try readCSV(text, options), batch, seed)
  }

  @Test(arguments: [1, 3, 5_000]) func jsonLinesGiveBackEveryValue(_ rowCount: Int) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix(seed: seed)
    let batch = Self.batch(rowCount, &generator)
    var writer = JSONLinesWriter(schema: batch.schema)
    var bytes: [UInt8] = []
    writer.write(batch, to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    var options = JSONLinesOptions(types: batch.schema, batchRowCount: 700)
    options.chunkByteCount = Int.random(in: 1...100_000, using: &generator)
    Self.expectEqual(try readJSONLines(text, options), batch, seed)
  }

  @Test func singleColumnsKeepNullsAndEmptyStrings() throws {
    let schema = Schema([Field("a", .string)])
    let batch = Batch(schema: schema, columns: [Column(.string, [.null, .string(""), .string("x"), .null])], rowCount: 4)
    var writer = CSVWriter(schema: schema)
    var bytes: [UInt8] = []
    writer.write(batch, to: &bytes)
    #expect(bytes == Array("a\n\n\"\"\nx\n\n".utf8))
    #expect(try readCSV(String(decoding: bytes, as: UTF8.self)).columns[0].scalars == batch.columns[0].scalars)
  }

  /// What the formats give meaning to, and some other bytes.
  static let damage = Array("\"\",\n\r\\{}[]:,-.0123456789eE TZntf;".utf8) + [0, 0x7F, 0x80, 0xC3, 0xED, 0xFF]

  @Test func damagedTextNeverTraps() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix(seed: seed)
    let batch = Self.batch(4, &generator)
    var csv: [UInt8] = []
    var lines: [UInt8] = []
    var csvWriter = CSVWriter(schema: batch.schema)
    csvWriter.write(batch, to: &csv)
    var linesWriter = JSONLinesWriter(schema: batch.schema)
    linesWriter.write(batch, to: &lines)
    for round in 0..<1_000 {
      for (index, source) in [csv, lines].enumerated() {
        var bytes = source
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = Self.damage.randomElement(using: &generator)!
        }
        bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
        let types = round % 2 == 0 ? batch.schema : nil
        let chunkByteCount = round % 3 == 0 ? 50 : 1 << 20
        let slice = BufferSlice(copying: bytes)
        if index == 0 {
          var options = CSVOptions(types: types, sampleByteCount: 100)
          options.chunkByteCount = chunkByteCount
          guard var reader = try? CSVReader(bytes: slice, options: options) else { continue }
          while let part = try? reader.next() { _ = part.rowCount }
        } else {
          var options = JSONLinesOptions(types: types, sampleByteCount: 100)
          options.chunkByteCount = chunkByteCount
          guard var reader = try? JSONLinesReader(bytes: slice, options: options) else { continue }
          while let part = try? reader.next() { _ = part.rowCount }
        }
      }
    }
  }

  /// Validity and bits that begin anywhere within a byte, behind whole bytes or whole words.
  @Test func slicesAtEveryOffsetAreWrittenAsIfTheyStoodAlone() {
    var generator = SplitMix(seed: 19)
    let fields = Self.types.indices.map { Field("c\($0)", Self.types[$0]) }
    let values = fields.map { field in (0..<90).map { _ in Self.value(field.type, &generator) } }
    func batch(_ rows: Range<Int>) -> Batch {
      Batch(schema: Schema(fields), columns: zip(fields, values).map { Column($0.type, Array($1[rows])) }, rowCount: rows.count)
    }
    let whole = batch(0..<90)
    for start in stride(from: 0, through: 70, by: 1) {
      var texts: [[UInt8]] = [[], [], [], []]
      for (index, part) in [whole.slice(from: start, count: 11), batch(start..<start + 11)].enumerated() {
        let flat = part.schema.fields.indices.filter { !part.schema.fields[$0].type.isNested }
        let table = Batch(
          schema: Schema(flat.map { part.schema.fields[$0] }), columns: flat.map { part.columns[$0] }, rowCount: part.rowCount)
        var csv = CSVWriter(schema: table.schema)
        csv.write(table, to: &texts[index])
        var lines = JSONLinesWriter(schema: part.schema)
        lines.write(part, to: &texts[2 + index])
      }
      #expect(texts[0] == texts[1] && texts[2] == texts[3] && !texts[0].isEmpty && !texts[2].isEmpty, "from \(start)")
    }
  }

}
