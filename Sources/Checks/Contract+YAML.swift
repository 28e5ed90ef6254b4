import JSON

extension Contract {
  /// A contract file (ODCS 3.1.0) that declares this contract; nil when no file can, for example because a column has a name
  /// that files must not use.
  package var yaml: String? {
    var lines = [
      "# Written by `almanac apply --export`.", "apiVersion: v3.1.0", "kind: DataContract", "id: \(Self.quoted(name))",
      "version: \(Self.quoted(version))", "status: active", "schema:", "- name: \(Self.quoted(name))",
    ]
    if let description { lines.append("  description: \(Self.quoted(description))") }
    lines.append("  properties:")
    for column in columns {
      guard let line = property(column) else { return nil }
      lines.append("  - \(line)")
    }
    let whole = rules.filter(\.columns.isEmpty)
    if !whole.isEmpty {
      lines.append("  quality:")
      for rule in whole {
        guard let line = Self.quality(rule) else { return nil }
        lines.append("  - \(line)")
      }
    }
    var settings: [(String, JSON)] = []
    if let eventTime { settings.append(("eventTime", .string(eventTime))) }
    if let createdTime { settings.append(("createdTime", .string(createdTime))) }
    settings.append(("partition", .string(partition.rawValue)))
    settings.append(("evolution", .string(evolution.rawValue)))
    settings.append(("kind", .string(kind.rawValue)))
    if kind == .log, sort != (eventTime.map { [$0] } ?? []) { settings.append(("sort", .array(sort.map { .string($0) }))) }
    if let leafRows { settings.append(("leafRows", .int(Int64(leafRows)))) }
    lines.append("  customProperties:")
    lines.append("  - {property: almanac, value: \(Self.flow(settings))}")
    let text = lines.joined(separator: "\n") + "\n"
    // The form is right if reading it back gives the same.
    guard let read = try? Contract.parse(yaml: text, file: "export"), read == [self] else { return nil }
    return text
  }

  private func property(_ column: ContractColumn) -> String? {
    var members: [(String, JSON)] = [("name", .string(column.name)), ("physicalType", .string(column.type.description))]
    if column.isRequired { members.append(("required", true)) }
    if let position = column.primaryKeyPosition {
      members += [("primaryKey", true), ("primaryKeyPosition", .int(Int64(position)))]
    }
    var text = Self.flow(members).dropLast()
    let rules = rules.filter { $0.columns == [column.name] }
    // Options come before checks when a file is read; what stands behind the first check is a check as well.
    let options = rules.prefix { $0.severity == .error && Self.option($0) != nil }
    if !options.isEmpty { text += ", logicalTypeOptions: \(Self.flow(options.compactMap(Self.option)))" }
    let checks = rules.dropFirst(options.count).map(Self.quality)
    guard checks.allSatisfy({ $0 != nil }) else { return nil }
    if !checks.isEmpty { text += ", quality: [\(checks.compactMap { $0 }.joined(separator: ", "))]" }
    if let previous = column.previousName {
      text += ", customProperties: [{property: almanac, value: {previousName: \(Self.quoted(previous))}}]"
    }
    if let description = column.description { text += ", description: \(Self.quoted(description))" }
    return text + "}"
  }

  private static func option(_ rule: Rule) -> (String, JSON)? {
    switch rule.kind {
    case .minimum(let bound), .maximum(let bound), .exclusiveMinimum(let bound), .exclusiveMaximum(let bound):
      (rule.kind.name, bound.json)
    case .minLength(let length), .maxLength(let length): (rule.kind.name, .int(Int64(length)))
    case .pattern(let pattern): ("pattern", .string(pattern))
    default: nil
    }
  }

  private static func quality(_ rule: Rule) -> String? {
    var members: [(String, JSON)] = []
    switch rule.kind {
    case .required: members = [("metric", "nullValues"), ("mustBe", 0)]
    case .pattern(let pattern): members = [("metric", "invalidValues"), ("mustBe", 0), ("arguments", ["pattern": .string(pattern)])]
    case .validValues(let values):
      members = [("metric", "invalidValues"), ("mustBe", 0), ("arguments", ["validValues": .array(values.map(\.json))])]
    case .rowCount(let minimum?, let maximum?) where minimum == maximum: members = [("metric", "rowCount"), ("mustBe", .int(minimum))]
    case .rowCount(let minimum?, let maximum?):
      // Both ends of `mustBeBetween` are exclusive.
      guard minimum > 0, maximum < Int64.max - 1 else { return nil }
      members = [("metric", "rowCount"), ("mustBeBetween", [.int(minimum - 1), .int(maximum + 1)])]
    case .rowCount(let minimum?, nil): members = [("metric", "rowCount"), ("mustBeGreaterOrEqualTo", .int(minimum))]
    case .rowCount(nil, let maximum?): members = [("metric", "rowCount"), ("mustBeLessOrEqualTo", .int(maximum))]
    default: return nil
    }
    if rule.severity != .error { members.append(("severity", .string(rule.severity.rawValue))) }
    return flow(members)
  }

  private static func flow(_ members: [(String, JSON)]) -> String {
    "{" + members.map { "\($0): \($1.text())" }.joined(separator: ", ") + "}"
  }

  /// JSON's strings are YAML's double-quoted ones.
  private static func quoted(_ text: String) -> String { JSON.string(text).text() }
}
