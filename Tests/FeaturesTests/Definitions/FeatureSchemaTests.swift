import Foundation
import JSON
import Testing

@testable import Features

/// `schemas/features.schema.json` says of a file what `apply` says of its form.
@Suite("Definitions: JSON Schema")
struct FeatureSchemaTests {
  private static let checkout = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }

  private let schema: SchemaCheck

  init() throws {
    let bytes = try Data(contentsOf: Self.checkout.appendingPathComponent("schemas/features.schema.json"))
    schema = SchemaCheck(root: try JSON(parsing: Array(bytes)))
  }

  private func fault(_ yaml: String) throws -> String? {
    let node = try DefinitionNode.parse(yaml: yaml, file: "f.yaml")
    return schema.fault(node?.json ?? .null)
  }

  @Test func theExamplesAreOfTheSchema() throws {
    let fraud = try String(contentsOf: Self.checkout.appendingPathComponent("fixtures/features/fraud.yaml"), encoding: .utf8)
    for yaml in [fraud, exampleYAML, everything, "", "entities:\n"] {
      #expect(try fault(yaml) == nil)
      _ = try parsed(yaml)
    }
    // What is stored is of the schema too.
    #expect(schema.fault(try parsed(everything).json) == nil)
  }

  private let everything = """
    version: 1
    entities: [{name: user, keys: [{name: user_id, type: int64}], description: d, owner: o, tags: {a: b, c: 1}}]
    feature_views:
    - name: v
      entity: user
      source: transactions
      keys: {user_id: user_id}
      ttl: 30d
      where: "amount > 0"
      knowledge: created
      features:
      - {name: last, expr: amount, description: d, owner: o, tags: {a: b}}
      - {name: total, agg: sum, of: amount, window: 7d, where: is_online, description: d, owner: o, tags: {a: b}}
      - {name: rows, agg: count, window: all}
      description: d
      owner: o
      tags: {a: b}
    on_demand_features:
    - name: ratio
      request: [{name: amount, type: float64}]
      inputs: ["v:total", "v:rows", {view: v, as: sender, join_keys: {user_id: sender_id}, features: [last]}]
      expr: "request.amount / total"
      description: d
      owner: o
      tags: {a: b}
    - {name: more, inputs: [ratio], expr: ratio + 1}
    feature_services:
    - name: s.v-1
      features: ["v:*", ratio, {view: v, as: sender, join_keys: {user_id: sender_id}}]
      description: d
      owner: o
      tags: {a: b}
    """

  /// Every wrong file is refused by the schema, and by the reader.
  @Test(arguments: [
    ("owner: o\n", "owners: o\n"), ("ttl: 30d", "ttl: 0d"), ("ttl: 30d", "ttl: month"), ("version: 1", "version: 2"),
    ("name: v\n", "name: a__b\n"), ("agg: sum", "agg: total"), ("agg: sum, of: amount,", "agg: sum,"), ("expr: amount,", "exp: amount,"),
    ("keys: [{name: user_id, type: int64}]", "keys: []"), ("name: ratio\n", "name: ra__tio\n"), ("name: s.v-1", "name: 1s"),
    ("expr: \"request.amount / total\"", "window: 7d"), ("type: float64}", "type: float64, unit: eur}"), ("view: v, as", "vie: v, as"),
    ("window: all", "window: 0s"), ("name: rows", "name: '#'"), ("inputs: [ratio]", "inputs: ratio"),
    ("knowledge: created", "knowledge: whole"), ("on_demand_features", "on_demand"),
  ]) func wrongFilesAreRefused(right: String, wrong: String) throws {
    let yaml = everything.replacing(right, with: wrong)
    #expect(yaml != everything)
    #expect(try fault(yaml) != nil, "\(wrong)")
    #expect(refusal(yaml) != "no error", "\(wrong)")
  }
}

