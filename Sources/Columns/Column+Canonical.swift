#if canImport(Glibc)
  import Glibc
#endif

/// The bits under which equal floating point values are stored.
enum CanonicalFloat {
  static let nan64: UInt64 = 0x7ff8_0000_0000_0000
  static let nan32: UInt32 = 0x7fc0_0000
  static let nan16: UInt16 = 0x7e00

  @inline(__always) static func bits(_ bits: UInt16) -> UInt16 {
    let magnitude = bits & 0x7fff
    return magnitude > 0x7c00 ? nan16 : magnitude == 0 ? 0 : bits
  }

  @inline(__always) static func bits(_ bits: UInt64) -> UInt64 {
    let magnitude = bits & 0x7fff_ffff_ffff_ffff
    return magnitude > 0x7ff0_0000_0000_0000 ? nan64 : magnitude == 0 ? 0 : bits
  }

  @inline(__always) static func bits(_ bits: UInt32) -> UInt32 {
    let magnitude = bits & 0x7fff_ffff
    return magnitude > 0x7f80_0000 ? nan32 : magnitude == 0 ? 0 : bits
  }
}

extension Column {
  /// The same values with one form each: -0.0 becomes +0.0, every NaN the quiet one without payload (0x7ff8000000000000,
  /// 0x7fc00000, 0x7e00), and what lies under a null zero or empty. Returns the same buffers when they are canonical already.
  /// - Complexity: O(count)
  package func canonicalized() -> Column {
    defer { _fixLifetime(self) }
    switch type {
    case .float64: return canonicalized(UInt64.self) { CanonicalFloat.bits($0) }
    case .float32: return canonicalized(UInt32.self) { CanonicalFloat.bits($0) }
    case .float16: return canonicalized(UInt16.self) { CanonicalFloat.bits($0) }
    case .list, .map, .structure: return canonicalizedNested()
    case .fixedBinary(let width):
      guard let validity else { return self }
      for row in 0..<count where !validity[row] {
        let value = UnsafeRawBufferPointer(start: data.start + row * width, count: width)
        // Taking rows writes zeros under nulls.
        if value.contains(where: { $0 != 0 }) { return take((0..<Int32(count)).map { $0 }) }
      }
      return self
    case .bool:
      guard let validity, hasBitUnderNull(validity) else { return self }
      return Column(type: type, count: count, validity: validity, data: bits.compacted(mask: validity).slice)
    case .string, .binary:
      guard let validity else { return self }
      let offsets = bytes.offsets
      for row in 0..<count where !validity[row] && offsets[row + 1] != offsets[row] {
        // Taking rows writes nothing under nulls.
        return take((0..<Int32(count)).map { $0 })
      }
      return self
    default:
      guard nullCount > 0 else { return self }
      return switch type.byteWidth {
      case 1: canonicalized(UInt8.self) { $0 }
      case 2: canonicalized(UInt16.self) { $0 }
      case 4: canonicalized(UInt32.self) { $0 }
      case 8: canonicalized(UInt64.self) { $0 }
      default: canonicalized(UInt128.self) { $0 }
      }
    }
  }

  private func hasBitUnderNull(_ validity: Bitmap) -> Bool {
    let bits = self.bits
    return stride(from: 0, to: count, by: 64).contains { bits.word(at: $0) & ~validity.word(at: $0) != 0 }
  }

  @inline(__always) private func canonicalized<Bits: FixedWidthInteger & BitwiseCopyable>(
    _: Bits.Type, _ canonical: (Bits) -> Bits
  ) -> Column {
    // SAFETY: the column holds count values of this width.
    let source = data.start.assumingMemoryBound(to: Bits.self)
    var different: Bits = 0
    if let validity {
      for row in 0..<count { different |= (validity[row] ? canonical(source[row]) : 0) ^ source[row] }
    } else {
      for row in 0..<count { different |= canonical(source[row]) ^ source[row] }
    }
    if different == 0 { return self }
    let byteCount = count * MemoryLayout<Bits>.stride
    let buffer = Buffer(byteCapacity: byteCount)
    let target = buffer.pointer.assumingMemoryBound(to: Bits.self)
    if let validity {
      for row in 0..<count { target[row] = validity[row] ? canonical(source[row]) : 0 }
    } else {
      for row in 0..<count { target[row] = canonical(source[row]) }
    }
    return Column(type: type, count: count, validity: validity, data: BufferSlice(buffer, byteCount: byteCount))
  }

  /// Whether both have the same type, nulls and values; floats are equal when their canonical bits are, so that NaN
  /// equals NaN and -0.0 equals +0.0. What lies under nulls does not count.
  /// - Complexity: O(count), plus the bytes of strings.
  package func equalsExactly(_ other: Column) -> Bool {
    defer { _fixLifetime((self, other)) }
    guard type == other.type, count == other.count, nullCount == other.nullCount else { return false }
    if let validity, let theirs = other.validity, !validity.equals(theirs) { return false }
    switch type {
    case .bool:
      let (x, y) = (bits, other.bits)
      return stride(from: 0, to: count, by: 64).allSatisfy { index in
        (x.word(at: index) ^ y.word(at: index)) & (validity?.word(at: index) ?? .max) == 0
      }
    case .string, .binary:
      let (x, y) = (bytes, other.bytes)
      for row in 0..<count where isValid(row) {
        let (a, b) = (x[row], y[row])
        guard a.count == b.count, a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0 else { return false }
      }
      return true
    case .float64: return equals(other, UInt64.self) { CanonicalFloat.bits($0) }
    case .float32: return equals(other, UInt32.self) { CanonicalFloat.bits($0) }
    case .float16: return equals(other, UInt16.self) { CanonicalFloat.bits($0) }
    case .list, .map, .structure: return equalsNested(other)
    case .fixedBinary(let width):
      return (0..<count).allSatisfy { row in
        !isValid(row) || memcmp(data.start + row * width, other.data.start + row * width, width) == 0
      }
    default:
      return switch type.byteWidth {
      case 1: equals(other, UInt8.self) { $0 }
      case 2: equals(other, UInt16.self) { $0 }
      case 4: equals(other, UInt32.self) { $0 }
      case 8: equals(other, UInt64.self) { $0 }
      default: equals(other, UInt128.self) { $0 }
      }
    }
  }

  @inline(__always) private func equals<Bits: FixedWidthInteger & BitwiseCopyable>(
    _ other: Column, _: Bits.Type, _ canonical: (Bits) -> Bits
  ) -> Bool {
    // SAFETY: both columns hold count values of this width.
    let x = data.start.assumingMemoryBound(to: Bits.self)
    let y = other.data.start.assumingMemoryBound(to: Bits.self)
    var start = 0
    // In blocks: the inner loop has no exit and can use vectors, the outer one stops early.
    while start < count {
      let end = min(count, start + 1024)
      var different: Bits = 0
      if let validity {
        for row in start..<end where validity[row] { different |= canonical(x[row]) ^ canonical(y[row]) }
      } else {
        for row in start..<end { different |= canonical(x[row]) ^ canonical(y[row]) }
      }
      if different != 0 { return false }
      start = end
    }
    return true
  }
}
