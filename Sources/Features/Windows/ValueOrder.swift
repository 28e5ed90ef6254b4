import Columns

/// The order of the values of a column by event number, for min and max.
protocol ValueOrder {
  /// Whether the value of event `i` is less than that of event `j`; neither is null.
  func isLess(_ i: Int, _ j: Int) -> Bool
}

struct Int64Order: ValueOrder {
  // SAFETY: lies in a buffer that `column` keeps alive; events are checked against its length once per view.
  private let base: UnsafePointer<Int64>
  private let column: Column

  init(_ column: Column) {
    self.column = column
    base = column.values(Int64.self).base
  }

  @inline(__always) func isLess(_ i: Int, _ j: Int) -> Bool { base[i] < base[j] }
}

/// NaN, which is canonical here, lies above infinity, and there is no -0.0.
struct DoubleOrder: ValueOrder {
  // SAFETY: as above.
  private let base: UnsafePointer<Int64>
  private let column: Column

  init(_ column: Column) {
    self.column = column
    base = column.values(Int64.self).base
  }

  /// Bits that compare like the numbers: those below the sign are flipped for negative ones. Its own inverse.
  @inline(__always) static func rank(_ bits: Int64) -> Int64 { bits ^ Int64(bitPattern: UInt64(bitPattern: bits &>> 63) &>> 1) }

  @inline(__always) func isLess(_ i: Int, _ j: Int) -> Bool { Self.rank(base[i]) < Self.rank(base[j]) }
}

struct DecimalOrder: ValueOrder {
  // SAFETY: as above.
  private let base: UnsafePointer<Int128>
  private let column: Column

  init(_ column: Column) {
    self.column = column
    base = column.values(Int128.self).base
  }

  @inline(__always) func isLess(_ i: Int, _ j: Int) -> Bool { base[i] < base[j] }
}

/// Strings by their bytes.
struct TextOrder: ValueOrder {
  private let bytes: BytesValues

  init(_ column: Column) { bytes = column.bytes }

  func isLess(_ i: Int, _ j: Int) -> Bool { bytes[i].lexicographicallyPrecedes(bytes[j]) }
}

extension Column {
  /// A column of `int64` (also as timestamps), `float64`, decimal, string or binary whose values are ordered as this column's.
  /// - Complexity: O(1) for those types, else O(count)
  var ordered: Column {
    func widened<Element: BitwiseCopyable>(_: Element.Type, _ word: (Element) -> Int64) -> Column {
      let values = values(Element.self)
      return filled { word(values[$0]) }
    }
    switch type {
    case .int64, .timestamp, .float64, .decimal, .string, .binary: return self
    case .bool:
      let bits = bits
      return filled { bits[$0] ? 1 : 0 }
    case .int8: return widened(Int8.self) { Int64($0) }
    case .int16: return widened(Int16.self) { Int64($0) }
    case .int32, .date: return widened(Int32.self) { Int64($0) }
    case .uint8: return widened(UInt8.self) { Int64($0) }
    case .uint16: return widened(UInt16.self) { Int64($0) }
    case .uint32: return widened(UInt32.self) { Int64($0) }
    case .uint64: return widened(UInt64.self) { Int64(bitPattern: $0 ^ 1 << 63) }
    case .float32: return widened(Float.self) { Int64(bitPattern: Double($0).bitPattern) }.reinterpreted(as: .float64).canonicalized()
    case .float16, .fixedBinary, .time, .duration, .list, .map, .structure:
      preconditionFailure("Definitions refuse min and max of \(type)")
    }
  }

  private func filled(_ word: (Int) -> Int64) -> Column {
    let buffer = Buffer(byteCapacity: count * 8)
    let target = buffer.pointer.bindMemory(to: Int64.self, capacity: count)
    for index in 0..<count { target[index] = word(index) }
    return Column(type: .int64, count: count, validity: validity, data: BufferSlice(buffer, byteCount: count * 8))
  }

  /// Words that `ordered` made of values of a type, as that type again.
  func restored(as type: DataType) -> Column {
    let words = data.start.assumingMemoryBound(to: Int64.self)
    defer { _fixLifetime(self) }
    func narrowed<Element: BitwiseCopyable>(_ value: (Int64) -> Element) -> Column {
      let buffer = Buffer(byteCapacity: count * MemoryLayout<Element>.stride)
      let target = buffer.pointer.bindMemory(to: Element.self, capacity: count)
      for index in 0..<count { target[index] = value(words[index]) }
      return Column(
        type: type, count: count, validity: validity, data: BufferSlice(buffer, byteCount: count * MemoryLayout<Element>.stride))
    }
    switch type {
    case .bool:
      return Column(type: .bool, count: count, validity: validity, data: Bitmap(flags: (0..<count).map { words[$0] != 0 }).slice)
    case .int8, .uint8: return narrowed { UInt8(truncatingIfNeeded: $0) }
    case .int16, .uint16: return narrowed { UInt16(truncatingIfNeeded: $0) }
    case .int32, .uint32, .date: return narrowed { UInt32(truncatingIfNeeded: $0) }
    case .uint64: return narrowed { UInt64(bitPattern: $0) ^ 1 << 63 }
    case .float32: return narrowed { Float(Double(bitPattern: UInt64(bitPattern: $0))) }
    default: return reinterpreted(as: type)
    }
  }
}
