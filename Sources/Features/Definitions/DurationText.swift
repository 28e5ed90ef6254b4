/// Durations as features files write them: a positive integer and one of ms, s, m, h, d, w.
enum DurationText {
  /// Largest first, so that `text(ofMicros:)` finds the largest exact unit.
  private static let units: [(name: String, micros: Int64)] = [
    ("w", 604_800_000_000), ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000),
  ]

  /// The duration in microseconds; nil when the text is none, is zero or exceeds int64.
  static func micros(parsing text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, let number = Int64(digits), number > 0 else { return nil }
    let name = text[digits.endIndex...]
    guard let unit = units.first(where: { $0.name == name }) else { return nil }
    let (micros, overflow) = number.multipliedReportingOverflow(by: unit.micros)
    return overflow ? nil : micros
  }

  /// The one spelling of a duration: the largest unit that leaves no remainder, but days rather than weeks.
  static func text(ofMicros micros: Int64) -> String {
    for unit in units where unit.name != "w" && micros % unit.micros == 0 { return "\(micros / unit.micros)\(unit.name)" }
    return "\(micros)us"
  }

  static let expected = "an integer above 0 with ms, s, m, h, d or w, such as 7d"
}

extension Window {
  /// As features files write it.
  var text: String {
    switch self {
    case .all: "all"
    case .micros(let micros), .coarse(let micros, _): DurationText.text(ofMicros: micros)
    }
  }

  /// As features files write it; nil when the window begins where it says.
  var resolutionText: String? {
    guard case .coarse(_, let resolution) = self else { return nil }
    return DurationText.text(ofMicros: resolution)
  }
}
