import Columns

/// Least and greatest values of sliding windows.
enum SlidingExtreme {
  /// - Parameter values: of the events that count.
  static func evaluate(_ values: Column, isMax: Bool, _ bounds: WindowBounds) -> Column {
    let ordered = values.ordered
    defer { _fixLifetime(ordered) }
    switch (ordered.type, isMax) {
    case (.string, _), (.binary, _): return values.take(extremes(TextOrder(ordered), isMax, bounds))
    case (.decimal, _): return values.take(extremes(DecimalOrder(ordered), isMax, bounds))
    case (.float64, true): return extremes(GreatestDouble.self, ordered, bounds).restored(as: values.type)
    case (.float64, false): return extremes(LeastDouble.self, ordered, bounds).restored(as: values.type)
    case (_, true): return extremes(GreatestInteger.self, ordered, bounds).restored(as: values.type)
    case (_, false): return extremes(LeastInteger.self, ordered, bounds).restored(as: values.type)
    }
  }

  /// A run of events and the greatest of their ranks.
  private struct Run {
    let rank: Int64
    let start: Int32
    let end: Int32
  }

  /// Bounds what a window reads again whose start lies within a run.
  private static let runLengthMax = 64

  /// A monotonic queue over runs of events: what came in between two labels is one run (or several), of which only the greatest
  /// rank matters while it lies in the window as a whole. A run that is followed by one as great is dropped.
  ///
  /// - Complexity: O(events) for scanning, O(places + events / 64) for the queue.
  private static func extremes<Ranking: ExtremeRanking>(_: Ranking.Type, _ values: Column, _ bounds: WindowBounds) -> Column {
    let base = values.data.start.assumingMemoryBound(to: Int64.self)
    var result = ResultColumn<Int64>(values.type, count: bounds.labelCount, initial: nil, zero: 0)
    var runs: [Run] = []
    @inline(__always) func greatest(_ start: Int, _ end: Int) -> Int64 {
      var rank = Int64.min
      var event = start
      while event < end {
        rank = max(rank, Ranking.rank(base[event]))
        event &+= 1
      }
      return rank
    }
    for group in bounds.groups {
      runs.removeAll(keepingCapacity: true)
      var head = 0
      var high = Int(bounds.starts[group.places.lowerBound])
      for place in group.places {
        let start = Int(bounds.starts[place])
        let end = Int(bounds.ends[place])
        if start >= high {
          runs.removeAll(keepingCapacity: true)
          head = 0
          high = start
        }
        while high < end {
          let stop = min(high &+ runLengthMax, end)
          let rank = greatest(high, stop)
          while runs.count > head, let last = runs.last, last.rank <= rank { runs.removeLast() }
          // With the queue empty its head can go back, so that it does not grow with the entity.
          if runs.count == head {
            runs.removeAll(keepingCapacity: true)
            head = 0
          }
          runs.append(Run(rank: rank, start: Int32(truncatingIfNeeded: high), end: Int32(truncatingIfNeeded: stop)))
          high = stop
        }
        while head < runs.count, Int(runs[head].end) <= start { head &+= 1 }
        guard start < end, head < runs.count else { continue }
        var rank = runs[head].rank
        if Int(runs[head].start) < start {
          rank = greatest(start, Int(runs[head].end))
          if head &+ 1 < runs.count { rank = max(rank, runs[head &+ 1].rank) }
        }
        result.write(Ranking.value(rank), at: Int(bounds.rows[place]))
      }
    }
    return result.finish()
  }

  /// Per label row the event with the extreme value of its window, or -1: the same queue with every event a run, for values that fit
  /// no machine word.
  private static func extremes<Order: ValueOrder>(_ order: Order, _ isMax: Bool, _ bounds: WindowBounds) -> [Int32] {
    var result = [Int32](repeating: -1, count: bounds.labelCount)
    var queue: [Int32] = []
    for group in bounds.groups {
      queue.removeAll(keepingCapacity: true)
      var head = 0
      var high = Int(bounds.starts[group.places.lowerBound])
      for place in group.places {
        let start = Int(bounds.starts[place])
        let end = Int(bounds.ends[place])
        if start >= high {
          queue.removeAll(keepingCapacity: true)
          head = 0
          high = start
        }
        while high < end {
          while queue.count > head, let last = queue.last, !isBetter(Int(last), high, order, isMax) { queue.removeLast() }
          if queue.count == head {
            queue.removeAll(keepingCapacity: true)
            head = 0
          }
          queue.append(Int32(truncatingIfNeeded: high))
          high &+= 1
        }
        while head < queue.count, Int(queue[head]) < start { head &+= 1 }
        if head < queue.count { result[Int(bounds.rows[place])] = queue[head] }
      }
    }
    return result
  }

  @inline(__always) private static func isBetter<Order: ValueOrder>(_ i: Int, _ j: Int, _ order: Order, _ isMax: Bool) -> Bool {
    isMax ? order.isLess(j, i) : order.isLess(i, j)
  }
}

/// Turns words into ranks that are greater the better the value is, and back.
private protocol ExtremeRanking {
  static func rank(_ bits: Int64) -> Int64
  static func value(_ rank: Int64) -> Int64
}

private enum GreatestInteger: ExtremeRanking {
  @inline(__always) static func rank(_ bits: Int64) -> Int64 { bits }
  @inline(__always) static func value(_ rank: Int64) -> Int64 { rank }
}

private enum LeastInteger: ExtremeRanking {
  @inline(__always) static func rank(_ bits: Int64) -> Int64 { ~bits }
  @inline(__always) static func value(_ rank: Int64) -> Int64 { ~rank }
}

private enum GreatestDouble: ExtremeRanking {
  @inline(__always) static func rank(_ bits: Int64) -> Int64 { DoubleOrder.rank(bits) }
  @inline(__always) static func value(_ rank: Int64) -> Int64 { DoubleOrder.rank(rank) }
}

private enum LeastDouble: ExtremeRanking {
  @inline(__always) static func rank(_ bits: Int64) -> Int64 { ~DoubleOrder.rank(bits) }
  @inline(__always) static func value(_ rank: Int64) -> Int64 { DoubleOrder.rank(~rank) }
}
