/// The exact sum of any doubles: a fixed-point number over the whole range of double, in digits of 32 bits that are carried only
/// when the sum is read (a superaccumulator after Kulisch). Values can be taken out again, in any order.
///
/// Of all values together at most `Int32.max` may be in the sum: then no digit overflows.
struct ExactSum {
  private var digits = [Int64](repeating: 0, count: ExactSum.digitCount)
  /// Where the digits lie that may differ from zero.
  private var lowest = ExactSum.digitCount
  private var end = 0
  private var special = SpecialCounts()
  private(set) var count = 0

  /// The greatest value begins at position 2045 and reaches 84 bits, shift included, beyond its first digit; two digits more
  /// take the carries.
  private static let digitCount = 2045 / 32 + 3 + 2

  mutating func reset() {
    for index in lowest..<max(lowest, end) { digits[index] = 0 }
    lowest = Self.digitCount
    end = 0
    special = SpecialCounts()
    count = 0
  }

  mutating func add(_ value: Double) { change(value, 1) }
  mutating func remove(_ value: Double) { change(value, -1) }

  private mutating func change(_ value: Double, _ step: Int) {
    count += step
    guard value.isFinite else { return special.note(value, step) }
    let parts = DoubleParts(value)
    guard parts.significand != 0 else { return }
    let first = parts.position >> 5
    let shifted = UInt128(parts.significand) << (parts.position & 31)
    let sign: Int64 = parts.isNegative == (step > 0) ? -1 : 1
    for place in 0..<3 { digits[first + place] &+= sign &* Int64(UInt32(truncatingIfNeeded: shifted >> (32 * place))) }
    lowest = min(lowest, first)
    end = max(end, first + 3)
  }

  /// The sum, rounded once; of no values 0.
  func sum() -> Double { special.result ?? exact().rounded() }

  /// The mean, the exact sum divided and rounded once. - Precondition: there is a value
  func mean() -> Double { special.result ?? exact().rounded(dividedBy: UInt64(count)) }

  private func exact() -> ExactQuotient {
    guard lowest < end else { return ExactQuotient(0, exponent: 0) }
    let range = lowest..<min(end + 2, Self.digitCount)
    // First into digits 0..<2^32; a negative sum borrows beyond the last digit, and its negation does not.
    var normal = carried(range, sign: 1)
    let isNegative = normal == nil
    if normal == nil { normal = carried(range, sign: -1) }
    guard let normal, let last = normal.lastIndex(where: { $0 != 0 }) else { return ExactQuotient(0, exponent: 0) }
    // The 128 bits from the first set one on, and whether anything lies below.
    func digit(_ index: Int) -> UInt128 { index < 0 ? 0 : UInt128(normal[index]) }
    let shift = normal[last].leadingZeroBitCount
    var top = digit(last) << 96 | digit(last - 1) << 64 | digit(last - 2) << 32 | digit(last - 3)
    var hasRest = false
    if shift > 0 {
      let next = digit(last - 4)
      top = top << shift | next >> (32 - shift)
      hasRest = next & ((1 << (32 - shift)) - 1) != 0
    } else {
      hasRest = digit(last - 4) != 0
    }
    if last > 4 { hasRest = hasRest || normal[..<(last - 4)].contains { $0 != 0 } }
    return ExactQuotient(
      isNegative: isNegative, top: top, exponent: ExactQuotient.exponentMin + 32 * (range.lowerBound + last - 3) - shift, hasRest: hasRest)
  }

  /// The digits carried into 0..<2^32, lowest first; nil when the number is negative.
  private func carried(_ range: Range<Int>, sign: Int64) -> [UInt32]? {
    var result = [UInt32](repeating: 0, count: range.count)
    var carry: Int64 = 0
    for (place, index) in range.enumerated() {
      // |digit| < 2^63 and |carry| < 2^31 + 1: in 128 bits, since their sum may just exceed 64.
      let value = Int128(sign * digits[index]) + Int128(carry)
      result[place] = UInt32(truncatingIfNeeded: value)
      carry = Int64(truncatingIfNeeded: value >> 32)
    }
    return carry < 0 ? nil : result
  }
}
