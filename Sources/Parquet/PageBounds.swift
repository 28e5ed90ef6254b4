import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// The least and greatest value of some dense values.
enum PageBounds {
  /// No values, or nothing but NaN.
  case none
  /// Words mapped so that their unsigned order is that of the values.
  case words(least: UInt128, greatest: UInt128)
  /// Numbers of dense values.
  case bytes(least: Int, greatest: Int)
}

/// Finds bounds and writes them as statistics want them.
struct BoundsEncoding {
  let column: DenseColumn
  let layout: ColumnLayout

  var comparesBytes: Bool { column.storage == .bytes || column.storage == .fixedBytes }

  // MARK: Finding

  /// - Parameter dictionary: when there is one, each entry is compared only once.
  func bounds(_ range: Range<Int>, dictionary: DictionaryPlan?, seen: inout [UInt32], page: UInt32) -> PageBounds {
    guard !range.isEmpty else { return .none }
    switch column.storage {
    case .bools: return words(range, UInt8.self) { $0 }
    case .words16: return floats(range, UInt16.self, infinity: 0x7C00)
    case .words32:
      switch layout.order {
      case .float: return floats(range, UInt32.self, infinity: 0x7F80_0000)
      case .unsigned: return words(range, UInt32.self) { $0 }
      default: return words(range, UInt32.self) { $0 ^ 1 << 31 }
      }
    case .words64:
      switch layout.order {
      case .float: return floats(range, UInt64.self, infinity: 0x7FF0_0000_0000_0000)
      case .unsigned: return words(range, UInt64.self) { $0 }
      default: return words(range, UInt64.self) { $0 ^ 1 << 63 }
      }
    case .words128: return words(range, UInt128.self) { $0 ^ 1 << 127 }
    case .bytes, .fixedBytes:
      // Cut values of a fixed length would have another one: there are no bounds then.
      guard column.fixedByteCount <= Self.byteCountMax else { return .none }
      var least = range.lowerBound
      var greatest = range.lowerBound
      if let dictionary {
        let indices = dictionary.base
        for index in range {
          let entry = Int(indices[index])
          if seen[entry] == page { continue }
          seen[entry] = page
          if isLess(index, least) { least = index } else if isLess(greatest, index) { greatest = index }
        }
      } else {
        for index in range.dropFirst() {
          if isLess(index, least) { least = index } else if isLess(greatest, index) { greatest = index }
        }
      }
      return .bytes(least: least, greatest: greatest)
    }
  }

