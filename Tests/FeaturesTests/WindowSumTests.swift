import Testing

@testable import Features

@Suite struct WindowSumTests {
  @Test func roundsTiesToEven() {
    // 2^53 + 1 lies between two doubles.
    #expect(ExactQuotient(1 << 54, exponent: 0).rounded() == 18014398509481984)
    #expect(ExactQuotient((1 << 53) + 1, exponent: 0).rounded() == 9007199254740992)
    #expect(ExactQuotient((1 << 53) + 3, exponent: 0).rounded() == 9007199254740996)
    #expect(ExactQuotient(-((1 << 53) + 3), exponent: 0).rounded() == -9007199254740996)
    #expect(ExactQuotient(1, exponent: 0).rounded(dividedBy: 3) == 1.0 / 3)
    #expect(ExactQuotient(1, exponent: -1074).rounded(dividedBy: 2) == 0)
    #expect(ExactQuotient(3, exponent: -1074).rounded(dividedBy: 2) == 2 * Double.leastNonzeroMagnitude)
    #expect(ExactQuotient(1, exponent: 1024).rounded() == .infinity)
    #expect(ExactQuotient(0, exponent: 5).rounded().sign == .plus)
  }

  @Test func keepsWhatOrdinarySumsLose() {
    var sum = ExactSum()
    for value in [1e308, 1e308, 1, -1e308, -1e308] { sum.add(value) }
    #expect(sum.sum() == 1)
    sum.remove(1)
    #expect(sum.sum().bitPattern == 0)
    sum.add(.infinity)
    sum.add(.nan)
    #expect(sum.sum().isNaN)
    sum.remove(.nan)
    #expect(sum.sum() == .infinity)
    sum.remove(.infinity)
    sum.add(-0.0)
    #expect(sum.sum().bitPattern == 0)
    #expect(sum.count == 5)
  }

  @Test func fixedAndWideSumsAgreeWithANaiveOne() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed)
    for round in 0..<300 {
      let span = [3, 20, 60, 600, 2040][round % 5]
      let base = Int.random(in: 1...(2046 - span), using: &random)
      let values = (0..<Int.random(in: 1...40, using: &random)).map { _ in Self.double(base, span, &random) }
      let removed = Int.random(in: 0..<values.count, using: &random)
      let kept = Array(values[removed...])
      let expected = NaiveSum.rounded(kept)
      let mean = NaiveSum.rounded(kept, dividedBy: kept.count)
      var wide = ExactSum()
      values.forEach { wide.add($0) }
      values[..<removed].forEach { wide.remove($0) }
      #expect(wide.sum().bitPattern == expected.bitPattern, "seed \(seed), round \(round)")
      #expect(wide.mean().bitPattern == mean.bitPattern, "seed \(seed), round \(round)")
      let range = values.withUnsafeBufferPointer { PositionRange($0.baseAddress!, rows: 0..<values.count) }
      if var fixed = FixedSum(range, count: values.count) {
        values.forEach { fixed.add($0) }
        values[..<removed].forEach { fixed.remove($0) }
        #expect(fixed.sum().bitPattern == expected.bitPattern, "seed \(seed), round \(round)")
        #expect(fixed.mean().bitPattern == mean.bitPattern, "seed \(seed), round \(round)")
      } else {
        #expect(span > 60)
      }
    }
  }

  /// A double with exponent bits from `base` on, sometimes zero or with few significant bits.
  private static func double(_ base: Int, _ span: Int, _ random: inout SplitMix) -> Double {
    let exponent = UInt64(Int.random(in: base..<(base + span), using: &random))
    var fraction = random.next() & 0xF_FFFF_FFFF_FFFF
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return 0
    case 1: fraction = 0
    case 2: fraction = 1
    default: break
    }
    return Double(bitPattern: random.next() & (1 << 63) | exponent << 52 | fraction)
  }
}

/// A small generator whose runs can be repeated by seed.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
