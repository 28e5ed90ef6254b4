import Columns

/// The end of an IPC file: the schema again, and where the messages lie.
struct ArrowFooter: Sendable {
  static let magic = Array("ARROW1".utf8)

  /// A message: where it begins, and how long its two parts are.
  struct Block: Hashable, Sendable {
    let offset: Int64
    let metadataByteCount: Int32
    let bodyByteCount: Int64
  }

  let fields: [ArrowField]
  let dictionaries: [Block]
  let batches: [Block]

  init(_ bytes: BufferSlice) throws(ArrowError) {
    let trailerByteCount = 4 + Self.magic.count
    guard bytes.byteCount >= 8 + trailerByteCount, bytes.dropFirst(byteCount: bytes.byteCount - Self.magic.count).starts(with: Self.magic)
    else { throw .malformed("the file does not end with ARROW1, perhaps it is cut off") }
    let length = Int(bytes.int32(at: bytes.byteCount - trailerByteCount))
    guard length > 0, length <= bytes.byteCount - trailerByteCount - 8 else {
      throw .malformed("the footer is said to take \(length) bytes of a file of \(bytes.byteCount)")
    }
    let slice = bytes.slice(byteOffset: bytes.byteCount - trailerByteCount - length, byteCount: length)
    (fields, dictionaries, batches) = try slice.withBytes { (bytes) throws(ArrowError) in
      let table = try FlatTable(root: bytes)
      guard let schema = try table.table(1) else { throw .malformed("the footer has no schema") }
      var decoder = SchemaDecoder(metadataByteCount: length)
      return (try decoder.fields(of: schema), try Self.blocks(table, slot: 2), try Self.blocks(table, slot: 3))
    }
  }

  private static func blocks(_ table: FlatTable, slot: Int) throws(ArrowError) -> [Block] {
    guard let vector = try table.vector(slot, elementByteCount: 24) else { return [] }
    return stride(from: 0, to: vector.count, by: 24).map { start in
      Block(
        offset: vector.loadUnaligned(fromByteOffset: start, as: Int64.self),
        metadataByteCount: vector.loadUnaligned(fromByteOffset: start + 8, as: Int32.self),
        bodyByteCount: vector.loadUnaligned(fromByteOffset: start + 16, as: Int64.self))
    }
  }

  func message(_ block: Block, in bytes: BufferSlice) throws(ArrowError) -> ArrowMessage {
    guard block.offset >= 0, block.offset < Int64(bytes.byteCount), let message = try ArrowMessage(bytes, at: Int(block.offset)) else {
      throw .malformed("the footer says that a message lies at byte \(block.offset) of a file of \(bytes.byteCount) bytes")
    }
    return message
  }
}
