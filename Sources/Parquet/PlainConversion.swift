import Columns

/// Turns values as PLAIN stores them into values as columns hold them.
enum PlainConversion {
  /// Bytes of a value in memory; nil for bool, string and binary.
  static func byteWidth(_ conversion: Conversion) -> Int? {
    switch conversion {
    case .identity(let width), .narrow(let width): width
    case .decimalFrom32, .decimalFrom64, .decimalFromFixed, .decimalFromBytes: 16
    case .nanosFrom96, .microsFrom96, .ticksFrom12, .microsFrom12: 8
    case .bool, .bytes: nil
    }
  }

  /// - Precondition: `source` holds `count` plain values, `target` has room for as many in memory.
  static func convert(
    _ source: UnsafeRawPointer, _ shape: ColumnShape, count: Int, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    switch shape.conversion {
    case .identity(let width): target.copyMemory(from: source, byteCount: count * width)
    case .narrow(1):
      let target = target.assumingMemoryBound(to: UInt8.self)
      for index in 0..<count { target[index] = source.load(fromByteOffset: index &* 4, as: UInt8.self) }
    case .narrow:
      let target = target.assumingMemoryBound(to: UInt16.self)
      for index in 0..<count { target[index] = source.loadUnaligned(fromByteOffset: index &* 4, as: UInt16.self) }
    case .decimalFrom32:
      let target = target.assumingMemoryBound(to: Int128.self)
      for index in 0..<count { target[index] = Int128(source.loadUnaligned(fromByteOffset: index &* 4, as: Int32.self)) }
    case .decimalFrom64:
      let target = target.assumingMemoryBound(to: Int128.self)
      for index in 0..<count { target[index] = Int128(source.loadUnaligned(fromByteOffset: index &* 8, as: Int64.self)) }
    case .decimalFromFixed(let width):
      let target = target.assumingMemoryBound(to: Int128.self)
      for index in 0..<count {
        target[index] = try decimal(UnsafeRawBufferPointer(start: source + index * width, count: width))
      }
    case .nanosFrom96:
      let target = target.assumingMemoryBound(to: Int64.self)
      for index in 0..<count { target[index] = try nanos(source + index * 12, index) }
    case .microsFrom96:
      let target = target.assumingMemoryBound(to: Int64.self)
      for index in 0..<count { target[index] = micros(source + index * 12) }
    case .ticksFrom12, .microsFrom12:
      let divisor: Int128 = shape.conversion == .microsFrom12 ? 1000 : 1
      let target = target.assumingMemoryBound(to: Int64.self)
      for index in 0..<count { target[index] = try ticks12(source + index * 12, index, divisor) }
    case .decimalFromBytes, .bool, .bytes:
      preconditionFailure("Values of \(shape.conversion) have no plain width")
    }
    if case .decimal(let precision, _) = shape.field.type { try check(target, count: count, precision: precision) }
  }

  /// Big-endian two's complement of any length.
  static func decimal(_ bytes: UnsafeRawBufferPointer) throws(ParquetError) -> Int128 {
    guard let first = bytes.first else { throw .malformed("a decimal has no bytes") }
    let sign: UInt8 = first & 0x80 != 0 ? 0xFF : 0
    var value: Int128 = sign == 0 ? 0 : -1
    let start = max(0, bytes.count - 16)
    for index in 0..<start where bytes[index] != sign { throw .malformed("a decimal of \(bytes.count) bytes has more than 128 bits") }
    for index in start..<bytes.count { value = value << 8 | Int128(bytes[index]) }
    guard (value < 0) == (sign != 0) else { throw .malformed("a decimal of \(bytes.count) bytes has more than 128 bits") }
    return value
  }

  /// Decimals that are stored as bytes of any length.
  static func decimals(
    _ values: BytesAppender, _ shape: ColumnShape, count: Int, into target: UnsafeMutableRawPointer
  ) throws(ParquetError) {
    let decimals = target.assumingMemoryBound(to: Int128.self)
    for index in 0..<count { decimals[index] = try decimal(values.value(index)) }
    if case .decimal(let precision, _) = shape.field.type { try check(target, count: count, precision: precision) }
  }

  /// Writers and arithmetic rely on the precision that a type promises.
  static func check(_ values: UnsafeMutableRawPointer, count: Int, precision: Int) throws(ParquetError) {
    let values = values.assumingMemoryBound(to: Int128.self)
    let limit = powerOfTen(precision)
    for index in 0..<count where values[index] >= limit || values[index] <= -limit {
      throw .malformed("value \(index) has more than the \(precision) digits of its type")
    }
  }

  static func powerOfTen(_ exponent: Int) -> Int128 {
    var power: Int128 = 1
    for _ in 0..<exponent { power *= 10 }
    return power
  }

  /// The Julian day of 1970-01-01.
  private static let epochDay: Int64 = 2_440_588

  /// INT96 of Impala and Hive: nanoseconds of the day, then the Julian day.
  private static func nanos(_ source: UnsafeRawPointer, _ index: Int) throws(ParquetError) -> Int64 {
    let nanos = source.loadUnaligned(as: Int64.self)
    let day = Int64(source.loadUnaligned(fromByteOffset: 8, as: Int32.self)) - epochDay
    let start = day.multipliedReportingOverflow(by: 86_400_000_000_000)
    let sum = start.partialValue.addingReportingOverflow(nanos)
    guard !start.overflow, !sum.overflow else {
      throw .outOfRange(
        "value \(index) is a timestamp \(day) days and \(nanos) ns from 1970, which lies outside the years 1677 to 2262 of timestamp[ns]")
    }
    return sum.partialValue
  }

  /// A timestamp of FIXED_LEN_BYTE_ARRAY(12), whose 96 bits may hold more than 64 bits of ticks.
  private static func ticks12(_ source: UnsafeRawPointer, _ index: Int, _ divisor: Int128) throws(ParquetError) -> Int64 {
    let low = source.loadUnaligned(as: UInt64.self)
    let value = Int128(source.loadUnaligned(fromByteOffset: 8, as: Int32.self)) << 64 | Int128(low)
    let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
    guard let ticks = Int64(exactly: remainder < 0 ? quotient - 1 : quotient) else {
      throw .outOfRange("value \(index) is a timestamp of \(value) ticks, which 64 bits do not hold")
    }
    return ticks
  }

  /// INT96 of Spark, which computes with microseconds in 64 bits and wraps around: so does this, and gives back what Spark had.
  private static func micros(_ source: UnsafeRawPointer) -> Int64 {
    let nanos = source.loadUnaligned(as: Int64.self)
    let day = Int64(source.loadUnaligned(fromByteOffset: 8, as: Int32.self)) - epochDay
    // Floored: the part of a day may be negative.
    return day &* 86_400_000_000 &+ (nanos >= 0 ? nanos / 1000 : -((-(nanos + 1)) / 1000) - 1)
  }
}
