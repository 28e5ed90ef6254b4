import Almanac
import Columns
import Foundation
import JSON
import Tables
import Testing

/// The committed files under fixtures/ and schemas/.
enum Fixtures {
  private static let checkout =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  static func path(_ name: String) -> String { "\(checkout)/fixtures/\(name)" }
  static func contract(_ name: String) -> String { "\(checkout)/schemas/examples/\(name).yaml" }

  /// The same 20,000 rows, by three engines and in two text formats.
  static let transactionFiles = [
    "pyarrow/transactions.parquet", "duckdb/transactions.parquet", "polars/transactions.parquet", "transactions.csv",
    "transactions.jsonl",
  ]

  static func table(_ name: String) throws -> Batch { try TableFile(path: path(name)).readAll() }
}

/// A repository in a folder of its own, with room for files beside it; the folder goes when the workshop does.
final class Workshop: Sendable {
  let folder: String
  let repository: Repository

  /// - Parameter tailPolicy: another than the standard one, under which small datasets have no tails.
  init(tailPolicy: TailPolicy = .standard) throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("almanac-tests-\(UUID().uuidString)").path
    let created = try Repository.create(at: "\(folder)/repository")
    repository = Repository(folder: created.folder, archive: created.archive, tailPolicy: tailPolicy)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// With the fraud example's contracts and features registered.
  static func fraud() throws -> Workshop {
    let workshop = try Workshop()
    for name in ["transactions", "user_profile", "merchant_stats"] {
      try workshop.declare("schemas/\(name).yaml", String(contentsOfFile: Fixtures.contract(name), encoding: .utf8))
    }
    try workshop.declare("features/fraud.yaml", String(contentsOfFile: Fixtures.path("features/fraud.yaml"), encoding: .utf8))
    try workshop.apply()
    return workshop
  }

  /// The fraud example with its three datasets committed as one version.
  static func fraudWithRows() throws -> Workshop {
    let workshop = try fraud()
    _ = try workshop.repository.commit(
      [
        CommitInput(dataset: "transactions", path: Fixtures.path("pyarrow/transactions.parquet")),
        CommitInput(dataset: "user_profile", path: Fixtures.path("duckdb/user_profile.parquet")),
        CommitInput(dataset: "merchant_stats", path: Fixtures.path("polars/merchant_stats.parquet")),
      ], mode: .append, message: "first load")
    return workshop
  }

  /// The dataset `readings` of `readingsContract`, without rows.
  static func readings() throws -> Workshop {
    let workshop = try Workshop()
    try workshop.declare("schemas/readings.yaml", readingsContract())
    try workshop.apply()
    return workshop
  }

  /// A small contract: readings of sensors, values not negative.
  static func readingsContract(name: String = "readings", columns: String = "", value: String = "float64") -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    id: \(name)
    version: 1.0.0
    status: active
    schema:
    - name: \(name)
      properties:
      - {name: sensor, logicalType: integer, physicalType: int64, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: event_timestamp, logicalType: timestamp, physicalType: 'timestamp[us,UTC]', required: true, primaryKey: true, primaryKeyPosition: 2}
      - {name: value, logicalType: number, physicalType: \(value), logicalTypeOptions: {minimum: 0}}
    \(columns)
    customProperties:
    - {property: almanac, value: {eventTime: event_timestamp, partition: month}}
    """
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// Writes a file of the repository's folder.
  func declare(_ name: String, _ text: String) throws {
    try text.write(toFile: "\(repository.folder)/\(name)", atomically: true, encoding: .utf8)
  }

  /// Writes a file beside the repository. - Returns: its path.
  @discardableResult func write(_ name: String, _ text: String) throws -> String {
    try text.write(toFile: path(name), atomically: true, encoding: .utf8)
    return path(name)
  }

  @discardableResult func write(_ name: String, _ batch: Batch) throws -> String {
    let output = try TableOutput(path: path(name), schema: batch.schema)
    try output.write(batch)
    try output.finish()
    return path(name)
  }

  /// A CSV file of readings: sensor, hour of 2026-02-01, value.
  func readings(_ name: String, _ rows: [(sensor: Int, hour: Int, value: String)]) throws -> String {
    let lines = rows.map { "\($0.sensor),\(CivilTime.formatTimestampMicros(Self.february + Int64($0.hour) * 3_600_000_000)),\($0.value)" }
    return try write(name, (["sensor,event_timestamp,value"] + lines).joined(separator: "\n") + "\n")
  }

  static let february = CivilTime.days(year: 2026, month: 2, day: 1) * CivilTime.microsPerDay

  @discardableResult func apply() throws -> ApplyReport { try repository.apply(plan: false) }

  @discardableResult func commit(
    _ dataset: String, _ path: String, _ mode: ChangeMode = .append, branch: String? = nil
  ) throws -> CommitReport {
    try repository.commit([CommitInput(dataset: dataset, path: path)], mode: mode, message: "\(mode) \(dataset)", branch: branch)
  }

  /// Trains and reads the result back.
  func train(_ request: TrainingRequest) throws -> Batch {
    _ = try repository.train(request)
    return try TableFile(path: request.output).readAll()
  }

  /// The rows of a dataset at a revision, in stored order.
  func rows(_ dataset: String, at spec: String = "main") throws -> [[Scalar]] {
    try repository.table(dataset, at: repository.resolve(spec)).read().rows
  }

  /// What a refused command must leave as it was: refs, their log and the commits.
  func state() throws -> [String] {
    let refs = try repository.archive.refs().map { "\($0.kind) \($0.name) \($0.commit)" }
    let moves = try repository.archive.reflog(nil).map { "\($0.ref) \($0.timeMicros)" }
    return try refs + moves + repository.log().map { "\($0.id)" }
  }
}

extension Batch {
  var rows: [[Scalar]] {
    let scalars = columns.map(\.scalars)
    return (0..<rowCount).map { row in scalars.map { $0[row] } }
  }
}

extension Scalar {
  /// Equal bit for bit, so that NaN equals NaN and -0.0 is not 0.0.
  func isSame(as other: Scalar) -> Bool {
    if case .double(let a) = self, case .double(let b) = other { return a.bitPattern == b.bitPattern }
    return self == other
  }

  var int: Int64? { if case .int(let value) = self { value } else { nil } }
  var double: Double? { if case .double(let value) = self { value } else { nil } }
  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var micros: Int64? { if case .timestamp(let value, .microsecond) = self { value } else { nil } }
}

/// The bytes of a file, for comparing two.
enum FileBytes {
  static func of(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }
}
