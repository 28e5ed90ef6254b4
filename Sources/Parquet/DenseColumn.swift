import Columns

/// The values of a column without its nulls, as wide as Parquet stores them.
struct DenseColumn {
  enum Storage {
    /// One byte each, 0 or 1.
    case bools
    case words32, words64
    /// Native; stored big-endian.
    case words128
    case bytes
  }

  let storage: Storage
  let count: Int
  let data: BufferSlice
  /// Only for `bytes`: `count + 1` ends.
  let offsets: Values<Int64>?

  /// - Precondition: decimals keep to their precision.
  init(_ column: Column, _ layout: ColumnLayout) {
    let valid = column.validity
    count = column.count - column.nullCount
    switch column.type {
    case .bool:
      storage = .bools
      offsets = nil
      let bits = column.bits
      let buffer = Buffer(byteCapacity: count + 8)
      let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
      var written = 0
      for row in 0..<column.count where valid.map({ $0[row] }) ?? true {
        target[written] = bits[row] ? 1 : 0
        written += 1
      }
      data = BufferSlice(buffer, byteCount: count)
    case .string, .binary:
      storage = .bytes
      let values = column.bytes
      (offsets, data) = column.nullCount == 0 ? (values.offsets, values.data) : Self.bytes(column, values)
    case .int8: (storage, data, offsets) = (.words32, Self.words(column, Int8.self) { UInt32(bitPattern: Int32($0)) }, nil)
    case .int16: (storage, data, offsets) = (.words32, Self.words(column, Int16.self) { UInt32(bitPattern: Int32($0)) }, nil)
    case .uint8: (storage, data, offsets) = (.words32, Self.words(column, UInt8.self) { UInt32($0) }, nil)
    case .uint16: (storage, data, offsets) = (.words32, Self.words(column, UInt16.self) { UInt32($0) }, nil)
    case .int32, .uint32, .float32, .date:
      (storage, data, offsets) = (.words32, column.nullCount == 0 ? column.data : Self.words(column, UInt32.self) { $0 }, nil)
    case .timestamp(.second, _):
      (storage, data, offsets) = (
        .words64,
        Self.words(column, Int64.self) { seconds in
          let millis = seconds.multipliedReportingOverflow(by: 1000)
          precondition(!millis.overflow, "A timestamp of \(seconds) seconds cannot be written as milliseconds")
          return UInt64(bitPattern: millis.partialValue)
        }, nil
      )
    case .int64, .uint64, .float64, .timestamp:
      (storage, data, offsets) = (.words64, column.nullCount == 0 ? column.data : Self.words(column, UInt64.self) { $0 }, nil)
    case .decimal(let precision, _):
      let limit = PlainConversion.powerOfTen(precision)
      let checked: (Int128) -> Int128 = { value in
        precondition(value < limit && value > -limit, "A decimal has more than the \(precision) digits of its type")
        return value
      }
      offsets = nil
      switch layout.physicalType {
      case .int32: (storage, data) = (.words32, Self.words(column, Int128.self) { UInt32(truncatingIfNeeded: checked($0)) })
      case .int64: (storage, data) = (.words64, Self.words(column, Int128.self) { UInt64(truncatingIfNeeded: checked($0)) })
      default: (storage, data) = (.words128, Self.words(column, Int128.self) { UInt128(bitPattern: checked($0)) })
      }
    default: preconditionFailure("The writer has no form for \(column.type)")
    }
  }

  private static func words<Element: BitwiseCopyable, Word: FixedWidthInteger & BitwiseCopyable>(
    _ column: Column, _: Element.Type, _ convert: (Element) -> Word
  ) -> BufferSlice {
    let count = column.count - column.nullCount
    let buffer = Buffer(byteCapacity: count * MemoryLayout<Word>.stride)
    let target = buffer.pointer.assumingMemoryBound(to: Word.self)
    column.values(Element.self).withPointer { source in
      if let valid = column.validity {
        var written = 0
        for row in 0..<column.count where valid[row] {
          target[written] = convert(source[row])
          written &+= 1
        }
      } else {
        for row in 0..<count { target[row] = convert(source[row]) }
      }
    }
    return BufferSlice(buffer, byteCount: count * MemoryLayout<Word>.stride)
  }

  /// Strings without the nulls; the bytes are shared unless some lie under nulls.
  private static func bytes(_ column: Column, _ values: BytesValues) -> (Values<Int64>, BufferSlice) {
    let count = column.count - column.nullCount
    let buffer = Buffer(byteCapacity: (count + 1) * 8)
    let ends = buffer.pointer.assumingMemoryBound(to: Int64.self)
    let slice = BufferSlice(buffer, byteCount: (count + 1) * 8)
    var written = 0
    var isContiguous = true
    ends[0] = values.offsets[0]
    for row in 0..<column.count {
      if column.isValid(row) {
        written += 1
        ends[written] = values.offsets[row + 1]
      } else if values.offsets[row + 1] != values.offsets[row] {
        isContiguous = false
        break
      }
    }
    if isContiguous { return (Values(slice, count: count + 1), values.data) }
    var bytes = ByteSink()
    written = 0
    ends[0] = 0
    for row in 0..<column.count where column.isValid(row) {
      bytes.append(values[row])
      written += 1
      ends[written] = Int64(bytes.count)
    }
    return (Values(slice, count: count + 1), bytes.finish())
  }

  func words<Word: BitwiseCopyable>(_: Word.Type) -> UnsafePointer<Word> { data.start.assumingMemoryBound(to: Word.self) }

  /// A value of a `bytes` column.
  @inline(__always) func value(_ index: Int) -> UnsafeRawBufferPointer {
    guard let offsets else { preconditionFailure("Only string and binary columns hold bytes") }
    let start = Int(offsets[index])
    return UnsafeRawBufferPointer(start: data.start + start, count: Int(offsets[index &+ 1]) &- start)
  }
}
