import Columns

/// Collects the nodes and buffers of columns as a record batch lists them.
struct RecordBatchEncoder {
  /// Length and number of nulls of each array.
  private(set) var nodes: [Int64] = []
  private(set) var buffers: [BufferSlice] = []

  /// - Precondition: maps have fewer than 2^31 entries.
  mutating func append(_ column: Column) {
    nodes += [Int64(column.count), Int64(column.nullCount)]
    buffers.append(column.validity?.packed ?? .empty)
    switch column.type {
    case .bool: buffers.append(column.bits.packed)
    case .string, .binary:
      let ends = column.bytes.offsets
      let range = Int(ends[0])..<Int(ends[column.count])
      buffers.append(rebased(column, ends))
      buffers.append(column.data.slice(byteOffset: range.lowerBound, byteCount: range.count))
    case .list:
      let ends = column.listOffsets
      buffers.append(rebased(column, ends))
      append(column.children[0].slice(from: Int(ends[0]), count: Int(ends[column.count] - ends[0])))
    case .map:
      let ends = column.listOffsets
      precondition(ends[column.count] - ends[0] <= Int64(Int32.max), "Arrow's maps have at most 2^31 entries in a batch")
      let buffer = Buffer(byteCapacity: (column.count + 1) * 4)
      for index in 0...column.count {
        buffer.pointer.storeBytes(of: Int32(ends[index] - ends[0]), toByteOffset: index * 4, as: Int32.self)
      }
      buffers.append(BufferSlice(buffer, byteCount: (column.count + 1) * 4))
      append(column.children[0].slice(from: Int(ends[0]), count: Int(ends[column.count] - ends[0])))
    case .structure:
      for child in column.children { append(child) }
    default: buffers.append(column.data.slice(byteOffset: 0, byteCount: column.count * (column.type.byteWidth ?? 0)))
    }
  }

  /// Appends indices into a dictionary in place of the column's values.
  mutating func append(_ column: Column, indices: BufferSlice) {
    nodes += [Int64(column.count), Int64(column.nullCount)]
    buffers.append(column.validity?.packed ?? .empty)
    buffers.append(indices)
  }

  /// The offsets of a column, from zero; without copying where they are that already.
  private func rebased(_ column: Column, _ ends: Values<Int64>) -> BufferSlice {
    let byteCount = (column.count + 1) * 8
    if ends[0] == 0, let offsets = column.offsets { return offsets.slice(byteOffset: 0, byteCount: byteCount) }
    let buffer = Buffer(byteCapacity: byteCount)
    let target = buffer.pointer.assumingMemoryBound(to: Int64.self)
    for index in 0...column.count { target[index] = ends[index] - ends[0] }
    return BufferSlice(buffer, byteCount: byteCount)
  }
}

extension Bitmap {
  /// The bits from the first bit of a byte on, with zeros behind the last: whatever lies around a slice is not written.
  var packed: BufferSlice {
    let buffer = Buffer(byteCapacity: (count + 63) / 64 * 8)
    for index in stride(from: 0, to: count, by: 64) {
      buffer.pointer.storeBytes(of: word(at: index), toByteOffset: index / 8, as: UInt64.self)
    }
    return BufferSlice(buffer, byteCount: (count + 7) / 8)
  }
}
