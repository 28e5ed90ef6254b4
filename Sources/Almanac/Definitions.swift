import Checks
import Columns
import Features
import JSON
import Tables

/// Everything registered at one commit: contracts by dataset, and feature definitions.
package struct Definitions: Hashable, Sendable {
  package var contracts: [String: Contract] = [:]
  package var features = DefinitionSet()

  package init() {}

  package init(json: JSON) throws {
    for (name, value) in json["contracts"]?.objectValue ?? [:] { contracts[name] = try Contract(canonicalJSON: value) }
    if let value = json["features"] { features = try DefinitionSet(canonicalJSON: value.canonicalBytes) }
  }

  /// Canonical: equal definitions have equal bytes, whatever files they came from.
  package var json: JSON {
    ["contracts": .object(contracts.mapValues(\.canonicalJSON)), "features": features.json]
  }

  /// What feature definitions may read: every dataset that has a contract.
  package var sources: [String: SourceTable] {
    contracts.mapValues { contract in
      SourceTable(
        name: contract.name, schema: contract.storedSchema, primaryKey: contract.storedKey, eventTime: contract.eventTime,
        createdTime: contract.createdTime)
    }
  }
}

extension Contract {
  /// The columns as a schema, key columns and required ones without nulls.
  package var schema: Schema {
    Schema(columns.map { Field($0.name, $0.type, isNullable: !($0.isRequired || $0.primaryKeyPosition != nil)) })
  }

  /// With the hidden columns that rows of a log are told apart by.
  package var storedSchema: Schema { Schema(schema.fields + (kind == .log ? LogKey.fields : [])) }

  /// The columns by which stored rows are ordered and told apart.
  package var storedKey: [String] { kind == .log ? sort + LogKey.names : primaryKey }

  /// What it says of the stored form.
  package var declaration: TableDeclaration {
    TableDeclaration(
      name: name, schema: storedSchema,
      previousNames: Dictionary(
        columns.compactMap { column in column.previousName.map { (column.name, $0) } }, uniquingKeysWith: { first, _ in first }),
      primaryKey: storedKey, eventTime: eventTime, createdTime: createdTime,
      partitioning: Tables.Partitioning(rawValue: partition.rawValue) ?? .none, leafRowCount: leafRows)
  }

  /// Whether rows under a layout are what this contract says of them: columns by name, type, nullability and order, key, times and
  /// partitions. In every commit a dataset's rows and its contract agree.
  package func agrees(with layout: TableLayout) -> Bool {
    let (mine, theirs) = (storedSchema.fields, layout.schema.fields)
    return mine.count == theirs.count
      && zip(mine, theirs).allSatisfy { $0.name == $1.name && $0.type == $1.type && $0.isNullable == $1.isNullable }
      && storedKey == layout.primaryKey && eventTime == layout.eventTime && createdTime == layout.createdTime
      && partition.rawValue == layout.partitioning.rawValue && leafRows.map { $0 == layout.leafRowCount } ?? true
  }

  /// The layout of a dataset created under this contract, or of one that exists and whose columns this contract changes.
  /// - Throws: `TableError` of kind `evolution` for a change that needs a rewrite.
  package func layout(evolving previous: TableLayout?) throws(TableError) -> TableLayout {
    guard let previous else { return declaration.firstLayout }
    return try SchemaEvolution(of: previous, to: declaration).layout
  }

  /// The layout of a version that replaces every row of another one.
  ///
  /// It is that of `layout(evolving:)`, unless the version before is at odds with this contract, which is then the one that is right:
  /// columns of one name and class of types stay the same field, all others are new ones.
  package func layout(replacing previous: TableLayout?) -> TableLayout {
    guard let previous else { return declaration.firstLayout }
    if let evolved = try? layout(evolving: previous) { return evolved }
    let declared = declaration
    var kept: [String: Int32] = [:]
    for field in declared.schema.fields {
      guard let old = previous.schema[field.name], TypeClass(old.type) == TypeClass(field.type) else { continue }
      kept[field.name] = old.id
    }
    let dropped = Set(previous.dropped + previous.schema.fields.compactMap(\.id)).subtracting(kept.values)
    return TableLayout(
      schema: FieldIDs.assign(to: declared.schema, keeping: kept, dropped: dropped), primaryKey: declared.primaryKey,
      eventTime: declared.eventTime, createdTime: declared.createdTime, partitioning: declared.partitioning,
      leafRowCount: declared.leafRowCount ?? previous.leafRowCount, dropped: Array(dropped))
  }
}
