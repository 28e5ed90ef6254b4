import Columns

/// A value of a column, comparable with others of the column.
enum ValueKey: Sendable {
  case integer(Int128)
  case number(Double)
  case bytes([UInt8])

  /// Nil for keys of different kinds.
  static func isLess(_ a: ValueKey, _ b: ValueKey) -> Bool? {
    switch (a, b) {
    case (.integer(let x), .integer(let y)): x < y
    case (.number(let x), .number(let y)): x < y
    case (.bytes(let x), .bytes(let y)): x.lexicographicallyPrecedes(y)
    default: nil
    }
  }
}

/// Makes keys of the values of one leaf: of statistics as they lie in the file, and of the scalars of a condition.
///
/// Times of any unit become nanoseconds. Whatever could mislead has no key: unknown orders, NaN, values of another kind.
struct ValueKeys: Sendable {
  let type: DataType
  let physicalCode: Int32
  private let isOrdered: Bool

  /// `ConvertedType` of intervals, and the logical types from VARIANT on: their order is undefined.
  private static let intervalCode: Int32 = 21
  private static let unknownID = 11
  private static let variantID = 16

  init(_ element: FooterDetail.Element, type: DataType) {
    self.type = type
    physicalCode = element.physicalCode ?? -1
    let id = element.logicalID ?? 0
    isOrdered = element.convertedCode != Self.intervalCode && id != Self.unknownID && id < Self.variantID
  }

  /// - Parameter stored: a value in plain encoding, bytes without their length.
  func key(stored: [UInt8]) -> ValueKey? {
    guard isOrdered else { return nil }
    return stored.withUnsafeBytes { key($0) }
  }

  private func key(_ bytes: UnsafeRawBufferPointer) -> ValueKey? {
    switch (PhysicalType(rawValue: physicalCode), bytes.count) {
    case (.boolean?, 1): return type == .bool ? .integer(bytes[0] == 0 ? 0 : 1) : nil
    case (.int32?, 4): return key(integer: bytes.loadUnaligned(as: Int32.self), bytes.loadUnaligned(as: UInt32.self))
    case (.int64?, 8): return key(integer: bytes.loadUnaligned(as: Int64.self), bytes.loadUnaligned(as: UInt64.self))
    case (.float?, 4): return type == .float32 ? number(Double(bytes.loadUnaligned(as: Float.self))) : nil
    case (.double?, 8): return type == .float64 ? number(bytes.loadUnaligned(as: Double.self)) : nil
    case (.fixedLengthByteArray?, 2) where type == .float16: return number(Double(bytes.loadUnaligned(as: Float16.self)))
    case (.byteArray?, _), (.fixedLengthByteArray?, _):
      switch type {
      case .string, .binary, .fixedBinary: return .bytes(Array(bytes))
      case .decimal:
        do { return .integer(try PlainConversion.decimal(bytes)) } catch { return nil }
      default: return nil
      }
    default: return nil
    }
  }

  private func key(integer signed: some SignedInteger, _ unsigned: some UnsignedInteger) -> ValueKey? {
    switch type {
    case .int8, .int16, .int32, .int64, .date, .decimal: return .integer(Int128(signed))
    case .uint8, .uint16, .uint32, .uint64: return .integer(Int128(unsigned))
    case .time(let unit), .timestamp(let unit, _), .duration(let unit): return nanos(Int64(signed), unit)
    default: return nil
    }
  }

  private func nanos(_ ticks: Int64, _ unit: TimeUnit) -> ValueKey { .integer(Int128(ticks) * Int128(1_000_000_000 / unit.ticksPerSecond)) }

  private func number(_ value: Double) -> ValueKey? { value.isNaN ? nil : .number(value) }

  func key(_ scalar: Scalar) -> ValueKey? {
    guard isOrdered else { return nil }
    switch (scalar, type) {
    case (.bool(let value), .bool): return .integer(value ? 1 : 0)
    case (.int(let value), _) where type.isInteger: return .integer(Int128(value))
    case (.uint(let value), _) where type.isInteger: return .integer(Int128(value))
    case (.float(let value), _) where type.isFloat: return number(Double(value))
    case (.double(let value), _) where type.isFloat: return number(value)
    case (.decimal(let value, let scale), .decimal(_, let wanted)):
      guard scale <= wanted, wanted - scale <= 38 else { return nil }
      let scaled = value.multipliedReportingOverflow(by: PlainConversion.powerOfTen(wanted - scale))
      return scaled.overflow ? nil : .integer(scaled.partialValue)
    case (.string(let value), .string): return .bytes(Array(value.utf8))
    case (.binary(let value), .binary), (.binary(let value), .fixedBinary): return .bytes(value)
    case (.date(let value), .date): return .integer(Int128(value))
    case (.timestamp(let value, let unit), .timestamp), (.time(let value, let unit), .time), (.duration(let value, let unit), .duration):
      return nanos(value, unit)
    default: return nil
    }
  }

  // MARK: Hashes

  /// The hashes that a value equal to the scalar may have in a Bloom filter; nil where that is not sure.
  func hashes(_ scalar: Scalar) -> [UInt64]? {
    guard let key = key(scalar) else { return nil }
    func hash(_ value: some BitwiseCopyable) -> UInt64 { withUnsafeBytes(of: value) { BloomFilter.hash($0) } }
    switch (PhysicalType(rawValue: physicalCode), key) {
    case (.int32?, .integer(let value)):
      guard let ticks = ticks(value) else { return nil }
      // Unsigned columns keep the bits of larger numbers.
      return Int32(exactly: ticks).map { [hash($0)] } ?? UInt32(exactly: ticks).map { [hash($0)] }
    case (.int64?, .integer(let value)):
      guard let ticks = ticks(value) else { return nil }
      return Int64(exactly: ticks).map { [hash($0)] } ?? UInt64(exactly: ticks).map { [hash($0)] }
    // Zeros of either sign are equal.
    case (.float?, .number(let value)):
      guard Double(Float(value)) == value else { return nil }
      return value == 0 ? [hash(Float(0)), hash(-Float(0))] : [hash(Float(value))]
    case (.double?, .number(let value)): return value == 0 ? [hash(0.0), hash(-0.0)] : [hash(value)]
    case (.byteArray?, .bytes(let value)), (.fixedLengthByteArray?, .bytes(let value)):
      return [value.withUnsafeBytes { BloomFilter.hash($0) }]
    default: return nil
    }
  }

  /// Nanoseconds as the column's own ticks.
  private func ticks(_ value: Int128) -> Int128? {
    switch type {
    case .time(let unit), .timestamp(let unit, _), .duration(let unit):
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: Int128(1_000_000_000 / unit.ticksPerSecond))
      return remainder == 0 ? quotient : nil
    default: return value
    }
  }
}
