internal import CXxhash

/// XXH3 of 64 bits, as xxHash 0.8 specifies it.
package enum XXH3 {
  package static func hash64(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    XXH3_64bits_withSeed(bytes.baseAddress, bytes.count, seed)
  }
}
