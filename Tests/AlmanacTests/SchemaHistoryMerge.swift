import Almanac

/// The three-way merge as DESIGN and docs/versioning.md say it, over dictionaries: columns by identity, rows by key, values by both.
///
/// Cases that they leave open, in which a conflict is accepted as well as the value (never another value):
/// 1. both sides have a column that the base has dropped (each took the drop back, or never made it) and differ in it;
/// 2. both sides have a column that the base never had, under different names or widths: where a strategy settles it, the width is
///    the wider one or that of the side that wins;
/// 3. what becomes of the other column when a strategy settles that one name is of two;
/// 4. a side took a drop back and then changed the returned column in a row that the other side deleted: the row may also go;
/// 5. a key that was deleted and inserted again before the drop was taken back: it has the old value, or null.
struct HistoryMerge {
  let base: HistoryVersion
  let ours: HistoryVersion
  let theirs: HistoryVersion
  let strategy: MergeStrategy

  struct Conflict {
    let text: String
    /// The rows that are reported with it; none for a conflict of definitions.
    var rows: Set<HistoryKey> = []
  }

  /// Settled by the strategy; of no meaning when there are conflicts and it is `fail`.
  private(set) var result: HistoryVersion
  private(set) var conflicts: [Conflict] = []
  /// Why a conflict is accepted where none is needed.
  private(set) var openings: [String] = []
  /// Other values that are accepted.
  private(set) var alternatives: [HistoryKey: [Int32: HistoryValue]] = [:]
  /// Columns that may also be these ones.
  private(set) var alternativeFields: [HistoryField] = []
  /// Rows that may also be gone.
  private(set) var optionalRows: Set<HistoryKey> = []

  /// Why the result must be refused, however conflicts are settled.
  var misfits: [String] { result.misfits }

  init(base: HistoryVersion, ours: HistoryVersion, theirs: HistoryVersion, strategy: MergeStrategy) {
    self.base = base
    self.ours = ours
    self.theirs = theirs
    self.strategy = strategy
    result = HistoryVersion()
    mergeFields()
    settleNames()
    mergeRows()
    carryDropped()
  }

  private var prefersTheirs: Bool { strategy == .theirs }

  /// - Returns: nil when both sides changed it, to different things.
  private func settled<Value: Equatable>(_ base: Value?, _ ours: Value, _ theirs: Value) -> Value? {
    if ours == theirs || theirs == base { return ours }
    return ours == base ? theirs : nil
  }

  // MARK: Columns

  private mutating func mergeFields() {
    var ids = ours.fields.map(\.id)
    for version in [theirs, base] { ids += version.fields.map(\.id).filter { !ids.contains($0) } }
    for id in ids {
      switch (base.field(id), ours.field(id), theirs.field(id)) {
      case (let old, let first?, let second?): result.fields.append(merged(old, first, second))
      case (let old?, let first?, nil): keepDropped(old, first, of: ours, isKept: strategy == .ours)
      case (let old?, nil, let second?): keepDropped(old, second, of: theirs, isKept: strategy == .theirs)
      case (nil, let first?, nil): result.fields.append(first)
      case (nil, nil, let second?): result.fields.append(second)
      case (_, nil, nil): break
      }
    }
  }

  private mutating func merged(_ old: HistoryField?, _ first: HistoryField, _ second: HistoryField) -> HistoryField {
    var field = first
    if old == nil, !first.isDeclaredAs(second) {
      openings.append("\(first.text) and \(second.text), independently")
      if strategy != .fail { alternativeFields.append(prefersTheirs ? second : first) }
    }
    if let name = settled(old?.name, first.name, second.name) {
      field.name = name
    } else {
      conflicts.append(Conflict(text: "column \(old?.name ?? "?") became \(first.name) and \(second.name)"))
      field.name = prefersTheirs ? second.name : first.name
    }
    // Where both changed it, they differ only in width.
    field.type = settled(old?.type, first.type, second.type) ?? (first.type.wider == nil ? first.type : second.type)
    field.isRequired = settled(old?.isRequired, first.isRequired, second.isRequired) ?? false
    return field
  }

