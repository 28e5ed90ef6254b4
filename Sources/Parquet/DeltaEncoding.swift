/// Writes DELTA_BINARY_PACKED: blocks of 128 values in four parts of 32.
enum DeltaEncoding {
  private static let blockCount = 128
  private static let miniCount = 4
  private static let miniValueCount = 32

  /// - Parameter values: the bits of signed integers of the width of `Word`.
  static func encode<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<Word>, count: Int, into sink: inout ByteSink
  ) {
    sink.append(varint: UInt64(blockCount))
    sink.append(varint: UInt64(miniCount))
    sink.append(varint: UInt64(count))
    sink.append(zigzag: count > 0 ? signed(values[0]) : 0)
    withUnsafeTemporaryAllocation(of: Word.self, capacity: blockCount) { deltas in
      guard let deltas = deltas.baseAddress else { return }
      var start = 1
      while start < count {
        let wanted = min(blockCount, count - start)
        let least = block(values + start, wanted, deltas)
        sink.append(zigzag: signed(least))
        for mini in 0..<miniCount { sink.append(UInt8(width(deltas + mini * miniValueCount))) }
        for mini in 0..<miniCount where mini * miniValueCount < wanted {
          let deltas = deltas + mini * miniValueCount
          BitPack.pack(deltas, count: miniValueCount, bitWidth: width(deltas), into: &sink)
        }
        start += wanted
      }
    }
  }

  /// The bytes that `encode` would write, without the first few.
  static func byteCount<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(_ values: UnsafePointer<Word>, count: Int) -> Int {
    withUnsafeTemporaryAllocation(of: Word.self, capacity: blockCount) { deltas in
      guard let deltas = deltas.baseAddress else { return 0 }
      var total = 0
      var start = 1
      while start < count {
        let wanted = min(blockCount, count - start)
        let least = block(values + start, wanted, deltas)
        total += miniCount + (BitPack.bitWidth(least) + 7) / 7
        for mini in 0..<miniCount where mini * miniValueCount < wanted {
          total += width(deltas + mini * miniValueCount) * miniValueCount / 8
        }
        start += wanted
      }
      return total
    }
  }

  private static func signed<Word: FixedWidthInteger & UnsignedInteger>(_ word: Word) -> Int64 {
    Word.bitWidth == 32 ? Int64(Int32(truncatingIfNeeded: word)) : Int64(truncatingIfNeeded: word)
  }

  /// Fills `deltas` with the distance of each delta from the least, zero behind the last; returns the least.
  @inline(__always) private static func block<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<Word>, _ count: Int, _ deltas: UnsafeMutablePointer<Word>
  ) -> Word {
    let flip: Word = 1 << (Word(Word.bitWidth) - 1)
    // Signed order, on unsigned words.
    var least = Word.max
    for index in 0..<count {
      let delta = values[index] &- values[index &- 1]
      deltas[index] = delta
      least = min(least, delta ^ flip)
    }
    least ^= flip
    for index in 0..<count { deltas[index] = deltas[index] &- least }
    for index in count..<blockCount { deltas[index] = 0 }
    return least
  }

  @inline(__always) private static func width<Word: FixedWidthInteger & UnsignedInteger>(_ deltas: UnsafeMutablePointer<Word>) -> Int {
    var seen: Word = 0
    for index in 0..<miniValueCount { seen |= deltas[index] }
    return BitPack.bitWidth(seen)
  }
}
