#if canImport(Glibc)
  import Glibc
#endif

/// Row numbers that have been checked against a number of rows.
struct CheckedIndices {
  let base: UnsafePointer<Int32>
  let count: Int
  let hasNulls: Bool

  /// - Precondition: every index is -1 or a row below `rowCount`.
  init(_ indices: UnsafeBufferPointer<Int32>, rowCount: Int) {
    var low = Int32.max
    var high: Int32 = -1
    for index in indices {
      low = min(low, index)
      high = max(high, index)
    }
    precondition(low >= -1 && Int(high) < rowCount, "A row number lies outside the \(rowCount) rows")
    // An empty buffer may have no address; it is never read then.
    base = indices.baseAddress ?? UnsafePointer(bitPattern: 8)!
    count = indices.count
    hasNulls = low < 0
  }
}

extension Column {
  /// The rows of these numbers, in this order; -1 gives a null.
  /// - Precondition: every index is -1 or a row of this column.
  /// - Complexity: O(indices), plus the bytes of strings.
  package func take(_ indices: [Int32]) -> Column {
    indices.withUnsafeBufferPointer { take($0) }
  }

  package func take(_ indices: UnsafeBufferPointer<Int32>) -> Column {
    take(CheckedIndices(indices, rowCount: count))
  }

  func take(_ indices: CheckedIndices) -> Column {
    defer { _fixLifetime(self) }
    let valid = takeValidity(indices)
    switch type {
    case .bool:
      let bits = self.bits
      let base = indices.base
      let taken = Bitmap(count: indices.count) { index in
        let row = Int(base[index])
        return row >= 0 && bits[row] && (valid == nil || self.isValid(row))
      }
      return Column(type: type, count: indices.count, validity: valid, data: taken.slice)
    case .string, .binary:
      return takeBytes(indices, validity: valid)
    case .list, .map: return takeLists(indices, validity: valid)
    case .structure(let fields):
      let taken = zip(fields, children).map { field, child in
        let column = child.take(indices)
        return field.isNullable || !indices.hasNulls ? column : column.withoutValidity()
      }
      return Column(nested: type, count: indices.count, validity: valid, children: taken)
    case .fixedBinary(let width):
      return Column(type: type, count: indices.count, validity: valid, data: takeWide(indices, valid, byteWidth: width))
    default:
      let data =
        switch type.byteWidth {
        case 1: takeFixed(indices, valid, UInt8.self)
        case 2: takeFixed(indices, valid, UInt16.self)
        case 4: takeFixed(indices, valid, UInt32.self)
        case 8: takeFixed(indices, valid, UInt64.self)
        default: takeFixed(indices, valid, UInt128.self)
        }
      return Column(type: type, count: indices.count, validity: valid, data: data)
    }
  }

  private func takeValidity(_ indices: CheckedIndices) -> Bitmap? {
    let base = indices.base
    guard let validity else {
      return indices.hasNulls ? Bitmap(count: indices.count) { base[$0] >= 0 } : nil
    }
    if indices.hasNulls {
      return Bitmap(count: indices.count) { index in
        let row = Int(base[index])
        return row >= 0 && validity[row]
      }
    }
    return Bitmap(count: indices.count) { validity[Int(base[$0])] }
  }

  private func takeFixed<Bits: FixedWidthInteger & BitwiseCopyable & Sendable>(
    _ indices: CheckedIndices, _ valid: Bitmap?, _: Bits.Type
  ) -> BufferSlice {
    let byteCount = indices.count * MemoryLayout<Bits>.stride
    let buffer = Buffer(byteCapacity: byteCount)
    // SAFETY: the buffer is ours alone; every index was checked against the rows of the column; threads write disjoint parts.
    nonisolated(unsafe) let target = buffer.pointer.assumingMemoryBound(to: Bits.self)
    nonisolated(unsafe) let source = data.start.assumingMemoryBound(to: Bits.self)
    nonisolated(unsafe) let base = indices.base
    ParallelRanges.run(indices.count) { _, part in
      if let valid {
        for index in part { target[index] = valid[index] ? source[Int(base[index])] : 0 }
      } else {
        for index in part { target[index] = source[Int(base[index])] }
      }
    }
    return BufferSlice(buffer, byteCount: byteCount)
  }

  private func takeWide(_ indices: CheckedIndices, _ valid: Bitmap?, byteWidth: Int) -> BufferSlice {
    let buffer = Buffer(byteCapacity: indices.count * byteWidth)
    for index in 0..<indices.count {
      let target = buffer.pointer + index * byteWidth
      if valid.map({ $0[index] }) ?? true {
        target.copyMemory(from: data.start + Int(indices.base[index]) * byteWidth, byteCount: byteWidth)
      } else {
        memset(target, 0, byteWidth)
      }
    }
    return BufferSlice(buffer, byteCount: indices.count * byteWidth)
  }

  private func takeBytes(_ indices: CheckedIndices, validity valid: Bitmap?) -> Column {
    let total = indices.count
    let ends = Buffer(byteCapacity: (total + 1) * 8)
    // SAFETY: both buffers are ours alone and sized before they are filled; row numbers were checked.
    let targetOffsets = ends.pointer.assumingMemoryBound(to: Int64.self)
    let sourceOffsets = bytes.offsets.base
    let base = indices.base
    var byteCount: Int64 = 0
    targetOffsets[0] = 0
    if let valid {
      for index in 0..<total {
        if valid[index] {
          let row = Int(base[index])
          byteCount &+= sourceOffsets[row &+ 1] &- sourceOffsets[row]
        }
        targetOffsets[index &+ 1] = byteCount
      }
    } else {
      for index in 0..<total {
        let row = Int(base[index])
        byteCount &+= sourceOffsets[row &+ 1] &- sourceOffsets[row]
        targetOffsets[index &+ 1] = byteCount
      }
    }
    let buffer = Buffer(byteCapacity: Int(byteCount))
    let source = data.start
    let vectorStartMax = data.byteCount - ShortCopy.byteCountMax
    for index in 0..<total {
      let start = targetOffsets[index]
      let length = Int(targetOffsets[index &+ 1] &- start)
      guard length > 0 else { continue }
      let from = Int(sourceOffsets[Int(base[index])])
      ShortCopy.copy(source, from, to: buffer.pointer + Int(start), byteCount: length, vectorStartMax: vectorStartMax)
    }
    return Column(
      type: type, count: total, validity: valid, data: BufferSlice(buffer, byteCount: Int(byteCount)),
      offsets: BufferSlice(ends, byteCount: (total + 1) * 8))
  }
}

/// Copies short byte strings as one vector where the source allows it: a call of `memcpy` costs more than such a copy.
enum ShortCopy {
  static let byteCountMax = 16

  /// Writes up to 16 bytes at `target`, of which `byteCount` count: the target needs that slack, and what lies behind
  /// must be written later.
  /// - Parameter vectorStartMax: the last offset of the source at which 16 bytes can be read.
  @inline(__always) static func copy(
    _ source: UnsafeRawPointer, _ offset: Int, to target: UnsafeMutableRawPointer, byteCount: Int, vectorStartMax: Int
  ) {
    if byteCount <= byteCountMax && offset <= vectorStartMax {
      target.storeBytes(of: source.loadUnaligned(fromByteOffset: offset, as: UInt64.self), as: UInt64.self)
      target.storeBytes(of: source.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self), toByteOffset: 8, as: UInt64.self)
    } else {
      memcpy(target, source + offset, byteCount)
    }
  }
}
