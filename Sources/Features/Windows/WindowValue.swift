import Columns

/// The aggregate of a single window; from the same exact sums and sketches as in `SlidingAggregate`, so the same bits.
enum WindowValue {
  /// - Returns: the value; an inner nil for null, an outer nil when a sum exceeds its type.
  /// - Complexity: O(events), times their logarithm for sketches
  static func evaluate(_ input: AggregateInput, _ window: Range<Int>) -> Scalar?? {
    switch input.function {
    case .count: return .int(Int64(input.countsAll ? window.count : window.count { input.isCounted($0) }))
    case .sum, .avg: return sum(input, window)
    case .stddev: return .some(deviation(input, window).map { .double($0) })
    case .min, .max:
      let values = input.someValues
      let ordered = values.slice(from: window.lowerBound, count: window.count).ordered
      let event =
        switch ordered.type {
        case .float64: extreme(input, DoubleOrder(ordered), window)
        case .string, .binary: extreme(input, TextOrder(ordered), window)
        case .decimal: extreme(input, DecimalOrder(ordered), window)
        default: extreme(input, Int64Order(ordered), window)
        }
      return .some(event.map { values.scalar(at: $0) })
    case .first: return .some(window.first { input.passes($0) }.flatMap { input.value(at: $0) })
    case .last: return .some(window.last { input.passes($0) }.flatMap { input.value(at: $0) })
    case .lastN(let n):
      let newest = Array(window.lazy.reversed().filter { input.passes($0) }.prefix(n))
      return .some(newest.isEmpty ? nil : .list(newest.map { input.someValues.scalar(at: $0) }))
    case .approxCountDistinct:
      let keys = DistinctSketch.keys(input.someValues, rows: window)
      let first = window.lowerBound
      let counted = input.countsAll ? keys : window.filter { input.isCounted($0) }.map { keys[$0 - first] }
      return .some(counted.isEmpty ? nil : .int(DistinctSketch.estimate(counted)))
    case .approxQuantile(let q):
      let values = input.someValues.values(Double.self)
      let keys = window.filter { input.isCounted($0) }.map { QuantileSketch.key(values[$0]) }
      return .some(keys.isEmpty ? nil : .double(QuantileSketch.value(q, keys: keys)))
    }
  }

  /// - Returns: how many events count.
  @inline(__always) private static func fill<Accumulator: WindowAccumulator>(
    _ accumulator: inout Accumulator, _ input: AggregateInput, _ window: Range<Int>
  ) -> Int {
    if input.countsAll {
      accumulator.add(window)
      return window.count
    }
    var count = 0
    for event in window where input.isCounted(event) {
      accumulator.add(event..<(event + 1))
      count += 1
    }
    return count
  }

  private static func sum(_ input: AggregateInput, _ window: Range<Int>) -> Scalar?? {
    let values = input.someValues
    defer { _fixLifetime(values) }
    let isMean = input.function == .avg
    switch values.type {
    case .int64:
      var accumulator = IntegerWindow(values.values(Int64.self).base)
      let count = fill(&accumulator, input, window)
      guard count > 0 else { return .some(nil) }
      if isMean { return .double(IntegerWindow.mean(accumulator.total, count)) }
      return Int64(exactly: accumulator.total).map { .some(.int($0)) }
    case .decimal(_, let scale):
      var accumulator = DecimalWindow(values.values(Int128.self).base)
      let count = fill(&accumulator, input, window)
      guard count > 0 else { return .some(nil) }
      if isMean { return .double(accumulator.mean(count: count, scale: scale)) }
      return accumulator.sum.map { .some(.decimal($0, scale: scale)) }
    default:
      let base = values.values(Double.self).base
      if let sum = FixedSum(PositionRange(base, rows: window), count: window.count) {
        return .some(double(input, DoubleWindow(base, sum), window))
      }
      return .some(double(input, DoubleWindow(base, ExactSum()), window))
    }
  }

  private static func double<Sum: ExactDoubleSum>(_ input: AggregateInput, _ empty: DoubleWindow<Sum>, _ window: Range<Int>) -> Scalar? {
    var accumulator = empty
    guard fill(&accumulator, input, window) > 0 else { return nil }
    return .double(input.function == .avg ? accumulator.sum.mean() : accumulator.sum.sum())
  }

  private static func deviation(_ input: AggregateInput, _ window: Range<Int>) -> Double? {
    let values = input.someValues
    defer { _fixLifetime(values) }
    if values.type == .int64 {
      var accumulator = IntegerMomentWindow(values.values(Int64.self).base)
      let count = fill(&accumulator, input, window)
      return accumulator.deviation(count: count)
    }
    let base = values.values(Double.self).base
    if var accumulator = DoubleMomentWindow(base, PositionRange(base, rows: window)) {
      let count = fill(&accumulator, input, window)
      return accumulator.deviation(count: count)
    }
    var accumulator = WideMomentWindow(base)
    let count = fill(&accumulator, input, window)
    return accumulator.deviation(count: count)
  }

  /// - Parameter order: of the window's values, counted from the window's start.
  private static func extreme<Order: ValueOrder>(_ input: AggregateInput, _ order: Order, _ window: Range<Int>) -> Int? {
    var best: Int?
    let first = window.lowerBound
    for event in window where input.isCounted(event) {
      guard let current = best else {
        best = event
        continue
      }
      if input.function == .max ? order.isLess(current - first, event - first) : order.isLess(event - first, current - first) {
        best = event
      }
    }
    return best
  }
}

extension AggregateInput {
  fileprivate var someValues: Column {
    guard let values else { preconditionFailure("Only a count has no values") }
    return values
  }

  fileprivate func passes(_ event: Int) -> Bool { passing.map { $0[event] } ?? true }

  /// Nil for null.
  fileprivate func value(at event: Int) -> Scalar? { someValues.isValid(event) ? someValues.scalar(at: event) : nil }
}
