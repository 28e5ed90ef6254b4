import Columns

/// A map of a features file, read key by key; `finish` refuses what nobody asked for.
struct DefinitionMap {
  let node: DefinitionNode
  /// What messages call it, such as `feature view user_spend`.
  var object: String
  private let members: [String: (place: DefinitionPlace, value: DefinitionNode)]
  private let order: [String]
  private var known: [String] = []

  init(_ node: DefinitionNode, _ object: String) throws(FeatureError) {
    guard case .map(let list) = node.content else { throw node.error("\(object): expected a map, found \(node.found)") }
    self.node = node
    self.object = object
    members = Dictionary(list.map { ($0.key, (place: $0.keyPlace, value: $0.value)) }, uniquingKeysWith: { first, _ in first })
    order = list.map(\.key)
  }

  /// Nil when the key is absent.
  mutating func value(_ key: String) -> DefinitionNode? {
    known.append(key)
    return members[key]?.value
  }

  /// Nil when the key is absent. - Throws: when it has no text.
  mutating func text(_ key: String) throws(FeatureError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .scalar(let text) = value.content, !text.isEmpty else {
      throw value.error("\(object): \(key) needs a text, found \(value.found)")
    }
    return text
  }

  mutating func requiredText(_ key: String) throws(FeatureError) -> String {
    guard let text = try text(key) else { throw node.error("\(object): \(key) is missing") }
    return text
  }

  /// A name that can stand in column names, paths and requests.
  mutating func name(allowing extra: String = "") throws(FeatureError) -> String {
    let name = try requiredText("name")
    try Self.check(name, object, members["name"]?.value ?? node, allowing: extra)
    return name
  }

  static func check(_ name: String, _ object: String, _ node: DefinitionNode, allowing extra: String = "") throws(FeatureError) {
    let isName =
      name.unicodeScalars.enumerated().allSatisfy { index, scalar in
        let isLetter = scalar == "_" || (scalar.isASCII && scalar.properties.isAlphabetic)
        return isLetter || (index > 0 && (("0"..."9").contains(scalar) || extra.unicodeScalars.contains(scalar)))
      }
    guard isName, name.utf8.count <= 128 else {
      throw node.error(
        "\(object): expected a name of letters, digits and _\(extra.isEmpty ? "" : " (also \(extra))") that starts with a letter, "
          + "found '\(name.prefix(60))'")
    }
  }

  /// The items of a list; empty when the key is absent or has no value.
  mutating func list(_ key: String) throws(FeatureError) -> [DefinitionNode] {
    guard let value = value(key) else { return [] }
    switch value.content {
    case .list(let items): return items
    case .null: return []
    default: throw value.error("\(object): \(key) needs a list, found \(value.found)")
    }
  }

  /// A map of texts; empty when the key is absent.
  mutating func texts(_ key: String) throws(FeatureError) -> [DefinitionText] {
    guard let value = value(key) else { return [] }
    guard case .map(let list) = value.content else { throw value.error("\(object): \(key) needs a map, found \(value.found)") }
    var result: [DefinitionText] = []
    for member in list {
      guard case .scalar(let text) = member.value.content else {
        throw member.value.error("\(object): \(key).\(member.key) needs a text, found \(member.value.found)")
      }
      result.append(DefinitionText(key: member.key, place: member.keyPlace, text: text, textPlace: member.value.place))
    }
    return result
  }

  /// A key's value, for messages about it; the map itself when the key is absent.
  func member(_ key: String) -> DefinitionNode { members[key]?.value ?? node }

  /// The place of a key's value, for messages that come after parsing.
  func place(_ key: String) -> DefinitionPlace? { members[key]?.value.place }

  /// - Throws: for the first key that no one has read.
  func finish() throws(FeatureError) {
    for key in order where !known.contains(key) {
      let place = members[key]?.place ?? node.place
      throw FeatureError(
        .definition, "\(object): there is no key \(key)\(Suggestion.text(for: key, among: known))", file: place.file, line: place.line,
        column: place.column)
    }
  }
}

/// A member of a map of texts.
struct DefinitionText {
  let key: String
  let place: DefinitionPlace
  let text: String
  let textPlace: DefinitionPlace
}
