/// The exact sum of doubles whose exponents lie close together: a 128-bit integer in units of the least value's last bit.
///
/// Gives the same result as `ExactSum`, bit for bit, several times faster.
struct FixedSum {
  /// The position (see `DoubleParts`) of the unit.
  let base: Int
  private var total: Int128 = 0
  private var special = SpecialCounts()
  private(set) var count = 0

  init(base: Int) { self.base = base }

  @inline(__always) mutating func reset() { self = FixedSum(base: base) }
  @inline(__always) mutating func add(_ value: Double) { change(value, 1) }
  @inline(__always) mutating func remove(_ value: Double) { change(value, -1) }

  @inline(__always) private mutating func change(_ value: Double, _ step: Int) {
    count &+= step
    guard value.isFinite else { return special.note(value, step) }
    let parts = DoubleParts(value)
    // Zero lies at position 0, below the base; it adds nothing.
    guard parts.significand != 0 else { return }
    let shifted = Int128(parts.significand) &<< Int128(parts.position &- base)
    if parts.isNegative == (step > 0) { total &-= shifted } else { total &+= shifted }
  }

  func sum() -> Double { special.result ?? exact.rounded() }
  func mean() -> Double { special.result ?? exact.rounded(dividedBy: UInt64(count)) }

  private var exact: ExactQuotient { ExactQuotient(total, exponent: base + ExactQuotient.exponentMin) }
}

extension FixedSum {
  /// Nil when the values' exponents lie too far apart for `count` of them.
  init?(_ range: PositionRange, count: Int) {
    // All of them together take as many bits more than one as their number has; one bit is the sign.
    guard range.bitCount + (Int.bitWidth - count.leadingZeroBitCount) < 127 else { return nil }
    self.init(base: range.low)
  }
}
