import Columns

/// Aggregates over windows that slide along the labels of each entity: events are added on the right and taken out on the left.
enum SlidingAggregate {
  /// The aggregate for every label row, in label order.
  /// - Parameters:
  ///   - starts: per place the first event of its window; nil for all events of the entity.
  ///   - late: how events become known; nil when they do so in their order, as `labels` says.
  /// - Throws: `evaluation` with the label row when an integer sum exceeds int64, or one of decimals 38 digits.
  /// - Complexity: O(labels + events of their entities); see the kernels for what a label costs.
  static func evaluate(
    _ input: AggregateInput, _ labels: LabelOrder, starts: [Int32]?, late: LateArrivals? = nil
  ) throws(FeatureError) -> Column {
    if let late { return try evaluate(input, labels, starts, late) }
    switch input.function {
    case .count: return counts(WindowBounds(labels, starts: starts, counted: input.counted))
    case .first, .last, .lastN: return WindowEdges.evaluate(input, WindowBounds(labels, starts: starts, counted: input.passing))
    default: break
    }
    guard let all = input.values else { preconditionFailure("Only a count has no values") }
    let counted = input.counted
    let bounds = WindowBounds(labels, starts: starts, counted: counted)
    let values = counted.map { all.filter($0) } ?? all
    if input.function == .min || input.function == .max {
      return SlidingExtreme.evaluate(values, isMax: input.function == .max, bounds)
    }
    return try slide(input, values, bounds)
  }

  /// The same where events become known in another order than their own.
  private static func evaluate(
    _ input: AggregateInput, _ labels: LabelOrder, _ starts: [Int32]?, _ late: LateArrivals
  ) throws(FeatureError) -> Column {
    let isEdge = input.function == .first || input.function == .last || input.function.n != nil
    let events = late.events(of: input.window, counted: isEdge ? input.passing : input.counted)
    let bounds = events.bounds(labels, starts)
    switch input.function {
    case .count: return counts(bounds)
    case .first, .last, .lastN: return LateEdges.evaluate(input, events, bounds)
    case .min, .max: return LateExtreme.evaluate(input, events, bounds)
    default: break
    }
    guard let all = input.values else { preconditionFailure("Only a count has no values") }
    return try slide(input, all.take(events.arriving + events.leaving), bounds)
  }

  /// Aggregates that values can leave again. - Parameter values: of the events as `bounds` numbers them.
  private static func slide(_ input: AggregateInput, _ values: Column, _ bounds: WindowBounds) throws(FeatureError) -> Column {
    defer { _fixLifetime(values) }
    switch input.function {
    case .stddev: return deviations(values, bounds)
    case .approxCountDistinct: return distinctCounts(values, bounds)
    case .approxQuantile(let q): return quantiles(values, q, bounds)
    case .sum, .avg:
      let isMean = input.function == .avg
      switch values.type {
      case .int64: return try integers(values, isMean, bounds)
      case .decimal: return try decimals(values, isMean, type: input.type, bounds)
      default: return doubles(values, isMean, bounds)
      }
    case .count, .first, .last, .lastN, .min, .max: preconditionFailure("Handled by the callers")
    }
  }

  private static func counts(_ bounds: WindowBounds) -> Column {
    // No entity, no events: zero, and never null.
    var result = ResultColumn<Int64>(.int64, count: bounds.labelCount, initial: 0, zero: 0)
    for place in bounds.rows.indices {
      result.write(Int64(bounds.ends[place] &- bounds.starts[place]), at: Int(bounds.rows[place]))
    }
    return result.finish()
  }

  private static func integers(_ values: Column, _ isMean: Bool, _ bounds: WindowBounds) throws(FeatureError) -> Column {
    var window = IntegerWindow(values.values(Int64.self).base)
    if isMean {
      var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
      bounds.slide(&window) { row, events, window in
        if !events.isEmpty { result.write(IntegerWindow.mean(window.total, events.count), at: row) }
      }
      return result.finish()
    }
    var result = ResultColumn<Int64>(.int64, count: bounds.labelCount, initial: nil, zero: 0)
    var failed: Int?
    bounds.slide(&window) { row, events, window in
      guard !events.isEmpty else { return }
      if let sum = Int64(exactly: window.total) { result.write(sum, at: row) } else { failed = min(failed ?? row, row) }
    }
    guard let failed else { return result.finish() }
    throw FeatureError(.evaluation, "the sum for label row \(FeatureError.rowMark) exceeds int64", row: failed)
  }

