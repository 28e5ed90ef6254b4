import Testing

@testable import Columns

@Suite struct BufferPoolTests {
  @Test func sizeClassesWasteAtMostAQuarter() {
    for byteCount in [65_536, 65_537, 81_920, 81_921, 1_000_000, 1 << 20, (1 << 20) + 1, 160_000_064] {
      let size = BufferPool.sizeClass(byteCount)
      #expect(size >= byteCount && size - byteCount <= byteCount / 4)
      #expect(BufferPool.sizeClass(size) == size)
    }
    #expect(BufferPool.sizeClass(65_537) == 81_920)
    #expect(BufferPool.sizeClass(81_921) == 98_304)
  }

  @Test func blocksAreReusedForEqualAndSlightlySmallerOnes() {
    let pool = BufferPool()
    let first = pool.allocate(byteCount: 200_000)
    let address = first.pointer
    pool.recycle(first)
    #expect(pool.statistics.retainedByteCount == 229_376)
    let second = pool.allocate(byteCount: 170_000)
    #expect(second.pointer == address && second.byteCount == 229_376)
    #expect(pool.statistics.retainedByteCount == 0)
    // More than two classes smaller: a block of its own.
    pool.recycle(second)
    let third = pool.allocate(byteCount: 100_000)
    #expect(third.byteCount == 114_688)
    #expect(pool.statistics.reusedBlockCount == 1 && pool.statistics.freshBlockCount == 2)
    #expect(pool.statistics.liveByteCount == 114_688 && pool.statistics.liveByteCountPeak == 229_376)
    pool.recycle(third)
    pool.trim()
    #expect(pool.statistics.retainedByteCount == 0)
  }

  @Test func noMoreIsKeptThanTheLimit() {
    let pool = BufferPool()
    // One after another: 40 MiB at most are in use, so that the least limit of 64 MiB holds.
    for byteCount in [8 << 20, 16 << 20, 24 << 20, 40 << 20] {
      pool.recycle(pool.allocate(byteCount: byteCount))
      #expect(pool.statistics.retainedByteCount <= BufferPool.retainedByteCountMin)
    }
    // The 24 MiB block had to go for the last one, the smaller ones stayed.
    #expect(pool.statistics.retainedByteCount == 64 << 20)
    pool.trim()
  }
}
