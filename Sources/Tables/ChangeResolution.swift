import Columns
import History

/// A change of one partition, resolved against the version that it is made on.
struct PartitionChange: Sendable {
  enum Content: Sendable {
    /// What really changes; empty when everything was so already.
    case operations(RowOperations)
    /// Rows of a partition that was not there.
    case new(SortedInput, Range<Int>)
  }

  let view: PartitionView
  let content: Content
  /// Rows of the input, sorted, whose key was there and should not have been.
  let conflictRows: [Int]

  /// Rows that change.
  var rowCount: Int {
    switch content {
    case .operations(let operations): operations.count
    case .new(_, let rows): rows.count
    }
  }

  var addedCount: Int {
    switch content {
    case .operations(let operations): operations.insertCount
    case .new(_, let rows): rows.count
    }
  }

  var removedCount: Int {
    switch content {
    case .operations(let operations): operations.deleteCount
    case .new: 0
    }
  }

  var changedCount: Int { rowCount - addedCount - removedCount }
  var leafRowCount: Int { view.leaves.reduce(0) { $0 + $1.rowCount } }
  /// Rows of the tails, each key as often as it occurs.
  var tailRowCount: Int { view.tails.reduce(0) { $0 + $1.rows.count } }
}

/// Finds out what an input does to a partition: which keys are there, and which rows differ.
///
/// The key columns of the leaves that the input falls into are decoded, other columns only until every row is known to differ.
struct ChangeResolver {
  let view: PartitionView
  let mode: ChangeMode
  let layout: TableLayout

  /// One leaf and the input rows in its range.
  private struct LeafTask: Sendable {
    let leaf: LeafEntry
    let rows: Range<Int>
    /// Whether it is the last of its partition.
    let isLast: Bool
  }

  /// What was found for the rows of a task.
  private struct Finding: Sendable {
    let exists: [Bool]
    let differs: [Bool]
    /// For a replacement: the keys of the leaf that the input does not have.
    let missing: Batch?
    /// What rows lack and the leaf has.
    let absent: [AbsentValues]
  }

  /// What was found for all rows.
  struct Findings {
    /// The rows, whole.
    var rows: Batch
    var exists: [Bool]
    var differs: [Bool]
    /// What the tails do: to the keys of the rows, or for a replacement to all.
    let tail: RowOperations?
    /// For a replacement: by leaf, the keys that the input does not have.
    let missing: [Batch]
  }

  /// - Parameters:
  ///   - input: rows under the layout's schema, ascending by key, each key once.
  ///   - isDelete: rows that stand for the removal of their key; nil for none.
  ///   - firstRow: the position of the first row in the whole input, for conflicts.
  func resolve(_ input: Batch, isDelete: [Bool]?, firstRow: Int) throws -> PartitionChange {
    let found = try look(for: input, nil)
    var (changes, conflicts) = operations(found, isDelete: isDelete, firstRow: firstRow)
    if mode == .replace { changes = try withRemovals(changes, found.missing, found.tail, layout.primaryKey.map { input[$0]! }) }
    return PartitionChange(view: view, content: .operations(changes), conflictRows: conflicts)
  }

  /// What rows come to, given what was found.
  func operations(_ found: Findings, isDelete: [Bool]?, firstRow: Int) -> (operations: RowOperations, conflictRows: [Int]) {
    var kept: [Int32] = []
    var codes: [RowOperation] = []
    var conflicts: [Int] = []
    for row in 0..<found.rows.rowCount {
      if isDelete?[row] ?? (mode == .delete) {
        guard found.exists[row] else { continue }
        codes.append(.delete)
      } else if !found.exists[row] {
        codes.append(.insert)
      } else {
        if mode == .append { conflicts.append(firstRow + row) }
        guard found.differs[row] else { continue }
        codes.append(.update)
      }
      kept.append(Int32(row))
    }
    let rows = kept.count == found.rows.rowCount ? found.rows : found.rows.take(kept)
    return (RowOperations(rows: rows, codes: codes, primaryKey: layout.primaryKey), conflicts)
  }

