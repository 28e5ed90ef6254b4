internal import CBrotliEnc
internal import CLz4
internal import CSnappy
internal import CZlib
internal import CZstd

/// Compresses pages with one codec after another; keeps what zstd needs between pages.
final class PageCompressor {
  private let zstd = ZSTD_createCCtx()

  deinit { ZSTD_freeCCtx(zstd) }

  /// The longest page that every codec takes, and whose compressed form has a size of 32 bits even if it grows.
  static let byteCountMax = 0x7E00_0000

  /// Appends the compressed bytes; the same bytes for the same input, options and library versions.
  /// - Precondition: there are at most `byteCountMax` bytes.
  func compress(_ source: UnsafeRawBufferPointer, _ codec: ParquetCodec, into sink: inout ByteSink) {
    precondition(source.count <= Self.byteCountMax, "A page of \(source.count) bytes is too long for Parquet")
    guard let start = source.baseAddress, !source.isEmpty || codec != .none else { return }
    let input = start.assumingMemoryBound(to: CChar.self)
    switch codec {
    case .none: sink.append(source)
    case .snappy:
      var length = snappy_max_compressed_length(source.count)
      let target = sink.reserve(length)
      let status = snappy_compress(input, source.count, target.assumingMemoryBound(to: CChar.self), &length)
      precondition(status == SNAPPY_OK, "Snappy refused \(source.count) bytes")
      sink.advance(length)
    case .lz4Raw:
      let bound = LZ4_compressBound(Int32(source.count))
      let target = sink.reserve(Int(bound))
      let length = LZ4_compress_default(input, target.assumingMemoryBound(to: CChar.self), Int32(source.count), bound)
      precondition(length > 0, "LZ4 refused \(source.count) bytes")
      sink.advance(Int(length))
    case .zstd(let level):
      let bound = ZSTD_compressBound(source.count)
      let length = ZSTD_compressCCtx(zstd, sink.reserve(bound), bound, start, source.count, level)
      precondition(ZSTD_isError(length) == 0, "zstd refused \(source.count) bytes")
      sink.advance(length)
    case .gzip: deflate(source, into: &sink)
    case .brotli:
      var length = BrotliEncoderMaxCompressedSize(source.count)
      let target = sink.reserve(length)
      let done = BrotliEncoderCompress(
        Self.brotliQuality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, source.count, start.assumingMemoryBound(to: UInt8.self),
        &length, target.assumingMemoryBound(to: UInt8.self))
      precondition(done == BROTLI_TRUE, "Brotli refused \(source.count) bytes")
      sink.advance(length)
    }
  }

  /// Brotli's default of 11 takes a hundred times as long as zstd; Arrow C++ writes 8, which most readers' files then have.
  private static let brotliQuality: Int32 = 8

  private func deflate(_ source: UnsafeRawBufferPointer, into sink: inout ByteSink) {
    var stream = z_stream()
    // 15 window bits, +16: the gzip format; its head has no time.
    let status = deflateInit2_(
      &stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib could not start: \(status)")
    defer { deflateEnd(&stream) }
    let bound = Int(deflateBound(&stream, UInt(source.count)))
    let target = sink.reserve(bound)
    // zlib does not write to its input; its type only lacks the const.
    stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = UInt32(source.count)
    stream.next_out = target.assumingMemoryBound(to: UInt8.self)
    stream.avail_out = UInt32(bound)
    let ended = CZlib.deflate(&stream, Z_FINISH)
    precondition(ended == Z_STREAM_END, "zlib refused \(source.count) bytes: \(ended)")
    sink.advance(bound - Int(stream.avail_out))
  }
}
