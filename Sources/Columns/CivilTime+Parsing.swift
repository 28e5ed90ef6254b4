extension CivilTime {
  /// An instant as text gave it.
  package struct Parsed: Hashable, Sendable {
    /// Whole seconds since 1970-01-01T00:00:00Z, floored.
    package let seconds: Int64
    /// 0..<10^9.
    package let nanoseconds: Int64
    package let hasTime: Bool
    /// Whether the text named Z or an offset; without, it was read as UTC.
    package let hasZone: Bool

    /// The count of ticks; nil where it needs finer ticks or leaves 64 bits.
    package func ticks(_ unit: TimeUnit) -> Int64? {
      nanoseconds % (1_000_000_000 / unit.ticksPerSecond) == 0 ? flooredTicks(unit) : nil
    }

    /// The count of ticks, floored; nil where it leaves 64 bits.
    package func flooredTicks(_ unit: TimeUnit) -> Int64? {
      // In the negative range the product alone may overflow although the sum does not: 128 bits are simplest.
      let sum = Int128(seconds) * Int128(unit.ticksPerSecond) + Int128(nanoseconds / (1_000_000_000 / unit.ticksPerSecond))
      return Int64(exactly: sum)
    }
  }

  /// Microseconds since the epoch, of ISO 8601 text: a date alone (midnight), or a date, `T` or a space, `hh:mm[:ss[.fraction]]`
  /// with up to nine digits, and `Z`, `±hh`, `±hhmm`, `±hh:mm` or nothing (UTC).
  /// - Returns: nil for any other text, for dates that do not exist and for instants between two microseconds.
  package static func parseTimestamp(_ bytes: UnsafeRawBufferPointer) -> Int64? { parse(bytes)?.ticks(.microsecond) }

  package static func parseTimestamp(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { parseTimestamp(UnsafeRawBufferPointer($0)) }
  }

  /// As `parseTimestamp`, but instants between two microseconds are floored.
  package static func parseTimestampFloored(_ bytes: UnsafeRawBufferPointer) -> Int64? { parse(bytes)?.flooredTicks(.microsecond) }

  package static func parseTimestampFloored(_ text: String) -> Int64? {
    var text = text
    return text.withUTF8 { parseTimestampFloored(UnsafeRawBufferPointer($0)) }
  }

  /// As `parseTimestampFloored`, of text that names its offset or Z.
  package static func parseInstantFloored(_ text: String) -> Int64? {
    var text = text
    guard let parsed = text.withUTF8({ parse(UnsafeRawBufferPointer($0)) }), parsed.hasZone else { return nil }
    return parsed.flooredTicks(.microsecond)
  }

  /// Days since 1970-01-01, of `2026-02-01` and nothing else.
  package static func parseDate(_ bytes: UnsafeRawBufferPointer) -> Int32? {
    var cursor = Cursor(bytes)
    guard let days = cursor.date(), cursor.isAtEnd else { return nil }
    return Int32(exactly: days)
  }

  package static func parseDate(_ text: String) -> Int32? {
    var text = text
    return text.withUTF8 { parseDate(UnsafeRawBufferPointer($0)) }
  }

  /// The instant of ISO 8601 text, as `parseTimestamp` reads it.
  package static func parse(_ bytes: UnsafeRawBufferPointer) -> Parsed? {
    var cursor = Cursor(bytes)
    guard let days = cursor.date() else { return nil }
    if cursor.isAtEnd { return parsed(days, 0, nanoseconds: 0, hasTime: false, hasZone: false) }
    guard cursor.skip(UInt8(ascii: "T")) || cursor.skip(UInt8(ascii: " ")) || cursor.skip(UInt8(ascii: "t")),
      let time = cursor.time(), let (offset, hasZone) = cursor.zone(), cursor.isAtEnd
    else { return nil }
    return parsed(days, time.seconds - offset, nanoseconds: time.nanoseconds, hasTime: true, hasZone: hasZone)
  }

  private static func parsed(_ days: Int64, _ seconds: Int64, nanoseconds: Int64, hasTime: Bool, hasZone: Bool) -> Parsed? {
    // A midnight may lie outside 64 bits and the time inside.
    guard let sum = Int64(exactly: Int128(days) * 86_400 + Int128(seconds)) else { return nil }
    return Parsed(seconds: sum, nanoseconds: nanoseconds, hasTime: hasTime, hasZone: hasZone)
  }

  /// Walks over the bytes of a date or time.
  private struct Cursor {
    // SAFETY: loads stay below `count`; the cursor does not outlive the call that was given the bytes.
    private let base: UnsafeRawPointer
    private let count: Int
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
      // Any address will do for no bytes, as none is loaded.
      base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!
      count = bytes.count
    }

    var isAtEnd: Bool { position == count }

    @inline(__always) mutating func skip(_ byte: UInt8) -> Bool {
      guard position < count, base.load(fromByteOffset: position, as: UInt8.self) == byte else { return false }
      position &+= 1
      return true
    }

    @inline(__always) private func digit(_ offset: Int) -> Int64? {
      guard offset < count else { return nil }
      let digit = base.load(fromByteOffset: offset, as: UInt8.self) &- UInt8(ascii: "0")
      return digit <= 9 ? Int64(digit) : nil
    }

    @inline(__always) private mutating func twoDigits() -> Int64? {
      guard let tens = digit(position), let ones = digit(position &+ 1) else { return nil }
      position &+= 2
      return tens &* 10 &+ ones
    }

    @inline(__always) mutating func date() -> Int64? {
      let isNegative = skip(UInt8(ascii: "-"))
      let isSigned = isNegative || skip(UInt8(ascii: "+"))
      let start = position
      var year: Int64 = 0
      while let next = digit(position) {
        year = year &* 10 &+ next
        position &+= 1
        // Twelve digits hold every second of 64 bits; years without a sign have four.
        if position &- start > (isSigned ? 12 : 4) { return nil }
      }
      guard position &- start >= 4, skip(UInt8(ascii: "-")), let month = twoDigits(), skip(UInt8(ascii: "-")), let day = twoDigits()
      else { return nil }
      if isNegative { year = -year }
      guard month >= 1, month <= 12, day >= 1, day <= 28 || day <= CivilTime.dayCount(year: year, month: month) else { return nil }
      return CivilTime.days(year: year, month: month, day: day)
    }

    @inline(__always) mutating func time() -> (seconds: Int64, nanoseconds: Int64)? {
      guard let hour = twoDigits(), hour <= 23, skip(UInt8(ascii: ":")), let minute = twoDigits(), minute <= 59 else { return nil }
      var second: Int64 = 0
      var nanoseconds: Int64 = 0
      if skip(UInt8(ascii: ":")) {
        guard let value = twoDigits(), value <= 59 else { return nil }
        second = value
        if skip(UInt8(ascii: ".")) {
          var digitCount = 0
          while let next = digit(position) {
            digitCount &+= 1
            if digitCount > 9 { return nil }
            nanoseconds = nanoseconds &* 10 &+ next
            position &+= 1
          }
          if digitCount == 0 { return nil }
          while digitCount < 9 {
            nanoseconds &*= 10
            digitCount &+= 1
          }
        }
      }
      return (hour * 3_600 + minute * 60 + second, nanoseconds)
    }

    @inline(__always) mutating func zone() -> (offsetSeconds: Int64, isNamed: Bool)? {
      if isAtEnd { return (0, false) }
      if skip(UInt8(ascii: "Z")) || skip(UInt8(ascii: "z")) { return (0, true) }
      let isNegative = skip(UInt8(ascii: "-"))
      guard isNegative || skip(UInt8(ascii: "+")), let hour = twoDigits(), hour <= 23 else { return nil }
      var minute: Int64 = 0
      if !isAtEnd {
        _ = skip(UInt8(ascii: ":"))
        guard let value = twoDigits(), value <= 59 else { return nil }
        minute = value
      }
      let offset = hour * 3_600 + minute * 60
      return (isNegative ? -offset : offset, true)
    }
  }
}
