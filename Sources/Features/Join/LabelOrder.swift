import Columns

/// Label rows of known entities in the order of (entity, time), and up to which event each of them sees.
///
/// A place is a position in this order, a group the places of one entity; within a group `ends` ascends, so that windows slide.
struct LabelOrder {
  /// Per place the row of the result.
  let rows: [Int32]
  /// Per place the label's time; empty when timeless.
  let times: [Int64]
  /// Per place one past the last event with a time up to the label's.
  let ends: [Int32]
  let groups: [Group]
  /// Rows of the result; those that no place names have no entity.
  let labelCount: Int

  struct Group {
    let places: Range<Int>
    /// The entity's events.
    let events: Range<Int>
  }

  /// Places are rows of the result.
  /// - Parameters:
  ///   - times: per place, ascending within a group.
  ///   - eventTimes: ascending within a group's events; nil when timeless.
  ///   - labelCount: at least as many as places.
  /// - Complexity: O(labels + events), less when labels are sparse
  init(groups: [Group], times: [Int64], eventTimes: Values<Int64>?, labelCount: Int) {
    self.groups = groups
    self.labelCount = labelCount
    let placeCount = groups.last?.places.upperBound ?? 0
    rows = (0..<placeCount).map { Int32(truncatingIfNeeded: $0) }
    self.times = eventTimes == nil ? [] : times
    var ends = [Int32](repeating: 0, count: placeCount)
    if let eventTimes {
      for group in groups {
        var end = group.events.lowerBound
        for place in group.places {
          end = Gallop.end(upTo: times[place], in: eventTimes.base, from: end, to: group.events.upperBound)
          ends[place] = Int32(truncatingIfNeeded: end)
        }
      }
      _fixLifetime(eventTimes)
    } else {
      for group in groups { for place in group.places { ends[place] = Int32(truncatingIfNeeded: group.events.upperBound) } }
    }
    self.ends = ends
  }

  /// Per place the first event of a window of this width; nil for all events, which begin where the entity's do.
  func starts(ofWindow window: Window, _ eventTimes: Values<Int64>?) -> [Int32]? {
    guard window != .all, let eventTimes else { return nil }
    var starts = [Int32](repeating: 0, count: rows.count)
    for group in groups {
      var start = group.events.lowerBound
      for place in group.places {
        if let before = AggregateInput.exclusiveStart(of: window, at: times[place]) {
          start = Gallop.end(upTo: before, in: eventTimes.base, from: start, to: Int(ends[place]))
        }
        starts[place] = Int32(truncatingIfNeeded: start)
      }
    }
    _fixLifetime(eventTimes)
    return starts
  }
}

enum Gallop {
  /// The first event from `start` on with a time above `time`, found with steps that double: neighbours are found fast, and
  /// far ones in logarithmic time.
  @inline(__always) static func end(upTo time: Int64, in times: UnsafePointer<Int64>, from start: Int, to limit: Int) -> Int {
    var low = start
    var step = 1
    while low &+ step <= limit, times[low &+ step &- 1] <= time {
      low &+= step
      step &*= 2
    }
    var high = min(low &+ step &- 1, limit)
    while low < high {
      let middle = (low &+ high) / 2
      if times[middle] <= time { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}
