import Columns
import History

/// Three-way merge of the rows of one dataset, by key and by cell.
///
/// Each side is compared with the base under its own schema and matched by field id, so that a column one side does not have
/// is unchanged there, not null. The outcome is a change of the first side; whichever side is first, the rows are the same.
package struct RowMerge {
  /// A row that both sides changed in ways that do not go together.
  package struct Conflict: Sendable {
    package enum Kind: String, Sendable {
      /// Both changed the same cells to different values.
      case update
      /// Both inserted the key with different values.
      case insert
      /// One removed the row, the other changed it.
      case delete
      /// One dropped the column, the other changed its value.
      case drop
    }

    package let kind: Kind
    package let key: RowDiff.Values
    package let columns: [String]
    /// The whole row in each version; nil where it is not there. What is disputed is not in the base.
    package let base: RowDiff.Values?
    package let first: RowDiff.Values?
    package let second: RowDiff.Values?
  }

  /// What the merged layout has; its fields name the columns of both sides by id.
  package let layout: TableLayout
  package private(set) var conflicts: [Conflict] = []
  /// What turns the first side into the merged version. Conflicts are decided for the first side.
  package private(set) var change: RowChange
  /// Rows as they result where the first side changed them and the second did not, if they were asked for.
  package private(set) var firstRows: Batch

  /// What the conflicts are about, for a merge that is the base of another one.
  package private(set) var disputes = DisputedCells()

  private let disputed: DisputedCells
  private let isBase: Bool
  private var upserts: [Batch] = []
  private var deletes: [Batch] = []
  private var kept: [Batch] = []
  /// Conflicts of the partition at hand, with the row of the first side.
  private var found: [(row: Int, conflict: Conflict)] = []
  /// Columns that a side has taken back: the base had dropped them. They count for every row that lives, and keep none alive.
  private let takenBackByFirst: Set<Int32>
  private let takenBackBySecond: Set<Int32>

  /// - Parameters:
  ///   - base: nil when both sides made the dataset.
  ///   - second: nil when it has changed nothing.
  ///   - withFirstRows: whether to fill `firstRows`.
  ///   - disputed: rows of the base that both sides have changed for that alone, each in its way.
  ///   - isBase: whether the outcome is the base of another merge: then a row that one side removed and the other changed stays.
  /// - Throws: `ValueMisfit` where a side has a value that the type of its column in the merged layout cannot hold.
  /// - Complexity: O(changes of both sides); memory for the changes of the second side and for one partition of the first
  package init(
    base: TableVersion?, first: TableVersion, second: TableVersion?, layout: TableLayout, withFirstRows: Bool = false,
    disputed: DisputedCells = DisputedCells(), isBase: Bool = false
  ) throws {
    self.layout = layout
    self.isBase = isBase
    change = RowChange(upserts: .empty(layout.schema), deletes: .empty(layout.keySchema))
    firstRows = .empty(layout.schema)
    takenBackByFirst = RowDiff.takenBack(base, first)
    takenBackBySecond = second.map { RowDiff.takenBack(base, $0) } ?? []
    var disputed = disputed
    let base = try Self.baseWithReturned(base, first, second, &disputed)
    self.disputed = disputed
    let changedByFirst = try disputed.partitions.union(Self.partitions(base, first))
    let changedBySecond = try disputed.partitions.union(second.map { try Self.partitions(base, $0) } ?? [])
    for number in (withFirstRows ? changedBySecond.union(changedByFirst) : changedBySecond).sorted() {
      let mine = changedByFirst.contains(number) ? try Self.part(base, first, number, disputed) : nil
      let theirs = try changedBySecond.contains(number) ? second.flatMap { try Self.part(base, $0, number, disputed) } : nil
      try merge(mine, theirs, withFirstRows: withFirstRows)
    }
    if !upserts.isEmpty || !deletes.isEmpty {
      change = RowChange(
        upserts: Batch.concatenate([change.upserts] + upserts), deletes: Batch.concatenate([change.deletes] + deletes))
    }
    if !kept.isEmpty { firstRows = Batch.concatenate(kept) }
    (upserts, deletes, kept) = ([], [], [])
    let stale = try first.staleRows(under: layout, beside: change)
    if stale.rowCount > 0 {
      change = RowChange(upserts: Batch.concatenate([change.upserts, stale]), deletes: change.deletes)
    }
  }

  /// Partitions in which a side may have changed rows: also those where a column that the base does not have has values.
  private static func partitions(_ base: TableVersion?, _ version: TableVersion) throws -> [Int64] {
    let appearing = try RowDiff.partitions(version, holding: RowDiff.appearing(base, version))
    return Set(RowDiff.partitions(base, version)).union(appearing).sorted()
  }

  /// The rows in which `version` changed the value of one of the given fields, which the other side has dropped; a disputed value
  /// counts as changed.
  package static func edits(
    of fields: Set<Int32>, from base: TableVersion?, to version: TableVersion, isFirst: Bool, disputed: DisputedCells = DisputedCells()
  ) throws -> (fields: Set<Int32>, conflicts: [Conflict], cells: DisputedCells) {
    var edited: Set<Int32> = []
    var conflicts: [Conflict] = []
    var cells = DisputedCells()
    func note(_ part: RowDiff.Part, _ isEdited: (_ row: Int, _ column: Int) -> Bool) throws {
      let columns = part.fields.pairs.indices.filter { fields.contains(part.fields.pairs[$0].id) }
      let rows = (0..<part.rowCount).filter { row in columns.contains { isEdited(row, $0) } }
      guard !rows.isEmpty else { return }
      let keys = try part.keys().columns
      for row in rows {
        let found = columns.filter { isEdited(row, $0) }
        let ids = found.map { part.fields.pairs[$0].id }
        edited.formUnion(ids)
        try cells.insert(keys, row: row, partition: part.partition, fields: Set(ids))
        let names = found.map { part.fields.pairs[$0].name }
        let entry = part.entry(row)
        conflicts.append(
          Conflict(
            kind: .drop, key: entry.key, columns: names, base: entry.before, first: isFirst ? entry.after : nil,
            second: isFirst ? nil : entry.after))
      }
    }
    try RowDiff.forEachPart(base, version) { part in try note(part) { part.differs[$1][$0] } }
    guard !disputed.fields.isDisjoint(with: fields) else { return (edited, conflicts, cells) }
    for number in disputed.partitions.sorted() {
      guard let part = try Self.part(base, version, number, disputed) else { continue }
      let contested = try disputed.fields(part.keys().columns, rows: (0..<part.rowCount).map { Int32($0) })
      try note(part) { row, column in
        let pair = part.fields.pairs[column]
        return part.operations[row] == .changed && pair.new != nil && !part.differs[column][row]
          && contested[row]?.contains(pair.id) ?? false
      }
    }
    return (edited, conflicts, cells)
  }

  static func part(
    _ old: TableVersion?, _ new: TableVersion, _ number: Int64, _ disputed: DisputedCells
  ) throws -> RowDiff.Part? {
    let left = old?.layout ?? new.layout
    guard let key = RowDiff.commonKey(left, new.layout) else {
      throw TableError(.evolution, "The versions cannot be merged: their primary keys or partitions differ")
    }
    let (before, after) = try RowDiff.sides(
      old, new, partition: number, appearing: RowDiff.appearing(old, new), disputed: disputed)
    let fields = RowDiff.Fields(old: left.schema, new: new.layout.schema)
    let part = try RowDiff.Part(partition: number, before: before, after: after, fields: fields, key: key, disputed: disputed)
    return part.rowCount == 0 ? nil : part
  }

  // MARK: One partition

  private mutating func merge(_ mine: RowDiff.Part?, _ theirs: RowDiff.Part?, withFirstRows: Bool) throws {
    defer {
      // Found by what they are, reported by key.
      conflicts += found.sorted { $0.row < $1.row }.map(\.conflict)
      found = []
    }
    var overwritten = Set<Int>()
    if let theirs {
      let keys = try keyColumns(of: theirs)
      var search = KeySearch(wantedCount: theirs.rowCount, storedCount: mine?.rowCount ?? 0)
      if let mine {
        for (own, other) in zip(try keyColumns(of: mine).columns, keys.columns) { search.narrow(stored: own, wanted: other) }
      }
      var alone: [Int32] = []
      var removed: [Int32] = []
      var pairs = Pairs()
      for row in 0..<theirs.rowCount {
        guard let mine, let match = search.match(row) else {
          if theirs.operations[row] == .removed { removed.append(Int32(row)) } else { alone.append(Int32(row)) }
          continue
        }
        switch (mine.operations[match], theirs.operations[row]) {
        case (.removed, .removed): break
        case (.removed, .changed) where Self.changes(theirs, row, nothingBut: takenBackBySecond): break
        case (.changed, .removed) where Self.changes(mine, match, nothingBut: takenBackByFirst):
          removed.append(Int32(row))
          overwritten.insert(match)
        case (.removed, _), (_, .removed):
          try note(.delete, mine, match, theirs, row, fields: changed(mine, match) + changed(theirs, row))
          if isBase && mine.operations[match] == .removed { alone.append(Int32(row)) }
        default: pairs.append(match, row)
        }
      }
      if !removed.isEmpty { deletes.append(keys.take(removed)) }
      if !alone.isEmpty { upserts.append(try rows(theirs, alone)) }
      if let mine, !pairs.mine.isEmpty { upserts.append(try combine(mine, theirs, pairs, &overwritten)) }
    }
    if withFirstRows, let mine {
      let rest = (0..<mine.rowCount).filter { mine.operations[$0] != .removed && !overwritten.contains($0) }
      if !rest.isEmpty { kept.append(try rows(mine, rest.map { Int32($0) })) }
    }
  }

  private static func changes(_ part: RowDiff.Part, _ row: Int, nothingBut fields: Set<Int32>) -> Bool {
    !fields.isEmpty && part.fields.pairs.indices.allSatisfy { !part.differs[$0][row] || fields.contains(part.fields.pairs[$0].id) }
  }

  private struct Pairs {
    var mine: [Int32] = []
    var theirs: [Int32] = []

    mutating func append(_ i: Int, _ j: Int) {
      mine.append(Int32(i))
      theirs.append(Int32(j))
    }
  }

  private func keyColumns(of part: RowDiff.Part) throws -> Batch {
    let keys = try part.keys()
    let fields = layout.keySchema.fields
    return Batch(
      schema: layout.keySchema, columns: try zip(keys.columns, fields).map { try fitted($0, to: $1, of: part) }, rowCount: keys.rowCount)
  }

  /// Rows that one side added or changed, in the merged schema; a column that this side has dropped is as it was before, one
  /// that it never had is null.
  private func rows(_ part: RowDiff.Part, _ indices: [Int32]) throws -> Batch {
    let columns = try layout.schema.fields.map { try column($0, of: part).take(indices) }
    return Batch(schema: layout.schema, columns: columns, rowCount: indices.count)
  }

  private func column(_ field: Field, of part: RowDiff.Part) throws -> Column {
    for batch in [part.after, part.before] {
      if let index = batch.schema.fields.firstIndex(where: { $0.id == field.id }) {
        return try fitted(batch.columns[index], to: field, of: part)
      }
    }
    return Column(field.type, repeating: .null, count: part.rowCount)
  }

  /// Values in the merged type, which is narrower than a side's where a widening was taken back.
  private func fitted(_ column: Column, to field: Field, of part: RowDiff.Part) throws -> Column {
    do throws(CastError) {
      return try column.cast(to: field.type)
    } catch {
      guard case .value(let row, let value) = error.reason else {
        throw TableError(.corrupt, "Cannot merge column \(field.name): \(error)")
      }
      throw ValueMisfit(field: field, value: value, key: part.entry(row).key)
    }
  }

  /// Rows that both sides changed, or both inserted: cell by cell.
  /// - Parameter overwritten: gets the rows of the first side that do not stay as they are.
  private mutating func combine(
    _ mine: RowDiff.Part, _ theirs: RowDiff.Part, _ pairs: Pairs, _ overwritten: inout Set<Int>
  ) throws -> Batch {
    let count = pairs.mine.count
    let isInsert = pairs.mine.map { mine.operations[Int($0)] == .added }
    var takes = [Bool](repeating: false, count: count)
    var clashes: [Int: [Field]] = [:]
    let contested = try disputed.fields(theirs.key.map { theirs.after.columns[$0.new] }, rows: pairs.theirs)
    var columns: [Column] = []
    for field in layout.schema.fields {
      let own = try column(field, of: mine)
      let other = try column(field, of: theirs)
      let (ownPair, otherPair) = (Self.pair(field, mine), Self.pair(field, theirs))
      var differs = [Bool](repeating: false, count: count)
      RowComparison.mark(&differs, own, pairs.mine, other, pairs.theirs)
      var choice = (0..<count).map { Int32($0) }
      for index in 0..<count where differs[index] {
        let isOpen = isInsert[index] || field.id.map { contested[index]?.contains($0) ?? false } ?? false
        let ownCell = ownPair.map { isOpen || mine.differs[$0][Int(pairs.mine[index])] } ?? false
        let otherCell = otherPair.map { isOpen || theirs.differs[$0][Int(pairs.theirs[index])] } ?? false
        if ownCell && otherCell {
          clashes[index, default: []].append(field)
        } else if otherCell {
          choice[index] = Int32(count + index)
          takes[index] = true
        }
      }
      columns.append(Column.concatenate([own.take(pairs.mine), other.take(pairs.theirs)]).take(choice))
    }
    for (index, fields) in clashes.sorted(by: { $0.key < $1.key }) {
      try note(
        isInsert[index] ? .insert : .update, mine, Int(pairs.mine[index]), theirs, Int(pairs.theirs[index]),
        fields: fields.map { ($0.id ?? 0, $0.name) })
    }
    for index in 0..<count where takes[index] { overwritten.insert(Int(pairs.mine[index])) }
    let rows = Batch(schema: layout.schema, columns: columns, rowCount: count)
    return rows.take(takes.indices.filter { takes[$0] }.map { Int32($0) })
  }

  /// Where a side's own schema has the field.
  private static func pair(_ field: Field, _ part: RowDiff.Part) -> Int? {
    part.fields.pairs.firstIndex { $0.id == field.id && $0.new != nil }
  }

  private func changed(_ part: RowDiff.Part, _ row: Int) -> [(id: Int32, name: String)] {
    zip(part.fields.pairs, part.differs).filter { $1[row] }.map { ($0.0.id, $0.0.name) }
  }

  private mutating func note(
    _ kind: Conflict.Kind, _ mine: RowDiff.Part, _ i: Int, _ theirs: RowDiff.Part, _ j: Int, fields: [(id: Int32, name: String)]
  ) throws {
    let own = mine.entry(i)
    let other = theirs.entry(j)
    var names = fields.map(\.name)
    var base = own.before
    if isBase || !disputed.isEmpty {
      let key = try mine.keys().columns
      let contested = try disputed.fields(key, rows: [Int32(i)])[0] ?? []
      if isBase {
        // Cells that both sides agree on are settled, unless the row may not be there.
        let open = kind == .delete ? contested : []
        try disputes.insert(key, row: i, partition: mine.partition, fields: open.union(fields.map(\.id)))
      }
      let hidden = mine.before.schema.fields.filter { $0.id.map(contested.contains) ?? false }.map(\.name)
      base?.removeAll { hidden.contains($0.name) }
      if kind == .delete { names += hidden.filter { !names.contains($0) } }
    }
    found.append((i, Conflict(kind: kind, key: own.key, columns: names, base: base, first: own.after, second: other.after)))
  }
}
