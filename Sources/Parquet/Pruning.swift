import Columns

/// Says which rows of a file may satisfy conditions, from statistics, page index and Bloom filters alone.
///
/// Never drops a row that satisfies them: what the file does not say, or says in a way that cannot be trusted, counts as
/// "may". Of nested columns nothing is said.
package struct ParquetPruning: Sendable {
  private let reader: ParquetReader
  private let footer: FooterDetail
  /// By column of the schema.
  private let leaves: [Int?]
  private let elements: [FooterDetail.Element]

  /// - Complexity: O(footer)
  package init(_ reader: ParquetReader) throws(ParquetError) {
    self.reader = reader
    footer = try reader.bytes.withBytes { (bytes) throws(ParquetError) in try FooterDetail(bytes) }
    leaves = footer.flatLeaves
    elements = footer.leaves
  }

  /// Rows of a row group that may satisfy all conditions: ascending, apart from each other, none empty.
  /// - Precondition: the row group and the columns exist.
  /// - Complexity: O(pages of the conditions' columns)
  package func rowRanges(rowGroup index: Int, matching conditions: [ColumnCondition]) -> [Range<Int>] {
    let rowCount = reader.rowCount(ofRowGroup: index)
    var ranges = rowCount > 0 ? [0..<rowCount] : []
    for condition in conditions where !ranges.isEmpty {
      precondition(reader.schema.fields.indices.contains(condition.column), "Column \(condition.column) does not exist")
      let found = reader.bytes.withBytes { self.ranges(condition, rowGroup: index, rowCount: rowCount, $0) }
      ranges = RowRanges.intersection(ranges, found)
    }
    return ranges
  }

  private func ranges(_ condition: ColumnCondition, rowGroup: Int, rowCount: Int, _ file: UnsafeRawBufferPointer) -> [Range<Int>] {
    let all = [0..<rowCount]
    guard leaves.indices.contains(condition.column), let leaf = leaves[condition.column], footer.rowGroups.indices.contains(rowGroup),
      footer.rowGroups[rowGroup].chunks.indices.contains(leaf), elements.indices.contains(leaf)
    else { return all }
    let chunk = footer.rowGroups[rowGroup].chunks[leaf]
    let keys = ValueKeys(elements[leaf], type: reader.schema.fields[condition.column].type)
    let matcher = ConditionMatcher(condition.test, keys)
    let hasTypeOrder = footer.hasTypeOrder.indices.contains(leaf) && footer.hasTypeOrder[leaf]
    guard matcher.mayMatch(Zone(chunk.statistics, keys, rowCount: rowCount, hasTypeOrder: hasTypeOrder)) else { return [] }
    guard bloomFilterAllows(chunk, matcher, file) else { return [] }
    guard hasTypeOrder || matcher.asksForNullsOnly, let index = ColumnIndexDetail(chunk, file),
      let places = OffsetIndexDetail(chunk, rowCount: rowCount, file), places.pages.count == index.isNullPage.count
    else { return all }
    var found: [Range<Int>] = []
    for page in places.pages.indices {
      let rows = places.rows(page, rowCount: rowCount)
      if !rows.isEmpty, matcher.mayMatch(Zone(index, page, keys, rowCount: rows.count)) { RowRanges.append(rows, to: &found) }
    }
    return found
  }

  private func bloomFilterAllows(_ chunk: FooterDetail.Chunk, _ matcher: ConditionMatcher, _ file: UnsafeRawBufferPointer) -> Bool {
    guard let hashes = matcher.hashes, let offset = chunk.bloomFilterOffset, offset > 0, offset < file.count else { return true }
    let byteCount = min(chunk.bloomFilterByteCount ?? .max, file.count - offset)
    guard byteCount > 0, let filter = BloomFilterProbe(UnsafeRawBufferPointer(rebasing: file[offset..<(offset + byteCount)])) else {
      return true
    }
    return hashes.contains { filter.mayContain($0) }
  }
}

extension ParquetReader {
  /// Rows of a row group that may satisfy all conditions, for `read(rowGroup:columns:rows:)`; see `ParquetPruning`, which
  /// asks about several row groups without reading the footer again.
  package func rowRanges(rowGroup index: Int, matching conditions: [ColumnCondition]) throws(ParquetError) -> [Range<Int>] {
    try ParquetPruning(self).rowRanges(rowGroup: index, matching: conditions)
  }
}

/// Ascending ranges of rows that do not touch.
enum RowRanges {
  static func append(_ range: Range<Int>, to ranges: inout [Range<Int>]) {
    if let last = ranges.last, last.upperBound == range.lowerBound {
      ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      ranges.append(range)
    }
  }

  static func intersection(_ a: [Range<Int>], _ b: [Range<Int>]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var (i, j) = (0, 0)
    while i < a.count && j < b.count {
      let common = a[i].clamped(to: b[j])
      if !common.isEmpty { result.append(common) }
      if a[i].upperBound < b[j].upperBound { i += 1 } else { j += 1 }
    }
    return result
  }
}
