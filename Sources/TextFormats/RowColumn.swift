import Columns

/// Collects up to `capacity` values of one column, row after row, in the memory that the column will keep.
struct RowColumn {
  let type: DataType
  let capacity: Int
  private(set) var count = 0
  private(set) var nullCount = 0
  /// Bytes of a value; 0 for bits, strings and nested types.
  private let width: Int
  private var data: Buffer
  // SAFETY: the start of `data`; stores stay below capacity * width, for strings below its byte capacity.
  private var base: UnsafeMutableRawPointer
  private var byteCount = 0
  private let offsets: Buffer?
  private var validity: Buffer?
  /// The parts of nested values, which bring their own memory.
  var nested: ColumnBuilder?

  init(_ type: DataType, capacity: Int) {
    self.type = type
    self.capacity = capacity
    width = type.byteWidth ?? 0
    if type.isVariableLength {
      let offsets = Buffer(byteCapacity: (capacity + 1) * 8)
      offsets.pointer.storeBytes(of: 0, as: Int64.self)
      self.offsets = offsets
      data = Buffer(byteCapacity: capacity * 16)
    } else {
      offsets = nil
      if type.isNested { nested = ColumnBuilder(type) }
      let isBits = type == .bool
      data = Buffer(byteCapacity: isBits ? (capacity + 7) / 8 : width * capacity, zeroed: isBits)
    }
    base = data.pointer
  }

  mutating func appendNull() {
    assert(count < capacity)
    if nested != nil {
      nested!.appendNull()
      count &+= 1
      return
    }
    var nulls = NullRows(validity: validity, capacity: capacity)
    nulls.clear(count)
    validity = nulls.validity
    nullCount &+= 1
    if let offsets {
      offsets.pointer.storeBytes(of: Int64(byteCount), toByteOffset: (count &+ 1) &* 8, as: Int64.self)
    } else {
      // What lies under a null is zero.
      switch width {
      case 8: base.storeBytes(of: 0, toByteOffset: count &* 8, as: UInt64.self)
      case 4: base.storeBytes(of: 0, toByteOffset: count &* 4, as: UInt32.self)
      default: (base + count &* width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
      }
    }
    count &+= 1
  }

  /// - Precondition: the value has the width of the type.
  @inline(__always) mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    assert(count < capacity && width == MemoryLayout<Value>.stride)
    base.storeBytes(of: value, toByteOffset: count &* MemoryLayout<Value>.stride, as: Value.self)
    count &+= 1
  }

  @inline(__always) mutating func append(bool value: Bool) {
    assert(count < capacity && type == .bool)
    if value { base.assumingMemoryBound(to: UInt8.self)[count >> 3] |= 1 << UInt8(truncatingIfNeeded: count & 7) }
    count &+= 1
  }

  /// - Precondition: the bytes have the width of the type.
  mutating func append(fixed bytes: UnsafeRawBufferPointer) {
    precondition(count < capacity && bytes.count == width, "A value of \(bytes.count) bytes cannot go into a column of \(type)")
    if let start = bytes.baseAddress { (base + count * width).copyMemory(from: start, byteCount: width) }
    count += 1
  }

  @inline(__always) mutating func append(bytes: UnsafeRawBufferPointer) {
    assert(count < capacity && type.isVariableLength)
    if byteCount &+ bytes.count > data.byteCapacity { grow(additionalByteCount: bytes.count) }
    if let start = bytes.baseAddress { (base + byteCount).copyMemory(from: start, byteCount: bytes.count) }
    endBytes(bytes.count)
  }

  /// As `append(bytes:)`, for bytes with at least 16 readable ones behind their end.
  @inline(__always) mutating func append(slackBytes start: UnsafeRawPointer, byteCount length: Int) {
    assert(count < capacity && type.isVariableLength)
    if byteCount &+ length > data.byteCapacity { grow(additionalByteCount: length) }
    let target = base + byteCount
    if length <= 16 {
      // SAFETY: the buffer has 64 bytes of slack; what is written behind the end is overwritten by the next value.
      target.storeBytes(of: start.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
    } else {
      target.copyMemory(from: start, byteCount: length)
    }
    endBytes(length)
  }

  @inline(__always) private mutating func endBytes(_ length: Int) {
    byteCount &+= length
    offsets.unsafelyUnwrapped.pointer.storeBytes(of: Int64(byteCount), toByteOffset: (count &+ 1) &* 8, as: Int64.self)
    count &+= 1
  }

  private mutating func grow(additionalByteCount: Int) {
    let larger = Buffer(byteCapacity: max(byteCount + additionalByteCount, data.byteCapacity * 2))
    larger.pointer.copyMemory(from: base, byteCount: byteCount)
    data = larger
    base = larger.pointer
  }

  /// Appends values and nulls that `body` stores itself, in a loop without a call for each.
  /// - Parameter body: gets the place of the first value; says which row did not fit, nil for none, and calls its second
  ///   argument with each row that is null, in order.
  /// - Returns: what `body` returned; the column must not be used any more where that is a row.
  @inline(__always) mutating func appendRows<Value: BitwiseCopyable>(
    _ rowCount: Int, _: Value.Type, _ body: (UnsafeMutablePointer<Value>, (Int) -> Void) -> Int?
  ) -> Int? {
    assert(count + rowCount <= capacity && width == MemoryLayout<Value>.stride)
    let target = base.assumingMemoryBound(to: Value.self) + count
    let first = count
    var nulls = NullRows(validity: validity, capacity: capacity)
    let failed = body(target) { row in
      nulls.clear(first &+ row)
      // What lies under a null is zero.
      UnsafeMutableRawPointer(target + row).initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Value>.stride)
    }
    validity = nulls.validity
    nullCount &+= nulls.count
    count &+= rowCount
    return failed
  }

  /// Counts a value that was appended to `nested`.
  mutating func noteNested() { count += 1 }

  /// The column; the collector must not be used any more.
  consuming func finish() -> Column {
    if nested != nil { return nested!.finish() }
    let used = type.isVariableLength ? byteCount : type == .bool ? (count + 7) / 8 : width * count
    let valid = validity.map { Bitmap(BufferSlice($0, byteCount: (count + 7) / 8), count: count) }
    return Column(
      type: type, count: count, validity: valid, data: BufferSlice(data, byteCount: used),
      offsets: offsets.map { BufferSlice($0, byteCount: (count + 1) * 8) })
  }
}

/// The validity bits of a column that is being collected; there are none before the first null.
struct NullRows {
  private(set) var validity: Buffer?
  let capacity: Int
  private(set) var count = 0

  init(validity: Buffer?, capacity: Int) {
    self.validity = validity
    self.capacity = capacity
  }

  /// - Precondition: row < capacity; only this collector has the buffer.
  @inline(__always) mutating func clear(_ row: Int) {
    if validity == nil {
      let bits = Buffer(byteCapacity: (capacity + 7) / 8)
      bits.pointer.initializeMemory(as: UInt8.self, repeating: 0xFF, count: (capacity + 7) / 8)
      validity = bits
    }
    // SAFETY: the row is below the capacity.
    validity.unsafelyUnwrapped.pointer.assumingMemoryBound(to: UInt8.self)[row >> 3] &= ~(1 << UInt8(truncatingIfNeeded: row & 7))
    count &+= 1
  }
}
