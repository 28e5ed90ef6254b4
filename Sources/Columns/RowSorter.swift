import Dispatch
import Synchronization

/// Sorts rows by key columns in stages: each stage packs as many keys as fit into one 64-bit word, sorts by it, and hands
/// the rows that it leaves equal to the next.
struct RowSorter: Sendable {
  /// A key in a packed word: the ordered bits less the smallest, or whether there is a value at all.
  struct Part {
    let reader: Int
    let isValidity: Bool
    let minimum: UInt64
    let bitCount: Int
  }

  enum Stage {
    case packed([Part])
    /// Seven bytes of a string from `depth` on, and how many bytes are left (8 for more than seven): strings with equal words
    /// are equal up to there, and wholly equal when no more than seven were left.
    case text(reader: Int, depth: Int)
  }

  private static let textByteCount = 7
  private static let textHasMore: UInt64 = 8
  /// Strings that agree on this many further words are compared whole: it bounds the recursion.
  private static let textLevelMax = 8

  let readers: [KeyReader]
  private let stages: [Stage]
  let rowCount: Int
  /// Set when rows are found, or may be, that no key tells apart.
  let ties = TieFlag()

  init(_ keys: [Column]) {
    rowCount = SortKernel.rowCount(keys)
    readers = KeyReader.readers(keys)
    stages = RowSorter.plan(readers, rowCount: rowCount)
  }

  private static func plan(_ readers: [KeyReader], rowCount: Int) -> [Stage] {
    var stages: [Stage] = []
    var parts: [Part] = []
    func flush() {
      if !parts.isEmpty { stages.append(.packed(parts)) }
      parts = []
    }
    func add(_ part: Part) {
      if parts.reduce(0, { $0 + $1.bitCount }) + part.bitCount > 64 { flush() }
      parts.append(part)
    }
    for (index, reader) in readers.enumerated() {
      if reader.validity != nil { add(Part(reader: index, isValidity: true, minimum: 0, bitCount: 1)) }
      if reader.kind == .text {
        flush()
        stages.append(.text(reader: index, depth: sharedPrefix(reader, rowCount: rowCount)))
        continue
      }
      let (low, high) = bounds(reader, rowCount: rowCount)
      if high > low {
        add(Part(reader: index, isValidity: false, minimum: low, bitCount: 64 - (high - low).leadingZeroBitCount))
      }
    }
    flush()
    return stages
  }

  private static func bounds(_ reader: KeyReader, rowCount: Int) -> (low: UInt64, high: UInt64) {
    let parts = (0..<ParallelRanges.partCount(rowCount)).map { _ in (low: UInt64.max, high: UInt64.min) }
    return withUnsafeTemporaryAllocation(of: (low: UInt64, high: UInt64).self, capacity: parts.count) { found in
      _ = found.initialize(from: parts)
      // SAFETY: each part writes its own place.
      nonisolated(unsafe) let target = found
      ParallelRanges.run(rowCount) { part, rows in target[part] = bounds(reader, rows) }
      return found.reduce((.max, .min)) { (min($0.low, $1.low), max($0.high, $1.high)) }
    }
  }

  private static func bounds(_ reader: KeyReader, _ rows: Range<Int>) -> (low: UInt64, high: UInt64) {
    var (low, high) = (UInt64.max, UInt64.min)
    reader.withOrderedBits { bits in
      if let validity = reader.validity {
        for row in rows where validity[row] {
          low = min(low, bits(row))
          high = max(high, bits(row))
        }
      } else {
        for row in rows {
          low = min(low, bits(row))
          high = max(high, bits(row))
        }
      }
    }
    return (low, high)
  }

  /// How many first bytes all strings share.
  private static func sharedPrefix(_ reader: KeyReader, rowCount: Int) -> Int {
    guard let first = (0..<rowCount).first(where: { reader.isValid($0) }) else { return 0 }
    let prefix = reader.text(first)
    var shared = prefix.count
    for row in first + 1..<max(rowCount, first + 1) where shared > 0 && reader.isValid(row) {
      let text = reader.text(row)
      shared = min(shared, text.count)
      var index = 0
      while index < shared && text[index] == prefix[index] { index &+= 1 }
      shared = index
    }
    return shared
  }

  func permutation() -> [Int32] {
    if rowCount >= ParallelRanges.rowCountMin, case .packed(let parts)? = stages.first { return permutationByBuckets(parts) }
    let byteCount = rowCount * MemoryLayout<SortPair>.stride
    let (first, second) = (Buffer(byteCapacity: byteCount), Buffer(byteCapacity: byteCount))
    defer { _fixLifetime((first, second)) }
    // SAFETY: both blocks hold rowCount pairs; all sorting stays inside them.
    let pairs = first.pointer.bindMemory(to: SortPair.self, capacity: rowCount)
    let scratch = second.pointer.bindMemory(to: SortPair.self, capacity: rowCount)
    for row in 0..<rowCount { pairs[row] = SortPair(key: 0, row: UInt32(truncatingIfNeeded: row)) }
    sortAll(pairs, scratch)
    return [Int32](unsafeUninitializedCapacity: rowCount) { target, written in
      for index in 0..<rowCount { target[index] = Int32(bitPattern: pairs[index].row) }
      written = rowCount
    }
  }

