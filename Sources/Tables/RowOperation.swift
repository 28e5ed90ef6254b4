import Columns

/// What a tail does to one key, as seen by the version that it is written on.
package enum RowOperation: Int8, Sendable {
  /// The key was not there.
  case insert = 0
  /// The key was there with other values.
  case update = 1
  /// The key was there and goes; the row has nulls beside the key.
  case delete = 2

  /// The last column of a tail's file. Its id lies above those of all fields, which have 30 bits.
  package static let field = Field("_almanac_op", .int8, isNullable: false, id: 1 << 30)
}

/// Operations on one partition: ascending by key, each key once.
struct RowOperations: Sendable {
  /// Under a deleted key the values beside it mean nothing.
  let rows: Batch
  let codes: [RowOperation]
  let primaryKey: [String]

  init(rows: Batch, codes: [RowOperation], primaryKey: [String]) {
    precondition(rows.rowCount == codes.count, "There are \(codes.count) operations for \(rows.rowCount) rows")
    self.rows = rows
    self.codes = codes
    self.primaryKey = primaryKey
  }

  var count: Int { codes.count }
  var isEmpty: Bool { codes.isEmpty }
  var keys: [Column] { primaryKey.map { rows[$0]! } }
  var insertCount: Int { codes.count { $0 == .insert } }
  var deleteCount: Int { codes.count { $0 == .delete } }

  func slice(_ range: Range<Int>) -> RowOperations {
    RowOperations(rows: rows.slice(from: range.lowerBound, count: range.count), codes: Array(codes[range]), primaryKey: primaryKey)
  }

  func take(_ indices: [Int32]) -> RowOperations {
    RowOperations(rows: rows.take(indices), codes: indices.map { codes[Int($0)] }, primaryKey: primaryKey)
  }

  /// What two changes, one after the other, come to; keys that come back to where they were stay as an update.
  /// - Returns: the operations, and for each whether its key was in both.
  /// - Complexity: O(a + b) rows
  static func compose(_ older: RowOperations, _ newer: RowOperations) -> (operations: RowOperations, isInBoth: [Bool]) {
    let order = SortKernel.merge(older.keys, newer.keys)
    var search = KeySearch(wantedCount: newer.count, storedCount: older.count)
    for (mine, theirs) in zip(older.keys, newer.keys) { search.narrow(stored: mine, wanted: theirs) }
    var kept: [Int32] = []
    var codes: [RowOperation] = []
    var isInBoth: [Bool] = []
    kept.reserveCapacity(order.count)
    var position = 0
    while position < order.count {
      let row = Int(order[position])
      position += 1
      if row >= older.count {
        let new = row - older.count
        // A key of both stands behind its older row, which has dealt with it.
        if search.match(new) != nil { continue }
        kept.append(Int32(row))
        codes.append(newer.codes[new])
        isInBoth.append(false)
        continue
      }
      guard position < order.count, case let new = Int(order[position]) - older.count, new >= 0, search.match(new) == row else {
        kept.append(Int32(row))
        codes.append(older.codes[row])
        isInBoth.append(false)
        continue
      }
      let wasThere = older.codes[row] != .insert
      let isThere = newer.codes[new] != .delete
      guard wasThere || isThere else { continue }
      kept.append(Int32(older.count + new))
      codes.append(!wasThere ? .insert : isThere ? .update : .delete)
      isInBoth.append(true)
    }
    let rows = Batch.concatenate([older.rows, newer.rows]).take(kept)
    return (RowOperations(rows: rows, codes: codes, primaryKey: older.primaryKey), isInBoth)
  }

  /// The rows of a sorted batch as these operations leave them.
  /// - Parameter found: where the keys stand in the batch, by all key columns.
  /// - Complexity: O(bytes of the columns that change) where rows are only updated, else O(bytes of the batch)
  func applied(to stored: Batch, found: KeySearch) -> Batch {
    if codes.indices.allSatisfy({ codes[$0] == .update && found.match($0) != nil }) { return updated(stored, found) }
    var splice = Splice()
    var next = 0
    for index in codes.indices {
      let place = Int(found.lower[index])
      splice.append(fromSecond: false, start: next, count: place - next)
      next = place + (found.match(index) == nil ? 0 : 1)
      if codes[index] != .delete { splice.append(fromSecond: true, start: index, count: 1) }
    }
    splice.append(fromSecond: false, start: next, count: stored.rowCount - next)
    return Batch.splice(stored, rows.selecting(stored.schema.fields.map(\.name))!, splice)
  }

  /// Every row has its place: columns in which no value differs stay as they are.
  private func updated(_ stored: Batch, _ found: KeySearch) -> Batch {
    let own = codes.indices.map { Int32($0) }
    let columns = zip(stored.schema.fields, stored.columns).map { field, column -> Column in
      let new = rows[field.name]!
      var differs = [Bool](repeating: false, count: codes.count)
      RowComparison.mark(&differs, column, found.lower, new, own)
      guard differs.contains(true) else { return column }
      var splice = Splice()
      var next = 0
      for index in codes.indices where differs[index] {
        let place = Int(found.lower[index])
        splice.append(fromSecond: false, start: next, count: place - next)
        splice.append(fromSecond: true, start: index, count: 1)
        next = place + 1
      }
      splice.append(fromSecond: false, start: next, count: stored.rowCount - next)
      return Column.splice(column, new, splice)
    }
    return Batch(schema: stored.schema, columns: columns, rowCount: stored.rowCount)
  }
}