  // MARK: Leaves

  /// Looks the keys of rows up in leaves and tails. - Parameter gaps: what the rows lack; nil for nothing.
  func look(for input: Batch, _ gaps: RowGaps?) throws -> Findings {
    let keys = layout.primaryKey.map { input[$0]! }
    // A replacement also asks for what it does not have.
    let fields = layout.schema.fields
    let tail = try mode == .replace ? view.operations(fields, isChecked: true) : view.operations(fields, under: keys)
    if mode == .replace { try requireTruth() }
    var inTail = KeySearch(wantedCount: input.rowCount, storedCount: tail?.count ?? 0)
    if let tail { for (mine, theirs) in zip(tail.keys, keys) { inTail.narrow(stored: mine, wanted: theirs) } }

    let ranges = view.ranges(of: 0..<input.rowCount, keys: keys)
    var tasks = view.leaves.indices.map { index in
      LeafTask(leaf: view.leaves[index], rows: ranges[index], isLast: index == view.leaves.count - 1)
    }
    if mode != .replace { tasks.removeAll { $0.rows.isEmpty } }
    let found = inTail
    let findings = try parallelMap(tasks) { try look(for: $0, input, keys: keys, inTail: found, gaps) }

    var result = Findings(
      rows: input, exists: [Bool](repeating: false, count: input.rowCount), differs: [Bool](repeating: true, count: input.rowCount),
      tail: tail, missing: findings.compactMap(\.missing))
    for (task, finding) in zip(tasks, findings) {
      result.exists.replaceSubrange(task.rows, with: finding.exists)
      result.differs.replaceSubrange(task.rows, with: finding.differs)
    }
    var absent = findings.flatMap(\.absent)
    if let gaps, let tail {
      let pairs = (0..<input.rowCount).filter { row in inTail.match(row).map { tail.codes[$0] != .delete } ?? false }
      absent += absentValues(gaps, in: tail, inTail, pairs)
    }
    result.rows = completed(input, with: absent)
    if let tail {
      compare(result.rows, with: tail, inTail, &result.exists, &result.differs)
      try compareHidden(result.rows, keys, inTail, &result.differs)
    }
    return result
  }

  // MARK: Leaves

  private func look(for task: LeafTask, _ input: Batch, keys: [Column], inTail: KeySearch, _ gaps: RowGaps?) throws -> Finding {
    let stored = try StoredRows(leaf: task.leaf.id, in: view.archive)
    let rows = task.rows
    let wanted = keys.map { $0.slice(from: rows.lowerBound, count: rows.count) }
    let known = mode == .replace ? try soundKeys(of: task, in: stored) : nil
    let search = try LeafSearch.find(wanted, in: stored, layout: layout, known: known)
    let exists = (0..<rows.count).map { search.match($0) != nil }
    var differs = [Bool](repeating: false, count: rows.count)
    var absent: [AbsentValues] = []
    if mode == .upsert || mode == .replace {
      // What a tail has of a key is compared with the tail.
      let pairs = (0..<rows.count).filter { exists[$0] && inTail.match(rows.lowerBound + $0) == nil }
      try compare(input, firstRow: rows.lowerBound, with: stored, search, pairs, gaps, &differs)
      if let gaps { absent = try absentValues(gaps, firstRow: rows.lowerBound, in: stored, search, pairs) }
    }
    return Finding(exists: exists, differs: differs, missing: known.map { missing(from: $0, search) }, absent: absent)
  }

  // MARK: What a replacement relies on

