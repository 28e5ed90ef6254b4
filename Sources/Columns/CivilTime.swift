/// UTC dates and times in the proleptic Gregorian calendar, as counts since 1970-01-01T00:00:00Z.
///
/// Day arithmetic after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
/// (https://howardhinnant.github.io/date_algorithms.html).
package enum CivilTime {
  package static let microsPerSecond: Int64 = 1_000_000
  package static let microsPerDay: Int64 = 86_400_000_000

  /// Days since 1970-01-01; negative before.
  /// - Precondition: month 1...12, |year| < 2^40.
  package static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = floorDivide(shifted, 400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date of a day number; year 0 is 1 BC.
  /// - Precondition: |days| < 2^62.
  package static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
  }

  /// UTC days since 1970-01-01, floored.
  package static func dayNumber(ofMicros micros: Int64) -> Int64 { floorDivide(micros, microsPerDay) }

  /// UTC months since 1970-01, floored.
  package static func monthNumber(ofMicros micros: Int64) -> Int64 { monthNumber(ofDays: floorDivide(micros, microsPerDay)) }

  package static func monthNumber(ofDays days: Int64) -> Int64 {
    let date = civil(days: days)
    return (date.year - 1970) * 12 + date.month - 1
  }

  /// The first day of a month that is counted from 1970-01.
  package static func firstDay(ofMonth month: Int64) -> Int64 {
    let year = floorDivide(month, 12)
    return days(year: year + 1970, month: month - year * 12 + 1, day: 1)
  }

  static func dayCount(year: Int64, month: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  @inlinable static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}
