import Columns

/// 10 M rows of an id out of 100,000, a time within 120 days, and the row's number; sorted by id and time, equal rows in
/// their order. The peer makes its table with the same generator.
enum SortWork {
  static let rowCount = 10_000_000

  static func table() -> Batch {
    var state: UInt64 = 7
    // SplitMix64, as in compare.py.
    func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    var (keys, times, rows) = (
      ColumnBuilder(.int64, capacity: rowCount), ColumnBuilder(.timestampMicros, capacity: rowCount),
      ColumnBuilder(.int64, capacity: rowCount)
    )
    for row in 0..<rowCount {
      keys.append(Int64(next() % 100_000))
      times.append(Int64(1_767_225_600_000_000 + next() % (120 * 86_400_000_000)))
      rows.append(Int64(row))
    }
    let fields = [
      Field("k", .int64, isNullable: false), Field("t", .timestampMicros, isNullable: false), Field("row", .int64, isNullable: false),
    ]
    return Batch(schema: Schema(fields), columns: [keys.finish(), times.finish(), rows.finish()], rowCount: rowCount)
  }

  static func sort(_ table: Batch) -> Batch {
    guard let order = SortKernel.permutation(by: [table.columns[0], table.columns[1]]) else { return table }
    return table.take(order)
  }
}
