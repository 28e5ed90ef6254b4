import Columns

/// A setting and where it was written.
struct Setting<Value: Sendable>: Sendable {
  let value: Value
  let line: Int?
  let column: Int?

  init(_ value: Value, at node: YAMLNode) {
    self.value = value
    line = node.line
    column = node.column
  }

  func error(_ text: String, file: String) -> CheckError { CheckError(file: file, line: line, column: column, text) }
}

/// `customProperties` → `almanac` of a contract or of one dataset in it.
struct ContractSettings: Sendable {
  var eventTime: Setting<String>?
  var createdTime: Setting<String>?
  var partition: Setting<Partitioning>?
  var kind: Setting<Contract.Kind>?
  var evolution: Setting<Contract.Evolution>?
  var sort: Setting<[String]>?
  var leafRows: Setting<Int>?

  static func read(_ block: YAMLMapping) throws(CheckError) -> ContractSettings {
    var settings = ContractSettings()
    for value in try CustomProperties.almanac(block) {
      var value = value
      value.subject = "almanac"
      let map = try value.mapping(keys: ["eventTime", "createdTime", "partition", "kind", "evolution", "sort", "leafRows"])
      if let node = map["eventTime"] { settings.eventTime = Setting(try node.string("eventTime"), at: node) }
      if let node = map["createdTime"] { settings.createdTime = Setting(try node.string("createdTime"), at: node) }
      if let node = map["partition"] { settings.partition = Setting(try node.choice("partition", of: Partitioning.self), at: node) }
      if let node = map["kind"] { settings.kind = Setting(try node.choice("kind", of: Contract.Kind.self), at: node) }
      if let node = map["evolution"] {
        settings.evolution = Setting(try node.choice("evolution", of: Contract.Evolution.self), at: node)
      }
      if let node = map["sort"] {
        var names: [String] = []
        for item in try node.list("sort") { names.append(try item.string("a column of sort")) }
        settings.sort = Setting(names, at: node)
      }
      if let node = map["leafRows"] {
        let rows = try node.integer("leafRows")
        let range = Contract.leafRowsRange
        guard range.contains(rows), rows & (rows - 1) == 0 else {
          throw node.error("leafRows must be a power of two from \(range.lowerBound) to \(range.upperBound), found \(rows)")
        }
        settings.leafRows = Setting(rows, at: node)
      }
    }
    return settings
  }

  /// These settings, and where one is absent the other's.
  func over(_ other: ContractSettings) -> ContractSettings {
    ContractSettings(
      eventTime: eventTime ?? other.eventTime, createdTime: createdTime ?? other.createdTime, partition: partition ?? other.partition,
      kind: kind ?? other.kind, evolution: evolution ?? other.evolution, sort: sort ?? other.sort, leafRows: leafRows ?? other.leafRows)
  }

  /// Checks the settings against the columns and writes them into the contract, whose key is already known.
  func apply(to contract: inout Contract, entry: YAMLNode) throws(CheckError) {
    let file = entry.file
    if let eventTime {
      try checkTime(eventTime, "eventTime", of: contract, file: file)
      let index = contract.columns.firstIndex { $0.name == eventTime.value }!
      guard contract.columns[index].isRequired else {
        throw eventTime.error("eventTime \(eventTime.value) must be required: true; a row without event time has no place", file: file)
      }
      contract.eventTime = eventTime.value
    }
    if let createdTime {
      try checkTime(createdTime, "createdTime", of: contract, file: file)
      guard createdTime.value != contract.eventTime else {
        throw createdTime.error("createdTime and eventTime are both \(createdTime.value)", file: file)
      }
      contract.createdTime = createdTime.value
    }
    contract.kind = kind?.value ?? .table
    contract.evolution = evolution?.value ?? .backward
    contract.leafRows = leafRows?.value
    try applySort(to: &contract, file: file)
    let eventTimeIsKey = contract.eventTime.map((contract.primaryKey + contract.sort).contains) ?? false
    if let partition, partition.value != .none, !eventTimeIsKey {
      let place = contract.kind == .log ? "is among the sort columns" : "is part of the primary key"
      throw partition.error(
        "partition \(partition.value.rawValue) needs an eventTime that \(place) of dataset \(contract.name)", file: file)
    }
    contract.partition = partition?.value ?? (eventTimeIsKey ? .month : .none)
  }

  /// A log is kept in the order of its sort columns, by default its event time.
  private func applySort(to contract: inout Contract, file: String) throws(CheckError) {
    guard let sort else {
      contract.sort = contract.kind == .log ? contract.eventTime.map { [$0] } ?? [] : []
      return
    }
    guard contract.kind == .log else {
      throw sort.error("sort is for datasets of kind log; \(contract.name) is kept in the order of its primary key", file: file)
    }
    for (index, name) in sort.value.enumerated() {
      guard let column = contract[column: name] else {
        let suggestion = Suggestion.text(for: name, among: contract.columns.map(\.name))
        throw sort.error("sort column \(name) is not a column of dataset \(contract.name)\(suggestion)", file: file)
      }
      guard !sort.value[..<index].contains(name) else { throw sort.error("sort names column \(name) twice", file: file) }
      guard column.isRequired else {
        throw sort.error("sort column \(name) must be required: true; a row without it has no place", file: file)
      }
      switch column.type {
      case .float32, .float64, .decimal, .binary:
        throw sort.error("column \(name) is \(column.type), by which rows cannot be sorted", file: file)
      default: break
      }
    }
    contract.sort = sort.value
  }

  private func checkTime(_ setting: Setting<String>, _ what: String, of contract: Contract, file: String) throws(CheckError) {
    guard let column = contract[column: setting.value] else {
      let suggestion = Suggestion.text(for: setting.value, among: contract.columns.map(\.name))
      throw setting.error("\(what) \(setting.value) is not a column of dataset \(contract.name)\(suggestion)", file: file)
    }
    guard column.type == .timestampMicros else {
      throw setting.error("\(what) \(setting.value) must be timestamp[us,UTC], found \(column.type)", file: file)
    }
  }
}
