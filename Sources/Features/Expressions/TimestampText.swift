/// ISO 8601 dates and timestamps in the proleptic Gregorian calendar.
enum TimestampText {
  private static let microsPerSecond: Int64 = 1_000_000
  private static let microsPerDay: Int64 = 86_400 * microsPerSecond

  /// Days since 1970-01-01 of `YYYY-MM-DD`; nil for anything else.
  static func days(parsing text: some StringProtocol) -> Int32? {
    var reader = Reader(bytes: Array(text.utf8))
    guard let days = reader.date(), reader.isAtEnd else { return nil }
    return Int32(exactly: days)
  }

  /// Microseconds since the epoch of `YYYY-MM-DD[T ]hh:mm[:ss[.ffffff]][Z|±hh[:mm]]`, or of a date's midnight.
  ///
  /// Without an offset the time is UTC. Digits after the sixth must be 0, since nothing is rounded silently.
  static func micros(parsing text: some StringProtocol) -> Int64? {
    var reader = Reader(bytes: Array(text.utf8))
    guard let days = reader.date() else { return nil }
    let midnight = days * microsPerDay
    if reader.isAtEnd { return midnight }
    guard reader.skip("T") || reader.skip("t") || reader.skip(" "), let micros = reader.time(), let offset = reader.offset(),
      reader.isAtEnd
    else { return nil }
    return midnight + micros - offset
  }

  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func digits(_ count: Int, in range: ClosedRange<Int64>) -> Int64? {
      guard position + count <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[position..<position + count] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      position += count
      return range.contains(value) ? value : nil
    }

    mutating func date() -> Int64? {
      guard let year = digits(4, in: 0...9999), skip("-"), let month = digits(2, in: 1...12), skip("-"),
        let day = digits(2, in: 1...31)
      else { return nil }
      let days = TimestampText.days(year: year, month: month, day: day)
      // The 30th of February lies in March.
      let date = TimestampText.date(ofDays: days)
      return date.month == month && date.day == day ? days : nil
    }

    mutating func time() -> Int64? {
      guard let hour = digits(2, in: 0...23), skip(":"), let minute = digits(2, in: 0...59) else { return nil }
      var micros = (hour * 3_600 + minute * 60) * microsPerSecond
      guard skip(":") else { return micros }
      guard let second = digits(2, in: 0...59) else { return nil }
      micros += second * microsPerSecond
      guard skip(".") else { return micros }
      var unit = microsPerSecond
      let start = position
      while let digit = digits(1, in: 0...9) {
        unit /= 10
        if unit == 0 && digit != 0 { return nil }
        micros += digit * unit
      }
      return position > start ? micros : nil
    }

    mutating func offset() -> Int64? {
      if isAtEnd || skip("Z") || skip("z") { return 0 }
      let isNegative = skip("-")
      guard isNegative || skip("+"), let hour = digits(2, in: 0...23) else { return nil }
      if isAtEnd { return (isNegative ? -1 : 1) * hour * 3_600 * microsPerSecond }
      _ = skip(":")
      guard let minute = digits(2, in: 0...59) else { return nil }
      return (isNegative ? -1 : 1) * (hour * 3_600 + minute * 60) * microsPerSecond
    }
  }

  // MARK: The calendar, after Howard Hinnant's "chrono-compatible low-level date algorithms"

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func date(ofDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthShifted = (5 * dayOfYear + 2) / 153
    let month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthShifted + 2) / 5 + 1)
  }

  // MARK: Writing

  /// `2024-02-29`
  static func text(ofDays days: Int64) -> String {
    let date = date(ofDays: days)
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
  }

  /// `2024-02-29T12:00:00.000000Z`
  static func text(ofMicros micros: Int64) -> String {
    let days = floorDays(ofMicros: micros)
    // Wrapping, because the days of the least int64 times their length lie below it; the difference is exact.
    let time = micros &- days &* microsPerDay
    let seconds = time / microsPerSecond
    return text(ofDays: days) + "T\(padded(seconds / 3_600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
      + ".\(padded(time % microsPerSecond, 6))Z"
  }

  static func floorDays(ofMicros micros: Int64) -> Int64 {
    micros / microsPerDay - (micros % microsPerDay < 0 ? 1 : 0)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
