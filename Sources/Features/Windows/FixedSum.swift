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
  /// The base with which all these values can be summed without overflow; nil when their exponents lie too far apart.
  /// - Complexity: O(rows)
  static func base(of values: UnsafePointer<Double>, rows: Range<Int>) -> Int? {
    var low = Int.max
    var high = 0
    for row in rows where values[row].isFinite {
      let parts = DoubleParts(values[row])
      guard parts.significand != 0 else { continue }
      low = min(low, parts.position)
      high = max(high, parts.position)
    }
    guard low != .max else { return 0 }
    // A value takes 53 bits above its position, all of them together as many more as their number has; one bit is the sign.
    let bitCount = high - low + 53 + (Int.bitWidth - rows.count.leadingZeroBitCount)
    return bitCount < 127 ? low : nil
  }
}
