import Checks
import Columns
import Features
import History
import JSON
import Tables

/// Labels that nobody writes: every entity of a dataset at every time from one to another in steps.
package struct EntityGrid: Hashable, Sendable {
  package let dataset: String
  /// Of a label column the dataset's column, where its name is another.
  package let keys: [String: String]
  /// Both may be among the times.
  package let times: ClosedRange<Int64>
  package let stepMicros: Int64
  private let stepText: String

  /// - Parameters:
  ///   - from, to: ISO 8601, a date (its midnight in UTC) or a time with an offset.
  ///   - every: a duration such as `1d`.
  ///   - keys: label columns and the dataset's columns.
  /// - Throws: `usage` for what cannot be read, and for times that end before they start.
  package init(
    dataset: String, from: String, to: String, every: String, keys: [(label: String, column: String)] = []
  ) throws(AlmanacError) {
    let (first, last) = (try Self.micros(from, option: "--from"), try Self.micros(to, option: "--to"))
    guard first <= last else { throw AlmanacError(.usage, "Cannot make labels from \(from) to \(to): they end before they start") }
    stepMicros = try Repository.duration(every, option: "--every")
    guard stepMicros > 0 else { throw AlmanacError(.usage, "Cannot make labels every \(every): expected a duration above 0") }
    var columns: [String: String] = [:]
    for (label, column) in keys where columns.updateValue(column, forKey: label) != nil {
      throw AlmanacError(.usage, "Cannot make labels: --key \(label) is given twice")
    }
    self.dataset = dataset
    self.keys = columns
    times = first...last
    stepText = every
  }

  /// As a manifest has it; nil for anything else.
  init?(manifest json: JSON) throws(AlmanacError) {
    guard let dataset = json["entities_from"]?.stringValue, let from = json["from"]?.stringValue, let to = json["to"]?.stringValue,
      let every = json["every"]?.stringValue
    else { return nil }
    let keys = (json["keys"]?.objectValue ?? [:]).compactMap { label, column in column.stringValue.map { (label, $0) } }
    try self.init(dataset: dataset, from: from, to: to, every: every, keys: keys)
  }

  /// - Parameter columns: every label column with the dataset's.
  func manifest(columns: [(label: String, column: String)], root: JSON, entityCount: Int, rowCount: Int) -> JSON {
    [
      "entities_from": .string(dataset), "root": root,
      "keys": .object(Dictionary(columns.map { ($0.label, .string($0.column)) }, uniquingKeysWith: { first, _ in first })),
      "from": .string(CivilTime.formatTimestampMicros(times.lowerBound)), "to": .string(CivilTime.formatTimestampMicros(times.upperBound)),
      "every": .string(stepText), "entities": .int(Int64(entityCount)), "rows": .int(Int64(rowCount)),
    ]
  }

  private static func micros(_ text: String, option: String) throws(AlmanacError) -> Int64 {
    var copy = text
    guard let parsed = copy.withUTF8({ CivilTime.parse(UnsafeRawBufferPointer($0)) }), let micros = parsed.ticks(.microsecond),
      parsed.hasZone || !parsed.hasTime
    else {
      throw AlmanacError(
        .usage,
        "Cannot read \(option) \(text): expected a date or a time with an offset (ISO 8601), for example 2026-02-01 or "
          + "2026-02-01T06:00:00Z")
    }
    return micros
  }
}

