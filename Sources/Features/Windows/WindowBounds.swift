import Columns

/// The windows of label places as ranges of events that are numbered without those that do not count.
///
/// Kernels then see values without gaps and need no test per event.
struct WindowBounds {
  /// Per place its label row.
  let rows: [Int32]
  /// Per place the first event of its window, and one past the last; both ascend within a group.
  let starts: [Int32]
  let ends: [Int32]
  let groups: [LabelOrder.Group]
  let labelCount: Int
  /// Nil when events leave in the order in which they come.
  let leaving: Leaving?

  /// Events that leave in another order than they come: `starts` counts by the one, `ends` by the other.
  struct Leaving {
    /// Where the values begin again in the order in which their events leave.
    let start: Int
    /// Per group how many events those before it have.
    let firsts: [Int32]
  }

  /// - Parameters:
  ///   - starts: per place how many events have left, those of earlier groups among them.
  ///   - ends: per place how many have come.
  init(_ labels: LabelOrder, starts: [Int32], ends: [Int32], leaving: Leaving) {
    rows = labels.rows
    groups = labels.groups
    labelCount = labels.labelCount
    self.starts = starts
    self.ends = ends
    self.leaving = leaving
  }

  /// - Parameters:
  ///   - starts: per place the first event; nil for all events of the entity.
  ///   - counted: the events that count; nil when all do.
  /// - Complexity: O(places + events / 64)
  init(_ labels: LabelOrder, starts: [Int32]?, counted: Bitmap?) {
    rows = labels.rows
    groups = labels.groups
    labelCount = labels.labelCount
    leaving = nil
    var first = starts ?? []
    if starts == nil {
      first = [Int32](repeating: 0, count: rows.count)
      for group in groups {
        for place in group.places { first[place] = Int32(truncatingIfNeeded: group.events.lowerBound) }
      }
    }
    guard let counted else {
      self.starts = first
      ends = labels.ends
      return
    }
    let rank = EventRank(counted)
    self.starts = first.map { rank[Int($0)] }
    ends = labels.ends.map { rank[Int($0)] }
  }
}

/// How many of the events before one count: its number among those that do.
struct EventRank {
  private let words: [UInt64]
  /// Per word how many bits are set before it.
  private let before: [Int32]

  /// - Complexity: O(count / 64)
  init(_ bits: Bitmap) {
    var words: [UInt64] = []
    var before: [Int32] = []
    words.reserveCapacity(bits.count / 64 + 1)
    before.reserveCapacity(bits.count / 64 + 1)
    var total: Int32 = 0
    for index in stride(from: 0, to: bits.count, by: 64) {
      let word = bits.word(at: index)
      words.append(word)
      before.append(total)
      total += Int32(word.nonzeroBitCount)
    }
    // For the event behind the last.
    words.append(0)
    before.append(total)
    (self.words, self.before) = (words, before)
  }

  /// - Parameter event: up to the number of events, inclusive. - Complexity: O(1)
  @inline(__always) subscript(event: Int) -> Int32 {
    let below = words[event &>> 6] & ((1 &<< UInt64(event & 63)) &- 1)
    return before[event &>> 6] &+ Int32(truncatingIfNeeded: below.nonzeroBitCount)
  }
}
