// A second, naive implementation of exact sums, written without the engine's code: big integers in units of 2^-1074.

/// A non-negative integer of 2,400 bits, in digits of 32 bits, lowest first.
struct NaiveInteger: Equatable {
  static let digitCount = 75
  var digits = [UInt32](repeating: 0, count: digitCount)

  mutating func add(_ significand: UInt64, shiftedBy shift: Int) {
    for bit in 0..<64 where significand >> UInt64(bit) & 1 == 1 { addBit(shift + bit) }
  }

  private mutating func addBit(_ position: Int) {
    var index = position / 32
    var carry = UInt64(1) << UInt64(position % 32)
    while carry > 0 {
      carry += UInt64(digits[index])
      digits[index] = UInt32(truncatingIfNeeded: carry)
      carry >>= 32
      index += 1
    }
  }

  /// - Precondition: `other` is not greater
  mutating func subtract(_ other: NaiveInteger) {
    var borrow: Int64 = 0
    for index in 0..<Self.digitCount {
      var value = Int64(digits[index]) - Int64(other.digits[index]) - borrow
      borrow = value < 0 ? 1 : 0
      if value < 0 { value += 1 << 32 }
      digits[index] = UInt32(value)
    }
    precondition(borrow == 0)
  }

  func isLess(_ other: NaiveInteger) -> Bool {
    for index in (0..<Self.digitCount).reversed() where digits[index] != other.digits[index] { return digits[index] < other.digits[index] }
    return false
  }

  /// Long division; the remainder is dropped after saying whether it was zero.
  mutating func divide(by divisor: UInt32) -> Bool {
    var remainder: UInt64 = 0
    for index in (0..<Self.digitCount).reversed() {
      let value = remainder << 32 | UInt64(digits[index])
      digits[index] = UInt32(value / UInt64(divisor))
      remainder = value % UInt64(divisor)
    }
    return remainder == 0
  }

  func bit(_ position: Int) -> Bool { digits[position / 32] >> UInt32(position % 32) & 1 == 1 }
}

enum NaiveSum {
  /// Guard bits below 2^-1074, for quotients.
  private static let guardBits = 100

  /// The exact sum over `divisor`, to the nearest double, ties to even.
  static func rounded(_ values: [Double], dividedBy divisor: Int = 1) -> Double {
    if values.contains(where: \.isNaN) { return .nan }
    let infinities = values.filter(\.isInfinite)
    if let first = infinities.first { return infinities.allSatisfy { $0 == first } ? first : .nan }
    var positive = NaiveInteger()
    var negative = NaiveInteger()
    for value in values where value != 0 {
      let significand = value.isNormal ? value.significandBitPattern | 1 << 52 : value.significandBitPattern
      let shift = (value.isNormal ? Int(value.exponentBitPattern) - 1 : 0) + guardBits
      if value < 0 { negative.add(significand, shiftedBy: shift) } else { positive.add(significand, shiftedBy: shift) }
    }
    let isNegative = positive.isLess(negative)
    var total = isNegative ? negative : positive
    total.subtract(isNegative ? positive : negative)
    let isExact = total.divide(by: UInt32(divisor))
    let magnitude = nearest(total, isExact: isExact)
    return isNegative && magnitude != 0 ? -magnitude : magnitude
  }

  private static func nearest(_ number: NaiveInteger, isExact: Bool) -> Double {
    guard let top = (0..<NaiveInteger.digitCount * 32).last(where: { number.bit($0) }) else { return 0 }
    // The last bit that the double keeps.
    let last = max(top - 52, guardBits)
    var significand: UInt64 = 0
    if top >= last { for position in (last...top).reversed() { significand = significand << 1 | (number.bit(position) ? 1 : 0) } }
    let half = number.bit(last - 1)
    let rest = !isExact || (0..<(last - 1)).contains { number.bit($0) }
    if half && (rest || significand & 1 == 1) { significand += 1 }
    return assemble(significand, exponent: last - guardBits)
  }

  /// significand · 2^(exponent - 1074), put together by hand so that no intermediate result can round.
  private static func assemble(_ significand: UInt64, exponent: Int) -> Double {
    if significand < 1 << 52 { return Double(bitPattern: significand) }
    var significand = significand
    var biased = exponent + 1
    if significand == 1 << 53 { (significand, biased) = (1 << 52, biased + 1) }
    return biased >= 2047 ? .infinity : Double(bitPattern: UInt64(biased) << 52 | (significand & ((1 << 52) - 1)))
  }
}
