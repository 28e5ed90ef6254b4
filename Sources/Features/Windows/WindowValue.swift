import Columns

/// The aggregate of a single window; the same sums as in `SlidingAggregate`, so the same bits.
enum WindowValue {
  /// - Returns: the value; an inner nil for null, an outer nil when an integer sum exceeds int64.
  /// - Complexity: O(events)
  static func evaluate(_ input: AggregateInput, _ window: Range<Int>) -> Scalar?? {
    switch input.function {
    case .count:
      if input.countsAll { return .int(Int64(window.count)) }
      var accumulator = CountWindow()
      fill(&accumulator, input, window)
      return .int(Int64(accumulator.count))
    case .sum, .avg:
      guard let values = input.values else { preconditionFailure("A sum has values") }
      defer { _fixLifetime(values) }
      if values.type == .int64 { return integer(input, IntegerWindow(values.values(Int64.self).base), window) }
      let base = values.values(Double.self).base
      if let unit = FixedSum.base(of: base, rows: window) {
        return .some(double(input, DoubleWindow(base, FixedSum(base: unit)), window))
      }
      return .some(double(input, DoubleWindow(base, ExactSum()), window))
    case .min, .max:
      guard let values = input.values else { preconditionFailure("min and max have values") }
      let ordered = values.slice(from: window.lowerBound, count: window.count).ordered
      let event =
        switch ordered.type {
        case .float64: extreme(input, DoubleOrder(ordered), window)
        case .string, .binary: extreme(input, TextOrder(ordered), window)
        default: extreme(input, Int64Order(ordered), window)
        }
      return .some(event.map { values.scalar(at: $0) })
    }
  }

  @inline(__always) private static func fill<Accumulator: WindowAccumulator>(
    _ accumulator: inout Accumulator, _ input: AggregateInput, _ window: Range<Int>
  ) {
    let countsAll = input.countsAll
    for event in window where countsAll || input.isCounted(event) { accumulator.add(event) }
  }

  private static func integer(_ input: AggregateInput, _ empty: IntegerWindow, _ window: Range<Int>) -> Scalar?? {
    var accumulator = empty
    fill(&accumulator, input, window)
    guard accumulator.count > 0 else { return .some(nil) }
    if input.function == .avg { return .double(accumulator.mean()) }
    return Int64(exactly: accumulator.total).map { .some(.int($0)) }
  }

  private static func double<Sum: ExactDoubleSum>(_ input: AggregateInput, _ empty: DoubleWindow<Sum>, _ window: Range<Int>) -> Scalar? {
    var accumulator = empty
    fill(&accumulator, input, window)
    guard accumulator.sum.count > 0 else { return nil }
    return .double(input.function == .avg ? accumulator.sum.mean() : accumulator.sum.sum())
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