  @inline(__always) private func words<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ range: Range<Int>, _: Word.Type, _ key: (Word) -> Word
  ) -> PageBounds {
    let values = column.words(Word.self)
    var least = Word.max
    var greatest = Word.min
    for index in range {
      let word = key(values[index])
      least = min(least, word)
      greatest = max(greatest, word)
    }
    return .words(least: UInt128(least), greatest: UInt128(greatest))
  }

  @inline(__always) private func floats<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ range: Range<Int>, _: Word.Type, infinity: Word
  ) -> PageBounds {
    let values = column.words(Word.self)
    let sign: Word = 1 << (Word(Word.bitWidth) - 1)
    var least = Word.max
    var greatest = Word.min
    for index in range {
      let bits = values[index]
      let key = bits & sign != 0 ? ~bits : bits | sign
      // NaN has no place in statistics.
      let isNumber = bits & ~sign <= infinity
      least = min(least, isNumber ? key : .max)
      greatest = max(greatest, isNumber ? key : .min)
    }
    // No number maps to the extremes: those are NaN.
    if least == .max { return .none }
    // Zeros may have either sign in what readers compare: -0.0 below, +0.0 above.
    if least == sign { least = ~sign }
    if greatest == ~sign { greatest = sign }
    return .words(least: UInt128(least), greatest: UInt128(greatest))
  }

  private func isLess(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (column.value(a), column.value(b))
    let common = min(x.count, y.count)
    if common >= 8, let p = x.baseAddress, let q = y.baseAddress {
      let (head, other) = (UInt64(bigEndian: p.loadUnaligned(as: UInt64.self)), UInt64(bigEndian: q.loadUnaligned(as: UInt64.self)))
      if head != other { return head < other }
    }
    if common > 0, let p = x.baseAddress, let q = y.baseAddress {
      let order = memcmp(p, q, common)
      if order != 0 { return order < 0 }
    }
    return x.count < y.count
  }

  // MARK: Joining

  func union(_ a: PageBounds, _ b: PageBounds) -> PageBounds {
    switch (a, b) {
    case (.words(let x, let y), .words(let u, let v)): .words(least: min(x, u), greatest: max(y, v))
    case (.bytes(let x, let y), .bytes(let u, let v)): .bytes(least: isLess(u, x) ? u : x, greatest: isLess(y, v) ? v : y)
    case (.none, _): b
    default: a
    }
  }

  /// 1 when bounds ascend from page to page, 2 when they descend, 0 when neither: `BoundaryOrder`. Pages without values do not count.
  func boundaryOrder(_ pages: [PageBounds]) -> Int32 {
    var ascends = true
    var descends = true
    var last = PageBounds.none
    for page in pages {
      switch (last, page) {
      case (.words(let x, let y), .words(let u, let v)):
        if u < x || v < y { ascends = false }
        if u > x || v > y { descends = false }
      case (.bytes(let x, let y), .bytes(let u, let v)):
        if isLess(u, x) || isLess(v, y) { ascends = false }
        if isLess(x, u) || isLess(y, v) { descends = false }
      default: break
      }
      if case .none = page {} else { last = page }
    }
    return ascends ? 1 : descends ? 2 : 0
  }

  // MARK: Writing

  struct Encoded: Sendable {
    var bytes: [UInt8]
    var isExact = true
  }

  /// Longer strings are cut in statistics: a lower bound stays one, an upper bound is rounded up.
  private static let byteCountMax = 64

  func encode(_ bounds: PageBounds) -> (least: Encoded, greatest: Encoded)? {
    switch bounds {
    case .none: return nil
    case .words(let least, let greatest): return (Encoded(bytes: plain(least)), Encoded(bytes: plain(greatest)))
    case .bytes(let least, let greatest): return (lower(Array(column.value(least))), upper(Array(column.value(greatest))))
    }
  }

  private func plain(_ key: UInt128) -> [UInt8] {
    switch column.storage {
    case .bools: return [UInt8(truncatingIfNeeded: key)]
    case .words16:
      let word = UInt16(truncatingIfNeeded: key)
      return withUnsafeBytes(of: unmapped(word).littleEndian) { Array($0) }
    case .words32:
      let word = UInt32(truncatingIfNeeded: key)
      return withUnsafeBytes(of: unmapped(word).littleEndian) { Array($0) }
    case .words64:
      let word = UInt64(truncatingIfNeeded: key)
      return withUnsafeBytes(of: unmapped(word).littleEndian) { Array($0) }
    default: return withUnsafeBytes(of: (key ^ 1 << 127).bigEndian) { Array($0) }
    }
  }

  private func unmapped<Word: FixedWidthInteger & UnsignedInteger>(_ key: Word) -> Word {
    let sign: Word = 1 << (Word(Word.bitWidth) - 1)
    switch layout.order {
    case .unsigned, .bytes: return key
    case .signed: return key ^ sign
    case .float: return key & sign != 0 ? key ^ sign : ~key
    }
  }

  private func lower(_ bytes: [UInt8]) -> Encoded {
    guard bytes.count > Self.byteCountMax else { return Encoded(bytes: bytes) }
    var end = Self.byteCountMax
    // Strings are cut between characters.
    if layout.field.type == .string { while end > 0 && bytes[end] & 0xC0 == 0x80 { end -= 1 } }
    return Encoded(bytes: Array(bytes[..<end]), isExact: false)
  }

  private func upper(_ bytes: [UInt8]) -> Encoded {
    guard bytes.count > Self.byteCountMax else { return Encoded(bytes: bytes) }
    // The last byte that can be raised without leaving its kind (ASCII within strings): what follows does not matter.
    let limit: UInt8 = layout.field.type == .string ? 0x7E : 0xFE
    guard let last = bytes[..<Self.byteCountMax].lastIndex(where: { $0 <= limit }) else { return Encoded(bytes: bytes) }
    return Encoded(bytes: Array(bytes[..<last]) + [bytes[last] + 1], isExact: false)
  }
}
