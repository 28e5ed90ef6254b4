import Columns

/// What a window holds, by event number; only events that count are given to it.
protocol WindowAccumulator {
  mutating func reset()
  mutating func add(_ event: Int)
  mutating func remove(_ event: Int)
}

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

struct CountWindow: WindowAccumulator {
  private(set) var count = 0

  @inline(__always) mutating func reset() { count = 0 }
  @inline(__always) mutating func add(_ event: Int) { count &+= 1 }
  @inline(__always) mutating func remove(_ event: Int) { count &-= 1 }
}

/// Integers in 128 bits, which 2^31 of them cannot exceed.
struct IntegerWindow: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Int64>
  private(set) var total: Int128 = 0
  private(set) var count = 0

  init(_ values: UnsafePointer<Int64>) { self.values = values }

  @inline(__always) mutating func reset() {
    total = 0
    count = 0
  }

  @inline(__always) mutating func add(_ event: Int) {
    total &+= Int128(values[event])
    count &+= 1
  }

  @inline(__always) mutating func remove(_ event: Int) {
    total &-= Int128(values[event])
    count &-= 1
  }

  /// The exact sum divided by the count, rounded once. - Precondition: there is a value
  func mean() -> Double { ExactQuotient(total, exponent: 0).rounded(dividedBy: UInt64(count)) }
}

struct DoubleWindow<Sum: ExactDoubleSum>: WindowAccumulator {
  // SAFETY: the caller keeps the column alive and gives only its events.
  private let values: UnsafePointer<Double>
  private(set) var sum: Sum

  init(_ values: UnsafePointer<Double>, _ sum: Sum) {
    self.values = values
    self.sum = sum
  }

  @inline(__always) mutating func reset() { sum.reset() }
  @inline(__always) mutating func add(_ event: Int) { sum.add(values[event]) }
  @inline(__always) mutating func remove(_ event: Int) { sum.remove(values[event]) }
}
