import Yams

/// A node of a parsed YAML file that knows its file and what it describes, for errors with file, line and column.
struct YAMLNode {
  let node: Node
  let file: String
  /// What the node describes, for example `column amount`.
  var subject: String

  /// The document's root; nil when the text holds none (nothing but comments).
  static func root(of yaml: String, file: String, subject: String) throws(CheckError) -> YAMLNode? {
    guard aliasCount(in: yaml) <= aliasCountMax else {
      throw CheckError(file: file, "cannot read YAML: more than \(aliasCountMax) aliases (*name)")
    }
    do {
      guard let node = try Yams.compose(yaml: yaml) else { return nil }
      return YAMLNode(node: node, file: file, subject: subject)
    } catch let error as YamlError {
      throw CheckError(error, file: file)
    } catch {
      throw CheckError(file: file, "cannot read YAML: \(error)")
    }
  }

  /// Aliases of aliases name exponentially many nodes, which the parser visits where they stand in a mapping's key: 16
  /// aliases name at most some 3^5 copies.
  static let aliasCountMax = 16

  /// How often something that may be an alias stands in the text; 0 without an anchor.
  private static func aliasCount(in yaml: String) -> Int {
    var anchorCount = 0
    var aliasCount = 0
    var previous = UInt8(ascii: "\n")
    var isIndicator = false
    let separators = Array(" \t\r\n[]{},:?-".utf8)
    for byte in yaml.utf8 {
      // An indicator stands behind a space, a line's end or a bracket, and its name directly behind it.
      if (previous == UInt8(ascii: "*") || previous == UInt8(ascii: "&")) && isIndicator && byte > 0x20 {
        if previous == UInt8(ascii: "*") { aliasCount += 1 } else { anchorCount += 1 }
      }
      isIndicator = separators.contains(previous)
      previous = byte
    }
    return anchorCount == 0 ? 0 : aliasCount
  }

  /// From 1, the column in Unicode scalars.
  var line: Int? { node.mark?.line }
  var column: Int? { node.mark?.column }

  func error(_ text: String) -> CheckError { CheckError(file: file, line: line, column: column, text) }

  func child(_ node: Node, _ subject: String? = nil) -> YAMLNode { YAMLNode(node: node, file: file, subject: subject ?? self.subject) }

  /// What stands under `name` in a mapping, before anything is checked; nil without it.
  var name: String? { node.mapping?.first { $0.key.scalar?.string == "name" }?.value.scalar?.string }

  /// True for an empty or `null` value, which counts as an absent one.
  var isNull: Bool { node.scalar != nil && node.tag.description == Tag.Name.null.rawValue }

  func string(_ what: String) throws(CheckError) -> String {
    guard let scalar = node.scalar, !isNull else { throw error("\(what) must be text, found \(kindText)") }
    return scalar.string
  }

  func integer(_ what: String) throws(CheckError) -> Int {
    guard let scalar = node.scalar, let value = Int(scalar.string) else {
      throw error("\(what) must be an integer, found \(kindText)")
    }
    return value
  }

  func bool(_ what: String) throws(CheckError) -> Bool {
    switch node.scalar?.string {
    case "true": return true
    case "false": return false
    default: throw error("\(what) must be true or false, found \(kindText)")
    }
  }

  func list(_ what: String) throws(CheckError) -> [YAMLNode] {
    guard let sequence = node.sequence else { throw error("\(what) must be a list, found \(kindText)") }
    return sequence.map { child($0) }
  }

  /// One of the raw values of an enumeration.
  func choice<Choice: RawRepresentable & CaseIterable>(_ what: String, of _: Choice.Type) throws(CheckError) -> Choice
  where Choice.RawValue == String {
    let text = try string(what)
    if let choice = Choice(rawValue: text) { return choice }
    let known = Choice.allCases.map(\.rawValue)
    throw error("\(what) must be \(known.joined(separator: ", ")), found \(text)\(Suggestion.text(for: text, among: known))")
  }

  /// The node in an error message: a scalar's text, or its kind.
  var kindText: String {
    switch node {
    case .scalar(let scalar): isNull ? "nothing" : scalar.string
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  /// The entries of a mapping, each key checked against what may stand there.
  ///
  /// - Parameters:
  ///   - keys: what is understood or is harmless description.
  ///   - unsupported: keys of the standard that would change what is checked, refused until they are.
  func mapping(keys: Set<String>, unsupported: Set<String> = []) throws(CheckError) -> YAMLMapping {
    guard let mapping = node.mapping else { throw error("\(subject) must be a mapping, found \(kindText)") }
    var entries: [String: YAMLNode] = [:]
    for (key, value) in mapping {
      let name = key.scalar?.string ?? ""
      let place = child(key)
      if unsupported.contains(name) { throw place.error("\(name) in \(subject) is not supported yet") }
      guard keys.contains(name) else {
        throw place.error("unknown key \(place.kindText) in \(subject)\(Suggestion.text(for: name, among: keys.sorted()))")
      }
      entries[name] = child(value)
    }
    return YAMLMapping(node: self, entries: entries)
  }
}

/// A mapping whose keys have been checked.
struct YAMLMapping {
  let node: YAMLNode
  let entries: [String: YAMLNode]

  /// The value under a key; nil when it is absent or null.
  subscript(key: String) -> YAMLNode? { entries[key].flatMap { $0.isNull ? nil : $0 } }

  func required(_ key: String) throws(CheckError) -> YAMLNode {
    guard let value = self[key] else { throw node.error("\(node.subject) has no \(key)") }
    return value
  }

  func string(_ key: String) throws(CheckError) -> String? {
    guard let value = self[key] else { return nil }
    return try value.string("\(key) of \(node.subject)")
  }

  func bool(_ key: String) throws(CheckError) -> Bool? {
    guard let value = self[key] else { return nil }
    return try value.bool("\(key) of \(node.subject)")
  }

  func integer(_ key: String) throws(CheckError) -> Int? {
    guard let value = self[key] else { return nil }
    return try value.integer("\(key) of \(node.subject)")
  }

  func list(_ key: String) throws(CheckError) -> [YAMLNode] {
    guard let value = self[key] else { return [] }
    return try value.list("\(key) of \(node.subject)")
  }
}

extension CheckError {
  init(_ error: YamlError, file: String) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let text = [context?.text, problem].compactMap { $0 }.joined(separator: ", ")
      self.init(file: file, line: mark.line, column: mark.column, "cannot read YAML: \(text)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      self.init(
        file: file, line: context.mark.line, column: context.mark.column,
        "the key \(duplicates.joined(separator: ", ")) stands more than once in one mapping")
    case .reader(let problem, _, _, _):
      self.init(file: file, "cannot read YAML: \(problem)")
    default:
      self.init(file: file, "cannot read YAML: \(error)")
    }
  }
}
