import Columns

/// Opens the levels of data pages.
///
/// Source: parquet-format/Encodings.md, "Run Length Encoding / Bit-Packing Hybrid" and "Bit-packed (Deprecated)".
enum LevelDecoding {
  /// Bits of a level of at most `greatest`.
  static func bitWidth(_ greatest: Int) -> Int { Int.bitWidth - greatest.leadingZeroBitCount }

  /// Cuts the levels off the front of a page of the first version.
  /// - Returns: the bytes of the levels; `body` starts behind them.
  static func cut(
    _ body: inout UnsafeRawBufferPointer, _ encoding: Encoding, greatest: Int, count: Int
  ) throws(ParquetError) -> UnsafeRawBufferPointer {
    switch encoding {
    case .rle:
      guard body.count >= 4 else { throw .malformed("it has \(body.count) bytes, too few for its levels") }
      let length = Int(body.loadUnaligned(as: UInt32.self))
      guard length <= body.count - 4 else { throw .malformed("its levels claim \(length) bytes of \(body.count - 4)") }
      let levels = UnsafeRawBufferPointer(rebasing: body[4..<(4 + length)])
      body = UnsafeRawBufferPointer(rebasing: body[(4 + length)...])
      return levels
    case .bitPacked:
      let length = (count * bitWidth(greatest) + 7) / 8
      guard length <= body.count else { throw .malformed("its levels take \(length) bytes of \(body.count)") }
      let levels = UnsafeRawBufferPointer(rebasing: body[..<length])
      body = UnsafeRawBufferPointer(rebasing: body[length...])
      return levels
    default: throw .unsupported("its levels have the encoding \(encoding)")
    }
  }

  /// - Parameter levels: as `cut` returns them, followed by the slack of `BitUnpack`.
  static func cursor(_ levels: UnsafeRawBufferPointer, _ encoding: Encoding, greatest: Int, count: Int) throws(ParquetError) -> HybridCursor
  {
    let width = bitWidth(greatest)
    guard encoding == .bitPacked else {
      return HybridCursor(levels, bitWidth: width, count: count, limit: greatest + 1, subject: "level")
    }
    let unpacked = unpack(levels, bitWidth: width, count: count)
    let values = unpacked.pointer.assumingMemoryBound(to: UInt32.self)
    for index in 0..<count where values[index] > greatest {
      throw .malformed("it refers to level \(values[index]), there are \(greatest + 1)")
    }
    return HybridCursor(unpacked: unpacked, count: count)
  }

  /// The deprecated packing starts at the most significant bit. - Precondition: `levels` hold as many.
  private static func unpack(_ levels: UnsafeRawBufferPointer, bitWidth: Int, count: Int) -> Buffer {
    let buffer = Buffer(byteCapacity: count * 4)
    let target = buffer.pointer.assumingMemoryBound(to: UInt32.self)
    var bit = 0
    for index in 0..<count {
      var value: UInt32 = 0
      for _ in 0..<bitWidth {
        value = value << 1 | UInt32(levels[bit >> 3] >> UInt8(7 - bit & 7) & 1)
        bit += 1
      }
      target[index] = value
    }
    return buffer
  }

  /// Which rows of a page of a flat column have a value.
  static func validity(
    _ levels: UnsafeRawBufferPointer, _ encoding: Encoding, count: Int
  ) throws(ParquetError) -> ValidityAppender {
    var validity = ValidityAppender(capacity: count)
    if encoding == .bitPacked {
      for row in 0..<count { validity.append(repeating: levels[row >> 3] >> UInt8(7 - row & 7) & 1 == 1, count: 1) }
      return validity
    }
    var runs = HybridRuns(levels, bitWidth: 1, count: count)
    while let run = try runs.next() {
      switch run {
      case .repeated(let value, let count): validity.append(repeating: value == 1, count: count)
      case .packed(let offset, let count):
        // SAFETY: a packed run has bytes, and the slack follows them.
        validity.append(packed: levels.baseAddress! + offset, count: count)
      }
    }
    guard validity.count == count else {
      throw .malformed("its levels end after \(levels.count) bytes with \(validity.count) of \(count) values")
    }
    return validity
  }
}
