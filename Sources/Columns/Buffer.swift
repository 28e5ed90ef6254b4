/// A block of memory from the pool, 64-byte aligned with 64 bytes of slack behind its capacity, so that kernels may
/// load or store whole vectors at the end.
///
/// Written once by whoever allocated it, then only read: after the owner has put it into a `Column` or `BufferSlice`
/// nobody writes again.
// Sendable by that protocol: there is no writer once a second reference exists.
package final class Buffer: @unchecked Sendable {
  package let pointer: UnsafeMutableRawPointer
  package let byteCapacity: Int
  private let block: BufferPool.Block

  /// - Parameter byteCapacity: the least number of usable bytes; contents are undefined unless `zeroed`.
  package init(byteCapacity: Int, zeroed: Bool = false) {
    precondition(byteCapacity >= 0, "A buffer cannot have a negative size")
    block = BufferPool.shared.allocate(byteCount: byteCapacity + Buffer.slackByteCount)
    pointer = block.pointer
    self.byteCapacity = block.byteCount - Buffer.slackByteCount
    if zeroed { pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCapacity) }
  }

  deinit { BufferPool.shared.recycle(block) }

  package static let slackByteCount = 64
}

/// A range of bytes that keeps its owner alive: a pooled buffer, or foreign memory such as a mapped file.
// Sendable because the bytes are immutable while any slice of them exists.
package struct BufferSlice: @unchecked Sendable {
  @usableFromInline package let owner: AnyObject?
  @usableFromInline package let start: UnsafeRawPointer
  package let byteCount: Int

  /// The first `byteCount` bytes of a buffer.
  package init(_ buffer: Buffer, byteCount: Int) {
    precondition(byteCount <= buffer.byteCapacity, "The slice is longer than its buffer")
    self.init(owner: buffer, start: UnsafeRawPointer(buffer.pointer), byteCount: byteCount)
  }

  /// - Parameter owner: kept alive as long as the slice; the bytes must stay unchanged that long.
  package init(owner: AnyObject?, start: UnsafeRawPointer, byteCount: Int) {
    self.owner = owner
    self.start = start
    self.byteCount = byteCount
  }

  package static let empty = BufferSlice(Buffer(byteCapacity: 0), byteCount: 0)

  package init(copying bytes: some Collection<UInt8>) {
    let buffer = Buffer(byteCapacity: bytes.count)
    let target = UnsafeMutableRawBufferPointer(start: buffer.pointer, count: bytes.count)
    target.copyBytes(from: bytes)
    self.init(buffer, byteCount: bytes.count)
  }

  package func dropFirst(byteCount dropped: Int) -> BufferSlice {
    precondition(dropped <= byteCount)
    return BufferSlice(owner: owner, start: start + dropped, byteCount: byteCount - dropped)
  }

  package func slice(byteOffset: Int, byteCount length: Int) -> BufferSlice {
    precondition(byteOffset >= 0 && length >= 0 && byteOffset + length <= byteCount, "The range lies outside the bytes")
    return BufferSlice(owner: owner, start: start + byteOffset, byteCount: length)
  }

  @inlinable package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    defer { _fixLifetime(owner) }
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }
}

/// Typed, read-only view of fixed-width values; keeps the memory alive. Subscripting is unchecked in release builds.
// SAFETY: the pointer lies in memory that `owner` keeps alive and that nobody writes while it does.
package struct Values<Element: BitwiseCopyable>: @unchecked Sendable {
  @usableFromInline let owner: AnyObject?
  /// Valid while this view lives; hoist it out of hot loops together with the view.
  @usableFromInline package let base: UnsafePointer<Element>
  @usableFromInline package let count: Int

  @inlinable package init(_ slice: BufferSlice, count: Int) {
    precondition(slice.byteCount >= count * MemoryLayout<Element>.stride, "The bytes hold fewer values than claimed")
    owner = slice.owner
    base = slice.start.assumingMemoryBound(to: Element.self)
    self.count = count
  }

  @inlinable package subscript(index: Int) -> Element {
    assert(index >= 0 && index < count)
    defer { _fixLifetime(owner) }
    return base[index]
  }

  @inlinable package func withPointer<R, E: Error>(_ body: (UnsafePointer<Element>) throws(E) -> R) throws(E) -> R {
    defer { _fixLifetime(owner) }
    return try body(base)
  }

  package var array: [Element] {
    defer { _fixLifetime(owner) }
    return Array(UnsafeBufferPointer(start: base, count: count))
  }
}
