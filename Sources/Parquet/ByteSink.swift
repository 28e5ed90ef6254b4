import Columns

/// Bytes that grow while a file is written.
struct ByteSink {
  private var buffer: Buffer
  private(set) var count = 0

  init(byteCapacity: Int = 0) { buffer = Buffer(byteCapacity: max(64, byteCapacity)) }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.pointer, count: count) }

  func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }

  /// Room for more bytes behind the last, which `advance` then counts; 64 bytes of slack follow.
  mutating func reserve(_ byteCount: Int) -> UnsafeMutableRawPointer {
    if count + byteCount > buffer.byteCapacity {
      let larger = Buffer(byteCapacity: max(count + byteCount, buffer.byteCapacity * 2))
      larger.pointer.copyMemory(from: buffer.pointer, byteCount: count)
      buffer = larger
    }
    return buffer.pointer + count
  }

  mutating func advance(_ byteCount: Int) {
    precondition(byteCount >= 0 && count + byteCount <= buffer.byteCapacity)
    count += byteCount
  }

  mutating func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    count += 1
  }

  mutating func append(length: Int) {
    precondition(length <= Int(UInt32.max), "A value of \(length) bytes is too long for Parquet")
    reserve(4).storeBytes(of: UInt32(length), as: UInt32.self)
    count += 4
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count).copyMemory(from: start, byteCount: bytes.count)
    count += bytes.count
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  mutating func append(varint value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  mutating func append(zigzag value: Int64) { append(varint: UInt64(bitPattern: value << 1 ^ value >> 63)) }

  /// Overwrites a length that was written before its content was known.
  mutating func patch(length: Int, at offset: Int) {
    precondition(offset + 4 <= count && length <= Int(UInt32.max))
    buffer.pointer.storeBytes(of: UInt32(length), toByteOffset: offset, as: UInt32.self)
  }

  /// Forgets the bytes but keeps the memory. - Precondition: nobody holds a slice of it.
  mutating func removeAll() { count = 0 }

  func finish() -> BufferSlice { BufferSlice(buffer, byteCount: count) }
}
