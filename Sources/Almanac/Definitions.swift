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

  /// The layout of a dataset created under this contract, or of one that exists and whose columns this contract changes.
  /// - Throws: `TableError` of kind `evolution` for a change that needs a rewrite.
  package func layout(evolving previous: TableLayout?) throws(TableError) -> TableLayout {
    guard let previous else { return declaration.firstLayout }
    return try SchemaEvolution(of: previous, to: declaration).layout
  }
}
