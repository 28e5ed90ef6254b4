import Columns

extension TextBuffer {
  /// `2026-02-01`, of days since 1970-01-01; see `CivilTime.formatDate` for years outside 0...9999.
  mutating func append(days: Int64) {
    let date = CivilTime.civil(days: days)
    guard date.year >= 0 && date.year <= 9_999 else {
      append { CivilTime.appendDate(days: days, to: &$0) }
      return
    }
    let target = room(10)
    TextBuffer.store(UInt64(date.year), digitCount: 4, at: target)
    target[4] = UInt8(ascii: "-")
    TextBuffer.store(UInt64(date.month), digitCount: 2, at: target + 5)
    target[7] = UInt8(ascii: "-")
    TextBuffer.store(UInt64(date.day), digitCount: 2, at: target + 8)
    advance(10)
  }

  @inline(__always) mutating func append(days: Int64, _ dates: inout DateText) {
    if days == dates.days {
      // SAFETY: the room holds the ten bytes.
      let target = UnsafeMutableRawPointer(room(10))
      target.storeBytes(of: dates.yearAndMonth, as: UInt64.self)
      target.storeBytes(of: dates.day, toByteOffset: 8, as: UInt16.self)
      advance(10)
      return
    }
    let start = count
    append(days: days)
    if count - start == 10 {
      let text = UnsafeRawPointer(base + start)
      dates = DateText(
        days: days, yearAndMonth: text.loadUnaligned(as: UInt64.self), day: text.loadUnaligned(fromByteOffset: 8, as: UInt16.self))
    }
  }

  /// RFC 3339 in UTC with microseconds; nine digits for nanoseconds that are no whole microseconds.
  /// - Parameter dates: remembers the last date, as neighbours often share theirs.
  @inline(__always) mutating func append(ticks: Int64, _ unit: TimeUnit, _ dates: inout DateText) {
    let ticksPerDay = unit.ticksPerSecond * 86_400
    let quotient = ticks / ticksPerDay
    let days = ticks % ticksPerDay < 0 ? quotient - 1 : quotient
    append(days: days, &dates)
    // Wraps only where the product leaves Int64 and the difference brings it back.
    let tickOfDay = ticks &- days &* ticksPerDay
    let fraction = tickOfDay % unit.ticksPerSecond
    append(UInt8(ascii: "T"))
    append(secondOfDay: tickOfDay / unit.ticksPerSecond)
    append(fractionTicks: fraction, unit)
    append(UInt8(ascii: "Z"))
  }

  @inline(__always) private mutating func append(fractionTicks fraction: Int64, _ unit: TimeUnit) {
    let needsNano = unit == .nanosecond && fraction % 1_000 != 0
    let digits = unit == .nanosecond ? needsNano ? fraction : fraction / 1_000 : fraction * (1_000_000 / unit.ticksPerSecond)
    append(fraction: digits, digitCount: needsNano ? 9 : 6)
  }

  /// A time of day with six digits of fraction, nine where nanoseconds are no whole microseconds. What lies outside the day is
  /// the number of ticks.
  mutating func append(timeOfDay ticks: Int64, _ unit: TimeUnit) {
    guard ticks >= 0 && ticks < unit.ticksPerSecond * 86_400 else {
      append(integer: ticks)
      return
    }
    append(secondOfDay: ticks / unit.ticksPerSecond)
    append(fractionTicks: ticks % unit.ticksPerSecond, unit)
  }

  @inline(__always) private mutating func append(secondOfDay second: Int64) {
    let target = room(8)
    TextBuffer.store(UInt64(second / 3_600), digitCount: 2, at: target)
    target[2] = UInt8(ascii: ":")
    TextBuffer.store(UInt64(second / 60 % 60), digitCount: 2, at: target + 3)
    target[5] = UInt8(ascii: ":")
    TextBuffer.store(UInt64(second % 60), digitCount: 2, at: target + 6)
    advance(8)
  }

  @inline(__always) private mutating func append(fraction: Int64, digitCount: Int) {
    let target = room(digitCount + 1)
    target[0] = UInt8(ascii: ".")
    TextBuffer.store(UInt64(fraction), digitCount: digitCount, at: target + 1)
    advance(digitCount + 1)
  }
}

/// The text of the last date that was written.
struct DateText {
  /// No date at first: the greatest day is not one of ten digits.
  var days = Int64.max
  var yearAndMonth: UInt64 = 0
  var day: UInt16 = 0
}

/// Times of day as text.
enum TimeOfDay {
  /// Ticks since midnight of `hh:mm[:ss[.fraction]]` with up to nine digits, or of a plain number of ticks.
  /// - Returns: nil for any other text and for times between two ticks.
  static func parse(_ bytes: UnsafeRawBufferPointer, _ unit: TimeUnit) -> Int64? {
    guard bytes.count >= 5, bytes[2] == UInt8(ascii: ":") else { return NumberText.parseInt64(bytes) }
    guard let hour = pair(bytes, 0), hour < 24, let minute = pair(bytes, 3), minute < 60 else { return nil }
    var second: Int64 = 0
    var nanoseconds: Int64 = 0
    if bytes.count > 5 {
      guard bytes.count >= 8, bytes[5] == UInt8(ascii: ":"), let value = pair(bytes, 6), value < 60 else { return nil }
      second = value
      if bytes.count > 8 {
        guard bytes[8] == UInt8(ascii: "."), bytes.count > 9, bytes.count <= 18 else { return nil }
        for index in 9..<18 {
          var digit: UInt8 = 0
          if index < bytes.count { digit = bytes[index] &- UInt8(ascii: "0") }
          guard digit <= 9 else { return nil }
          nanoseconds = nanoseconds * 10 + Int64(digit)
        }
      }
    }
    let nanosPerTick = 1_000_000_000 / unit.ticksPerSecond
    guard nanoseconds % nanosPerTick == 0 else { return nil }
    return (hour * 3_600 + minute * 60 + second) * unit.ticksPerSecond + nanoseconds / nanosPerTick
  }

  /// Whether the text is `hh:mm:ss` with or without a fraction.
  static func isTime(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.count >= 8 && bytes[2] == UInt8(ascii: ":") && parse(bytes, .nanosecond) != nil
  }

  private static func pair(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int64? {
    let (tens, ones) = (bytes[place] &- UInt8(ascii: "0"), bytes[place + 1] &- UInt8(ascii: "0"))
    return tens <= 9 && ones <= 9 ? Int64(tens) * 10 + Int64(ones) : nil
  }
}
