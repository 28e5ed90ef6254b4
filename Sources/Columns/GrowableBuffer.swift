/// Bytes that grow by doubling while a column is built.
package struct GrowableBuffer {
  private var buffer: Buffer
  package private(set) var byteCount = 0

  package init(byteCapacity: Int = 0) { buffer = Buffer(byteCapacity: max(byteCapacity, 64)) }

  /// The bytes written so far; valid until the next append.
  package var pointer: UnsafeMutableRawPointer { buffer.pointer }

  package mutating func reserve(additionalByteCount: Int) {
    let wanted = byteCount + additionalByteCount
    guard wanted > buffer.byteCapacity else { return }
    let larger = Buffer(byteCapacity: max(wanted, buffer.byteCapacity * 2))
    larger.pointer.copyMemory(from: buffer.pointer, byteCount: byteCount)
    buffer = larger
  }

  @inline(__always) package mutating func append<T: BitwiseCopyable>(_ value: T) {
    let width = MemoryLayout<T>.stride
    if byteCount &+ width > buffer.byteCapacity { reserve(additionalByteCount: width) }
    buffer.pointer.storeBytes(of: value, toByteOffset: byteCount, as: T.self)
    byteCount &+= width
  }

  package mutating func append(bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(additionalByteCount: bytes.count)
    buffer.pointer.advanced(by: byteCount).copyMemory(from: start, byteCount: bytes.count)
    byteCount += bytes.count
  }

  /// Hands the bytes over and starts again with an empty buffer.
  package mutating func finish() -> BufferSlice {
    let result = BufferSlice(buffer, byteCount: byteCount)
    buffer = Buffer(byteCapacity: 64)
    byteCount = 0
    return result
  }
}
