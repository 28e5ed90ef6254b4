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

  /// The text under the key `name` of a map.
  var name: String? {
    guard case .map(let members) = content, case .scalar(let text)? = members.first(where: { $0.key == "name" })?.value.content else {
      return nil
    }
    return text
  }

  func error(_ text: String, _ kind: FeatureError.Kind = .definition) -> FeatureError {
    FeatureError(kind, text, file: place.file, line: place.line, column: place.column)
  }
}

// MARK: YAML

extension DefinitionNode {
  /// Bounds what aliases can multiply a file to, in depth and in number of nodes.
  private static let nestingMax = 64
  private static let nodeCountMax = 500_000
  /// Bounds memory; ten thousand features stay below.
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
    var nodeCount = 0
    let node = try DefinitionNode(root, file: file, depth: 1, nodeCount: &nodeCount)
    if case .null = node.content { return nil }
    return node
  }

  /// The YAML parser recurses once per level, so that a few kilobytes of brackets could exhaust the stack.
  ///
  /// Counts generously, since it does not know strings from structure: what it lets through the parser can take.
  private static func refuseDeepNesting(_ yaml: String, _ file: String) throws(FeatureError) {
    let levelMax = 256
    var line = 1
    var flowDepth = 0
    // Of the current line: what opens blocks before its first content, as in "- - - value".
    var openedCount = 0
    var isBeforeContent = true
    var isComment = false
    var previous = UInt8(ascii: "\n")
    for byte in yaml.utf8 {
      if byte == UInt8(ascii: "\n") {
        line += 1
        openedCount = 0
        isBeforeContent = true
        isComment = false
      } else if byte == UInt8(ascii: "#") && (previous == UInt8(ascii: " ") || previous == UInt8(ascii: "\n")) {
        isComment = true
      } else if !isComment {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"): flowDepth += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): flowDepth = max(0, flowDepth - 1)
        // Every level of a block takes a column of indentation at least.
        case UInt8(ascii: " "): openedCount += isBeforeContent ? 1 : 0
        case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): break
        default: isBeforeContent = false
        }
      }
      previous = byte
      if flowDepth > levelMax || openedCount > levelMax {
        throw FeatureError(.definition, "the file nests deeper than \(levelMax) levels", file: file, line: line, column: 1)
      }
    }
  }

  private static func yamlError(_ error: any Error, _ file: String) -> FeatureError {
    switch error {
    case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
      YamlError.composer(_, let problem, let mark, _):
      return FeatureError(.definition, "not valid YAML: \(problem)", file: file, line: mark.line, column: mark.column)
    case YamlError.duplicatedKeysInMapping(let duplicates, let context):
      return FeatureError(
        .definition, "the same key stands twice in one map: \(duplicates.sorted().joined(separator: ", "))", file: file,
        line: context.mark.line, column: context.mark.column)
    default:
      return FeatureError(.definition, "not valid YAML: \(error)", file: file)
    }
  }

  private init(_ node: Node, file: String, depth: Int, nodeCount: inout Int) throws(FeatureError) {
    let place = DefinitionPlace(file: file, line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    self.place = place
    nodeCount += 1
    guard depth <= Self.nestingMax, nodeCount <= Self.nodeCountMax else {
      throw FeatureError(.definition, "the file is too large or too deep", file: file, line: place.line, column: place.column)
    }
    switch node {
    case .scalar(let scalar):
      // Only a plain scalar can be null: "~" in quotes is a text.
      let isNull = scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      content = isNull ? .null : .scalar(try Self.checked(scalar.string, place))
    case .sequence(let sequence):
      var items: [DefinitionNode] = []
      for item in sequence { items.append(try DefinitionNode(item, file: file, depth: depth + 1, nodeCount: &nodeCount)) }
      content = .list(items)
    case .mapping(let mapping):
      var members: [(key: String, keyPlace: DefinitionPlace, value: DefinitionNode)] = []
      for (key, value) in mapping {
        let keyNode = try DefinitionNode(key, file: file, depth: depth + 1, nodeCount: &nodeCount)
        guard case .scalar(let text) = keyNode.content else { throw keyNode.error("expected a name as key, found \(keyNode.found)") }
        members.append((text, keyNode.place, try DefinitionNode(value, file: file, depth: depth + 1, nodeCount: &nodeCount)))
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
