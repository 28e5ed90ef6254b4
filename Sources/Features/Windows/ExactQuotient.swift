/// A real number as integers, for one rounding at the end: (-1)^negative · (top + rest) · 2^exponent with 0 <= rest < 1, and
/// rest > 0 exactly when `hasRest`.
struct ExactQuotient {
  var isNegative: Bool
  /// With a rest the top bit is set, so that the rest lies far below what a double keeps.
  var top: UInt128
  var exponent: Int
  var hasRest: Bool

  init(_ value: Int128, exponent: Int) {
    isNegative = value < 0
    top = value.magnitude
    self.exponent = exponent
    hasRest = false
  }

  init(isNegative: Bool, top: UInt128, exponent: Int, hasRest: Bool) {
    assert(!hasRest || top.leadingZeroBitCount == 0)
    self.isNegative = isNegative
    self.top = top
    self.exponent = exponent
    self.hasRest = hasRest
  }

  /// The double nearest to the number divided by `divisor`, ties to even; beyond the greatest double an infinity. Zero is +0.0.
  ///
  /// The quotient keeps at least 64 bits, so what division and rest leave only says on which side of a tie the number lies.
  func rounded(dividedBy divisor: UInt64 = 1) -> Double {
    guard top != 0 else { return 0 }
    let shift = top.leadingZeroBitCount
    var quotient = top << shift
    var exponent = exponent - shift
    var hasRest = hasRest
    if divisor > 1 {
      let high = UInt64(truncatingIfNeeded: quotient >> 64).quotientAndRemainder(dividingBy: divisor)
      let low = divisor.dividingFullWidth((high.remainder, UInt64(truncatingIfNeeded: quotient)))
      quotient = UInt128(high.quotient) << 64 | UInt128(low.quotient)
      hasRest = hasRest || low.remainder != 0
    }
    let width = 128 - quotient.leadingZeroBitCount
    // The weight of the result's last bit: 53 bits below the first, but not below the least subnormal number.
    let unit = max(exponent + width - Self.significandBitCount, Self.exponentMin)
    let dropped = unit - exponent
    exponent = unit
    // Less than half of the last bit.
    guard dropped <= 128 else { return 0 }
    var significand = dropped == 128 ? 0 : quotient >> dropped
    let remainder = dropped == 128 ? quotient : quotient & ((1 << dropped) - 1)
    let half: UInt128 = 1 << (dropped - 1)
    if remainder > half || (remainder == half && (hasRest || significand & 1 == 1)) { significand += 1 }
    let magnitude = Double(sign: .plus, exponent: exponent, significand: Double(UInt64(significand)))
    return isNegative && magnitude != 0 ? -magnitude : magnitude
  }

  private static let significandBitCount = 53
  /// 2^-1074 is the least positive double.
  static let exponentMin = -1074
}
