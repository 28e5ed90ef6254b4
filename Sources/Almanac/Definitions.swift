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

  /// A service with everything it refers to, as stored: what a recipe depends on.
  package func definition(ofService name: String) -> JSON {
    guard let service = features.service(named: name) else { return .null }
    let views = Set(service.features.map(\.view))
    let entities = Set(features.views.filter { views.contains($0.name) }.map(\.entity))
    func members(_ section: String, _ wanted: Set<String>) -> JSON {
      .array((features.json[section]?.arrayValue ?? []).filter { wanted.contains($0["name"]?.stringValue ?? "") })
    }
    return [
      "entities": members("entities", entities), "feature_views": members("feature_views", views),
      "feature_services": members("feature_services", [name]),
    ]
  }

  /// What feature definitions may read: every dataset that has a contract.
  package var sources: [String: SourceTable] {
    contracts.mapValues { contract in
      SourceTable(
        name: contract.name, schema: contract.schema, primaryKey: contract.primaryKey, eventTime: contract.eventTime,
        createdTime: contract.createdTime)
    }
  }
}

extension Contract {
  /// The columns as a schema, key columns and required ones without nulls.
  package var schema: Schema {
    Schema(columns.map { Field($0.name, $0.type, isNullable: !($0.isRequired || $0.primaryKeyPosition != nil)) })
  }

  /// The layout of a dataset created under this contract, or of one that exists and whose columns this contract extends.
  /// - Throws: `TableError` of kind `evolution` for a change that needs a rewrite.
  package func layout(evolving previous: TableLayout?) throws(TableError) -> TableLayout {
    guard let previous else {
      let schema = FieldIDs.assign(to: schema)
      return TableLayout(
        schema: schema, primaryKey: primaryKey, eventTime: eventTime, createdTime: createdTime,
        partitioning: Tables.Partitioning(rawValue: partition.rawValue) ?? .none,
        leafRowCount: leafRows ?? TableLayout.leafRowCount(for: schema))
    }
    try checkEvolution(from: previous)
    return TableLayout(
      schema: FieldIDs.assign(to: schema, keeping: previous.schema), primaryKey: primaryKey, eventTime: eventTime,
      createdTime: createdTime, partitioning: previous.partitioning, leafRowCount: previous.leafRowCount)
  }

  private func checkEvolution(from previous: TableLayout) throws(TableError) {
    func refuse(_ what: String) -> TableError {
      TableError(.evolution, "Cannot change dataset \(name), which has committed rows: \(what)")
    }
    if primaryKey != previous.primaryKey {
      throw refuse(
        "its primary key is (\(previous.primaryKey.joined(separator: ", "))), the contract says (\(primaryKey.joined(separator: ", ")))")
    }
    if eventTime != previous.eventTime { throw refuse("its event time is \(previous.eventTime ?? "not declared")") }
    if partition.rawValue != previous.partitioning.rawValue {
      throw refuse("it is partitioned by \(previous.partitioning.rawValue), the contract says \(partition.rawValue)")
    }
    let wanted = schema
    for field in previous.schema.fields {
      guard let new = wanted[field.name] else {
        throw refuse("column \(field.name) is missing in the contract; dropping and renaming columns is not supported yet")
      }
      if new.type != field.type { throw refuse("column \(field.name) is \(field.type), the contract says \(new.type)") }
      if field.isNullable && !new.isNullable { throw refuse("column \(field.name) has been nullable and cannot become required") }
    }
    for field in wanted.fields where previous.schema[field.name] == nil && !field.isNullable {
      throw refuse("new column \(field.name) is required, but committed rows have no value for it; make it nullable")
    }
  }
}