  /// The first stage over all rows; large inputs are split into buckets that two or more threads sort and refine.
  private func sortAll(_ pairs: PairSort.Pairs, _ scratch: PairSort.Pairs) {
    guard !stages.isEmpty else {
      // All rows have the same key.
      if rowCount > 1 { ties.set() }
      return
    }
    guard rowCount >= ParallelRanges.rowCountMin else { return sortStage(pairs, scratch, rowCount, stage: 0, level: 0) }
    fill(pairs, rowCount, stage: 0, level: 0)
    guard let shift = PairSort.partitionShift(PairSort.varyingBits(pairs, rowCount), rowCount) else {
      return refine(pairs, scratch, rowCount, stage: 0, level: 0)
    }
    var buckets: [Range<Int>] = []
    PairSort.partition(pairs, into: scratch, count: rowCount, shift: shift) { buckets.append($0) }
    let tasks = Self.tasks(buckets)
    // SAFETY: the buckets are disjoint ranges of both blocks.
    nonisolated(unsafe) let (left, right) = (pairs, scratch)
    DispatchQueue.concurrentPerform(iterations: tasks.count) { index in
      let bucket = tasks[index]
      PairSort.sort(right + bucket.lowerBound, scratch: left + bucket.lowerBound, count: bucket.count, intoScratch: true)
      refine(left + bucket.lowerBound, right + bucket.lowerBound, bucket.count, stage: 0, level: 0)
    }
  }

  /// Small neighbours are one task.
  static func tasks(_ buckets: [Range<Int>]) -> [Range<Int>] {
    var tasks: [Range<Int>] = []
    for bucket in buckets {
      if let last = tasks.last, last.count + bucket.count < ParallelRanges.rowCountMin / 8 {
        tasks[tasks.count - 1] = last.lowerBound..<bucket.upperBound
      } else {
        tasks.append(bucket)
      }
    }
    return tasks
  }

  private func sortStage(_ pairs: PairSort.Pairs, _ scratch: PairSort.Pairs, _ count: Int, stage: Int, level: Int) {
    if level == Self.textLevelMax, case .text(let reader, _) = stages[stage] {
      // Whether comparisons found rows equal is not looked at.
      ties.set()
      let order = RowOrder(left: readers, right: readers)
      PairSort.mergeSort(pairs, scratch: scratch, count: count) { order.compare(Int($0.row), Int($1.row), from: reader) < 0 }
      return
    }
    fill(pairs, count, stage: stage, level: level)
    PairSort.sort(pairs, scratch: scratch, count: count)
    refine(pairs, scratch, count, stage: stage, level: level)
  }

  /// Sorts each run of equal words by what comes next.
  func refine(_ pairs: PairSort.Pairs, _ scratch: PairSort.Pairs, _ count: Int, stage: Int, level: Int) {
    let isText = if case .text = stages[stage] { true } else { false }
    let isLast = stage + 1 == stages.count
    if isLast && !isText && ties.isSet { return }
    var start = 0
    while start + 1 < count {
      let key = pairs[start].key
      var end = start + 1
      while end < count && pairs[end].key == key { end &+= 1 }
      if end - start > 1 {
        if isText && key & 0xFF == Self.textHasMore {
          sortStage(pairs + start, scratch + start, end - start, stage: stage, level: level + 1)
        } else if stage + 1 < stages.count {
          sortStage(pairs + start, scratch + start, end - start, stage: stage + 1, level: 0)
        } else {
          ties.set()
          if !isText { return }
        }
      }
      start = end
    }
  }

  private func fill(_ pairs: PairSort.Pairs, _ count: Int, stage: Int, level: Int) {
    switch stages[stage] {
    case .packed(let parts):
      for index in 0..<count { pairs[index].key = 0 }
      for part in parts { fill(pairs, count, part) }
    case .text(let reader, let depth):
      fillText(pairs, count, readers[reader], depth: depth + level * Self.textByteCount)
    }
  }

  private func fill(_ pairs: PairSort.Pairs, _ count: Int, _ part: Part) {
    let reader = readers[part.reader]
    // A part of 64 bits is alone in its word, which is 0: any shift will do.
    let shift = UInt64(part.bitCount)
    if part.isValidity {
      for index in 0..<count {
        pairs[index].key = pairs[index].key &<< shift | (reader.isValid(Int(pairs[index].row)) ? 1 : 0)
      }
      return
    }
    let minimum = part.minimum
    reader.withOrderedBits { bits in
      if let validity = reader.validity {
        for index in 0..<count {
          let row = Int(pairs[index].row)
          pairs[index].key = pairs[index].key &<< shift | (validity[row] ? bits(row) &- minimum : 0)
        }
      } else {
        for index in 0..<count {
          pairs[index].key = pairs[index].key &<< shift | (bits(Int(pairs[index].row)) &- minimum)
        }
      }
    }
  }

  private func fillText(_ pairs: PairSort.Pairs, _ count: Int, _ reader: KeyReader, depth: Int) {
    for index in 0..<count {
      let row = Int(pairs[index].row)
      guard reader.isValid(row) else {
        pairs[index].key = 0
        continue
      }
      let text = reader.text(row)
      let left = text.count - depth
      if left >= 8, let base = text.baseAddress {
        let word = UInt64(bigEndian: (base + depth).loadUnaligned(as: UInt64.self))
        pairs[index].key = word & ~0xFF | Self.textHasMore
      } else {
        var word: UInt64 = 0
        let kept = max(0, left)
        for place in 0..<kept { word |= UInt64(text[depth &+ place]) << UInt64(56 - 8 * place) }
        pairs[index].key = word | UInt64(kept)
      }
    }
  }
}

/// A flag that threads only set.
final class TieFlag: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() { flag.store(true, ordering: .relaxed) }
}
