import Columns

/// SplitMix64: small, and the same everywhere for one seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// The types that have an order.
let flatTypes: [DataType] = [
  .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .float16, .float32, .float64,
  .decimal(precision: 30, scale: 4), .string, .binary, .fixedBinary(byteWidth: 5), .date, .time(.millisecond),
  .time(.nanosecond), .duration(.second), .timestampMicros,
]

let nestedTypes: [DataType] = [
  .list(Field("element", .int32)), .list(Field("element", .string, isNullable: false)),
  .map(key: Field("key", .string, isNullable: false), value: Field("value", .float64)),
  .structure([Field("a", .int64), Field("b", .string, isNullable: false), Field("c", .bool)]),
  .structure([]),
  .list(Field("element", .list(Field("element", .structure([Field("x", .float16), Field("y", .fixedBinary(byteWidth: 3))]))))),
  .structure([Field("inner", .structure([Field("l", .list(Field("element", .date)), isNullable: false)]), isNullable: false)]),
]

let everyType = flatTypes + nestedTypes

extension SeededRandom {
  /// A value of the type; from few distinct ones when `narrow`, else from the whole range.
  mutating func scalar(_ type: DataType, narrow: Bool) -> Scalar {
    let bits = narrow ? UInt64.random(in: 0...5, using: &self) : next()
    switch type {
    case .bool: return .bool(bits & 1 == 1)
    case .int8: return .int(Int64(Int8(truncatingIfNeeded: bits)))
    case .int16: return .int(Int64(Int16(truncatingIfNeeded: bits)))
    case .int32: return .int(Int64(Int32(truncatingIfNeeded: bits)))
    case .int64: return .int(Int64(bitPattern: bits))
    case .uint8: return .uint(UInt64(UInt8(truncatingIfNeeded: bits)))
    case .uint16: return .uint(UInt64(UInt16(truncatingIfNeeded: bits)))
    case .uint32: return .uint(UInt64(UInt32(truncatingIfNeeded: bits)))
    case .uint64: return .uint(bits)
    case .float32: return .float([0, -0.0, .nan, -.infinity, Float(bitPattern: 0xffc1_2345), Float(bits)][Int(bits % 6)])
    case .float64: return .double([0, -0.0, .nan, -.infinity, Double(bitPattern: 0xfff8_0000_0000_0001), -Double(bits)][Int(bits % 6)])
    case .decimal(_, let scale):
      let wide = Int128(truncatingIfNeeded: Int64(bitPattern: bits)) * (narrow ? 1 : 1 << 33)
      return .decimal(bits & 8 == 0 ? wide : -wide, scale: scale)
    case .string:
      if narrow { return .string("key/shared/" + String(repeating: "ab", count: Int(bits))) }
      let start = ["", "ž", "a\0b", "user_"][Int(bits % 4)]
      return .string(start + String(repeating: "x", count: Int(bits >> 8 % 90)) + String(bits >> 20 % 50))
    case .binary:
      let length = Int(bits % 12)
      return .binary((0..<length).map { _ in [0, 0, 1, 0x7f, 0xff].randomElement(using: &self)! })
    case .date: return .date(Int32(truncatingIfNeeded: bits))
    case .timestamp(let unit, _): return .timestamp(Int64(bitPattern: bits), unit)
    case .float16:
      return .float([0, -0.0, .nan, -.infinity, Float(Float16(bitPattern: 0x0001)), Float(Float16(bits % 2000))][Int(bits % 6)])
    case .fixedBinary(let width): return .binary((0..<width).map { _ in [0, 0, 1, 0x7f, 0xff].randomElement(using: &self)! })
    case .time(let unit): return .time(Int64(bits % UInt64(86_400 * min(unit.ticksPerSecond, 1_000_000))), unit)
    case .duration(let unit): return .duration(Int64(bitPattern: bits), unit)
    case .list(let element): return .list((0..<bits % 4).map { _ in child(element, narrow: narrow) })
    case .map(let key, let value):
      return .list((0..<bits % 4).map { _ in .structure([child(key, narrow: narrow), child(value, narrow: narrow)]) })
    case .structure(let fields): return .structure(fields.map { child($0, narrow: narrow) })
    }
  }

  private mutating func child(_ field: Field, narrow: Bool) -> Scalar {
    field.isNullable && next() % 4 == 0 ? .null : scalar(field.type, narrow: narrow)
  }

  mutating func column(_ type: DataType, count: Int, nulls: Bool, narrow: Bool = false) -> Column {
    var scalars: [Scalar] = []
    for _ in 0..<count {
      scalars.append(nulls && next() % 4 == 0 ? .null : scalar(type, narrow: narrow))
    }
    return Column(type, scalars)
  }
}

/// Canonical form of a scalar, so that NaN equals NaN and -0.0 equals 0.0.
func canonical(_ scalar: Scalar) -> Scalar {
  switch scalar {
  case .float(let value): .uint(UInt64(value.isNaN ? 0x7fc0_0000 : value == 0 ? 0 : value.bitPattern))
  case .double(let value): .uint(value.isNaN ? 0x7ff8_0000_0000_0000 : value == 0 ? 0 : value.bitPattern)
  case .list(let values): .list(values.map(canonical))
  case .structure(let values): .structure(values.map(canonical))
  default: scalar
  }
}

/// The order of one value, written plainly: nulls first, NaN last.
func naiveOrder(_ a: Scalar, _ b: Scalar) -> Int {
  func order<T: Comparable>(_ x: T, _ y: T) -> Int { x < y ? -1 : x == y ? 0 : 1 }
  func floats(_ x: Double, _ y: Double) -> Int {
    x.isNaN || y.isNaN ? (x.isNaN ? 1 : 0) - (y.isNaN ? 1 : 0) : order(x, y)
  }
  func bytes(_ x: [UInt8], _ y: [UInt8]) -> Int { x.lexicographicallyPrecedes(y) ? -1 : x == y ? 0 : 1 }
  switch (a, b) {
  case (.null, .null): return 0
  case (.null, _): return -1
  case (_, .null): return 1
  case (.bool(let x), .bool(let y)): return order(x ? 1 : 0, y ? 1 : 0)
  case (.int(let x), .int(let y)): return order(x, y)
  case (.uint(let x), .uint(let y)): return order(x, y)
  case (.float(let x), .float(let y)): return floats(Double(x), Double(y))
  case (.double(let x), .double(let y)): return floats(x, y)
  case (.decimal(let x, _), .decimal(let y, _)): return order(x, y)
  case (.string(let x), .string(let y)): return bytes(Array(x.utf8), Array(y.utf8))
  case (.binary(let x), .binary(let y)): return bytes(x, y)
  case (.date(let x), .date(let y)): return order(x, y)
  case (.time(let x, _), .time(let y, _)): return order(x, y)
  case (.duration(let x, _), .duration(let y, _)): return order(x, y)
  case (.timestamp(let x, _), .timestamp(let y, _)): return order(x, y)
  default: preconditionFailure("Two types")
  }
}

func naiveOrder(_ a: [Column], _ i: Int, _ b: [Column], _ j: Int) -> Int {
  for (x, y) in zip(a, b) {
    let order = naiveOrder(x.scalar(at: i), y.scalar(at: j))
    if order != 0 { return order }
  }
  return 0
}

func naivePermutation(_ keys: [Column]) -> [Int32] {
  (0..<Int32(keys[0].count)).sorted { a, b in
    let order = naiveOrder(keys, Int(a), keys, Int(b))
    return order != 0 ? order < 0 : a < b
  }
}
