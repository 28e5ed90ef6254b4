import Almanac
import Columns
import Foundation
import JSON

/// Readings of three sensors with a service `s`, for tests of training sets.
extension Workshop {
  static let trainingFeatures = """
    entities:
    - {name: sensor, keys: [{name: sensor, type: int64}]}
    feature_views:
    - name: recent
      entity: sensor
      source: readings
      features:
      - {name: total, agg: sum, of: value, window: 12h}
      - {name: last, expr: value}
      - {name: n, agg: count, window: 12h}
    feature_services:
    - {name: s, features: ["recent:*"]}
    """

  static func training() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.declare("features/f.yaml", trainingFeatures)
    try workshop.apply()
    try workshop.commit("readings", workshop.readings("rows.csv", [(1, 0, "1.5"), (1, 2, "4"), (2, 1, "8"), (3, 4, "")]))
    return workshop
  }

  static func time(hour: Int) -> String { CivilTime.formatTimestampMicros(february + Int64(hour) * 3_600_000_000) }

  /// A CSV file of labels: sensor, hour of 2026-02-01.
  @discardableResult func labels(_ name: String = "labels.csv", _ rows: [(sensor: Int, hour: Int)] = standardLabels) throws -> String {
    let lines = rows.map { "\($0.sensor),\(Self.time(hour: $0.hour))" }
    return try write(name, (["sensor,event_timestamp"] + lines).joined(separator: "\n") + "\n")
  }

  static let standardLabels: [(sensor: Int, hour: Int)] = [(1, 5), (2, 20), (3, 6), (9, 7), (1, 1)]

  /// The manifest beside a training set.
  func manifest(_ output: String) throws -> JSON { try JSON(parsing: [UInt8](FileBytes.of(path("\(output).manifest.json")))) }

  /// Rows of an output file, with times as hours of 2026-02-01.
  func output(_ name: String) throws -> [[Scalar]] {
    try TableFile(path: path(name)).readAll().rows.map { row in
      row.map { value in value.micros.map { .int(($0 - Self.february) / 3_600_000_000) } ?? value }
    }
  }
}
