extension Column {
  /// The rows where the mask is set, in order.
  /// - Precondition: the mask has one bit a row.
  package func filter(_ mask: Bitmap) -> Column {
    precondition(mask.count == count, "The mask has \(mask.count) bits for \(count) rows")
    let kept = mask.setCount
    if kept == count { return self }
    return take(mask.setIndices)
  }

  /// All rows of all columns, in order.
  /// - Precondition: at least one column; all of one type.
  /// - Complexity: O(bytes)
  package static func concatenate(_ columns: [Column]) -> Column {
    guard let first = columns.first else { preconditionFailure("There is nothing to concatenate") }
    let type = first.type
    precondition(columns.allSatisfy { $0.type == type }, "Only columns of one type can be concatenated")
    if columns.count == 1 { return first }
    let total = columns.reduce(0) { $0 + $1.count }
    let hasNulls = columns.contains { $0.nullCount > 0 }
    let valid = hasNulls ? Bitmap.concatenate(columns.map { ($0.validity, $0.count) }) : nil
    if type == .bool {
      let bits = Bitmap.concatenate(columns.map { ($0.bits, $0.count) })
      return Column(type: type, count: total, validity: valid, data: bits.slice)
    }
    if type.isNested { return concatenateNested(columns, count: total, validity: valid) }
    guard let width = type.byteWidth else { return concatenateBytes(columns, count: total, validity: valid) }
    let buffer = Buffer(byteCapacity: total * width)
    var position = 0
    for column in columns {
      column.data.withBytes { bytes in
        guard column.count > 0, let start = bytes.baseAddress else { return }
        (buffer.pointer + position).copyMemory(from: start, byteCount: column.count * width)
      }
      position += column.count * width
    }
    return Column(type: type, count: total, validity: valid, data: BufferSlice(buffer, byteCount: total * width))
  }

  private static func concatenateBytes(_ columns: [Column], count total: Int, validity: Bitmap?) -> Column {
    let ends = Buffer(byteCapacity: (total + 1) * 8)
    // SAFETY: the buffers are ours alone; offsets ascend, so that their ends bound the bytes of each column.
    let targetOffsets = ends.pointer.assumingMemoryBound(to: Int64.self)
    let byteCount = columns.reduce(0) { sum, column in
      let offsets = column.bytes.offsets
      return sum + Int(offsets[column.count] - offsets[0])
    }
    let buffer = Buffer(byteCapacity: byteCount)
    var row = 0
    var position: Int64 = 0
    for column in columns {
      let values = column.bytes
      values.offsets.withPointer { offsets in
        let start = offsets[0]
        let length = offsets[column.count] - start
        let shift = position &- start
        for index in 0..<column.count { targetOffsets[row &+ index] = offsets[index] &+ shift }
        if length > 0 {
          column.data.withBytes { bytes in
            (buffer.pointer + Int(position)).copyMemory(from: bytes.baseAddress! + Int(start), byteCount: Int(length))
          }
        }
        position += length
      }
      row += column.count
    }
    targetOffsets[total] = position
    return Column(
      type: columns[0].type, count: total, validity: validity, data: BufferSlice(buffer, byteCount: byteCount),
      offsets: BufferSlice(ends, byteCount: (total + 1) * 8))
  }
}
