/// The exact sums of x and x² over integers below 2^96 in magnitude, of which 2^31 fit.
struct Moments {
  private(set) var sum: Int128 = 0
  private var squaresLow: UInt128 = 0
  private var squaresHigh: UInt128 = 0
  /// NaN and infinities, which make the deviation NaN.
  private(set) var specialCount = 0

  @inline(__always) mutating func change(_ value: Int128, _ isRemoved: Bool) {
    let magnitude = value.magnitude
    let (high, low) = (UInt64(truncatingIfNeeded: magnitude &>> 64), UInt64(truncatingIfNeeded: magnitude))
    // (high · 2^64 + low)², of which high · low stays below 2^96 and high² below 2^64.
    let square = low.multipliedFullWidth(by: low)
    let cross = UInt128(high) &* UInt128(low) &<< 1
    let base = UInt128(square.high) &<< 64 | UInt128(square.low)
    let (lowPart, carry) = base.addingReportingOverflow(cross &<< 64)
    let highPart = UInt128(high) &* UInt128(high) &+ cross &>> 64 &+ (carry ? 1 : 0)
    if isRemoved {
      sum &-= value
      let (rest, borrow) = squaresLow.subtractingReportingOverflow(lowPart)
      squaresLow = rest
      squaresHigh = squaresHigh &- highPart &- (borrow ? 1 : 0)
    } else {
      sum &+= value
      let (total, over) = squaresLow.addingReportingOverflow(lowPart)
      squaresLow = total
      squaresHigh = squaresHigh &+ highPart &+ (over ? 1 : 0)
    }
  }

  mutating func changeSpecial(_ isRemoved: Bool) { specialCount &+= isRemoved ? -1 : 1 }

  /// The sample standard deviation of values in units of 2^exponent; nil below two.
  func deviation(count: Int, exponent: Int) -> Double? {
    guard count > 1 else { return nil }
    guard specialCount == 0 else { return .nan }
    // n Σx² - (Σx)², both below 2^255.
    let low = squaresLow.multipliedFullWidth(by: UInt128(count))
    let high = low.high &+ squaresHigh &* UInt128(count)
    let square = sum.magnitude.multipliedFullWidth(by: sum.magnitude)
    let (differenceLow, borrow) = low.low.subtractingReportingOverflow(square.low)
    let differenceHigh = high &- square.high &- (borrow ? 1 : 0)
    var (top, cut) = (differenceHigh, differenceLow)
    var shift = 128
    if top == 0 { (top, cut, shift) = (cut, 0, 0) }
    guard top != 0 else { return 0 }
    let zeros = top.leadingZeroBitCount
    if zeros > 0 {
      top = top << zeros | cut >> (128 - zeros)
      cut = cut << zeros
    }
    let quotient = ExactQuotient(isNegative: false, top: top, exponent: 2 * exponent + shift - zeros, hasRest: cut != 0)
    return quotient.squareRoot(dividedBy: UInt64(count) * UInt64(count - 1))
  }
}

extension ExactQuotient {
  /// The square root of the number divided by `divisor`: of the quotient, rounded once, so that it is right to one unit in the last place.
  func squareRoot(dividedBy divisor: UInt64) -> Double {
    guard top != 0 else { return 0 }
    var scaled = self
    // Near 1, so that no square is too great or too small for a double; the exponent taken out has to be even.
    let magnitude = exponent + 128 - top.leadingZeroBitCount
    let even = magnitude - (magnitude & 1)
    scaled.exponent = exponent - even
    let root = scaled.rounded(dividedBy: divisor).squareRoot()
    return Double(sign: .plus, exponent: even / 2, significand: root)
  }
}

/// Integers for a deviation.
struct IntegerMomentWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Int64>
  private(set) var moments = Moments()

  init(_ values: UnsafePointer<Int64>) { self.values = values }

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { moments = Moments() }
  @inline(__always) mutating func add(_ events: Range<Int>) { for event in events { moments.change(Int128(values[event]), false) } }
  @inline(__always) mutating func remove(_ events: Range<Int>) { for event in events { moments.change(Int128(values[event]), true) } }
  func deviation(count: Int) -> Double? { moments.deviation(count: count, exponent: 0) }
}

