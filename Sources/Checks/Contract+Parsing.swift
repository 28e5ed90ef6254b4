import Columns

extension Contract {
  /// The contracts of a file, one for each entry of its `schema`.
  ///
  /// Reads Open Data Contract Standard 3.1.0 YAML (https://bitol.io/open-data-contract-standard); what goes beyond the
  /// standard stands in `customProperties` under `almanac`. Keys that describe (team, tags, …) are accepted and not kept;
  /// keys that would change what is checked and are not supported yet are refused.
  /// - Returns: nothing for a file without a document (all comments).
  /// - Throws: `CheckError` with file, line and column.
  package static func parse(yaml: String, file: String) throws(CheckError) -> [Contract] {
    guard let root = try YAMLNode.root(of: yaml, file: file, subject: "the contract") else { return [] }
    let top = try root.mapping(keys: ODCS.contractKeys, unsupported: ODCS.contractKeysUnsupported)
    let apiVersion = try top.required("apiVersion")
    let apiVersionText = try apiVersion.string("apiVersion")
    guard apiVersionText.hasPrefix("v3.") else {
      throw apiVersion.error("apiVersion \(apiVersionText) is not supported; expected v3.1.0")
    }
    let kind = try top.required("kind")
    guard try kind.string("kind") == "DataContract" else {
      throw kind.error("kind must be DataContract, found \(kind.kindText)")
    }
    let version = try top.string("version") ?? "1.0.0"
    let shared = try ContractSettings.read(top)
    let entries = try top.required("schema").list("schema")
    guard !entries.isEmpty else { throw try top.required("schema").error("schema must name at least one dataset") }
    var contracts: [Contract] = []
    for entry in entries {
      let contract = try ContractReader(version: version, shared: shared).read(entry)
      if contracts.contains(where: { $0.name == contract.name }) {
        throw entry.error("dataset \(contract.name) is declared twice in this file")
      }
      contracts.append(contract)
    }
    return contracts
  }
}

/// The keys of ODCS 3.1.0, by block.
enum ODCS {
  static let contractKeys: Set<String> = [
    "apiVersion", "kind", "id", "name", "version", "status", "tenant", "tags", "description", "domain", "dataProduct", "schema",
    "customProperties", "authoritativeDefinitions", "support", "team", "roles", "contractCreatedTs", "price",
  ]
  static let contractKeysUnsupported: Set<String> = ["slaProperties", "slaDefaultElement", "servers"]
  static let schemaKeys: Set<String> = [
    "id", "name", "physicalName", "physicalType", "logicalType", "businessName", "description", "tags", "properties", "quality",
    "customProperties", "authoritativeDefinitions", "dataGranularityDescription",
  ]
  static let schemaKeysUnsupported: Set<String> = ["relationships"]
  static let propertyKeys: Set<String> = [
    "id", "name", "logicalType", "physicalType", "physicalName", "description", "businessName", "required", "primaryKey",
    "primaryKeyPosition", "logicalTypeOptions", "quality", "tags", "examples", "classification", "criticalDataElement",
    "customProperties", "authoritativeDefinitions", "encryptedName", "transformSourceObjects", "transformLogic",
    "transformDescription",
  ]
  static let propertyKeysUnsupported: Set<String> = [
    "unique", "partitioned", "partitionKeyPosition", "relationships", "properties", "items",
  ]
}

/// Reads one entry of `schema`.
private struct ContractReader {
  let version: String
  let shared: ContractSettings

