import Columns
import Testing

@Suite struct CivilTimeTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
      (1_769_904_000_000_000, "2026-02-01T00:00:00.000000Z"), (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
      (-62_167_219_200_000_001, "-00001-12-31T23:59:59.999999Z"), (253_402_300_800_000_000, "+10000-01-01T00:00:00.000000Z"),
      (.max, "+294247-01-10T04:00:54.775807Z"), (.min, "-290308-12-21T19:59:05.224192Z"),
    ] as [(Int64, String)])
  func timestampsReadBack(_ micros: Int64, _ text: String) {
    #expect(CivilTime.formatTimestampMicros(micros) == text)
    #expect(CivilTime.parseTimestamp(text) == micros)
  }

  @Test(
    arguments: [
      ("2026-02-01", 1_769_904_000_000_000), ("2026-02-01T01:02", 1_769_907_720_000_000),
      ("2026-02-01 01:02:03", 1_769_907_723_000_000), ("2026-02-01T01:02:03.5", 1_769_907_723_500_000),
      ("2026-02-01T01:02:03.123456000Z", 1_769_907_723_123_456), ("2026-02-01T01:02:03+02:00", 1_769_900_523_000_000),
      ("2026-02-01T01:02:03-0230", 1_769_916_723_000_000), ("2026-02-01t01:02:03+02", 1_769_900_523_000_000),
      ("2024-02-29", 1_709_164_800_000_000), ("1969-12-31T23:59:59.999999Z", -1),
    ] as [(String, Int64)])
  func readsTheFormsOfISO8601(_ text: String, _ micros: Int64) {
    #expect(CivilTime.parseTimestamp(text) == micros)
  }

  @Test(arguments: [
    "", "2026", "2026-2-1", "2026-13-01", "2026-00-01", "2023-02-29", "2026-04-31", "1900-02-29", "2026-02-01T", "2026-02-01T24:00:00",
    "2026-02-01T01:60", "2026-02-01T01:02:60", "2026-02-01T01:02:03.", "2026-02-01T01:02:03.1234567890", "2026-02-01T01:02:03.0000001",
    "2026-02-01T01:02:03 Z", "2026-02-01T01:02:03+", "2026-02-01T01:02:03+24:00", "2026-02-01Z", "20260-02-01", "+999999-01-01",
    "x2026-02-01", "2026-02-01T01:02:03Zx", "999999999999999999-01-01",
  ])
  func refusesWhatIsNoInstant(_ text: String) {
    #expect(CivilTime.parseTimestamp(text) == nil)
  }

  @Test func floorsFinerFractions() {
    #expect(CivilTime.parseTimestampFloored("1970-01-01T00:00:00.0000019Z") == 1)
    #expect(CivilTime.parseTimestampFloored("1969-12-31T23:59:59.9999999Z") == -1)
  }

  @Test func otherUnitsKeepTheirTicks() {
    #expect(CivilTime.formatTimestamp(-1, .nanosecond) == "1969-12-31T23:59:59.999999999Z")
    #expect(CivilTime.formatTimestamp(1_000, .nanosecond) == "1970-01-01T00:00:00.000001Z")
    #expect(CivilTime.formatTimestamp(1_500, .millisecond) == "1970-01-01T00:00:01.500000Z")
    #expect(CivilTime.formatTimestamp(.min, .second) == "-292277022657-01-27T08:29:52.000000Z")
    for unit in [TimeUnit.second, .millisecond, .microsecond, .nanosecond] {
      for ticks in [Int64.min, -1, 0, 1, .max] {
        var text = CivilTime.formatTimestamp(ticks, unit)
        #expect(text.withUTF8 { CivilTime.parse(UnsafeRawBufferPointer($0))?.ticks(unit) } == ticks)
      }
    }
  }

  @Test func datesReadBack() {
    for days in [0, 19_789, -719_529, Int32.min, Int32.max] {
      #expect(CivilTime.parseDate(CivilTime.formatDate(days: Int64(days))) == days)
    }
    #expect(CivilTime.formatDate(days: 19_782) == "2024-02-29")
    #expect(CivilTime.parseDate("2024-02-29T00:00") == nil)
  }

  @Test func countsDaysAndMonthsDownwardsBefore1970() {
    #expect(CivilTime.dayNumber(ofMicros: -1) == -1)
    #expect(CivilTime.dayNumber(ofMicros: 86_400_000_000) == 1)
    #expect(CivilTime.monthNumber(ofMicros: -1) == -1)
    #expect(CivilTime.monthNumber(ofMicros: 0) == 0)
    #expect(CivilTime.monthNumber(ofMicros: 1_769_904_000_000_000) == 56 * 12 + 1)
    for month: Int64 in [-30_000, -13, -12, -1, 0, 11, 12, 673] {
      let micros = CivilTime.firstDay(ofMonth: month) * CivilTime.microsPerDay
      #expect(CivilTime.monthNumber(ofMicros: micros) == month)
      #expect(CivilTime.monthNumber(ofMicros: micros - 1) == month - 1)
    }
  }

  @Test func everyDayOfEightCenturiesFollowsTheOneBefore() {
    var expected = (year: Int64(1600), month: Int64(1), day: Int64(1))
    for days in -135_140..<157_055 as Range<Int64> {
      let date = CivilTime.civil(days: days)
      guard date == expected, CivilTime.days(year: date.year, month: date.month, day: date.day) == days else {
        Issue.record("Day \(days) is \(date), expected \(expected)")
        return
      }
      let leap = expected.year % 4 == 0 && (expected.year % 100 != 0 || expected.year % 400 == 0)
      let length = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(expected.month) - 1]
      expected.day += 1
      if expected.day > length { expected = (expected.year, expected.month + 1, 1) }
      if expected.month > 12 { expected = (expected.year + 1, 1, 1) }
    }
  }
}
