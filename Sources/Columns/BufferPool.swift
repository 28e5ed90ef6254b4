import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Reuses large blocks of memory: a fresh page costs more to fault in than most kernels cost to fill it.
///
/// Blocks of at least `pooledByteCountMin` are rounded up to a size class (four per power of two), page-aligned, advised
/// to use huge pages, and kept for reuse up to `retainedByteCountMax`; smaller ones go to the allocator.
package final class BufferPool: Sendable {
  package static let shared = BufferPool()

  // SAFETY: the pointer is owned by exactly one Buffer or by the free list under the lock.
  struct Block: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
  }

  private struct Shelf {
    var free: [Int: [Block]] = [:]
    var retainedByteCount = 0
  }

  private let shelf = Mutex(Shelf())

  /// The allocator serves smaller blocks from memory it already holds.
  static let pooledByteCountMin = 64 << 10
  /// Enough for the working set of a commit; beyond it memory goes back to the system.
  static let retainedByteCountMax = 256 << 20
  private static let hugePageByteCount = 2 << 20

  func allocate(byteCount: Int) -> Block {
    guard byteCount >= Self.pooledByteCountMin else { return Self.fresh(byteCount: max(byteCount, 64), alignment: 64) }
    let size = Self.sizeClass(byteCount)
    let reused = shelf.withLock { shelf -> Block? in
      guard let block = shelf.free[size]?.popLast() else { return nil }
      shelf.retainedByteCount -= size
      return block
    }
    if let reused { return reused }
    let huge = size >= Self.hugePageByteCount
    let block = Self.fresh(byteCount: size, alignment: huge ? Self.hugePageByteCount : 4096)
    #if os(Linux)
      if huge { _ = madvise(block.pointer, size, MADV_HUGEPAGE) }
    #endif
    return block
  }

  func recycle(_ block: Block) {
    guard block.byteCount >= Self.pooledByteCountMin else { return free(block.pointer) }
    let kept = shelf.withLock { shelf -> Bool in
      guard shelf.retainedByteCount + block.byteCount <= Self.retainedByteCountMax else { return false }
      shelf.free[block.byteCount, default: []].append(block)
      shelf.retainedByteCount += block.byteCount
      return true
    }
    if !kept { free(block.pointer) }
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
