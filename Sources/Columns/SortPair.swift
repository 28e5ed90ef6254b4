/// A row number with the 64 bits that it is sorted by at present.
struct SortPair: BitwiseCopyable {
  var key: UInt64
  var row: UInt32
}

/// Stable sorts of pairs by key. All work between two blocks of equal size, `pairs` and `scratch`.
enum PairSort {
  typealias Pairs = UnsafeMutablePointer<SortPair>

  /// Below it a merge sort beats filling and summing histograms.
  private static let radixCountMin = 200
  /// 8 Ki pairs of 16 bytes and their scratch fit a second-level cache of 512 KiB.
  private static let cachedCountMax = 8 << 10
  private static let digitBitsMax = 11

  /// Sorts `pairs`; the result lies in `scratch` when `intoScratch`, else in place.
  static func sort(_ pairs: Pairs, scratch: Pairs, count: Int, intoScratch: Bool = false) {
    if count < radixCountMin {
      mergeSort(pairs, scratch: scratch, count: count) { $0.key < $1.key }
      if intoScratch { scratch.update(from: pairs, count: count) }
      return
    }
    let varying = varyingBits(pairs, count)
    if count > cachedCountMax, let shift = partitionShift(varying, count) {
      // One pass through memory, then buckets that fit the cache.
      partition(pairs, into: scratch, count: count, shift: shift) { bucket in
        sort(scratch + bucket.lowerBound, scratch: pairs + bucket.lowerBound, count: bucket.count, intoScratch: !intoScratch)
      }
    } else {
      sortCached(pairs, scratch: scratch, count: count, varying: varying)
      if intoScratch { scratch.update(from: pairs, count: count) }
    }
  }

  /// Radix passes over the two highest varying digits only: few keys agree in both, and those are sorted by comparisons, or
  /// by further digits where they are many.
  private static func sortCached(_ pairs: Pairs, scratch: Pairs, count: Int, varying: UInt64) {
    guard varying != 0 else { return }
    let top = 64 - varying.leadingZeroBitCount
    let shift = UInt64(max(0, top - 16))
    twoDigits(pairs, scratch: scratch, count: count, shift: shift)
    guard varying & ((1 << shift) &- 1) != 0 else { return }
    var start = 0
    while start &+ 1 < count {
      let high = pairs[start].key &>> shift
      var end = start &+ 1
      while end < count && pairs[end].key &>> shift == high { end &+= 1 }
      if end &- start > radixCountMin {
        sort(pairs + start, scratch: scratch + start, count: end &- start)
      } else if end &- start > 1 {
        mergeSort(pairs + start, scratch: scratch + start, count: end &- start) { $0.key < $1.key }
      }
      start = end
    }
  }

  /// Bits in which keys differ.
  static func varyingBits(_ pairs: Pairs, _ count: Int) -> UInt64 {
    let first = pairs[0].key
    var varying: UInt64 = 0
    for index in 0..<count { varying |= pairs[index].key ^ first }
    return varying
  }

  /// The shift that leaves the highest varying digit; nil when the keys are equal. The digit is wide enough for buckets
  /// of about 2 Ki rows, if rows spread evenly.
  static func partitionShift(_ varying: UInt64, _ count: Int) -> UInt64? {
    guard varying != 0 else { return nil }
    let top = 64 - varying.leadingZeroBitCount
    let wanted = max(4, (Int.bitWidth - count.leadingZeroBitCount) - 11)
    return UInt64(max(0, top - min(digitBitsMax, wanted)))
  }

  /// Moves pairs to `target` by the digit above `shift`, stable, then visits the buckets in order.
  /// - Precondition: keys agree above that digit (`partitionShift`).
  static func partition(
    _ pairs: Pairs, into target: Pairs, count: Int, shift: UInt64, visit: (Range<Int>) -> Void
  ) {
    let mask: UInt64 = (1 << UInt64(digitBitsMax)) - 1
    let bucketCount = Int(mask) + 1
    withUnsafeTemporaryAllocation(of: Int.self, capacity: bucketCount) { ends in
      ends.initialize(repeating: 0)
      let ends = ends.baseAddress!
      for index in 0..<count { ends[Int(truncatingIfNeeded: pairs[index].key &>> shift & mask)] &+= 1 }
      var sum = 0
      for bucket in 0..<bucketCount {
        let size = ends[bucket]
        ends[bucket] = sum
        sum += size
      }
      for index in 0..<count {
        let pair = pairs[index]
        let bucket = Int(truncatingIfNeeded: pair.key &>> shift & mask)
        target[ends[bucket]] = pair
        ends[bucket] &+= 1
      }
      // Keys may wrap around the mask only above the highest varying bit, where they agree: the order of buckets is that of
      // the digit, because a common prefix inside the mask is the same for all.
      var start = 0
      for bucket in 0..<bucketCount where ends[bucket] > start {
        visit(start..<ends[bucket])
        start = ends[bucket]
      }
    }
  }

  /// A stable sort by the 16 bits above `shift`, in place.
  private static func twoDigits(_ pairs: Pairs, scratch: Pairs, count: Int, shift: UInt64) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 512) { counts in
      let low = counts.baseAddress!
      let high = low + 256
      low.initialize(repeating: 0, count: 512)
      for index in 0..<count {
        let digits = pairs[index].key &>> shift
        low[Int(truncatingIfNeeded: digits & 0xFF)] &+= 1
        high[Int(truncatingIfNeeded: (digits &>> 8) & 0xFF)] &+= 1
      }
      var (lowSum, highSum): (UInt32, UInt32) = (0, 0)
      for digit in 0..<256 {
        (low[digit], lowSum) = (lowSum, lowSum &+ low[digit])
        (high[digit], highSum) = (highSum, highSum &+ high[digit])
      }
      for index in 0..<count {
        let pair = pairs[index]
        let digit = Int(truncatingIfNeeded: pair.key &>> shift & 0xFF)
        scratch[Int(low[digit])] = pair
        low[digit] &+= 1
      }
      for index in 0..<count {
        let pair = scratch[index]
        let digit = Int(truncatingIfNeeded: (pair.key &>> shift) &>> 8 & 0xFF)
        pairs[Int(high[digit])] = pair
        high[digit] &+= 1
      }
    }
  }

  /// Stable; O(count log count) comparisons. The result lies in `pairs`.
  @inline(__always) static func mergeSort(_ pairs: Pairs, scratch: Pairs, count: Int, isLess: (SortPair, SortPair) -> Bool) {
    let runCount = 12
    var start = 0
    while start < count {
      let end = min(count, start + runCount)
      var index = start + 1
      while index < end {
        let pair = pairs[index]
        var place = index
        while place > start && isLess(pair, pairs[place - 1]) {
          pairs[place] = pairs[place - 1]
          place -= 1
        }
        pairs[place] = pair
        index += 1
      }
      start = end
    }
    var (from, to) = (pairs, scratch)
    var width = runCount
    while width < count {
      var low = 0
      while low < count {
        let middle = min(low + width, count)
        let high = min(low + 2 * width, count)
        var (left, right, out) = (low, middle, low)
        while left < middle && right < high {
          if isLess(from[right], from[left]) {
            to[out] = from[right]
            right += 1
          } else {
            to[out] = from[left]
            left += 1
          }
          out += 1
        }
        if left < middle { (to + out).update(from: from + left, count: middle - left) }
        if right < high { (to + out).update(from: from + right, count: high - right) }
        low = high
      }
      swap(&from, &to)
      width *= 2
    }
    if from != pairs { pairs.update(from: from, count: count) }
  }
}
