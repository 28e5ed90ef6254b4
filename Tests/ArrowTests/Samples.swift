import Arrow
import Columns
import Glibc

/// The files that fixtures/make_arrow_fixtures.py writes.
enum Fixture {
  static let folder: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/fixtures/arrow"
  }()

  static func bytes(_ name: String) -> [UInt8] {
    guard let file = fopen("\(folder)/\(name)", "rb") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&block, 1, block.count, file)
      if count == 0 { return bytes }
      bytes.append(contentsOf: block[..<count])
    }
  }

  static func names() -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.hasSuffix(".arrow") || name.hasSuffix(".arrows") { names.append(name) }
    }
    return names.sorted()
  }

  static func batches(_ name: String) throws(ArrowError) -> [Batch] { try readAll(bytes(name)) }
}

func readAll(_ bytes: [UInt8], columns: [Int]? = nil) throws(ArrowError) -> [Batch] {
  var reader = try ArrowReader(bytes: BufferSlice(copying: bytes), columns: columns)
  var batches: [Batch] = []
  while let batch = try reader.next() { batches.append(batch) }
  return batches
}

func write(_ batches: [Batch], schema: Schema, _ options: ArrowWriterOptions) -> [UInt8] {
  var writer = ArrowWriter(schema: schema, options: options)
  var bytes: [UInt8] = []
  for batch in batches { writer.write(batch) { bytes.append(contentsOf: $0) } }
  writer.finish { bytes.append(contentsOf: $0) }
  return bytes
}

/// A generator whose seed tests print.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// Random batches over every type.
enum Sample {
  static let point = DataType.structure([Field("x", .int32), Field("y", .string, isNullable: false)])
  static let types: [DataType] = [
    .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32, .float64,
    .decimal(precision: 20, scale: 3), .string, .binary, .fixedBinary(byteWidth: 5), .date, .time(.second), .time(.millisecond),
    .time(.microsecond), .time(.nanosecond), .timestamp(.second, zone: nil), .timestampMicros, .timestamp(.nanosecond, zone: "Asia/Tokyo"),
    .duration(.millisecond), .list(Field("item", .int64)), .list(Field("element", .list(Field("item", .string, isNullable: false)))),
    .map(key: Field("key", .string, isNullable: false), value: Field("value", point)), point,
    .structure([Field("p", point, isNullable: false), Field("l", .list(Field("item", .bool)))]), .structure([]),
  ]
  /// Every type with nulls and without.
  static let schema = Schema(
    types.enumerated().flatMap { [Field("n\($0)", $1), Field("r\($0)", $1, isNullable: false)] })

  static func batch(rowCount: Int, _ random: inout SplitMix) -> Batch {
    let columns = schema.fields.map { field in Column(field.type, (0..<rowCount).map { _ in scalar(field, &random) }) }
    return Batch(schema: schema, columns: columns, rowCount: rowCount)
  }

  static func scalar(_ field: Field, _ random: inout SplitMix) -> Scalar {
    if field.isNullable && random.next() % 4 == 0 { return .null }
    let bits = Int64(bitPattern: random.next())
    func bytes() -> [UInt8] { (0..<Int(random.next() % 20)).map { _ in UInt8(97 + random.next() % 26) } }
    switch field.type {
    case .bool: return .bool(bits & 1 == 0)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: return .int(bits)
    case .uint8: return .uint(UInt64(UInt8(truncatingIfNeeded: bits)))
    case .uint16: return .uint(UInt64(UInt16(truncatingIfNeeded: bits)))
    case .uint32: return .uint(UInt64(UInt32(truncatingIfNeeded: bits)))
    case .uint64: return .uint(UInt64(bitPattern: bits))
    case .float16: return .float(Float(Float16(Double(bits % 100) / 4)))
    case .float32: return .float(Float(bits % 1000) / 8)
    case .float64: return .double(Double(bits % 100_000) / 16)
    case .decimal(_, let scale): return .decimal(Int128(bits), scale: scale)
    case .string: return .string(String(decoding: bytes(), as: UTF8.self) + (bits % 5 == 0 ? "ß寿" : ""))
    case .binary: return .binary(bytes() + [UInt8(truncatingIfNeeded: bits)])
    case .fixedBinary(let width): return .binary((0..<width).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    case .date: return .date(Int32(bits % 40_000))
    case .time(let unit): return .time(Int64(UInt64(bitPattern: bits) % UInt64(86_400 * unit.ticksPerSecond)), unit)
    case .timestamp(let unit, _): return .timestamp(bits, unit)
    case .duration(let unit): return .duration(bits, unit)
    case .list(let element): return .list((0..<Int(random.next() % 4)).map { _ in scalar(element, &random) })
    case .map(let key, let value):
      return .list((0..<Int(random.next() % 3)).map { _ in .structure([scalar(key, &random), scalar(value, &random)]) })
    case .structure(let fields): return .structure(fields.map { scalar($0, &random) })
    }
  }
}
