import Columns

extension TextBuffer {
  /// Two digits of every number below 100.
  private static let pairs: StaticString =
    """
    0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
    5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
    """

  @inline(__always) mutating func append(integer value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(integer: value.magnitude)
  }

  @inline(__always) mutating func append(integer value: UInt64) {
    let digitCount = TextBuffer.digitCount(value)
    TextBuffer.store(value, digitCount: digitCount, at: room(digitCount))
    advance(digitCount)
  }

  /// Decimal digits of a number; 1 for zero.
  @inline(__always) static func digitCount(_ value: UInt64) -> Int {
    var digitCount = 1
    var rest = value
    while rest >= 10_000 {
      rest /= 10_000
      digitCount &+= 4
    }
    return digitCount &+ (rest >= 1_000 ? 3 : rest >= 100 ? 2 : rest >= 10 ? 1 : 0)
  }

  /// Stores exactly `digitCount` digits, with zeros in front.
  /// - Precondition: value < 10^digitCount; the target holds so many bytes.
  @inline(__always) static func store(_ value: UInt64, digitCount: Int, at target: UnsafeMutablePointer<UInt8>) {
    let pairs = TextBuffer.pairs.utf8Start
    var place = digitCount
    var rest = value
    while place >= 2 {
      let next = rest / 100
      let pair = Int(truncatingIfNeeded: rest &- next &* 100) &* 2
      place &-= 2
      target[place] = pairs[pair]
      target[place &+ 1] = pairs[pair &+ 1]
      rest = next
    }
    if place == 1 { target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest) }
  }

  /// The shortest text that reads back as this double, always with a point or an exponent; else `NaN`, `Infinity`, `-Infinity`.
  @inline(__always) mutating func append(double value: Double) {
    let magnitude = value.magnitude
    // A decimal of at most 15 digits is the only one that short next to its double, so that finding one means having found
    // the shortest. Below 0.001 the shortest form may be one with an exponent.
    if magnitude < 1e11 && (magnitude >= 0.001 || magnitude == 0) {
      let scaled = magnitude * 10_000
      let whole = scaled.rounded()
      if whole / 10_000 == magnitude {
        append(isNegative: value.sign == .minus, tenThousandths: UInt64(whole))
        return
      }
    }
    append(NumberText.format(value))
  }

  private mutating func append(isNegative: Bool, tenThousandths: UInt64) {
    if isNegative { append(UInt8(ascii: "-")) }
    let whole = tenThousandths / 10_000
    let fraction = tenThousandths % 10_000
    append(integer: whole)
    let target = room(5)
    target[0] = UInt8(ascii: ".")
    TextBuffer.store(fraction, digitCount: 4, at: target + 1)
    // One digit stays behind the point.
    advance(fraction % 10 != 0 ? 5 : fraction % 100 != 0 ? 4 : fraction % 1_000 != 0 ? 3 : 2)
  }

  mutating func append(float value: Float) { append(NumberText.format(value)) }

  mutating func append(half value: Float16) {
    append(value.isFinite ? value.description : NumberText.format(Float(value)))
  }

  /// A decimal with all digits of its scale.
  mutating func append(decimal value: Int128, scale: Int) {
    guard value.magnitude <= UInt128(UInt64.max) && scale <= 18 else {
      append(NumberText.formatDecimal(value, scale: scale))
      return
    }
    if value < 0 { append(UInt8(ascii: "-")) }
    let magnitude = UInt64(value.magnitude)
    if scale == 0 {
      append(integer: magnitude)
      return
    }
    var power: UInt64 = 1
    for _ in 0..<scale { power *= 10 }
    append(integer: magnitude / power)
    let target = room(scale + 1)
    target[0] = UInt8(ascii: ".")
    TextBuffer.store(magnitude % power, digitCount: scale, at: target + 1)
    advance(scale + 1)
  }
}
