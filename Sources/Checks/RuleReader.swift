import Columns

/// Reads the rules of a column (`logicalTypeOptions`, `quality`) or of a dataset (`quality`).
struct RuleReader {
  let dataset: String
  /// Nil for the rules of the whole dataset.
  let column: ContractColumn?

  private static let qualityKeys: Set<String> = [
    "id", "name", "description", "dimension", "businessImpact", "type", "metric", "arguments", "severity", "tags",
    "customProperties", "authoritativeDefinitions", "unit",
  ]
  private static let qualityKeysUnsupported: Set<String> = ["schedule", "scheduler", "method", "rule", "query", "engine", "implementation"]
  private static let operators: Set<String> = [
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween",
    "mustNotBeBetween",
  ]
  private static let metrics = ["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]

  func read(_ block: YAMLMapping) throws(CheckError) -> [Rule] {
    var rules: [Rule] = []
    if let column, var options = block["logicalTypeOptions"] {
      options.subject = "logicalTypeOptions of column \(column.name)"
      rules += try readOptions(options, column: column)
    }
    for var check in try block.list("quality") {
      check.subject = "quality of \(block.node.subject)"
      if let rule = try readQuality(check) { rules.append(rule) }
    }
    return rules
  }

  // MARK: logicalTypeOptions

  private func readOptions(_ node: YAMLNode, column: ContractColumn) throws(CheckError) -> [Rule] {
    let options = try node.mapping(
      keys: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern"],
      unsupported: [
        "format", "multipleOf", "timezone", "defaultTimezone", "minItems", "maxItems", "uniqueItems", "minProperties",
        "maxProperties", "required",
      ])
    var kinds: [Rule.Kind] = []
    for (key, kind) in [
      ("minimum", Rule.Kind.minimum), ("maximum", Rule.Kind.maximum), ("exclusiveMinimum", Rule.Kind.exclusiveMinimum),
      ("exclusiveMaximum", Rule.Kind.exclusiveMaximum),
    ] as [(String, (Scalar) -> Rule.Kind)] {
      guard let value = options[key] else { continue }
      guard column.type != .string, column.type != .binary, column.type != .bool else {
        throw value.error("\(key) does not apply to column \(column.name), which is \(column.type)")
      }
      kinds.append(kind(try Self.value(value, of: column, for: key)))
    }
    for (key, kind) in [("minLength", Rule.Kind.minLength), ("maxLength", Rule.Kind.maxLength)] as [(String, (Int) -> Rule.Kind)] {
      guard let value = options[key] else { continue }
      try requireString(key, at: value, column: column)
      let length = try value.integer("\(key) of column \(column.name)")
      guard length >= 0 else { throw value.error("\(key) of column \(column.name) must not be negative, found \(length)") }
      kinds.append(kind(length))
    }
    if let value = options["pattern"] { kinds.append(try pattern(value, column: column)) }
    return kinds.map { Rule(dataset: dataset, columns: [column.name], kind: $0) }
  }

  private func requireString(_ key: String, at node: YAMLNode, column: ContractColumn) throws(CheckError) {
    guard column.type == .string else {
      throw node.error("\(key) does not apply to column \(column.name), which is \(column.type)")
    }
  }

  private func pattern(_ node: YAMLNode, column: ContractColumn) throws(CheckError) -> Rule.Kind {
    try requireString("pattern", at: node, column: column)
    let text = try node.string("pattern of column \(column.name)")
    do throws(PatternError) {
      _ = try Pattern(text)
    } catch {
      throw node.error("pattern of column \(column.name) is not a regular expression: \(error.description)")
    }
    return .pattern(text)
  }

  /// The scalar at `node` as a value of the column's type.
  static func value(_ node: YAMLNode, of column: ContractColumn, for key: String) throws(CheckError) -> Scalar {
    let text = try node.string("\(key) of column \(column.name)")
    guard let value = Scalar(parsing: text, as: column.type) else {
      let hint = key.hasPrefix("exclusive") && (text == "true" || text == "false") ? "; since ODCS 3.1 it is a bound of its own" : ""
      throw node.error("\(key) of column \(column.name) must be a value of \(column.type), found \(text)\(hint)")
    }
    return value
  }

  // MARK: quality

  private func readQuality(_ node: YAMLNode) throws(CheckError) -> Rule? {
    let check = try node.mapping(keys: Self.qualityKeys.union(Self.operators).union(Self.qualityKeysUnsupported))
    let type = try check.string("type") ?? "library"
    switch type {
    case "library": break
    case "text": return nil  // prose for people
    case "custom", "sql": throw check.entries["type"]!.error("a quality check of type \(type) is not supported yet")
    default:
      let known = ["library", "text", "sql", "custom"]
      throw check.entries["type"]!.error("unknown quality type \(type)\(Suggestion.text(for: type, among: known))")
    }
    for key in Self.qualityKeysUnsupported {
      if let value = check.entries[key] { throw value.error("\(key) in \(node.subject) is not supported yet") }
    }
    let severity = try severity(check)
    let metric = try check.required("metric")
    let metricName = try metric.string("metric")
    switch (metricName, column) {
    case ("rowCount", nil):
      return Rule(dataset: dataset, columns: [], kind: try rowCount(check), severity: severity)
    case ("rowCount", let column?):
      throw metric.error("rowCount belongs to the quality of a dataset, found at column \(column.name)")
    case ("nullValues", let column?):
      try requireNone(check, metric: metricName)
      return Rule(dataset: dataset, columns: [column.name], kind: .required, severity: severity)
    case ("invalidValues", let column?):
      try requireNone(check, metric: metricName)
      return Rule(dataset: dataset, columns: [column.name], kind: try invalidValues(check, column: column), severity: severity)
    case ("nullValues", nil), ("invalidValues", nil):
      throw metric.error("\(metricName) belongs to the quality of a column, found at dataset \(dataset)")
    case ("missingValues", _), ("duplicateValues", _):
      throw metric.error("the metric \(metricName) is not supported yet")
    default:
      throw metric.error("unknown metric \(metricName)\(Suggestion.text(for: metricName, among: Self.metrics))")
    }
  }

  private func severity(_ check: YAMLMapping) throws(CheckError) -> Rule.Severity {
    guard let node = check["severity"] else { return .error }
    let text = try node.string("severity")
    if let severity = Rule.Severity(rawValue: text) { return severity }
    guard text != "quarantine" else { throw node.error("severity quarantine is not supported yet; use error or warning") }
    throw node.error("severity must be error or warning, found \(text)\(Suggestion.text(for: text, among: ["error", "warning"]))")
  }

  /// The one operator of a check and its value.
  private func comparison(_ check: YAMLMapping) throws(CheckError) -> (name: String, value: YAMLNode) {
    let found = Self.operators.filter { check[$0] != nil }.sorted()
    guard found.count == 1, let name = found.first, let value = check[name] else {
      let names = found.isEmpty ? "none" : found.joined(separator: ", ")
      throw check.node.error("\(check.node.subject) must have one operator such as mustBe, found \(names)")
    }
    return (name, value)
  }

  /// Row rules hold for every row: the count of violations must be 0.
  private func requireNone(_ check: YAMLMapping, metric: String) throws(CheckError) {
    let (name, value) = try comparison(check)
    guard name == "mustBe", try value.integer(name) == 0 else {
      throw value.error("\(metric) with \(name) \(value.kindText) is not supported yet; expected mustBe: 0")
    }
  }

  private func rowCount(_ check: YAMLMapping) throws(CheckError) -> Rule.Kind {
    let (name, value) = try comparison(check)
    if let unit = try check.string("unit"), unit != "rows" {
      throw check.entries["unit"]!.error("rowCount counts rows, found unit \(unit)")
    }
    func number(_ node: YAMLNode) throws(CheckError) -> Int64 {
      let number = try node.integer("\(name) of rowCount")
      // Leaves room for the step from an exclusive to an inclusive bound.
      guard number >= 0, number < Int.max else { throw node.error("\(name) of rowCount must be a number of rows, found \(number)") }
      return Int64(number)
    }
    switch name {
    case "mustBe": return .rowCount(minimum: try number(value), maximum: try number(value))
    case "mustBeGreaterThan": return .rowCount(minimum: try number(value) + 1, maximum: nil)
    case "mustBeGreaterOrEqualTo": return .rowCount(minimum: try number(value), maximum: nil)
    case "mustBeLessThan": return .rowCount(minimum: nil, maximum: try number(value) - 1)
    case "mustBeLessOrEqualTo": return .rowCount(minimum: nil, maximum: try number(value))
    case "mustBeBetween":
      let ends = try value.list("mustBeBetween of rowCount")
      guard ends.count == 2 else { throw value.error("mustBeBetween of rowCount must be two numbers, found \(ends.count)") }
      // ODCS: both ends exclusive.
      return .rowCount(minimum: try number(ends[0]) + 1, maximum: try number(ends[1]) - 1)
    default: throw value.error("rowCount with \(name) is not supported yet")
    }
  }

  private func invalidValues(_ check: YAMLMapping, column: ContractColumn) throws(CheckError) -> Rule.Kind {
    var arguments = try check.required("arguments")
    arguments.subject = "arguments of invalidValues of column \(column.name)"
    let map = try arguments.mapping(keys: ["validValues", "pattern"])
    switch (map["validValues"], map["pattern"]) {
    case (let values?, nil):
      let nodes = try values.list("validValues of column \(column.name)")
      guard !nodes.isEmpty else { throw values.error("validValues of column \(column.name) names no value") }
      var scalars: [Scalar] = []
      for node in nodes { scalars.append(try Self.value(node, of: column, for: "validValues")) }
      return .validValues(scalars)
    case (nil, let value?): return try pattern(value, column: column)
    default: throw arguments.error("\(arguments.subject) must be validValues or pattern")
    }
  }
}
