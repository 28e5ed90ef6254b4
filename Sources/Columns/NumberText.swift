/// Numbers as text: exact parsing from bytes, and the shortest text that reads back exactly.
package enum NumberText {
  /// An integer with an optional sign; nil for anything else and for values outside 64 bits.
  package static func parseInt64(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard let (isNegative, magnitude) = parseMagnitude(bytes) else { return nil }
    if isNegative { return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil }
    return Int64(exactly: magnitude)
  }

  /// An integer of 0 or more; nil for anything else and for values outside 64 bits.
  package static func parseUInt64(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
    guard let (isNegative, magnitude) = parseMagnitude(bytes), !isNegative || magnitude == 0 else { return nil }
    return magnitude
  }

  private static func parseMagnitude(_ bytes: UnsafeRawBufferPointer) -> (isNegative: Bool, magnitude: UInt64)? {
    let count = bytes.count
    guard count > 0, let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
    let isNegative = base[0] == UInt8(ascii: "-")
    let start = isNegative || base[0] == UInt8(ascii: "+") ? 1 : 0
    guard count > start else { return nil }
    var magnitude: UInt64 = 0
    // Nineteen digits cannot overflow.
    let safeEnd = min(count, start &+ 19)
    var position = start
    while position < safeEnd {
      let digit = base[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      magnitude = magnitude &* 10 &+ UInt64(digit)
      position &+= 1
    }
    while position < count {
      let digit = base[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return nil }
      let (product, overflows) = magnitude.multipliedReportingOverflow(by: 10)
      let (sum, overflowsToo) = product.addingReportingOverflow(UInt64(digit))
      if overflows || overflowsToo { return nil }
      magnitude = sum
      position &+= 1
    }
    return (isNegative, magnitude)
  }

  /// `true` or `false`, in lower case, upper case or capitalised.
  package static func parseBool(_ bytes: UnsafeRawBufferPointer) -> Bool? {
    func matches(_ word: StaticString) -> Bool {
      (0..<bytes.count).allSatisfy { bytes[$0] == word.utf8Start[$0] }
    }
    switch bytes.count {
    case 4: return matches("true") || matches("True") || matches("TRUE") ? true : nil
    case 5: return matches("false") || matches("False") || matches("FALSE") ? false : nil
    default: return nil
    }
  }

  package static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(value.magnitude, to: &bytes)
  }

  package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    // The largest value has 20 digits.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var place = 20
      repeat {
        place &-= 1
        let next = rest / 10
        digits[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- next &* 10)
        rest = next
      } while rest > 0
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[place..<20]))
    }
  }

  /// The shortest text that reads back as this double, always with a point or an exponent; else `NaN`, `Infinity`, `-Infinity`.
  package static func append(_ value: Double, to bytes: inout [UInt8]) {
    var text = format(value)
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  package static func append(_ value: Float, to bytes: inout [UInt8]) {
    var text = format(value)
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  package static func format(_ value: Double) -> String {
    value.isFinite ? value.description : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
  }

  package static func format(_ value: Float) -> String {
    value.isFinite ? value.description : value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity"
  }
}
