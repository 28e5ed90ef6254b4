import Columns
import Tables

/// What the common ancestors of two versions of a dataset disagree about. Where the versions differ in it they conflict, whichever
/// of the ancestors each has followed.
struct DatasetDisputes {
  /// The whole dataset: its ancestors cannot be put together, column by column and row by row.
  var isWhole = false
  /// The contract as a whole.
  var isContractDisputed = false
  var columns: Set<ColumnProperty> = []
  /// Parts of the contract, see `ContractMerge.disputed`.
  var contract: Set<String> = []
  var cells = DisputedCells()

  var isEmpty: Bool { !isWhole && !isContractDisputed && columns.isEmpty && contract.isEmpty && cells.isEmpty }

  func union(_ other: DatasetDisputes) -> DatasetDisputes {
    var sum = self
    sum.isWhole = isWhole || other.isWhole
    sum.isContractDisputed = isContractDisputed || other.isContractDisputed
    sum.columns.formUnion(other.columns)
    sum.contract.formUnion(other.contract)
    sum.cells.formUnion(other.cells)
    return sum
  }
}

/// One property of a dataset's columns, by field id.
enum ColumnProperty: Hashable {
  case name(Int32)
  case type(Int32)
  /// Whether the column is there.
  case presence(Int32)
  case createdTime

  private func field(_ layout: TableLayout) -> (Int32) -> Field? { { id in layout.schema.fields.first { $0.id == id } } }

  /// Its value for a message and for comparison; nil where a layout has none.
  func text(_ layout: TableLayout) -> String? {
    let field = field(layout)
    switch self {
    case .name(let id): return field(id)?.name
    case .type(let id): return field(id).map { "\($0.type)" }
    case .presence(let id): return field(id).map { "\($0.name) \($0.type)" }
    case .createdTime: return layout.createdTime
    }
  }

  /// Whether two layouts differ in it, as they do where one of them does not have the column.
  func differs(_ a: TableLayout, _ b: TableLayout) -> Bool {
    switch self {
    case .presence(let id): (field(a)(id) == nil) != (field(b)(id) == nil)
    case .name, .type: text(a) != text(b)
    case .createdTime:
      a.createdTime.flatMap { a.schema[$0]?.id } != b.createdTime.flatMap { b.schema[$0]?.id }
    }
  }

  /// As a conflict names it.
  func what(_ layouts: [TableLayout]) -> String {
    func column(_ id: Int32, _ property: String) -> String {
      let names = layouts.map { field($0)(id)?.name }
      let name = names.compactMap { $0 }.first ?? "\(id)"
      return names.contains(nil) ? "column \(name), which one side has and the other has not" : "\(property) of column \(name)"
    }
    return switch self {
    case .name(let id): column(id, "name")
    case .type(let id): column(id, "type")
    case .presence(let id): column(id, "presence")
    case .createdTime: "created time"
    }
  }
}

extension ColumnProperty {
  /// What two layouts changed to different things, or differ in where it was disputed already.
  /// - Parameters:
  ///   - known: what is disputed in the base.
  ///   - conflicts: what `LayoutMerge` found.
  static func disputes(
    base: TableLayout?, first: TableLayout, second: TableLayout, known: Set<ColumnProperty>, conflicts: [LayoutMerge.Conflict]
  ) -> Set<ColumnProperty> {
    var found = known.filter { $0.differs(first, second) }
    guard !conflicts.isEmpty else { return found }
    func isChanged(_ property: ColumnProperty) -> Bool {
      property.differs(first, second)
        && base.map { property.text(first) != property.text($0) && property.text(second) != property.text($0) } ?? true
    }
    for id in Set((first.schema.fields + second.schema.fields).compactMap(\.id)) {
      for property in [ColumnProperty.name(id), .type(id)] where isChanged(property) { found.insert(property) }
    }
    if isChanged(.createdTime) { found.insert(.createdTime) }
    // Dropped on one side, made nullable on the other.
    for old in base?.schema.fields ?? [] {
      guard let id = old.id, ColumnProperty.presence(id).differs(first, second) else { continue }
      if (first.schema.fields + second.schema.fields).contains(where: { $0.id == id && $0 != old }) { found.insert(.presence(id)) }
    }
    // One name for two fields.
    let all = first.schema.fields + second.schema.fields
    for (_, fields) in Dictionary(grouping: all, by: \.name) where Set(fields.map(\.id)).count > 1 {
      for id in fields.compactMap(\.id) { found.formUnion([.name(id), .presence(id)]) }
    }
    return found
  }

  /// The base of a merge in which a side that differs from the other in something disputed has changed it, and the other has not: so
  /// conflicts are decided for the first side, as all others are.
  static func base(
    _ base: TableLayout?, first: TableLayout, second: TableLayout, disputed: Set<ColumnProperty>
  ) -> TableLayout? {
    let open = disputed.filter { $0.differs(first, second) }
    guard let base, !open.isEmpty else { return base }
    var fields = base.schema.fields
    var createdTime = base.createdTime.flatMap { base.schema[$0]?.id }
    for property in open {
      switch property {
      case .name(let id), .type(let id), .presence(let id):
        guard let other = second.schema.fields.first(where: { $0.id == id }) else {
          fields.removeAll { $0.id == id }
          continue
        }
        guard let index = fields.firstIndex(where: { $0.id == id }) else {
          fields.append(other)
          continue
        }
        let isInFirst = first.schema.fields.contains { $0.id == id }
        if !isInFirst || property == .name(id) { fields[index].name = other.name }
        if !isInFirst || property == .type(id) { fields[index].type = other.type }
        if !isInFirst { fields[index].isNullable = other.isNullable }
      case .createdTime: createdTime = second.createdTime.flatMap { second.schema[$0]?.id }
      }
    }
    func name(_ old: String) -> String {
      let id = base.schema[old]?.id
      return fields.first { $0.id == id }?.name ?? old
    }
    return TableLayout(
      schema: Schema(fields), primaryKey: base.primaryKey.map(name), eventTime: base.eventTime.map(name),
      createdTime: createdTime.flatMap { id in fields.first { $0.id == id }?.name }, partitioning: base.partitioning,
      leafRowCount: base.leafRowCount, dropped: base.dropped)
  }
}
