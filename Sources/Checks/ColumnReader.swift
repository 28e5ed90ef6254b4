import Columns

/// Reads a property of a contract: name, type and place in the key.
enum ColumnReader {
  /// ODCS writes -1 for a key column without a position.
  static let positionAbsent = -1

  private enum LogicalType: String, CaseIterable {
    case string, date, timestamp, time, number, integer, object, array, boolean

    /// The column type where `physicalType` is absent; nil for what cannot be stored yet.
    var defaultType: DataType? {
      switch self {
      case .string: .string
      case .date: .date
      case .timestamp: .timestampMicros
      case .number: .float64
      case .integer: .int64
      case .boolean: .bool
      case .time, .object, .array: nil
      }
    }

    func admits(_ type: DataType) -> Bool {
      switch self {
      case .string: type == .string || type == .binary
      case .date: type == .date
      case .timestamp: type.isTimestamp
      case .number: type.isFloat || type.isInteger || isDecimal(type)
      case .integer: type.isInteger
      case .boolean: type == .bool
      case .time, .object, .array: false
      }
    }

    private func isDecimal(_ type: DataType) -> Bool { if case .decimal = type { true } else { false } }
  }

  static func read(_ block: YAMLMapping, name: String) throws(CheckError) -> ContractColumn {
    let type = try type(of: block, name: name)
    let isKey = try block.bool("primaryKey") ?? false
    let position = try block.integer("primaryKeyPosition")
    if let position, isKey, position < 1, position != positionAbsent {
      throw block.entries["primaryKeyPosition"]!.error("primaryKeyPosition of column \(name) must be 1 or more, found \(position)")
    }
    if let position, !isKey, position != positionAbsent {
      throw block.entries["primaryKeyPosition"]!.error("column \(name) has a primaryKeyPosition but not primaryKey: true")
    }
    if isKey, try block.bool("required") == false {
      throw block.entries["required"]!.error("column \(name) is part of the primary key and cannot be required: false")
    }
    return ContractColumn(
      name: name, type: type, isRequired: try block.bool("required") ?? false,
      primaryKeyPosition: isKey ? position ?? positionAbsent : nil, previousName: try previousName(of: block, name: name),
      description: try block.string("description"))
  }

  private static func type(of block: YAMLMapping, name: String) throws(CheckError) -> DataType {
    let logical = try block["logicalType"]?.choice("logicalType of column \(name)", of: LogicalType.self)
    guard let place = block["physicalType"] else {
      guard let logical else { throw block.node.error("column \(name) has neither logicalType nor physicalType") }
      guard let type = logical.defaultType else {
        throw block.entries["logicalType"]!.error("logicalType \(logical.rawValue) of column \(name) is not supported yet")
      }
      return type
    }
    let text = try place.string("physicalType of column \(name)")
    guard let type = DataType(parsing: text) else {
      throw place.error("unknown physicalType \(text) of column \(name)\(Suggestion.text(for: text, among: typeNames))")
    }
    switch type {
    case .timestamp where type != .timestampMicros:
      throw place.error("column \(name) is \(type); datasets keep times as timestamp[us,UTC], to which inputs are converted")
    case .uint8, .uint16, .uint32, .uint64:
      throw place.error("column \(name) is \(type); datasets keep signed integers, to which inputs are converted (int64)")
    default:
      guard let stored = type.datasetType else { throw place.error("column \(name) is \(type), which datasets do not hold yet") }
      guard stored == type else { throw place.error("column \(name) is \(type); datasets keep such values as \(stored)") }
    }
    if let logical, !logical.admits(type) {
      throw place.error("column \(name) is \(type), which does not fit its logicalType \(logical.rawValue)")
    }
    return type
  }

  /// `customProperties: [{property: almanac, value: {previousName: …}}]` of a column.
  private static func previousName(of block: YAMLMapping, name: String) throws(CheckError) -> String? {
    for value in try CustomProperties.almanac(block) {
      var value = value
      value.subject = "almanac of column \(name)"
      return try value.mapping(keys: ["previousName"]).string("previousName")
    }
    return nil
  }

  static let typeNames = [
    "bool", "int8", "int16", "int32", "int64", "float32", "float64", "utf8", "string", "binary", "date", "timestamp[us,UTC]",
    "decimal(38,2)",
  ]
}

/// ODCS's list of `{property, value}`.
enum CustomProperties {
  /// The values under `almanac`; the properties of other tools are left alone.
  static func almanac(_ block: YAMLMapping) throws(CheckError) -> [YAMLNode] {
    var values: [YAMLNode] = []
    for item in try block.list("customProperties") {
      var item = item
      item.subject = "customProperties of \(block.node.subject)"
      let entry = try item.mapping(keys: ["id", "property", "value", "description"])
      guard try entry.required("property").string("property") == "almanac" else { continue }
      guard values.isEmpty else { throw item.error("almanac stands twice in \(item.subject)") }
      values.append(try entry.required("value"))
    }
    return values
  }
}