  /// One side dropped the column: it goes, unless the other has changed it or values in it.
  private mutating func keepDropped(_ old: HistoryField, _ now: HistoryField, of side: HistoryVersion, isKept: Bool) {
    let edited = base.rows.keys.filter { side.rows[$0] != nil && side.value(old.id, of: $0) != base.value(old.id, of: $0) }
    guard !now.isDeclaredAs(old) || !edited.isEmpty else { return }
    let text = "column \(old.name) was dropped and changed (\(now.text), rows \(edited.map(\.text).sorted()))"
    conflicts.append(Conflict(text: text, rows: now.isDeclaredAs(old) ? Set(edited) : []))
    if isKept { result.fields.append(now) }
  }

  /// Two columns of one name are a conflict. The side that wins keeps its own names; what only the other side has gives way.
  private mutating func settleNames() {
    let side = prefersTheirs ? theirs : ours
    while let name = result.fields.map(\.name).first(where: { name in result.fields.filter { $0.name == name }.count > 1 }) {
      let pair = result.fields.filter { $0.name == name }
      conflicts.append(Conflict(text: "\(pair.count) columns are called \(name)"))
      openings.append("two columns are called \(name)")
      let winner = pair.first { side.field($0.id)?.name == name } ?? pair[0]
      for loser in pair where loser.id != winner.id {
        let index = result.fields.firstIndex { $0.id == loser.id }!
        if let own = side.field(loser.id)?.name, own != name {
          result.fields[index].name = own
        } else {
          result.fields.remove(at: index)
        }
      }
    }
  }

  // MARK: Rows

  /// Whether the base dropped the column that this side has again.
  private func isReturned(_ id: Int32, in side: HistoryVersion) -> Bool {
    base.dropped.contains(id) && base.births[id] == side.births[id]
  }

  /// The value to compare with: that before the drop where the base dropped the column.
  private func baseValue(_ id: Int32, of key: HistoryKey, for side: HistoryVersion) -> HistoryValue {
    base.field(id) != nil || isReturned(id, in: side) ? base.value(id, of: key) : .null
  }

  /// The columns in which a side changed a row that the base has.
  private func changes(of side: HistoryVersion, at key: HistoryKey) -> [HistoryField] {
    side.fields.filter { side.value($0.id, of: key) != baseValue($0.id, of: key, for: side) }
  }

  private mutating func mergeRows() {
    let keys = Set(base.rows.keys).union(ours.rows.keys).union(theirs.rows.keys)
    for key in keys.sorted(by: { $0.text < $1.text }) {
      switch (base.rows[key] != nil, ours.rows[key] != nil, theirs.rows[key] != nil) {
      case (_, true, true): result.rows[key] = mergedRow(key)
      case (false, true, false): result.rows[key] = row(key, of: ours)
      case (false, false, true): result.rows[key] = row(key, of: theirs)
      case (true, true, false): keepDeleted(key, of: ours, isKept: strategy == .ours)
      case (true, false, true): keepDeleted(key, of: theirs, isKept: strategy == .theirs)
      case (_, false, false): break
      }
    }
  }

  /// A row that one side alone has: null in columns that only the other has.
  private func row(_ key: HistoryKey, of side: HistoryVersion) -> [Int32: HistoryValue] {
    Dictionary(uniqueKeysWithValues: result.fields.map { ($0.id, side.field($0.id) == nil ? .null : side.value($0.id, of: key)) })
  }

  private mutating func keepDeleted(_ key: HistoryKey, of side: HistoryVersion, isKept: Bool) {
    let changed = changes(of: side, at: key)
    guard !changed.isEmpty else { return }
    if changed.allSatisfy({ isReturned($0.id, in: side) }) { optionalRows.insert(key) }
    conflicts.append(Conflict(text: "row \(key.text) was deleted, and changed in \(changed.map(\.name))", rows: [key]))
    if isKept { result.rows[key] = row(key, of: side) }
  }

  private mutating func mergedRow(_ key: HistoryKey) -> [Int32: HistoryValue] {
    var row: [Int32: HistoryValue] = [:]
    for field in result.fields {
      let id = field.id
      let (first, second) = (ours.value(id, of: key), theirs.value(id, of: key))
      switch (ours.field(id) != nil, theirs.field(id) != nil) {
      case (true, true): row[id] = mergedValue(field, key, first, second)
      case (true, false): row[id] = returned(id, key, first, from: ours, other: theirs)
      default: row[id] = returned(id, key, second, from: theirs, other: ours)
      }
    }
    return row
  }

