import Checks
import Columns
import Foundation
import History
import JSON
import Objects
import Tables

@testable import Almanac

/// The repository that a random history is played on: its store in memory, its contract and input files in a folder.
final class HistoryRepository {
  let repository: Repository
  private let folder: String
  private let start: HistoryStart

  init(_ start: HistoryStart) throws {
    self.start = start
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("almanac-history-\(UUID().uuidString)").path
    for name in ["schemas", ".almanac"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    let archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    repository = Repository(folder: folder, archive: archive, tailPolicy: start.tailPolicy)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Every branch and where it stands.
  func branches() throws -> [String: CommitID] {
    Dictionary(uniqueKeysWithValues: try repository.refs(.branch).map { ($0.name, $0.commit) })
  }

  // MARK: Changes

  /// Registers the contract that has the version's columns.
  func apply(_ version: HistoryVersion) throws {
    func line(_ field: HistoryField) -> String {
      var text = "  - {name: \(field.name), physicalType: \(field.type.rawValue)"
      if field.isRequired { text += ", required: true" }
      if let position = field.keyPosition { text += ", primaryKey: true, primaryKeyPosition: \(position)" }
      if let old = version.previousNames[field.id] {
        text += ", customProperties: [{property: almanac, value: {previousName: \(old)}}]"
      }
      return text + "}"
    }
    var settings = "leafRows: 16"
    if let time = version.keyFields.first(where: { $0.type == .timestamp }) {
      settings += ", eventTime: \(time.name), partition: \(start.key == .numberAndDay ? "day" : "month")"
    }
    let contract = """
      apiVersion: v3.1.0
      kind: DataContract
      schema:
      - name: t
        properties:
      \(version.fields.map(line).joined(separator: "\n"))
      customProperties:
      - {property: almanac, value: {\(settings)}}

      """
    try contract.write(toFile: "\(folder)/schemas/t.yaml", atomically: false, encoding: .utf8)
    // The branch's own definitions are the base, as after `apply --export`.
    try? FileManager.default.removeItem(atPath: "\(folder)/.almanac/applied.json")
    _ = try repository.apply(plan: false)
  }

  /// Commits rows as a file with these columns.
  func commit(
    _ fields: [HistoryField], _ rows: [[Int32: HistoryValue]], mode: ChangeMode, format: String, branch: String? = nil
  ) throws {
    let path = "\(folder)/rows.\(format)"
    switch format {
    case "parquet":
      let columns = fields.map { field in Column(field.type.dataType, rows.map { ($0[field.id] ?? .null).scalar(field.type) }) }
      let schema = Schema(fields.map { Field($0.name, $0.type.dataType) })
      let output = try TableOutput(path: path, schema: schema)
      try output.write(Batch(schema: schema, columns: columns, rowCount: rows.count))
      try output.finish()
    case "jsonl":
      let lines = rows.map { row in
        "{\(fields.map { "\"\($0.name)\":\((row[$0.id] ?? .null).json)" }.joined(separator: ","))}\n"
      }
      try lines.joined().write(toFile: path, atomically: false, encoding: .utf8)
    default:
      let lines = rows.map { row in fields.map { (row[$0.id] ?? .null).csv }.joined(separator: ",") }
      let text = ([fields.map(\.name).joined(separator: ",")] + lines).map { $0 + "\n" }.joined()
      try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
    _ = try repository.commit([CommitInput(dataset: "t", path: path)], mode: mode, message: "\(mode)", branch: branch)
  }

  /// Commits one more row, with a value in every column, beside the branches.
  func probe(_ version: HistoryVersion, at id: CommitID) throws {
    let number = HistoryStart.keyCount + 3
    var row = Dictionary(uniqueKeysWithValues: version.fields.map { ($0.id, $0.type.value(7)) })
    for (field, value) in zip(version.keyFields, start.key(number)) { row[field.id] = value }
    try repository.createBranch("probe", at: id.description)
    defer { try? repository.deleteRef("probe", kind: .branch) }
    try commit(version.fields, [row], mode: .append, format: "csv", branch: "probe")
  }

  // MARK: What is there

  func observed(at id: CommitID) throws -> ObservedVersion {
    let commit = try repository.commit(id)
    let table = commit.datasets["t"] == nil ? nil : try repository.table("t", at: id)
    let contract = try repository.definitions(at: id).contracts["t"]
    var identity = ColumnIdentity(repository.archive)
    guard let layout = try table?.layout ?? contract.map({ try identity.layout(of: "t", under: $0, after: id) }) else {
      throw HistoryFailure(kind: "contract", detail: "there is none")
    }
    let fields = layout.schema.fields.map { field in
      HistoryField(
        id: field.id ?? -1, name: field.name, type: HistoryType.allCases.first { $0.dataType == field.type } ?? .bool,
        isRequired: !field.isNullable, keyPosition: layout.primaryKey.firstIndex(of: field.name).map { $0 + 1 })
    }
    return ObservedVersion(
      fields: fields, dropped: Set(layout.dropped), batch: try table?.read() ?? .empty(layout.schema), commit: commit, contract: contract,
      root: table?.rootID)
  }

  /// What the rows of a checkout are, by column name.
  func checkout(_ branch: String, format: String) throws -> Batch {
    let path = "\(folder)/out.\(format)"
    _ = try repository.checkout(branch, "t", to: path)
    return try TableFile(path: path).readAll()
  }

  /// What fsck finds; strays that gc would take are no damage.
  func damage() throws -> [String] {
    let stored = try repository.archive.check(
      decoder: Repository.identity, tailCheck: Repository.tailProblems, contents: Repository.contents
    ).problems
    return (stored + repository.agreementProblems()).filter { $0.severity == .damage }.map { "\($0.object): \($0.detail)" }
  }
}

/// A version as the repository gives it back.
struct ObservedVersion {
  let fields: [HistoryField]
  let dropped: Set<Int32>
  let batch: Batch
  let commit: Commit
  let contract: Contract?
  /// nil where the dataset has no version.
  let root: RootID?

  /// In stored order, each row by column id.
  var rows: [[Int32: HistoryValue]] {
    batch.rows.map { row in Dictionary(uniqueKeysWithValues: zip(fields, row).map { ($0.id, HistoryValue($1)) }) }
  }
}

extension HistoryValue {
  func scalar(_ type: HistoryType) -> Scalar {
    switch self {
    case .null: .null
    case .int(let value): .int(value)
    case .number(let value): type == .float32 ? .float(Float(value)) : .double(value)
    case .text(let value): .string(value)
    case .flag(let value): .bool(value)
    case .time(let value): .timestamp(value, .microsecond)
    }
  }

  var csv: String {
    switch self {
    case .null: ""
    case .text(let value): value.isEmpty ? "\"\"" : value
    default: text
    }
  }

  var json: String {
    switch self {
    case .text(let value): "\"\(value)\""
    case .time: "\"\(text)\""
    default: text
    }
  }
}
