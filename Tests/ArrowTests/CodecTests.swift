import Columns
import Glibc
import Testing

@testable import Arrow

@Suite struct CodecTests {
  @Test func hashesAreThoseOfTheReference() {
    // Vectors of the reference implementation, seed 0.
    let vectors: [(String, UInt32)] = [
      ("", 0x02CC_5D05), ("a", 0x550D_7456), ("abc", 0x32D1_53FF), ("Nobody inspects the spammish repetition", 0xE229_3B2F),
    ]
    for (text, hash) in vectors { #expect(Array(text.utf8).withUnsafeBytes { XXH32.hash($0) } == hash, "\(text)") }
  }

  @Test(arguments: [ArrowCodec.lz4, .zstd]) func buffersOfAllKindsComeBack(codec: ArrowCodec) throws {
    let seed: UInt64 = 99
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let (encoder, decoder) = (BodyCodec(encoding: codec, level: 1), BodyCodec(decoding: codec))
    for count in [1, 8, 1000, 70_000] {
      for modulus in [1, 7, 256] as [UInt64] {
        let bytes = (0..<count).map { $0 % 64 == 0 ? UInt8(random.next() % modulus) : UInt8($0 % Int(modulus)) }
        let encoded = encoder.encode(BufferSlice(copying: bytes))
        #expect(encoded.byteCount <= 8 + count)
        #expect(try decoder.decode(encoded).withBytes { $0.elementsEqual(bytes) }, "\(count) bytes below \(modulus)")
      }
    }
  }

  @Test(arguments: [ArrowCodec.lz4, .zstd]) func buffersOfSeveralBlocksComeBack(codec: ArrowCodec) throws {
    // The largest block of an LZ4 frame has 4 MiB.
    var bytes = [UInt8](repeating: 7, count: 9 << 20)
    for place in stride(from: 0, to: bytes.count, by: 4099) { bytes[place] = UInt8(truncatingIfNeeded: place >> 3) }
    let encoded = BodyCodec(encoding: codec, level: 1).encode(BufferSlice(copying: bytes))
    #expect(encoded.byteCount < bytes.count / 10)
    let decoded = try BodyCodec(decoding: codec).decode(encoded)
    #expect(decoded.byteCount == bytes.count && memcmp(decoded.start, bytes, bytes.count) == 0)
  }

  @Test func damagedFramesAreRefused() throws {
    let bytes = [UInt8](repeating: 7, count: 10_000)
    let frame = BodyCodec(encoding: .lz4, level: 1).encode(BufferSlice(copying: bytes)).withBytes { Array($0) }
    let decoder = BodyCodec(decoding: .lz4)
    for index in 0..<frame.count {
      var damaged = frame
      damaged[index] ^= 0x55
      // Some bytes of the block are content: other values may come out, but of the right length, and nothing else.
      if let decoded = try? decoder.decode(BufferSlice(copying: damaged)) { #expect(decoded.byteCount == 10_000) }
      #expect(throws: ArrowError.self) { try decoder.decode(BufferSlice(copying: frame[..<index] + (index == 0 ? [1] : []))) }
    }
  }

  @Test func lengthsBeyondWhatAFrameCanHoldAreRefused() {
    var bytes = [UInt8](repeating: 0, count: 100)
    bytes.replaceSubrange(0..<8, with: [0, 0, 0, 0, 0, 1, 0, 0])
    let expected = ArrowError.malformed("a compressed buffer of 92 bytes is said to hold 1099511627776")
    #expect(throws: expected) { try BodyCodec(decoding: .zstd).decode(BufferSlice(copying: bytes)) }
  }

  @Test func textIsCheckedAsTheStandardLibraryDoes() {
    let seed: UInt64 = 5
    print("seed \(seed)")
    var random = SplitMix(state: seed)
    let leads: [UInt8] = [0x41, 0x7F, 0x80, 0xBF, 0xC0, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0x8F, 0x90, 0x9F, 0xA0]
    for _ in 0..<20_000 {
      let bytes = (0..<(random.next() % 12)).map { _ in leads[Int(random.next() % UInt64(leads.count))] }
      let padded = [UInt8](repeating: 0x61, count: Int(random.next() % 9)) + bytes
      #expect(padded.withUnsafeBytes { UTF8Check.isValid($0) } == (String(validating: padded, as: UTF8.self) != nil), "\(padded)")
    }
  }
}
