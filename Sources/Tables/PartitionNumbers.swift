import Columns

/// Which partition rows belong to: floored UTC days or months since 1970, negative before.
enum PartitionNumbers {
  /// Days beyond which months are computed row by row: about 1,100 years of table.
  private static let tableDayCountMax: Int64 = 400_000

  /// - Parameter times: a column of dates or timestamps in microseconds, without nulls.
  /// - Complexity: O(rows), and O(days between the first and the last) for months
  static func column(of times: Column, _ partitioning: Partitioning) -> Column {
    if times.type != .date, partitioning == .month, let column = months(ofMicros: times) { return column }
    let days = times.type == .date ? times.values(Int32.self).array.map { Int64($0) } : days(ofMicros: times)
    let numbers = partitioning == .month ? months(ofDays: days) : days
    return Column(type: .int64, count: numbers.count, data: numbers.withUnsafeBytes { BufferSlice(copying: $0) })
  }

  /// Two passes over the rows without anything between them; nil when the table would be too large.
  private static func months(ofMicros times: Column) -> Column? {
    guard times.count > 0 else { return nil }
    return times.values(Int64.self).withPointer { micros in
      var (least, greatest) = (micros[0], micros[0])
      for row in 1..<times.count {
        least = min(least, micros[row])
        greatest = max(greatest, micros[row])
      }
      let (first, last) = (day(ofMicros: least), day(ofMicros: greatest))
      guard last - first < tableDayCountMax else { return nil }
      let table = (first...last).map(CivilTime.monthNumber(ofDays:))
      let buffer = Buffer(byteCapacity: times.count * 8)
      // SAFETY: the buffer has just been made for this many numbers; days lie between the first and the last.
      let target = buffer.pointer.bindMemory(to: Int64.self, capacity: times.count)
      table.withUnsafeBufferPointer { table in
        for row in 0..<times.count { target[row] = table[Int(day(ofMicros: micros[row]) &- first)] }
      }
      return Column(type: .int64, count: times.count, data: BufferSlice(buffer, byteCount: times.count * 8))
    }
  }

  @inline(__always) private static func day(ofMicros value: Int64) -> Int64 {
    let quotient = value / CivilTime.microsPerDay
    return quotient &- (value < quotient &* CivilTime.microsPerDay ? 1 : 0)
  }

  private static func days(ofMicros times: Column) -> [Int64] {
    times.values(Int64.self).withPointer { micros in
      [Int64](unsafeUninitializedCapacity: times.count) { target, count in
        for row in 0..<times.count {
          target[row] = day(ofMicros: micros[row])
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
