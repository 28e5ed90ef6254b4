import JSON
import Yams

/// One value of a features file, whether it came from YAML or from the JSON of a commit.
struct DefinitionNode {
  indirect enum Content {
    /// Every scalar by its text: `7d`, `30` and `"30"` are one thing to a features file.
    case scalar(String)
    /// An absent value, `~` or `null`.
    case null
    case list([DefinitionNode])
    case map([(key: String, keyPlace: DefinitionPlace, value: DefinitionNode)])
  }

  let content: Content
  let place: DefinitionPlace

  /// What messages say was found.
  var found: String {
    switch content {
    case .scalar(let text): "'\(text.prefix(60))'"
    case .null: "nothing"
    case .list: "a list"
    case .map: "a map"
    }
  }

  func error(_ text: String, _ kind: FeatureError.Kind = .definition) -> FeatureError {
    FeatureError(kind, text, file: place.file, line: place.line, column: place.column)
  }
}

// MARK: YAML

extension DefinitionNode {
  /// Bounds the recursion of the YAML parser; a features file nests five levels deep.
  private static let nestingMax = 64
  /// Bounds memory; ten thousand feature views stay below.
  private static let byteCountMax = 8 << 20

  /// - Returns: nil for a file without content, such as one of comments only.
  static func parse(yaml: String, file: String) throws(FeatureError) -> DefinitionNode? {
    guard yaml.utf8.count <= byteCountMax else {
      throw FeatureError(.definition, "the file has \(yaml.utf8.count) bytes, at most \(byteCountMax) are read", file: file)
    }
    try refuseDeepNesting(yaml, file)
    let root: Node?
    do {
      root = try Yams.compose(yaml: yaml)
    } catch {
      throw yamlError(error, file)
    }
    guard let root else { return nil }
    let node = try DefinitionNode(root, file: file)
    if case .null = node.content { return nil }
    return node
  }

  /// The parser recurses once per level, so that a few kilobytes of brackets could exhaust the stack.
  private static func refuseDeepNesting(_ yaml: String, _ file: String) throws(FeatureError) {
    var line = 1
    var lineStartsContent = true
    var flowDepth = 0
    // Indicators that open a block on one line: "- - - - value".
    var dashCount = 0
    var indentation = 0
    for byte in yaml.utf8 {
      switch byte {
      case UInt8(ascii: "\n"):
        line += 1
        lineStartsContent = true
        dashCount = 0
        indentation = 0
      case UInt8(ascii: "["), UInt8(ascii: "{"): flowDepth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): flowDepth = max(0, flowDepth - 1)
      case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): if lineStartsContent { dashCount += 1 }
      case UInt8(ascii: " "): if lineStartsContent { indentation += 1 }
      default: lineStartsContent = false
      }
      // A block level takes at least one column of indentation.
      if flowDepth > nestingMax || dashCount > nestingMax || indentation > 4 * nestingMax {
        throw FeatureError(.definition, "the file nests deeper than \(nestingMax) levels", file: file, line: line, column: 1)
      }
    }
  }

  private static func yamlError(_ error: any Error, _ file: String) -> FeatureError {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return FeatureError(.definition, "not valid YAML: \(problem)", file: file, line: mark.line, column: mark.column)
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      // Yams writes the names as nodes; the key's own text is what a reader looks for.
      let names = duplicates.compactMap { $0 as? String } 
      return FeatureError(
        .definition, "the same key stands twice in one map\(names.isEmpty ? "" : ": \(names.joined(separator: ", "))")", file: file,
        line: context.mark.line, column: context.mark.column)
    default:
      return FeatureError(.definition, "not valid YAML: \(error)", file: file)
    }
  }

  private init(_ node: Node, file: String) throws(FeatureError) {
    let place = DefinitionPlace(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    self.place = place
    switch node {
    case .scalar(let scalar):
      // Only a plain scalar can be null: "~" in quotes is a text.
      let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      content = isNull ? .null : .scalar(try Self.checked(scalar.string, place))
    case .sequence(let sequence):
      var items: [DefinitionNode] = []
      for item in sequence { items.append(try DefinitionNode(item, file: file)) }
      content = .list(items)
    case .mapping(let mapping):
      var members: [(key: String, keyPlace: DefinitionPlace, value: DefinitionNode)] = []
      for (key, value) in mapping {
        let keyNode = try DefinitionNode(key, file: file)
        guard case .scalar(let text) = keyNode.content else { throw keyNode.error("expected a name as key, found \(keyNode.found)") }
        members.append((text, keyNode.place, try DefinitionNode(value, file: file)))
      }
      content = .map(members)
    case .alias:
      throw FeatureError(.definition, "YAML aliases are not supported", file: file, line: place.line, column: place.column)
    }
  }

  private static func checked(_ text: String, _ place: DefinitionPlace) throws(FeatureError) -> String {
    for scalar in text.unicodeScalars where scalar.value < 0x20 && scalar != "\n" && scalar != "\t" {
      throw FeatureError(
        .definition, "the text holds the control character U+\(String(scalar.value, radix: 16, uppercase: true))", file: place.file,
        line: place.line, column: place.column)
    }
    return text
  }
}

// MARK: JSON

extension DefinitionNode {
  init(_ json: JSON, name: String) throws(FeatureError) {
    place = DefinitionPlace(file: name, line: 1, column: 1)
    switch json {
    case .null: content = .null
    case .string(let text): content = .scalar(text)
    case .bool(let value): content = .scalar(value ? "true" : "false")
    case .int(let value): content = .scalar("\(value)")
    case .uint(let value): content = .scalar("\(value)")
    case .double(let value): content = .scalar("\(value)")
    case .array(let values):
      var items: [DefinitionNode] = []
      for value in values { items.append(try DefinitionNode(value, name: name)) }
      content = .list(items)
    case .object(let members):
      var list: [(key: String, keyPlace: DefinitionPlace, value: DefinitionNode)] = []
      for key in members.keys.sorted() {
        guard let value = members[key] else { continue }
        list.append((key, place, try DefinitionNode(value, name: name)))
      }
      content = .map(list)
    }
  }
}
