import Columns
import Crypto

/// The SHA-256 of the values of a table, whatever files, batches or buffers they came from.
///
/// Hashed are, with integers as 8 bytes little-endian: the version (2), the number of columns and rows; then of each column its name
/// and type (each a length and UTF-8 bytes) and the SHA-256 of each chunk of 65,536 rows. Of a chunk are hashed the validity bits
/// (least significant first, zero-padded to whole bytes; all ones without nulls) and the canonical values of its rows: fixed-width
/// values as in memory, zero under a null; bools as bits; strings and binary as the length of every row, then all bytes; lists and
/// maps as the length of every row (0 under a null), then their elements as a column; structures as their columns, null where
/// they are. Canonical floats have one NaN and no -0.0.
package struct BatchDigest: Sendable {
  private var fields: [Field]
  /// Of each column the digests of its whole chunks.
  private var chunks: [[UInt8]]
  /// Less than a chunk.
  private var pending: Batch
  private var rowCount = 0

  private static let chunkRowCount = 1 << 16

  package init(_ schema: Schema) {
    fields = schema.fields
    chunks = schema.fields.map { _ in [] }
    pending = Batch(schema: schema, columns: schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }

  package static func sha256(of batch: Batch) -> String {
    var digest = BatchDigest(batch.schema)
    digest.update(batch)
    return digest.finalized()
  }

  /// Takes more rows. - Complexity: O(bytes), on all processors
  package mutating func update(_ batch: Batch) {
    rowCount += batch.rowCount
    let rows = pending.rowCount == 0 ? batch : Batch.concatenate([pending, batch])
    let whole = rows.rowCount / Self.chunkRowCount
    add(rows, chunkCount: whole)
    let rest = rows.rowCount - whole * Self.chunkRowCount
    pending = rows.slice(from: rows.rowCount - rest, count: rest)
  }

  /// The digest of the rows so far.
  package func finalized() -> String { joined(with: nil) }

  /// The digest of the table that has the columns of both, in this order. - Precondition: equally many rows
  package func joined(with other: BatchDigest?) -> String {
    var hash = SHA256()
    hash.update(2)
    hash.update(fields.count + (other?.fields.count ?? 0))
    hash.update(rowCount)
    for digest in [self, other].compactMap({ $0 }) {
      precondition(digest.rowCount == rowCount, "The tables have \(rowCount) and \(digest.rowCount) rows")
      var whole = digest
      if pending.rowCount > 0 { whole.add(digest.pending, chunkCount: 1) }
      for (field, chunks) in zip(whole.fields, whole.chunks) {
        hash.update(text: field.name)
        hash.update(text: field.type.description)
        chunks.withUnsafeBytes { hash.update(bufferPointer: $0) }
      }
    }
    return Self.hex(hash.finalize())
  }

  private mutating func add(_ rows: Batch, chunkCount: Int) {
    let tasks = rows.columns.indices.flatMap { column in (0..<chunkCount).map { (column, $0 * Self.chunkRowCount) } }
    let digests = try? parallelMap(tasks) { column, start -> [UInt8] in
      var hash = SHA256()
      hash.update(rows.columns[column].slice(from: start, count: min(Self.chunkRowCount, rows.rowCount - start)).canonicalized())
      return Array(hash.finalize())
    }
    for ((column, _), digest) in zip(tasks, digests ?? []) { chunks[column] += digest }
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
