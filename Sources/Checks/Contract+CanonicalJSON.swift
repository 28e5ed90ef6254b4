import Columns
import JSON

extension Contract {
  /// The contract as commits store it; equal contracts give equal JSON.
  package var canonicalJSON: JSON {
    var object: [String: JSON] = [
      "name": .string(name), "version": .string(version), "columns": .array(columns.map(\.canonicalJSON)),
      "primaryKey": .array(primaryKey.map { .string($0) }), "partition": .string(partition.rawValue), "kind": .string(kind.rawValue),
      "evolution": .string(evolution.rawValue), "rules": .array(rules.map(\.canonicalJSON)),
    ]
    object["description"] = description.map { .string($0) }
    object["eventTime"] = eventTime.map { .string($0) }
    object["createdTime"] = createdTime.map { .string($0) }
    if !sort.isEmpty { object["sort"] = .array(sort.map { .string($0) }) }
    object["leafRows"] = leafRows.map { .int(Int64($0)) }
    return .object(object)
  }

  /// - Throws: `CheckError` when the JSON is not what `canonicalJSON` writes.
  package init(canonicalJSON json: JSON) throws(CheckError) {
    guard let name = json["name"]?.stringValue else { throw CheckError("The stored contract has no name") }
    func damaged(_ what: String) -> CheckError { CheckError("The stored contract of \(name) cannot be read: \(what)") }
    guard let version = json["version"]?.stringValue, let key = json["primaryKey"]?.arrayValue?.compactMap(\.stringValue),
      let partition = json["partition"]?.stringValue.flatMap(Partitioning.init(rawValue:)),
      let kind = json["kind"]?.stringValue.flatMap(Kind.init(rawValue:)),
      let evolution = json["evolution"]?.stringValue.flatMap(Evolution.init(rawValue:))
    else { throw damaged("version, primaryKey, partition, kind or evolution is missing or unknown") }
    var columns: [ContractColumn] = []
    for item in json["columns"]?.arrayValue ?? [] {
      guard let column = ContractColumn(canonicalJSON: item) else { throw damaged("column \(item.text())") }
      columns.append(column)
    }
    self.init(
      name: name, version: version, description: json["description"]?.stringValue, columns: columns, primaryKey: key,
      eventTime: json["eventTime"]?.stringValue, createdTime: json["createdTime"]?.stringValue, partition: partition, kind: kind,
      evolution: evolution, sort: (json["sort"]?.arrayValue ?? []).compactMap(\.stringValue),
      leafRows: json["leafRows"]?.intValue.flatMap { Int(exactly: $0) })
    for column in key + sort + [eventTime, createdTime].compactMap({ $0 }) where self[column: column] == nil {
      throw damaged("it has no column \(column)")
    }
    for item in json["rules"]?.arrayValue ?? [] {
      guard let rule = Rule(canonicalJSON: item, of: self) else { throw damaged("rule \(item.text())") }
      rules.append(rule)
    }
  }
}

extension ContractColumn {
  var canonicalJSON: JSON {
    var object: [String: JSON] = ["name": .string(name), "type": .string(type.description), "required": .bool(isRequired)]
    object["primaryKeyPosition"] = primaryKeyPosition.map { .int(Int64($0)) }
    object["previousName"] = previousName.map { .string($0) }
    object["description"] = description.map { .string($0) }
    return .object(object)
  }

  init?(canonicalJSON json: JSON) {
    guard let name = json["name"]?.stringValue, let type = json["type"]?.stringValue.flatMap({ DataType(parsing: $0) }),
      let isRequired = json["required"]?.boolValue
    else { return nil }
    self.init(
      name: name, type: type, isRequired: isRequired,
      primaryKeyPosition: json["primaryKeyPosition"]?.intValue.flatMap { Int(exactly: $0) },
      previousName: json["previousName"]?.stringValue, description: json["description"]?.stringValue)
  }
}

extension Rule {
  var canonicalJSON: JSON {
    var object: [String: JSON] = [
      "columns": .array(columns.map { .string($0) }), "severity": .string(severity.rawValue), "type": .string(kind.name),
    ]
    switch kind {
    case .required, .primaryKeyUnique: break
    case .minimum(let bound), .maximum(let bound), .exclusiveMinimum(let bound), .exclusiveMaximum(let bound):
      object["value"] = bound.json
    case .minLength(let length), .maxLength(let length): object["value"] = .int(Int64(length))
    case .pattern(let pattern): object["value"] = .string(pattern)
    case .validValues(let values): object["value"] = .array(values.map(\.json))
    case .rowCount(let minimum, let maximum):
      object["minimum"] = minimum.map { .int($0) }
      object["maximum"] = maximum.map { .int($0) }
    }
    return .object(object)
  }

  /// Nil for JSON that `canonicalJSON` does not write for a rule of this contract.
  init?(canonicalJSON json: JSON, of contract: Contract) {
    guard let columns = json["columns"]?.arrayValue?.compactMap(\.stringValue),
      columns.allSatisfy({ contract[column: $0] != nil }),
      let severity = json["severity"]?.stringValue.flatMap(Severity.init(rawValue:)), let type = json["type"]?.stringValue,
      let kind = Kind(name: type, json: json, column: columns.first.flatMap { contract[column: $0] })
    else { return nil }
    self.init(dataset: contract.name, columns: columns, kind: kind, severity: severity)
  }
}

extension Rule.Kind {
  var name: String {
    switch self {
    case .required: "required"
    case .primaryKeyUnique: "primaryKeyUnique"
    case .minimum: "minimum"
    case .maximum: "maximum"
    case .exclusiveMinimum: "exclusiveMinimum"
    case .exclusiveMaximum: "exclusiveMaximum"
    case .minLength: "minLength"
    case .maxLength: "maxLength"
    case .pattern: "pattern"
    case .validValues: "validValues"
    case .rowCount: "rowCount"
    }
  }

  fileprivate init?(name: String, json: JSON, column: ContractColumn?) {
    if name == "rowCount" {
      self = .rowCount(minimum: json["minimum"]?.intValue, maximum: json["maximum"]?.intValue)
      return
    }
    guard let column else { return nil }
    func bound() -> Scalar? {
      guard column.type != .string, column.type != .bool else { return nil }
      return json["value"].flatMap { Scalar(ruleJSON: $0, as: column.type) }
    }
    func text() -> String? { column.type == .string ? json["value"]?.stringValue : nil }
    func length() -> Int? { column.type == .string ? json["value"]?.intValue.flatMap { Int(exactly: $0) } : nil }
    let kind: Rule.Kind? =
      switch name {
      case "required": .required
      case "primaryKeyUnique": .primaryKeyUnique
      case "minimum": bound().map(Rule.Kind.minimum)
      case "maximum": bound().map(Rule.Kind.maximum)
      case "exclusiveMinimum": bound().map(Rule.Kind.exclusiveMinimum)
      case "exclusiveMaximum": bound().map(Rule.Kind.exclusiveMaximum)
      case "minLength": length().map(Rule.Kind.minLength)
      case "maxLength": length().map(Rule.Kind.maxLength)
      case "pattern": text().map(Rule.Kind.pattern)
      case "validValues": Self.values(json["value"], of: column).map(Rule.Kind.validValues)
      default: nil
      }
    guard let kind else { return nil }
    self = kind
  }

  private static func values(_ json: JSON?, of column: ContractColumn) -> [Scalar]? {
    guard let items = json?.arrayValue else { return nil }
    let values = items.compactMap { Scalar(ruleJSON: $0, as: column.type) }
    return values.count == items.count && !values.isEmpty ? values : nil
  }
}
