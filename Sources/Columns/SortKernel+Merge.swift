extension SortKernel {
  /// The merged order of two row sets that are each sorted by the same key columns, as indices into their concatenation;
  /// of equal rows those of `a` come first.
  /// - Precondition: at least one key column; equal types; together at most `Int32.max` rows.
  /// - Complexity: O(a + b) to write; comparisons O(min · log max) where one side comes in long runs.
  package static func merge(_ a: [Column], _ b: [Column]) -> [Int32] {
    precondition(a.map(\.type) == b.map(\.type) && !a.isEmpty, "The keys differ in their types")
    let (leftCount, rightCount) = (rowCount(a), rowCount(b))
    precondition(leftCount + rightCount <= Int(Int32.max), "Row numbers are 32 bits wide")
    let order = RowOrder(left: KeyReader.readers(a), right: KeyReader.readers(b))
    let (x, y) = (order.left[0], order.right[0])
    if x.kind == .int64 && x.validity == nil && y.validity == nil {
      // The usual leading key decides most comparisons without a look at its type.
      let (mine, theirs) = (x.base.assumingMemoryBound(to: Int64.self), y.base.assumingMemoryBound(to: Int64.self))
      return merge(leftCount, rightCount) { i, j in
        let (v, w) = (mine[i], theirs[j])
        return v < w ? -1 : v > w ? 1 : order.compare(i, j, from: 1)
      }
    }
    return merge(leftCount, rightCount) { order.compare($0, $1) }
  }

  @inline(__always) private static func merge(_ leftCount: Int, _ rightCount: Int, compare: (Int, Int) -> Int) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: leftCount + rightCount) { target, written in
      var (left, right) = (0, 0)
      while left < leftCount && right < rightCount {
        // Rows of a up to and including those equal to the next of b, then rows of b less than the next of a.
        let leftEnd = gallop(left, leftCount) { compare($0, right) <= 0 }
        written = fill(target, written, from: left, to: leftEnd)
        left = leftEnd
        guard left < leftCount else { break }
        let rightEnd = gallop(right, rightCount) { compare(left, $0) > 0 }
        written = fill(target, written, from: leftCount + right, to: leftCount + rightEnd)
        right = rightEnd
      }
      written = fill(target, written, from: left, to: leftCount)
      written = fill(target, written, from: leftCount + right, to: leftCount + rightCount)
    }
  }

  /// The first row of start..<end that does not belong; rows that belong come before all that do not.
  @inline(__always) private static func gallop(_ start: Int, _ end: Int, belongs: (Int) -> Bool) -> Int {
    var low = start
    // Short runs are the rule in an even mix: try a few rows before doubling the step.
    let linearEnd = min(end, start + 4)
    while low < linearEnd {
      if !belongs(low) { return low }
      low += 1
    }
    var step = 4
    var high = low
    while high < end && belongs(high) {
      low = high + 1
      high += step
      step *= 2
    }
    high = min(high, end)
    while low < high {
      let middle = low + (high - low) / 2
      if belongs(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  @inline(__always) private static func fill(_ target: UnsafeMutableBufferPointer<Int32>, _ position: Int, from: Int, to: Int) -> Int {
    var position = position
    for value in from..<to {
      target[position] = Int32(truncatingIfNeeded: value)
      position &+= 1
    }
    return position
  }
}
