import Columns

extension FunctionCatalog {
  private static func part(_ literal: Literal?) throws(FunctionRefusal) -> TimePart {
    guard let part = TimePart(literal.string) else {
      let names = [
        "year", "month", "day", "hour", "minute", "second", "week", "quarter", "decade", "century", "epoch", "isodow", "dayofyear",
      ]
      throw FunctionRefusal(text: "there is no part \(literal.string) of a time\(Suggestion.text(for: literal.string, among: names))")
    }
    return part
  }

  private static func dateParts(_ type: DataType, _ time: Parameter) -> Overload {
    Overload([.literal, time], type) { (literals) throws(FunctionRefusal) in
      let part = try part(literals[0])
      return time == .date ? .int { TimeMath.value(part, days: $0.int(1)) } : .int { TimeMath.value(part, micros: $0.int(1)) }
    }
  }

  private static func named(_ part: TimePart) -> [Overload] {
    [
      .int([.date]) { TimeMath.value(part, days: $0.int(0)) }, .int([.timestamp]) { TimeMath.value(part, micros: $0.int(0)) },
    ]
  }

  private static func julian(_ micros: Int64) -> Double {
    // The Julian day of 1970-01-01, counted from midnight as PostgreSQL does.
    Double(CivilTime.dayNumber(ofMicros: micros) + 2_440_588) + Double(TimeMath.timeOfDay(micros)) / Double(CivilTime.microsPerDay)
  }

  private static func outside(_ name: String, _ micros: Int64) -> KernelFailure {
    KernelFailure(text: "\(name) of \(CivilTime.formatTimestampMicros(micros)) lies outside the range of timestamps")
  }

  private static func count(
    _ name: String, _ units: @escaping @Sendable (TimePart, Int64, Int64) -> Int64?
  ) -> [Overload] {
    [
      Overload([.literal, .timestamp, .timestamp], .int64) { (literals) throws(FunctionRefusal) in
        let part = try part(literals[0])
        guard part.micros != nil || part.months != nil || part == .yearWeek else {
          throw FunctionRefusal(text: "\(name) does not count in \(literals[0].string)")
        }
        return .int { (row) throws(KernelFailure) in
          guard let result = units(part, row.int(1), row.int(2)) else { throw KernelFailure(text: "\(name) overflows int64") }
          return result
        }
      }
    ]
  }

  static let timeParts: [String: [Overload]] = [
    "year": named(.year), "month": named(.month), "day": named(.day), "decade": named(.decade), "century": named(.century),
    "millennium": named(.millennium), "quarter": named(.quarter), "week": named(.week), "isoyear": named(.isoYear),
    "yearweek": named(.yearWeek), "dayofweek": named(.dayOfWeek), "isodow": named(.isoDayOfWeek), "dayofyear": named(.dayOfYear),
    "era": named(.era), "hour": named(.hour), "minute": named(.minute), "second": named(.second),
    "millisecond": named(.millisecond), "microsecond": named(.microsecond),
    "epoch": [.double([.timestamp]) { Double($0.int(0)) / 1e6 }],
    "julian": [.double([.timestamp]) { julian($0.int(0)) }],
    "epoch_ms": [
      // The nearest one, halves away from zero.
      .int([.timestamp]) { $0.int(0) / 1_000 + $0.int(0) % 1_000 / 500 },
      .timestamp([.int]) { (row) throws(KernelFailure) in
        let (micros, overflow) = row.int(0).multipliedReportingOverflow(by: 1_000)
        guard !overflow else { throw KernelFailure(text: "\(row.int(0)) ms lies outside the range of timestamps") }
        return micros
      },
    ],
    "epoch_us": [.int([.timestamp]) { $0.int(0) }],
    "epoch_ns": [
      .int([.timestamp]) { (row) throws(KernelFailure) in
        let (nanoseconds, overflow) = row.int(0).multipliedReportingOverflow(by: 1_000)
        guard !overflow else { throw KernelFailure(text: "epoch_ns of \(CivilTime.formatTimestampMicros(row.int(0))) overflows int64") }
        return nanoseconds
      }
    ],
    "date_part": [dateParts(.int64, .date), dateParts(.int64, .timestamp)],
    "date_trunc": [
      Overload([.literal, .timestamp], .timestampMicros, keepsWallTime: true) { (literals) throws(FunctionRefusal) in
        let part = try part(literals[0])
        guard part != .era, part != .julian else { throw FunctionRefusal(text: "date_trunc does not cut at \(literals[0].string)") }
        return .int { (row) throws(KernelFailure) in
          guard let start = TimeMath.truncate(part, micros: row.int(1)) else { throw outside("date_trunc", row.int(1)) }
          return start
        }
      }
    ],
    "date_diff": count("date_diff") { TimeMath.boundaries($0, from: $1, to: $2) },
    "date_sub": count("date_sub") { TimeMath.wholeUnits($0, from: $1, to: $2) },
  ]

