import Checks
import Columns
import History
import Tables

/// Three-way merge of one dataset that both sides changed, contract and rows, decided for the first side.
struct DatasetMerge {
  struct Side {
    let version: TableVersion?
    let contract: Contract?
    /// The layout under the contract, of which the stored version may lack the newest columns.
    let layout: TableLayout?

    init(version: TableVersion?, contract: Contract?) throws {
      self.version = version
      self.contract = contract
      layout = try contract.map { try $0.layout(evolving: version?.layout) } ?? version?.layout
    }

    /// A side without rows.
    init(contract: Contract, layout: TableLayout) {
      version = nil
      self.contract = contract
      self.layout = layout
    }
  }

  /// Of which rows the rules of the result are asked: of all that come to our side, and of our own when the rules are new to them.
  struct Asks {
    /// Whether the first side is the one that the result is for.
    var isOursFirst = true
    /// A revert or cherry-pick, which brings a rule as `apply` does: our own rows are not asked.
    var isRewrite = false
  }

  let archive: Archive
  let policy: TailPolicy
  let name: String
  /// Conflicts end the merge otherwise.
  let isSettled: Bool
  /// Whether the outcome is the base of another merge, from ancestors that nobody has merged: it is not checked and not written, and
  /// `disputes` says what conflicts.
  let isBase: Bool
  let base: Side
  let first: Side
  let second: Side
  /// What the base has no value of its own for.
  let known: DatasetDisputes
  let asks: Asks

  private(set) var ref: DatasetRef?
  /// The rows where the outcome is a base.
  private(set) var version: TableVersion?
  private(set) var disputes = DatasetDisputes()
  /// The sides are keyed or divided otherwise.
  private(set) var cannotMatchRows = false
  /// What the archive holds for `version`.
  private(set) var held: TailID?
  private(set) var contract: Contract?
  /// What the columns have come to.
  private(set) var layout: TableLayout?
  private(set) var rowConflicts: [RowMerge.Conflict] = []
  private(set) var definitionConflicts: [DefinitionConflict] = []
  private(set) var verdict: Verdict?
  private(set) var counts: (added: Int, changed: Int, removed: Int)?

  init(
    archive: Archive, policy: TailPolicy, name: String, isSettled: Bool, base: Side, first: Side, second: Side,
    known: DatasetDisputes = DatasetDisputes(), asks: Asks = Asks(), isBase: Bool = false
  ) {
    self.known = known
    self.asks = asks
    self.isBase = isBase
    self.archive = archive
    self.policy = policy
    self.name = name
    self.isSettled = isSettled
    self.base = base
    self.first = first
    self.second = second
  }

  private var hasConflicts: Bool { !rowConflicts.isEmpty || !definitionConflicts.isEmpty }

