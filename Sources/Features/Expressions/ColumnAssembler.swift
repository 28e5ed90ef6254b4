import Columns

/// Collects the vectors of all chunks into one column of the result's width.
struct ColumnAssembler {
  private let type: DataType
  private let rowCount: Int
  private let data: Buffer
  private var strings: (bytes: GrowableBuffer, offsets: GrowableBuffer)?
  /// Allocated for the first null: until then every row is valid.
  private var validity: Buffer?

  init(_ type: DataType, rowCount: Int) {
    self.type = type
    self.rowCount = rowCount
    let byteCount = type == .bool ? (rowCount + 7) / 8 : (type.byteWidth ?? 0) * rowCount
    data = Buffer(byteCapacity: byteCount, zeroed: type == .bool)
    if type == .string {
      strings = (GrowableBuffer(byteCapacity: rowCount * 8), GrowableBuffer(byteCapacity: (rowCount + 1) * 8))
      strings!.offsets.append(Int64(0))
    }
  }

  /// - Precondition: chunks come in order, and all but the last start and end at multiples of 8 rows.
  mutating func append(_ vector: Vector, from start: Int, count: Int) {
    note(vector, from: start, count: count)
    switch type {
    case .bool:
      let target = data.pointer.assumingMemoryBound(to: UInt8.self)
      let values = vector.bools
      for row in 0..<count where values[values.count == 1 ? 0 : row] != 0 && vector.isValid(row) {
        target[(start + row) >> 3] |= 1 << UInt8((start + row) & 7)
      }
    case .int8: write(vector.ints, vector, start, count) { Int8(truncatingIfNeeded: $0) }
    case .int16: write(vector.ints, vector, start, count) { Int16(truncatingIfNeeded: $0) }
    case .int32, .date: write(vector.ints, vector, start, count) { Int32(truncatingIfNeeded: $0) }
    case .float32: write(vector.doubles, vector, start, count) { Float($0) }
    case .float64: write(vector.doubles, vector, start, count) { $0 }
    case .decimal: write(vector.decimals.values, vector, start, count) { $0 }
    case .string:
      let values = vector.strings
      for row in 0..<count {
        if vector.isValid(row) { strings!.bytes.append(bytes: values[values.count == 1 ? 0 : row]) }
        strings!.offsets.append(Int64(strings!.bytes.byteCount))
      }
    default: write(vector.ints, vector, start, count) { $0 }
    }
  }

  @inline(__always) private func write<T: BitwiseCopyable, R: BitwiseCopyable & Numeric>(
    _ values: Values<T>, _ vector: Vector, _ start: Int, _ count: Int, _ narrow: (T) -> R
  ) {
    // SAFETY: the buffer holds `rowCount` values of this width, and start + count is at most that.
    let target = data.pointer.assumingMemoryBound(to: R.self) + start
    let step = values.count == 1 ? 0 : 1
    values.withPointer { source in
      if let valid = vector.valid {
        // Values under a null are zero in every column that leaves a room.
        valid.withPointer { valid in
          let validStep = vector.isConstant ? 0 : 1
          for row in 0..<count { target[row] = valid[row &* validStep] != 0 ? narrow(source[row &* step]) : 0 }
        }
      } else {
        for row in 0..<count { target[row] = narrow(source[row &* step]) }
      }
    }
  }

  private mutating func note(_ vector: Vector, from start: Int, count: Int) {
    guard vector.valid != nil else { return }
    if validity == nil {
      let bits = Buffer(byteCapacity: (rowCount + 7) / 8)
      bits.pointer.initializeMemory(as: UInt8.self, repeating: 0xFF, count: (rowCount + 7) / 8)
      validity = bits
    }
    guard let bits = validity?.pointer.assumingMemoryBound(to: UInt8.self) else { return }
    for row in 0..<count where !vector.isValid(row) { bits[(start + row) >> 3] &= ~(1 << UInt8((start + row) & 7)) }
  }

  mutating func finish() -> Column {
    let bits = validity.map { Bitmap(BufferSlice($0, byteCount: (rowCount + 7) / 8), count: rowCount) }
    if var strings {
      return Column(type: type, count: rowCount, validity: bits, data: strings.bytes.finish(), offsets: strings.offsets.finish())
    }
    let byteCount = type == .bool ? (rowCount + 7) / 8 : (type.byteWidth ?? 0) * rowCount
    return Column(type: type, count: rowCount, validity: bits, data: BufferSlice(data, byteCount: byteCount))
  }
}
