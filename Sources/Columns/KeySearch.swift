/// Where rows of one table stand among the sorted rows of another, found one key column at a time, so that later columns are
/// looked at only where earlier ones are equal, and need not even be decoded when that is nowhere.
package struct KeySearch: Sendable {
  /// For each wanted row the stored rows that equal it in the columns seen so far; an empty range stands where it would go.
  package private(set) var lower: [Int32]
  package private(set) var upper: [Int32]
  /// Wanted rows whose range is not empty.
  package private(set) var openCount: Int
  private var isFirst = true

  /// - Parameters:
  ///   - wantedCount: rows, ascending by all key columns.
  ///   - storedCount: rows, ascending by all key columns; at most `Int32.max`.
  package init(wantedCount: Int, storedCount: Int) {
    lower = [Int32](repeating: 0, count: wantedCount)
    upper = [Int32](repeating: Int32(storedCount), count: wantedCount)
    openCount = storedCount > 0 ? wantedCount : 0
  }

  /// The stored rows that a range is still open in; nil when there are none.
  package var openRows: Range<Int>? {
    guard openCount > 0 else { return nil }
    var low = Int32.max
    var high: Int32 = 0
    for index in lower.indices where lower[index] < upper[index] {
      low = min(low, lower[index])
      high = max(high, upper[index])
    }
    return Int(low)..<Int(high)
  }

  /// The stored row that equals a wanted one in all columns seen so far; nil if none does.
  @inlinable package func match(_ wanted: Int) -> Int? { lower[wanted] < upper[wanted] ? Int(lower[wanted]) : nil }

  /// Narrows the ranges by the next key column.
  /// - Parameters:
  ///   - stored: values of the stored rows from `firstRow` on, at least of all `openRows`.
  ///   - wanted: values of all wanted rows. Both without nulls.
  /// - Precondition: columns are passed in the order of the key, and have the same type.
  /// - Complexity: O(w · log(s / w)) for the first column, O(w · log(range)) for others
  package mutating func narrow(stored: Column, firstRow: Int = 0, wanted: Column) {
    precondition(stored.type == wanted.type && wanted.count == lower.count, "The key columns do not match")
    defer { isFirst = false }
    for (mine, theirs) in zip(KeyReader.readers([stored]), KeyReader.readers([wanted])) {
      if mine.kind == .text {
        narrow(firstRow) { row, want in KeyReader.compare(mine.text(row), theirs.text(want)) }
      } else {
        mine.withOrderedBits { stored in
          theirs.withOrderedBits { wanted in
            narrow(firstRow) { row, want in
              let (x, y) = (stored(row), wanted(want))
              return x < y ? -1 : x > y ? 1 : 0
            }
          }
        }
      }
      isFirst = false
    }
  }

  @inline(__always) private mutating func narrow(_ firstRow: Int, _ compare: (_ stored: Int, _ wanted: Int) -> Int) {
    var open = 0
    var previous = 0
    let isFirst = isFirst
    for want in lower.indices {
      // Wanted rows ascend, so the search for the first column goes on where the last one ended.
      let start = isFirst ? previous : Int(lower[want])
      let end = Int(upper[want])
      guard start < end else {
        if isFirst { lower[want] = Int32(truncatingIfNeeded: start) }
        if isFirst { upper[want] = lower[want] }
        continue
      }
      let low = Self.partitionPoint(start, end) { compare($0 &- firstRow, want) < 0 }
      let high = Self.partitionPoint(low, end) { compare($0 &- firstRow, want) <= 0 }
      lower[want] = Int32(truncatingIfNeeded: low)
      upper[want] = Int32(truncatingIfNeeded: high)
      previous = low
      if low < high { open &+= 1 }
    }
    openCount = open
  }

  /// The first row of start..<end for which `isBefore` is false; it is true for all rows before and false for all behind.
  @inline(__always) private static func partitionPoint(_ start: Int, _ end: Int, isBefore: (Int) -> Bool) -> Int {
    var low = start
    var step = 1
    var probe = start
    while probe < end && isBefore(probe) {
      low = probe &+ 1
      probe = probe &+ step
      step = step &* 2
    }
    var high = min(probe, end)
    while low < high {
      let middle = low &+ (high &- low) / 2
      if isBefore(middle) { low = middle &+ 1 } else { high = middle }
    }
    return low
  }
}
