import Columns

/// What a contract says of the stored form of a dataset.
package struct TableDeclaration: Sendable {
  package let name: String
  /// Without field ids.
  package let schema: Schema
  /// For columns that were renamed, the name before.
  package let previousNames: [String: String]
  package let primaryKey: [String]
  package let eventTime: String?
  package let createdTime: String?
  package let partitioning: Partitioning
  /// nil where the contract leaves it open.
  package let leafRowCount: Int?

  package init(
    name: String, schema: Schema, previousNames: [String: String] = [:], primaryKey: [String], eventTime: String?,
    createdTime: String?, partitioning: Partitioning, leafRowCount: Int?
  ) {
    self.name = name
    self.schema = schema
    self.previousNames = previousNames
    self.primaryKey = primaryKey
    self.eventTime = eventTime
    self.createdTime = createdTime
    self.partitioning = partitioning
    self.leafRowCount = leafRowCount
  }

  /// The layout of a dataset that has no version yet.
  package var firstLayout: TableLayout { firstLayout(keeping: [:]) }

  /// The same. - Parameter kept: ids that columns have already, by name.
  package func firstLayout(keeping kept: [String: Int32]) -> TableLayout {
    TableLayout(
      schema: FieldIDs.assign(to: schema, keeping: kept), primaryKey: primaryKey, eventTime: eventTime, createdTime: createdTime,
      partitioning: partitioning, leafRowCount: leafRowCount ?? TableLayout.leafRowCount(for: schema))
  }
}

extension TableDeclaration {
  /// The layout of a dataset that has no rows, and may be what it wants to be: columns that it had before, also under another name,
  /// stay the same fields.
  package func firstLayout(continuing previous: TableLayout) -> TableLayout {
    let known = Set(previous.schema.fields.compactMap(\.id))
    var kept: [String: Int32] = [:]
    if let evolved = try? SchemaEvolution(of: previous, to: self).layout {
      for field in evolved.schema.fields { kept[field.name] = field.id.flatMap { known.contains($0) ? $0 : nil } }
    } else {
      for field in schema.fields {
        guard let old = previous.schema[field.name], TypeClass(old.type) == TypeClass(field.type) else { continue }
        kept[field.name] = old.id
      }
    }
    return firstLayout(keeping: kept)
  }
}

/// How a dataset that has a version takes what its contract declares, without rewriting a leaf: columns are matched by field id,
/// so they may be added, dropped, renamed, widened, reordered, and become nullable. Everything else is refused.
package struct SchemaEvolution: Sendable {
  /// The layout of the next version; equal to the previous one when nothing changes.
  package let layout: TableLayout

  /// - Throws: `TableError` of kind `evolution` that names the dataset, the reason and the way.
  /// - Complexity: O(columns)
  package init(of previous: TableLayout, to wanted: TableDeclaration) throws(TableError) {
    let matching = try ColumnMatching(previous: previous, wanted: wanted)
    try matching.checkLayout()
    try matching.checkColumns()
    let dropped = Set(previous.dropped).union(matching.droppedFields.compactMap(\.id))
    layout = TableLayout(
      schema: FieldIDs.assign(to: wanted.schema, keeping: matching.sources.compactMapValues(\.id), dropped: dropped),
      primaryKey: wanted.primaryKey, eventTime: wanted.eventTime, createdTime: wanted.createdTime,
      partitioning: previous.partitioning, leafRowCount: previous.leafRowCount, dropped: dropped.sorted())
  }
}

/// Which stored column each declared one continues.
private struct ColumnMatching {
  let previous: TableLayout
  let wanted: TableDeclaration
  /// The stored column, by the name that it has from now on.
  let sources: [String: Field]

