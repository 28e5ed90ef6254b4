/// Bits, least significant first, as Arrow stores validity and booleans.
package struct Bitmap: Sendable {
  package let slice: BufferSlice
  /// Where bit 0 lies in the first byte, 0...7; not zero only for zero-copy slices.
  package let bitOffset: Int
  package let count: Int

  package init(_ slice: BufferSlice, bitOffset: Int = 0, count: Int) {
    precondition(slice.byteCount * 8 >= bitOffset + count, "The bytes hold fewer bits than claimed")
    let skipped = bitOffset / 8
    self.slice = skipped == 0 ? slice : slice.dropFirst(byteCount: skipped)
    self.bitOffset = bitOffset % 8
    self.count = count
  }

  package init(repeating value: Bool, count: Int) {
    let byteCount = (count + 7) / 8
    let buffer = Buffer(byteCapacity: byteCount)
    buffer.pointer.initializeMemory(as: UInt8.self, repeating: value ? 0xFF : 0, count: byteCount)
    self.init(BufferSlice(buffer, byteCount: byteCount), count: count)
  }

  package init(_ values: some Collection<Bool>) {
    var builder = BitmapBuilder(capacity: values.count)
    for value in values { builder.append(value) }
    self = builder.finish()
  }

  @inlinable package subscript(index: Int) -> Bool {
    assert(index >= 0 && index < count)
    let bit = index &+ bitOffset
    defer { _fixLifetime(slice.owner) }
    return slice.start.load(fromByteOffset: bit &>> 3, as: UInt8.self) &>> UInt8(truncatingIfNeeded: bit & 7) & 1 != 0
  }

  /// How many bits are set. - Complexity: O(count / 64)
  package var setCount: Int {
    defer { _fixLifetime(slice.owner) }
    var total = 0
    var index = 0
    while index < count && (index + bitOffset) & 7 != 0 {
      total += self[index] ? 1 : 0
      index += 1
    }
    while index + 64 <= count {
      total += slice.start.loadUnaligned(fromByteOffset: (index + bitOffset) / 8, as: UInt64.self).nonzeroBitCount
      index += 64
    }
    while index < count {
      total += self[index] ? 1 : 0
      index += 1
    }
    return total
  }

  package func slice(from start: Int, count length: Int) -> Bitmap {
    Bitmap(slice, bitOffset: bitOffset + start, count: length)
  }

  package var array: [Bool] { (0..<count).map { self[$0] } }
}

/// Appends bits; `finish` hands them over with zero padding behind the last.
package struct BitmapBuilder {
  private var bytes: GrowableBuffer
  package private(set) var count = 0
  package private(set) var setCount = 0

  package init(capacity: Int = 0) { bytes = GrowableBuffer(byteCapacity: (capacity + 7) / 8) }

  @inline(__always) package mutating func append(_ bit: Bool) {
    if count & 7 == 0 { bytes.append(UInt8(0)) }
    if bit {
      let last = bytes.pointer.advanced(by: bytes.byteCount - 1).assumingMemoryBound(to: UInt8.self)
      last.pointee |= 1 << UInt8(count & 7)
      setCount += 1
    }
    count += 1
  }

  package mutating func append(repeating bit: Bool, count repeats: Int) {
    for _ in 0..<repeats { append(bit) }
  }

  package mutating func finish() -> Bitmap {
    let result = Bitmap(bytes.finish(), count: count)
    count = 0
    setCount = 0
    return result
  }
}
