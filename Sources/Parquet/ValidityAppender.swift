import Columns

/// Collects the validity of a column page by page; no memory is used until the first null comes.
struct ValidityAppender {
  private var capacity: Int
  private var buffer: Buffer?
  private(set) var count = 0
  private(set) var nullCount = 0

  /// - Parameter capacity: the most bits that will come before the next `reserve`.
  init(capacity: Int) { self.capacity = capacity }

  /// Makes room for more bits; grows by doubling.
  mutating func reserve(_ added: Int) {
    guard added > capacity - count else { return }
    capacity = max(count + added, capacity * 2)
    guard let old = buffer else { return }
    let larger = Buffer(byteCapacity: (capacity + 7) / 8 + 16, zeroed: true)
    larger.pointer.copyMemory(from: old.pointer, byteCount: (count + 7) / 8)
    buffer = larger
  }

  /// The bits so far; nil while all are set.
  var bits: UnsafePointer<UInt8>? { buffer.map { UnsafePointer($0.pointer.assumingMemoryBound(to: UInt8.self)) } }

  mutating func append(repeating bit: Bool, count added: Int) {
    precondition(added <= capacity - count)
    if !bit { nullCount += added }
    if buffer == nil {
      if bit || added == 0 {
        count += added
        return
      }
      makeBuffer()
    }
    if bit {
      var left = added
      while left > 0 {
        let step = min(left, 64)
        put(step == 64 ? .max : (1 << UInt64(step)) &- 1, count: step)
        left -= step
      }
    } else {
      // The buffer is zeroed.
      count += added
    }
  }

  /// Appends bits that are packed least significant first.
  /// - Precondition: the bytes of `added` bits and 8 more are readable.
  mutating func append(packed source: UnsafeRawPointer, count added: Int) {
    precondition(added <= capacity - count)
    if buffer == nil { makeBuffer() }
    var index = 0
    while index < added {
      let step = min(added - index, 64)
      var word = source.loadUnaligned(fromByteOffset: index >> 3, as: UInt64.self)
      if step < 64 { word &= (1 << UInt64(step)) &- 1 }
      nullCount += step - word.nonzeroBitCount
      put(word, count: step)
      index += step
    }
  }

  /// Appends some of another appender's bits.
  /// - Returns: how many of them are set.
  mutating func append(_ other: ValidityAppender, from first: Int, count added: Int) -> Int {
    precondition(added <= capacity - count && first + added <= other.count)
    guard other.nullCount > 0, let source = other.buffer?.pointer else {
      append(repeating: true, count: added)
      return added
    }
    let before = nullCount
    if buffer == nil { makeBuffer() }
    var index = 0
    while index < added {
      // Up to 56 bits lie in one word from any bit of its first byte; the buffer has room for the load behind the last bit.
      let step = min(added - index, 56)
      let bit = first + index
      let word = source.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> UInt64(bit & 7) & ((1 << UInt64(step)) &- 1)
      nullCount += step - word.nonzeroBitCount
      put(word, count: step)
      index += step
    }
    return added - (nullCount - before)
  }

  private mutating func makeBuffer() {
    // A store may reach 9 bytes behind the last bit.
    buffer = Buffer(byteCapacity: (capacity + 7) / 8 + 16, zeroed: true)
    let before = count
    count = 0
    while count < before {
      let step = min(before - count, 64)
      put(step == 64 ? .max : (1 << UInt64(step)) &- 1, count: step)
    }
  }

  /// - Precondition: bits of `word` from `step` on are clear.
  private mutating func put(_ word: UInt64, count step: Int) {
    // SAFETY: the buffer was made with room for `capacity` bits and this store; appends check the capacity.
    guard let target = buffer?.pointer else { return }
    let (byte, shift) = (count >> 3, UInt64(count & 7))
    let low = target.loadUnaligned(fromByteOffset: byte, as: UInt64.self) | word << shift
    target.storeBytes(of: low, toByteOffset: byte, as: UInt64.self)
    if shift > 0 { target.storeBytes(of: UInt8(truncatingIfNeeded: word >> (64 - shift)), toByteOffset: byte + 8, as: UInt8.self) }
    count += step
  }

  func finish() -> Bitmap? {
    guard nullCount > 0, let buffer else { return nil }
    return Bitmap(BufferSlice(buffer, byteCount: (count + 7) / 8), count: count)
  }
}
