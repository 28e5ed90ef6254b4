import Columns

/// Events that become known in another order than that of their times, beside the labels that may see them.
///
/// An event comes into a window when it is known, and leaves it by its time. Counted in the two orders both are prefixes that grow
/// along the labels of an entity.
struct LateArrivals {
  /// Per event from when on it is known; nil times are those of a timeless dataset.
  private let known: Values<Int64>
  private let times: Values<Int64>?
  /// The events in the order in which they become known, group by group; of those that do at once the older ones first.
  private let order: [Int32]
  /// Per place how many of them are known.
  private let ends: [Int32]

  /// - Parameters:
  ///   - groups: of all events, one behind the other.
  ///   - labelTimes: per place.
  /// - Returns: nil when every group's events become known in their order.
  /// - Complexity: O(events + labels), and sorting the groups that need it
  init?(_ known: Values<Int64>, _ times: Values<Int64>?, groups: [LabelOrder.Group], labelTimes: [Int64]) {
    func ascends(_ events: Range<Int>) -> Bool { events.dropFirst().allSatisfy { known[$0 - 1] <= known[$0] } }
    let isLate = groups.map { !ascends($0.events) }
    guard isLate.contains(true) else { return nil }
    self.known = known
    self.times = times
    var order = (0..<known.count).map { Int32(truncatingIfNeeded: $0) }
    var ends = [Int32](repeating: 0, count: labelTimes.count)
    for (group, isLate) in zip(groups, isLate) {
      if isLate { order[group.events].sort { (known[Int($0)], $0) < (known[Int($1)], $1) } }
      var end = group.events.lowerBound
      for place in group.places {
        while end < group.events.upperBound, known[Int(order[end])] <= labelTimes[place] { end += 1 }
        ends[place] = Int32(truncatingIfNeeded: end)
      }
    }
    self.order = order
    self.ends = ends
  }

  /// Per place the newest event that is known, or -1. - Complexity: O(events + labels)
  func newest(_ labels: LabelOrder) -> [Int32] {
    var result = [Int32](repeating: -1, count: labels.rows.count)
    for group in labels.groups {
      var newest: Int32 = -1
      var end = group.events.lowerBound
      for place in group.places {
        while end < Int(ends[place]) {
          newest = max(newest, order[end])
          end += 1
        }
        result[place] = newest
      }
    }
    return result
  }

  /// The events that an aggregate can ever see.
  /// - Parameter counted: the events that count; nil when all do.
  /// - Complexity: O(events)
  func events(of window: Window, counted: Bitmap?) -> LateEvents {
    var isKept = (0..<known.count).map { counted?[$0] ?? true }
    if let times {
      for event in isKept.indices where isKept[event] {
        // An event that is known only after it has left never comes.
        guard let before = AggregateInput.exclusiveStart(of: window, at: known[event]) else { continue }
        isKept[event] = before < times[event]
      }
    }
    let rank = EventRank(Bitmap(flags: isKept))
    let arriving = order.filter { isKept[Int($0)] }
    let arrivingRank = EventRank(Bitmap(flags: order.map { isKept[Int($0)] }))
    return LateEvents(
      arriving: arriving, leaving: isKept.indices.filter { isKept[$0] }.map { Int32(truncatingIfNeeded: $0) },
      places: arriving.map { rank[Int($0)] }, rank: rank, ends: ends.map { arrivingRank[Int($0)] })
  }
}

/// The events that an aggregate can see, in the order in which they come and in that in which they leave.
struct LateEvents {
  /// Event numbers by when they become known, group by group.
  let arriving: [Int32]
  /// Event numbers, ascending.
  let leaving: [Int32]
  /// Of each of `arriving` its place in `leaving`.
  let places: [Int32]
  /// From event numbers to places in `leaving`.
  fileprivate let rank: EventRank
  /// Per label place how many of `arriving` have come.
  fileprivate let ends: [Int32]

  /// - Parameter starts: per place the first event of its window; nil for all events of the entity.
  func bounds(_ labels: LabelOrder, _ starts: [Int32]?) -> WindowBounds {
    let firsts = labels.groups.map { rank[$0.events.lowerBound] }
    var left = starts?.map { rank[Int($0)] } ?? [Int32](repeating: 0, count: labels.rows.count)
    if starts == nil {
      for (group, first) in zip(labels.groups, firsts) { for place in group.places { left[place] = first } }
    }
    return WindowBounds(labels, starts: left, ends: ends, leaving: WindowBounds.Leaving(start: leaving.count, firsts: firsts))
  }
}
