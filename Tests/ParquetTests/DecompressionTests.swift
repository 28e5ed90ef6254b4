import CBrotliEnc
import CLz4
import Columns
import Testing

@testable import Parquet

@Suite struct DecompressionTests {
  static func decoded(_ bytes: [UInt8], codec: Int32, byteCount: Int) throws(ParquetError) -> [UInt8] {
    let decompressor = try Decompressor(code: codec)
    let slice = BufferSlice(copying: bytes)
    let buffer = try slice.withBytes { (bytes) throws(ParquetError) in try decompressor.decompress(bytes, byteCount: byteCount) }
    return Array(UnsafeRawBufferPointer(start: buffer.pointer, count: byteCount))
  }

  static let text = Array(String(repeating: "the quick brown fox; ", count: 500).utf8)

  static func block(_ bytes: [UInt8]) -> [UInt8] {
    var target = [UInt8](repeating: 0, count: Int(LZ4_compressBound(Int32(bytes.count))))
    let count = bytes.withUnsafeBytes { source in
      target.withUnsafeMutableBytes {
        LZ4_compress_default(
          source.baseAddress!.assumingMemoryBound(to: CChar.self), $0.baseAddress!.assumingMemoryBound(to: CChar.self),
          Int32(source.count), Int32($0.count))
      }
    }
    return Array(target.prefix(Int(count)))
  }

  static func bigEndian(_ value: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(value).bigEndian) { Array($0) } }

  @Test(arguments: [1, 2, 4, 5, 6, 7] as [Int32]) func noBytesAreNoBytesInEveryCodec(codec: Int32) throws {
    #expect(try Self.decoded([], codec: codec, byteCount: 0) == [])
    #expect(throws: ParquetError.self) { try Self.decoded([], codec: codec, byteCount: 1) }
  }

  @Test func hadoopFramesOfNothingAreNothing() throws {
    for bytes in [[0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0]] as [[UInt8]] {
      #expect(try Self.decoded(bytes, codec: 5, byteCount: 0) == [])
      #expect(throws: ParquetError.self) { try Self.decoded(bytes, codec: 5, byteCount: 1) }
      #expect(throws: ParquetError.self) { try Self.decoded(bytes + [1], codec: 5, byteCount: 0) }
    }
  }

  @Test func lz4IsReadInItsThreeFramings() throws {
    let (first, second) = (Self.block(Array(Self.text.prefix(4000))), Self.block(Array(Self.text.dropFirst(4000))))
    let whole = Self.block(Self.text)
    // One frame of Hadoop's with two blocks, and two frames of one block each.
    let one = Self.bigEndian(Self.text.count) + Self.bigEndian(first.count) + first + Self.bigEndian(second.count) + second
    let two =
      Self.bigEndian(4000) + Self.bigEndian(first.count) + first + Self.bigEndian(Self.text.count - 4000) + Self.bigEndian(second.count)
      + second
    var frame = [UInt8](repeating: 0, count: LZ4F_compressFrameBound(Self.text.count, nil))
    let count = Self.text.withUnsafeBytes { source in
      frame.withUnsafeMutableBytes { LZ4F_compressFrame($0.baseAddress, $0.count, source.baseAddress, source.count, nil) }
    }
    for bytes in [whole, one, two, Array(frame.prefix(count))] {
      #expect(try Self.decoded(bytes, codec: 5, byteCount: Self.text.count) == Self.text)
      #expect(throws: ParquetError.self) { try Self.decoded(Array(bytes.dropLast(3)), codec: 5, byteCount: Self.text.count) }
    }
    #expect(try Self.decoded(whole, codec: 7, byteCount: Self.text.count) == Self.text)
  }

  @Test func brotliGrowsWithWhatComes() throws {
    let zeros = [UInt8](repeating: 0, count: 3_000_000)
    var target = [UInt8](repeating: 0, count: 10_000)
    var count = target.count
    #expect(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, zeros.count, zeros, &count, &target) == 1)
    let bytes = Array(target.prefix(count))
    #expect(bytes.count < 100)
    #expect(try Self.decoded(bytes, codec: 4, byteCount: zeros.count) == zeros)
    #expect(throws: ParquetError(kind: .malformed, text: "its compressed bytes hold 3000000 bytes, expected 3000001 bytes")) {
      try Self.decoded(bytes, codec: 4, byteCount: 3_000_001)
    }
    #expect(throws: ParquetError(kind: .malformed, text: "its compressed bytes hold no valid data, expected 2999999 bytes")) {
      try Self.decoded(bytes, codec: 4, byteCount: 2_999_999)
    }
  }

  @Test func absurdSizesAreRefusedBeforeMemoryIsAskedFor() {
    for codec: Int32 in [1, 2, 5, 6, 7] {
      #expect(throws: ParquetError(kind: .malformed, text: "5 compressed bytes cannot hold the claimed 2147483647")) {
        try Self.decoded([1, 2, 3, 4, 5], codec: codec, byteCount: Int(Int32.max))
      }
    }
    // Brotli may make anything of five bytes, but these make nothing.
    #expect(throws: ParquetError.self) { try Self.decoded([1, 2, 3, 4, 5], codec: 4, byteCount: 1 << 26) }
  }

  @Test func textMustBeUnicode() throws {
    func read(_ values: [[UInt8]]) throws -> Batch {
      let column = Column(.binary, values.map { .binary($0) }).reinterpreted(as: .string)
      let batch = Batch(schema: Schema([Field("s", .string)]), columns: [column], rowCount: values.count)
      return try ParquetReader(bytes: ParquetWriter.encode(batch, options: .leaf(keyColumns: [0]))).read(rowGroup: 0)
    }
    let good = [Array("ascii".utf8), Array("žluť 🐎".utf8), []]
    #expect(try read(good).columns[0].scalars == [.string("ascii"), .string("žluť 🐎"), .string("")])
    // A lone surrogate, an overlong slash, and a character torn between two values.
    for bad in [[good[0], [0xED, 0xA0, 0x80]], [good[0], [0xC0, 0xAF]], [[0xC5], [0xBE]]] {
      let index = bad[0].count == 1 ? 0 : 1
      let error = #expect(throws: ParquetError.self) { try read(bad) }
      #expect(error?.text.hasSuffix("value \(index) is not valid UTF-8, which its type promises") == true, "\(String(describing: error))")
    }
  }
}
