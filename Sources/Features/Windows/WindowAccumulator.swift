/// What a window holds. Only events that count are given to it, in ranges of their numbers.
protocol WindowAccumulator {
  mutating func add(_ events: Range<Int>)
  /// - Precondition: they have been added.
  mutating func remove(_ events: Range<Int>)
  /// - Parameter held: the events that have been added and not removed.
  mutating func clear(_ held: Range<Int>)
  /// Whether `clear` costs the same however many events are held.
  static var clearsAtOnce: Bool { get }
}

extension WindowBounds {
  /// Calls `write` for every label row with the accumulator holding its window's events.
  ///
  /// - Complexity: every event of a group enters and leaves at most once; with `clearsAtOnce` a window that shares too little with
  ///   the one before is filled anew, so that no label costs more than its window.
  @inline(__always) func slide<Accumulator: WindowAccumulator>(
    _ accumulator: inout Accumulator, write: (_ row: Int, _ window: Range<Int>, _ accumulator: borrowing Accumulator) -> Void
  ) {
    if let leaving { return slide(&accumulator, leaving, write: write) }
    rows.withUnsafeBufferPointer { rows in
      starts.withUnsafeBufferPointer { starts in
        ends.withUnsafeBufferPointer { ends in
          for group in groups {
            var low = Int(starts[group.places.lowerBound])
            var high = low
            for place in group.places {
              let start = Int(starts[place])
              let end = Int(ends[place])
              if start >= high || (Accumulator.clearsAtOnce && start &- low > end &- start) {
                accumulator.clear(low..<high)
                low = start
                high = start
              }
              if high < end {
                accumulator.add(high..<end)
                high = end
              }
              if low < start {
                accumulator.remove(low..<start)
                low = start
              }
              write(Int(rows[place]), start..<end, accumulator)
            }
            accumulator.clear(low..<high)
          }
        }
      }
    }
  }

  /// The same where events leave in another order than they come: of the values, the first half is in the order of coming, the
  /// second in that of leaving. Every event that has left has come before, so that their difference is the window.
  ///
  /// - Complexity: every event of a group comes and leaves at most once.
  private func slide<Accumulator: WindowAccumulator>(
    _ accumulator: inout Accumulator, _ leaving: Leaving, write: (Int, Range<Int>, borrowing Accumulator) -> Void
  ) {
    for (group, first) in zip(groups, leaving.firsts.lazy.map { Int($0) }) {
      var left = first
      var come = first
      for place in group.places {
        let start = Int(starts[place])
        let end = Int(ends[place])
        if come < end { accumulator.add(come..<end) }
        come = max(come, end)
        if left < start { accumulator.remove(leaving.start + left..<leaving.start + start) }
        left = max(left, start)
        write(Int(rows[place]), start..<end, accumulator)
      }
      if !Accumulator.clearsAtOnce { accumulator.add(leaving.start + first..<leaving.start + left) }
      accumulator.clear(first..<come)
    }
  }
}
