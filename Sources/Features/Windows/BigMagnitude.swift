/// A non-negative integer of any size, for results that fit no machine word; words of 64 bits, lowest first.
struct BigMagnitude {
  private(set) var words: [UInt64]

  init(words: [UInt64]) { self.words = words }
  init(_ low: UInt128, _ high: UInt64 = 0) { words = [UInt64(truncatingIfNeeded: low), UInt64(truncatingIfNeeded: low >> 64), high] }

  func shifted(by bitCount: Int) -> BigMagnitude {
    var result = [UInt64](repeating: 0, count: bitCount / 64 + words.count + 1)
    let rest = UInt64(bitCount % 64)
    for (index, word) in words.enumerated() {
      result[bitCount / 64 + index] |= word << rest
      if rest > 0 { result[bitCount / 64 + index + 1] = word >> (64 - rest) }
    }
    return BigMagnitude(words: result)
  }

  /// - Returns: the remainder.
  mutating func divide(by divisor: UInt64) -> UInt64 {
    var remainder: UInt64 = 0
    for index in words.indices.reversed() {
      (words[index], remainder) = divisor.dividingFullWidth((remainder, words[index]))
    }
    return remainder
  }

  /// - Parameter exponent: at most 38.
  /// - Returns: whether there was a remainder.
  mutating func divide(byPowerOfTen exponent: Int) -> Bool {
    var hasRest = false
    // 10^19 is the greatest power in 64 bits.
    for part in [min(exponent, 19), max(exponent - 19, 0)] where part > 0 {
      if divide(by: (0..<part).reduce(UInt64(1)) { power, _ in power * 10 }) != 0 { hasRest = true }
    }
    return hasRest
  }

  func multiplied(by other: BigMagnitude) -> BigMagnitude {
    var result = [UInt64](repeating: 0, count: words.count + other.words.count + 1)
    for (i, x) in words.enumerated() where x != 0 {
      var carry: UInt64 = 0
      for (j, y) in other.words.enumerated() {
        // At most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1.
        let value = UInt128(x) * UInt128(y) + UInt128(result[i + j]) + UInt128(carry)
        result[i + j] = UInt64(truncatingIfNeeded: value)
        carry = UInt64(truncatingIfNeeded: value >> 64)
      }
      result[i + other.words.count] = carry
    }
    return BigMagnitude(words: result)
  }

  /// - Precondition: `other` is not greater.
  func subtracting(_ other: BigMagnitude) -> BigMagnitude {
    var result = words
    var borrow: UInt64 = 0
    for index in result.indices {
      let word = index < other.words.count ? other.words[index] : 0
      let (first, below) = result[index].subtractingReportingOverflow(word)
      let (second, belowAgain) = first.subtractingReportingOverflow(borrow)
      result[index] = second
      borrow = below || belowAgain ? 1 : 0
    }
    assert(borrow == 0 && other.words.dropFirst(result.count).allSatisfy { $0 == 0 })
    return BigMagnitude(words: result)
  }

  /// This number times 2^exponent, plus a rest below 1 when there is one.
  func exact(isNegative: Bool, exponent: Int, hasRest: Bool) -> ExactQuotient {
    guard let last = words.lastIndex(where: { $0 != 0 }) else { return ExactQuotient(0, exponent: 0) }
    func word(_ index: Int) -> UInt128 { index < 0 ? 0 : UInt128(words[index]) }
    let shift = words[last].leadingZeroBitCount
    var top = word(last) << 64 | word(last - 1)
    var isCut = hasRest || (last > 2 && words[..<(last - 2)].contains { $0 != 0 })
    let next = UInt64(word(last - 2))
    if shift > 0 {
      top = top << shift | UInt128(next >> (64 - shift))
      isCut = isCut || next << shift != 0
    } else {
      isCut = isCut || next != 0
    }
    return ExactQuotient(isNegative: isNegative, top: top, exponent: exponent + 64 * (last - 1) - shift, hasRest: isCut)
  }
}
