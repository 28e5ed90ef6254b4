import CXxhash

/// Decides by content where a sorted sequence is cut into pieces of about `targetRowCount`, so that equal sequences are cut
/// alike and a change moves the cuts near it only (docs/format/repository.md).
///
/// The hazard grows with the cube of the length (Weibull, shape 4): lengths gather around the target, few are tiny or huge.
/// Integer arithmetic only, so that every machine cuts alike.
package struct CutRule: Sendable, Hashable {
  package let level: UInt64
  package let targetRowCount: Int
  private let shift: Int
  private let rowCountMin: Int
  private let rowCountMax: Int

  /// - Parameters:
  ///   - level: 0 for rows in leaves, n for entries in nodes of level n; seeds the hash, so that cuts of levels are independent.
  ///   - targetRowCount: a power of two, at most 2^30.
  package init(level: UInt64, targetRowCount: Int) {
    precondition(
      targetRowCount > 0 && targetRowCount & (targetRowCount - 1) == 0 && targetRowCount <= 1 << 30,
      "The target row count \(targetRowCount) is not a power of two up to 2^30")
    self.level = level
    self.targetRowCount = targetRowCount
    shift = 66 - 4 * targetRowCount.trailingZeroBitCount
    rowCountMin = targetRowCount / 8
    rowCountMax = targetRowCount * 2
  }

  /// Whether a piece ends behind this row.
  /// - Parameters:
  ///   - keyBytes: the row's memcomparable key.
  ///   - n: rows of the piece so far, this one counted; at least 1.
  package func isCut(keyBytes: UnsafeRawBufferPointer, rowsIncludingThis n: Int) -> Bool {
    if n < rowCountMin { return false }
    if n >= rowCountMax { return true }
    return UInt128(hash(keyBytes)) < threshold(n)
  }

  /// The hash of a key that decides, for those who compute it beforehand.
  package func hash(_ keyBytes: UnsafeRawBufferPointer) -> UInt64 { XXH3_64bits_withSeed(keyBytes.baseAddress, keyBytes.count, level) }

  /// Whether a piece ends behind the row whose key has this hash.
  package func isCut(hash: UInt64, rowsIncludingThis n: Int) -> Bool {
    n >= rowCountMin && (n >= rowCountMax || UInt128(hash) < threshold(n))
  }

  package func isCut(keyBytes: [UInt8], rowsIncludingThis n: Int) -> Bool {
    keyBytes.withUnsafeBytes { isCut(keyBytes: $0, rowsIncludingThis: n) }
  }

  /// n³ · 2^shift, for n below 2 · target = 2^(t + 1): at most 2^(3t + 3) · 2^(66 - 4t) = 2^(69 - t), and a cube below 2^93.
  func threshold(_ n: Int) -> UInt128 {
    let wide = UInt128(n)
    let cube = wide * wide * wide
    return shift >= 0 ? cube << UInt128(shift) : cube >> UInt128(-shift)
  }
}
