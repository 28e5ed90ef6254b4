/// Integers from decimal text, never rounded: where a number names something, its neighbour names something else.
package enum WholeNumber {
  /// The integer that a number is exactly, as sign and magnitude: `12`, and with point and exponent where nothing is left behind
  /// the point, as in `1.0`, `1e3` and `-12.50e1`.
  /// - Returns: nil for what is no number, not whole, or beyond 64 bits.
  /// - Complexity: O(bytes)
  package static func parse(_ bytes: UnsafeRawBufferPointer) -> (isNegative: Bool, magnitude: UInt64)? {
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
    let isNegative = skip(UInt8(ascii: "-"))
    if !isNegative { _ = skip(UInt8(ascii: "+")) }
    let digitStart = position
    while digit() != nil { position += 1 }
    // How many digits stand before the point.
    var wholeCount = position - digitStart
    var digitCount = wholeCount
    var point = position
    if skip(UInt8(ascii: ".")) {
      point = position - 1
      while digit() != nil { position += 1 }
      digitCount += position - point - 1
    }
    guard digitCount > 0 else { return nil }
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
    var magnitude: UInt64 = 0
    for index in 0..<digitCount {
      let place = digitStart + index
      let value = UInt64(bytes[place < point ? place : place + 1] &- UInt8(ascii: "0"))
      guard index < wholeCount else {
        if value != 0 { return nil }
        continue
      }
      guard append(value, to: &magnitude) else { return nil }
    }
    // Zeros that only the exponent says.
    var missing = magnitude == 0 ? 0 : wholeCount - digitCount
    while missing > 0 {
      guard append(0, to: &magnitude) else { return nil }
      missing -= 1
    }
    return (isNegative, magnitude)
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
