import Columns

/// Forms that are written with words between their parts.
extension ExpressionParser {
  /// `::type`, any number of times.
  mutating func suffixed(_ operand: Syntax) throws(SyntaxError) -> Syntax {
    var result = operand
    while take(symbol: "::") {
      result = try node(.cast(result, try type(), isTry: false), operand.offset, [result])
    }
    return result
  }

  mutating func cast(_ offset: Int, isTry: Bool) throws(SyntaxError) -> Syntax {
    try expect(symbol: "(")
    let value = try expression(.or)
    try expect(keyword: "as")
    let type = try type()
    try expect(symbol: ")")
    return try node(.cast(value, type, isTry: isTry), offset, [value])
  }

  private mutating func type() throws(SyntaxError) -> DataType {
    guard case .word(let name) = current.kind else { throw unexpected("a type") }
    let lowered = name.lowercased()
    if lowered == "decimal" || lowered == "numeric" || lowered == "dec" { return try decimalType() }
    let synonyms = ["timestamptz": DataType.timestampMicros, "real": .float32, "tinyint": .int8]
    guard let type = synonyms[lowered] ?? DataType(parsing: name), type.isCastTarget else {
      throw SyntaxError(
        "expected a type that cast supports (bool, int8 to int64, float32, float64, decimal(p, s), string, date, timestamp), found \(current.text)",
        at: current.offset)
    }
    advance()
    if type.isTimestamp, isKeyword("with") || isKeyword("without") {
      let hasZone = isKeyword("with")
      advance()
      try expect(keyword: "time")
      try expect(keyword: "zone")
      return hasZone ? .timestampMicros : .wallTime
    }
    return type
  }

  /// `decimal`, which is `decimal(18, 3)`, `decimal(precision)` or `decimal(precision, scale)`.
  private mutating func decimalType() throws(SyntaxError) -> DataType {
    let offset = current.offset
    advance()
    guard take(symbol: "(") else { return .decimal(precision: 18, scale: 3) }
    func number() throws(SyntaxError) -> Int {
      guard case .integer(let value) = current.kind else { throw unexpected("a number of digits") }
      return Int(clamping: value)
    }
    let precision = try number()
    advance()
    var scale = 0
    if take(symbol: ",") {
      scale = try number()
      advance()
    }
    try expect(symbol: ")")
    guard (1...DecimalMath.precisionMax).contains(precision), scale <= precision else {
      throw SyntaxError(
        "a decimal has 1 to \(DecimalMath.precisionMax) digits, of them at most all behind the point, found decimal(\(precision),\(scale))",
        at: offset)
    }
    return .decimal(precision: precision, scale: scale)
  }

  /// `interval '1 month 2 days'`, `interval 3 days` or `interval '3' days`; nil when the word is a name here.
  mutating func interval(_ offset: Int) throws(SyntaxError) -> Syntax? {
    switch tokens[min(position + 1, tokens.count - 1)].kind {
    case .string(let text):
      advance()
      advance()
      if case .word(let unit) = current.kind, let one = Interval(unit: unit) {
        guard let count = Int64(text), let interval = one.multiplied(by: count) else {
          throw SyntaxError("'\(text)' is no whole number of \(unit)", at: offset)
        }
        advance()
        return try node(.interval(interval), offset)
      }
      guard let interval = Interval(parsing: text) else {
        throw SyntaxError("'\(text)' is no interval; write for example '1 month 2 days' or '01:30:00'", at: offset)
      }
      return try node(.interval(interval), offset)
    case .integer(let magnitude):
      advance()
      advance()
      guard case .word(let unit) = current.kind, let one = Interval(unit: unit) else {
        throw unexpected("a unit (year, month, week, day, hour, minute, second, millisecond, microsecond)")
      }
      guard let count = Int64(exactly: magnitude), let interval = one.multiplied(by: count) else {
        throw SyntaxError("the interval is too long", at: offset)
      }
      advance()
      return try node(.interval(interval), offset)
    default: return nil
    }
  }

