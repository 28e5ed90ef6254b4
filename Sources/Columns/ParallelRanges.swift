import Dispatch

/// Splits rows between threads.
enum ParallelRanges {
  /// Fewer rows are done before a second thread has started.
  static let rowCountMin = 1 << 17

  /// How many parts `run` makes of so many rows: 1, or one for each processor.
  static func partCount(_ rowCount: Int) -> Int {
    rowCount < rowCountMin ? 1 : max(1, ParallelMap.processorCount)
  }

  /// Part `index` of `rowCount` rows in `count` parts, which are equally long but for the rounding to 64 rows.
  static func part(_ index: Int, of count: Int, _ rowCount: Int) -> Range<Int> {
    func start(_ index: Int) -> Int { index == count ? rowCount : rowCount * index / count & ~63 }
    return start(index)..<start(index + 1)
  }

  /// Calls `body` once for each part of `partCount(rowCount)`, at the same time; returns after the last.
  static func run(_ rowCount: Int, body: @Sendable (_ part: Int, _ rows: Range<Int>) -> Void) {
    let count = partCount(rowCount)
    guard count > 1 else { return body(0, 0..<rowCount) }
    DispatchQueue.concurrentPerform(iterations: count) { index in body(index, part(index, of: count, rowCount)) }
  }
}
