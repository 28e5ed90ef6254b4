import Columns

extension ArrayDecoder {
  func structure(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, mask: Bitmap?) throws(ArrowError) -> Column {
    var columns: [Column] = []
    columns.reserveCapacity(array.children.count)
    for (child, data) in zip(field.children, array.children) {
      guard data.count >= array.offset + array.count else {
        throw .malformed("field \(child.name) has \(data.count) values, its structure \(array.offset + array.count)")
      }
      columns.append(try column(child, data.sliced(from: array.offset, count: array.count), mask: mask))
    }
    return Column(nested: field.type, count: array.count, validity: validity, children: columns)
  }

  func list(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, isLarge: Bool) throws(ArrowError) -> Column {
    let ends = try offsets(array, isLarge: isLarge, within: array.children[0].count)
    let elements = try column(field.children[0], array.children[0])
    return lists(field.type, count: array.count, validity, ends, elements)
  }

  func map(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?) throws(ArrowError) -> Column {
    let ends = try offsets(array, isLarge: false, within: array.children[0].count)
    // The type gives entries and keys without nulls, whatever the field on the wire says.
    let entries = field.children[0]
    var key = entries.children[0]
    key = ArrowField(
      name: key.name, isNullable: false, layout: key.layout, type: key.type, children: key.children, dictionary: key.dictionary)
    let expected = ArrowField(
      name: entries.name, isNullable: false, layout: .structure, type: field.type.childFields[0].type,
      children: [key, entries.children[1]], dictionary: nil)
    let elements = try column(expected, array.children[0])
    return lists(field.type, count: array.count, validity, ends, elements)
  }

  func fixedList(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, elementCount: Int) throws(ArrowError) -> Column {
    let (total, isOverflow) = (array.offset + array.count).multipliedReportingOverflow(by: elementCount)
    guard !isOverflow, total <= array.children[0].count else {
      throw .malformed(
        "\(array.offset + array.count) lists of \(elementCount) elements, but \(array.children[0].count) elements in the child")
    }
    // Lists of no elements have no bytes that bound their number.
    try checkExpanded(byteCount: (array.count + 1) * 8)
    let elements = try column(field.children[0], array.children[0])
    let ends = Buffer(byteCapacity: (array.count + 1) * 8)
    let target = ends.pointer.assumingMemoryBound(to: Int64.self)
    for index in 0...array.count { target[index] = Int64((array.offset + index) * elementCount) }
    return lists(field.type, count: array.count, validity, BufferSlice(ends, byteCount: (array.count + 1) * 8), elements)
  }

  /// Lists whose elements lie anywhere in the child, perhaps shared.
  func listView(_ field: ArrowField, _ array: ArrayData, _ validity: Bitmap?, isLarge: Bool) throws(ArrowError) -> Column {
    let byteWidth = isLarge ? 8 : 4
    let wanted = (array.offset + array.count) * byteWidth
    let (starts, lengths) = (array.buffers[1], array.buffers[2])
    guard starts.byteCount >= wanted, lengths.byteCount >= wanted else {
      throw .malformed(
        "the places of \(array.offset + array.count) lists need \(wanted) bytes, found \(starts.byteCount) and \(lengths.byteCount)")
    }
    let elements = try column(field.children[0], array.children[0])
    func load(_ slice: BufferSlice, _ row: Int) -> Int64 {
      let place = (array.offset + row) * byteWidth
      return isLarge
        ? slice.start.loadUnaligned(fromByteOffset: place, as: Int64.self)
        : Int64(slice.start.loadUnaligned(fromByteOffset: place, as: Int32.self))
    }
    defer { withExtendedLifetime((starts.owner, lengths.owner)) {} }
    let ends = Buffer(byteCapacity: (array.count + 1) * 8)
    // SAFETY: there is room for each offset; the places were counted above.
    let target = ends.pointer.assumingMemoryBound(to: Int64.self)
    let limit = Int64(elements.count)
    let weights = rowWeights(elements)
    var (total, weight) = (0, 0)
    target[0] = 0
    for row in 0..<array.count {
      if validity.map({ $0[row] }) ?? true {
        let (start, length) = (load(starts, row), load(lengths, row))
        guard start >= 0, length >= 0, start <= limit, length <= limit - start else {
          throw .malformed("the list in row \(row), \(length) elements from \(start) on, lies outside the \(limit) elements")
        }
        total += Int(length)
        weight += weights.prefix(Int(start + length)) - weights.prefix(Int(start))
        try checkExpanded(byteCount: max(weight, total * 4))
      }
      target[row + 1] = Int64(total)
    }
    var rows: [Int32] = []
    rows.reserveCapacity(total)
    for row in 0..<array.count where target[row + 1] > target[row] {
      let start = Int32(truncatingIfNeeded: load(starts, row))
      rows.append(contentsOf: start..<(start + Int32(target[row + 1] - target[row])))
    }
    return Column(
      nested: field.type, count: array.count, validity: validity, offsets: BufferSlice(ends, byteCount: (array.count + 1) * 8),
      children: [elements.take(rows)])
  }

  /// A list column in which null rows have no elements: those that lie under them are left out.
  private func lists(_ type: DataType, count: Int, _ validity: Bitmap?, _ ends: BufferSlice, _ elements: Column) -> Column {
    let column = Column(nested: type, count: count, validity: validity, offsets: ends, children: [elements])
    guard let validity = column.validity else { return column }
    let source = column.listOffsets
    guard (0..<count).contains(where: { !validity[$0] && source[$0 + 1] > source[$0] }) else { return column }
    return column.take(Array(0..<Int32(count)))
  }
}

extension ArrayData {
  /// Values `start..<start + count` of this array, which has that many.
  func sliced(from start: Int, count: Int) -> ArrayData {
    ArrayData(count: count, offset: offset + start, buffers: buffers, children: children, dictionary: dictionary)
  }
}