  mutating func run(_ draft: inout Draft) throws {
    guard var mine = first.layout, var theirs = second.layout else { return }
    // Without rows, leaves have no size.
    if first.version == nil { mine = mine.withLeafRows(theirs.leafRowCount) }
    if second.version == nil { theirs = theirs.withLeafRows(mine.leafRowCount) }
    let start = ColumnProperty.base(
      base.version == nil ? base.layout?.withLeafRows(0) : base.layout, first: mine, second: theirs, disputed: known.columns)
    var layouts = LayoutMerge(base: start, first: mine, second: theirs)
    let kept = try fieldsToKeep(layouts)
    if !kept.isEmpty { layouts = LayoutMerge(base: start, first: mine, second: theirs, keeping: kept) }
    definitionConflicts += layouts.conflicts.map {
      DefinitionConflict(object: "dataset \(name)", what: $0.what, base: $0.base, first: $0.first, second: $0.second)
    }
    noteColumns(layouts, mine, theirs)
    try mergeContracts(layouts.layout, mine, theirs)
    let merged = contract?.leafRows.map { layouts.layout.withLeafRows($0) } ?? layouts.layout
    layout = merged
    guard RowLayouts.canBeMerged(mine, theirs) else {
      // Rows that are keyed or divided otherwise cannot be matched: settled, the first side's stay.
      contract = first.contract
      layout = first.layout
      cannotMatchRows = true
      return take(first.version)
    }
    // Settled conflicts of definitions leave a layout that is still good for the rows; others end here.
    if hasConflicts && !isSettled && !definitionConflicts.isEmpty { return take(first.version) }
    if let contract, !contract.agrees(with: merged) {
      throw AlmanacError(
        .failed,
        "The result for \(name) was refused: the merged contract does not have the columns of the merged rows; nothing was changed",
        hint: "Bring the contract of one of the branches in line with the other's, then try again.")
    }
    do {
      try first.version?.checkFit(under: merged)
      try mergeRows(merged, &draft)
    } catch let error as ValueMisfit {
      let key = error.key.map { "\($0.name)=\($0.value.text)" }.joined(separator: ", ")
      throw AlmanacError(
        .failed,
        "The result for \(name) was refused: column \(error.field.name) would be \(error.field.type), which cannot hold "
          + "\(error.value.text) exactly, the value of the row \(key); nothing was changed",
        hint: "Change that row on one of the branches, or give the column the wider type in the contract, then try again.")
    }
  }

  /// Properties of columns that are in conflict because the base has none of its own for them.
  private mutating func noteColumns(_ layouts: LayoutMerge, _ mine: TableLayout, _ theirs: TableLayout) {
    let open = known.columns.filter { $0.differs(mine, theirs) }.map { ($0, $0.what([mine, theirs])) }
    for (property, what) in open.sorted(by: { $0.1 < $1.1 }) {
      guard !definitionConflicts.contains(where: { $0.what == what }) else { continue }
      definitionConflicts.append(
        DefinitionConflict(
          object: "dataset \(name)", what: what, base: nil, first: property.text(mine), second: property.text(theirs)))
    }
    guard isBase else { return }
    disputes.columns = ColumnProperty.disputes(
      base: base.layout, first: mine, second: theirs, known: known.columns, conflicts: layouts.conflicts)
    disputes.columns.formUnion(disputes.cells.fields.map { .presence($0) })
  }

  private mutating func take(_ version: TableVersion?) {
    self.version = version
    ref = version.map { DatasetRef(root: $0.rootID, rows: $0.rowCount) }
  }

  /// Fields that the second side dropped and the first one has given new values, or the other way round: a conflict.
  private mutating func fieldsToKeep(_ layouts: LayoutMerge) throws -> Set<Int32> {
    var kept: Set<Int32> = []
    if !layouts.droppedBySecond.isEmpty, let version = first.version {
      let found = try RowMerge.edits(of: layouts.droppedBySecond, from: base.version, to: version, isFirst: true, disputed: known.cells)
      rowConflicts += found.conflicts
      disputes.cells.formUnion(found.cells)
      kept = found.fields
    }
    if !layouts.droppedByFirst.isEmpty, let version = second.version {
      let found = try RowMerge.edits(
        of: layouts.droppedByFirst, from: base.version, to: version, isFirst: false, disputed: known.cells)
      rowConflicts += found.conflicts
      disputes.cells.formUnion(found.cells)
    }
    return kept
  }

