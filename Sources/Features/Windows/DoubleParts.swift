/// A finite double as (-1)^sign · significand · 2^(position - 1074).
struct DoubleParts {
  let isNegative: Bool
  /// At most 53 bits.
  let significand: UInt64
  /// How far the significand's last bit lies above that of the least positive double, 0...2045.
  let position: Int

  /// - Precondition: the value is finite.
  @inline(__always) init(_ value: Double) {
    let bits = value.bitPattern
    let exponent = Int(truncatingIfNeeded: bits &>> 52 & 0x7FF)
    let fraction = bits & 0xF_FFFF_FFFF_FFFF
    isNegative = bits &>> 63 == 1
    significand = exponent == 0 ? fraction : fraction | 1 &<< 52
    position = exponent == 0 ? 0 : exponent &- 1
  }
}

/// The values of a window that are not numbers, counted apart so that they can leave it again.
struct SpecialCounts {
  private var nan = 0
  private var positive = 0
  private var negative = 0

  @inline(__always) mutating func note(_ value: Double, _ step: Int) {
    if value.isNaN { nan &+= step } else if value > 0 { positive &+= step } else { negative &+= step }
  }

  /// What they make of every sum and mean; nil without any.
  @inline(__always) var result: Double? {
    if nan | positive | negative == 0 { return nil }
    if nan > 0 || (positive > 0 && negative > 0) { return .nan }
    return positive > 0 ? .infinity : -.infinity
  }
}
