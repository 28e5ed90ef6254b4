import Testing

@testable import Features

/// The window that values can leave holds only the registers in use, and estimates as all registers do.
@Suite struct DistinctWindowTests {
  /// What a table of all registers estimates.
  private func estimate(_ keys: ArraySlice<UInt32>) -> Int64 {
    var greatest = [UInt32](repeating: 0, count: DistinctSketch.registerCount)
    for key in keys { greatest[Int(key >> 6)] = max(greatest[Int(key >> 6)], key & 63) }
    var histogram = [Int32](repeating: 0, count: 64)
    for rank in greatest { histogram[Int(rank)] += 1 }
    return histogram.withUnsafeBufferPointer { DistinctSketch.estimate($0.baseAddress!) }
  }

  @Test(arguments: [1, 2, 100, 1_023, 1_024, 5_000, 40_000]) func slidingEstimatesAreThoseOfTheWholeSketch(count: Int) {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    let valueCount = UInt64(max(count / 2, 1))
    let keys = (0..<count).map { _ in
      let value = random.next() % valueCount
      return DistinctSketch.key(value &* 0x9E37_79B9_7F4A_7C15 ^ (value << 7))
    }
    var window = DistinctWindow(keys)
    #expect(window.estimate == 0)
    var held = 0..<0
    for _ in 0..<20 {
      let upper = Int(random.next() % UInt64(count + 1))
      let lower = upper == 0 ? 0 : Int(random.next() % UInt64(upper + 1))
      window.remove(held)
      window.add(lower..<upper)
      held = lower..<upper
      #expect(window.estimate == estimate(keys[held]), "seed \(seed), \(count) keys, window \(held)")
    }
    window.remove(held)
    #expect(window.estimate == 0, "seed \(seed)")
  }

  @Test func onlyRegistersInUseAreNumbered() {
    func expect(_ keys: [UInt32], _ compact: [UInt32], _ registerCount: Int) {
      let found = DistinctSketch.compacted(keys)
      #expect(found.keys == compact)
      #expect(found.registerCount == registerCount)
    }
    func key(_ register: Int, _ rank: Int) -> UInt32 { UInt32(register * 64 + rank) }
    expect([], [], 0)
    expect([key(9, 3), key(2, 50), key(9, 1), key(2, 50)], [key(1, 3), key(0, 50), key(1, 1), key(0, 50)], 2)
    // Many keys are numbered in order of first use.
    let many = (0..<1_024).map { key(2_000 - $0 % 3 * 1_000, $0 % 51) }
    expect(many, (0..<1_024).map { key($0 % 3, $0 % 51) }, 3)
  }
}
