#if canImport(Glibc)
  import Glibc
#endif

extension NumberText {
  /// The double nearest to a decimal number: sign, digits with at most one point, exponent; or `NaN`, `inf`, `infinity` in any
  /// case with a sign.
  /// - Returns: nil for anything else, also for hexadecimal numbers, and for numbers beyond the doubles: those that would become
  ///   infinite, and those other than zero that would become zero.
  package static func parseDouble(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard let parts = DecimalParts(bytes) else { return nonFinite(bytes) }
    if !parts.isTruncated, let magnitude = double(parts.mantissa, parts.exponent) { return parts.isNegative ? -magnitude : magnitude }
    let value = withTerminated(bytes) { strtod($0, nil) }
    return value.isFinite && (value != 0 || parts.mantissa == 0) ? value : nil
  }

  /// As `parseDouble`, rounded once to single precision.
  package static func parseFloat(_ bytes: UnsafeRawBufferPointer) -> Float? {
    guard let parts = DecimalParts(bytes) else { return nonFinite(bytes).map { Float($0) } }
    let value = withTerminated(bytes) { strtof($0, nil) }
    return value.isFinite && (value != 0 || parts.mantissa == 0) ? value : nil
  }

  private static func withTerminated<Result>(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: bytes.count + 1, alignment: 1) { copy in
      copy.copyMemory(from: bytes)
      copy[bytes.count] = 0
      // SAFETY: the copy ends with a zero byte and outlives the call.
      return body(copy.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  private static func nonFinite(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard let first = bytes.first, bytes.count <= 9 else { return nil }
    let isNegative = first == UInt8(ascii: "-")
    let word = isNegative || first == UInt8(ascii: "+") ? UnsafeRawBufferPointer(rebasing: bytes[1...]) : bytes
    // Only letters are compared, so that this bit means lower case.
    func matches(_ name: StaticString) -> Bool {
      word.count == name.utf8CodeUnitCount && (0..<word.count).allSatisfy { word[$0] | 0x20 == name.utf8Start[$0] }
    }
    if matches("nan") { return .nan }
    if matches("inf") || matches("infinity") { return isNegative ? -.infinity : .infinity }
    return nil
  }

  /// `mantissa * 10^exponent`, rounded once to nearest even; nil where 64-bit arithmetic does not decide it.
  private static func double(_ mantissa: UInt64, _ exponent: Int) -> Double? {
    if mantissa == 0 { return 0 }
    if mantissa <= 1 << 53 && exponent.magnitude <= 22 {
      // Both factors are exact doubles, so that the one rounding is correct (Clinger 1990).
      let power = powersOfTen[exponent < 0 ? -exponent : exponent]
      return exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
    }
    // 5^27 is the greatest power of five below 2^64.
    guard exponent.magnitude <= 27 else { return nil }
    let zeros = mantissa.leadingZeroBitCount
    let normal = mantissa << UInt64(zeros)
    if exponent < 0 {
      let five = powersOfFive[-exponent]
      let fiveZeros = five.leadingZeroBitCount
      // normal * 2^63 / five', both normalized: the quotient has 63 or 64 bits, ten more than a double, and the remainder
      // goes into its last bit, so that rounding sees on which side of a tie the real number lies.
      let (quotient, remainder) = (five << UInt64(fiveZeros)).dividingFullWidth((normal >> 1, normal << 63))
      return scaled(remainder == 0 ? quotient : quotient | 1, exponent - zeros + fiveZeros - 63)
    }
    let (high, low) = normal.multipliedFullWidth(by: powersOfFive[exponent])
    // The high half may be short of leading bits for small powers: take 64 bits from the first set one.
    let shift = high.leadingZeroBitCount
    if shift >= 64 { return nil }
    let top = shift == 0 ? high : high << UInt64(shift) | low >> UInt64(64 - shift)
    let rest = low << UInt64(shift)
    return scaled(rest == 0 ? top : top | 1, exponent - zeros + 64 - shift)
  }

  /// `value * 2^power`; exact behind the conversion, as the exponents here stay far from both ends of the doubles.
  @inline(__always) private static func scaled(_ value: UInt64, _ power: Int) -> Double {
    Double(value) * Double(sign: .plus, exponent: power, significand: 1)
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  private static let powersOfFive: [UInt64] = {
    var powers: [UInt64] = [1]
    while powers.count <= 27 { powers.append(powers[powers.count - 1] * 5) }
    return powers
  }()
}

/// The grammar of a decimal number, and its value as an integer times a power of ten.
private struct DecimalParts {
  var isNegative = false
  var mantissa: UInt64 = 0
  var exponent = 0
  /// Whether digits that are not zero did not fit into the mantissa.
  var isTruncated = false

  init?(_ bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    guard count > 0, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
    var position = 0
    isNegative = base[0] == UInt8(ascii: "-")
    if isNegative || base[0] == UInt8(ascii: "+") { position = 1 }
    var hasDigit = false
    var hasPoint = false
    while position < count {
      let byte = base[position]
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        hasDigit = true
        // Below this another digit fits into 64 bits.
        if mantissa < 1_844_674_407_370_955_161 {
          mantissa = mantissa &* 10 &+ UInt64(digit)
          if hasPoint { exponent &-= 1 }
        } else {
          isTruncated = isTruncated || digit != 0
          if !hasPoint { exponent &+= 1 }
        }
      } else if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else {
        break
      }
      position &+= 1
    }
    guard hasDigit else { return nil }
    guard position < count else { return }
    guard base[position] | 0x20 == UInt8(ascii: "e") else { return nil }
    position += 1
    guard position < count else { return nil }
    let exponentIsNegative = base[position] == UInt8(ascii: "-")
    if exponentIsNegative || base[position] == UInt8(ascii: "+") { position += 1 }
    guard position < count else { return nil }
    var power = 0
    while position < count {
      let digit = base[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      // The bound only says "too large for the fast path".
      power = min(power * 10 + Int(digit), 1_000_000)
      position += 1
    }
    exponent += exponentIsNegative ? -power : power
  }
}
