import Columns

/// The label rows that have a whole key, in the order of (entity, time); equal ones keep the labels' order.
struct SortedLabels: Sendable {
  let labelCount: Int
  /// Per place its label row.
  let rows: [Int32]
  /// Per place the label's time; zeros when timeless.
  let times: [Int64]
  /// Where each entity's places start, and where the last one's end.
  let starts: [Int32]
  /// The keys of each entity, ascending, of the types under which entities compare.
  let keys: [Column]

  var entityCount: Int { starts.count - 1 }

  /// - Parameters:
  ///   - keys: of the types under which entities compare, in the order in which the source is sorted.
  ///   - times: microseconds without nulls; nil when timeless.
  /// - Complexity: a radix sort of the labels, none when they are in order
  init(keys: [Column], times: Column?) {
    labelCount = keys[0].count
    var whole: Bitmap?
    for validity in keys.compactMap(\.validity) { whole = whole.map { $0.intersection(validity) } ?? validity }
    let kept = whole?.setIndices
    let columns = kept.map { rows in keys.map { $0.take(rows) } } ?? keys
    let labelTimes = times.map { times in kept.map { times.take($0) } ?? times }
    let count = columns[0].count
    let order = SortKernel.permutation(by: columns + (labelTimes.map { [$0] } ?? []))
    let sorted = order.map { order in columns.map { $0.take(order) } } ?? columns
    let sortedTimes = labelTimes.map { times in order.map { times.take($0) } ?? times }
    self.times = sortedTimes?.values(Int64.self).array ?? [Int64](repeating: 0, count: count)
    switch (order, kept) {
    case (let order?, let kept?): rows = order.map { kept[Int($0)] }
    case (let order?, nil): rows = order
    case (nil, let kept?): rows = kept
    case (nil, nil): rows = (0..<count).map { Int32(truncatingIfNeeded: $0) }
    }
    var isStart = [Bool](repeating: false, count: count)
    if count > 0 { isStart[0] = true }
    isStart.withUnsafeMutableBufferPointer { flags in for key in sorted { key.markChanges(in: flags) } }
    var starts: [Int32] = []
    for place in 0..<count where isStart[place] { starts.append(Int32(truncatingIfNeeded: place)) }
    self.keys = sorted.map { $0.take(starts) }
    starts.append(Int32(truncatingIfNeeded: count))
    self.starts = starts
  }

  /// The times of all labels; nil without labels. - Complexity: O(labels)
  var timeRange: ClosedRange<Int64>? {
    guard let first = times.first else { return nil }
    var (low, high) = (first, first)
    for time in times {
      low = min(low, time)
      high = max(high, time)
    }
    return low...high
  }

  /// Per label row its place; for a row without a whole key one past the last place.
  var places: [Int32] {
    var places = [Int32](repeating: Int32(truncatingIfNeeded: rows.count), count: labelCount)
    for (place, row) in rows.enumerated() { places[Int(row)] = Int32(truncatingIfNeeded: place) }
    return places
  }
}
