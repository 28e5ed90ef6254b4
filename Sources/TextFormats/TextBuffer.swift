import Columns

/// Text that grows by doubling. Callers ask for room, write through the pointer, and say how much they wrote.
struct TextBuffer {
  private var buffer: Buffer
  // SAFETY: the start of `buffer`, which this value alone writes to; every store stays inside the room asked for.
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var count = 0

  init(byteCapacity: Int = 256) {
    buffer = Buffer(byteCapacity: byteCapacity)
    base = buffer.pointer.bindMemory(to: UInt8.self, capacity: byteCapacity)
  }

  /// Where the next bytes go; at least `byteCount` of them, and the slack of `Buffer` behind.
  @inline(__always) mutating func room(_ byteCount: Int) -> UnsafeMutablePointer<UInt8> {
    if count &+ byteCount > buffer.byteCapacity { grow(byteCount) }
    return base + count
  }

  /// - Precondition: so many bytes were asked for and written.
  @inline(__always) mutating func advance(_ byteCount: Int) {
    count &+= byteCount
    assert(count <= buffer.byteCapacity)
  }

  mutating func removeAll() { count = 0 }

  private mutating func grow(_ byteCount: Int) {
    let larger = Buffer(byteCapacity: max(count + byteCount, buffer.byteCapacity * 2))
    larger.pointer.copyMemory(from: buffer.pointer, byteCount: count)
    buffer = larger
    base = larger.pointer.bindMemory(to: UInt8.self, capacity: larger.byteCapacity)
  }

  @inline(__always) mutating func append(_ byte: UInt8) {
    room(1).pointee = byte
    count &+= 1
  }

  @inline(__always) mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    UnsafeMutableRawPointer(room(bytes.count)).copyMemory(from: start, byteCount: bytes.count)
    count &+= bytes.count
  }

  @inline(__always) mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// Appends what a function of the lower room writes into an array.
  mutating func append(through body: (inout [UInt8]) -> Void) {
    var bytes: [UInt8] = []
    body(&bytes)
    append(bytes)
  }

  /// Runs `body` on the bytes written so far.
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    defer { _fixLifetime(buffer) }
    return body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The bytes written so far; this value must not be used any more.
  consuming func finish() -> BufferSlice { BufferSlice(buffer, byteCount: count) }
}
