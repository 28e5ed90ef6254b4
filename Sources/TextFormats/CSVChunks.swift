import Columns
import Glibc

/// Cuts a file into chunks that end with a record.
struct CSVChunks: Sendable {
  let bytes: BufferSlice
  let form: CSVForm
  private let chunkByteCount: Int
  private let recordByteCountMax: Int
  private(set) var position: Int

  init(_ bytes: BufferSlice, _ form: CSVForm, position: Int, options: CSVOptions) {
    // Together they stay below what the tokenizer's 32 bits can name.
    chunkByteCount = min(max(1, options.chunkByteCount), 1 << 30)
    recordByteCountMax = min(max(1, options.recordByteCountMax), 1 << 30)
    self.bytes = bytes
    self.form = form
    self.position = position
  }

  /// The next chunk; nil at the end. Counting quotes from the start of a record tells which line ends are inside quotes; where
  /// that is wrong, the tokenizer finds a bad quote before it.
  /// - Throws: `TextError` where a record is longer than the options allow.
  mutating func next(byteCountMax: Int = .max) throws(TextError) -> TextChunk? {
    guard position < bytes.byteCount else { return nil }
    let start = position
    let byteCount = min(chunkByteCount, byteCountMax)
    let end = bytes.withBytes { CSVChunks.recordEnd($0, form, from: start, atLeast: byteCount) }
    guard end - start - byteCount <= recordByteCountMax else {
      let text = "a record from here on is longer than \(recordByteCountMax) bytes: is a closing quote missing?"
      throw failure(TextError(.malformed, line: 1, text), start)
    }
    position = end
    return TextChunk(bytes, start..<end)
  }

  /// The error with lines counted from the start of the file.
  func failure(_ error: TextError, _ offset: Int) -> TextError {
    error.adding(lineCount: bytes.withBytes { TextError.lineCount(before: offset, of: $0, lineEnd: form.lineEnd) })
  }

  private static func recordEnd(_ raw: UnsafeRawBufferPointer, _ form: CSVForm, from start: Int, atLeast byteCount: Int) -> Int {
    guard raw.count - start > byteCount, let base = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return raw.count }
    var place = start + byteCount - 1
    var isQuoted = quoteCount(base + start, byteCount - 1) % 2 == 1
    // SAFETY: places stay below the number of bytes.
    while place < raw.count {
      let byte = base[place]
      if byte == CSVText.quote {
        isQuoted.toggle()
        if isQuoted {
          // Inside quotes only the next one matters.
          guard let found = memchr(base + place + 1, Int32(CSVText.quote), raw.count - place - 1) else { return raw.count }
          place = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base
          continue
        }
      } else if byte == form.lineEnd && !isQuoted {
        let hasFeed = form.lineEnd == 0x0D && place + 1 < raw.count && base[place + 1] == 0x0A
        return place + (hasFeed ? 2 : 1)
      }
      place &+= 1
    }
    return raw.count
  }

  private static func quoteCount(_ start: UnsafePointer<UInt8>, _ byteCount: Int) -> Int {
    let raw = UnsafeRawPointer(start)
    let quotes = SIMD64<UInt8>(repeating: CSVText.quote)
    var total = 0
    var index = 0
    // SAFETY: loads end with the bytes.
    while index &+ 64 <= byteCount {
      // A lane counts to 255.
      var lanes = SIMD64<UInt8>(repeating: 0)
      let end = min(byteCount &- 63, index &+ 64 &* 255)
      while index < end {
        let found = raw.loadUnaligned(fromByteOffset: index, as: SIMD64<UInt8>.self) .== quotes
        // All ones are -1.
        lanes &-= unsafeBitCast(found, to: SIMD64<UInt8>.self)
        index &+= 64
      }
      for lane in 0..<64 { total &+= Int(lanes[lane]) }
    }
    while index < byteCount {
      if start[index] == CSVText.quote { total &+= 1 }
      index &+= 1
    }
    return total
  }
}