  private mutating func mergeContracts(
    _ merged: TableLayout, _ mine: TableLayout, _ theirs: TableLayout
  ) throws {
    // What one side alone changed is taken as it is, unless the columns have become others by what both did.
    contract = first.contract != base.contract || first.contract == second.contract ? first.contract : second.contract
    let isDisputed = known.isContractDisputed || !known.contract.isEmpty
    let isOneSided =
      first.contract == second.contract || !isDisputed && (second.contract == base.contract || first.contract == base.contract)
    if isOneSided, contract?.agrees(with: merged) ?? true { return }
    contract = first.contract
    guard let own = first.contract, let other = second.contract, !known.isContractDisputed else {
      if known.isContractDisputed || first.contract != base.contract && second.contract != base.contract {
        disputes.isContractDisputed = true
        definitionConflicts.append(
          DefinitionConflict(
            object: "dataset \(name)",
            what: known.isContractDisputed ? "contract" : "contract removed on one side, changed on the other",
            base: known.isContractDisputed ? nil : base.contract?.version,
            first: first.contract?.version, second: second.contract?.version))
      }
      return
    }
    let old = base.contract.flatMap { contract in base.layout.map { ContractMerge.Side(contract: contract, layout: $0) } }
    var merge = ContractMerge(
      base: old, first: .init(contract: own, layout: mine), second: .init(contract: other, layout: theirs), merged: merged,
      disputed: known.contract)
    contract = try merge.contract()
    definitionConflicts += merge.conflicts
    disputes.contract = merge.disputes
  }

  // MARK: Rows

  private mutating func mergeRows(_ layout: TableLayout, _ draft: inout Draft) throws {
    let (old, mine, theirs) = (base.version?.rootID, first.version?.rootID, second.version?.rootID)
    if mine == theirs || theirs == old && known.cells.isEmpty { return try takeWhole(first, isFirst: true, layout, &draft) }
    if mine == old && known.cells.isEmpty { return try takeWhole(second, isFirst: false, layout, &draft) }
    guard let ownLayout = first.layout, let otherLayout = second.layout else { return take(first.version) }
    // A side without a version has removed every row.
    let own = first.version ?? .empty(ownLayout, in: archive)
    let other = second.version ?? .empty(otherLayout, in: archive)
    let merge = try RowMerge(
      base: base.version, first: own, second: other, layout: layout,
      withFirstRows: contract != nil && asksRows(of: first, isFirst: true) && !isBase, disputed: known.cells, isBase: isBase)
    rowConflicts += merge.conflicts
    disputes.cells.formUnion(merge.disputes)
    if !rowConflicts.isEmpty && !isSettled { return take(own) }
    if isBase {
      (version, held) = try own.changed(merge.change, under: layout)
      return
    }
    let isOwn = asks.isOursFirst
    // Before anything is written, so that what the columns cannot hold is refused with its keys.
    let found = try examined(own: isOwn ? [merge.firstRows] : [], coming: (isOwn ? [] : [merge.firstRows]) + [merge.change.upserts])
    let content: TableContent
    if own.layout.leafRowCount == layout.leafRowCount {
      content = try write(merge.change, onto: own, layout)
      counts = (content.addedCount, content.changedCount, content.removedCount)
    } else {
      content = try writeAnew(merge.change, onto: own, layout)
    }
    try conclude(found, rowCount: content.rowCount)
    ref = DatasetRef(root: content.addRoot(to: &draft), rows: content.rowCount)
  }

  /// One side's version as it is, unless the merged columns are others.
  private mutating func takeWhole(_ side: Side, isFirst: Bool, _ layout: TableLayout, _ draft: inout Draft) throws {
    take(side.version)
    guard let version = side.version else { return }
    try version.checkFit(under: layout)
    try checkWhole(side, version, isFirst: isFirst, layout)
    if version.layout != layout {
      let none = RowChange(upserts: .empty(layout.schema), deletes: .empty(layout.keySchema))
      let stale = RowChange(upserts: try version.staleRows(under: layout, beside: none), deletes: none.deletes)
      if isBase {
        (self.version, held) = try version.changed(stale, under: layout)
        return
      }
      ref =
        stale.isEmpty
        ? try version.addRoot(under: layout, to: &draft)
        : DatasetRef(root: try write(stale, onto: version, layout).addRoot(to: &draft), rows: version.rowCount)
    }
  }

