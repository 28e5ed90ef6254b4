import CZstd
import Columns
import Synchronization

/// Compression of a record batch's buffers, one by one.
package enum ArrowCodec: UInt8, Hashable, Sendable {
  case lz4 = 0
  case zstd = 1
}

/// Contexts of one codec for several threads: each takes one, and puts it back.
final class BodyCodecs: Sendable {
  private let idle = Mutex<[BodyCodec]>([])
  private let make: @Sendable () -> BodyCodec

  init(decoding codec: ArrowCodec) { make = { BodyCodec(decoding: codec) } }

  init(encoding codec: ArrowCodec, level: Int32) { make = { BodyCodec(encoding: codec, level: level) } }

  func with<R>(_ body: (BodyCodec) throws(ArrowError) -> R) throws(ArrowError) -> R {
    let codec = idle.withLock { $0.popLast() } ?? make()
    defer { idle.withLock { $0.append(codec) } }
    return try body(codec)
  }

  func encode(_ slice: BufferSlice) -> BufferSlice {
    let codec = idle.withLock { $0.popLast() } ?? make()
    defer { idle.withLock { $0.append(codec) } }
    return codec.encode(slice)
  }
}

/// Decodes and encodes compressed buffers: eight bytes with the length before compression, then the frame; a length of -1
/// says that the bytes follow as they are.
// Sendable: the contexts are used by one thread at a time, see BodyCodecs.
final class BodyCodec: @unchecked Sendable {
  private let codec: ArrowCodec
  private let decoder: OpaquePointer?
  private let encoder: OpaquePointer?
  private let level: Int32

  init(decoding codec: ArrowCodec) {
    self.codec = codec
    decoder = codec == .zstd ? ZSTD_createDCtx() : nil
    encoder = nil
    level = 0
  }

  init(encoding codec: ArrowCodec, level: Int32) {
    self.codec = codec
    self.level = level
    decoder = nil
    encoder = codec == .zstd ? ZSTD_createCCtx() : nil
  }

  deinit {
    ZSTD_freeDCtx(decoder)
    ZSTD_freeCCtx(encoder)
  }

  /// The most bytes one compressed byte stands for: LZ4 repeats at most 255 a byte, zstd at most a block of 128 KiB in 4 bytes.
  private var growthMax: Int { codec == .lz4 ? 256 : 32 << 10 }

  func decode(_ slice: BufferSlice) throws(ArrowError) -> BufferSlice {
    guard slice.byteCount > 0 else { return slice }
    guard slice.byteCount >= 8 else { throw .malformed("a compressed buffer of \(slice.byteCount) bytes has no room for its length") }
    let length = slice.withBytes { Int($0.loadUnaligned(as: Int64.self)) }
    let frame = slice.dropFirst(byteCount: 8)
    guard length != -1 else { return frame }
    guard length >= 0, length / growthMax <= frame.byteCount else {
      throw .malformed("a compressed buffer of \(frame.byteCount) bytes is said to hold \(length)")
    }
    guard length > 0 else { return .empty }
    let buffer = Buffer(byteCapacity: length)
    let isDecoded = frame.withBytes { source in
      let target = UnsafeMutableRawBufferPointer(start: buffer.pointer, count: length)
      switch codec {
      case .lz4: return LZ4Frame.decode(source, into: target)
      case .zstd:
        let written = ZSTD_decompressDCtx(decoder, target.baseAddress, length, source.baseAddress, source.count)
        return ZSTD_isError(written) == 0 && written == length
      }
    }
    guard isDecoded else {
      throw .malformed("a buffer of \(frame.byteCount) bytes is no \(codec == .lz4 ? "LZ4" : "zstd") frame of \(length) bytes")
    }
    return BufferSlice(buffer, byteCount: length)
  }

  func encode(_ source: BufferSlice) -> BufferSlice {
    guard source.byteCount > 0 else { return source }
    let bound = codec == .lz4 ? LZ4Frame.bound(source.byteCount) : ZSTD_compressBound(source.byteCount)
    let buffer = Buffer(byteCapacity: 8 + max(bound, source.byteCount))
    let written = source.withBytes { bytes in
      switch codec {
      case .lz4: return LZ4Frame.encode(bytes, into: buffer.pointer + 8)
      case .zstd:
        let length = ZSTD_compressCCtx(encoder, buffer.pointer + 8, bound, bytes.baseAddress, bytes.count, level)
        precondition(ZSTD_isError(length) == 0, "zstd refused \(bytes.count) bytes")
        return length
      }
    }
    guard written < source.byteCount else {
      buffer.pointer.storeBytes(of: -1, as: Int64.self)
      source.withBytes { (buffer.pointer + 8).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      return BufferSlice(buffer, byteCount: 8 + source.byteCount)
    }
    buffer.pointer.storeBytes(of: Int64(source.byteCount), as: Int64.self)
    return BufferSlice(buffer, byteCount: 8 + written)
  }
}
