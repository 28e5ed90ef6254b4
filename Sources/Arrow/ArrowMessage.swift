import Columns

/// An encapsulated message of the IPC format: metadata, then a body of buffers.
struct ArrowMessage {
  enum Kind: UInt8 {
    case schema = 1
    case dictionaryBatch = 2
    case recordBatch = 3
  }

  let kind: Kind
  let metadata: BufferSlice
  let body: BufferSlice
  /// Where the message lies in the bytes, from its first length to the end of its body.
  let range: Range<Int>

  /// Reads the message at `position`; nil at the end mark, or where the bytes end.
  init?(_ bytes: BufferSlice, at position: Int) throws(ArrowError) {
    var (metadataStart, metadataByteCount) = (position + 4, 0)
    let left = bytes.byteCount - position
    if left == 0 { return nil }
    guard left >= 4 else { throw .malformed("message at byte \(position): the bytes end within its length") }
    let first = bytes.int32(at: position)
    metadataByteCount = Int(first)
    // Until 0.15 messages began with their length; now a marker stands before it.
    if first == -1 {
      guard left >= 8 else { throw .malformed("message at byte \(position): the bytes end within its length") }
      metadataByteCount = Int(bytes.int32(at: position + 4))
      metadataStart = position + 8
    }
    if metadataByteCount == 0 { return nil }
    try self.init(bytes, position: position, metadataStart: metadataStart, metadataByteCount: metadataByteCount)
  }

  /// - Parameter position: at most the number of bytes, as is `metadataStart`.
  private init(_ bytes: BufferSlice, position: Int, metadataStart: Int, metadataByteCount: Int) throws(ArrowError) {
    guard metadataByteCount > 0, metadataByteCount <= bytes.byteCount - metadataStart else {
      throw .malformed(
        "message at byte \(position): its metadata are said to take \(metadataByteCount) bytes, \(bytes.byteCount - metadataStart) are left"
      )
    }
    let metadata = bytes.slice(byteOffset: metadataStart, byteCount: metadataByteCount)
    let bodyStart = metadataStart + metadataByteCount
    let (kind, bodyByteCount) = try metadata.withBytes { (bytes) throws(ArrowError) in
      do throws(ArrowError) { return try Self.header(bytes) } catch { throw error.within("message at byte \(position)") }
    }
    guard bodyByteCount >= 0, bodyByteCount <= bytes.byteCount - bodyStart else {
      throw .malformed(
        "message at byte \(position): its body is said to take \(bodyByteCount) bytes, \(bytes.byteCount - bodyStart) are left")
    }
    self.kind = kind
    self.metadata = metadata
    body = bytes.slice(byteOffset: bodyStart, byteCount: bodyByteCount)
    range = position..<(bodyStart + bodyByteCount)
  }

  private static func header(_ bytes: UnsafeRawBufferPointer) throws(ArrowError) -> (Kind, Int) {
    let message = try FlatTable(root: bytes)
    let version = try message.scalar(0, default: Int16(0))
    // V4 (0.8) and V5 (1.0) differ in unions alone.
    guard version == 3 || version == 4 else {
      throw .unsupported("metadata version V\(Int(version) + 1), expected V4 or V5")
    }
    let code = try message.scalar(1, default: UInt8(0))
    guard let kind = Kind(rawValue: code) else { throw .unsupported("message type number \(code) is no schema or batch") }
    return (kind, Int(try message.scalar(3, default: Int64(0))))
  }

  /// The table of the message's header.
  func withHeader<R>(_ body: (FlatTable) throws(ArrowError) -> R) throws(ArrowError) -> R {
    try metadata.withBytes { (bytes) throws(ArrowError) in
      guard let header = try FlatTable(root: bytes).table(2) else { throw .malformed("the message has no header") }
      return try body(header)
    }
  }
}

extension BufferSlice {
  /// - Precondition: four bytes lie at `offset`.
  func int32(at offset: Int) -> Int32 { slice(byteOffset: offset, byteCount: 4).withBytes { $0.loadUnaligned(as: Int32.self) } }
}