  func read(_ entry: YAMLNode) throws(CheckError) -> Contract {
    var entry = entry
    entry.subject = entry.name.map { "dataset \($0)" } ?? "schema"
    let object = try entry.mapping(keys: ODCS.schemaKeys, unsupported: ODCS.schemaKeysUnsupported)
    let name = try object.required("name").string("name of schema")
    guard isDatasetName(name) else {
      throw try object.required("name").error(
        "\"\(name)\" cannot be the name of a dataset; expected letters, digits, _ and -, beginning with a letter")
    }

    var columns: [ContractColumn] = []
    var positions: [String: YAMLNode] = [:]
    var rules: [Rule] = []
    for property in try object.required("properties").list("properties of \(entry.subject)") {
      var property = property
      property.subject = property.name.map { "column \($0)" } ?? "column of dataset \(name)"
      let block = try property.mapping(keys: ODCS.propertyKeys, unsupported: ODCS.propertyKeysUnsupported)
      let columnName = try block.required("name").string("name of \(property.subject)")
      guard !columns.contains(where: { $0.name == columnName }) else {
        throw property.error("column \(columnName) is declared twice in dataset \(name)")
      }
      guard !columnName.isEmpty, !ReservedName.holds(columnName) else {
        throw property.error("\"\(columnName)\" cannot be a column's name; names are not empty and do not begin with _almanac")
      }
      let column = try ColumnReader.read(block, name: columnName)
      columns.append(column)
      positions[columnName] = property
      rules += try RuleReader(dataset: name, column: column).read(block)
    }
    guard !columns.isEmpty else { throw entry.error("dataset \(name) has no columns") }
    try checkRenames(columns, positions: positions)
    rules += try RuleReader(dataset: name, column: nil).read(object)
    for (index, rule) in rules.enumerated() where rules[..<index].contains(where: { $0.text == rule.text }) {
      throw entry.error("the rule \(rule.text) is declared twice")
    }
    var contract = Contract(
      name: name, version: version, description: try object.string("description"), columns: columns, primaryKey: [], rules: rules)
    let settings = try ContractSettings.read(object).over(shared)
    try setKey(of: &contract, kind: settings.kind?.value ?? .table, entry: entry, positions: positions)
    try settings.apply(to: &contract, entry: entry)
    return contract
  }

  /// A stored column goes to one declared column at most, and names cannot be exchanged in one step.
  private func checkRenames(_ columns: [ContractColumn], positions: [String: YAMLNode]) throws(CheckError) {
    var takers: [String: String] = [:]
    for column in columns {
      guard let old = column.previousName, let place = positions[column.name] else { continue }
      guard old != column.name else { throw place.error("previousName of column \(old) is its own name") }
      if let other = takers[old] { throw place.error("columns \(other) and \(column.name) both have previousName \(old)") }
      takers[old] = column.name
    }
    for column in columns {
      var name = column.previousName
      while let old = name, old != column.name { name = columns.first { $0.name == old }?.previousName }
      if name != nil, let place = positions[column.name] {
        throw place.error("the previousNames of column \(column.name) lead back to it; exchange names through one that is not in use")
      }
    }
  }

  /// Names become file names and parts of commands.
  private func isDatasetName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 120 else { return false }
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    return isLetter(first)
      && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
  }

  /// Orders the primary key by position, or as declared where no column has one.
  private func setKey(
    of contract: inout Contract, kind: Contract.Kind, entry: YAMLNode, positions: [String: YAMLNode]
  ) throws(CheckError) {
    var keys = contract.columns.filter { $0.primaryKeyPosition != nil }
    if kind == .log {
      if let key = keys.first { throw positions[key.name]!.error("a dataset of kind log has no primary key, found column \(key.name)") }
      return
    }
    guard !keys.isEmpty else {
      throw entry.error("dataset \(contract.name) has no primary key; mark its columns with primaryKey: true, or declare kind: log")
    }
    if keys.contains(where: { $0.primaryKeyPosition != ColumnReader.positionAbsent }) {
      keys.sort { $0.primaryKeyPosition! < $1.primaryKeyPosition! }
      for (index, key) in keys.enumerated() where key.primaryKeyPosition != index + 1 {
        let found = key.primaryKeyPosition == ColumnReader.positionAbsent ? "none" : "\(key.primaryKeyPosition!)"
        throw positions[key.name]!.error(
          "primaryKeyPosition of column \(key.name) must be such that the \(keys.count) key columns have 1 to \(keys.count), "
            + "found \(found)")
      }
    }
    contract.primaryKey = keys.map(\.name)
    for (index, key) in keys.enumerated() {
      let column = contract.columns.firstIndex { $0.name == key.name }!
      contract.columns[column].primaryKeyPosition = index + 1
      contract.columns[column].isRequired = true
      switch key.type {
      case .float32, .float64, .decimal, .binary:
        throw positions[key.name]!.error("column \(key.name) is \(key.type), which cannot be part of a primary key")
      default: break
      }
    }
  }
}
