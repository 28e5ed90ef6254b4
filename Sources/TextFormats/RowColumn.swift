import Columns

/// Collects up to `capacity` values of one column, row after row, in the memory that the column will keep.
struct RowColumn {
  let type: DataType
  let capacity: Int
  private(set) var count = 0
  private(set) var nullCount = 0
  /// Values or, for `bool`, bits: zeroed, so that what lies under nulls is zero.
  private var data: Buffer
  private var byteCount = 0
  private let offsets: Buffer?
  private var validity: Buffer?

  init(_ type: DataType, capacity: Int) {
    self.type = type
    self.capacity = capacity
    if type.isVariableLength {
      let offsets = Buffer(byteCapacity: (capacity + 1) * 8)
      offsets.pointer.storeBytes(of: 0, as: Int64.self)
      self.offsets = offsets
      data = Buffer(byteCapacity: capacity * 16)
    } else {
      offsets = nil
      data = Buffer(byteCapacity: type.byteWidth.map { $0 * capacity } ?? (capacity + 7) / 8, zeroed: true)
    }
  }

  mutating func appendNull() {
    assert(count < capacity)
    if validity == nil {
      let bits = Buffer(byteCapacity: (capacity + 7) / 8)
      bits.pointer.initializeMemory(as: UInt8.self, repeating: 0xFF, count: (capacity + 7) / 8)
      validity = bits
    }
    // SAFETY: count < capacity, and only this collector has the buffer.
    validity!.pointer.assumingMemoryBound(to: UInt8.self)[count >> 3] &= ~(1 << UInt8(count & 7))
    nullCount += 1
    offsets?.pointer.storeBytes(of: Int64(byteCount), toByteOffset: (count + 1) * 8, as: Int64.self)
    count += 1
  }

  /// - Precondition: the value has the width of the type.
  @inline(__always) mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    assert(count < capacity && type.byteWidth == MemoryLayout<Value>.stride)
    data.pointer.storeBytes(of: value, toByteOffset: count &* MemoryLayout<Value>.stride, as: Value.self)
    count &+= 1
  }

  mutating func append(bool value: Bool) {
    assert(count < capacity && type == .bool)
    if value { data.pointer.assumingMemoryBound(to: UInt8.self)[count >> 3] |= 1 << UInt8(count & 7) }
    count += 1
  }

  @inline(__always) mutating func append(bytes: UnsafeRawBufferPointer) {
    assert(count < capacity && type.isVariableLength)
    if byteCount &+ bytes.count > data.byteCapacity { grow(additionalByteCount: bytes.count) }
    if let start = bytes.baseAddress { data.pointer.advanced(by: byteCount).copyMemory(from: start, byteCount: bytes.count) }
    byteCount &+= bytes.count
    offsets.unsafelyUnwrapped.pointer.storeBytes(of: Int64(byteCount), toByteOffset: (count &+ 1) &* 8, as: Int64.self)
    count &+= 1
  }

  private mutating func grow(additionalByteCount: Int) {
    let larger = Buffer(byteCapacity: max(byteCount + additionalByteCount, data.byteCapacity * 2))
    larger.pointer.copyMemory(from: data.pointer, byteCount: byteCount)
    data = larger
  }

  /// The column; the collector must not be used any more.
  consuming func finish() -> Column {
    let used = type.isVariableLength ? byteCount : type.byteWidth.map { $0 * count } ?? (count + 7) / 8
    let valid = validity.map { Bitmap(BufferSlice($0, byteCount: (count + 7) / 8), count: count) }
    return Column(
      type: type, count: count, validity: valid, data: BufferSlice(data, byteCount: used),
      offsets: offsets.map { BufferSlice($0, byteCount: (count + 1) * 8) })
  }
}