  private static func decimals(
    _ values: Column, _ isMean: Bool, type: DataType, _ bounds: WindowBounds
  ) throws(FeatureError) -> Column {
    guard case .decimal(_, let scale) = values.type else { preconditionFailure("These are decimals") }
    var window = DecimalWindow(values.values(Int128.self).base)
    if isMean {
      var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
      bounds.slide(&window) { row, events, window in
        if !events.isEmpty { result.write(window.mean(count: events.count, scale: scale), at: row) }
      }
      return result.finish()
    }
    var result = ResultColumn<Int128>(type, count: bounds.labelCount, initial: nil, zero: 0)
    var failed: Int?
    bounds.slide(&window) { row, events, window in
      guard !events.isEmpty else { return }
      if let sum = window.sum { result.write(sum, at: row) } else { failed = min(failed ?? row, row) }
    }
    guard let failed else { return result.finish() }
    throw FeatureError(.evaluation, "the sum for label row \(FeatureError.rowMark) exceeds \(type)", row: failed)
  }

  private static func doubles(_ values: Column, _ isMean: Bool, _ bounds: WindowBounds) -> Column {
    let base = values.values(Double.self).base
    let range = PositionRange(base, rows: 0..<values.count)
    if var window = SplitWindow(base, range) {
      var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
      bounds.slide(&window) { row, events, window in
        if !events.isEmpty { result.write(window.exact.rounded(dividedBy: isMean ? UInt64(events.count) : 1), at: row) }
      }
      return result.finish()
    }
    if let sum = FixedSum(range, count: values.count) { return doubles(DoubleWindow(base, sum), isMean, bounds) }
    return doubles(DoubleWindow(base, ExactSum()), isMean, bounds)
  }

  private static func doubles<Sum: ExactDoubleSum>(_ window: DoubleWindow<Sum>, _ isMean: Bool, _ bounds: WindowBounds) -> Column {
    var window = window
    var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
    bounds.slide(&window) { row, events, window in
      if !events.isEmpty { result.write(isMean ? window.sum.mean() : window.sum.sum(), at: row) }
    }
    return result.finish()
  }

  private static func deviations(_ values: Column, _ bounds: WindowBounds) -> Column {
    var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
    if values.type == .int64 {
      var window = IntegerMomentWindow(values.values(Int64.self).base)
      bounds.slide(&window) { row, events, window in
        if let deviation = window.deviation(count: events.count) { result.write(deviation, at: row) }
      }
      return result.finish()
    }
    let base = values.values(Double.self).base
    if var window = DoubleMomentWindow(base, PositionRange(base, rows: 0..<values.count)) {
      bounds.slide(&window) { row, events, window in
        if let deviation = window.deviation(count: events.count) { result.write(deviation, at: row) }
      }
    } else {
      var window = WideMomentWindow(base)
      bounds.slide(&window) { row, events, window in
        if let deviation = window.deviation(count: events.count) { result.write(deviation, at: row) }
      }
    }
    return result.finish()
  }

  private static func distinctCounts(_ values: Column, _ bounds: WindowBounds) -> Column {
    var result = ResultColumn<Int64>(.int64, count: bounds.labelCount, initial: nil, zero: 0)
    var window = DistinctWindow(DistinctSketch.keys(values, rows: 0..<values.count))
    bounds.slide(&window) { row, events, window in
      if !events.isEmpty { result.write(window.estimate, at: row) }
    }
    return result.finish()
  }

  private static func quantiles(_ values: Column, _ q: Double, _ bounds: WindowBounds) -> Column {
    var result = ResultColumn<Double>(.float64, count: bounds.labelCount, initial: nil, zero: 0)
    let base = values.values(Double.self).base
    var window = QuantileWindow((0..<values.count).map { QuantileSketch.key(base[$0]) })
    var marks = QuantileMarks()
    bounds.slide(&window) { row, events, window in
      if !events.isEmpty { result.write(marks.value(window.key(at: QuantileSketch.place(q, count: events.count))), at: row) }
    }
    return result.finish()
  }
}

extension AggregateInput {
  /// The events that count and have a value; nil when all do.
  var counted: Bitmap? {
    guard let validity = values?.validity else { return passing }
    return passing.map { $0.intersection(validity) } ?? validity
  }
}
