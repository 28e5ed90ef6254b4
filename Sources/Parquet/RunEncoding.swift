import Columns

/// Writes the RLE / bit-packing hybrid that `HybridRuns` reads.
enum RunEncoding {
  /// Eight equal values are shorter as a run at any width.
  private static let runCountMin = 8

  static func encode<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<Word>, count: Int, bitWidth: Int, into sink: inout ByteSink
  ) {
    var literalStart = 0
    var index = 0
    while index < count {
      var end = index + 1
      while end < count && values[end] == values[index] { end &+= 1 }
      // Literals come in groups of eight: a run first fills the group before it.
      let filled = (8 - (index - literalStart) % 8) % 8
      guard end - index - filled >= runCountMin else {
        index = end
        continue
      }
      let runStart = index + filled
      literals(values, literalStart..<runStart, bitWidth, &sink)
      sink.append(varint: UInt64(end - runStart) << 1)
      for byte in 0..<((bitWidth + 7) / 8) {
        sink.append(UInt8(truncatingIfNeeded: UInt64(truncatingIfNeeded: values[runStart]) >> UInt64(byte * 8)))
      }
      literalStart = end
      index = end
    }
    literals(values, literalStart..<count, bitWidth, &sink)
  }

  private static func literals<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<Word>, _ range: Range<Int>, _ bitWidth: Int, _ sink: inout ByteSink
  ) {
    guard !range.isEmpty else { return }
    let groupCount = (range.count + 7) / 8
    sink.append(varint: UInt64(groupCount) << 1 | 1)
    BitPack.pack(values + range.lowerBound, count: range.count, bitWidth: bitWidth, into: &sink)
    // The last group is padded to its full length.
    for _ in (range.count * bitWidth + 7) / 8..<(groupCount * bitWidth) { sink.append(0) }
  }

  /// Definition levels of rows, 1 where the row has a value.
  static func encode(_ validity: Bitmap?, rows: Range<Int>, into sink: inout ByteSink) {
    guard let validity else { return run(of: 1, count: rows.count, &sink) }
    var row = rows.lowerBound
    while row < rows.upperBound {
      let uniform = uniformWordCount(validity, row, rows.upperBound)
      // Four words and more: eight bytes of literals are a match for a run and a new head of literals.
      if uniform.count >= uniformWordCountMin {
        let count = min(uniform.count * 64, rows.upperBound - row)
        run(of: uniform.bit, count: count, &sink)
        row += count
        continue
      }
      let start = row
      row = min(row + 64 * max(1, uniform.count), rows.upperBound)
      while row < rows.upperBound {
        let next = uniformWordCount(validity, row, rows.upperBound)
        if next.count >= uniformWordCountMin { break }
        row = min(row + 64 * max(1, next.count), rows.upperBound)
      }
      let groupCount = (row - start + 7) / 8
      sink.append(varint: UInt64(groupCount) << 1 | 1)
      let target = sink.reserve(groupCount + 8)
      for index in stride(from: 0, to: row - start, by: 64) {
        var word = validity.word(at: start + index)
        if row - start - index < 64 { word &= (1 << UInt64(row - start - index)) &- 1 }
        target.storeBytes(of: word, toByteOffset: index / 8, as: UInt64.self)
      }
      sink.advance(groupCount)
    }
  }

  private static let uniformWordCountMin = 4

  /// How many words of 64 rows from here on are all valid or all null; the last one may be shorter.
  private static func uniformWordCount(_ validity: Bitmap, _ start: Int, _ end: Int) -> (bit: UInt8, count: Int) {
    let first = validity.word(at: start)
    let bit: UInt8 = first & 1 == 1 ? 1 : 0
    var count = 0
    var row = start
    while row < end {
      let mask: UInt64 = end - row >= 64 ? .max : (1 << UInt64(end - row)) &- 1
      guard validity.word(at: row) & mask == (bit == 1 ? mask : 0) else { break }
      count += 1
      row += 64
    }
    return (bit, count)
  }

  private static func run(of bit: UInt8, count: Int, _ sink: inout ByteSink) {
    sink.append(varint: UInt64(count) << 1)
    sink.append(bit)
  }
}
