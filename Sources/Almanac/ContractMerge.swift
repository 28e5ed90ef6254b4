import Checks
import Columns
import JSON
import Tables

/// Three-way merge of the contracts of one dataset: columns by field id, rules one by one, settings one by one.
///
/// What both sides changed to different things is a conflict, decided for the first side.
struct ContractMerge {
  struct Side {
    let contract: Contract
    /// The dataset's layout under this contract: it knows the id of every column.
    let layout: TableLayout
  }

  private(set) var conflicts: [DefinitionConflict] = []
  /// The parts that the conflicts are about, columns by field id: names may change until the next merge.
  private(set) var disputes: Set<String> = []
  private let base: Side?
  private let first: Side
  private let second: Side
  private let merged: TableLayout
  /// Those that columns of the result have.
  private var previousNames: Set<String> = []
  private let disputed: Set<String>

  /// - Parameters:
  ///   - merged: what the three layouts come to.
  ///   - disputed: parts in which the base has no value of its own: both sides have changed them if they differ.
  init(base: Side?, first: Side, second: Side, merged: TableLayout, disputed: Set<String> = []) {
    self.disputed = disputed
    self.base = base
    self.first = first
    self.second = second
    self.merged = merged
  }

  /// - Throws: `CheckError` when what comes out is no contract.
  mutating func contract() throws -> Contract {
    let (old, mine, theirs) = (base?.contract.canonicalJSON, first.contract.canonicalJSON, second.contract.canonicalJSON)
    var members: [String: JSON] = [:]
    let names = Set((mine.objectValue ?? [:]).keys).union((theirs.objectValue ?? [:]).keys)
    // Names that follow from the columns are in the merged layout; versions say nothing by themselves.
    let own: Set = ["columns", "rules", "primaryKey", "sort", "eventTime", "createdTime", "version"]
    for name in names.subtracting(own).sorted() {
      members[name] = pick(old?[name], mine[name], theirs[name], "setting \(name)")
    }
    members["version"] = .string(Self.later(first.contract.version, second.contract.version))
    // The hidden key of a log is in no contract; what stands before it are its sort columns.
    let key = merged.primaryKey.filter { !merged.hiddenColumns.contains($0) }.map { JSON.string($0) }
    members["primaryKey"] = .array(merged.isLog ? [] : key)
    if merged.isLog && !key.isEmpty { members["sort"] = .array(key) }
    members["eventTime"] = merged.eventTime.map { .string($0) }
    members["createdTime"] = merged.createdTime.map { .string($0) }
    let columns = merged.schema.fields.filter { !merged.isLog || !LogKey.names.contains($0.name) }.map { column($0) }
    members["columns"] = .array(columns)
    members["rules"] = .array(rules(old, mine, theirs))
    return try Contract(canonicalJSON: .object(members))
  }

  /// - Parameter part: tells the part from all others, as `what` does for people.
  private mutating func pick(_ old: JSON?, _ mine: JSON?, _ theirs: JSON?, _ what: String, part: String? = nil) -> JSON? {
    if mine == theirs { return mine }
    let part = part ?? what
    if !disputed.contains(part) {
      if theirs == old { return mine }
      if mine == old { return theirs }
    }
    note(part, what, disputed.contains(part) ? nil : old, mine, theirs)
    return mine
  }

  private mutating func note(_ part: String, _ what: String, _ old: JSON?, _ mine: JSON?, _ theirs: JSON?) {
    disputes.insert(part)
    conflicts.append(
      DefinitionConflict(
        object: "dataset \(first.contract.name)", what: what, base: old?.text(), first: mine?.text(), second: theirs?.text()))
  }

  /// The greater of two versions by their numbers, so that it does not matter which side is first.
  private static func later(_ a: String, _ b: String) -> String {
    func parts(_ text: String) -> [Int] { text.split(separator: ".").map { Int($0) ?? 0 } }
    let (x, y) = (parts(a), parts(b))
    if x == y { return max(a, b) }
    return x.lexicographicallyPrecedes(y) ? b : a
  }

