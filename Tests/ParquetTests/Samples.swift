import Columns

@testable import Parquet

/// A small generator with a printed seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

enum Samples {
  static let types: [DataType] = [
    .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float32, .float64, .string, .binary, .date,
    .decimal(precision: 5, scale: 2), .decimal(precision: 15, scale: 3), .decimal(precision: 38, scale: 10),
    .timestamp(.millisecond, zone: nil), .timestampMicros, .timestamp(.nanosecond, zone: "UTC"),
  ]

  /// How the values of a column are spread; each shape leads to another encoding.
  enum Shape: CaseIterable { case few, sorted, any, allNull, constant }

  static func scalar(_ type: DataType, _ shape: Shape, _ row: Int, _ generator: inout SeededGenerator) -> Scalar {
    let number: Int64 =
      switch shape {
      case .few: Int64.random(in: -5...5, using: &generator) * 1_000_003
      case .sorted: Int64(row) * 1000 + Int64.random(in: 0..<1000, using: &generator)
      case .any, .allNull: Int64(bitPattern: generator.next())
      case .constant: 77
      }
    let bits = UInt64(bitPattern: number)
    switch type {
    case .bool: return .bool(number & 1 == 1)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: number)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: number)))
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: number)))
    case .int64: return .int(number)
    case .uint8: return .uint(UInt64(UInt8(truncatingIfNeeded: number)))
    case .uint16: return .uint(UInt64(UInt16(truncatingIfNeeded: number)))
    case .uint32: return .uint(UInt64(UInt32(truncatingIfNeeded: number)))
    case .uint64: return .uint(bits)
    case .float32: return .float(shape == .any ? Float(number) / 3e12 : Float(number))
    case .float64: return .double(shape == .any ? Double(number) / 3e12 : Double(number))
    case .decimal(let precision, let scale):
      let limit = PlainConversion.powerOfTen(precision)
      return .decimal(Int128(number) * (precision > 18 ? 1_000_000_007 : 1) % limit, scale: scale)
    case .string: return .string("key_\(number)\(shape == .any ? String(repeating: "ž", count: Int(bits % 40)) : "")")
    case .binary: return .binary(withUnsafeBytes(of: number) { Array($0.prefix(Int(bits % 9))) })
    case .date: return .date(Int32(truncatingIfNeeded: number))
    case .timestamp(let unit, _): return .timestamp(number, unit)
    case .float16: return .float(Float(Float16(number % 2000)))
    case .fixedBinary(let width): return .binary((0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * ($0 % 8))) })
    case .time(let unit): return .time(abs(number % (86_400 * unit.ticksPerSecond)), unit)
    case .duration(let unit): return .duration(number, unit)
    case .list, .map, .structure: preconditionFailure("Samples are flat")
    }
  }

  static func column(_ type: DataType, _ shape: Shape, count: Int, nulls: Bool, _ generator: inout SeededGenerator) -> Column {
    Column(
      type,
      (0..<count).map { row in
        let value = scalar(type, shape, row, &generator)
        return shape == .allNull || (nulls && (row / 300) % 3 != 1 && generator.next() % 4 == 0) ? .null : value
      })
  }

  /// One column of every type.
  static func batch(count: Int, shape: Shape, nulls: Bool, _ generator: inout SeededGenerator) -> Batch {
    let isNullable = nulls || shape == .allNull
    let fields = types.enumerated().map { Field("c\($0.offset)", $0.element, isNullable: isNullable, id: Int32($0.offset + 100)) }
    return Batch(
      schema: Schema(fields), columns: types.map { column($0, shape, count: count, nulls: isNullable, &generator) }, rowCount: count)
  }
}

extension ParquetWriterOptions {
  static func with(codec: ParquetCodec, pageRowCount: Int = 1 << 14) -> ParquetWriterOptions {
    var options = ParquetWriterOptions.export
    options.codec = codec
    options.pageRowCount = pageRowCount
    return options
  }
}

extension ParquetReader {
  func readAll() throws(ParquetError) -> Batch {
    var parts: [Batch] = []
    for group in 0..<rowGroupCount { parts.append(try read(rowGroup: group)) }
    return parts.isEmpty
      ? Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0) : Batch.concatenate(parts)
  }
}
