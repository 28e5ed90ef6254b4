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
  /// The builders of `type.childFields`. A value of a nested type is appended by appending its parts here (a list's elements,
  /// one value to each child of a structure) and then calling `appendNested`.
  package var children: [ColumnBuilder] = []
  private let isChildNullable: [Bool]

  package init(_ type: DataType, capacity: Int = 0) {
    self.type = type
    data = GrowableBuffer(byteCapacity: (type.byteWidth ?? 0) * capacity)
    let fields = type.childFields
    isChildNullable = fields.map(\.isNullable)
    children = fields.map { ColumnBuilder($0.type) }
    if type.hasOffsets {
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
    appendPlaceholder()
  }

  /// What lies under a null: zero, or nothing.
  private mutating func appendPlaceholder() {
    switch type {
    case .bool: bits.append(false)
    case .string, .binary: offsets!.append(Int64(data.byteCount))
    case .list, .map: offsets!.append(Int64(children[0].count))
    case .structure:
      for index in children.indices {
        if isChildNullable[index] { children[index].appendNull() } else { children[index].appendDefault() }
      }
    default:
      switch type.byteWidth {
      case 1?: data.append(UInt8(0))
      case 2?: data.append(UInt16(0))
      case 4?: data.append(UInt32(0))
      case 8?: data.append(UInt64(0))
      case 16?: data.append(Int128(0))
      case let width?: for _ in 0..<width { data.append(UInt8(0)) }
      case nil: preconditionFailure("\(type) has no width")
      }
    }
  }

  /// Zero, the empty string or list, a structure of such: what stands for a value that nobody sees.
  package mutating func appendDefault() {
    appendPlaceholder()
    noteValid()
  }

  /// Ends a value of a nested type whose parts have been appended to `children`.
  /// - Precondition: a structure's children are one value longer than before.
  package mutating func appendNested() {
    if offsets != nil {
      offsets!.append(Int64(children[0].count))
    } else {
      assert(children.allSatisfy { $0.count == count + 1 }, "Each child of a structure needs one more value")
    }
    noteValid()
  }

  /// Appends a value of a `fixedBinary` column. - Precondition: it has the type's width.
  package mutating func append(fixed bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == type.byteWidth, "A value of \(bytes.count) bytes cannot go into a column of \(type)")
    data.append(bytes: bytes)
    noteValid()
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
    case (.float(let value), .float16): append(Float16(value))
    case (.binary(let value), .fixedBinary): value.withUnsafeBytes { append(fixed: $0) }
    case (.time(let value, _), .time):
      if type.byteWidth == 4 { append(Int32(value)) } else { append(value) }
    case (.duration(let value, _), .duration): append(value)
    case (.list(let values), .list), (.list(let values), .map):
      for value in values { children[0].append(value) }
      appendNested()
    case (.structure(let values), .structure):
      precondition(values.count == children.count, "A structure of \(values.count) values cannot go into a column of \(type)")
      for (index, value) in values.enumerated() { children[index].append(value) }
      appendNested()
    case (.timestamp(let value, _), .timestamp): append(value)
    default: preconditionFailure("A value \(scalar) cannot go into a column of \(type)")
    }
  }

  package mutating func finish() -> Column {
    let valid = nullCount > 0 ? validity.finish() : nil
    let total = count
    count = 0
    nullCount = 0
    if type.isNested {
      let ends = offsets?.finish()
      if ends != nil { offsets!.append(Int64(0)) }
      let columns = children.indices.map { children[$0].finish() }
      return Column(nested: type, count: total, validity: valid, offsets: ends, children: columns)
    }
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
    if case .null = scalar, !type.isNested, count > 0 {
      let byteCount = type == .bool ? (count + 7) / 8 : (type.byteWidth ?? 0) * count
      self.init(
        type: type, count: count, validity: Bitmap(repeating: false, count: count), data: .zeros(byteCount: byteCount),
        offsets: type.hasOffsets ? .zeros(byteCount: (count + 1) * 8) : nil)
      return
    }
    var builder = ColumnBuilder(type, capacity: count)
    for _ in 0..<count { builder.append(scalar) }
    self = builder.finish()
  }

  package var scalars: [Scalar] { (0..<count).map { scalar(at: $0) } }
}

extension BufferSlice {
  fileprivate static func zeros(byteCount: Int) -> BufferSlice {
    BufferSlice(Buffer(byteCapacity: byteCount, zeroed: true), byteCount: byteCount)
  }
}
