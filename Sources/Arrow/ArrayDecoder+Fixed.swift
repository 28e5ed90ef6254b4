import Columns

extension ArrayDecoder {
  /// The values of a fixed-width array, without copying when they are aligned.
  func fixed(_ array: ArrayData, byteWidth: Int) throws(ArrowError) -> BufferSlice {
    let data = try values(array, byteWidth: byteWidth)
    let alignment = [2, 4, 8, 16].contains(byteWidth) ? byteWidth : 1
    return data.aligned(to: alignment)
  }

  /// The bytes of the values from `offset` on, checked to be there.
  private func values(_ array: ArrayData, byteWidth: Int) throws(ArrowError) -> BufferSlice {
    let data = array.buffers[1]
    // Counts and offsets are below 2^31, as are widths: no product overflows.
    let wanted = (array.offset + array.count) * byteWidth
    guard data.byteCount >= wanted else {
      throw .malformed("\(array.offset + array.count) values of \(byteWidth) bytes need \(wanted) bytes, found \(data.byteCount)")
    }
    return data.slice(byteOffset: array.offset * byteWidth, byteCount: array.count * byteWidth)
  }

  /// Milliseconds since the epoch as days.
  func days(_ array: ArrayData, _ validity: Bitmap?) throws(ArrowError) -> BufferSlice {
    let source = try values(array, byteWidth: 8)
    let buffer = Buffer(byteCapacity: array.count * 4)
    defer { _fixLifetime(source.owner) }
    // SAFETY: source and target hold `count` values each.
    let target = buffer.pointer.assumingMemoryBound(to: Int32.self)
    let dayMillis: Int64 = 86_400_000
    for row in 0..<array.count {
      guard validity.map({ $0[row] }) ?? true else {
        target[row] = 0
        continue
      }
      let millis = source.start.loadUnaligned(fromByteOffset: row * 8, as: Int64.self)
      guard millis % dayMillis == 0, let day = Int32(exactly: millis / dayMillis) else {
        throw .unsupported("the date in row \(row), \(millis) ms, is no whole number of days that fits 32 bits")
      }
      target[row] = day
    }
    return BufferSlice(buffer, byteCount: array.count * 4)
  }

  /// Decimals as `Int128`.
  func decimals(_ array: ArrayData, _ validity: Bitmap?, bitWidth: Int, shift: Int) throws(ArrowError) -> BufferSlice {
    if bitWidth == 128 && shift == 0 { return try fixed(array, byteWidth: 16) }
    let byteWidth = bitWidth / 8
    let source = try values(array, byteWidth: byteWidth)
    let buffer = Buffer(byteCapacity: array.count * 16)
    defer { _fixLifetime(source.owner) }
    // SAFETY: source and target hold `count` values each.
    let target = buffer.pointer.assumingMemoryBound(to: Int128.self)
    let factor = (0..<shift).reduce(Int128(1)) { power, _ in power * 10 }
    for row in 0..<array.count {
      guard validity.map({ $0[row] }) ?? true else {
        target[row] = 0
        continue
      }
      let start = source.start + row * byteWidth
      let unscaled: Int128
      switch bitWidth {
      case 32: unscaled = Int128(start.loadUnaligned(as: Int32.self))
      case 64: unscaled = Int128(start.loadUnaligned(as: Int64.self))
      default:
        unscaled = Int128.load(start)
        // 256 bits fit when the upper half only repeats the sign.
        guard bitWidth == 128 || Int128.load(start + 16) == unscaled >> 127 else {
          throw .unsupported("the decimal in row \(row) has more than 38 digits")
        }
      }
      let (scaled, isOverflow) = unscaled.multipliedReportingOverflow(by: factor)
      guard !isOverflow, scaled.magnitude < Self.decimalMagnitudeEnd else {
        throw .unsupported("the decimal in row \(row) has more than 38 digits")
      }
      target[row] = scaled
    }
    return BufferSlice(buffer, byteCount: array.count * 16)
  }

  /// 10^38
  private static let decimalMagnitudeEnd = (0..<38).reduce(UInt128(1)) { power, _ in power * 10 }
}

extension Int128 {
  /// Reads 16 bytes that need not be aligned.
  fileprivate static func load(_ start: UnsafeRawPointer) -> Int128 {
    let low = start.loadUnaligned(as: UInt64.self)
    let high = start.loadUnaligned(fromByteOffset: 8, as: Int64.self)
    return Int128(high) << 64 | Int128(low)
  }
}

extension BufferSlice {
  /// The same bytes at an address that is a multiple of `alignment`, copied only if they lie elsewhere.
  func aligned(to alignment: Int) -> BufferSlice {
    Int(bitPattern: start) % alignment != 0 && byteCount > 0 ? copy() : self
  }
}
