import Columns

/// The label rows of known entities in the order of (entity, time), and up to which event each of them sees.
///
/// A place is a position in this order, a group the places of one entity; within a group `ends` ascends, so that windows slide.
struct LabelOrder {
  /// Per place its label row.
  let rows: [Int32]
  /// Per place the label's time; empty when timeless.
  let times: [Int64]
  /// Per place one past the last event with a time up to the label's.
  let ends: [Int32]
  let groups: [Group]
  let labelCount: Int

  struct Group {
    let places: Range<Int>
    /// The entity's events.
    let events: Range<Int>
  }

  /// - Parameters:
  ///   - entities: per label row its entity, -1 for none.
  ///   - times: per label row, micros.
  /// - Complexity: O(labels + entities) when labels come in the order of time, else O(labels · log(labels of one entity))
  init(entities: [Int32], times labelTimes: Values<Int64>, events: ViewEvents) {
    labelCount = entities.count
    // Counting sort by entity, stable.
    var next = [Int32](repeating: 0, count: events.entityCount + 1)
    for entity in entities where entity >= 0 { next[Int(entity) + 1] += 1 }
    for entity in 0..<events.entityCount { next[entity + 1] += next[entity] }
    let bounds = next
    var rows = [Int32](repeating: 0, count: Int(bounds[events.entityCount]))
    for row in 0..<entities.count where entities[row] >= 0 {
      let entity = Int(entities[row])
      rows[Int(next[entity])] = Int32(truncatingIfNeeded: row)
      next[entity] += 1
    }
    var groups: [Group] = []
    for entity in 0..<events.entityCount where bounds[entity] < bounds[entity + 1] {
      groups.append(Group(places: Int(bounds[entity])..<Int(bounds[entity + 1]), events: events.events(of: entity)))
    }
    guard let eventTimes = events.times else {
      var ends = [Int32](repeating: 0, count: rows.count)
      for group in groups { for place in group.places { ends[place] = Int32(group.events.upperBound) } }
      (self.rows, times, self.ends, self.groups) = (rows, [], ends, groups)
      return
    }
    for group in groups { Self.sort(&rows, group.places, by: labelTimes) }
    let times = rows.map { labelTimes[Int($0)] }
    var ends = [Int32](repeating: 0, count: rows.count)
    for group in groups {
      var end = group.events.lowerBound
      for place in group.places {
        end = Gallop.end(upTo: times[place], in: eventTimes.base, from: end, to: group.events.upperBound)
        ends[place] = Int32(truncatingIfNeeded: end)
      }
    }
    (self.rows, self.times, self.ends, self.groups) = (rows, times, ends, groups)
    _fixLifetime(eventTimes)
  }

  /// Per place the first event of a window of this width; nil for all events, which begin where the entity's do.
  func starts(ofWindow window: Window, _ events: ViewEvents) -> [Int32]? {
    guard window != .all, let eventTimes = events.times else { return nil }
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

  private static func sort(_ rows: inout [Int32], _ places: Range<Int>, by times: Values<Int64>) {
    var isSorted = true
    for place in places.dropFirst() where times[Int(rows[place - 1])] > times[Int(rows[place])] {
      isSorted = false
      break
    }
    guard !isSorted else { return }
    rows[places].sort { times[Int($0)] < times[Int($1)] }
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
