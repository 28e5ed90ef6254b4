import Objects

/// Times in revisions: RFC 3339 with an offset.
enum RevisionTime {
  private static let microsPerDay: Int64 = 86_400_000_000

  /// Microseconds since 1970 UTC; finer digits are dropped.
  /// - Parameter revision: for messages.
  static func micros(_ text: String, of revision: String) throws(StoreError) -> Int64 {
    guard let time = parse(text) else {
      throw StoreError(
        kind: .invalid, text: "Cannot find \(revision): expected a time with an offset, like 2026-02-01T00:00:00Z, found \(text)")
    }
    return time
  }

  /// `YYYY-MM-DDThh:mm:ss[.digits](Z|±hh:mm)`, with `T`, `t` or a space; nil for anything else.
  static func parse(_ text: String) -> Int64? {
    var bytes = Array(text.utf8)[...]
    func number(_ count: Int) -> Int64? {
      guard bytes.count >= count else { return nil }
      let digits = bytes.prefix(count)
      guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
      bytes = bytes.dropFirst(count)
      return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }
    func accept(_ allowed: String) -> UInt8? {
      guard let first = bytes.first, allowed.utf8.contains(first) else { return nil }
      bytes = bytes.dropFirst()
      return first
    }
    guard let year = number(4), accept("-") != nil, let month = number(2), accept("-") != nil, let day = number(2),
      accept("Tt ") != nil, let hour = number(2), accept(":") != nil, let minute = number(2), accept(":") != nil,
      let second = number(2)
    else { return nil }
    var fraction: Int64 = 0
    if accept(".") != nil {
      var unit: Int64 = 100_000
      var digitCount = 0
      while let digit = number(1) {
        fraction += digit * unit
        unit /= 10
        digitCount += 1
      }
      guard digitCount > 0 else { return nil }
    }
    var offsetMinutes: Int64 = 0
    if let sign = accept("+-") {
      guard let hours = number(2), accept(":") != nil, let minutes = number(2), hours < 24, minutes < 60 else { return nil }
      offsetMinutes = (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    } else if accept("Zz") == nil {
      return nil
    }
    guard bytes.isEmpty, (1...12).contains(month), day >= 1, day <= dayCount(year, month), hour < 24, minute < 60, second < 60
    else { return nil }
    let seconds = dayNumber(year, month, day) * 86_400 + hour * 3600 + (minute - offsetMinutes) * 60 + second
    return seconds * 1_000_000 + fraction
  }

  /// `2026-02-01T00:00:00.000000Z`
  static func text(ofMicros micros: Int64) -> String {
    let (days, rest) = floorDivide(micros, microsPerDay)
    let (year, month, day) = civil(days)
    let seconds = rest / 1_000_000
    func pad(_ value: Int64, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))"
    let time = "\(pad(seconds / 3600, 2)):\(pad(seconds / 60 % 60, 2)):\(pad(seconds % 60, 2)).\(pad(rest % 1_000_000, 6))"
    return "\(date)T\(time)Z"
  }

  private static func floorDivide(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
    let (quotient, rest) = value.quotientAndRemainder(dividingBy: by)
    return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest)
  }

  private static func dayCount(_ year: Int64, _ month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days since 1970 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let (era, yearOfEra) = floorDivide(y, 400)
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }
}
