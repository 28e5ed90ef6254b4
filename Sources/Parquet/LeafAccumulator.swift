import Columns

/// Collects the rows of a leaf column step by step: validity, and values spread over the rows that have one.
struct LeafAccumulator {
  private let shape: ColumnShape
  private(set) var count = 0
  private var validity: ValidityAppender
  /// Fixed-width values, or bools as one byte each.
  private var fixed: Buffer
  private let byteWidth: Int
  private var capacity: Int
  private var bytes: BytesAppender?

  /// - Parameters:
  ///   - capacity: the rows that will come; more may follow after `reserve`.
  ///   - byteCapacity: a first guess for strings, which grow.
  ///   - byteCountMax: what strings may grow to.
  init(_ shape: ColumnShape, capacity: Int, byteCapacity: Int, byteCountMax: Int) {
    self.shape = shape
    self.capacity = capacity
    validity = ValidityAppender(capacity: capacity)
    byteWidth = PlainConversion.byteWidth(shape.conversion) ?? 1
    if shape.field.type.isVariableLength {
      bytes = BytesAppender(valueCapacity: capacity, byteCapacity: byteCapacity, byteCountMax: byteCountMax)
      fixed = Buffer(byteCapacity: 0)
    } else {
      fixed = Buffer(byteCapacity: capacity * byteWidth)
    }
  }

  /// The bytes that variable-length values take so far.
  var byteCount: Int { bytes?.byteCount ?? 0 }

  /// Makes room for more rows; grows by doubling.
  mutating func reserve(_ added: Int) {
    validity.reserve(added)
    bytes?.reserve(valueCount: added)
    guard bytes == nil, added > capacity - count else { return }
    capacity = max(count + added, capacity * 2)
    let larger = Buffer(byteCapacity: capacity * byteWidth)
    larger.pointer.copyMemory(from: fixed.pointer, byteCount: count * byteWidth)
    fixed = larger
  }

  /// Notes which of the next rows have a value; returns how many.
  mutating func append(validity page: ValidityAppender, from first: Int, count added: Int) -> Int {
    validity.append(page, from: first, count: added)
  }

  mutating func append(valid: Bool, count added: Int = 1) { validity.append(repeating: valid, count: added) }

  /// - Precondition: the bytes of so many bits and 8 more are readable.
  mutating func append(packed bits: UnsafeRawPointer, count added: Int) { validity.append(packed: bits, count: added) }

  /// Takes the values of the rows whose validity has been appended.
  mutating func append(
    _ values: inout PageValues, valueCount: Int, rowCount: Int, _ dictionary: ChunkDictionary?, scratch: inout Buffer
  ) throws(ParquetError) {
    precondition(count + rowCount == validity.count && valueCount <= rowCount)
    let nullBits = valueCount < rowCount ? validity.bits : nil
    defer { count += rowCount }
    if var appender = bytes.take() {
      defer { bytes = appender }
      try values.read(valueCount, into: &appender, dictionary)
      if let nullBits { appender.spread(valueCount: valueCount, rowCount: rowCount, valid: nullBits, bitOffset: count) }
      return
    }
    precondition(rowCount <= capacity - count)
    let target = fixed.pointer + count * byteWidth
    try values.read(valueCount, into: target, dictionary, scratch: &scratch)
    if let nullBits {
      NullSpreading.spread(target, byteWidth: byteWidth, valueCount: valueCount, rowCount: rowCount, valid: nullBits, bitOffset: count)
    }
  }

  /// The rows collected. Rows without a value of a column that has no nulls lie under a null structure: they are zero.
  consuming func finish() -> Column {
    let type = shape.field.type
    let valid = shape.field.isNullable ? validity.finish() : nil
    if let bytes {
      let (data, offsets) = bytes.finish()
      return Column(type: type, count: count, validity: valid, data: data, offsets: offsets)
    }
    guard type == .bool else {
      return Column(type: type, count: count, validity: valid, data: BufferSlice(fixed, byteCount: count * byteWidth))
    }
    let packed = Buffer(byteCapacity: (count + 7) / 8 + 8)
    BoolPacking.pack(fixed.pointer.assumingMemoryBound(to: UInt8.self), count: count, into: packed.pointer)
    return Column(type: type, count: count, validity: valid, data: BufferSlice(packed, byteCount: (count + 7) / 8))
  }
}
