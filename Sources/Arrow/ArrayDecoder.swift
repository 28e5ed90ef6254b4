import Columns

/// Checks Arrow arrays and makes columns of them, without copying where the layout is already that of `Column`.
///
/// One file of extensions for each family of layouts. All of them check before they read: lengths of buffers, order and
/// range of offsets, UTF-8, indices.
struct ArrayDecoder: Sendable {
  /// The most bytes a column may take that is larger in memory than in the file (dictionaries, runs, views).
  let expandedByteCountMax: Int
  /// The bytes that columns must not point into; nil when they may.
  var borrowed: BufferSlice?

  /// The array with copies of its buffers where they lie in bytes that columns must not point into. Only then are they checked:
  /// what is checked can change no more.
  func owned(_ array: ArrayData) -> ArrayData { borrowed.map { array.copied(from: $0) } ?? array }

  /// - Parameter mask: clear where a structure above is null; such rows become null, or anything where the field has no nulls.
  func column(_ field: ArrowField, _ array: ArrayData, mask: Bitmap? = nil) throws(ArrowError) -> Column {
    do throws(ArrowError) {
      if field.dictionary != nil { return try settle(field, try dictionary(field, array, mask), mask) }
      if field.layout == .runEndEncoded { return try settle(field, try runs(field, array, mask), mask) }
      return try plain(field, array, mask)
    } catch {
      throw error.within("column \(field.name)")
    }
  }

  private func plain(_ field: ArrowField, _ array: ArrayData, _ mask: Bitmap?) throws(ArrowError) -> Column {
    if case .null = field.layout {
      return Column(
        type: field.type, count: array.count,
        validity: Bitmap(try ZeroMemory.slice(byteCount: (array.count + 7) / 8), count: array.count),
        data: try ZeroMemory.slice(byteCount: array.count * 4))
    }
    let validity = try settle(field, own: try validity(array), mask: mask)
    switch field.layout {
    case .null, .runEndEncoded: preconditionFailure("Handled before")
    case .bool:
      let data = array.buffers[1]
      guard data.byteCount >= (array.offset + array.count + 7) / 8 else {
        throw .malformed("\(array.offset + array.count) bits need more than the \(data.byteCount) bytes found")
      }
      return Column(type: .bool, count: array.count, validity: validity, data: data, bitOffset: array.offset)
    case .fixed(let width):
      return Column(type: field.type, count: array.count, validity: validity, data: try fixed(array, byteWidth: width))
    case .dateMillis:
      return Column(type: field.type, count: array.count, validity: validity, data: try days(array, validity))
    case .decimal(let bitWidth, let shift):
      return Column(
        type: field.type, count: array.count, validity: validity,
        data: try decimals(array, validity, bitWidth: bitWidth, shift: shift))
    case .bytes(let isText, let isLarge):
      return try bytes(field, array, validity, isText: isText, isLarge: isLarge)
    case .view(let isText): return try views(field, array, validity, isText: isText)
    case .list(let isLarge): return try list(field, array, validity, isLarge: isLarge)
    case .listView(let isLarge): return try listView(field, array, validity, isLarge: isLarge)
    case .fixedList(let elementCount):
      if elementCount == 0 { try checkExpanded(byteCount: array.count * 8) }
      return try fixedList(field, array, validity, elementCount: elementCount)
    case .map: return try map(field, array, validity)
    case .structure:
      // Without fields no buffer bounds the number of values.
      if field.children.isEmpty { try checkExpanded(byteCount: array.count * 4) }
      return try structure(field, array, validity, mask: field.isNullable ? validity : mask)
    }
  }

  /// The array's own validity; nil where it has none.
  func validity(_ array: ArrayData) throws(ArrowError) -> Bitmap? {
    let slice = array.buffers[0]
    guard slice.byteCount > 0 else { return nil }
    guard slice.byteCount >= (array.offset + array.count + 7) / 8 else {
      throw .malformed("the validity of \(array.offset + array.count) values needs more than the \(slice.byteCount) bytes found")
    }
    return Bitmap(slice, bitOffset: array.offset, count: array.count)
  }

  /// The validity of the column: nil for fields without nulls, which must have none but under null structures.
  private func settle(_ field: ArrowField, own: Bitmap?, mask: Bitmap?) throws(ArrowError) -> Bitmap? {
    guard !field.isNullable else { return own.map { $0.intersection(mask) } ?? mask }
    guard let own, own.setCount < own.count else { return nil }
    guard let mask, mask.isSubset(of: own) else {
      throw .malformed("the schema says that no value is null, but \(own.count - own.setCount) of \(own.count) are")
    }
    return nil
  }

  /// The same for a column that is already decoded with its nulls.
  private func settle(_ field: ArrowField, _ column: Column, _ mask: Bitmap?) throws(ArrowError) -> Column {
    guard !field.isNullable, column.nullCount > 0 else { return column }
    _ = try settle(field, own: column.validity, mask: mask)
    return column.withoutValidity()
  }

  /// Refuses what would grow beyond the bytes it came from without bound.
  func checkExpanded(byteCount: Int) throws(ArrowError) {
    guard byteCount <= expandedByteCountMax else {
      throw .unsupported("the decoded values take \(byteCount) bytes, more than the allowed \(expandedByteCountMax)")
    }
  }
}

extension Bitmap {
  /// The bits set in both, which have one length. - Complexity: O(count / 64)
  func intersection(_ other: Bitmap?) -> Bitmap {
    guard let other else { return self }
    let buffer = Buffer(byteCapacity: (count + 63) / 64 * 8)
    for index in stride(from: 0, to: count, by: 64) {
      buffer.pointer.storeBytes(of: word(at: index) & other.word(at: index), toByteOffset: index / 8, as: UInt64.self)
    }
    return Bitmap(BufferSlice(buffer, byteCount: (count + 7) / 8), count: count)
  }

  /// Whether each bit set here is set in the other, which has the same length. - Complexity: O(count / 64)
  func isSubset(of other: Bitmap) -> Bool {
    stride(from: 0, to: count, by: 64).allSatisfy { word(at: $0) & ~other.word(at: $0) == 0 }
  }
}
