import Columns

/// A part of a time that functions read, cut at or count in.
enum TimePart: Sendable {
  case year, month, day, decade, century, millennium, quarter, week, isoYear, yearWeek, dayOfWeek, isoDayOfWeek, dayOfYear, era
  case hour, minute, second, millisecond, microsecond, epoch, julian

  init?(_ name: String) {
    switch name.lowercased() {
    case "year", "years", "yr", "y", "yrs": self = .year
    case "month", "months", "mon", "mons": self = .month
    case "day", "days", "d", "dayofmonth": self = .day
    case "decade", "decades", "dec", "decs": self = .decade
    case "century", "centuries", "cent", "c": self = .century
    case "millennium", "millennia", "mil", "millenniums": self = .millennium
    case "quarter", "quarters": self = .quarter
    case "week", "weeks", "w", "weekofyear": self = .week
    case "isoyear": self = .isoYear
    case "yearweek": self = .yearWeek
    case "dow", "dayofweek", "weekday": self = .dayOfWeek
    case "isodow": self = .isoDayOfWeek
    case "doy", "dayofyear": self = .dayOfYear
    case "era": self = .era
    case "hour", "hours", "hr", "h", "hrs": self = .hour
    case "minute", "minutes", "min", "m", "mins": self = .minute
    case "second", "seconds", "sec", "s", "secs": self = .second
    case "millisecond", "milliseconds", "ms", "msec", "msecs": self = .millisecond
    case "microsecond", "microseconds", "us", "usec", "usecs": self = .microsecond
    case "epoch": self = .epoch
    case "julian": self = .julian
    default: return nil
    }
  }

  /// Whether it says something about a date already.
  var isOfDays: Bool {
    switch self {
    case .hour, .minute, .second, .millisecond, .microsecond, .epoch, .julian: false
    default: true
    }
  }

  /// Microseconds, of units that always take as long.
  var micros: Int64? {
    switch self {
    case .week: 7 * CivilTime.microsPerDay
    case .day, .dayOfWeek, .isoDayOfWeek, .dayOfYear: CivilTime.microsPerDay
    case .hour: 3_600_000_000
    case .minute: 60_000_000
    case .second, .epoch: 1_000_000
    case .millisecond: 1_000
    case .microsecond: 1
    default: nil
    }
  }

  /// Months, of units of the calendar.
  var months: Int64? {
    switch self {
    case .month: 1
    case .quarter: 3
    case .year, .isoYear: 12
    case .decade: 120
    case .century: 1_200
    case .millennium: 12_000
    default: nil
    }
  }
}

/// Dates and times as numbers. Time zones play no part here.
enum TimeMath {
  static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 { value / divisor - (value % divisor < 0 ? 1 : 0) }

  /// Microseconds since midnight.
  static func timeOfDay(_ micros: Int64) -> Int64 {
    let rest = micros % CivilTime.microsPerDay
    return rest < 0 ? rest + CivilTime.microsPerDay : rest
  }

  /// Monday is 1.
  static func isoDayOfWeek(_ days: Int64) -> Int64 {
    // 1970-01-01 was a Thursday.
    let shifted = (days + 3) % 7
    return (shifted < 0 ? shifted + 7 : shifted) + 1
  }

  static func dayOfYear(_ days: Int64) -> Int64 { days - CivilTime.days(year: CivilTime.civil(days: days).year, month: 1, day: 1) + 1 }

  /// ISO 8601: a week belongs to the year of its Thursday.
  static func isoWeek(_ days: Int64) -> (year: Int64, week: Int64) {
    let thursday = days - isoDayOfWeek(days) + 4
    return (CivilTime.civil(days: thursday).year, (dayOfYear(thursday) - 1) / 7 + 1)
  }

