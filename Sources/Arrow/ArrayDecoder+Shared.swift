import Columns

/// Layouts in which one stored value stands in several rows.
extension ArrayDecoder {
  func dictionary(_ field: ArrowField, _ array: ArrayData, _ mask: Bitmap?) throws(ArrowError) -> Column {
    guard let encoding = field.dictionary else { preconditionFailure("The field has no dictionary") }
    // A dictionary that never came has no values: then all rows must be null.
    let values = array.dictionary ?? Column(field.type, [])
    let validity = try validity(array).map { $0.intersection(mask) } ?? mask
    let slice = try fixed(array, byteWidth: encoding.byteWidth)
    defer { _fixLifetime(slice.owner) }
    let rows =
      switch (encoding.byteWidth, encoding.isSigned) {
      case (1, true): try indices(Values<Int8>(slice, count: array.count), validity, limit: values.count)
      case (1, false): try indices(Values<UInt8>(slice, count: array.count), validity, limit: values.count)
      case (2, true): try indices(Values<Int16>(slice, count: array.count), validity, limit: values.count)
      case (2, false): try indices(Values<UInt16>(slice, count: array.count), validity, limit: values.count)
      case (4, true): try indices(Values<Int32>(slice, count: array.count), validity, limit: values.count)
      case (4, false): try indices(Values<UInt32>(slice, count: array.count), validity, limit: values.count)
      case (8, true): try indices(Values<Int64>(slice, count: array.count), validity, limit: values.count)
      default: try indices(Values<UInt64>(slice, count: array.count), validity, limit: values.count)
      }
    return try take(values, rows)
  }

  /// Indices as row numbers, -1 where null; each one is checked to be below `limit`, which is below 2^31.
  private func indices<Index: FixedWidthInteger & BitwiseCopyable>(
    _ source: Values<Index>, _ validity: Bitmap?, limit: Int
  ) throws(ArrowError) -> [Int32] {
    var wrongRow = -1
    var result = [Int32](repeating: -1, count: source.count)
    for row in 0..<source.count where validity.map({ $0[row] }) ?? true {
      let index = source[row]
      if index < 0 || index >= limit {
        wrongRow = row
        break
      }
      result[row] = Int32(truncatingIfNeeded: index)
    }
    guard wrongRow < 0 else {
      throw .malformed("the index in row \(wrongRow), \(source[wrongRow]), lies outside the dictionary of \(limit) values")
    }
    return result
  }

  /// Runs of equal values; the first child says where each run ends, counted from the start of the whole array.
  func runs(_ field: ArrowField, _ array: ArrayData, _ mask: Bitmap?) throws(ArrowError) -> Column {
    let ends = try column(field.children[0], array.children[0])
    let values = try column(field.children[1], array.children[1])
    guard ends.nullCount == 0, ends.count <= values.count else {
      throw .malformed("\(ends.count) ends of runs, \(ends.nullCount) of them null, for \(values.count) values")
    }
    try checkExpanded(byteCount: array.count * 4)
    var rows: [Int32] = []
    rows.reserveCapacity(array.count)
    var previous = 0
    let last = array.offset + array.count
    for run in 0..<ends.count {
      let end: Int
      switch ends.type {
      case .int16: end = Int(ends.values(Int16.self)[run])
      case .int32: end = Int(ends.values(Int32.self)[run])
      default: end = Int(ends.values(Int64.self)[run])
      }
      guard end > previous else { throw .malformed("run \(run) ends at \(end), not behind \(previous)") }
      let covered = max(previous, array.offset)..<max(min(end, last), max(previous, array.offset))
      rows.append(contentsOf: repeatElement(Int32(run), count: covered.count))
      previous = min(end, last)
      if end >= last { break }
    }
    guard rows.count == array.count else { throw .malformed("the runs cover \(rows.count) of \(array.count) values") }
    if let mask {
      for row in 0..<rows.count where !mask[row] { rows[row] = -1 }
    }
    return try take(values, rows)
  }

  /// The rows of these numbers, refused if they would take too much memory.
  private func take(_ values: Column, _ rows: [Int32]) throws(ArrowError) -> Column {
    let weights = rowWeights(values)
    var total = 0
    for row in rows where row >= 0 {
      total += weights.prefix(Int(row) + 1) - weights.prefix(Int(row))
      // Here, not behind the loop: the sum of many large values could overflow.
      if total > expandedByteCountMax { break }
    }
    try checkExpanded(byteCount: total)
    return values.take(rows)
  }

  /// About how many bytes each row takes, at least one: enough to bound what a copy of rows takes.
  ///
  /// - Complexity: O(1) for fixed widths, else O(rows), for each level of nesting.
  func rowWeights(_ column: Column) -> RowWeights {
    switch column.type {
    case .bool: return .uniform(1)
    case .string, .binary:
      let offsets = column.bytes.offsets
      return .sums((0...column.count).map { Int(offsets[$0] - offsets[0]) + $0 * 8 })
    case .list, .map:
      let offsets = column.listOffsets
      let inner = rowWeights(column.children[0])
      let base = inner.prefix(Int(offsets[0]))
      return .sums((0...column.count).map { inner.prefix(Int(offsets[$0])) - base + $0 * 8 })
    case .structure:
      let parts = column.children.map { rowWeights($0) }
      return .sums((0...column.count).map { row in parts.reduce(row) { $0 + $1.prefix(row) } })
    default: return .uniform(column.type.byteWidth ?? 1)
    }
  }
}

/// Running sums of the bytes that rows take.
enum RowWeights {
  case uniform(Int)
  case sums([Int])

  /// What the first rows take together. - Precondition: there are so many.
  @inline(__always) func prefix(_ count: Int) -> Int {
    switch self {
    case .uniform(let weight): weight * count
    case .sums(let sums): sums[count]
    }
  }
}