extension DefinitionNode {
  /// Plain scalars by their text: what YAML readers take for integers are integers.
  fileprivate var json: JSON {
    switch content {
    case .null: .null
    case .scalar(let text): Int64(text).map { .int($0) } ?? .string(text)
    case .list(let items): .array(items.map(\.json))
    case .map(let members): .object(Dictionary(members.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
    }
  }
}

/// The part of JSON Schema 2020-12 that our schemas use; an unknown keyword traps, so that none is passed over.
private struct SchemaCheck {
  let root: JSON

  /// Why the value is not of the schema; nil when it is.
  func fault(_ value: JSON) -> String? { fault(value, root, "") }

  private func fault(_ value: JSON, _ schema: JSON, _ path: String) -> String? {
    guard case .object(let keywords) = schema else { return schema.boolValue == false ? "\(path): nothing fits" : nil }
    for (keyword, argument) in keywords.sorted(by: { $0.key < $1.key }) {
      if let fault = fault(value, keyword, argument, keywords, path) { return fault }
    }
    return nil
  }

  private func fault(_ value: JSON, _ keyword: String, _ argument: JSON, _ schema: [String: JSON], _ path: String) -> String? {
    let list = argument.arrayValue ?? []
    func holds(_ schema: JSON) -> Bool { fault(value, schema, path) == nil }
    func wrong(_ isWrong: Bool) -> String? { isWrong ? "\(path): \(keyword) \(argument.text()), found \(value.text())" : nil }
    switch keyword {
    case "$schema", "title", "description", "examples", "$defs", "then", "else": return nil
    case "$ref":
      let name = argument.stringValue!.split(separator: "/").last!
      return fault(value, root["$defs"]![String(name)]!, path)
    case "type":
      let names = argument.stringValue.map { [$0] } ?? list.compactMap(\.stringValue)
      return wrong(!names.contains { Self.isOfType(value, $0) })
    case "const": return wrong(value != argument)
    case "enum": return wrong(!list.contains(value))
    case "pattern": return wrong(value.stringValue.map { (try? Regex(argument.stringValue!).firstMatch(in: $0)) == nil } ?? false)
    case "minLength": return wrong(value.stringValue.map { $0.unicodeScalars.count < Int(argument.intValue!) } ?? false)
    case "maxLength": return wrong(value.stringValue.map { $0.unicodeScalars.count > Int(argument.intValue!) } ?? false)
    case "minItems": return wrong(value.arrayValue.map { $0.count < Int(argument.intValue!) } ?? false)
    case "minimum", "maximum":
      guard let number = value.doubleValue, let limit = argument.doubleValue else { return nil }
      return wrong(keyword == "minimum" ? number < limit : number > limit)
    case "required": return wrong(value.objectValue.map { members in list.contains { members[$0.stringValue!] == nil } } ?? false)
    case "properties":
      for (name, schema) in argument.objectValue! {
        if let member = value.objectValue?[name], let fault = fault(member, schema, "\(path)/\(name)") { return fault }
      }
      return nil
    case "additionalProperties":
      let known = Set((schema["properties"]?.objectValue ?? [:]).keys)
      for (name, member) in value.objectValue ?? [:] where !known.contains(name) {
        if let fault = fault(member, argument, "\(path)/\(name)") { return fault }
      }
      return nil
    case "items":
      for (index, item) in (value.arrayValue ?? []).enumerated() {
        if let fault = fault(item, argument, "\(path)/\(index)") { return fault }
      }
      return nil
    case "allOf": return wrong(!list.allSatisfy(holds))
    case "anyOf": return wrong(!list.contains(where: holds))
    case "oneOf": return wrong(list.count(where: holds) != 1)
    case "not": return wrong(holds(argument))
    case "if": return schema[holds(argument) ? "then" : "else"].flatMap { fault(value, $0, path) }
    default: preconditionFailure("The keyword \(keyword) is not known")
    }
  }

  private static func isOfType(_ value: JSON, _ name: String) -> Bool {
    switch (value, name) {
    case (.null, "null"), (.bool, "boolean"), (.int, "integer"), (.int, "number"), (.uint, "integer"), (.uint, "number"),
      (.double, "number"),
      (.string, "string"), (.array, "array"), (.object, "object"):
      true
    default: false
    }
  }
}
