import Columns

/// An Arrow array as it comes from a message or through the C Data Interface: raw buffers, nothing validated yet but that
/// they can be read.
struct ArrayData: Sendable {
  /// Values, at most `countMax`.
  let count: Int
  /// How many values lie before the first; not zero only for slices that come through the C Data Interface.
  var offset = 0
  /// The buffers of the layout, validity first where it has one. Empty: absent.
  var buffers: [BufferSlice]
  var children: [ArrayData] = []
  /// The decoded values of a dictionary-encoded array.
  var dictionary: Column?

  /// Rows of a batch, and elements of its lists: row numbers are 32 bits wide everywhere.
  static let countMax = Int(Int32.max)

  /// The same array with copies of the buffers, its own and its children's, that lie in `bytes`. - Complexity: O(their bytes)
  func copied(from bytes: BufferSlice) -> ArrayData {
    var result = self
    for index in buffers.indices where buffers[index].owner === bytes.owner { result.buffers[index] = buffers[index].copy() }
    for index in children.indices { result.children[index] = children[index].copied(from: bytes) }
    return result
  }
}

extension BufferSlice {
  /// The same bytes in memory of their own.
  func copy() -> BufferSlice {
    let buffer = Buffer(byteCapacity: byteCount)
    withBytes { if let start = $0.baseAddress { buffer.pointer.copyMemory(from: start, byteCount: $0.count) } }
    return BufferSlice(buffer, byteCount: byteCount)
  }
}

/// Memory that reads as zeros and takes none until somebody writes elsewhere: for columns of the type null, whose length
/// nothing in the bytes bounds.
enum ZeroMemory {
  static func slice(byteCount: Int) throws(ArrowError) -> BufferSlice {
    guard byteCount > 1 << 20 else { return BufferSlice(Buffer(byteCapacity: byteCount, zeroed: true), byteCount: byteCount) }
    guard let pages = ZeroPages(byteCount: byteCount) else {
      throw .unsupported("\(byteCount) bytes of nulls cannot be mapped")
    }
    return BufferSlice(owner: pages, start: pages.start, byteCount: byteCount)
  }
}

#if canImport(Glibc)
  import Glibc
#endif

// SAFETY: the pages are mapped read-only for as long as this owner lives; anonymous private pages read as zeros.
private final class ZeroPages: @unchecked Sendable {
  let start: UnsafeRawPointer
  private let byteCount: Int

  init?(byteCount: Int) {
    guard let pages = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), pages != MAP_FAILED else {
      return nil
    }
    start = UnsafeRawPointer(pages)
    self.byteCount = byteCount
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: start), byteCount) }
}
