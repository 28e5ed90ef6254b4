import Columns

/// Three-way merge of the schemas of one dataset, field by field by id.
package struct LayoutMerge: Sendable {
  /// A property that both sides changed to different things.
  package struct Conflict: Hashable, Sendable {
    /// For example `name of column amount`.
    package let what: String
    package let base: String?
    package let first: String
    package let second: String
  }

  /// What both sides come to; a conflict is decided for the first.
  package private(set) var layout: TableLayout
  package private(set) var conflicts: [Conflict] = []
  /// Fields that one side has dropped and the other one kept.
  package let droppedByFirst: Set<Int32>
  package let droppedBySecond: Set<Int32>

  /// - Parameters:
  ///   - base: nil when both sides made the dataset.
  ///   - keeping: fields that stay although the second side dropped them.
  package init(base: TableLayout?, first: TableLayout, second: TableLayout, keeping: Set<Int32> = []) {
    let old = Self.byID(base?.schema)
    let mine = Self.byID(first.schema)
    let theirs = Self.byID(second.schema)
    droppedByFirst = Set(old.keys.filter { mine[$0] == nil && theirs[$0] != nil })
    droppedBySecond = Set(old.keys.filter { mine[$0] != nil && theirs[$0] == nil })
    layout = first
    var merged: [Int32: Field] = [:]
    for id in Set(mine.keys).union(theirs.keys).sorted() {
      switch (mine[id], theirs[id]) {
      case (let a?, let b?): merged[id] = merge(old[id], a, b)
      case (let a?, nil):
        let isChanged = noteDrop(of: old[id], changedTo: a, isChangedByFirst: true)
        if old[id] == nil || keeping.contains(id) || isChanged { merged[id] = a }
      case (nil, let b?):
        noteDrop(of: old[id], changedTo: b, isChangedByFirst: false)
        if old[id] == nil { merged[id] = b }
      case (nil, nil): break
      }
    }
    settleNames(&merged, mine)
    let order = Self.order(
      base?.schema.fields.compactMap(\.id) ?? [], first.schema.fields.compactMap(\.id), second.schema.fields.compactMap(\.id), merged)
    let all = order.compactMap { merged[$0] }
    // A log's hidden columns stand behind all others.
    let fields = all.filter { !LogKey.names.contains($0.name) } + all.filter { LogKey.names.contains($0.name) }
    let names = merged.mapValues(\.name)
    mergeSettings(base, first, second, Schema(fields), names)
  }

  private static func byID(_ schema: Schema?) -> [Int32: Field] {
    Dictionary((schema?.fields ?? []).compactMap { field in field.id.map { ($0, field) } }, uniquingKeysWith: { first, _ in first })
  }

  private mutating func merge(_ old: Field?, _ a: Field, _ b: Field) -> Field {
    var field = a
    if let type = Self.mergedType(old?.type, a.type, b.type) {
      field.type = type
    } else {
      conflicts.append(
        Conflict(what: "type of column \(a.name)", base: old.map { "\($0.type)" }, first: "\(a.type)", second: "\(b.type)"))
    }
    if a.name != b.name {
      if a.name == old?.name {
        field.name = b.name
      } else if b.name != old?.name {
        conflicts.append(Conflict(what: "name of column \(old?.name ?? a.name)", base: old?.name, first: a.name, second: b.name))
      }
    }
    field.isNullable = a.isNullable == old?.isNullable ? b.isNullable : a.isNullable
    // Without a base, null where either allows it.
    if old == nil { field.isNullable = a.isNullable || b.isNullable }
    return field
  }

  /// A column that one side dropped and the other renamed, widened or made nullable. - Returns: whether it is such a one.
  @discardableResult private mutating func noteDrop(of old: Field?, changedTo field: Field, isChangedByFirst: Bool) -> Bool {
    guard let old, old != field else { return false }
    func text(_ field: Field) -> String { "\(field.name) \(field.type)\(field.isNullable ? "" : " required")" }
    let (first, second) = isChangedByFirst ? (text(field), "dropped") : ("dropped", text(field))
    conflicts.append(
      Conflict(what: "column \(old.name), dropped on one side, changed on the other", base: text(old), first: first, second: second))
    return true
  }

  /// The type that one side changed; of two that both changed, the one that holds both. A widening taken back is a change like any
  /// other: whether the rows fit is seen when they are merged.
  /// - Returns: nil when the sides cannot both be right. Two that each added a field of this id mean the same one only if it looks
  ///   the same.
  private static func mergedType(_ old: DataType?, _ a: DataType, _ b: DataType) -> DataType? {
    if a == b || b == old { return a }
    guard let old else { return nil }
    return a == old ? b : DataType.widest(a, b)
  }

  /// No two fields may have one name: those that the first side has keep the name they have there, the other goes.
  private mutating func settleNames(_ merged: inout [Int32: Field], _ mine: [Int32: Field]) {
    while let clash = Dictionary(grouping: merged.values, by: \.name).values.filter({ $0.count > 1 }).min(by: { $0[0].name < $1[0].name }) {
      let fields = clash.sorted { ($0.id ?? 0) < ($1.id ?? 0) }
      conflicts.append(
        Conflict(
          what: "column \(fields[0].name), which is two fields", base: nil, first: "\(fields[0].type)", second: "\(fields[1].type)"))
      for field in fields {
        guard let id = field.id else { continue }
        // What already has the first side's name stays; the field that clashes with it gives way.
        merged[id] = mine[id].map { own in
          var field = field
          field.name = own.name
          return field
        }
      }
    }
  }

  /// The same whichever side is first: the order of the side that changed it; if both did, the old order, then new columns by name.
  private static func order(_ base: [Int32], _ first: [Int32], _ second: [Int32], _ merged: [Int32: Field]) -> [Int32] {
    let whole = first == base ? second : second == base || second == first ? first : []
    if !whole.isEmpty {
      return whole + merged.keys.filter { !whole.contains($0) }.sorted { (merged[$0]!.name, $0) < (merged[$1]!.name, $1) }
    }
    // The columns that all have, in the order of the one side that moved them.
    let common = base.filter { first.contains($0) && second.contains($0) }
    let mine = first.filter(common.contains)
    let theirs = second.filter(common.contains)
    let kept = mine == common ? theirs : theirs == common ? mine : common
    let rest = merged.keys.filter { !kept.contains($0) }.sorted { (merged[$0]!.name, $0) < (merged[$1]!.name, $1) }
    return kept + rest
  }

  /// That of the side that has another one than before; of two, the smaller. Nobody asks for it but a contract that names it.
  private static func leafRowCount(_ base: Int?, _ first: Int, _ second: Int) -> Int {
    if first == second || second == base { return first }
    return first == base ? second : min(first, second)
  }

  private mutating func mergeSettings(
    _ base: TableLayout?, _ first: TableLayout, _ second: TableLayout, _ schema: Schema, _ names: [Int32: String]
  ) {
    func id(_ name: String?, _ layout: TableLayout?) -> Int32? { name.flatMap { layout?.schema[$0]?.id } }
    func check(_ what: String, _ a: some Equatable, _ b: some Equatable, _ isEqual: Bool) {
      if !isEqual { conflicts.append(Conflict(what: what, base: nil, first: "\(a)", second: "\(b)")) }
    }
    let keys = first.primaryKey.map { id($0, first) }
    check(
      "primary key", first.primaryKey.joined(separator: ", "), second.primaryKey.joined(separator: ", "),
      keys == second.primaryKey.map { id($0, second) })
    check("event time", first.eventTime ?? "none", second.eventTime ?? "none", id(first.eventTime, first) == id(second.eventTime, second))
    check("partition", first.partitioning.rawValue, second.partitioning.rawValue, first.partitioning == second.partitioning)
    let (old, mine, theirs) = (id(base?.createdTime, base), id(first.createdTime, first), id(second.createdTime, second))
    if mine != theirs && mine != old && theirs != old {
      check("created time", first.createdTime ?? "none", second.createdTime ?? "none", false)
    }
    let created = mine == old ? theirs : mine
    layout = TableLayout(
      schema: schema, primaryKey: keys.compactMap { $0.flatMap { names[$0] } }, eventTime: id(first.eventTime, first).flatMap { names[$0] },
      createdTime: created.flatMap { names[$0] }, partitioning: first.partitioning,
      leafRowCount: Self.leafRowCount(base?.leafRowCount, first.leafRowCount, second.leafRowCount),
      // What a side has and the merged version has not is dropped, also where adding it was taken back: leaves hold its values. A
      // column that stays, or comes back, is not dropped.
      dropped: Array(
        Set(first.dropped + second.dropped + (first.schema.fields + second.schema.fields).compactMap(\.id))
          .subtracting(schema.fields.compactMap(\.id))))
  }
}