  private mutating func column(_ field: Field) -> JSON {
    func member(_ side: Side?) -> JSON? {
      guard let side, let name = side.layout.schema.fields.first(where: { $0.id == field.id })?.name else { return nil }
      return side.contract.canonicalJSON["columns"]?.arrayValue?.first { $0["name"]?.stringValue == name }
    }
    let (old, mine, theirs) = (member(base), member(first), member(second))
    // A column of one side alone is as that side has it.
    guard let mine, let theirs else { return mine ?? theirs ?? .null }
    var result: [String: JSON] = ["name": .string(field.name), "type": .string(field.type.description)]
    for name in ["required", "primaryKeyPosition", "description"] {
      let part = "\(name) of field \(field.id ?? 0)"
      result[name] = pick(old?[name], mine[name], theirs[name], "\(name) of column \(field.name)", part: part)
    }
    // Followed already, a previous name says nothing any more: it is no conflict, and goes where it would name another column.
    let previous = mine["previousName"] == old?["previousName"] ? theirs["previousName"] : mine["previousName"]
    if let name = previous?.stringValue, merged.schema[name] == nil, previousNames.insert(name).inserted {
      result["previousName"] = previous
    }
    return .object(result)
  }

  // MARK: Rules

  private struct NamedRule {
    /// The same for a rule and for what it was changed to: its type, its columns, and which of several such it is.
    let name: String
    /// The same with the ids of its columns.
    let part: String
    let json: JSON
    let isWhole: Bool
  }

  private func named(_ json: JSON?, _ side: Side?) -> [NamedRule] {
    guard let side else { return [] }
    var counts: [String: Int] = [:]
    return (json?["rules"]?.arrayValue ?? []).map { rule in
      var isWhole = true
      var ids: [Int32] = []
      let columns = (rule["columns"]?.arrayValue ?? []).map { column -> JSON in
        let id = column.stringValue.flatMap { side.layout.schema[$0]?.id }
        ids.append(id ?? 0)
        guard let field = merged.schema.fields.first(where: { $0.id == id }) else {
          isWhole = false
          return column
        }
        return .string(field.name)
      }
      var members = rule.objectValue ?? [:]
      members["columns"] = .array(columns)
      let name = "\(rule["type"]?.stringValue ?? "") \(JSON.array(columns).text())"
      counts[name, default: 0] += 1
      return NamedRule(
        name: "\(name) \(counts[name] ?? 0)", part: "rule \(rule["type"]?.stringValue ?? "") \(ids) \(counts[name] ?? 0)",
        json: .object(members), isWhole: isWhole)
    }
  }

  private mutating func rules(_ old: JSON?, _ mine: JSON, _ theirs: JSON) -> [JSON] {
    let (before, own, other) = (named(old, base), named(mine, first), named(theirs, second))
    func find(_ list: [NamedRule], _ name: String) -> NamedRule? { list.first { $0.name == name } }
    let known = Set(before.map(\.name))
    // The order of the side that changed it; of both, what was there, then what is new by name.
    var order: [String]
    if own.map(\.name) == before.map(\.name) {
      order = other.map(\.name)
    } else if other.map(\.name) == before.map(\.name) {
      order = own.map(\.name)
    } else {
      order = before.map(\.name) + Set(own.map(\.name) + other.map(\.name)).subtracting(known).sorted()
    }
    order += Set(own.map(\.name) + other.map(\.name)).subtracting(order).sorted()
    var result: [JSON] = []
    for name in order {
      let (x, a, b) = (find(before, name), find(own, name), find(other, name))
      let part = (a ?? b ?? x)?.part ?? name
      guard let rule = pick(x?.json, a?.json, b?.json, "rule \(name)", part: part) else { continue }
      let isWhole = a?.isWhole ?? b?.isWhole ?? true
      if isWhole {
        result.append(rule)
      } else if a?.json != x?.json || b?.json != x?.json, a != nil && b != nil || x == nil {
        // A rule on a column that the other side has dropped.
        note(part, "rule \(name), whose column was dropped", x?.json, a?.json, b?.json)
      }
    }
    // As a file has them: by column, then those about the dataset.
    let places = Dictionary(merged.schema.fields.enumerated().map { ($1.name, $0) }) { first, _ in first }
    func place(_ rule: JSON) -> Int { rule["columns"]?.arrayValue?.first?.stringValue.flatMap { places[$0] } ?? .max }
    return result.enumerated().sorted { (place($0.element), $0.offset) < (place($1.element), $1.offset) }.map(\.element)
  }
}
