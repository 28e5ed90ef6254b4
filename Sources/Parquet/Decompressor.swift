internal import CLz4
internal import CSnappy
internal import CZlib
internal import CZstd
import Columns

/// Undoes the general compression of pages; sizes come from the file and are checked before memory is asked for.
struct Decompressor: ~Copyable {
  private let code: Int32
  private let zstd: OpaquePointer?

  /// No codec in use makes more than 64 Ki bytes of one, save for tiny pages.
  private static let ratioMax = 1 << 16

  /// - Throws: `.unsupported` for codecs that are not built in (LZO, Brotli).
  init(code: Int32) throws(ParquetError) {
    switch code {
    case 0, 1, 2, 5, 6, 7: break
    case 3: throw .unsupported("its codec LZO is not supported")
    case 4: throw .unsupported("its codec Brotli is not supported")
    default: throw .malformed("its codec \(code) is unknown")
    }
    self.code = code
    zstd = code == 6 ? ZSTD_createDCtx() : nil
  }

  deinit { if let zstd { ZSTD_freeDCtx(zstd) } }

  var isIdentity: Bool { code == 0 }

  /// The decoded bytes, exactly `byteCount` of them, with a buffer's slack behind.
  func decompress(_ source: UnsafeRawBufferPointer, byteCount: Int) throws(ParquetError) -> Buffer {
    guard byteCount <= source.count * Self.ratioMax + (1 << 16) else {
      throw .malformed("\(source.count) compressed bytes cannot hold the claimed \(byteCount)")
    }
    let target = Buffer(byteCapacity: byteCount)
    let decoded = try decompress(source, into: target.pointer, byteCount: byteCount)
    guard decoded == byteCount else {
      throw .malformed("its compressed bytes hold \(decoded.map { "\($0) bytes" } ?? "no valid data"), expected \(byteCount) bytes")
    }
    return target
  }

  /// The number of decoded bytes, nil when the source is invalid or does not fit.
  private func decompress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int
  ) throws(ParquetError) -> Int? {
    guard let start = source.baseAddress, source.count > 0 else { return byteCount == 0 ? 0 : nil }
    switch code {
    case 0:
      guard source.count <= byteCount else { return nil }
      target.copyMemory(from: start, byteCount: source.count)
      return source.count
    case 1:
      var length = byteCount
      let input = start.assumingMemoryBound(to: CChar.self)
      let status = snappy_uncompress(input, source.count, target.assumingMemoryBound(to: CChar.self), &length)
      return status == SNAPPY_OK ? length : nil
    case 2: return inflate(source, into: target, byteCount: byteCount)
    case 5: return hadoopLz4(source, into: target, byteCount: byteCount) ?? rawLz4(source, into: target, byteCount: byteCount)
    case 7: return rawLz4(source, into: target, byteCount: byteCount)
    default:
      let length = ZSTD_decompressDCtx(zstd, target, byteCount, start, source.count)
      return ZSTD_isError(length) == 0 ? length : nil
    }
  }

  private func rawLz4(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    guard let start = source.baseAddress, let inputCount = Int32(exactly: source.count), let outputMax = Int32(exactly: byteCount)
    else { return nil }
    let input = start.assumingMemoryBound(to: CChar.self)
    let length = LZ4_decompress_safe(input, target.assumingMemoryBound(to: CChar.self), inputCount, outputMax)
    return length >= 0 ? Int(length) : nil
  }

  /// Hadoop's framing: big-endian decoded and stored sizes in front of every block. Nil when the bytes are not framed so.
  private func hadoopLz4(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    var position = 0
    var written = 0
    while position + 8 <= source.count {
      let decoded = Int(UInt32(bigEndian: source.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
      let stored = Int(UInt32(bigEndian: source.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self)))
      position += 8
      guard stored <= source.count - position, decoded <= byteCount - written else { return nil }
      let block = UnsafeRawBufferPointer(rebasing: source[position..<(position + stored)])
      guard rawLz4(block, into: target + written, byteCount: decoded) == decoded else { return nil }
      position += stored
      written += decoded
    }
    return position == source.count && written == byteCount ? written : nil
  }

  /// Gzip or zlib, and several gzip members in a row.
  private func inflate(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    guard let start = source.baseAddress, source.count <= Int(UInt32.max), byteCount <= Int(UInt32.max) else { return nil }
    var stream = z_stream()
    // 15 window bits, +32: recognise gzip and zlib by their heads.
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    // zlib does not write to its input; its type only lacks the const.
    stream.next_in = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = UInt32(source.count)
    stream.next_out = target.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(byteCount)
    while true {
      let status = CZlib.inflate(&stream, Z_FINISH)
      guard status == Z_STREAM_END else { return nil }
      if stream.avail_in == 0 || stream.avail_out == 0 { return byteCount - Int(stream.avail_out) }
      guard inflateReset(&stream) == Z_OK else { return nil }
    }
  }
}

/// CRC-32 as gzip and Parquet's page headers use it.
enum PageChecksum {
  static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return 0 }
    return UInt32(truncatingIfNeeded: CZlib.crc32_z(0, start.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
