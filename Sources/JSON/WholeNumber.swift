/// Integers from decimal text, never rounded: where a number names something, its neighbour names something else.
package enum WholeNumber {
  /// The integer that a number is exactly, as sign and magnitude: `12`, and with point and exponent where nothing is left behind
  /// the point, as in `1.0`, `1e3` and `-12.50e1`.
  /// - Returns: nil for what is no number, not whole, or beyond 64 bits.
  /// - Complexity: O(bytes)
  package static func parse(_ bytes: UnsafeRawBufferPointer) -> (isNegative: Bool, magnitude: UInt64)? {
    guard let digits = NumberDigits(bytes) else { return nil }
    var magnitude: UInt64 = 0
    for index in 0..<digits.count {
      let value = digits[index]
      guard index < digits.wholeCount else {
        if value != 0 { return nil }
        continue
      }
      guard append(value, to: &magnitude) else { return nil }
    }
    // Zeros that only the exponent says.
    var missing = magnitude == 0 ? 0 : digits.wholeCount - digits.count
    while missing > 0 {
      guard append(0, to: &magnitude) else { return nil }
      missing -= 1
    }
    return (digits.isNegative, magnitude)
  }

  /// Whether a number is whole, written out to its last digit, and not the double nearest to it: 9007199254740993.0 is, 1e23 is
  /// not. Who writes all digits means each of them; digits that an exponent stands for were rounded by who wrote it.
  /// - Parameter value: the nearest double.
  /// - Complexity: O(1) below 2^53, where doubles miss no whole number; else O(bytes) for each 59 bits of the number.
  package static func isRounded(_ bytes: UnsafeRawBufferPointer, to value: Double) -> Bool {
    guard value.magnitude >= 0x1p53, value.isFinite, let digits = NumberDigits(bytes), digits.count >= digits.wholeCount,
      (max(0, digits.wholeCount)..<digits.count).allSatisfy({ digits[$0] == 0 })
    else { return false }
    // The double is a multiple of its last bit, and less than that away: they are equal where the number is a multiple too.
    var number = (0..<digits.wholeCount).map { digits[$0] }
    var bitCount = Int(value.exponent) - 52
    while bitCount > 0 {
      // Ten times a remainder must stay below 2^64.
      let step = min(bitCount, 59)
      var remainder: UInt64 = 0
      for index in number.indices {
        let sum = remainder * 10 + number[index]
        number[index] = sum >> UInt64(step)
        remainder = sum & (1 << UInt64(step) - 1)
      }
      if remainder != 0 { return true }
      bitCount -= step
    }
    return false
  }

  private static func append(_ digit: UInt64, to magnitude: inout UInt64) -> Bool {
    let (product, overflows) = magnitude.multipliedReportingOverflow(by: 10)
    let (sum, overflowsToo) = product.addingReportingOverflow(digit)
    magnitude = sum
    return !overflows && !overflowsToo
  }

  /// The same as an integer of some width; nil also where it does not fit.
  package static func parse<Value: FixedWidthInteger>(_ bytes: UnsafeRawBufferPointer, as _: Value.Type) -> Value? {
    guard let (isNegative, magnitude) = parse(bytes) else { return nil }
    if !isNegative { return Value(exactly: magnitude) }
    return magnitude <= 1 << 63 ? Value(exactly: Int64(truncatingIfNeeded: 0 &- magnitude)) : nil
  }

  package static func parse<Value: FixedWidthInteger>(_ text: String, as _: Value.Type) -> Value? {
    var text = text
    return text.withUTF8 { parse(UnsafeRawBufferPointer($0), as: Value.self) }
  }
}

/// The digits of a decimal number with point and exponent, and how many of them stand before the point once it is moved.
private struct NumberDigits {
  let isNegative: Bool
  let count: Int
  /// More than `count` where the exponent stands for zeros; below 0 for small fractions.
  let wholeCount: Int
  private let bytes: UnsafeRawBufferPointer
  private let start: Int
  private let point: Int

  /// nil for what is no number.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var position = 0
    func digit() -> UInt8? {
      guard position < bytes.count else { return nil }
      let value = bytes[position] &- UInt8(ascii: "0")
      return value <= 9 ? value : nil
    }
    func skip(_ byte: UInt8) -> Bool {
      guard position < bytes.count, bytes[position] == byte else { return false }
      position += 1
      return true
    }
    isNegative = skip(UInt8(ascii: "-"))
    if !isNegative { _ = skip(UInt8(ascii: "+")) }
    start = position
    while digit() != nil { position += 1 }
    var wholeCount = position - start
    var count = wholeCount
    var point = position
    if skip(UInt8(ascii: ".")) {
      point = position - 1
      while digit() != nil { position += 1 }
      count += position - point - 1
    }
    guard count > 0 else { return nil }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      position += 1
      let isDivided = skip(UInt8(ascii: "-"))
      if !isDivided { _ = skip(UInt8(ascii: "+")) }
      guard digit() != nil else { return nil }
      // No text has so many digits that more would matter.
      var power = 0
      while let next = digit() {
        power = min(power * 10 + Int(next), 1 << 40)
        position += 1
      }
      wholeCount += isDivided ? -power : power
    }
    guard position == bytes.count else { return nil }
    self.count = count
    self.wholeCount = wholeCount
    self.bytes = bytes
    self.point = point
  }

  /// A digit as a number, the first one at 0.
  subscript(index: Int) -> UInt64 {
    let place = start + index
    return UInt64(bytes[place < point ? place : place + 1] &- UInt8(ascii: "0"))
  }
}
