import Columns

/// How rows are divided by event time before they are sorted.
package enum Partitioning: String, Hashable, Sendable, CaseIterable {
  case none, day, month
}

/// A column as a contract declares it.
package struct ContractColumn: Hashable, Sendable {
  package var name: String
  package var type: DataType
  /// True for columns that may hold no null; always true for the primary key and the event time.
  package var isRequired: Bool
  /// From 1; nil outside the primary key.
  package var primaryKeyPosition: Int?
  /// The name under which committed rows know this column.
  package var previousName: String?
  package var description: String?

  package init(
    name: String, type: DataType, isRequired: Bool = false, primaryKeyPosition: Int? = nil, previousName: String? = nil,
    description: String? = nil
  ) {
    self.name = name
    self.type = type
    self.isRequired = isRequired
    self.primaryKeyPosition = primaryKeyPosition
    self.previousName = previousName
    self.description = description
  }
}

/// What one dataset promises: columns, key, times, layout and rules.
///
/// Read from ODCS 3.1.0 YAML with `parse`, stored in commits as `canonicalJSON`.
package struct Contract: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable { case table, log }
  /// What a commit may change about the columns.
  package enum Evolution: String, Hashable, Sendable, CaseIterable { case backward, none }

  /// The dataset.
  package var name: String
  package var version: String
  package var description: String?
  /// In the order in which the dataset shows them.
  package var columns: [ContractColumn]
  /// Column names in clustering order; empty only for `kind: log`.
  package var primaryKey: [String]
  package var eventTime: String?
  package var createdTime: String?
  package var partition: Partitioning
  package var kind: Kind
  package var evolution: Evolution
  /// The columns by which the rows of a log are kept in order; empty for `kind: table`.
  package var sort: [String]
  /// The row count that a leaf aims at, a power of two; nil leaves it to the layout.
  package var leafRows: Int?
  /// The declared rules; `impliedRules` follow from columns and key.
  package var rules: [Rule]

  package init(
    name: String, version: String = "1.0.0", description: String? = nil, columns: [ContractColumn], primaryKey: [String],
    eventTime: String? = nil, createdTime: String? = nil, partition: Partitioning = .none, kind: Kind = .table,
    evolution: Evolution = .backward, sort: [String] = [], leafRows: Int? = nil, rules: [Rule] = []
  ) {
    self.name = name
    self.version = version
    self.description = description
    self.columns = columns
    self.primaryKey = primaryKey
    self.eventTime = eventTime
    self.createdTime = createdTime
    self.partition = partition
    self.kind = kind
    self.evolution = evolution
    self.sort = sort
    self.leafRows = leafRows
    self.rules = rules
  }

  /// The rules that need no line of their own: required columns, and the uniqueness of the primary key.
  package var impliedRules: [Rule] {
    var rules = columns.filter(\.isRequired).map { Rule(dataset: name, columns: [$0.name], kind: .required) }
    if !primaryKey.isEmpty { rules.append(Rule(dataset: name, columns: primaryKey, kind: .primaryKeyUnique)) }
    return rules
  }

  package subscript(column name: String) -> ContractColumn? { columns.first { $0.name == name } }

  /// Powers of two between these are leaf sizes; the upper end is what one reader can hold, the lower one serves tests.
  static let leafRowsRange = 16...(1 << 20)
}
