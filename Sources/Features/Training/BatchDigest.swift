import Columns
import Crypto

/// The SHA-256 of the values of a table, whatever files or buffers they came from.
///
/// Hashed are, with integers as 8 bytes little-endian: the version (1), the number of columns and rows; then of each column its name
/// and type (each a length and UTF-8 bytes), the validity bits (least significant first, zero-padded to whole bytes; all ones
/// without nulls) and the canonical values of all rows: fixed-width values as in memory, zero under a null; bools as bits; strings
/// and binary as the length of every row, then all bytes; lists and maps as the length of every row (0 under a null), then their
/// elements as a column; structures as their columns, null where they are. Canonical floats have one NaN and no -0.0.
package enum BatchDigest {
  package static func sha256(of batch: Batch) -> String {
    var hash = SHA256()
    hash.update(1)
    hash.update(batch.columns.count)
    hash.update(batch.rowCount)
    for (field, column) in zip(batch.schema.fields, batch.columns) {
      hash.update(text: field.name)
      hash.update(text: field.type.description)
      hash.update(column.canonicalized())
    }
    return hex(hash.finalize())
  }

  static func hex(_ digest: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in digest { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}

extension SHA256 {
  fileprivate mutating func update(_ value: Int) {
    withUnsafeBytes(of: Int64(value).littleEndian) { update(bufferPointer: $0) }
  }

  fileprivate mutating func update(text: String) {
    update(text.utf8.count)
    var text = text
    text.withUTF8 { update(bufferPointer: UnsafeRawBufferPointer($0)) }
  }

  fileprivate mutating func update(_ bits: Bitmap) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity((bits.count + 63) / 64 * 8)
    for index in stride(from: 0, to: bits.count, by: 64) {
      withUnsafeBytes(of: bits.word(at: index).littleEndian) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - (bits.count + 7) / 8)
    bytes.withUnsafeBytes { update(bufferPointer: $0) }
  }

  private mutating func update(nested column: Column) {
    guard column.type.hasOffsets else {
      let rows = (0..<Int32(column.count)).map { column.isValid(Int($0)) ? $0 : -1 }
      for child in column.children { update(column.nullCount == 0 ? child : child.take(rows).canonicalized()) }
      return
    }
    let offsets = column.listOffsets
    var lengths: [Int64] = []
    var elements: [Int32] = []
    for row in 0..<column.count {
      let isValue = column.isValid(row)
      lengths.append(isValue ? (offsets[row + 1] - offsets[row]).littleEndian : 0)
      if isValue { elements.append(contentsOf: Int32(offsets[row])..<Int32(offsets[row + 1])) }
    }
    lengths.withUnsafeBytes { update(bufferPointer: $0) }
    update(column.children[0].take(elements).canonicalized())
  }

  fileprivate mutating func update(_ column: Column) {
    update(column.validity ?? Bitmap(repeating: true, count: column.count))
    if column.type == .bool { return update(column.bits) }
    if column.type.isNested { return update(nested: column) }
    if let width = column.type.byteWidth {
      column.data.slice(byteOffset: 0, byteCount: column.count * width).withBytes { update(bufferPointer: $0) }
      return
    }
    let bytes = column.bytes
    let lengths = (0..<column.count).map { Int64(bytes[$0].count).littleEndian }
    lengths.withUnsafeBytes { update(bufferPointer: $0) }
    guard column.count > 0 else { return }
    let offsets = bytes.offsets
    let (start, end) = (Int(offsets[0]), Int(offsets[column.count]))
    column.data.slice(byteOffset: start, byteCount: end - start).withBytes { update(bufferPointer: $0) }
  }
}
