import Columns
import Crypto
import History

/// The id of a leaf from its decoded values (docs/format/leaf.md): equal rows give equal ids whatever encoded the file.
package struct LeafIdentity: Sendable {
  package let id: LeafID
  /// (field id, type class, SHA-256 of the digest bytes) for each field that is not all null, in field-id order: 37 bytes each.
  package let digests: [UInt8]

  /// - Parameter batch: rows in key order with canonical values; every field has an id.
  /// - Complexity: O(bytes), at the speed of SHA-256.
  package init(_ batch: Batch) {
    var described: [UInt8] = []
    let order = batch.schema.fields.indices.sorted { batch.schema.fields[$0].id! < batch.schema.fields[$1].id! }
    for index in order where batch.columns[index].nullCount < batch.rowCount {
      let field = batch.schema.fields[index]
      described.appendBigEndian(UInt32(bitPattern: field.id!))
      described.append(TypeClass(field.type).rawValue)
      described.append(contentsOf: Self.digest(of: batch.columns[index]))
    }
    var hasher = SHA256()
    var head: [UInt8] = []
    head.appendBigEndian(UInt64(batch.rowCount))
    hasher.update(data: head)
    hasher.update(data: described)
    id = LeafID(bytes: Array(hasher.finalize()))
    digests = described
  }

  /// The fields that a leaf has values of, by what is kept beside it. - Complexity: O(fields)
  static func fieldIDs(inDigests digests: [UInt8]) -> [Int32] {
    stride(from: 0, to: digests.count - entryByteCount + 1, by: entryByteCount).map { start in
      Int32(bitPattern: digests[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
  }

  /// A field id, a type class and a SHA-256.
  private static let entryByteCount = 4 + 1 + 32

  /// SHA-256 over the validity bits and the non-null values, widened to the largest type of their class.
  static func digest(of column: Column) -> SHA256.Digest {
    var hasher = SHA256()
    hashValidity(of: column, into: &hasher)
    let dense = column.nullCount == 0 ? column : column.filter(column.validity!)
    switch column.type {
    case .int64, .uint64, .float64, .timestamp: hashBytes(dense.data, count: dense.count * 8, into: &hasher)
    case .decimal(_, let scale):
      hasher.update(data: [UInt8(scale)])
      hashBytes(dense.data, count: dense.count * 16, into: &hasher)
    case .date: hashBytes(dense.data, count: dense.count * 4, into: &hasher)
    case .int8: hashWidened(dense, Int8.self, into: &hasher) { Int64($0) }
    case .int16: hashWidened(dense, Int16.self, into: &hasher) { Int64($0) }
    case .int32: hashWidened(dense, Int32.self, into: &hasher) { Int64($0) }
    case .uint8: hashWidened(dense, UInt8.self, into: &hasher) { Int64($0) }
    case .uint16: hashWidened(dense, UInt16.self, into: &hasher) { Int64($0) }
    case .uint32: hashWidened(dense, UInt32.self, into: &hasher) { Int64($0) }
    case .float32: hashWidened(dense, Float.self, into: &hasher) { Double($0) }
    case .bool: hashBits(dense.bits, into: &hasher)
    case .string, .binary: hashStrings(dense.bytes, into: &hasher)
    case .float16, .fixedBinary, .time, .duration, .list, .map, .structure: preconditionFailure("Datasets hold no \(column.type)")
    }
    return hasher.finalize()
  }

  private static func hashValidity(of column: Column, into hasher: inout SHA256) {
    hashBits(column.validity ?? Bitmap(repeating: true, count: column.count), into: &hasher)
  }

  /// Least significant bit first, the last byte padded with zeros.
  private static func hashBits(_ bits: Bitmap, into hasher: inout SHA256) {
    var bytes = [UInt8](repeating: 0, count: (bits.count + 7) / 8)
    for index in 0..<bits.count where bits[index] { bytes[index >> 3] |= 1 << UInt8(index & 7) }
    hasher.update(data: bytes)
  }

  private static func hashBytes(_ slice: BufferSlice, count: Int, into hasher: inout SHA256) {
    slice.withBytes { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
  }

  private static func hashWidened<Narrow: BitwiseCopyable, Wide: BitwiseCopyable>(
    _ column: Column, _: Narrow.Type, into hasher: inout SHA256, _ widen: (Narrow) -> Wide
  ) {
    let wide = column.values(Narrow.self).array.map(widen)
    wide.withUnsafeBytes { hasher.update(bufferPointer: $0) }
  }

  /// All lengths as 8-byte little-endian numbers, then all bytes.
  private static func hashStrings(_ strings: BytesValues, into hasher: inout SHA256) {
    let offsets = strings.offsets
    let lengths = (0..<strings.count).map { (offsets[$0 + 1] - offsets[$0]).littleEndian }
    lengths.withUnsafeBytes { hasher.update(bufferPointer: $0) }
    guard strings.count > 0 else { return }
    let start = Int(offsets[0])
    let end = Int(offsets[strings.count])
    strings.data.withBytes { hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
  }
}

extension [UInt8] {
  mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}