/// Doubles whose exponents lie close together, for a deviation.
struct DoubleMomentWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Double>
  private let base: Int
  private var moments = Moments()

  /// Nil when a value could take more than the 96 bits that moments are made for.
  init?(_ values: UnsafePointer<Double>, _ range: PositionRange) {
    guard range.bitCount <= 96 else { return nil }
    self.values = values
    base = range.low
  }

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { moments = Moments() }
  @inline(__always) mutating func add(_ events: Range<Int>) { for event in events { change(values[event], false) } }
  @inline(__always) mutating func remove(_ events: Range<Int>) { for event in events { change(values[event], true) } }

  @inline(__always) private mutating func change(_ value: Double, _ isRemoved: Bool) {
    guard value.isFinite else { return moments.changeSpecial(isRemoved) }
    let parts = DoubleParts(value)
    guard parts.significand != 0 else { return }
    let shifted = Int128(parts.significand) &<< Int128(parts.position &- base)
    moments.change(parts.isNegative ? 0 &- shifted : shifted, isRemoved)
  }

  func deviation(count: Int) -> Double? { moments.deviation(count: count, exponent: base + ExactQuotient.exponentMin) }
}

/// Any doubles, for a deviation: sums of x and x² in digits over the whole range.
struct WideMomentWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Double>
  /// In units of 2^-1074 and 2^-2148.
  private var sum = DigitSum(positionMax: 2045)
  private var squares = DigitSum(positionMax: 2 * 2045)
  private var specialCount = 0

  init(_ values: UnsafePointer<Double>) { self.values = values }

  static var clearsAtOnce: Bool { true }

  mutating func clear(_ held: Range<Int>) {
    sum.reset()
    squares.reset()
    specialCount = 0
  }

  mutating func add(_ events: Range<Int>) { for event in events { change(values[event], 1) } }
  mutating func remove(_ events: Range<Int>) { for event in events { change(values[event], -1) } }

  private mutating func change(_ value: Double, _ step: Int64) {
    guard value.isFinite else { return specialCount += Int(step) }
    let parts = DoubleParts(value)
    sum.add(UInt128(parts.significand), position: parts.position, parts.isNegative ? -step : step)
    squares.add(UInt128(parts.significand) * UInt128(parts.significand), position: 2 * parts.position, step)
  }

  func deviation(count: Int) -> Double? {
    guard count > 1 else { return nil }
    guard specialCount == 0 else { return .nan }
    let sum = sum.magnitude
    let scaled = squares.magnitude.multiplied(by: BigMagnitude(UInt128(count)))
    let difference = scaled.subtracting(sum.multiplied(by: sum))
    return difference.exact(isNegative: false, exponent: 2 * ExactQuotient.exponentMin, hasRest: false)
      .squareRoot(dividedBy: UInt64(count) * UInt64(count - 1))
  }
}

/// An integer in digits of 32 bits that are carried only when it is read; at most `Int32.max` numbers may be in the sum.
struct DigitSum {
  private var digits: [Int64]

  /// - Parameter positionMax: of the numbers, which have up to 106 bits.
  init(positionMax: Int) {
    // A number reaches five digits with its shift; two more take the carries.
    digits = [Int64](repeating: 0, count: positionMax / 32 + 5 + 2)
  }

  mutating func reset() { for index in digits.indices { digits[index] = 0 } }

  mutating func add(_ number: UInt128, position: Int, _ sign: Int64) {
    let shift = position & 31
    let shifted = number << shift
    let low = UInt64(truncatingIfNeeded: shifted)
    let middle = UInt64(truncatingIfNeeded: shifted >> 64)
    let first = position >> 5
    digits[first] &+= sign &* Int64(low & 0xFFFF_FFFF)
    digits[first + 1] &+= sign &* Int64(low >> 32)
    digits[first + 2] &+= sign &* Int64(middle & 0xFFFF_FFFF)
    digits[first + 3] &+= sign &* Int64(middle >> 32)
    if shift > 0 { digits[first + 4] &+= sign &* Int64(truncatingIfNeeded: number >> (128 - shift)) }
  }

  /// Without its sign.
  var magnitude: BigMagnitude { carried(1) ?? carried(-1) ?? BigMagnitude(0) }

  /// Nil when the sum times `sign` is negative.
  private func carried(_ sign: Int64) -> BigMagnitude? {
    var words = [UInt64](repeating: 0, count: digits.count / 2 + 1)
    var carry: Int128 = 0
    for (index, digit) in digits.enumerated() {
      carry += Int128(digit) * Int128(sign)
      words[index / 2] |= UInt64(UInt32(truncatingIfNeeded: carry)) << (index % 2 == 0 ? 0 : 32)
      carry >>= 32
    }
    return carry < 0 ? nil : BigMagnitude(words: words)
  }
}