  /// The key columns of a leaf. A replacement is right whatever it replaces: what it would keep must be as it should be, else the
  /// partition is written anew.
  /// - Throws: `TableError` of kind `corrupt` for rows out of order, or others than the tree says.
  private func soundKeys(of task: LeafTask, in stored: StoredRows) throws -> Batch {
    let keys = try stored.read(layout.keySchema.fields)
    let form = KeyForm(layout)
    var isSound = LeafKeys.areOrdered(keys.columns, as: task.leaf)
    if isSound && form.hasBits {
      let found = LeafKeys(keys.columns, form: form, partition: view.number)
      isSound = found.problems.isEmpty && (found.endsAtCut || task.isLast)
    }
    guard isSound else {
      throw TableError(.corrupt, "Cannot read \(stored.name): its rows are not in the order of the key, or not those that its tree says")
    }
    return keys
  }

  /// - Throws: `TableError` of kind `corrupt` when tails say what is not so of what lies below them, and rows were counted by that.
  private func requireTruth() throws {
    let form = KeyForm(layout)
    guard form.hasBits, !view.tails.isEmpty else { return }
    var tails = TailTruth(form, partition: view.number, leaves: view.leaves, archive: view.archive)
    if let problem = try tails.problems(of: [view.tails.map { TailPiece(id: $0.id, rows: $0.rows) }]).first?.problem {
      throw TableError(.corrupt, "Cannot read tail \(problem.tail): \(problem.detail)")
    }
  }

  /// Column by column, the cheap ones first, until each pair is known to differ; columns that a row lacks do not.
  private func compare(
    _ input: Batch, firstRow: Int, with stored: StoredRows, _ search: KeySearch, _ pairs: [Int], _ gaps: RowGaps?, _ differs: inout [Bool]
  ) throws {
    func cost(_ field: Field) -> Int { field.type.byteWidth == nil ? (field.type == .bool ? 1 : 2) : 0 }
    let others = layout.schema.fields.indices.filter { !layout.primaryKey.contains(layout.schema.fields[$0].name) }
    var open = pairs
    for position in others.sorted(by: { cost(layout.schema.fields[$0]) < cost(layout.schema.fields[$1]) }) {
      let asked = gaps.map { gaps in open.filter { !gaps.lacks(position, row: firstRow + $0) } } ?? open
      guard let first = asked.first, let last = asked.last else {
        if open.isEmpty { return }
        continue
      }
      let field = layout.schema.fields[position]
      let rows = Int(search.lower[first])..<Int(search.lower[last]) + 1
      // Values that the column's type cannot hold are hidden, and equal to nothing: what is written over them must be there when the
      // type is widened again.
      let (column, given) = try RowDiff.alike(stored.read(stored.holding([field]), rows: rows).columns[0], input[field.name]!)
      var unequal = [Bool](repeating: false, count: asked.count)
      RowComparison.mark(
        &unequal, column, asked.map { search.lower[$0] - Int32(rows.lowerBound) }, given, asked.map { Int32(firstRow + $0) })
      for (index, pair) in asked.enumerated() where unequal[index] { differs[pair] = true }
      open = open.filter { !differs[$0] }
    }
  }

  /// Rows of a leaf that the input does not have.
  private func missing(from keys: Batch, _ search: KeySearch) -> Batch {
    var isThere = [Bool](repeating: false, count: keys.rowCount)
    for row in search.lower.indices { if let match = search.match(row) { isThere[match] = true } }
    let rows = isThere.indices.filter { !isThere[$0] }
    guard !rows.isEmpty else { return Batch.empty(layout.keySchema) }
    return rows.count == keys.rowCount ? keys : keys.take(rows.map { Int32($0) })
  }

  // MARK: Tails

  private func compare(
    _ input: Batch, with tail: RowOperations, _ inTail: KeySearch, _ exists: inout [Bool], _ differs: inout [Bool]
  ) {
    let pairs = (0..<input.rowCount).filter { inTail.match($0) != nil }
    let left = pairs.map { inTail.lower[$0] }
    let rows = tail.rows.selecting(input.schema.fields.map(\.name))!
    let unequal = RowComparison.differs(rows, left, input, pairs.map { Int32($0) })
    for (index, row) in pairs.enumerated() {
      exists[row] = tail.codes[Int(left[index])] != .delete
      differs[row] = unequal[index]
    }
  }

