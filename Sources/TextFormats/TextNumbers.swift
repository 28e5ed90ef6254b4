import Columns

/// Fast paths for the usual spellings of numbers; all others go to `NumberText`, with the same results.
///
/// The bytes must have 16 readable ones behind their end, as chunks of files do (see `TextChunk`).
enum TextNumbers {
  // SAFETY: loads reach at most 8 bytes behind the end of a number.

  /// The number of eight ASCII digits, the first one in the lowest byte; nil where one is no digit.
  ///
  /// Three multiplications join neighbours: Lemire, "Quickly parsing eight digits" (2018).
  @inline(__always) static func eightDigits(_ word: UInt64) -> UInt64? {
    // Digits have 3 in the high half, also with 6 added to the low half.
    let high: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
    let carried = ((word &+ 0x0606_0606_0606_0606) & high) &>> 4
    guard (word & high) | carried == 0x3333_3333_3333_3333 else { return nil }
    var value = ((word & 0x0F0F_0F0F_0F0F_0F0F) &* 2_561) &>> 8
    value = ((value & 0x00FF_00FF_00FF_00FF) &* 6_553_601) &>> 16
    return ((value & 0x0000_FFFF_0000_FFFF) &* 42_949_672_960_001) &>> 32
  }

  /// The number of 1...8 digits.
  @inline(__always) static func fewDigits(_ start: UnsafeRawPointer, _ count: Int) -> UInt64? {
    let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
    let missing = UInt64(truncatingIfNeeded: 64 &- count &* 8)
    // Zeros in front make it eight digits.
    let zeros: UInt64 = count == 8 ? 0 : 0x3030_3030_3030_3030 &>> (64 &- missing)
    return eightDigits(word &<< missing | zeros)
  }

  /// As `NumberText.parseInt64`.
  @inline(__always) static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    guard let start = bytes.baseAddress else { return nil }
    return integer(start, bytes.count)
  }

  @inline(__always) static func integer(_ start: UnsafeRawPointer, _ length: Int) -> Int64? {
    let isNegative = start.loadUnaligned(as: UInt8.self) == UInt8(ascii: "-")
    let digits = start + (isNegative ? 1 : 0)
    let count = length &- (isNegative ? 1 : 0)
    if count >= 1 && count <= 8, let value = fewDigits(digits, count) {
      return isNegative ? 0 &- Int64(truncatingIfNeeded: value) : Int64(truncatingIfNeeded: value)
    }
    if count > 8 && count <= 16, let high = fewDigits(digits, count &- 8), let low = fewDigits(digits + (count &- 8), 8) {
      let value = Int64(truncatingIfNeeded: high &* 100_000_000 &+ low)
      return isNegative ? 0 &- value : value
    }
    return NumberText.parseInt64(UnsafeRawBufferPointer(start: start, count: length))
  }

  /// Sign, digits with at most one point; nothing else.
  struct Plain {
    var isNegative = false
    var mantissa: UInt64 = 0
    var fractionDigitCount = 0

    /// nil where there is another form, or more than 19 digits, whose number may not fit.
    @inline(__always) init?(_ start: UnsafeRawPointer, _ length: Int) {
      let base = start.assumingMemoryBound(to: UInt8.self)
      var place = 0
      if base[0] == UInt8(ascii: "-") {
        isNegative = true
        place = 1
      }
      let first = place
      while place < length {
        let digit = base[place] &- UInt8(ascii: "0")
        if digit > 9 { break }
        mantissa = mantissa &* 10 &+ UInt64(digit)
        place &+= 1
      }
      var digitCount = place &- first
      if place < length {
        guard base[place] == UInt8(ascii: ".") else { return nil }
        place &+= 1
        let fraction = place
        // The words in between end before the text does.
        while place &+ 8 <= length, let value = TextNumbers.fewDigits(start + place, 8) {
          mantissa = mantissa &* 100_000_000 &+ value
          place &+= 8
        }
        while place < length {
          let digit = base[place] &- UInt8(ascii: "0")
          if digit > 9 { return nil }
          mantissa = mantissa &* 10 &+ UInt64(digit)
          place &+= 1
        }
        fractionDigitCount = place &- fraction
        digitCount &+= fractionDigitCount
      }
      guard digitCount >= 1 && digitCount <= 19 else { return nil }
    }
  }

  /// As `NumberText.parseDouble`.
  @inline(__always) static func double(_ bytes: UnsafeRawBufferPointer) -> Double? {
    guard let start = bytes.baseAddress else { return nil }
    return double(start, bytes.count)
  }

  @inline(__always) static func double(_ start: UnsafeRawPointer, _ length: Int) -> Double? {
    // Both sides of the division are exact, so that its one rounding is correct (Clinger 1990).
    if let plain = Plain(start, length), plain.mantissa <= 1 << 53 {
      let magnitude = Double(Int64(bitPattern: plain.mantissa)) / powersOfTen[plain.fractionDigitCount]
      return plain.isNegative ? -magnitude : magnitude
    }
    return NumberText.parseDouble(UnsafeRawBufferPointer(start: start, count: length))
  }

  /// As `NumberText.parseFloat`.
  static func float(_ bytes: UnsafeRawBufferPointer) -> Float? {
    guard let start = bytes.baseAddress else { return nil }
    if let plain = Plain(start, bytes.count), plain.mantissa <= 1 << 53 {
      let magnitude = Double(Int64(bitPattern: plain.mantissa)) / powersOfTen[plain.fractionDigitCount]
      // Rounding twice differs from once only where the double lies exactly between two floats, and below the normal ones.
      let isTie = magnitude.bitPattern & 0x1FFF_FFFF == 0x1000_0000
      if !isTie && (magnitude >= Double(Float.leastNormalMagnitude) || magnitude == 0) {
        return plain.isNegative ? -Float(magnitude) : Float(magnitude)
      }
    }
    return NumberText.parseFloat(bytes)
  }

  /// The half-precision number nearest to the double of the text; nil also for numbers beyond its range, to either end. A text of more
  /// than 17 digits that lies between two halves may so be rounded to the wrong one.
  static func half(_ bytes: UnsafeRawBufferPointer) -> Float16? {
    guard let value = NumberText.parseDouble(bytes) else { return nil }
    let half = Float16(value)
    return (half.isFinite || !value.isFinite) && (half != 0 || value == 0) ? half : nil
  }

  /// As `NumberText.parseDecimal`.
  @inline(__always) static func decimal(_ start: UnsafeRawPointer, _ length: Int, precision: Int, scale: Int) -> Int128? {
    if let plain = Plain(start, length), plain.fractionDigitCount <= scale, scale &- plain.fractionDigitCount <= 18 {
      let (high, low) = plain.mantissa.multipliedFullWidth(by: wholePowersOfTen[scale &- plain.fractionDigitCount])
      let value = Int128(high) << 64 | Int128(low)
      if precision >= 38 || value.magnitude < NumberBounds.powersOfTen[precision] { return plain.isNegative ? -value : value }
      return nil
    }
    return NumberText.parseDecimal(UnsafeRawBufferPointer(start: start, count: length), precision: precision, scale: scale)
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
  ]
  private static let wholePowersOfTen: [UInt64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000,
    1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000, 10_000_000_000_000_000,
    100_000_000_000_000_000, 1_000_000_000_000_000_000,
  ]
}

/// The powers of ten that bound decimals.
enum NumberBounds {
  static let powersOfTen: [UInt128] = {
    var powers: [UInt128] = [1]
    while powers.count <= 38 { powers.append(powers[powers.count - 1] * 10) }
    return powers
  }()
}
