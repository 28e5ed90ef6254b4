// The sums of sliding windows. All give the exact sum, so that it does not matter which one a column gets.

/// An exact sum of doubles that values can leave again.
protocol ExactDoubleSum {
  var count: Int { get }
  mutating func reset()
  mutating func add(_ value: Double)
  mutating func remove(_ value: Double)
  func sum() -> Double
  func mean() -> Double
}

extension ExactSum: ExactDoubleSum {}
extension FixedSum: ExactDoubleSum {}

/// Integers in 128 bits, which 2^31 of them cannot exceed.
struct IntegerWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Int64>
  private(set) var total: Int128 = 0

  init(_ values: UnsafePointer<Int64>) { self.values = values }

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { total = 0 }
  @inline(__always) mutating func add(_ events: Range<Int>) { for event in events { total &+= Int128(values[event]) } }
  @inline(__always) mutating func remove(_ events: Range<Int>) { for event in events { total &-= Int128(values[event]) } }

  /// The exact sum divided by the count, rounded once.
  static func mean(_ total: Int128, _ count: Int) -> Double { ExactQuotient(total, exponent: 0).rounded(dividedBy: UInt64(count)) }
}

/// Unscaled decimals in 192 bits.
struct DecimalWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Int128>
  private var low: UInt128 = 0
  private var high: Int64 = 0

  init(_ values: UnsafePointer<Int128>) { self.values = values }

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { (low, high) = (0, 0) }

  @inline(__always) mutating func add(_ events: Range<Int>) {
    for event in events {
      let (sum, carry) = low.addingReportingOverflow(UInt128(bitPattern: values[event]))
      low = sum
      high &+= (values[event] < 0 ? -1 : 0) &+ (carry ? 1 : 0)
    }
  }

  @inline(__always) mutating func remove(_ events: Range<Int>) {
    for event in events {
      let (rest, borrow) = low.subtractingReportingOverflow(UInt128(bitPattern: values[event]))
      low = rest
      high &-= (values[event] < 0 ? -1 : 0) &+ (borrow ? 1 : 0)
    }
  }

  private var magnitude: BigMagnitude {
    guard high < 0 else { return BigMagnitude(low, UInt64(high)) }
    let (negated, borrow) = UInt128(0).subtractingReportingOverflow(low)
    return BigMagnitude(negated, UInt64(bitPattern: 0 &- high &- (borrow ? 1 : 0)))
  }

  /// Nil when the sum has more than 38 digits.
  var sum: Int128? {
    let value = Int128(bitPattern: UInt128(low))
    guard high == (value < 0 ? -1 : 0), value.magnitude < Self.limit else { return nil }
    return value
  }

  /// The exact sum divided by count and scale, rounded once.
  func mean(count: Int, scale: Int) -> Double {
    // Count and scale take less than 160 bits, so that more than 64 bits of the quotient remain.
    let shift = 256
    var quotient = magnitude.shifted(by: shift)
    let hasRest = quotient.divide(by: UInt64(count)) != 0
    let hasMore = quotient.divide(byPowerOfTen: scale)
    return quotient.exact(isNegative: high < 0, exponent: -shift, hasRest: hasRest || hasMore).rounded()
  }

  /// 10^38, the first number that decimal(38) does not hold.
  private static let limit = UInt128(10_000_000_000_000_000_000) * 10_000_000_000_000_000_000
}

struct DoubleWindow<Sum: ExactDoubleSum>: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Double>
  private(set) var sum: Sum

  init(_ values: UnsafePointer<Double>, _ sum: Sum) {
    self.values = values
    self.sum = sum
  }

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { sum.reset() }
  @inline(__always) mutating func add(_ events: Range<Int>) { for event in events { sum.add(values[event]) } }
  @inline(__always) mutating func remove(_ events: Range<Int>) { for event in events { sum.remove(values[event]) } }
}

/// Finite doubles as a 128-bit integer in units of 2^(position of the least - 1074), each split into two machine words by rounding:
/// no branches, and two values an instruction.
struct SplitWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Double>
  /// Makes the unit 1.
  private let scale: Double
  private let position: Int
  private(set) var total: Int128 = 0

  /// - Parameter range: of the positions of all values. Nil when a value could take more bits than the two words have.
  init?(_ values: UnsafePointer<Double>, _ range: PositionRange) {
    guard !range.hasSpecial, range.bitCount <= Self.bitCountMax, range.low >= Self.positionMin, range.low <= Self.positionMax else {
      return nil
    }
    self.values = values
    position = range.low
    scale = Double(sign: .plus, exponent: 1074 - range.low, significand: 1)
  }

  /// The low word takes 40 bits, so that 2^12 of them, and of the high one's 50, stay far below 2^63.
  private static let lowBitCount = 40
  private static let bitCountMax = 90
  /// The scale has to be a normal double, and so have the scaled values.
  private static let positionMin = 60
  private static let positionMax = 2000
  private static let blockLength = 4096

  static var clearsAtOnce: Bool { true }
  @inline(__always) mutating func clear(_ held: Range<Int>) { total = 0 }
  @inline(__always) mutating func add(_ events: Range<Int>) { total &+= sum(events) }
  @inline(__always) mutating func remove(_ events: Range<Int>) { total &-= sum(events) }

  @inline(__always) private func sum(_ events: Range<Int>) -> Int128 {
    // Adding 1.5 · 2^52 units rounds a double to whole units and leaves their number in its lowest bits.
    let unitMagic = 0x1.8p52
    let highMagic = 0x1.8p92
    var total: Int128 = 0
    var start = events.lowerBound
    while start < events.upperBound {
      let end = min(start &+ Self.blockLength, events.upperBound)
      var high: Int64 = 0
      var low: Int64 = 0
      var event = start
      while event < end {
        let value = values[event] * scale
        let rounded = value + highMagic
        let rest = (value - (rounded - highMagic)) + unitMagic
        high &+= Int64(bitPattern: rounded.bitPattern) &- Int64(bitPattern: highMagic.bitPattern)
        low &+= Int64(bitPattern: rest.bitPattern) &- Int64(bitPattern: unitMagic.bitPattern)
        event &+= 1
      }
      total &+= Int128(high) &<< Int128(Self.lowBitCount) &+ Int128(low)
      start = end
    }
    return total
  }

  var exact: ExactQuotient { ExactQuotient(total, exponent: position + ExactQuotient.exponentMin) }
}

/// Where the bits of a column's finite values lie; see `DoubleParts`.
struct PositionRange {
  /// Of the least finite value but zero, and of the greatest; both 1023 when all are zero.
  private(set) var low = 1023
  private(set) var high = 1023
  /// Whether there are NaN or infinities.
  private(set) var hasSpecial = false

  /// - Complexity: O(rows)
  init(_ values: UnsafePointer<Double>, rows: Range<Int>) {
    let infinity = Double.infinity.bitPattern
    var least = UInt64.max
    var greatest: UInt64 = 0
    for row in rows {
      let magnitude = values[row].bitPattern & ~(1 &<< 63)
      // Zero becomes the greatest of all.
      least = min(least, magnitude &- 1)
      greatest = max(greatest, magnitude)
    }
    if greatest >= infinity {
      hasSpecial = true
      greatest = 0
      for row in rows where values[row].isFinite { greatest = max(greatest, values[row].magnitude.bitPattern) }
    }
    guard greatest > 0 else { return }
    low = DoubleParts(Double(bitPattern: least &+ 1)).position
    high = DoubleParts(Double(bitPattern: greatest)).position
  }

  /// Bits a value takes at most, counted from the lowest position.
  var bitCount: Int { high - low + 53 }
}
