import Glibc

/// A field of a record: where its bytes lie, and how they were quoted.
struct CSVCell: BitwiseCopyable {
  private let startAndForm: Int
  let length: Int

  @inline(__always) init(start: Int, length: Int, isQuoted: Bool, hasEscapes: Bool) {
    startAndForm = start << 2 | (isQuoted ? 1 : 0) | (hasEscapes ? 2 : 0)
    self.length = length
  }

  @inline(__always) var start: Int { startAndForm >> 2 }
  @inline(__always) var isQuoted: Bool { startAndForm & 1 != 0 }
  /// Whether the bytes hold doubled quotes that stand for one.
  @inline(__always) var hasEscapes: Bool { startAndForm & 2 != 0 }
}

/// Splits CSV (RFC 4180) into fields. Records end with LF or CRLF; a carriage return elsewhere belongs to its field.
struct CSVScanner {
  // SAFETY: loads stay below `count`; the scanner lives inside the call that holds the bytes.
  let base: UnsafePointer<UInt8>
  let count: Int
  let delimiter: UInt8
  private(set) var position: Int

  static let quote = UInt8(ascii: "\"")

  init(_ bytes: UnsafeRawBufferPointer, delimiter: UInt8, position: Int) {
    // Any address will do for no bytes, as none is loaded.
    base = (bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!).assumingMemoryBound(to: UInt8.self)
    count = bytes.count
    self.delimiter = delimiter
    self.position = position
  }

  /// The fields of the next records, `fieldCount` each, until `rowMax` or the end.
  /// - Returns: the number of records.
  mutating func scanBlock(_ cells: UnsafeMutablePointer<CSVCell>, fieldCount: Int, rowMax: Int) throws(TextError) -> Int {
    var row = 0
    while row < rowMax && position < count {
      let start = position
      let target = cells + row &* fieldCount
      let found = try scanRecord(target, capacity: fieldCount)
      if found == fieldCount {
        row &+= 1
      } else if found == 1 && target[0].length == 0 && !target[0].isQuoted {
        // A blank line; in a file of one column it is a null.
        continue
      } else {
        throw failure(
          at: start, "expected \(fieldCount) fields, found \(found > fieldCount ? "more" : "\(found)")")
      }
    }
    return row
  }

  /// The fields of the next record.
  /// - Returns: their number; `capacity + 1`, with an undefined position, when there are more than `capacity`.
  /// - Precondition: the position is not at the end.
  @inline(__always) mutating func scanRecord(_ cells: UnsafeMutablePointer<CSVCell>, capacity: Int) throws(TextError) -> Int {
    let (base, count, delimiter) = (self.base, self.count, self.delimiter)
    let special = max(delimiter, CSVScanner.quote)
    var field = 0
    var place = position
    while true {
      if field == capacity { return capacity &+ 1 }
      let start = place
      if place < count && base[place] == CSVScanner.quote {
        let (end, hasEscapes) = try quotedEnd(from: place &+ 1)
        cells[field] = CSVCell(start: start &+ 1, length: end &- start &- 1, isQuoted: true, hasEscapes: hasEscapes)
        place = end &+ 1
        if place < count && base[place] == 0x0D && (place &+ 1 == count || base[place &+ 1] == 0x0A) { place &+= 1 }
        if place < count && base[place] != delimiter && base[place] != 0x0A {
          throw failure(at: place, column: field + 1, "expected the end of the field behind its closing quote")
        }
      } else {
        while place < count {
          let byte = base[place]
          if byte <= special {
            if byte == delimiter || byte == 0x0A { break }
            if byte == CSVScanner.quote { throw failure(at: place, column: field + 1, "a quote inside a field that is not quoted") }
          }
          place &+= 1
        }
        var length = place &- start
        if length > 0 && base[place &- 1] == 0x0D && (place == count || base[place] == 0x0A) { length &-= 1 }
        cells[field] = CSVCell(start: start, length: length, isQuoted: false, hasEscapes: false)
      }
      field &+= 1
      if place >= count || base[place] == 0x0A {
        position = min(place &+ 1, count)
        return field
      }
      place &+= 1
    }
  }

  private func quotedEnd(from start: Int) throws(TextError) -> (end: Int, hasEscapes: Bool) {
    var place = start
    var hasEscapes = false
    while place < count, let found = memchr(base + place, Int32(CSVScanner.quote), count - place) {
      let end = UnsafePointer<UInt8>(found.assumingMemoryBound(to: UInt8.self)) - base
      if end + 1 < count && base[end + 1] == CSVScanner.quote {
        hasEscapes = true
        place = end + 2
      } else {
        return (end, hasEscapes)
      }
    }
    throw failure(at: start - 1, "the closing quote is missing")
  }

  private func failure(at offset: Int, column: Int = 0, _ text: String) -> TextError {
    let bytes = UnsafeRawBufferPointer(start: base, count: count)
    return TextError(.malformed, line: TextError.line(at: offset, of: bytes), column: column, text)
  }
}
