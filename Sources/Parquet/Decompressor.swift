internal import CBrotliDec
internal import CLz4
internal import CSnappy
internal import CZlib
internal import CZstd
import Columns

/// Undoes the general compression of pages; sizes come from the file and are checked before memory is asked for.
struct Decompressor: ~Copyable {
  private let code: Int32
  private let zstd: OpaquePointer?
  /// The most bytes that the codec's format can make of one.
  private let ratioMax: Int

  /// - Throws: `.unsupported` for LZO, `.malformed` for numbers that are no codec.
  init(code: Int32) throws(ParquetError) {
    switch code {
    case 0: ratioMax = 1
    // A copy of 64 bytes takes three at most, of 2 bytes each where they are near.
    case 1: ratioMax = 64
    // 258 bytes from two bits (zlib.net, "Maximum Compression Factor").
    case 2: ratioMax = 1032
    case 3: throw .unsupported("its codec LZO is not supported")
    // 16 MiB from a meta-block of a few bytes; memory follows what really comes.
    case 4: ratioMax = 1 << 24
    // A byte of length stands for 255 bytes.
    case 5, 7: ratioMax = 256
    // A block of 128 KiB takes four bytes.
    case 6: ratioMax = 1 << 15
    default: throw .malformed("its codec \(code) is unknown")
    }
    self.code = code
    zstd = code == 6 ? ZSTD_createDCtx() : nil
  }

  deinit { if let zstd { ZSTD_freeDCtx(zstd) } }

  var isIdentity: Bool { code == 0 }

  /// The decoded bytes, exactly `byteCount` of them, with a buffer's slack behind.
  func decompress(_ source: UnsafeRawBufferPointer, byteCount: Int) throws(ParquetError) -> Buffer {
    // Heads and tables of tiny pages distort the ratio.
    guard byteCount <= source.count * ratioMax + (1 << 16) else {
      throw .malformed("\(source.count) compressed bytes cannot hold the claimed \(byteCount)")
    }
    // Writers leave out the bytes of pages that hold nulls alone.
    if source.isEmpty && byteCount == 0 { return Buffer(byteCapacity: 0) }
    if code == 4 { return try BrotliDecoding.decode(source, byteCount: byteCount) }
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
    case 5: return Lz4Decoding.decode(source, into: target, byteCount: byteCount)
    case 7: return Lz4Decoding.block(source, into: target, byteCount: byteCount)
    default:
      let length = ZSTD_decompressDCtx(zstd, target, byteCount, start, source.count)
      return ZSTD_isError(length) == 0 ? length : nil
    }
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

/// Brotli, whose pages may hold almost any number of bytes: memory grows with what comes.
enum BrotliDecoding {
  /// Enough for all but the most repetitive pages at once.
  private static let ratioUsual = 64

  static func decode(_ source: UnsafeRawBufferPointer, byteCount: Int) throws(ParquetError) -> Buffer {
    guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else { throw .unsupported("Brotli could not be started") }
    defer { BrotliDecoderDestroyInstance(state) }
    var target = Buffer(byteCapacity: min(byteCount, max(1 << 16, source.count * ratioUsual)))
    var inputLeft = source.count
    var input = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var written = 0
    while true {
      // SAFETY: the decoder writes at most `outputLeft` bytes, for which the target has room.
      var outputLeft = min(target.byteCapacity, byteCount) - written
      let room = outputLeft
      var output: UnsafeMutablePointer<UInt8>? = target.pointer.assumingMemoryBound(to: UInt8.self) + written
      let status = BrotliDecoderDecompressStream(state, &inputLeft, &input, &outputLeft, &output, nil)
      written += room - outputLeft
      if status == BROTLI_DECODER_RESULT_SUCCESS {
        guard written == byteCount else { throw .malformed("its compressed bytes hold \(written) bytes, expected \(byteCount) bytes") }
        return target
      }
      guard status == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT, written < byteCount else {
        throw .malformed("its compressed bytes hold no valid data, expected \(byteCount) bytes")
      }
      // What has come is copied, and fresh memory costs more than decoding: few steps.
      let larger = Buffer(byteCapacity: min(byteCount, max(written * 8, 1 << 16)))
      larger.pointer.copyMemory(from: target.pointer, byteCount: written)
      target = larger
    }
  }
}

/// LZ4 in its three framings: bare blocks, Hadoop's and LZ4's own.
///
/// Source: parquet-format/Compression.md, "LZ4" and "LZ4_RAW"; lz4/doc/lz4_Frame_format.md.
enum Lz4Decoding {
  /// The codec that is deprecated because its framing was left open. Nil when the bytes are none of the three.
  static func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    if byteCount == 0 && isEmptyHadoop(source) { return 0 }
    return hadoop(source, into: target, byteCount: byteCount) ?? frames(source, into: target, byteCount: byteCount)
      ?? block(source, into: target, byteCount: byteCount)
  }

  static func block(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    guard let start = source.baseAddress, let inputCount = Int32(exactly: source.count), let outputMax = Int32(exactly: byteCount)
    else { return nil }
    let input = start.assumingMemoryBound(to: CChar.self)
    let length = LZ4_decompress_safe(input, target.assumingMemoryBound(to: CChar.self), inputCount, outputMax)
    return length >= 0 ? Int(length) : nil
  }

  /// Hadoop's framing: a big-endian decoded size, then as many blocks as hold it, each behind its stored size.
  private static func hadoop(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    var position = 0
    var written = 0
    func size() -> Int? {
      guard source.count - position >= 4 else { return nil }
      defer { position += 4 }
      return Int(UInt32(bigEndian: source.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
    }
    while position < source.count {
      guard let decoded = size(), decoded <= byteCount - written else { return nil }
      let end = written + decoded
      while written < end {
        guard let stored = size(), stored > 0, stored <= source.count - position else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: source[position..<(position + stored)])
        guard let count = block(bytes, into: target + written, byteCount: end - written), count > 0 else { return nil }
        position += stored
        written += count
      }
    }
    return written == byteCount ? written : nil
  }

  /// Hadoop's framing of nothing: the size zero, behind which may stand a block that holds nothing.
  private static func isEmptyHadoop(_ source: UnsafeRawBufferPointer) -> Bool {
    guard source.count >= 4, source.prefix(4).allSatisfy({ $0 == 0 }) else { return false }
    if source.count == 4 { return true }
    // The block of nothing is one token, a zero.
    return source.count == 9 && source[4...].elementsEqual([0, 0, 0, 1, 0])
  }

  private static func frames(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, byteCount: Int) -> Int? {
    guard source.count >= 4, source.loadUnaligned(as: UInt32.self) == 0x184D_2204, let start = source.baseAddress else { return nil }
    var context: OpaquePointer?
    guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else { return nil }
    defer { LZ4F_freeDecompressionContext(context) }
    var (read, written, isAtEnd) = (0, 0, false)
    while read < source.count {
      var (outputCount, inputCount) = (byteCount - written, source.count - read)
      let hint = LZ4F_decompress(context, target + written, &outputCount, start + read, &inputCount, nil)
      guard LZ4F_isError(hint) == 0, outputCount > 0 || inputCount > 0 else { return nil }
      read += inputCount
      written += outputCount
      isAtEnd = hint == 0
    }
    return isAtEnd ? written : nil
  }
}

/// CRC-32 as gzip and Parquet's page headers use it.
enum PageChecksum {
  static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return 0 }
    return UInt32(truncatingIfNeeded: CZlib.crc32_z(0, start.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
