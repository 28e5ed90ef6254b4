import Columns

/// Which partition rows belong to: floored UTC days or months since 1970, negative before.
enum PartitionNumbers {
  /// Days beyond which months are computed row by row: about 1,100 years of table.
  private static let tableDayCountMax: Int64 = 400_000

  /// - Parameter times: a column of dates or timestamps in microseconds, without nulls.
  /// - Complexity: O(rows), and O(days between the first and the last) for months
  static func column(of times: Column, _ partitioning: Partitioning) -> Column {
    let days = times.type == .date ? times.values(Int32.self).array.map { Int64($0) } : days(ofMicros: times)
    let numbers = partitioning == .month ? months(ofDays: days) : days
    return Column(type: .int64, count: numbers.count, data: numbers.withUnsafeBytes { BufferSlice(copying: $0) })
  }

  private static func days(ofMicros times: Column) -> [Int64] {
    times.values(Int64.self).withPointer { micros in
      [Int64](unsafeUninitializedCapacity: times.count) { target, count in
        for row in 0..<times.count {
          let value = micros[row]
          let quotient = value / CivilTime.microsPerDay
          target[row] = quotient &- (value < quotient &* CivilTime.microsPerDay ? 1 : 0)
        }
        count = times.count
      }
    }
  }

  private static func months(ofDays days: [Int64]) -> [Int64] {
    guard let first = days.min(), let last = days.max() else { return [] }
    guard last - first < tableDayCountMax else { return days.map(CivilTime.monthNumber(ofDays:)) }
    let table = (first...last).map(CivilTime.monthNumber(ofDays:))
    return days.map { table[Int($0 - first)] }
  }
}