  /// Marks rows of tails in columns that these have in wider types than the layout: what it cannot hold is equal to nothing.
  private func compareHidden(_ input: Batch, _ keys: [Column], _ inTail: KeySearch, _ differs: inout [Bool]) throws {
    let fields = layout.schema.fields.filter { $0.type != $0.type.widestOfItsClass }
    guard !fields.isEmpty, (0..<input.rowCount).contains(where: { inTail.match($0) != nil }) else { return }
    var widened: [Field] = []
    for tail in view.tails {
      let held = try StoredRows(tail: tail.id, in: view.archive).holding(fields)
      for (field, own) in zip(held, fields) where field.type != own.type && !widened.contains(where: { $0.id == field.id }) {
        widened.append(Field(own.name, own.type.widestOfItsClass, isNullable: true, id: own.id))
      }
    }
    guard !widened.isEmpty,
      let tail = try mode == .replace ? view.operations(widened, isChecked: true) : view.operations(widened, under: keys)
    else { return }
    let pairs = (0..<input.rowCount).filter { inTail.match($0) != nil }
    var unequal = [Bool](repeating: false, count: pairs.count)
    for field in widened {
      let (column, given) = try RowDiff.alike(tail.rows[field.name]!, input[field.name]!)
      RowComparison.mark(&unequal, column, pairs.map { inTail.lower[$0] }, given, pairs.map { Int32($0) })
    }
    for (index, row) in pairs.enumerated() where unequal[index] { differs[row] = true }
  }

  // MARK: Replacements

  /// Adds the removal of all keys that are there and not in the input.
  private func withRemovals(
    _ operations: RowOperations, _ missing: [Batch], _ tail: RowOperations?, _ keys: [Column]
  ) throws -> RowOperations {
    var gone = missing.filter { $0.rowCount > 0 }
    if let tail {
      // What the tails have removed or put in place is for the tails to say.
      gone = gone.map { batch in
        let found = Self.search(batch.columns, in: tail.keys)
        return batch.take(batch.columns[0].rowNumbers.filter { found.match(Int($0)) == nil })
      }
      let found = Self.search(tail.keys, in: keys)
      let own = tail.codes.indices.filter { tail.codes[$0] != .delete && found.match($0) == nil }
      if !own.isEmpty { gone.append(tail.rows.selecting(layout.primaryKey)!.take(own.map { Int32($0) })) }
    }
    guard gone.contains(where: { $0.rowCount > 0 }) else { return operations }
    let removed = Batch.concatenate(gone)
    let sorted = SortKernel.permutation(by: removed.columns).map { removed.take($0) } ?? removed
    let deletes = RowOperations(
      rows: layout.padded(sorted), codes: Array(repeating: .delete, count: sorted.rowCount), primaryKey: layout.primaryKey)
    return RowOperations.compose(operations, deletes).operations
  }

  private static func search(_ wanted: [Column], in stored: [Column]) -> KeySearch {
    var search = KeySearch(wantedCount: wanted[0].count, storedCount: stored[0].count)
    for (mine, theirs) in zip(stored, wanted) { search.narrow(stored: mine, wanted: theirs) }
    return search
  }
}

extension Column {
  fileprivate var rowNumbers: Range<Int32> { 0..<Int32(count) }
}

extension TableLayout {
  /// Rows of some columns by name, with nulls for all others.
  package func padded(_ keys: Batch) -> Batch {
    Batch(
      schema: schema,
      columns: schema.fields.map { keys[$0.name] ?? Column($0.type, repeating: .null, count: keys.rowCount) }, rowCount: keys.rowCount)
  }
}