  private mutating func mergedValue(_ field: HistoryField, _ key: HistoryKey, _ first: HistoryValue, _ second: HistoryValue)
    -> HistoryValue
  {
    guard first != second else { return first }
    let isNew = base.rows[key] == nil
    if !isNew {
      let (old, other) = (baseValue(field.id, of: key, for: ours), baseValue(field.id, of: key, for: theirs))
      if base.dropped.contains(field.id) {
        openings.append("\(field.name) returned on both sides, differs at \(key.text)")
        // A conflict that is accepted may be settled.
        if strategy != .fail { alternatives[key, default: [:]][field.id] = prefersTheirs ? second : first }
      }
      if second == other { return first }
      if first == old { return second }
    }
    let text = "\(field.name) of \(key.text) is \(first.text) and \(second.text), \(isNew ? "inserted" : "updated")"
    conflicts.append(Conflict(text: text, rows: [key]))
    return prefersTheirs ? second : first
  }

  /// The value of a column that one side alone has: the other has not changed it.
  private mutating func returned(
    _ id: Int32, _ key: HistoryKey, _ value: HistoryValue, from side: HistoryVersion, other: HistoryVersion
  ) -> HistoryValue {
    // A row that was deleted and inserted again has lost the value that was out of sight.
    if isReturned(id, in: side), base.rows[key] != nil, value == base.value(id, of: key), other.births[id] == side.births[id],
      other.dropped.contains(id), other.value(id, of: key) != value
    {
      alternatives[key, default: [:]][id] = other.value(id, of: key)
    }
    return value
  }

  // MARK: What is out of sight

  private mutating func carryDropped() {
    // Without rows, a version that one side alone has may also be none.
    result.isThere = ours.isThere || theirs.isThere
    let live = Set(result.fields.map(\.id))
    if result.isThere {
      result.dropped = ours.dropped.union(theirs.dropped).union(ours.fields.map(\.id)).union(theirs.fields.map(\.id)).subtracting(live)
    }
    result.births = ours.births.merging(theirs.births) { first, _ in first }
    for id in live where ours.field(id) == nil { result.births[id] = theirs.births[id] }
    for key in result.rows.keys {
      for id in result.dropped {
        let isShared = ours.births[id] == theirs.births[id]
        let (first, second) = (ours.rows[key]?[id], theirs.rows[key]?[id])
        let old = base.births[id] == theirs.births[id] ? base.rows[key]?[id] : nil
        let takesTheirs = theirs.births[id] != nil && (ours.births[id] == nil || isShared && (ours.rows[key] == nil || first == old))
        result.rows[key]![id] = takesTheirs ? second : first
      }
    }
  }
}

extension HistoryMerge {
  /// What a merge may be about, by name.
  static let cases = [
    "a column comes back", "a column comes back to edited rows", "a column goes", "a column is narrowed", "values do not fit",
    "columns added on both sides", "conflict of rows", "conflict of columns", "conflict settled", "clean",
    "no rows yet", "first rows on one side", "first rows on both sides", "first rows gone on one side",
  ]

  /// Those of `cases` that it is.
  var cases: [String] {
    var found: [String] = []
    func note(_ name: String, _ holds: Bool) { if holds { found.append(name) } }
    let returned = result.fields.filter { ours.field($0.id) == nil && ours.dropped.contains($0.id) }
    note("a column comes back", !returned.isEmpty)
    let isEdited = ours.rows.contains { key, row in base.rows[key].map { row != $0 } ?? false }
    note("a column comes back to edited rows", !returned.isEmpty && isEdited)
    note("a column goes", ours.fields.contains { result.field($0.id) == nil })
    note("a column is narrowed", result.fields.contains { $0.type.wider != nil && ours.field($0.id)?.type == $0.type.wider })
    note("values do not fit", !misfits.isEmpty)
    note(
      "columns added on both sides",
      result.fields.contains { base.field($0.id) == nil && ours.field($0.id) != nil && theirs.field($0.id) != nil })
    note("conflict of rows", conflicts.contains { !$0.rows.isEmpty })
    note("conflict of columns", conflicts.contains { $0.rows.isEmpty })
    note("conflict settled", !conflicts.isEmpty && strategy != .fail)
    note("clean", conflicts.isEmpty)
    note("no rows yet", !base.isThere && !ours.isThere && !theirs.isThere)
    note("first rows on one side", !base.isThere && ours.isThere != theirs.isThere)
    note("first rows on both sides", !base.isThere && ours.isThere && theirs.isThere)
    note("first rows gone on one side", base.isThere && !(ours.isThere && theirs.isThere))
    return found
  }
}