  /// A declared column continues the stored one that its `previousName` names, else the one of its own name.
  ///
  /// A `previousName` may stay in the contract when it has been followed: it is followed only where the column's own name is not
  /// stored, or is what another column continues. Where both names are stored and one would be dropped, that is refused.
  init(previous: TableLayout, wanted: TableDeclaration) throws(TableError) {
    self.previous = previous
    self.wanted = wanted
    var sources: [String: Field] = [:]
    var taken: Set<String> = []
    var open = wanted.schema.fields.compactMap { field in wanted.previousNames[field.name].map { (name: field.name, old: $0) } }
    func follow(_ condition: (_ name: String, _ old: String) -> Bool) -> Bool {
      guard let index = open.firstIndex(where: { condition($0.name, $0.old) }) else { return false }
      let (name, old) = open.remove(at: index)
      sources[name] = previous.schema[old]
      taken.insert(old)
      return true
    }
    while follow({ previous.schema[$0] == nil && previous.schema[$1] != nil }) {}
    // Chains: b continues a, as c continues b; a may go on to be what continues another column.
    func leaves(_ name: String) -> Bool {
      var name = name
      // A chain that leads back to itself is no contract, but would not end.
      for _ in 0...wanted.schema.fields.count {
        if wanted.schema[name] == nil { return true }
        guard let next = open.first(where: { $0.name == name })?.old, previous.schema[next] != nil else { return false }
        name = next
      }
      return false
    }
    while follow({ taken.contains($0) && previous.schema[$1] != nil && leaves($1) }) {}
    for (name, old) in open {
      if previous.schema[name] == nil || taken.contains(name) {
        guard previous.schema[old] == nil else {
          throw Self.refusal(
            wanted, "column \(name) may continue \(old), or be new, as \(old) is still declared; change one name at a time")
        }
        throw Self.refusal(
          wanted,
          "column \(name) was renamed from \(old), the contract says, but the dataset has no column \(old); leave out "
            + "previousName to add a new column")
      }
      guard previous.schema[old] == nil || wanted.schema[old] != nil || taken.contains(old) else {
        throw Self.refusal(
          wanted,
          "column \(name) cannot continue \(old): the dataset has both; leave out previousName to drop \(old), or drop \(name) "
            + "first")
      }
    }
    for field in wanted.schema.fields where sources[field.name] == nil && !taken.contains(field.name) {
      sources[field.name] = previous.schema[field.name]
    }
    self.sources = sources
  }

  var droppedFields: [Field] {
    let kept = Set(sources.values.compactMap(\.id))
    return previous.schema.fields.filter { field in field.id.map { !kept.contains($0) } ?? true }
  }

  static func refusal(_ wanted: TableDeclaration, _ what: String) -> TableError {
    TableError(.evolution, "Cannot change dataset \(wanted.name), which has committed rows: \(what)")
  }

  private func refuse(_ what: String) -> TableError { Self.refusal(wanted, what) }

  /// Key, event time, partitions and leaf size stay; names of their columns may change.
  func checkLayout() throws(TableError) {
    for field in droppedFields {
      let role =
        previous.primaryKey.contains(field.name) ? "part of its primary key" : previous.eventTime == field.name ? "its event time" : nil
      guard let role else { continue }
      throw refuse(
        "column \(field.name) is \(role) and cannot be dropped; where it was renamed, declare previousName: \(field.name) on the new column"
      )
    }
    let newDataset = "that cannot change: commit the rows to a new dataset"
    if wanted.primaryKey.map({ sources[$0]?.name }) != previous.primaryKey.map({ $0 as String? }) {
      throw refuse(
        "its primary key is (\(previous.primaryKey.joined(separator: ", "))), the contract says "
          + "(\(wanted.primaryKey.joined(separator: ", "))); \(newDataset)")
    }
    if wanted.eventTime.flatMap({ sources[$0]?.name ?? $0 }) != previous.eventTime {
      throw refuse(
        "its event time is \(previous.eventTime ?? "not declared"), the contract says \(wanted.eventTime ?? "none"); \(newDataset)")
    }
    if wanted.partitioning != previous.partitioning {
      throw refuse(
        "it is partitioned by \(previous.partitioning.rawValue), the contract says \(wanted.partitioning.rawValue); \(newDataset)")
    }
    if let rows = wanted.leafRowCount, rows != previous.leafRowCount {
      throw refuse(
        "its leaves aim at \(previous.leafRowCount) rows, the contract says leafRows: \(rows); that is fixed when a dataset is created: "
          + "leave it out")
    }
  }

  func checkColumns() throws(TableError) {
    for field in wanted.schema.fields {
      guard let old = sources[field.name] else {
        guard field.isNullable else {
          throw refuse("new column \(field.name) is required, but committed rows have no value for it; make it nullable")
        }
        continue
      }
      if old.type != field.type {
        let isKey = wanted.primaryKey.contains(field.name)
        // Keys sort by their bytes, which are other ones for numbers without sign.
        let keepsOrder = !isKey || old.type.isUnsigned == field.type.isUnsigned
        guard old.type.widens(to: field.type), keepsOrder else {
          let way =
            isKey
            ? "commit the rows to a new dataset" : "add a new column, fill it with --mode upsert, and drop this one later"
          throw refuse(
            "column \(old.name) is \(old.type), the contract says \(field.type), which is not a wider type of its values; \(way)")
        }
      }
      if old.isNullable && !field.isNullable {
        throw refuse(
          "column \(old.name) has been nullable and cannot become required; keep it nullable, and have new rows checked by the rule "
            + "nullValues mustBe 0")
      }
    }
  }
}

extension DataType {
  fileprivate var isUnsigned: Bool {
    switch self {
    case .uint8, .uint16, .uint32, .uint64: true
    default: false
    }
  }
}
