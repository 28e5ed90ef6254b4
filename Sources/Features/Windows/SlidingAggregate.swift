import Columns

/// Aggregates over windows that slide along the labels of each entity: events are added on the right and taken out on the left.
enum SlidingAggregate {
  /// The aggregate for every label row, in label order.
  /// - Parameter starts: per place the first event of its window; nil for all events of the entity.
  /// - Throws: `evaluation` with the label row when an integer sum exceeds int64.
  static func evaluate(_ input: AggregateInput, _ labels: LabelOrder, starts: [Int32]?) throws(FeatureError) -> Column {
    switch input.function {
    case .count: return counts(input, labels, starts)
    case .sum, .avg:
      guard let values = input.values else { preconditionFailure("A sum has values") }
      if values.type == .int64 { return try integers(input, values, labels, starts) }
      defer { _fixLifetime(values) }
      let base = values.values(Double.self).base
      if let unit = FixedSum.base(of: base, rows: 0..<values.count) {
        return doubles(input, DoubleWindow(base, FixedSum(base: unit)), labels, starts)
      }
      return doubles(input, DoubleWindow(base, ExactSum()), labels, starts)
    case .min, .max: return SlidingExtreme.evaluate(input, labels, starts: starts)
    }
  }

  /// Calls `write` for every place with the accumulator holding its window's events.
  ///
  /// A window that shares too little with the one before is filled anew, so that no label costs more than its window.
  @inline(__always) static func slide<Accumulator: WindowAccumulator>(
    _ accumulator: inout Accumulator, _ input: AggregateInput, _ labels: LabelOrder, _ starts: [Int32]?,
    write: (_ place: Int, _ accumulator: borrowing Accumulator) -> Void
  ) {
    let countsAll = input.countsAll
    for group in labels.groups {
      accumulator.reset()
      var low = group.events.lowerBound
      var high = low
      for place in group.places {
        let start = starts.map { Int($0[place]) } ?? group.events.lowerBound
        let end = Int(labels.ends[place])
        if start >= high || start &- low > end &- start {
          accumulator.reset()
          low = start
          high = start
        }
        while high < end {
          if countsAll || input.isCounted(high) { accumulator.add(high) }
          high &+= 1
        }
        while low < start {
          if countsAll || input.isCounted(low) { accumulator.remove(low) }
          low &+= 1
        }
        write(place, accumulator)
      }
    }
  }

  private static func counts(_ input: AggregateInput, _ labels: LabelOrder, _ starts: [Int32]?) -> Column {
    // No entity, no events: zero, and never null.
    var result = ResultColumn<Int64>(.int64, count: labels.labelCount, initial: 0, zero: 0)
    if input.countsAll {
      for group in labels.groups {
        for place in group.places {
          let start = starts.map { Int($0[place]) } ?? group.events.lowerBound
          result.write(Int64(Int(labels.ends[place]) - start), at: Int(labels.rows[place]))
        }
      }
    } else {
      var window = CountWindow()
      slide(&window, input, labels, starts) { place, window in result.write(Int64(window.count), at: Int(labels.rows[place])) }
    }
    return result.finish()
  }

  private static func integers(
    _ input: AggregateInput, _ values: Column, _ labels: LabelOrder, _ starts: [Int32]?
  ) throws(FeatureError) -> Column {
    defer { _fixLifetime(values) }
    var window = IntegerWindow(values.values(Int64.self).base)
    if input.function == .avg {
      var result = ResultColumn<Double>(.float64, count: labels.labelCount, initial: nil, zero: 0)
      slide(&window, input, labels, starts) { place, window in
        if window.count > 0 { result.write(window.mean(), at: Int(labels.rows[place])) }
      }
      return result.finish()
    }
    var result = ResultColumn<Int64>(.int64, count: labels.labelCount, initial: nil, zero: 0)
    var failed: Int?
    slide(&window, input, labels, starts) { place, window in
      guard window.count > 0 else { return }
      let row = Int(labels.rows[place])
      if let sum = Int64(exactly: window.total) { result.write(sum, at: row) } else { failed = min(failed ?? row, row) }
    }
    guard let failed else { return result.finish() }
    throw FeatureError(.evaluation, "the sum for label row \(failed + 1) exceeds int64", row: failed)
  }

  private static func doubles<Sum: ExactDoubleSum>(
    _ input: AggregateInput, _ window: DoubleWindow<Sum>, _ labels: LabelOrder, _ starts: [Int32]?
  ) -> Column {
    var window = window
    var result = ResultColumn<Double>(.float64, count: labels.labelCount, initial: nil, zero: 0)
    let isMean = input.function == .avg
    slide(&window, input, labels, starts) { place, window in
      guard window.sum.count > 0 else { return }
      result.write(isMean ? window.sum.mean() : window.sum.sum(), at: Int(labels.rows[place]))
    }
    return result.finish()
  }
}
