#if canImport(Glibc)
  import Glibc
#endif

/// A key column ready for comparisons: fixed-width values as ordered 64-bit words, strings as their bytes.
///
/// The order is the one of sorted storage: nulls first, then ascending; false before true; NaN greater than every number
/// and -0.0 equal to +0.0; strings by bytes. A decimal takes two readers, its high and its low half.
// SAFETY: the pointers are read only and lie in buffers that `column` keeps alive.
struct KeyReader: @unchecked Sendable {
  enum Kind {
    case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float16, float32, float64, decimalHigh, decimalLow, text
  }

  let column: Column
  let kind: Kind
  /// Where the values of row 0 start; of bits the byte that holds the first.
  let base: UnsafeRawPointer
  /// Where the bit of row 0 lies in that byte.
  let bitOffset: Int
  /// Where strings start; nil for bytes of one width.
  let offsets: UnsafePointer<Int64>?
  private let textByteWidth: Int
  let validity: Bitmap?

  init(_ column: Column, isLowHalf: Bool = false) {
    self.column = column
    // Start and offset of bits from one place: a bitmap drops whole bytes.
    let bits = column.type == .bool ? column.bits : nil
    base = bits?.slice.start ?? column.data.start
    bitOffset = bits?.bitOffset ?? 0
    offsets = column.type.isVariableLength ? column.bytes.offsets.base : nil
    textByteWidth = if case .fixedBinary(let byteWidth) = column.type { byteWidth } else { 0 }
    validity = column.validity
    kind =
      switch column.type {
      case .bool: .bool
      case .int8: .int8
      case .int16: .int16
      case .int32, .date: .int32
      case .time(.second), .time(.millisecond): .int32
      case .int64, .timestamp, .time, .duration: .int64
      case .uint8: .uint8
      case .uint16: .uint16
      case .uint32: .uint32
      case .uint64: .uint64
      case .float16: .float16
      case .float32: .float32
      case .float64: .float64
      case .decimal: isLowHalf ? .decimalLow : .decimalHigh
      case .string, .binary, .fixedBinary: .text
      case .list, .map, .structure: preconditionFailure("A column of \(column.type) has no order")
      }
  }

  static func readers(_ columns: [Column]) -> [KeyReader] {
    columns.flatMap { column -> [KeyReader] in
      if case .decimal = column.type { return [KeyReader(column), KeyReader(column, isLowHalf: true)] }
      return [KeyReader(column)]
    }
  }

  @inline(__always) func isValid(_ row: Int) -> Bool { validity.map { $0[row] } ?? true }

  /// Runs `body` with a function that gives the ordered word of a row; specialised for each kind.
  /// - Precondition: the kind is not `text`.
  @inline(__always) func withOrderedBits<Result>(_ body: ((Int) -> UInt64) -> Result) -> Result {
    let sign: UInt64 = 1 << 63
    switch kind {
    case .bool:
      let (base, bitOffset) = (base.assumingMemoryBound(to: UInt8.self), bitOffset)
      return body { row in
        let bit = row &+ bitOffset
        return UInt64(base[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1)
      }
    case .int8:
      let base = base.assumingMemoryBound(to: Int8.self)
      return body { UInt64(bitPattern: Int64(base[$0])) ^ sign }
    case .int16:
      let base = base.assumingMemoryBound(to: Int16.self)
      return body { UInt64(bitPattern: Int64(base[$0])) ^ sign }
    case .int32:
      let base = base.assumingMemoryBound(to: Int32.self)
      return body { UInt64(bitPattern: Int64(base[$0])) ^ sign }
    case .int64:
      let base = base.assumingMemoryBound(to: UInt64.self)
      return body { base[$0] ^ sign }
    case .uint8:
      let base = base.assumingMemoryBound(to: UInt8.self)
      return body { UInt64(base[$0]) }
    case .uint16:
      let base = base.assumingMemoryBound(to: UInt16.self)
      return body { UInt64(base[$0]) }
    case .uint32:
      let base = base.assumingMemoryBound(to: UInt32.self)
      return body { UInt64(base[$0]) }
    case .uint64:
      let base = base.assumingMemoryBound(to: UInt64.self)
      return body { base[$0] }
    case .float16:
      let base = base.assumingMemoryBound(to: UInt16.self)
      return body { row in
        let bits = CanonicalFloat.bits(base[row])
        return UInt64(bits ^ (bits >> 15 == 1 ? .max : 1 << 15))
      }
    case .float32:
      let base = base.assumingMemoryBound(to: UInt32.self)
      return body { row in
        let bits = CanonicalFloat.bits(base[row])
        return UInt64(bits ^ (bits >> 31 == 1 ? .max : 1 << 31))
      }
    case .float64:
      let base = base.assumingMemoryBound(to: UInt64.self)
      return body { row in
        let bits = CanonicalFloat.bits(base[row])
        return bits ^ (bits >> 63 == 1 ? .max : sign)
      }
    case .decimalHigh:
      let base = base.assumingMemoryBound(to: UInt64.self)
      return body { base[2 &* $0 &+ 1] ^ sign }
    case .decimalLow:
      let base = base.assumingMemoryBound(to: UInt64.self)
      return body { base[2 &* $0] }
    case .text:
      preconditionFailure("Strings have no ordered word")
    }
  }

  @inline(__always) func text(_ row: Int) -> UnsafeRawBufferPointer {
    guard let offsets else { return UnsafeRawBufferPointer(start: base + row &* textByteWidth, count: textByteWidth) }
    let start = Int(offsets[row])
    return UnsafeRawBufferPointer(start: base + start, count: Int(offsets[row &+ 1]) &- start)
  }

  /// <0, 0 or >0 as row `i` of this comes before, with or behind row `j` of the other.
  @inline(__always) func compare(_ i: Int, _ other: KeyReader, _ j: Int) -> Int {
    if validity != nil || other.validity != nil {
      let (mine, theirs) = (isValid(i), other.isValid(j))
      if !mine || !theirs { return (mine ? 1 : 0) - (theirs ? 1 : 0) }
    }
    if kind == .text { return KeyReader.compare(text(i), other.text(j)) }
    let x = withOrderedBits { $0(i) }
    let y = other.withOrderedBits { $0(j) }
    return x < y ? -1 : x == y ? 0 : 1
  }

  @inline(__always) static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let shared = min(a.count, b.count)
    if shared > 0 {
      let order = memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, shared)
      if order != 0 { return Int(order) }
    }
    return a.count - b.count
  }
}

/// Compares rows of two sets of key columns of the same types.
struct RowOrder {
  let left: [KeyReader]
  let right: [KeyReader]

  @inline(__always) func compare(_ i: Int, _ j: Int, from first: Int = 0) -> Int {
    var index = first
    while index < left.count {
      let order = left[index].compare(i, right[index], j)
      if order != 0 { return order }
      index &+= 1
    }
    return 0
  }
}
