extension Bitmap {
  /// Builds `count` bits from a function of the index; the closure is inlined.
  @inline(__always) init(count: Int, bit: (Int) -> Bool) {
    let byteCount = (count + 7) / 8
    let buffer = Buffer(byteCapacity: byteCount)
    // SAFETY: the buffer holds byteCount bytes and nobody else has seen it yet.
    let target = buffer.pointer.assumingMemoryBound(to: UInt8.self)
    var index = 0
    var byte = 0
    while index &+ 8 <= count {
      var bits: UInt8 = 0
      for place in 0..<8 { bits |= (bit(index &+ place) ? 1 : 0) &<< UInt8(truncatingIfNeeded: place) }
      target[byte] = bits
      byte &+= 1
      index &+= 8
    }
    if index < count {
      var bits: UInt8 = 0
      for place in 0..<(count &- index) { bits |= (bit(index &+ place) ? 1 : 0) &<< UInt8(truncatingIfNeeded: place) }
      target[byte] = bits
    }
    self.init(BufferSlice(buffer, byteCount: byteCount), count: count)
  }

  /// Bits `index..<index + 64`, the first one lowest; bits past the end are zero.
  /// - Precondition: 0 <= index < count
  package func word(at index: Int) -> UInt64 {
    defer { _fixLifetime(slice.owner) }
    let bit = index + bitOffset
    let byte = bit >> 3
    let shift = UInt64(bit & 7)
    let available = slice.byteCount - byte
    var word: UInt64 = 0
    if available >= 9 {
      word = slice.start.loadUnaligned(fromByteOffset: byte, as: UInt64.self) >> shift
      word |= UInt64(slice.start.load(fromByteOffset: byte + 8, as: UInt8.self)) << (64 - shift)
    } else {
      for place in 0..<available {
        let value = UInt64(slice.start.load(fromByteOffset: byte + place, as: UInt8.self))
        word |= place == 0 ? value >> shift : value << (UInt64(place) * 8 - shift)
      }
    }
    let left = count - index
    return left >= 64 ? word : word & ((1 << UInt64(left)) - 1)
  }

  /// The indices of the set bits, ascending. - Complexity: O(count / 64 + set bits)
  package var setIndices: [Int32] {
    precondition(count <= Int(Int32.max), "Row numbers are 32 bits wide")
    let total = setCount
    return [Int32](unsafeUninitializedCapacity: total) { target, written in
      var index = 0
      while index < count {
        var word = self.word(at: index)
        while word != 0 {
          target[written] = Int32(truncatingIfNeeded: index + word.trailingZeroBitCount)
          written += 1
          word &= word - 1
        }
        index += 64
      }
    }
  }

  /// Whether both have the same bits, whatever their offsets.
  func equals(_ other: Bitmap) -> Bool {
    guard count == other.count else { return false }
    var index = 0
    while index < count {
      guard word(at: index) == other.word(at: index) else { return false }
      index += 64
    }
    return true
  }

  /// A copy that starts at bit 0, with zero padding; `mask` clears further bits.
  func compacted(mask: Bitmap? = nil) -> Bitmap {
    let byteCount = (count + 63) / 64 * 8
    let buffer = Buffer(byteCapacity: byteCount)
    var index = 0
    while index < count {
      let bits = word(at: index) & (mask?.word(at: index) ?? .max)
      buffer.pointer.storeBytes(of: bits, toByteOffset: index / 8, as: UInt64.self)
      index += 64
    }
    return Bitmap(BufferSlice(buffer, byteCount: (count + 7) / 8), count: count)
  }

  /// The bits of all parts in a row; a part without a bitmap is `count` set bits.
  static func concatenate(_ parts: [(bitmap: Bitmap?, count: Int)]) -> Bitmap {
    let total = parts.reduce(0) { $0 + $1.count }
    // Stores below reach 9 bytes from the last bit's byte: the slack holds them.
    let buffer = Buffer(byteCapacity: (total + 7) / 8 + 16, zeroed: true)
    let target = buffer.pointer
    var position = 0
    for part in parts {
      var index = 0
      while index < part.count {
        let left = part.count - index
        let word = part.bitmap?.word(at: index) ?? (left >= 64 ? .max : (1 << UInt64(left)) - 1)
        let byte = position >> 3
        let shift = UInt64(position & 7)
        let low = target.loadUnaligned(fromByteOffset: byte, as: UInt64.self) | word << shift
        target.storeBytes(of: low, toByteOffset: byte, as: UInt64.self)
        if shift > 0 { target.storeBytes(of: UInt8(truncatingIfNeeded: word >> (64 - shift)), toByteOffset: byte + 8, as: UInt8.self) }
        index += 64
        position += min(64, left)
      }
    }
    return Bitmap(BufferSlice(buffer, byteCount: (total + 7) / 8), count: total)
  }
}
