/// The 32-bit hash that LZ4 frames carry (xxHash specification, XXH32).
enum XXH32 {
  private static let prime: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0x9E37_79B1, 0x85EB_CA77, 0xC2B2_AE3D, 0x27D4_EB2F, 0x1656_67B1)

  static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    func word(_ index: Int) -> UInt32 { bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self) }
    var index = 0
    var hash: UInt32
    if bytes.count >= 16 {
      var lanes = SIMD4<UInt32>(prime.0 &+ prime.1, prime.1, 0, 0 &- prime.0)
      while index <= bytes.count - 16 {
        let block = SIMD4(word(index), word(index + 4), word(index + 8), word(index + 12))
        lanes = lanes &+ block &* prime.1
        lanes = (lanes &<< 13 | lanes &>> 19) &* prime.0
        index += 16
      }
      hash = rotate(lanes[0], 1) &+ rotate(lanes[1], 7) &+ rotate(lanes[2], 12) &+ rotate(lanes[3], 18)
    } else {
      hash = prime.4
    }
    hash = hash &+ UInt32(truncatingIfNeeded: bytes.count)
    while index <= bytes.count - 4 {
      hash = rotate(hash &+ word(index) &* prime.2, 17) &* prime.3
      index += 4
    }
    while index < bytes.count {
      hash = rotate(hash &+ UInt32(bytes[index]) &* prime.4, 11) &* prime.0
      index += 1
    }
    hash = (hash ^ hash >> 15) &* prime.1
    hash = (hash ^ hash >> 13) &* prime.2
    return hash ^ hash >> 16
  }

  private static func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }
}
