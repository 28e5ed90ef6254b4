import CXxhash
import Testing

@testable import History

@Suite struct CutRuleTests {
  /// Lengths of the pieces of a sequence of keys 0, 1, 2, …
  private func pieceLengths(_ rule: CutRule, count: Int) -> [Int] {
    var lengths: [Int] = []
    var length = 0
    for number in 0..<count {
      length += 1
      if rule.isCut(keyBytes: key(number), rowsIncludingThis: length) {
        lengths.append(length)
        length = 0
      }
    }
    return lengths
  }

  /// The numbers of docs/format/repository.md.
  @Test func cutsOfTheTestVectors() {
    #expect(key(0).withUnsafeBytes { XXH3_64bits_withSeed($0.baseAddress, $0.count, 0) } == 0xB7AA_1C28_D234_F8D6)
    #expect(key(0).withUnsafeBytes { XXH3_64bits_withSeed($0.baseAddress, $0.count, 1) } == 0x3F7B_BBAE_992B_9362)
    #expect(
      pieceLengths(CutRule(level: 0, targetRowCount: 4096), count: 40_000)
        == [2472, 4302, 5364, 2949, 2341, 3382, 3197, 1850, 4222, 3434, 2510])
    #expect(
      pieceLengths(CutRule(level: 1, targetRowCount: 256), count: 2_500)
        == [203, 199, 224, 124, 152, 243, 243, 226, 203, 157, 375])
    #expect(
      pieceLengths(CutRule(level: 0, targetRowCount: 16), count: 200)
        == [14, 18, 14, 13, 8, 21, 16, 13, 17, 12, 15, 19, 6, 14])
  }

  @Test func thresholdsOfTheTestVectors() {
    #expect(CutRule(level: 0, targetRowCount: 256).threshold(32) == 32 * 32 * 32 << 34)
    #expect(CutRule(level: 0, targetRowCount: 4096).threshold(4096) == 1 << 54)
    #expect(CutRule(level: 0, targetRowCount: 1 << 20).threshold(1 << 20) == 1 << 46)
    // (2^17 + 1)³ = 2^51 + 3·2^34 + 3·2^17 + 1, of which the right shift by 14 keeps 2^37 + 3·2^20 + 3·2^3.
    #expect(CutRule(level: 0, targetRowCount: 1 << 20).threshold((1 << 17) + 1) == 0x20_0030_0018)
    #expect(CutRule(level: 0, targetRowCount: 1).threshold(1) == 1 << 66)
  }

  @Test func noTestBelowAnEighthAndForcedAtTwice() {
    // With every key tried, no piece is shorter than L/8; a hash that never passes is cut at 2L.
    let rule = CutRule(level: 0, targetRowCount: 64)
    for number in 0..<1000 { #expect(!rule.isCut(keyBytes: key(number), rowsIncludingThis: 7)) }
    for number in 0..<1000 { #expect(rule.isCut(keyBytes: key(number), rowsIncludingThis: 128)) }
  }

  @Test func lengthsGatherAroundTheTarget() {
    let lengths = pieceLengths(CutRule(level: 0, targetRowCount: 256), count: 400_000)
    let mean = Double(lengths.reduce(0, +)) / Double(lengths.count)
    // The mean of a Weibull distribution with shape 4 and scale 256 is 256 · Γ(5/4) = 232.
    #expect(abs(mean - 232) < 8)
    #expect(lengths.min()! >= 32)
    #expect(lengths.max()! <= 512)
  }

  @Test func aChangeOfOneKeyMovesOnlyTheCutsNearIt() {
    let rule = CutRule(level: 0, targetRowCount: 64)
    func cuts(_ numbers: [Int]) -> Set<Int> {
      var cuts: Set<Int> = []
      var length = 0
      for number in numbers {
        length += 1
        if rule.isCut(keyBytes: key(number), rowsIncludingThis: length) {
          cuts.insert(number)
          length = 0
        }
      }
      return cuts
    }
    let all = Array(0..<20_000)
    let difference = cuts(all).symmetricDifference(cuts(all.filter { $0 != 10_000 }))
    #expect(difference.allSatisfy { (9_900...11_000).contains($0) })
  }
}