  /// Asks the contract of the result about the rows that a side has changed under another one.
  private mutating func checkWhole(_ side: Side, _ version: TableVersion, isFirst: Bool, _ layout: TableLayout) throws {
    guard contract != nil, !isBase, asksRows(of: side, isFirst: isFirst), contract != side.contract || version.layout != layout
    else { return }
    let rows = try RowMerge(base: base.version, first: version, second: base.version, layout: layout, withFirstRows: true).firstRows
    let isOwn = isFirst == asks.isOursFirst
    try conclude(examined(own: isOwn ? [rows] : [], coming: isOwn ? [] : [rows]), rowCount: version.rowCount)
  }

  /// Whether the contract of the result is asked about what a side has changed.
  private func asksRows(of side: Side, isFirst: Bool) -> Bool { isFirst != asks.isOursFirst || contract != side.contract }

  private func write(_ change: RowChange, onto version: TableVersion?, _ layout: TableLayout) throws -> TableContent {
    switch try TableWriter(archive: archive, layout: layout, policy: policy).apply(change, onto: version) {
    case .content(let content): return content
    case .conflict(let conflict):
      let key = conflict.firstKey.map { "\($0.name)=\($0.value.text)" }.joined(separator: ", ")
      throw AlmanacError(.io, "Cannot merge \(name): the merged changes name a key twice (\(key))")
    }
  }

  /// A version with leaves of another size than before, as where both sides had their first rows under other columns.
  /// - Complexity: O(rows) in memory
  private func writeAnew(_ change: RowChange, onto version: TableVersion, _ layout: TableLayout) throws -> TableContent {
    let (whole, held) = try version.changed(change, under: layout)
    defer { if let held { archive.releaseTail(held) } }
    return try write(RowChange(upserts: whole.read(), deletes: change.deletes.slice(from: 0, count: 0)), onto: nil, layout)
  }

  /// The gate, on the rows that have not passed it under this contract.
  /// - Parameters:
  ///   - own: rows of our side, of which a revert or cherry-pick asks no more than that they fit the columns.
  ///   - coming: rows that come to it.
  /// - Returns: nil without a contract.
  private func examined(own: [Batch], coming: [Batch]) throws -> Verdict? {
    guard let contract else { return nil }
    if asks.isRewrite {
      var columns = contract
      columns.rules = []
      try require(Self.gate(columns, own).verdict())
    }
    let verdict = try Self.gate(contract, asks.isRewrite ? coming : own + coming).verdict()
    try require(verdict.aboutRows())
    return verdict
  }

  /// What only the dataset that results shows.
  private mutating func conclude(_ found: Verdict?, rowCount: Int) throws {
    guard var verdict = found else { return }
    // A number of rows that stays breaks no rule that it did not break before.
    let before = (asks.isOursFirst ? first : second).version?.rowCount
    if asks.isRewrite && rowCount == before { verdict = verdict.aboutRows() }
    verdict.noteDuplicateKeys(count: 0, first: [])
    verdict.noteDatasetRowCount(rowCount)
    self.verdict = verdict
    try require(verdict)
  }

  private func require(_ verdict: Verdict) throws {
    guard verdict.passed || !rowConflicts.isEmpty && !isSettled else { throw MergeGate.refusal(by: verdict) }
  }

  private static func gate(_ contract: Contract, _ batches: [Batch]) throws -> Gate {
    var gate = try Gate(contract: contract)
    var firstRow = 0
    for batch in batches where batch.rowCount > 0 {
      // The hidden key of a log is no column of its contract.
      let visible = contract.kind == .log ? batch.dropping(LogKey.names) : batch
      let rows = try gate.conform(visible, source: "the merged rows", firstRow: firstRow)
      gate.check(rows, firstRow: firstRow)
      firstRow += rows.rowCount
    }
    return gate
  }
}

/// Whether rows of two layouts can be matched by key.
private enum RowLayouts {
  static func canBeMerged(_ a: TableLayout, _ b: TableLayout) -> Bool {
    a.partitioning == b.partitioning && a.keySchema.fields.map(\.id) == b.keySchema.fields.map(\.id)
  }
}
