/// Appends values of one type and hands them over as a column.
///
/// The typed `append` of the matching width is the fast path; `append(_: Scalar)` serves tests and small inputs.
package struct ColumnBuilder {
  package let type: DataType
  package private(set) var count = 0
  private var data: GrowableBuffer
  private var offsets: GrowableBuffer?
  private var bits = BitmapBuilder()
  private var validity = BitmapBuilder()
  private var nullCount = 0

  package init(_ type: DataType, capacity: Int = 0) {
    self.type = type
    data = GrowableBuffer(byteCapacity: (type.byteWidth ?? 0) * capacity)
    if type.isVariableLength {
      var first = GrowableBuffer(byteCapacity: (capacity + 1) * 8)
      first.append(Int64(0))
      offsets = first
    }
  }

  @inline(__always) private mutating func noteValid() {
    // Validity is written only once the first null has come.
    if nullCount > 0 { validity.append(true) }
    count += 1
  }

  package mutating func appendNull() {
    if nullCount == 0 { validity.append(repeating: true, count: count) }
    validity.append(false)
    nullCount += 1
    count += 1
    switch type.byteWidth {
    case 1?: data.append(UInt8(0))
    case 2?: data.append(UInt16(0))
    case 4?: data.append(UInt32(0))
    case 8?: data.append(UInt64(0))
    case 16?: data.append(Int128(0))
    default:
      if type == .bool { bits.append(false) } else { offsets!.append(Int64(data.byteCount)) }
    }
  }

  /// - Precondition: the value has the width of the column's type.
  @inline(__always) package mutating func append<T: BitwiseCopyable>(_ value: T) {
    assert(type.byteWidth == MemoryLayout<T>.stride)
    data.append(value)
    noteValid()
  }

  package mutating func append(bool value: Bool) {
    assert(type == .bool)
    bits.append(value)
    noteValid()
  }

  package mutating func append(bytes: UnsafeRawBufferPointer) {
    data.append(bytes: bytes)
    offsets!.append(Int64(data.byteCount))
    noteValid()
  }

  package mutating func append(string: String) {
    var string = string
    string.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// - Precondition: the scalar is null or of the column's kind, and fits.
  package mutating func append(_ scalar: Scalar) {
    switch (scalar, type) {
    case (.null, _): appendNull()
    case (.bool(let value), .bool): append(bool: value)
    case (.int(let value), .int8): append(Int8(value))
    case (.int(let value), .int16): append(Int16(value))
    case (.int(let value), .int32): append(Int32(value))
    case (.int(let value), .int64), (.int(let value), .timestamp): append(value)
    case (.uint(let value), .uint8): append(UInt8(value))
    case (.uint(let value), .uint16): append(UInt16(value))
    case (.uint(let value), .uint32): append(UInt32(value))
    case (.uint(let value), .uint64): append(value)
    case (.float(let value), .float32): append(value)
    case (.double(let value), .float64): append(value)
    case (.decimal(let value, _), .decimal): append(value)
    case (.string(let value), .string): append(string: value)
    case (.binary(let value), .binary): value.withUnsafeBytes { append(bytes: $0) }
    case (.date(let value), .date): append(value)
    case (.timestamp(let value, _), .timestamp): append(value)
    default: preconditionFailure("A value \(scalar) cannot go into a column of \(type)")
    }
  }

  package mutating func finish() -> Column {
    let valid = nullCount > 0 ? validity.finish() : nil
    let total = count
    count = 0
    nullCount = 0
    if type == .bool {
      return Column(type: type, count: total, validity: valid, data: bits.finish().slice)
    }
    let bytes = data.finish()
    let ends = offsets?.finish()
    if ends != nil { offsets!.append(Int64(0)) }
    return Column(type: type, count: total, validity: valid, data: bytes, offsets: ends)
  }
}

extension Column {
  package init(_ type: DataType, _ scalars: [Scalar]) {
    var builder = ColumnBuilder(type, capacity: scalars.count)
    for scalar in scalars { builder.append(scalar) }
    self = builder.finish()
  }

  package init(_ type: DataType, repeating scalar: Scalar, count: Int) {
    var builder = ColumnBuilder(type, capacity: count)
    for _ in 0..<count { builder.append(scalar) }
    self = builder.finish()
  }

  package var scalars: [Scalar] { (0..<count).map { scalar(at: $0) } }
}
