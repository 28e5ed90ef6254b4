import CXxhash
import Objects

extension [UInt8] {
  mutating func appendLittleEndian<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// XXH3-64 with seed 0.
  func xxh3(_ range: Range<Int>) -> UInt64 {
    withUnsafeBytes { XXH3_64bits_withSeed(UnsafeRawBufferPointer(rebasing: $0[range]).baseAddress, range.count, 0) }
  }
}

/// Reads stored bytes from front to back and notices when they end too early.
struct ByteReader {
  let bytes: [UInt8]
  private(set) var position = 0
  /// For messages: "node 12ab…".
  let object: String

  init(_ bytes: [UInt8], object: String) {
    self.bytes = bytes
    self.object = object
  }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ count: Int, _ what: String) throws(StoreError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - position else {
      throw StoreError(
        kind: .corrupt,
        text: "Cannot read \(object): expected \(count) bytes of \(what) at byte \(position), found \(bytes.count - position)")
    }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func integer<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type, _ what: String) throws(StoreError) -> Value {
    try take(MemoryLayout<Value>.size, what).reversed().reduce(0) { $0 << 8 | Value($1) }
  }

  /// A number of 4 or 8 bytes that may not exceed `most`.
  mutating func count<Value: FixedWidthInteger & UnsignedInteger>(
    _ type: Value.Type, _ what: String, most: Int
  ) throws(StoreError) -> Int {
    let value = try integer(type, what)
    guard value <= Value(truncatingIfNeeded: most) else { throw corrupt("expected \(what) of at most \(most), found \(value)") }
    return Int(value)
  }

  func corrupt(_ text: String) -> StoreError { StoreError(kind: .corrupt, text: "Cannot read \(object): \(text)") }
}
