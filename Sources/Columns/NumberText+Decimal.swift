extension NumberText {
  /// A decimal number without exponent as an integer of 10^-scale.
  /// - Returns: nil for anything else, for more digits than `precision` and for digits behind the scale other than zero.
  package static func parseDecimal(_ bytes: UnsafeRawBufferPointer, precision: Int, scale: Int) -> Int128? {
    var position = 0
    let count = bytes.count
    guard count > 0 else { return nil }
    let isNegative = bytes[0] == UInt8(ascii: "-")
    if isNegative || bytes[0] == UInt8(ascii: "+") { position = 1 }
    var value: Int128 = 0
    var hasDigit = false
    var fractionCount: Int?
    var digitCount = 0
    while position < count {
      let byte = bytes[position]
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        hasDigit = true
        if let fraction = fractionCount, fraction == scale {
          if digit != 0 { return nil }
        } else {
          if value != 0 || digit != 0 { digitCount += 1 }
          // 38 digits stay below 2^127.
          if digitCount > 38 { return nil }
          value = value * 10 + Int128(digit)
          if let fraction = fractionCount { fractionCount = fraction + 1 }
        }
      } else if byte == UInt8(ascii: "."), fractionCount == nil {
        fractionCount = 0
      } else {
        return nil
      }
      position += 1
    }
    guard hasDigit else { return nil }
    let missing = scale - (fractionCount ?? 0)
    if value != 0 {
      guard digitCount + missing <= min(precision, 38) else { return nil }
      for _ in 0..<missing { value *= 10 }
    }
    return isNegative ? -value : value
  }

  /// All digits of the scale: `-12.30` for -1230 of scale 2.
  package static func formatDecimal(_ value: Int128, scale: Int) -> String {
    guard scale > 0 else { return String(value) }
    let digits = String(value.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
    return (value < 0 ? "-" : "") + padded.dropLast(scale) + "." + padded.suffix(scale)
  }

  package static func appendDecimal(_ value: Int128, scale: Int, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: formatDecimal(value, scale: scale).utf8)
  }
}
