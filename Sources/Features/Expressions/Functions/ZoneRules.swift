import Columns
import Foundation

/// A time zone by its IANA name. The rules are those of Foundation's `TimeZone`, which brings ICU's tables with it, so that
/// results do not depend on the machine's files.
struct ZoneRules: Sendable {
  private let zone: TimeZone

  /// - Returns: nil for a name that is none.
  init?(_ name: String) {
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.zone = zone
  }

  /// Microseconds to add to UTC at an instant.
  private func offset(_ micros: Int64) -> Int64 {
    let seconds = TimeMath.floorDivide(micros, 1_000_000)
    return Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))) * 1_000_000
  }

  /// What a clock there shows at an instant; nil outside the range of timestamps.
  func wallTime(_ micros: Int64) -> Int64? {
    let (sum, overflow) = micros.addingReportingOverflow(offset(micros))
    return overflow ? nil : sum
  }

  /// The instant at which a clock there shows a time: the later one when it shows it twice. A time that it skips is read with the
  /// offset before the change.
  func instant(_ wall: Int64) -> Int64? {
    let day = CivilTime.microsPerDay
    let (before, lowOverflow) = wall.subtractingReportingOverflow(day)
    let (after, highOverflow) = wall.addingReportingOverflow(day)
    let early = offset(lowOverflow ? wall : before)
    let late = offset(highOverflow ? wall : after)
    let (withLate, lateOverflow) = wall.subtractingReportingOverflow(late)
    let (withEarly, earlyOverflow) = wall.subtractingReportingOverflow(early)
    if early == late { return lateOverflow ? nil : withLate }
    let isLate = !lateOverflow && offset(withLate) == late
    let isEarly = !earlyOverflow && offset(withEarly) == early
    if isLate && isEarly { return max(withLate, withEarly) }
    if isLate { return withLate }
    return earlyOverflow ? nil : withEarly
  }
}
