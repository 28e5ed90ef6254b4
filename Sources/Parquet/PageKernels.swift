/// Dictionary entries by number.
enum Gather {
  /// - Precondition: every index is an entry.
  static func gather(
    _ entries: UnsafeMutableRawPointer, _ indices: UnsafePointer<UInt32>, byteWidth: Int, count: Int,
    into target: UnsafeMutableRawPointer
  ) {
    switch byteWidth {
    case 1: gather(entries, indices, count, target, UInt8.self)
    case 2: gather(entries, indices, count, target, UInt16.self)
    case 4: gather(entries, indices, count, target, UInt32.self)
    case 8: gather(entries, indices, count, target, UInt64.self)
    case 16: gather(entries, indices, count, target, UInt128.self)
    default:
      for index in 0..<count {
        (target + index * byteWidth).copyMemory(from: entries + Int(indices[index]) * byteWidth, byteCount: byteWidth)
      }
    }
  }

  @inline(__always) private static func gather<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ entries: UnsafeMutableRawPointer, _ indices: UnsafePointer<UInt32>, _ count: Int, _ target: UnsafeMutableRawPointer, _: Bits.Type
  ) {
    let entries = entries.assumingMemoryBound(to: Bits.self)
    let target = target.assumingMemoryBound(to: Bits.self)
    for index in 0..<count { target[index] = entries[Int(indices[index])] }
  }
}

/// Moves dense values to the rows that have one, in place, and writes zero where there is none.
enum NullSpreading {
  static func spread(
    _ values: UnsafeMutableRawPointer, byteWidth: Int, valueCount: Int, rowCount: Int, valid: UnsafePointer<UInt8>, bitOffset: Int
  ) {
    switch byteWidth {
    case 1: spread(values, valueCount, rowCount, valid, bitOffset, UInt8.self)
    case 2: spread(values, valueCount, rowCount, valid, bitOffset, UInt16.self)
    case 4: spread(values, valueCount, rowCount, valid, bitOffset, UInt32.self)
    case 8: spread(values, valueCount, rowCount, valid, bitOffset, UInt64.self)
    case 16: spread(values, valueCount, rowCount, valid, bitOffset, UInt128.self)
    default: spread(values, byteWidth, valueCount, rowCount, valid, bitOffset)
    }
  }

  private static func spread(
    _ values: UnsafeMutableRawPointer, _ byteWidth: Int, _ valueCount: Int, _ rowCount: Int, _ valid: UnsafePointer<UInt8>, _ bitOffset: Int
  ) {
    var source = valueCount
    for row in stride(from: rowCount - 1, through: 0, by: -1) {
      let bit = bitOffset + row
      let target = values + row * byteWidth
      if valid[bit >> 3] >> UInt8(bit & 7) & 1 == 1 {
        source -= 1
        if source != row { target.copyMemory(from: values + source * byteWidth, byteCount: byteWidth) }
      } else {
        target.initializeMemory(as: UInt8.self, repeating: 0, count: byteWidth)
      }
    }
  }

  @inline(__always) private static func spread<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafeMutableRawPointer, _ valueCount: Int, _ rowCount: Int, _ valid: UnsafePointer<UInt8>, _ bitOffset: Int, _: Bits.Type
  ) {
    // From behind: a value never moves to an earlier row. Without branches, because nulls cannot be predicted.
    let values = values.assumingMemoryBound(to: Bits.self)
    var source = valueCount
    var row = rowCount
    while row > source {
      row &-= 1
      let bit = bitOffset &+ row
      let isValid = valid[bit &>> 3] &>> UInt8(truncatingIfNeeded: bit & 7) & 1
      source &-= Int(isValid)
      values[row] = values[source] & (0 &- Bits(truncatingIfNeeded: isValid))
    }
  }
}

/// BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on.
enum ByteStreams {
  /// - Precondition: `source` has `byteWidth` streams of at least `count` bytes each.
  static func join(_ source: UnsafeRawPointer, streamByteCount: Int, count: Int, byteWidth: Int, into target: UnsafeMutableRawPointer) {
    let source = source.assumingMemoryBound(to: UInt8.self)
    switch byteWidth {
    case 4:
      let target = target.assumingMemoryBound(to: UInt32.self)
      let (a, b, c, d) = (source, source + streamByteCount, source + 2 * streamByteCount, source + 3 * streamByteCount)
      for index in 0..<count {
        target[index] = UInt32(a[index]) | UInt32(b[index]) &<< 8 | UInt32(c[index]) &<< 16 | UInt32(d[index]) &<< 24
      }
    case 8:
      let target = target.assumingMemoryBound(to: UInt64.self)
      let (a, b, c, d) = (source, source + streamByteCount, source + 2 * streamByteCount, source + 3 * streamByteCount)
      let (e, f, g, h) = (a + 4 * streamByteCount, b + 4 * streamByteCount, c + 4 * streamByteCount, d + 4 * streamByteCount)
      for index in 0..<count {
        let low = UInt64(a[index]) | UInt64(b[index]) &<< 8 | UInt64(c[index]) &<< 16 | UInt64(d[index]) &<< 24
        let high = UInt64(e[index]) | UInt64(f[index]) &<< 8 | UInt64(g[index]) &<< 16 | UInt64(h[index]) &<< 24
        target[index] = low | high &<< 32
      }
    default:
      let target = target.assumingMemoryBound(to: UInt8.self)
      for stream in 0..<byteWidth {
        let from = source + stream * streamByteCount
        for index in 0..<count { target[index &* byteWidth &+ stream] = from[index] }
      }
    }
  }

  static func split(_ source: UnsafeRawPointer, count: Int, byteWidth: Int, into target: UnsafeMutableRawPointer) {
    let source = source.assumingMemoryBound(to: UInt8.self)
    let target = target.assumingMemoryBound(to: UInt8.self)
    for stream in 0..<byteWidth {
      let to = target + stream * count
      for index in 0..<count { to[index] = source[index &* byteWidth &+ stream] }
    }
  }
}

/// Bytes of 0 and 1 as bits, least significant first.
enum BoolPacking {
  /// - Precondition: 8 bytes behind the last value are readable, and 8 behind the last bit writable.
  static func pack(_ source: UnsafePointer<UInt8>, count: Int, into target: UnsafeMutableRawPointer) {
    var index = 0
    while index &+ 8 <= count {
      let word = UnsafeRawPointer(source + index).loadUnaligned(as: UInt64.self)
      // Each product bit of the top byte collects one of the eight low bits.
      target.storeBytes(of: UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) &>> 56), toByteOffset: index &>> 3, as: UInt8.self)
      index &+= 8
    }
    guard index < count else { return }
    var last: UInt8 = 0
    for place in 0..<(count - index) { last |= source[index + place] << UInt8(place) }
    target.storeBytes(of: last, toByteOffset: index >> 3, as: UInt8.self)
  }
}
