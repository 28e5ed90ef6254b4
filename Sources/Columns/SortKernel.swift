/// Orders rows by key columns: nulls first, then ascending; NaN greatest, -0.0 equal to +0.0; strings by their bytes.
package enum SortKernel {
  /// The stable ascending permutation of rows by the columns in turn; nil when the rows are in order already.
  /// - Precondition: the columns have equal length, at most `Int32.max` rows.
  /// - Complexity: O(rows) for the check; a radix sort of packed 64-bit words, then of the rows that they leave equal.
  package static func permutation(by keys: [Column]) -> [Int32]? {
    guard rowCount(keys) > 1, !isSorted(keys) else { return nil }
    return RowSorter(keys).permutation()
  }

  /// The same permutation, and whether the columns tell all rows apart. False negatives are possible: then look closer.
  package static func distinctPermutation(by keys: [Column]) -> (order: [Int32]?, isDistinct: Bool) {
    guard rowCount(keys) > 1 else { return (nil, true) }
    if isSorted(keys) { return (nil, firstDuplicate(in: keys) == nil) }
    let sorter = RowSorter(keys)
    let order = sorter.permutation()
    return (order, !sorter.ties.isSet)
  }

  /// The second of the first two neighbours that are equal in all key columns.
  package static func firstDuplicate(in keys: [Column]) -> Int? {
    let rows = rowCount(keys)
    let scan = NeighbourScan(keys)
    var start = 1
    while start < rows {
      let end = min(rows, start + NeighbourScan.blockRowCount)
      if let found = scan.ties(start..<end) { return found }
      start = end
    }
    return nil
  }

  /// The first row that comes before the one above it; nil when the rows are in order. - Complexity: O(rows)
  package static func firstInversion(in keys: [Column]) -> Int? {
    let rows = rowCount(keys)
    let scan = NeighbourScan(keys)
    for start in stride(from: 1, to: rows, by: NeighbourScan.blockRowCount) {
      let block = start..<min(rows, start + NeighbourScan.blockRowCount)
      if scan.hasInversion(block) { return block.first { compareRows(keys, $0 - 1, keys, $0) > 0 } }
    }
    return nil
  }

  /// The first row of every group of equal rows, of columns that are in order. - Complexity: O(rows)
  package static func distinctRows(in keys: [Column]) -> [Int32] {
    let rows = rowCount(keys)
    let scan = NeighbourScan(keys)
    var result: [Int32] = rows > 0 ? [0] : []
    for start in stride(from: 1, to: rows, by: NeighbourScan.blockRowCount) {
      scan.appendDistinct(start..<min(rows, start + NeighbourScan.blockRowCount), to: &result)
    }
    return result
  }

  /// <0, 0 or >0 as row `i` of `a` comes before, with or behind row `j` of `b`.
  /// - Precondition: the columns agree in number and types.
  package static func compareRows(_ a: [Column], _ i: Int, _ b: [Column], _ j: Int) -> Int {
    precondition(a.count == b.count, "The keys differ in their number of columns")
    for index in a.indices {
      let (x, y) = (a[index], b[index])
      precondition(i >= 0 && i < x.count && j >= 0 && j < y.count && x.type == y.type, "The rows cannot be compared")
      let order = KeyReader(x).compare(i, KeyReader(y), j)
      if order != 0 { return order }
      if case .decimal = x.type {
        let low = KeyReader(x, isLowHalf: true).compare(i, KeyReader(y, isLowHalf: true), j)
        if low != 0 { return low }
      }
    }
    return 0
  }

  static func isSorted(_ keys: [Column]) -> Bool {
    let rows = rowCount(keys)
    let scan = NeighbourScan(keys)
    var start = 1
    while start < rows {
      let end = min(rows, start + NeighbourScan.blockRowCount)
      if scan.hasInversion(start..<end) { return false }
      start = end
    }
    return true
  }

  static func rowCount(_ keys: [Column]) -> Int {
    guard let first = keys.first else { return 0 }
    precondition(keys.allSatisfy { $0.count == first.count }, "The key columns differ in length")
    precondition(first.count <= Int(Int32.max), "Row numbers are 32 bits wide")
    return first.count
  }
}

/// Compares every row with the one before it, column by column over a block of rows, so that the inner loops use vectors.
struct NeighbourScan {
  static let blockRowCount = 4096
  private let readers: [KeyReader]

  init(_ keys: [Column]) { readers = KeyReader.readers(keys) }

  /// Whether a row of the range comes before its predecessor. - Precondition: the range does not contain row 0.
  func hasInversion(_ rows: Range<Int>) -> Bool {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rows.count) { ties in
      ties.initialize(repeating: 1)
      for reader in readers {
        let (inverted, tied) = scan(reader, rows, ties.baseAddress!)
        if inverted { return true }
        if !tied { break }
      }
      return false
    }
  }

  /// The first row of the range that equals its predecessor in every column.
  func ties(_ rows: Range<Int>) -> Int? {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rows.count) { ties in
      ties.initialize(repeating: 1)
      for reader in readers {
        let (_, tied) = scan(reader, rows, ties.baseAddress!)
        if !tied { return nil }
      }
      return ties.firstIndex(of: 1).map { rows.lowerBound + $0 }
    }
  }

  /// The rows of the range that differ from their predecessor in some column.
  func appendDistinct(_ rows: Range<Int>, to result: inout [Int32]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rows.count) { ties in
      ties.initialize(repeating: 1)
      for reader in readers where !scan(reader, rows, ties.baseAddress!).tied { break }
      for index in 0..<rows.count where ties[index] == 0 { result.append(Int32(rows.lowerBound + index)) }
    }
  }

  /// Clears the flag of rows that differ from their predecessor; tells whether a flagged row was smaller, and whether flags remain.
  private func scan(_ reader: KeyReader, _ rows: Range<Int>, _ ties: UnsafeMutablePointer<UInt8>) -> (inverted: Bool, tied: Bool) {
    var inverted: UInt8 = 0
    var tied: UInt8 = 0
    if reader.kind == .text || reader.validity != nil {
      for index in 0..<rows.count where ties[index] == 1 {
        let row = rows.lowerBound &+ index
        let order = reader.compare(row &- 1, reader, row)
        if order > 0 { inverted = 1 }
        ties[index] = order == 0 ? 1 : 0
        tied |= ties[index]
      }
    } else {
      reader.withOrderedBits { bits in
        for index in 0..<rows.count {
          let row = rows.lowerBound &+ index
          let (x, y) = (bits(row &- 1), bits(row))
          inverted |= ties[index] & (x > y ? 1 : 0)
          ties[index] &= x == y ? 1 : 0
          tied |= ties[index]
        }
      }
    }
    return (inverted != 0, tied != 0)
  }
}
