import Columns

/// Fast paths for the usual spellings of dates and instants; all others go to `CivilTime`, with the same results.
enum TextTimes {
  // SAFETY: loads stay inside the bytes; lengths are checked first.

  /// As `CivilTime.parse(_:)?.ticks(unit)`.
  @inline(__always) static func ticks(_ bytes: UnsafeRawBufferPointer, _ unit: TimeUnit) -> Int64? {
    guard let start = bytes.baseAddress else { return nil }
    var dates = DateCache()
    return ticks(start, bytes.count, unit, &dates)
  }

  @inline(__always) static func ticks(_ start: UnsafeRawPointer, _ length: Int, _ unit: TimeUnit, _ dates: inout DateCache) -> Int64? {
    if let ticks = usualTicks(start, length, unit, &dates) { return ticks }
    return CivilTime.parse(UnsafeRawBufferPointer(start: start, count: length))?.ticks(unit)
  }

  /// Only `yyyy-mm-ddThh:mm:ss[.f…][Z]`, which takes a few words; nil for other forms.
  @inline(__always) static func usualTicks(
    _ start: UnsafeRawPointer, _ length: Int, _ unit: TimeUnit, _ dates: inout DateCache
  ) -> Int64? {
    guard length >= 19 else { return nil }
    let separator = start.load(fromByteOffset: 10, as: UInt8.self)
    guard separator == UInt8(ascii: "T") || separator == UInt8(ascii: " "), let days = dates.days(start) else { return nil }
    // A colon differs from a zero in two bits: HH0MM0SS.
    let clock = UInt64(littleEndian: start.loadUnaligned(fromByteOffset: 11, as: UInt64.self)) ^ 0x0000_0A00_000A_0000
    guard clock & 0x0000_FF00_00FF_0000 == 0x0000_3000_0030_0000, let digits = TextNumbers.eightDigits(clock) else { return nil }
    let (hour, minute, second) = (digits / 1_000_000, digits / 1_000 % 1_000, digits % 100)
    guard hour < 24 && minute < 60 && second < 60 else { return nil }
    var nanoseconds: UInt64 = 0
    if length > 19 {
      let base = start.assumingMemoryBound(to: UInt8.self)
      let end = base[length &- 1] == UInt8(ascii: "Z") ? length &- 1 : length
      if end > 19 {
        guard base[19] == UInt8(ascii: "."), end > 20, end <= 29 else { return nil }
        for place in 20..<end {
          let digit = base[place] &- UInt8(ascii: "0")
          guard digit <= 9 else { return nil }
          nanoseconds = nanoseconds &* 10 &+ UInt64(digit)
        }
        nanoseconds &*= scale(missing: 29 &- end)
      }
    }
    // Four-digit years in seconds are far inside 64 bits.
    let seconds = Int64(days) &* 86_400 &+ Int64(truncatingIfNeeded: hour &* 3_600 &+ minute &* 60 &+ second)
    switch unit {
    case .microsecond: return nanoseconds % 1_000 == 0 ? seconds &* 1_000_000 &+ Int64(nanoseconds / 1_000) : nil
    case .millisecond: return nanoseconds % 1_000_000 == 0 ? seconds &* 1_000 &+ Int64(nanoseconds / 1_000_000) : nil
    case .second: return nanoseconds == 0 ? seconds : nil
    case .nanosecond:
      // Within these years, 1678...2261, nanoseconds fit.
      return days > -106_651 && days < 106_651 ? seconds &* 1_000_000_000 &+ Int64(nanoseconds) : nil
    }
  }

  @inline(__always) private static func scale(missing: Int) -> UInt64 {
    switch missing {
    case 0: 1
    case 1: 10
    case 2: 100
    case 3: 1_000
    case 4: 10_000
    case 5: 100_000
    case 6: 1_000_000
    case 7: 10_000_000
    default: 100_000_000
    }
  }

  /// As `CivilTime.parseDate`.
  @inline(__always) static func days(_ start: UnsafeRawPointer, _ length: Int, _ dates: inout DateCache) -> Int32? {
    if length == 10, let days = dates.days(start) { return days }
    return CivilTime.parseDate(UnsafeRawBufferPointer(start: start, count: length))
  }
}

/// Reads dates `yyyy-mm-dd`, and remembers the last one: neighbours often share their day.
struct DateCache {
  /// `1970-01-` and `01`, whose day is 0.
  private var yearAndMonth: UInt64 = 0x2D31_302D_3037_3931
  private var day: UInt16 = 0x3130
  private var days: Int32 = 0

  /// Days since 1970-01-01 of ten bytes; nil where they are no date of this form.
  @inline(__always) mutating func days(_ start: UnsafeRawPointer) -> Int32? {
    let word = UInt64(littleEndian: start.loadUnaligned(as: UInt64.self))
    let tail = UInt16(littleEndian: start.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
    if word == yearAndMonth && tail == day { return days }
    return parse(word, tail)
  }

  private mutating func parse(_ word: UInt64, _ tail: UInt16) -> Int32? {
    // A hyphen differs from a zero in 0x1D: yyyy0mm0.
    let digits = word ^ 0x1D00_001D_0000_0000
    let (tens, ones) = (UInt8(truncatingIfNeeded: tail) &- 0x30, UInt8(truncatingIfNeeded: tail >> 8) &- 0x30)
    guard digits & 0xFF00_00FF_0000_0000 == 0x3000_0030_0000_0000, tens <= 9, ones <= 9, let value = TextNumbers.eightDigits(digits)
    else { return nil }
    let (year, month, date) = (Int64(value / 10_000), Int64(value / 10 % 1_000), Int64(tens) * 10 + Int64(ones))
    guard month >= 1, month <= 12, date >= 1, date <= 28 || date <= DateCache.dayCount(year, month) else { return nil }
    days = Int32(truncatingIfNeeded: CivilTime.days(year: year, month: month, day: date))
    yearAndMonth = word
    day = tail
    return days
  }

  private static func dayCount(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}
