import Columns
import Crypto
import History
import Objects
import Parquet

/// A copy of some columns of a version in another order than that of its key: derived, kept in the repository's cache as Parquet
/// files, and made anew when it is not there or damaged.
package struct SortedProjection: Sendable {
  let parts: [StoredRows]
  let order: [String]

  /// - Parameters:
  ///   - layout: what the version is read under.
  ///   - columns: those that will be read, `order` among them.
  ///   - order: by what rows are sorted, ascending.
  ///   - keyCount: how many of the first columns of the order must have a value; rows without are left out.
  ///   - partRowCount: the rows of a file.
  /// - Returns: nil when the cache cannot be written, or the key has a type that is not compared as bytes.
  /// - Throws: `TableError`, `StoreError`.
  /// - Complexity: O(bytes of the columns) time and memory when it has to be made, else O(bytes of the files) for their hashes
  package static func open(
    _ version: TableVersion, layout: TableLayout, columns: [String], order: [String], keyCount: Int, partRowCount: Int = 1 << 20
  ) throws -> SortedProjection? {
    let fields = columns.compactMap { layout.schema[$0] }
    let name = name(version.rootID, fields: fields, order: order, keyCount: keyCount)
    if let parts = try? read(name, from: version.archive) { return SortedProjection(parts: parts, order: order) }
    var rows = try version.rows(of: layout, fields: fields, order: order)
    for key in order.prefix(keyCount) { if let validity = rows[key]?.validity { rows = rows.filter(validity) } }
    let keys = order.prefix(keyCount).compactMap { rows[$0] }
    guard rows.rowCount == 0 || (try? KeyEncoder.encode(keys, row: 0)) != nil else { return nil }
    let keyIndices = Set(fields.indices.filter { order.prefix(keyCount).contains(fields[$0].name) })
    // How many rows there are, then of each file a hash, so that one that is torn or damaged is made again.
    var numbers = ["\(rows.rowCount)"]
    for start in stride(from: 0, to: rows.rowCount, by: partRowCount) {
      let part = rows.slice(from: start, count: min(partRowCount, rows.rowCount - start))
      let bytes = try ParquetWriter.file(of: part, options: .leaf(keyColumns: keyIndices))
      guard put("\(name)-\(numbers.count - 1).parquet", bytes, in: version.archive) else { return nil }
      numbers.append(hash(bytes))
    }
    // Last: it says that the others are complete.
    let list = Array(numbers.joined(separator: " ").utf8).withUnsafeBytes { BufferSlice(copying: $0) }
    guard put("\(name).parts", list, in: version.archive), let parts = try? read(name, from: version.archive) else { return nil }
    return SortedProjection(parts: parts, order: order)
  }

  /// - Returns: false when the cache cannot be written; what it would have held is then sorted in memory.
  private static func put(_ name: String, _ bytes: BufferSlice, in archive: Archive) -> Bool {
    (try? bytes.withBytes { try archive.putCached(name, $0) }) ?? false
  }

  private static func hash(_ bytes: BufferSlice) -> String { "\(bytes.withBytes { XXH3.hash64($0, seed: 0) })" }

  private static func name(_ root: RootID, fields: [Field], order: [String], keyCount: Int) -> String {
    var text = "projection 2 \(root) \(keyCount)"
    for field in fields { text += " \(field.id ?? 0):\(field.type)" }
    for name in order { text += " \(fields.first { $0.name == name }?.id ?? 0)" }
    let digest = SHA256.hash(data: Array(text.utf8))
    let hex = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// - Throws: when a file is missing or not what was written.
  /// - Complexity: O(bytes), 12 GB/s a thread
  private static func read(_ name: String, from archive: Archive) throws -> [StoredRows] {
    let missing = TableError(.corrupt, "The projection \(name) is not complete")
    guard let list = try archive.mapCached("\(name).parts") else { throw missing }
    let text = list.withBytes { String(decoding: $0, as: UTF8.self) }
    let numbers = text.split(separator: " ", omittingEmptySubsequences: false)
    guard let rowCount = numbers.first.flatMap({ Int($0) }) else { throw missing }
    let parts = try parallelMap(Array(numbers.dropFirst().enumerated())) { index, expected in
      guard let file = try archive.mapCached("\(name)-\(index).parquet"),
        hash(BufferSlice(owner: file, start: file.start, byteCount: file.byteCount)) == expected
      else { throw missing }
      return try StoredRows("projection \(name) part \(index)", file: file)
    }
    guard parts.reduce(0, { $0 + $1.rowCount }) == rowCount else { throw missing }
    return parts
  }
}

extension TableVersion {
  /// All rows with the fields of another layout, ascending by `order` (nulls first).
  fileprivate func rows(of other: TableLayout, fields: [Field], order: [String]) throws -> Batch {
    var batches: [Batch] = []
    for number in partitionNumbers {
      let view = try partition(number, as: other)
      let all = view.withKeys(fields)
      guard let operations = try view.operations(all) else {
        batches += try parallelMap(view.leaves) { try StoredRows(leaf: $0.id, in: archive).read(fields) }
        continue
      }
      let parts = try view.leaves.map { try StoredRows(leaf: $0.id, in: archive).read(all) }
      let stored = parts.isEmpty ? Batch.empty(Schema(all)) : Batch.concatenate(parts)
      let merged = operations.applied(to: stored, found: operations.search(in: stored))
      guard let selected = merged.selecting(fields.map(\.name)) else { preconditionFailure("The fields have been read") }
      batches.append(selected)
    }
    guard !batches.isEmpty else { return Batch.empty(Schema(fields)) }
    let rows = Batch.concatenate(batches)
    return SortKernel.permutation(by: order.compactMap { rows[$0] }).map { rows.take($0) } ?? rows
  }
}

extension RowOperations {
  /// Where the keys stand in sorted rows that hold all key columns.
  func search(in stored: Batch) -> KeySearch {
    var search = KeySearch(wantedCount: count, storedCount: stored.rowCount)
    for (name, wanted) in zip(primaryKey, keys) {
      guard let column = stored[name] else { preconditionFailure("The rows have their key") }
      search.narrow(stored: column, wanted: wanted)
    }
    return search
  }
}
