import Glibc

/// How a file separates its fields and records.
struct CSVForm: Hashable, Sendable {
  let delimiter: UInt8
  /// LF, before which a carriage return belongs to the line end; or CR in files that have no LF.
  let lineEnd: UInt8
}

/// Splits a chunk of CSV (RFC 4180) into fields: 64 bytes at a time are searched for delimiters, line ends and quotes.
///
/// A record of n fields takes n + 1 cells: the place before the record, then the place behind each field, so that a field lies
/// between its cell, one further, and the next. Quotes are part of their field. Places are 32 bits wide.
struct CSVTokenizer {
  // SAFETY: the chunk has 64 readable bytes behind `count` (`TextChunk`), which vectors may load but which are never taken
  // for text; the tokenizer lives inside the call that holds the bytes.
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private let form: CSVForm
  private let fieldCount: Int
  private(set) var position = 0

  /// - Precondition: the chunk starts with a record, has slack behind it and less than 4 GiB.
  init(_ chunk: UnsafeRawBufferPointer, _ form: CSVForm, fieldCount: Int) {
    // Any address will do for no bytes, as none is loaded.
    base = (chunk.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!).assumingMemoryBound(to: UInt8.self)
    count = chunk.count
    self.form = form
    self.fieldCount = fieldCount
  }

  /// The fields of the next records, until `rowMax` or the end. Blank lines are skipped, except in files of one column.
  /// - Returns: the number of records.
  /// - Throws: `TextError` for ragged records and bad quotes, with lines counted from the chunk's start.
  mutating func scan(_ cells: UnsafeMutablePointer<UInt32>, rowMax: Int) throws(TextError) -> Int {
    guard position < count else { return 0 }
    let (base, count, delimiter, lineEnd, fieldCount) = (self.base, self.count, form.delimiter, form.lineEnd, self.fieldCount)
    let patterns = CSVPatterns(form)
    var row = 0
    var record = cells
    record[0] = UInt32(truncatingIfNeeded: position) &- 1
    var field = 0
    var blockStart = position
    var mask = patterns.hits(base + blockStart)
    while true {
      while mask == 0 && blockStart &+ 64 < count {
        blockStart &+= 64
        mask = patterns.hits(base + blockStart)
      }
      let place = mask == 0 ? count : min(count, blockStart &+ mask.trailingZeroBitCount)
      mask &= mask &- 1
      if place < count && base[place] == delimiter {
        field &+= 1
        if field >= fieldCount { throw ragged(record) }
        record[field] = UInt32(truncatingIfNeeded: place)
      } else if place == count || base[place] == lineEnd {
        let isBlank = field == 0 && endRecord(record, 1, place)
        if isBlank && fieldCount > 1 {
          // A blank line takes no cells.
        } else if field &+ 1 == fieldCount {
          _ = endRecord(record, fieldCount, place)
          row &+= 1
          record += fieldCount &+ 1
        } else {
          throw ragged(record)
        }
        position = min(count, place &+ 1)
        if lineEnd == 0x0D && position < count && base[position] == 0x0A { position &+= 1 }
        if row == rowMax || position >= count { return row }
        record[0] = UInt32(truncatingIfNeeded: position) &- 1
        field = 0
      } else {
        guard UInt32(truncatingIfNeeded: place) == record[field] &+ 1 else {
          throw failure(at: place, column: field + 1, "a quote inside a field that is not quoted")
        }
        blockStart = try quotedEnd(from: place, field)
        mask = blockStart < count ? patterns.hits(base + blockStart) : 0
      }
    }
  }

  /// Sets the end of a record's last field; tells whether the record is empty.
  @inline(__always) private func endRecord(_ record: UnsafeMutablePointer<UInt32>, _ fieldCount: Int, _ place: Int) -> Bool {
    let start = Int(record[fieldCount &- 1] &+ 1)
    let hasReturn = form.lineEnd == 0x0A && place > start && base[place &- 1] == 0x0D
    record[fieldCount] = UInt32(truncatingIfNeeded: hasReturn ? place &- 1 : place)
    return fieldCount == 1 && Int(record[1]) == start
  }

  /// The place behind a quoted field.
  private func quotedEnd(from opening: Int, _ field: Int) throws(TextError) -> Int {
    var place = opening &+ 1
    while place < count {
      guard let found = memchr(base + place, Int32(CSVText.quote), count &- place) else { break }
      place = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - base &+ 1
      if place < count && base[place] == CSVText.quote {
        place &+= 1
        continue
      }
      var end = place
      if end < count && base[end] == 0x0D && form.lineEnd == 0x0A && (end &+ 1 == count || base[end &+ 1] == 0x0A) { end &+= 1 }
      guard end >= count || base[end] == form.delimiter || base[end] == form.lineEnd else {
        throw failure(at: place, column: field + 1, "expected the end of the field behind its closing quote")
      }
      return place
    }
    throw failure(at: opening, "the closing quote is missing")
  }

  private func ragged(_ record: UnsafeMutablePointer<UInt32>) -> TextError {
    let start = Int(record[0] &+ 1)
    var found = 1
    var isQuoted = false
    for place in start..<count {
      if base[place] == CSVText.quote { isQuoted.toggle() }
      if isQuoted { continue }
      if base[place] == form.lineEnd { break }
      if base[place] == form.delimiter { found += 1 }
    }
    // The first field that is missing or too many.
    return failure(at: start, column: min(found, fieldCount) + 1, "expected \(fieldCount) fields, found \(found)")
  }

  private func failure(at offset: Int, column: Int = 0, _ text: String) -> TextError {
    let bytes = UnsafeRawBufferPointer(start: base, count: count)
    let line = TextError.lineCount(before: offset, of: bytes, lineEnd: form.lineEnd) + 1
    return TextError(.malformed, line: line, column: column, text)
  }
}

/// Finds the bytes that matter among 64.
struct CSVPatterns {
  private let delimiters: SIMD16<UInt8>
  private let lineEnds: SIMD16<UInt8>
  private let quotes: SIMD16<UInt8>

  init(_ form: CSVForm) {
    delimiters = SIMD16(repeating: form.delimiter)
    lineEnds = SIMD16(repeating: form.lineEnd)
    quotes = SIMD16(repeating: CSVText.quote)
  }

  /// A bit for each delimiter, line end and quote of the 64 bytes, the first one lowest.
  @inline(__always) func hits(_ start: UnsafePointer<UInt8>) -> UInt64 {
    let raw = UnsafeRawPointer(start)
    return hits16(raw) | hits16(raw + 16) &<< 16 | hits16(raw + 32) &<< 32 | hits16(raw + 48) &<< 48
  }

  @inline(__always) private func hits16(_ start: UnsafeRawPointer) -> UInt64 {
    let bytes = start.loadUnaligned(as: SIMD16<UInt8>.self)
    let found = (bytes .== delimiters) .| (bytes .== lineEnds) .| (bytes .== quotes)
    // SAFETY: a mask of 16 bytes, each all ones or zero.
    let halves = unsafeBitCast(found, to: SIMD2<UInt64>.self)
    return CSVPatterns.topBits(halves[0]) | CSVPatterns.topBits(halves[1]) &<< 8
  }

  /// The top bits of eight bytes side by side: the product moves bit 8i + 7 to 56 + i.
  @inline(__always) private static func topBits(_ word: UInt64) -> UInt64 {
    ((word & 0x8080_8080_8080_8080) &* 0x0002_0408_1020_4081) &>> 56
  }
}
