import Columns

/// What an exported array keeps alive until it is released.
private final class ExportedOwner {
  let slices: [BufferSlice]
  init(_ slices: [BufferSlice]) { self.slices = slices }
}

extension CDataExport {
  /// Fills `target` with the batch as one structure array.
  package static func export(_ batch: Batch, to target: UnsafeMutablePointer<CArrowArray>) {
    fill(target, count: batch.rowCount, nullCount: 0, buffers: [nil], children: batch.columns)
  }

  /// Fills `target` with a column. Values and 64-bit offsets are ours, not copies; validity and bits are copied only where they begin
  /// within a byte, the offsets of maps always, for Arrow has them in 32 bits.
  ///
  /// - Precondition: maps have fewer than 2^31 entries in all.
  package static func export(_ column: Column, to target: UnsafeMutablePointer<CArrowArray>) {
    let validity = column.validity.map { $0.bitOffset == 0 ? $0.slice : $0.packed }
    var buffers: [BufferSlice?] = [validity]
    switch column.type {
    case .bool:
      let bits = column.bits
      buffers.append(bits.bitOffset == 0 ? bits.slice : bits.packed)
    case .string, .binary: buffers += [column.offsets, column.data]
    case .list: buffers.append(column.offsets)
    case .map: buffers.append(narrowOffsets(column))
    case .structure: break
    default: buffers.append(column.data)
    }
    fill(target, count: column.count, nullCount: column.nullCount, buffers: buffers, children: column.children)
  }

  private static func narrowOffsets(_ column: Column) -> BufferSlice {
    let ends = column.listOffsets
    precondition(ends[column.count] <= Int64(Int32.max), "Arrow's maps have at most 2^31 entries in a batch")
    let buffer = Buffer(byteCapacity: (column.count + 1) * 4)
    for index in 0...column.count {
      buffer.pointer.storeBytes(of: Int32(ends[index]), toByteOffset: index * 4, as: Int32.self)
    }
    return BufferSlice(buffer, byteCount: (column.count + 1) * 4)
  }

  private static func fill(
    _ target: UnsafeMutablePointer<CArrowArray>, count: Int, nullCount: Int, buffers: [BufferSlice?], children columns: [Column]
  ) {
    let pointers = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: buffers.count)
    for (index, slice) in buffers.enumerated() { pointers[index] = slice?.start }
    let children = columns.isEmpty ? nil : UnsafeMutablePointer<UnsafeMutablePointer<CArrowArray>?>.allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() {
      let place = UnsafeMutablePointer<CArrowArray>.allocate(capacity: 1)
      place.initialize(to: CArrowArray())
      export(column, to: place)
      children?[index] = place
    }
    var array = CArrowArray()
    array.count = Int64(count)
    array.nullCount = Int64(nullCount)
    array.bufferCount = Int64(buffers.count)
    array.childCount = Int64(columns.count)
    array.buffers = pointers
    array.children = children
    array.privateData = Unmanaged.passRetained(ExportedOwner(buffers.compactMap { $0 })).toOpaque()
    array.release = { CDataExport.releaseArray($0) }
    target.initialize(to: array)
  }

  // SAFETY: called once by the consumer, with the structure that `fill` filled, or a bitwise copy of it in another place.
  private static func releaseArray(_ pointer: UnsafeMutableRawPointer?) {
    guard let array = pointer?.assumingMemoryBound(to: CArrowArray.self), array.pointee.release != nil else { return }
    for index in 0..<Int(array.pointee.childCount) {
      guard let child = array.pointee.children?[index] else { continue }
      child.pointee.release?(child)
      child.deallocate()
    }
    array.pointee.children?.deallocate()
    array.pointee.buffers?.deallocate()
    if let owner = array.pointee.privateData { Unmanaged<ExportedOwner>.fromOpaque(owner).release() }
    array.pointee.release = nil
  }
}
