import Columns

/// How values read in messages.
enum Text {
  static func time(_ micros: Int64) -> String { CivilTime.formatTimestampMicros(micros) }
}
