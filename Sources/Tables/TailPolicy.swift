/// When small writes stay small, and when they are taken into the leaves (docs/format/repository.md, "Tails").
package struct TailPolicy: Sendable {
  /// A tail is written only when the leaves that would have to be rewritten hold at least this many rows …
  package var rewrittenRowCountMin: Int
  /// … and at least this many times the rows of the change.
  package var rewrittenRowFactor: Int
  /// So many tails of one size class become one.
  package var mergeCount: Int
  /// Sizes that differ by this factor are one class.
  package var sizeClassFactor: Int
  /// The leaves of a partition are rewritten when this many times its tail rows exceed its leaf rows.
  package var foldFactor: Int

  package init(
    rewrittenRowCountMin: Int = 256 << 10, rewrittenRowFactor: Int = 8, mergeCount: Int = 4, sizeClassFactor: Int = 4,
    foldFactor: Int = 4
  ) {
    self.rewrittenRowCountMin = rewrittenRowCountMin
    self.rewrittenRowFactor = rewrittenRowFactor
    self.mergeCount = mergeCount
    self.sizeClassFactor = sizeClassFactor
    self.foldFactor = foldFactor
  }

  package static let standard = TailPolicy()

  func writesTail(rewrittenRowCount: Int, changedRowCount: Int) -> Bool {
    rewrittenRowCount >= rewrittenRowCountMin && rewrittenRowCount >= rewrittenRowFactor * changedRowCount
  }

  func folds(tailRowCount: Int, leafRowCount: Int) -> Bool { tailRowCount * foldFactor > leafRowCount }

  /// ⌊log(rows)⌋ to the base of the class factor.
  func sizeClass(_ rowCount: Int) -> Int {
    var result = 0
    var rest = rowCount
    while rest >= sizeClassFactor {
      rest /= sizeClassFactor
      result += 1
    }
    return result
  }

  /// How many of the last tails become one with a new tail: none, or so many that all are of its class or a smaller one.
  /// - Parameter rowCounts: of the tails that are there, the oldest first.
  func mergedCount(_ rowCounts: [Int], newRowCount: Int) -> Int {
    var merged = 0
    var total = newRowCount
    while true {
      let limit = sizeClass(total)
      let more = rowCounts.dropLast(merged).reversed().prefix { sizeClass($0) <= limit }.count
      // What has been merged counts as one.
      guard more + 1 >= mergeCount else { return merged }
      for count in rowCounts.dropLast(merged).suffix(more) { total += count }
      merged += more
    }
  }
}
