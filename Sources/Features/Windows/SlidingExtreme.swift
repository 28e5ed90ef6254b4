import Columns

/// Least and greatest values of sliding windows.
enum SlidingExtreme {
  static func evaluate(_ input: AggregateInput, _ labels: LabelOrder, starts: [Int32]?) -> Column {
    guard let values = input.values else { preconditionFailure("min and max have values") }
    let ordered = values.ordered
    let events =
      switch ordered.type {
      case .float64: extremes(input, DoubleOrder(ordered), labels, starts)
      case .string, .binary: extremes(input, TextOrder(ordered), labels, starts)
      default: extremes(input, Int64Order(ordered), labels, starts)
      }
    return values.take(events)
  }

  /// Per label row the event with the extreme value of its window, or -1.
  ///
  /// A monotonic queue: an event that is followed by a better or equal one can never be the extreme again and is dropped, so
  /// that each event enters and leaves once.
  private static func extremes<Order: ValueOrder>(
    _ input: AggregateInput, _ order: Order, _ labels: LabelOrder, _ starts: [Int32]?
  ) -> [Int32] {
    var result = [Int32](repeating: -1, count: labels.labelCount)
    let countsAll = input.countsAll
    let isMax = input.function == .max
    var queue: [Int32] = []
    for group in labels.groups {
      queue.removeAll(keepingCapacity: true)
      var head = 0
      var high = group.events.lowerBound
      for place in group.places {
        let start = starts.map { Int($0[place]) } ?? group.events.lowerBound
        let end = Int(labels.ends[place])
        if start >= high {
          queue.removeAll(keepingCapacity: true)
          head = 0
          high = start
        }
        while high < end {
          if countsAll || input.isCounted(high) {
            while queue.count > head, let last = queue.last, !isBetter(Int(last), high, order, isMax) { queue.removeLast() }
            // With the queue empty its head can go back, so that it does not grow with the entity.
            if queue.count == head {
              queue.removeAll(keepingCapacity: true)
              head = 0
            }
            queue.append(Int32(truncatingIfNeeded: high))
          }
          high &+= 1
        }
        while head < queue.count, Int(queue[head]) < start { head &+= 1 }
        if head < queue.count { result[Int(labels.rows[place])] = queue[head] }
      }
    }
    return result
  }

  @inline(__always) private static func isBetter<Order: ValueOrder>(_ i: Int, _ j: Int, _ order: Order, _ isMax: Bool) -> Bool {
    isMax ? order.isLess(j, i) : order.isLess(i, j)
  }
}
