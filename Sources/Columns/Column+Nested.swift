extension Column {
  /// A column of a nested or other type with this many nulls, or zeros where `isNullable` is false.
  package init(_ type: DataType, placeholders count: Int, isNullable: Bool) {
    var builder = ColumnBuilder(type, capacity: count)
    for _ in 0..<count {
      if isNullable { builder.appendNull() } else { builder.appendDefault() }
    }
    self = builder.finish()
  }

  /// The bytes of the values, without what lies around a slice. - Complexity: O(columns beneath)
  package var byteCount: Int {
    let validityByteCount = validity == nil ? 0 : (count + 7) / 8
    switch type {
    case .bool: return validityByteCount + (count + 7) / 8
    case .string, .binary: return validityByteCount + count * 8 + Int(bytes.offsets[count] - bytes.offsets[0])
    case .list, .map:
      let (start, end) = (Int(listOffsets[0]), Int(listOffsets[count]))
      return validityByteCount + count * 8 + children[0].slice(from: start, count: end - start).byteCount
    case .structure: return validityByteCount + children.reduce(0) { $0 + $1.byteCount }
    default: return validityByteCount + count * (type.byteWidth ?? 0)
    }
  }

  /// The same memory without nulls: what lies under them becomes a value.
  package func withoutValidity() -> Column {
    guard validity != nil else { return self }
    return Column(type: type, count: count, data: data, offsets: offsets, children: children, bitOffset: bitOffset)
  }

  /// - Precondition: this is a list or a map, and its taken elements number below 2^31.
  func takeLists(_ indices: CheckedIndices, validity valid: Bitmap?) -> Column {
    let source = listOffsets
    let ends = Buffer(byteCapacity: (indices.count + 1) * 8)
    // SAFETY: the buffer is ours alone and has a place for each offset; row numbers were checked.
    let target = ends.pointer.assumingMemoryBound(to: Int64.self)
    target[0] = 0
    for index in 0..<indices.count {
      let row = Int(indices.base[index])
      let isValue = row >= 0 && (valid.map { $0[index] } ?? true)
      target[index + 1] = target[index] + (isValue ? source[row + 1] - source[row] : 0)
    }
    var elements: [Int32] = []
    elements.reserveCapacity(Int(target[indices.count]))
    for index in 0..<indices.count where target[index + 1] > target[index] {
      let row = Int(indices.base[index])
      elements.append(contentsOf: Int32(source[row])..<Int32(source[row + 1]))
    }
    return Column(
      nested: type, count: indices.count, validity: valid, offsets: BufferSlice(ends, byteCount: (indices.count + 1) * 8),
      children: [children[0].take(elements)])
  }

  static func concatenateNested(_ columns: [Column], count total: Int, validity: Bitmap?) -> Column {
    let type = columns[0].type
    guard type.hasOffsets else {
      let children = columns[0].children.indices.map { child in concatenate(columns.map { $0.children[child] }) }
      return Column(nested: type, count: total, validity: validity, children: children)
    }
    let ends = Buffer(byteCapacity: (total + 1) * 8)
    let target = ends.pointer.assumingMemoryBound(to: Int64.self)
    var row = 0
    var position: Int64 = 0
    target[0] = 0
    for column in columns {
      let source = column.listOffsets
      for index in 0..<column.count { target[row + index + 1] = position + source[index + 1] - source[0] }
      row += column.count
      position += source[column.count] - source[0]
    }
    let children = columns.map { column in
      let source = column.listOffsets
      return column.children[0].slice(from: Int(source[0]), count: Int(source[column.count] - source[0]))
    }
    return Column(
      nested: type, count: total, validity: validity, offsets: BufferSlice(ends, byteCount: (total + 1) * 8),
      children: [concatenate(children)])
  }

  /// See `canonicalized`: beneath a null list nothing, beneath a null structure nulls or zeros.
  func canonicalizedNested() -> Column {
    guard type.hasOffsets else {
      guard let validity else {
        return Column(nested: type, count: count, children: children.map { $0.canonicalized() })
      }
      let rows = (0..<Int32(count)).map { validity[Int($0)] ? $0 : -1 }
      let below = zip(type.childFields, children).map { field, child in
        let taken = child.take(rows)
        return (field.isNullable ? taken : taken.withoutValidity()).canonicalized()
      }
      return Column(nested: type, count: count, validity: validity, children: below)
    }
    let ends = listOffsets
    let hidesElements = (0..<count).contains { !isValid($0) && ends[$0 + 1] != ends[$0] }
    // Taking rows leaves out what lies under nulls.
    let visible = hidesElements ? take((0..<Int32(count)).map { $0 }) : self
    return Column(
      nested: type, count: count, validity: visible.validity, offsets: visible.offsets,
      children: visible.children.map { $0.canonicalized() })
  }

  /// Whether two nested columns of one type and length hold equal values; see `equalsExactly`.
  func equalsNested(_ other: Column) -> Bool {
    guard type.hasOffsets else {
      // Beneath a null structure anything may lie: compare the rows that count.
      let rows = (0..<Int32(count)).filter { isValid(Int($0)) }
      let isWhole = rows.count == count
      return zip(children, other.children).allSatisfy { mine, theirs in
        isWhole ? mine.equalsExactly(theirs) : mine.take(rows).equalsExactly(theirs.take(rows))
      }
    }
    let (x, y) = (listOffsets, other.listOffsets)
    var (mine, theirs): ([Int32], [Int32]) = ([], [])
    for row in 0..<count where isValid(row) {
      guard x[row + 1] - x[row] == y[row + 1] - y[row] else { return false }
      mine.append(contentsOf: Int32(x[row])..<Int32(x[row + 1]))
      theirs.append(contentsOf: Int32(y[row])..<Int32(y[row + 1]))
    }
    return children[0].take(mine).equalsExactly(other.children[0].take(theirs))
  }
}
