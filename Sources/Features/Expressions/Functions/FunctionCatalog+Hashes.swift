import Columns
import Crypto

extension FunctionCatalog {
  static let hashes: [String: [Overload]] = [
    "md5": [.string([.string]) { row, target in hexadecimal(Insecure.MD5.hash(data: row.bytes(0)), &target) }],
    "sha1": [.string([.string]) { row, target in hexadecimal(Insecure.SHA1.hash(data: row.bytes(0)), &target) }],
    "sha256": [.string([.string]) { row, target in hexadecimal(SHA256.hash(data: row.bytes(0)), &target) }],
    // The bits as they are, so that every hash is an int64.
    "hash64": [.int([.string]) { Int64(bitPattern: XXH3.hash64($0.bytes(0), seed: 0)) }],
  ]

  private static func hexadecimal(_ digest: some Sequence<UInt8>, _ target: inout GrowableBuffer) {
    let digits: StaticString = "0123456789abcdef"
    for byte in digest {
      target.append(digits.utf8Start[Int(byte >> 4)])
      target.append(digits.utf8Start[Int(byte & 15)])
    }
  }
}