  static func lastDay(year: Int64, month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  static func value(_ part: TimePart, days: Int64) -> Int64 {
    let date = CivilTime.civil(days: days)
    switch part {
    case .year: return date.year
    case .month: return date.month
    case .day: return date.day
    case .decade: return date.year / 10
    case .century: return date.year > 0 ? (date.year - 1) / 100 + 1 : date.year / 100 - 1
    case .millennium: return date.year > 0 ? (date.year - 1) / 1_000 + 1 : date.year / 1_000 - 1
    case .quarter: return (date.month - 1) / 3 + 1
    case .week: return isoWeek(days).week
    case .isoYear: return isoWeek(days).year
    case .yearWeek:
      let week = isoWeek(days)
      return week.year * 100 + (week.year > 0 ? week.week : -week.week)
    case .dayOfWeek: return isoDayOfWeek(days) % 7
    case .isoDayOfWeek: return isoDayOfWeek(days)
    case .dayOfYear: return dayOfYear(days)
    case .era: return date.year > 0 ? 1 : 0
    case .hour, .minute, .second, .millisecond, .microsecond, .epoch, .julian: return 0
    }
  }

  static func value(_ part: TimePart, micros: Int64) -> Int64 {
    let time = timeOfDay(micros)
    switch part {
    case .hour: return time / 3_600_000_000
    case .minute: return time / 60_000_000 % 60
    case .second: return time / 1_000_000 % 60
    case .millisecond: return time / 1_000 % 60_000
    case .microsecond: return time % 60_000_000
    default: return value(part, days: CivilTime.dayNumber(ofMicros: micros))
    }
  }

  /// The start of the part that a time lies in; nil before the first timestamp.
  static func truncate(_ part: TimePart, micros: Int64) -> Int64? {
    if let unit = part.micros, part != .week {
      let (product, overflow) = floorDivide(micros, unit).multipliedReportingOverflow(by: unit)
      return overflow ? nil : product
    }
    let days = CivilTime.dayNumber(ofMicros: micros)
    let date = CivilTime.civil(days: days)
    let start: Int64
    switch part {
    case .week, .yearWeek: start = days - isoDayOfWeek(days) + 1
    case .isoYear:
      let fourth = CivilTime.days(year: isoWeek(days).year, month: 1, day: 4)
      start = fourth - isoDayOfWeek(fourth) + 1
    case .month: start = CivilTime.days(year: date.year, month: date.month, day: 1)
    case .quarter: start = CivilTime.days(year: date.year, month: (date.month - 1) / 3 * 3 + 1, day: 1)
    case .decade: start = CivilTime.days(year: date.year / 10 * 10, month: 1, day: 1)
    case .century: start = CivilTime.days(year: date.year / 100 * 100, month: 1, day: 1)
    case .millennium: start = CivilTime.days(year: date.year / 1_000 * 1_000, month: 1, day: 1)
    default: start = CivilTime.days(year: date.year, month: 1, day: 1)
    }
    let (product, overflow) = start.multipliedReportingOverflow(by: CivilTime.microsPerDay)
    return overflow ? nil : product
  }

  /// How many starts of the part lie between two times; of weeks, how many whole ones lie between their days.
  static func boundaries(_ part: TimePart, from start: Int64, to end: Int64) -> Int64? {
    let (a, b) = (CivilTime.dayNumber(ofMicros: start), CivilTime.dayNumber(ofMicros: end))
    switch part {
    case .week, .yearWeek: return (b - a) / 7
    case .isoYear: return isoWeek(b).year - isoWeek(a).year
    default: break
    }
    if let months = part.months {
      func index(_ days: Int64) -> Int64 {
        let date = CivilTime.civil(days: days)
        return months >= 12 ? date.year / (months / 12) : (date.year * 12 + date.month - 1) / months
      }
      return index(b) - index(a)
    }
    guard let unit = part.micros else { return nil }
    let (difference, overflow) = floorDivide(end, unit).subtractingReportingOverflow(floorDivide(start, unit))
    return overflow ? nil : difference
  }

  /// How many whole units lie between two times.
  static func wholeUnits(_ part: TimePart, from start: Int64, to end: Int64) -> Int64? {
    if let months = part.months {
      guard start <= end else { return wholeUnits(part, from: end, to: start).map { -$0 } }
      let first = CivilTime.civil(days: CivilTime.dayNumber(ofMicros: start))
      let last = CivilTime.civil(days: CivilTime.dayNumber(ofMicros: end))
      let endDay = lastDay(year: last.year, month: last.month)
      // On the last day of a month every later day of the start counts as reached.
      let startDay = last.day == endDay ? min(first.day, endDay) : first.day
      let isShort = (last.day, timeOfDay(end)) < (startDay, timeOfDay(start))
      return ((last.year - first.year) * 12 + last.month - first.month - (isShort ? 1 : 0)) / months
    }
    guard let unit = part.micros else { return nil }
    let (difference, overflow) = end.subtractingReportingOverflow(start)
    return overflow ? nil : difference / unit
  }

  /// Adds months, which keep the day or end on the month's last, then days, then microseconds; nil outside the range.
  static func add(_ interval: Interval, to micros: Int64) -> Int64? {
    var days = CivilTime.dayNumber(ofMicros: micros)
    if interval.months != 0 {
      // More lie outside the range of timestamps from everywhere.
      guard interval.months.magnitude < 12_000_000 else { return nil }
      let date = CivilTime.civil(days: days)
      let month = date.year * 12 + date.month - 1 + interval.months
      let year = floorDivide(month, 12)
      let monthOfYear = month - year * 12 + 1
      days = CivilTime.days(year: year, month: monthOfYear, day: min(date.day, lastDay(year: year, month: monthOfYear)))
    }
    let sum = (Int128(days) + Int128(interval.days)) * Int128(CivilTime.microsPerDay) + Int128(timeOfDay(micros)) + Int128(interval.micros)
    return Int64(exactly: sum)
  }
}
