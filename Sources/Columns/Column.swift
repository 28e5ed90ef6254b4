/// An immutable column in Arrow layout (see `DataType` for the memory of each type).
///
/// Values under a null are zero in every column that Almanac builds; readers must not rely on it.
package struct Column: Sendable {
  package let type: DataType
  package let count: Int
  /// Set bits are values, clear bits nulls; nil when no value is null.
  package let validity: Bitmap?
  package let nullCount: Int
  /// Fixed-width values, the bits of `bool` from the byte of the first one on, or the bytes of strings; empty for nested types.
  package let data: BufferSlice
  /// Only for `string`, `binary`, `list` and `map`: `count + 1` ascending `Int64`, not necessarily from 0.
  package let offsets: BufferSlice?
  /// The columns of `type.childFields`. A structure's children have its length; a null structure has nulls beneath it
  /// where the child's field is nullable, else zeros.
  package let children: [Column]
  /// Only for `bool`: where bit 0 lies in the first byte of `data`, 0...7.
  let bitOffset: Int

  /// - Parameter bitOffset: where the first bit of a `bool` column lies in `data`; whole bytes before it are dropped at once, so
  ///   that nobody can take the start of the bytes for that of a slice.
  /// - Precondition: the buffers are long enough for `count` values of `type`.
  package init(
    type: DataType, count: Int, validity: Bitmap? = nil, data: BufferSlice, offsets: BufferSlice? = nil,
    children: [Column] = [], bitOffset: Int = 0
  ) {
    precondition(validity.map { $0.count == count } ?? true, "Validity and values differ in length")
    precondition(type.hasOffsets == (offsets != nil), "Offsets belong to strings, binary, lists and maps, and only to them")
    if let width = type.byteWidth { precondition(data.byteCount >= width * count, "The bytes hold fewer values than claimed") }
    precondition(type == .bool || bitOffset == 0, "Only bool columns begin within a byte")
    precondition(type != .bool || data.byteCount * 8 >= bitOffset + count, "The bytes hold fewer bits than claimed")
    if type.isNested { Self.check(type, count, offsets, children) }
    let nulls = validity.map { count - $0.setCount } ?? 0
    self.type = type
    self.count = count
    self.validity = nulls == 0 ? nil : validity
    self.nullCount = nulls
    self.data = bitOffset < 8 ? data : data.dropFirst(byteCount: bitOffset / 8)
    self.offsets = offsets
    self.children = children
    self.bitOffset = bitOffset % 8
  }

  /// A column of a nested type.
  /// - Parameter offsets: for lists and maps `count + 1` ascending `Int64`, within the child.
  /// - Precondition: children match `type.childFields`; a structure's are `count` long.
  package init(nested type: DataType, count: Int, validity: Bitmap? = nil, offsets: BufferSlice? = nil, children: [Column]) {
    self.init(type: type, count: count, validity: validity, data: .empty, offsets: offsets, children: children)
  }

  private static func check(_ type: DataType, _ count: Int, _ offsets: BufferSlice?, _ children: [Column]) {
    let fields = type.childFields
    precondition(fields.count == children.count, "There are \(children.count) child columns for \(fields.count) fields")
    for (field, child) in zip(fields, children) {
      precondition(child.type == field.type, "The child column \(field.name) is \(child.type), its field \(field.type)")
      if offsets == nil { precondition(child.count == count, "The child column \(field.name) differs in length") }
    }
    guard let offsets else { return }
    let ends = Values<Int64>(offsets, count: count + 1)
    precondition(ends[0] >= 0 && ends[count] <= children[0].count, "The offsets lie outside the child column")
  }

  @inlinable package func isValid(_ index: Int) -> Bool { validity.map { $0[index] } ?? true }

  /// The values of a fixed-width column; `Element` must have the type's width (see `DataType.byteWidth`).
  @inlinable package func values<Element: BitwiseCopyable>(_: Element.Type) -> Values<Element> {
    precondition(type.byteWidth == MemoryLayout<Element>.stride, "The element's width differs from the column's")
    return Values(data, count: count)
  }

  /// The values of a `bool` column.
  package var bits: Bitmap {
    precondition(type == .bool, "Only bool columns hold bits")
    return Bitmap(data, bitOffset: bitOffset, count: count)
  }

  /// The offsets of a `list` or `map` column into its child.
  package var listOffsets: Values<Int64> {
    guard let offsets, !children.isEmpty else { preconditionFailure("Only lists and maps have offsets into a child") }
    return Values(offsets, count: count + 1)
  }

  /// The values of a `string` or `binary` column.
  package var bytes: BytesValues {
    guard let offsets, children.isEmpty else { preconditionFailure("Only string and binary columns hold bytes") }
    return BytesValues(offsets: Values(offsets, count: count + 1), data: data)
  }

  /// The same column under another type of the same physical layout, for example `int64` as `timestamp`.
  package func reinterpreted(as other: DataType) -> Column {
    precondition(other.byteWidth == type.byteWidth && other.isVariableLength == type.isVariableLength && !type.isNested && !other.isNested)
    return Column(type: other, count: count, validity: validity, data: data, offsets: offsets, bitOffset: bitOffset)
  }

  /// Rows `start..<start + length`, without copying. - Complexity: O(1), O(length / 64) with nulls, for each structure's child
  package func slice(from start: Int, count length: Int) -> Column {
    precondition(start >= 0 && length >= 0 && start + length <= count, "The rows lie outside the column")
    let valid = validity?.slice(from: start, count: length)
    if type.isNested {
      if let offsets {
        return Column(nested: type, count: length, validity: valid, offsets: offsets.dropFirst(byteCount: start * 8), children: children)
      }
      return Column(nested: type, count: length, validity: valid, children: children.map { $0.slice(from: start, count: length) })
    }
    if let offsets {
      return Column(type: type, count: length, validity: valid, data: data, offsets: offsets.dropFirst(byteCount: start * 8))
    }
    if let width = type.byteWidth {
      return Column(type: type, count: length, validity: valid, data: data.dropFirst(byteCount: start * width))
    }
    return Column(type: type, count: length, validity: valid, data: data, bitOffset: bitOffset + start)
  }
}

/// Read-only view of the values of a `string` or `binary` column.
package struct BytesValues: Sendable {
  @usableFromInline package let offsets: Values<Int64>
  @usableFromInline package let data: BufferSlice

  @inlinable package var count: Int { offsets.count - 1 }

  /// The bytes of a row; valid while the column lives.
  @inlinable package subscript(index: Int) -> UnsafeRawBufferPointer {
    let start = Int(offsets[index])
    return UnsafeRawBufferPointer(start: data.start + start, count: Int(offsets[index &+ 1]) &- start)
  }

  package func string(at index: Int) -> String {
    defer { _fixLifetime(data.owner) }
    return String(decoding: self[index], as: UTF8.self)
  }
}
