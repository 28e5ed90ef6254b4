import Columns

/// Unscaled decimals of at most 38 digits: 1.25 of scale 2 is 125.
enum DecimalMath {
  static let precisionMax = 38

  /// 10^0 to 10^38, the greatest below 2^127.
  private static let powers: [Int128] = (0...precisionMax).map { (0..<$0).reduce(Int128(1)) { power, _ in power * 10 } }

  /// - Precondition: 0 <= exponent <= 38.
  static func power(_ exponent: Int) -> Int128 { powers[exponent] }

  /// Whether a type of this precision has the value.
  @inline(__always) static func fits(_ value: Int128, _ limit: Int128) -> Bool { value < limit && value > -limit }

  /// value / 10^exponent as a whole number.
  ///
  /// - Precondition: the value has at most 38 digits, and the exponent is not negative.
  static func quotient(_ value: Int128, byPowerOfTen exponent: Int, _ rule: FloatingPointRoundingRule) -> Int128 {
    let (whole, rest): (Int128, Int128)
    let divisor: Int128?
    if exponent <= precisionMax {
      divisor = powers[exponent]
      (whole, rest) = value.quotientAndRemainder(dividingBy: powers[exponent])
    } else {
      // Less than a tenth of the divisor remains.
      divisor = nil
      (whole, rest) = (0, value)
    }
    switch rule {
    case .down: return rest < 0 ? whole - 1 : whole
    case .up: return rest > 0 ? whole + 1 : whole
    case .toNearestOrAwayFromZero:
      guard let divisor, rest.magnitude >= divisor.magnitude - rest.magnitude else { return whole }
      return value < 0 ? whole - 1 : whole + 1
    default: return whole
    }
  }

  /// The double nearest to it.
  static func double(_ value: Int128, scale: Int) -> Double {
    // Both are doubles exactly, so that the division is the only rounding.
    if value.magnitude <= 1 << 53, scale <= 22 { return Double(Int64(value)) / doublePowers[scale] }
    // Read as text the quotient is rounded once; a decimal of at most 39 digits is always a number.
    return Double("\(value)e-\(scale)") ?? .nan
  }

  private static let doublePowers: [Double] = (0...22).map { (0..<$0).reduce(1.0) { power, _ in power * 10 } }

  /// The value with another number of digits behind the point, halves rounded away from zero; nil when it then exceeds `limit`.
  static func rescaled(_ value: Int128, from: Int, to: Int, limit: Int128) -> Int128? {
    if to >= from {
      let (product, overflow) = value.multipliedReportingOverflow(by: powers[to - from])
      return !overflow && fits(product, limit) ? product : nil
    }
    let quotient = quotient(value, byPowerOfTen: from - to, .toNearestOrAwayFromZero)
    return fits(quotient, limit) ? quotient : nil
  }

  /// The order of a · factor and b: negative, zero or positive.
  static func order(_ a: Int128, times factor: Int128, _ b: Int128) -> Int {
    let (product, overflow) = a.multipliedReportingOverflow(by: factor)
    // Beyond Int128 the product's sign decides, which is that of `a` since the factor is a power of ten.
    if overflow { return a < 0 ? -1 : 1 }
    return product < b ? -1 : product == b ? 0 : 1
  }

  /// Digits with at most one point, and an exponent; digits behind the scale round halves away from zero. Nil for other texts and for
  /// values beyond `limit`.
  static func parse(_ text: Substring, scale: Int, limit: Int128) -> Int128? {
    var bytes = Array(text.utf8)[...]
    let isNegative = bytes.first == UInt8(ascii: "-")
    if isNegative || bytes.first == UInt8(ascii: "+") { bytes.removeFirst() }
    var exponent = 0
    if let e = bytes.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
      guard let written = Int(String(decoding: bytes[(e + 1)...], as: UTF8.self)) else { return nil }
      // Beyond this every value is zero or too great, whatever its digits are.
      exponent = min(max(written, -text.utf8.count - 100), text.utf8.count + 100)
      bytes = bytes[..<e]
    }
    var digits: [UInt8] = []
    var fractionCount: Int?
    for byte in bytes {
      if byte == UInt8(ascii: "."), fractionCount == nil {
        fractionCount = 0
      } else if byte &- UInt8(ascii: "0") <= 9 {
        digits.append(byte &- UInt8(ascii: "0"))
        fractionCount = fractionCount.map { $0 + 1 }
      } else {
        return nil
      }
    }
    guard !digits.isEmpty else { return nil }
    /// How many of the digits the result keeps; a negative number, or one beyond their count, stands for zeros.
    let keptCount = digits.count - (fractionCount ?? 0) + exponent + scale
    var value: Int128 = 0
    for index in 0..<max(keptCount, 0) {
      let digit = index < digits.count ? Int128(digits[index]) : 0
      if value == 0 && index >= digits.count { break }
      value = value * 10 + digit
      guard value < limit else { return nil }
    }
    if digits.indices.contains(keptCount), digits[keptCount] >= 5 { value += 1 }
    guard value < limit else { return nil }
    return isNegative ? -value : value
  }
}
