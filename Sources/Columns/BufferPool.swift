import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Reuses large blocks of memory: a fresh page costs more to fault in than most kernels cost to fill it.
///
/// Blocks of at least `pooledByteCountMin` are rounded up to a size class (four per power of two), page-aligned
/// and kept for reuse; smaller ones go to the allocator. As much is kept as was once in use at the same
/// time, within `retainedByteCountMin...retainedByteCountMax`: work that repeats finds all its memory again, and small work
/// holds little. Huge pages are not asked for: a process that allocates its memory once pays for clearing them, which took three times
/// as long as clearing small ones in a first commit of 5 M rows (docs/performance.md).
package final class BufferPool: Sendable {
  package static let shared = BufferPool()

  // SAFETY: the pointer is owned by exactly one Buffer or by the free list under the lock.
  struct Block: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
  }

  /// What the pool has done so far. Blocks below `pooledByteCountMin` are not counted.
  package struct Statistics: Sendable {
    package var reusedBlockCount = 0
    package var freshBlockCount = 0
    package var freshByteCount = 0
    /// Bytes of blocks in use, now and at most.
    package var liveByteCount = 0
    package var liveByteCountPeak = 0
    /// Bytes kept for reuse.
    package var retainedByteCount = 0
  }

  private struct Shelf {
    var free: [Int: [Block]] = [:]
    var statistics = Statistics()
  }

  private let shelf = Mutex(Shelf())

  /// The allocator serves smaller blocks from memory it already holds.
  static let pooledByteCountMin = 64 << 10
  /// A few row groups' worth: kept even by a process that never used as much at once.
  static let retainedByteCountMin = 64 << 20
  /// The columns of a few million rows, and no more than an eighth of the machine's memory.
  static let retainedByteCountMax = min(1 << 30, max(retainedByteCountMin, physicalByteCount / 8))

  private static var physicalByteCount: Int { Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE))) }

  package init() {}

  package var statistics: Statistics { shelf.withLock { $0.statistics } }

  func allocate(byteCount: Int) -> Block {
    guard byteCount >= Self.pooledByteCountMin else { return Self.fresh(byteCount: max(byteCount, 64), alignment: 64) }
    let size = Self.sizeClass(byteCount)
    let reused = shelf.withLock { shelf -> Block? in
      let block = Self.take(from: &shelf, size)
      let live = shelf.statistics.liveByteCount + (block?.byteCount ?? size)
      shelf.statistics.liveByteCount = live
      shelf.statistics.liveByteCountPeak = max(shelf.statistics.liveByteCountPeak, live)
      if block != nil {
        shelf.statistics.reusedBlockCount += 1
      } else {
        shelf.statistics.freshBlockCount += 1
        shelf.statistics.freshByteCount += size
      }
      return block
    }
    if let reused { return reused }
    let block = Self.fresh(byteCount: size, alignment: 4096)
    return block
  }

  /// A block of the class, or of the next two: at most three quarters larger than asked for.
  private static func take(from shelf: inout Shelf, _ size: Int) -> Block? {
    var size = size
    for _ in 0..<3 {
      if let block = shelf.free[size]?.popLast() {
        shelf.statistics.retainedByteCount -= size
        return block
      }
      size = sizeClass(size + 1)
    }
    return nil
  }

  func recycle(_ block: Block) {
    guard block.byteCount >= Self.pooledByteCountMin else { return free(block.pointer) }
    let surplus = shelf.withLock { shelf -> [Block] in
      shelf.statistics.liveByteCount -= block.byteCount
      let limit = min(Self.retainedByteCountMax, max(Self.retainedByteCountMin, shelf.statistics.liveByteCountPeak))
      guard block.byteCount <= limit else { return [block] }
      let surplus = Self.evict(from: &shelf, to: limit - block.byteCount)
      shelf.free[block.byteCount, default: []].append(block)
      shelf.statistics.retainedByteCount += block.byteCount
      return surplus
    }
    for block in surplus { free(block.pointer) }
  }

  /// Gives all memory that is kept for reuse back to the system, and forgets how much was in use: for a process that goes on
  /// with smaller work.
  package func trim() {
    let surplus = shelf.withLock { shelf -> [Block] in
      shelf.statistics.liveByteCountPeak = shelf.statistics.liveByteCount
      return Self.evict(from: &shelf, to: 0)
    }
    for block in surplus { free(block.pointer) }
  }

  /// Takes the largest blocks until no more than `byteCount` are kept: what came in last is likelier to be wanted again than
  /// what has been lying there, and large blocks leave fewest behind.
  private static func evict(from shelf: inout Shelf, to byteCount: Int) -> [Block] {
    var evicted: [Block] = []
    while shelf.statistics.retainedByteCount > byteCount {
      guard let largest = shelf.free.lazy.filter({ !$0.value.isEmpty }).map(\.key).max(),
        let block = shelf.free[largest]?.popLast()
      else { break }
      shelf.statistics.retainedByteCount -= block.byteCount
      evicted.append(block)
    }
    return evicted
  }

  /// The smallest of 4, 5, 6, 7 × 2^k that holds `byteCount`: at most a quarter is wasted.
  static func sizeClass(_ byteCount: Int) -> Int {
    let power = Int.bitWidth - (byteCount - 1).leadingZeroBitCount
    let step = 1 << max(0, power - 3)
    return (byteCount + step - 1) / step * step
  }

  private static func fresh(byteCount: Int, alignment: Int) -> Block {
    var pointer: UnsafeMutableRawPointer?
    let code = posix_memalign(&pointer, alignment, byteCount)
    guard code == 0, let pointer else { fatalError("Out of memory: \(byteCount) bytes were asked for") }
    return Block(pointer: pointer, byteCount: byteCount)
  }
}