  static let timeMaking: [String: [Overload]] = [
    "make_date": [
      .date([.int, .int, .int]) { (row) throws(KernelFailure) in
        guard let days = day(row), Int32(exactly: days) != nil else {
          throw KernelFailure(text: "there is no date \(row.int(0))-\(row.int(1))-\(row.int(2))")
        }
        return days
      }
    ],
    "make_timestamp": [
      .timestamp([.int]) { $0.int(0) },
      .timestamp([.int, .int, .int, .int, .int, .double]) { (row) throws(KernelFailure) in
        let (hour, minute, second) = (row.int(3), row.int(4), row.double(5))
        let isTime = (0...24).contains(hour) && (0...59).contains(minute) && second >= 0 && second <= 60
        guard isTime, let days = day(row) else {
          throw KernelFailure(text: "there is no time \(row.int(0))-\(row.int(1))-\(row.int(2)) \(hour):\(minute):\(second)")
        }
        let micros = Int64((second * 1e6).rounded())
        guard hour < 24 || (minute == 0 && micros == 0) else {
          throw KernelFailure(text: "there is no time \(row.int(0))-\(row.int(1))-\(row.int(2)) \(hour):\(minute):\(second)")
        }
        guard let result = Int64(exactly: Int128(days) * 86_400_000_000 + Int128((hour * 60 + minute) * 60_000_000 + micros)) else {
          throw KernelFailure(text: "the year \(row.int(0)) lies outside the range of timestamps")
        }
        return result
      },
    ],
    "to_timestamp": [
      .timestamp([.double]) { (row) throws(KernelFailure) in
        guard let micros = Int64(exactly: (row.double(0) * 1e6).rounded(.toNearestOrAwayFromZero)) else {
          throw KernelFailure(text: "\(row.double(0)) seconds lies outside the range of timestamps")
        }
        return micros
      }
    ],
    "last_day": [
      .date([.date]) { (row) throws(KernelFailure) in
        let days = lastDay(row.int(0))
        guard Int32(exactly: days) != nil else {
          throw KernelFailure(text: "last_day of \(CivilTime.formatDate(days: row.int(0))) lies outside the range of dates")
        }
        return days
      },
      .date([.timestamp]) { lastDay(CivilTime.dayNumber(ofMicros: $0.int(0))) },
    ],
    "timezone": [zoned(.wallTime, .timestampMicros) { $0.instant($1) }, zoned(.timestamp, .wallTime) { $0.wallTime($1) }],
  ]

  private static func lastDay(_ days: Int64) -> Int64 {
    let date = CivilTime.civil(days: days)
    return CivilTime.days(year: date.year, month: date.month, day: TimeMath.lastDay(year: date.year, month: date.month))
  }

  /// The day that the first three arguments name; nil when there is none.
  private static func day(_ row: Row) -> Int64? {
    let (year, month, day) = (row.int(0), row.int(1), row.int(2))
    // Dates of 32 bits end before.
    guard year.magnitude < 6_000_000, (1...12).contains(month), day >= 1, day <= TimeMath.lastDay(year: year, month: month) else {
      return nil
    }
    return CivilTime.days(year: year, month: month, day: day)
  }

  private static func zoned(
    _ time: Parameter, _ result: DataType, _ convert: @escaping @Sendable (ZoneRules, Int64) -> Int64?
  ) -> Overload {
    Overload([.string, time], result) { (literals) throws(FunctionRefusal) in
      var known: ZoneRules?
      if case .string(let name)? = literals[0] {
        known = ZoneRules(name)
        guard known != nil else { throw FunctionRefusal(text: "there is no time zone \(name); write a name such as Europe/Berlin") }
      }
      let fixed = known
      return .int { (row) throws(KernelFailure) in
        guard let zone = fixed ?? ZoneRules(row.text(0)) else {
          throw KernelFailure(text: "there is no time zone \(row.text(0).prefix(60))")
        }
        guard let result = convert(zone, row.int(1)) else { throw outside("at time zone", row.int(1)) }
        return result
      }
    }
  }

  static let timeText: [String: [Overload]] = [
    "strftime": [
      Overload([.timestamp, .literal], .string) { (literals) throws(FunctionRefusal) in
        let format = try TimeFormat(literals[1].string)
        return .string { row, target in
          format.write(row.int(0), to: &target)
          return true
        }
      }
    ],
    "strptime": parsing(isTry: false), "try_strptime": parsing(isTry: true),
    "dayname": [
      .string([.timestamp]) { row, target in
        let day = TimeMath.isoDayOfWeek(CivilTime.dayNumber(ofMicros: row.int(0)))
        for byte in TimeFormat.days[Int(day) - 1].utf8 { target.append(byte) }
      }
    ],
    "monthname": [
      .string([.timestamp]) { row, target in
        let month = CivilTime.civil(days: CivilTime.dayNumber(ofMicros: row.int(0))).month
        for byte in TimeFormat.months[Int(month) - 1].utf8 { target.append(byte) }
      }
    ],
  ]

  private static func parsing(isTry: Bool) -> [Overload] {
    [
      Overload([.string, .literal], .timestampMicros) { (literals) throws(FunctionRefusal) in
        let format = try TimeFormat(literals[1].string)
        try format.checkParsing()
        let text = literals[1].string
        return .int { (row) throws(KernelFailure) in
          if let micros = format.parse(row.bytes(0)) { return micros }
          if isTry { return nil }
          throw KernelFailure(text: "'\(row.text(0).prefix(60))' is no time of the format '\(text)'")
        }
      }
    ]
  }
}
