import Almanac
import Columns
import Tables

/// A contract for the dataset `t` that tests change step by step: the key is `k` and `at`, unless they say otherwise.
struct EvolvingContract {
  struct Column {
    var name: String
    var type: String
    var isRequired = false
    var previousName: String?
  }

  var keys = [Column(name: "k", type: "int32"), Column(name: "at", type: "'timestamp[us,UTC]'")]
  var columns: [Column] = []
  var settings = "eventTime: at, partition: month"

  init(_ columns: [(String, String)] = []) { self.columns = columns.map { Column(name: $0.0, type: $0.1) } }

  var yaml: String {
    func line(_ column: Column, key: Int?) -> String {
      var text = "  - {name: \(column.name), physicalType: \(column.type)"
      if column.isRequired { text += ", required: true" }
      if let key { text += ", primaryKey: true, primaryKeyPosition: \(key)" }
      if let old = column.previousName { text += ", customProperties: [{property: almanac, value: {previousName: \(old)}}]" }
      return text + "}"
    }
    let lines = keys.enumerated().map { line($0.element, key: $0.offset + 1) } + columns.map { line($0, key: nil) }
    return """
      apiVersion: v3.1.0
      kind: DataContract
      schema:
      - name: t
        properties:
      \(lines.joined(separator: "\n"))
      customProperties:
      - {property: almanac, value: {\(settings)}}

      """
  }

  mutating func rename(_ old: String, to new: String) {
    guard let index = columns.firstIndex(where: { $0.name == old }) else { return }
    columns[index].name = new
    columns[index].previousName = old
  }

  mutating func setType(of name: String, to type: String) {
    guard let index = columns.firstIndex(where: { $0.name == name }) else { return }
    columns[index].type = type
  }

  mutating func drop(_ name: String) { columns.removeAll { $0.name == name } }
}

extension Workshop {
  @discardableResult func apply(_ contract: EvolvingContract) throws -> ApplyReport {
    try declare("schemas/t.yaml", contract.yaml)
    return try apply()
  }

  func layout(_ dataset: String = "t", at spec: String = "main") throws -> TableLayout {
    try repository.table(dataset, at: repository.resolve(spec)).layout
  }

  func root(_ dataset: String = "t", at spec: String = "main") throws -> String {
    try repository.table(dataset, at: repository.resolve(spec)).rootID.description
  }

  /// The values of one column in stored order.
  func values(_ column: String, at spec: String = "main") throws -> [Scalar] {
    try repository.table("t", at: repository.resolve(spec)).read(columns: [column]).columns[0].scalars
  }

  func upsert(_ csv: String) throws { try commit("t", write("rows.csv", csv), .upsert) }
}

extension VersionDiff {
  /// Added, changed, removed.
  var counts: [Int] { [addedCount, changedCount, removedCount] }
}