  /// A call whose arguments are set apart by words: `extract`, `position`, `substring`, `trim`. The parenthesis is open; nil,
  /// and nothing is read, when it is an ordinary call.
  mutating func specialCall(_ name: String, _ offset: Int) throws(SyntaxError) -> Syntax? {
    switch name {
    case "extract":
      let part: String
      switch current.kind {
      case .word(let word): part = word
      case .string(let text): part = text
      default: throw unexpected("a part of a time, such as year")
      }
      let literal = try node(.literal(.string(part)), current.offset)
      advance()
      try expect(keyword: "from")
      let value = try expression(.or)
      try expect(symbol: ")")
      return try node(.call("date_part", [literal, value]), offset, [value])
    case "position":
      // `in` would otherwise begin a list.
      let first = try expression(.concatenation)
      guard take(keyword: "in") else {
        try expect(symbol: ",")
        let needle = try expression(.or)
        try expect(symbol: ")")
        return try node(.call("strpos", [first, needle]), offset, [first, needle])
      }
      let haystack = try expression(.or)
      try expect(symbol: ")")
      return try node(.call("strpos", [haystack, first]), offset, [haystack, first])
    case "substring", "substr":
      var arguments = [try expression(.or)]
      if take(keyword: "from") {
        arguments.append(try expression(.or))
        if take(keyword: "for") { arguments.append(try expression(.or)) }
        try expect(symbol: ")")
      } else if take(keyword: "for") {
        arguments += [try node(.literal(.int(1)), offset), try expression(.or)]
        try expect(symbol: ")")
      } else {
        while take(symbol: ",") { arguments.append(try expression(.or)) }
        try expect(symbol: ")")
      }
      return try node(.call("substring", arguments), offset, arguments)
    case "trim":
      let function = take(keyword: "leading") ? "ltrim" : take(keyword: "trailing") ? "rtrim" : "trim"
      _ = function == "trim" && take(keyword: "both")
      if take(keyword: "from") {
        let value = try expression(.or)
        try expect(symbol: ")")
        return try node(.call(function, [value]), offset, [value])
      }
      var arguments = [try expression(.or)]
      if take(keyword: "from") {
        arguments.insert(try expression(.or), at: 0)
      } else {
        while take(symbol: ",") { arguments.append(try expression(.or)) }
      }
      try expect(symbol: ")")
      return try node(.call(function, arguments), offset, arguments)
    default: return nil
    }
  }
}

extension DataType {
  /// A date and time of some clock, without the zone that would make it an instant: what `at time zone` gives of an instant.
  static let wallTime = DataType.timestamp(.microsecond, zone: nil)

  fileprivate var isCastTarget: Bool {
    switch self {
    case .bool, .int8, .int16, .int32, .int64, .float32, .float64, .string, .date, .timestamp: true
    default: false
    }
  }
}

extension Interval {
  /// One of a unit, in the singular or plural; nil for other words.
  init?(unit: String) {
    let lowered = unit.lowercased()
    switch lowered.hasSuffix("s") && lowered.count > 2 ? String(lowered.dropLast()) : lowered {
    case "millennium", "millennia": months = 12_000
    case "centurie", "century": months = 1_200
    case "decade": months = 120
    case "year", "yr", "y": months = 12
    case "quarter": months = 3
    case "month", "mon": months = 1
    case "week", "w": days = 7
    case "day", "d": days = 1
    case "hour", "hr", "h": micros = 3_600_000_000
    case "minute", "min", "m": micros = 60_000_000
    case "second", "sec", "s": micros = 1_000_000
    case "millisecond", "msec", "ms": micros = 1_000
    case "microsecond", "usec", "us": micros = 1
    default: return nil
    }
  }

  /// `1 year 2 months -3 days 04:05:06.789`; nil for anything else, and for an interval too long.
  init?(parsing text: String) {
    var parts = text.split(separator: " ")[...]
    guard !parts.isEmpty else { return nil }
    while let part = parts.popFirst() {
      if part.contains(":") {
        let isNegative = part.hasPrefix("-")
        let clock = isNegative ? part.dropFirst() : part
        let time = clock.prefix { $0 != "." }.split(separator: ":", omittingEmptySubsequences: false)
        let fraction = clock.drop { $0 != "." }.dropFirst()
        guard time.count == 2 || time.count == 3, fraction.count <= 6, time.allSatisfy({ !$0.isEmpty && $0.count <= 6 }) else { return nil }
        let numbers = time.compactMap { UInt32($0) } + (time.count == 2 ? [0] : [])
        guard numbers.count == 3, numbers[1] < 60, numbers[2] < 60,
          let rest = UInt32(fraction.isEmpty ? "0" : fraction + String(repeating: "0", count: 6 - fraction.count))
        else { return nil }
        let value = (Int64(numbers[0]) * 3_600 + Int64(numbers[1]) * 60 + Int64(numbers[2])) * 1_000_000 + Int64(rest)
        guard let sum = plus(Interval(micros: isNegative ? -value : value)) else { return nil }
        self = sum
        continue
      }
      guard let count = Int64(part), let unit = parts.popFirst(), let one = Interval(unit: String(unit)),
        let many = one.multiplied(by: count),
        let sum = plus(many)
      else { return nil }
      self = sum
    }
  }

  private func plus(_ other: Interval) -> Interval? {
    let (m, overflowM) = months.addingReportingOverflow(other.months)
    let (d, overflowD) = days.addingReportingOverflow(other.days)
    let (u, overflowU) = micros.addingReportingOverflow(other.micros)
    return overflowM || overflowD || overflowU ? nil : Interval(months: m, days: d, micros: u)
  }

  func multiplied(by count: Int64) -> Interval? {
    let (m, overflowM) = months.multipliedReportingOverflow(by: count)
    let (d, overflowD) = days.multipliedReportingOverflow(by: count)
    let (u, overflowU) = micros.multipliedReportingOverflow(by: count)
    return overflowM || overflowD || overflowU ? nil : Interval(months: m, days: d, micros: u)
  }
}
