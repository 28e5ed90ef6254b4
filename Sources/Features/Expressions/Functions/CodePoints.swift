import Columns

/// UTF-8 bytes seen as code points.
enum CodePoints {
  /// Every byte but a continuation byte (10xxxxxx) starts a code point.
  @inline(__always) static func isStart(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

  static func count(_ bytes: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for byte in bytes where isStart(byte) { count += 1 }
    return count
  }

  /// The bytes of the code points in the range, which is cut to what is there.
  static func slice(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> UnsafeRawBufferPointer {
    guard start < end else { return UnsafeRawBufferPointer(rebasing: bytes[0..<0]) }
    let first = offset(bytes, of: max(start, 0), after: 0)
    let last = offset(bytes, of: end - max(start, 0), after: first)
    return UnsafeRawBufferPointer(rebasing: bytes[first..<last])
  }

  /// Where the n-th code point after a place starts, at most the end.
  private static func offset(_ bytes: UnsafeRawBufferPointer, of n: Int, after start: Int) -> Int {
    var position = start
    var rest = n
    while position < bytes.count && rest > 0 {
      position += 1
      while position < bytes.count && !isStart(bytes[position]) { position += 1 }
      rest -= 1
    }
    return position
  }

  /// The byte offset of the first occurrence from a place on; of nothing it is that place.
  static func find(_ needle: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
    guard needle.count > 0 else { return start }
    guard bytes.count - start >= needle.count else { return nil }
    let first = needle[0]
    for position in start...(bytes.count - needle.count) where bytes[position] == first {
      if bytes[position..<position + needle.count].elementsEqual(needle) { return position }
    }
    return nil
  }

  /// Whether the text is like the pattern: `%` is any text, `_` one code point, a code point after the escape itself.
  ///
  /// - Complexity: O(text · pattern) at worst.
  static func isLike(_ text: UnsafeRawBufferPointer, _ pattern: UnsafeRawBufferPointer, escape: UInt8?) -> Bool {
    var (t, p) = (0, 0)
    var retry: (text: Int, pattern: Int)?
    while true {
      if p < pattern.count, pattern[p] == UInt8(ascii: "%"), escape != pattern[p] {
        p += 1
        retry = (t, p)
        continue
      }
      if p == pattern.count && t == text.count { return true }
      var matched = false
      if p < pattern.count && t < text.count {
        let isEscape = pattern[p] == escape
        let literal = isEscape ? p + 1 : p
        if pattern[p] == UInt8(ascii: "_") && !isEscape {
          matched = true
          p += 1
          t += 1
          while t < text.count && !isStart(text[t]) { t += 1 }
        } else if literal < pattern.count && pattern[literal] == text[t] {
          matched = true
          p = literal + 1
          t += 1
        }
      }
      if matched { continue }
      // The last `%` takes one more byte; a place within a code point matches no other that starts one.
      guard let (from, after) = retry, from < text.count else { return false }
      retry = (from + 1, after)
      t = from + 1
      while t < text.count && !isStart(text[t]) { t += 1 }
      retry?.text = t
      p = after
    }
  }

  /// Insertions, deletions and replacements of code points. - Complexity: O(a · b)
  static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }
}
