extension CivilTime {
  /// RFC 3339 in UTC with microseconds: `2026-02-01T00:00:00.000000Z`. Years outside 0...9999 have a sign and at least
  /// five digits (ISO 8601's expanded years), 1 BC is year 0000.
  package static func formatTimestampMicros(_ micros: Int64) -> String { formatTimestamp(micros, .microsecond) }

  /// As `formatTimestampMicros`; nanoseconds that are no whole microseconds get nine digits.
  package static func formatTimestamp(_ ticks: Int64, _ unit: TimeUnit) -> String {
    var bytes: [UInt8] = []
    appendTimestamp(ticks, unit, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `2026-02-01`, of days since 1970-01-01.
  package static func formatDate(days: Int64) -> String {
    var bytes: [UInt8] = []
    appendDate(days: days, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  package static func appendTimestamp(_ ticks: Int64, _ unit: TimeUnit, to bytes: inout [UInt8]) {
    let ticksPerDay = unit.ticksPerSecond * 86_400
    let days = floorDivide(ticks, ticksPerDay)
    // Wraps only where the product leaves Int64 and the difference brings it back.
    let tickOfDay = ticks &- days &* ticksPerDay
    let second = tickOfDay / unit.ticksPerSecond
    let fraction = tickOfDay % unit.ticksPerSecond
    appendDate(days: days, to: &bytes)
    bytes.append(UInt8(ascii: "T"))
    appendPadded(second / 3_600, digitCount: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(second / 60 % 60, digitCount: 2, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
    appendPadded(second % 60, digitCount: 2, to: &bytes)
    bytes.append(UInt8(ascii: "."))
    if unit == .nanosecond && fraction % 1_000 != 0 {
      appendPadded(fraction, digitCount: 9, to: &bytes)
    } else {
      appendPadded(unit == .nanosecond ? fraction / 1_000 : fraction * (1_000_000 / unit.ticksPerSecond), digitCount: 6, to: &bytes)
    }
    bytes.append(UInt8(ascii: "Z"))
  }

  package static func appendDate(days: Int64, to bytes: inout [UInt8]) {
    let date = civil(days: days)
    if 0...9_999 ~= date.year {
      appendPadded(date.year, digitCount: 4, to: &bytes)
    } else {
      bytes.append(date.year < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
      let magnitude = abs(date.year)
      if magnitude < 10_000 { bytes.append(UInt8(ascii: "0")) }
      if magnitude < 1_000 { appendPadded(magnitude, digitCount: 4, to: &bytes) } else { NumberText.append(magnitude, to: &bytes) }
    }
    bytes.append(UInt8(ascii: "-"))
    appendPadded(date.month, digitCount: 2, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    appendPadded(date.day, digitCount: 2, to: &bytes)
  }

  /// - Precondition: 0 <= value < 10^digitCount
  @inline(__always) private static func appendPadded(_ value: Int64, digitCount: Int, to bytes: inout [UInt8]) {
    var power: Int64 = 1
    for _ in 1..<digitCount { power *= 10 }
    var rest = value
    while power > 0 {
      bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / power))
      rest %= power
      power /= 10
    }
  }
}
