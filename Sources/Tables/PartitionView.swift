import Columns
import History

/// One partition of a version: its leaves, and the tails over them.
struct PartitionView: Sendable {
  let archive: Archive
  let layout: TableLayout
  let number: Int64
  /// Ascending by key.
  let leaves: [LeafEntry]
  /// The oldest first, with the rows of the file that belong to this partition.
  let tails: [(id: TailID, rows: Range<Int>)]

  var isEmpty: Bool { leaves.isEmpty && tails.isEmpty }

  /// What the tails do together; nil without tails.
  /// - Parameters:
  ///   - fields: the wanted ones; the key is read in any case.
  ///   - isChecked: whether rows that are not in the order of the key are refused.
  func operations(_ fields: [Field], isChecked: Bool = false) throws -> RowOperations? {
    let all = withKeys(fields)
    var result: RowOperations?
    for tail in tails {
      let next = try TailFile.read(tail.id, rows: tail.rows, fields: all, layout: layout, from: archive)
      if isChecked { try requireOrder(next, of: tail.id) }
      result = result.map { RowOperations.compose($0, next).operations } ?? next
    }
    return result
  }

  private func requireOrder(_ operations: RowOperations, of tail: TailID) throws(TableError) {
    let keys = operations.keys
    guard SortKernel.firstInversion(in: keys) == nil, SortKernel.firstDuplicate(in: keys) == nil else {
      throw TableError(.corrupt, "Cannot read tail \(tail): its rows are not in the order of the key, each key once")
    }
  }

  /// What the tails together do to the given keys; nil where they do nothing. - Parameter keys: key columns, sorted.
  func operations(_ fields: [Field], under keys: [Column]) throws -> RowOperations? {
    let all = withKeys(fields)
    var result: RowOperations?
    for tail in tails {
      guard let next = try TailFile.find(tail.id, rows: tail.rows, keys: keys, fields: all, layout: layout, from: archive) else { continue }
      result = result.map { RowOperations.compose($0, next).operations } ?? next
    }
    return result
  }

  func withKeys(_ fields: [Field]) -> [Field] {
    fields + layout.keySchema.fields.filter { key in !fields.contains { $0.name == key.name } }
  }

  /// Divides sorted rows among the leaves: the last leaf takes all that are behind it; without leaves there is no part.
  func ranges(of rows: Range<Int>, keys: [Column]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var next = rows.lowerBound
    for (index, leaf) in leaves.enumerated() {
      let end =
        index == leaves.count - 1
        ? rows.upperBound : SortedKeys.firstRow(after: leaf.lastKey, in: next..<rows.upperBound, keys: keys)
      ranges.append(next..<end)
      next = end
    }
    return ranges
  }
}

enum SortedKeys {
  /// The first row of a range whose key is greater than an encoded one. - Complexity: O(log rows)
  static func firstRow(after key: [UInt8], in range: Range<Int>, keys: [Column]) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = low + (high - low) / 2
      // Keys of a stored dataset were encodable when it was created; contracts refuse other key types.
      let other = (try? KeyEncoder.encode(keys, row: middle)) ?? []
      if key.lexicographicallyPrecedes(other) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// Looks for sorted keys in one leaf, decoding a key column only where the ones before it are equal.
enum LeafSearch {
  /// - Parameters:
  ///   - wanted: the key columns of the rows looked for, ascending.
  ///   - known: columns of the leaf that are decoded already.
  static func find(_ wanted: [Column], in stored: StoredRows, layout: TableLayout, known: Batch? = nil) throws -> KeySearch {
    var search = KeySearch(wantedCount: wanted.first?.count ?? 0, storedCount: stored.rowCount)
    for (field, column) in zip(layout.keySchema.fields, wanted) {
      guard let rows = search.openRows else { break }
      if let whole = known?[field.name] {
        search.narrow(stored: whole, wanted: column)
      } else {
        search.narrow(stored: try stored.read([field], rows: rows).columns[0], firstRow: rows.lowerBound, wanted: column)
      }
    }
    return search
  }
}
