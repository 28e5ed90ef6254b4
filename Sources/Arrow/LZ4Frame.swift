import CLz4
import Columns

/// The LZ4 frame format (lz4_Frame_format.md, version 1.6): blocks with their lengths between a header and an end mark.
enum LZ4Frame {
  private static let magic: UInt32 = 0x184D_2204
  private static let plainBit: UInt32 = 1 << 31
  /// The largest block of the format, number 7 in its header.
  private static let blockByteCountMax = 4 << 20
  /// How far back a match of a linked block reaches.
  private static let windowByteCount = 64 << 10

  /// Decodes one frame into exactly `target`; false if the frame is damaged or of another length.
  static func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
    guard let header = Header(source), let start = source.baseAddress, let output = target.baseAddress else { return false }
    if let count = header.contentByteCount, count != UInt64(target.count) { return false }
    var (position, written) = (header.byteCount, 0)
    // SAFETY: `position` and `written` are checked against both buffers before each block.
    while true {
      guard position <= source.count - 4 else { return false }
      let word = source.loadUnaligned(fromByteOffset: position, as: UInt32.self)
      position += 4
      if word == 0 { break }
      let length = Int(word & ~plainBit)
      guard length <= source.count - position else { return false }
      let block = start + position
      if word & plainBit != 0 {
        guard length <= target.count - written else { return false }
        (output + written).copyMemory(from: block, byteCount: length)
        written += length
      } else {
        let history = header.isLinked ? min(written, windowByteCount) : 0
        let room = min(target.count - written, blockByteCountMax)
        let decoded = LZ4_decompress_safe_usingDict(
          block.assumingMemoryBound(to: CChar.self), (output + written).assumingMemoryBound(to: CChar.self), Int32(length), Int32(room),
          (output + (written - history)).assumingMemoryBound(to: CChar.self), Int32(history))
        guard decoded >= 0 else { return false }
        written += Int(decoded)
      }
      position += length
      if header.hasBlockChecksums {
        guard position <= source.count - 4, checks(source, position, UnsafeRawBufferPointer(start: block, count: length)) else {
          return false
        }
        position += 4
      }
    }
    guard written == target.count else { return false }
    guard header.hasContentChecksum else { return true }
    return position <= source.count - 4 && checks(source, position, UnsafeRawBufferPointer(target))
  }

  private static func checks(_ source: UnsafeRawBufferPointer, _ position: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    source.loadUnaligned(fromByteOffset: position, as: UInt32.self) == XXH32.hash(bytes)
  }

  private struct Header {
    let byteCount: Int
    let isLinked: Bool
    let hasBlockChecksums: Bool
    let hasContentChecksum: Bool
    let contentByteCount: UInt64?

    init?(_ source: UnsafeRawBufferPointer) {
      guard source.count >= 7, source.loadUnaligned(as: UInt32.self) == magic else { return nil }
      let flags = source[4]
      // Version 01, no reserved bit, no foreign dictionary.
      guard flags >> 6 == 1, flags & 0b11 == 0 else { return nil }
      isLinked = flags & 0x20 == 0
      hasBlockChecksums = flags & 0x10 != 0
      hasContentChecksum = flags & 0x04 != 0
      let hasContentSize = flags & 0x08 != 0
      byteCount = hasContentSize ? 15 : 7
      guard source.count >= byteCount else { return nil }
      contentByteCount = hasContentSize ? source.loadUnaligned(fromByteOffset: 6, as: UInt64.self) : nil
      let described = UnsafeRawBufferPointer(rebasing: source[4..<(byteCount - 1)])
      guard source[byteCount - 1] == UInt8(truncatingIfNeeded: XXH32.hash(described) >> 8) else { return nil }
    }
  }

  /// The most bytes `encode` writes for so many.
  static func bound(_ byteCount: Int) -> Int {
    let blocks = byteCount / blockByteCountMax + 1
    return 15 + 4 + byteCount + blocks * (4 + Int(LZ4_compressBound(Int32(blockByteCountMax))) - blockByteCountMax)
  }

  /// Writes a frame of independent blocks with the content's size; returns its length.
  /// - Precondition: `target` has room for `bound(source.count)` bytes.
  static func encode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer) -> Int {
    target.storeBytes(of: magic, as: UInt32.self)
    // Version 01, independent blocks, content size; blocks of at most 4 MiB.
    target.storeBytes(of: 0x68, toByteOffset: 4, as: UInt8.self)
    target.storeBytes(of: 0x70, toByteOffset: 5, as: UInt8.self)
    target.storeBytes(of: UInt64(source.count), toByteOffset: 6, as: UInt64.self)
    let described = UnsafeRawBufferPointer(start: target + 4, count: 10)
    target.storeBytes(of: UInt8(truncatingIfNeeded: XXH32.hash(described) >> 8), toByteOffset: 14, as: UInt8.self)
    var position = 15
    for start in stride(from: 0, to: source.count, by: blockByteCountMax) {
      let block = UnsafeRawBufferPointer(rebasing: source[start..<min(source.count, start + blockByteCountMax)])
      guard let base = block.baseAddress else { continue }
      // SAFETY: `bound` counts this room for each block.
      let place = target + position + 4
      let length = Int(
        LZ4_compress_default(
          base.assumingMemoryBound(to: CChar.self), place.assumingMemoryBound(to: CChar.self), Int32(block.count),
          LZ4_compressBound(Int32(block.count))))
      let isPlain = length <= 0 || length >= block.count
      if isPlain { place.copyMemory(from: base, byteCount: block.count) }
      let written = isPlain ? block.count : length
      let word = UInt32(written) | (isPlain ? plainBit : 0)
      (target + position).storeBytes(of: word, as: UInt32.self)
      position += 4 + written
    }
    (target + position).storeBytes(of: 0, as: UInt32.self)
    return position + 4
  }
}
