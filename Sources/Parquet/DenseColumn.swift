import Columns

/// The values of a leaf without its nulls, as wide as Parquet stores them.
struct DenseColumn {
  enum Storage {
    /// One byte each, 0 or 1.
    case bools
    case words16, words32, words64
    /// Native; stored big-endian.
    case words128
    /// Between offsets.
    case bytes
    /// One width for all, as stored.
    case fixedBytes
  }

  let storage: Storage
  let count: Int
  let data: BufferSlice
  /// Only for `bytes`: `count + 1` ends.
  let offsets: Values<Int64>?
  /// Only for `fixedBytes`, else 0.
  let fixedByteCount: Int

  init(_ column: Column, _ layout: ColumnLayout) throws(ParquetError) { try self.init([column], layout) }

  /// - Parameter parts: columns of the leaf's type, one after another.
  /// - Throws: `.unsupported` for a value that the stored type cannot hold.
  init(_ parts: [Column], _ layout: ColumnLayout) throws(ParquetError) {
    let total = parts.reduce(0) { $0 + $1.count - $1.nullCount }
    count = total
    var fixed = 0
    var ends: Values<Int64>?
    switch layout.field.type {
    case .bool: (storage, data) = (.bools, DenseKernels.bools(parts, count: total))
    case .string, .binary:
      storage = .bytes
      let (offsets, bytes) = DenseKernels.bytes(parts, count: total)
      (ends, data) = (offsets, bytes)
    case .fixedBinary(let byteWidth):
      (storage, data) = (.fixedBytes, DenseKernels.fixed(parts, count: total, byteWidth: byteWidth))
      fixed = byteWidth
    case .int8: (storage, data) = (.words32, DenseKernels.words(parts, total, Int8.self) { UInt32(bitPattern: Int32($0)) })
    case .int16: (storage, data) = (.words32, DenseKernels.words(parts, total, Int16.self) { UInt32(bitPattern: Int32($0)) })
    case .uint8: (storage, data) = (.words32, DenseKernels.words(parts, total, UInt8.self) { UInt32($0) })
    case .uint16: (storage, data) = (.words32, DenseKernels.words(parts, total, UInt16.self) { UInt32($0) })
    case .float16: (storage, data) = (.words16, DenseKernels.same(parts, total, UInt16.self))
    case .time(.second): (storage, data) = (.words32, try Self.millis(parts, total, layout, Int32.self, UInt32.self))
    case .int32, .uint32, .float32, .date, .time(.millisecond): (storage, data) = (.words32, DenseKernels.same(parts, total, UInt32.self))
    case .timestamp(.second, _): (storage, data) = (.words64, try Self.millis(parts, total, layout, Int64.self, UInt64.self))
    case .int64, .uint64, .float64, .timestamp, .time, .duration: (storage, data) = (.words64, DenseKernels.same(parts, total, UInt64.self))
    case .decimal(let precision, _):
      try Self.check(parts, precision, layout)
      switch layout.physicalType {
      case .int32: (storage, data) = (.words32, DenseKernels.words(parts, total, Int128.self) { UInt32(truncatingIfNeeded: $0) })
      case .int64: (storage, data) = (.words64, DenseKernels.words(parts, total, Int128.self) { UInt64(truncatingIfNeeded: $0) })
      default: (storage, data) = (.words128, DenseKernels.same(parts, total, UInt128.self))
      }
    case .list, .map, .structure: preconditionFailure("A column of \(layout.field.type) is no leaf")
    }
    offsets = ends
    fixedByteCount = fixed
  }

  /// Seconds as milliseconds.
  private static func millis<Element: FixedWidthInteger & BitwiseCopyable, Word: FixedWidthInteger & BitwiseCopyable>(
    _ parts: [Column], _ count: Int, _ layout: ColumnLayout, _: Element.Type, _: Word.Type
  ) throws(ParquetError) -> BufferSlice {
    var refused: Element?
    let data = DenseKernels.words(parts, count, Element.self) { seconds in
      let millis = seconds.multipliedReportingOverflow(by: 1000)
      if millis.overflow { refused = seconds }
      return Word(truncatingIfNeeded: millis.partialValue)
    }
    if let refused {
      throw .unsupported("Cannot write column \(layout.name): \(refused) seconds do not fit milliseconds of \(Element.bitWidth) bits")
    }
    return data
  }

  /// Readers rely on the precision that a type promises.
  private static func check(_ parts: [Column], _ precision: Int, _ layout: ColumnLayout) throws(ParquetError) {
    let limit = PlainConversion.powerOfTen(precision)
    for part in parts {
      let refused = part.values(Int128.self).withPointer { values in
        (0..<part.count).first { (values[$0] >= limit || values[$0] <= -limit) && part.isValid($0) }
      }
      guard let refused else { continue }
      throw .unsupported(
        "Cannot write column \(layout.name): the unscaled value \(part.values(Int128.self)[refused]) has more than the \(precision) digits of its type"
      )
    }
  }

  func words<Word: BitwiseCopyable>(_: Word.Type) -> UnsafePointer<Word> { data.start.assumingMemoryBound(to: Word.self) }

  /// A value of a column of bytes; valid while the column lives.
  @inline(__always) func value(_ index: Int) -> UnsafeRawBufferPointer {
    guard let offsets else { return UnsafeRawBufferPointer(start: data.start + index &* fixedByteCount, count: fixedByteCount) }
    let start = Int(offsets.base[index])
    return UnsafeRawBufferPointer(start: data.start + start, count: Int(offsets.base[index &+ 1]) &- start)
  }

  /// About the bytes of some values in plain encoding, without their lengths.
  func byteCount(_ range: Range<Int>) -> Int {
    switch storage {
    case .bools: (range.count + 7) / 8
    case .words16: range.count * 2
    case .words32: range.count * 4
    case .words64: range.count * 8
    case .words128: range.count * 16
    case .fixedBytes: range.count * fixedByteCount
    case .bytes: offsets.map { Int($0[range.upperBound] - $0[range.lowerBound]) } ?? 0
    }
  }
}