extension Repository {
  /// The grid over the entities that a dataset has at a commit.
  ///
  /// A label column is filled from the dataset's column named by `keys`, else from the one of its own name, else from the one named as
  /// the entity's key.
  /// - Throws: `notFound` for an unknown dataset; `failed` when the service needs what a grid does not have, and for a missing column.
  /// - Complexity: O(rows of the dataset), reading the key columns alone; memory for the distinct keys and some leaves
  func labels(
    _ grid: EntityGrid, for service: CompiledService, timeColumn: String, commit: Commit, definitions: Definitions
  ) throws(AlmanacError) -> (labels: LabelGrid, origin: JSON) {
    let context = "Cannot make labels for \(service.name) of the entities of \(grid.dataset)"
    if let step = service.onDemand.first(where: { !$0.feature.request.isEmpty }), let field = step.feature.request.first {
      throw AlmanacError(
        .failed, "\(context): on-demand feature \(step.feature.name) needs request.\(field.name), which only a label file can give",
        hint: "Name a label file with --labels.")
    }
    guard let contract = definitions.contracts[grid.dataset] else {
      throw unknownDataset(grid.dataset, known: Array(definitions.contracts.keys), at: "that commit")
    }
    let columns = try service.entityColumns.map { (wanted) throws(AlmanacError) in
      (label: wanted.name, column: try grid.column(for: wanted, in: contract.schema, context))
    }
    if let unknown = grid.keys.keys.sorted().first(where: { name in !columns.contains { $0.label == name } }) {
      let known = columns.map(\.label).joined(separator: ", ")
      throw AlmanacError(.failed, "\(context): the service needs no label column \(unknown)", hint: "It needs: \(known).")
    }
    let fields = service.entityColumns.map { Field($0.name, $0.type, isNullable: false) }
    let labels = try AlmanacError.translating(context) {
      let entities = try self.entities(of: grid.dataset, columns.map(\.column), as: fields, commit, contract)
      guard entities.rowCount > 0 else { throw AlmanacError(.failed, "the dataset has no entity at that commit") }
      return try LabelGrid(entities: entities, timeColumn: timeColumn, times: grid.times, stepMicros: grid.stepMicros)
    }
    let root = commit.datasets[grid.dataset].map { JSON.string($0.root.description) } ?? .null
    return (labels, grid.manifest(columns: columns, root: root, entityCount: labels.entityCount, rowCount: labels.rowCount))
  }

  private func entities(
    of dataset: String, _ columns: [String], as fields: [Field], _ commit: Commit, _ contract: Contract
  ) throws -> Batch {
    var collector = EntityCollector(keys: fields)
    guard let reference = commit.datasets[dataset] else { return collector.finish() }
    let version = try TableVersion(archive: archive, root: reference.root)
    // The contract may be newer than the version: columns are the same where their ids are.
    let layout = try contract.layout(evolving: version.layout)
    let stored = columns.compactMap { name in version.layout.schema.fields.first { $0.id == layout.schema[name]?.id }?.name }
    guard stored.count == columns.count else { return collector.finish() }
    try version.forEachBatch(columns: stored.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }) { batch in
      collector.add(
        try zip(stored, fields).map { name, field in
          do {
            return try batch[name]!.cast(to: field.type, nanAsNull: false, floor: false, unambiguous: true)
          } catch {
            throw AlmanacError(.failed, "Cannot use column \(name) as label column \(field.name): \(error)")
          }
        })
    }
    return collector.finish()
  }
}

extension EntityGrid {
  fileprivate func column(
    for wanted: CompiledService.EntityColumn, in schema: Schema, _ context: String
  ) throws(AlmanacError) -> String {
    if let named = keys[wanted.name] {
      if schema.index(of: named) != nil { return named }
      throw AlmanacError(
        .failed, "\(context): the dataset has no column \(named) for label column \(wanted.name)",
        hint: "Its columns: \(schema.fields.map(\.name).joined(separator: ", ")).")
    }
    if let found = [wanted.name, wanted.key].first(where: { schema.index(of: $0) != nil }) { return found }
    let names = wanted.name == wanted.key ? wanted.name : "\(wanted.name) or \(wanted.key)"
    throw AlmanacError(
      .failed, "\(context): the dataset has no column \(names) for label column \(wanted.name)",
      hint: "Name the column with --key \(wanted.name)=COLUMN. Its columns: \(schema.fields.map(\.name).joined(separator: ", ")).")
  }
}
