import Almanac
import Checks
import Columns
import History
import Tables

/// Holds what the repository gives against what the model says.
struct HistoryComparison {
  private let start: HistoryStart
  /// Roots of sealed versions, by all that they are a function of.
  private var sealedRoots: [String: RootID] = [:]

  init(start: HistoryStart) { self.start = start }

  // MARK: Versions

  /// - Parameters:
  ///   - merge: what the version came of, if it did: what it leaves open is taken as it is found.
  ///   - isOrdered: whether the order of columns is known.
  /// - Returns: the version as it is found.
  @discardableResult func check(
    _ expected: HistoryVersion, is found: ObservedVersion, merge: HistoryMerge? = nil, isOrdered: Bool
  ) throws -> HistoryVersion {
    try checkContract(found)
    var adopted = expected
    if let merge, expected.rows.isEmpty || merge.optionalRows.isSuperset(of: expected.rows.keys), merge.ours.isThere != merge.theirs.isThere
    {
      adopted.isThere = found.root != nil
    }
    guard adopted.isThere == (found.root != nil) else {
      throw HistoryFailure(kind: "version", detail: "there is \(adopted.isThere ? "no" : "a") version of the dataset")
    }
    if !adopted.isThere { adopted.dropped = [] }
    for index in adopted.fields.indices {
      let other = merge?.alternativeFields.first { $0.id == adopted.fields[index].id }
      if let other, found.fields.contains(other) { adopted.fields[index] = other }
    }
    try checkFields(adopted, found, isOrdered: isOrdered)
    adopted.fields = found.fields
    try adoptDropped(&adopted, found, merge)
    try adoptRows(&adopted, found, merge)
    for column in found.contract?.columns ?? [] {
      guard let id = adopted.field(named: column.name)?.id else { continue }
      adopted.previousNames[id] = column.previousName
    }
    return adopted
  }

  /// Rows, contract and layout of a commit agree.
  private func checkContract(_ found: ObservedVersion) throws {
    let contract = (found.contract?.columns ?? []).map { column in
      "\(column.name) \(column.type) \(column.isRequired || column.primaryKeyPosition != nil ? "required" : "nullable") "
        + "key \(column.primaryKeyPosition ?? 0)"
    }
    let layout = found.fields.map { field in
      "\(field.name) \(field.type.dataType) \(field.isRequired ? "required" : "nullable") key \(field.keyPosition ?? 0)"
    }
    guard contract == layout else {
      throw HistoryFailure(kind: "contract and layout", detail: "contract \(contract), layout \(layout)")
    }
    let rows = zip(found.batch.schema.fields, found.batch.columns).map { "\($0.name) \($1.type)" }
    guard rows == found.fields.map({ "\($0.name) \($0.type.dataType)" }), found.commit.datasets["t"]?.rows ?? 0 == found.batch.rowCount
    else {
      throw HistoryFailure(
        kind: "rows and layout",
        detail: "rows \(rows), layout \(layout); \(found.batch.rowCount) rows, the commit says \(found.commit.datasets["t"]?.rows ?? -1)")
    }
  }

  private func checkFields(_ expected: HistoryVersion, _ found: ObservedVersion, isOrdered: Bool) throws {
    let isSame = isOrdered ? expected.fields == found.fields : Set(expected.fields) == Set(found.fields)
    let ids = Set(found.fields.map(\.id))
    guard isSame, ids.count == found.fields.count else {
      func text(_ fields: [HistoryField]) -> String { fields.map { "\($0.text) (\($0.id))" }.joined(separator: ", ") }
      throw HistoryFailure(kind: "columns", detail: "\(text(found.fields)); expected \(text(expected.fields))")
    }
    guard ids.isDisjoint(with: found.dropped) else {
      throw HistoryFailure(
        kind: "dropped",
        detail: "columns of the version are among `dropped`: \(found.fields.filter { found.dropped.contains($0.id) }.map(\.name))")
    }
  }

  /// Which columns of another line of history count as dropped is left to a revert or cherry-pick; where ours had changed nothing,
  /// the version is theirs as it is.
  private func adoptDropped(_ version: inout HistoryVersion, _ found: ObservedVersion, _ merge: HistoryMerge?) throws {
    var needed = version.dropped
    if let merge, version.isThere {
      // What leaves hold values of.
      let own = merge.ours.isThere ? merge.ours : merge.theirs
      needed = own.dropped.union(own.fields.map(\.id)).subtracting(version.fields.map(\.id))
      if merge.ours.looksLike(merge.base) { needed.formIntersection(merge.theirs.dropped) }
      let known = [merge.base, merge.theirs].reduce(version.dropped) { $0.union($1.dropped).union($1.fields.map(\.id)) }
      version.dropped = known.intersection(found.dropped)
    }
    guard needed.isSubset(of: found.dropped), found.dropped == version.dropped else {
      let text = "\(found.dropped.sorted()), expected \(version.dropped.sorted()), at least \(needed.sorted())"
      throw HistoryFailure(kind: "dropped", detail: text)
    }
  }

  private func adoptRows(_ version: inout HistoryVersion, _ found: ObservedVersion, _ merge: HistoryMerge?) throws {
    let keyIDs = version.keyFields.map(\.id)
    let keys = found.rows.map { row in keyIDs.map { row[$0]! } }
    let inOrder = keys.sorted(by: isBefore)
    guard keys == inOrder, Set(keys).count == keys.count else {
      throw HistoryFailure(kind: "order of rows", detail: "\(keys.map(\.text)), expected \(inOrder.map(\.text))")
    }
    var differences: [String] = []
    for (key, row) in zip(keys, found.rows) {
      guard version.rows[key] != nil else {
        differences.append("row \(key.text) should be gone")
        continue
      }
      for field in version.fields where row[field.id] != version.value(field.id, of: key) {
        let other = merge?.alternatives[key]?[field.id]
        if row[field.id] == other {
          version.rows[key]![field.id] = other
        } else {
          differences.append("\(field.name) of \(key.text) is \(row[field.id]!.text), expected \(version.value(field.id, of: key).text)")
        }
      }
    }
    for key in Set(version.rows.keys).subtracting(keys) {
      if merge?.optionalRows.contains(key) == true {
        version.rows[key] = nil
      } else {
        differences.append("row \(key.text) is missing")
      }
    }
    guard differences.isEmpty else { throw HistoryFailure(kind: "rows", detail: differences.sorted().joined(separator: "; ")) }
  }

  private func isBefore(_ first: HistoryKey, _ second: HistoryKey) -> Bool {
    let partitions = (start.partition(first), start.partition(second))
    if partitions.0 != partitions.1 { return partitions.0 < partitions.1 }
    for (a, b) in zip(first, second) where a != b {
      switch (a, b) {
      case (.int(let a), .int(let b)), (.time(let a), .time(let b)): return a < b
      case (.text(let a), .text(let b)): return a < b
      default: return false
      }
    }
    return false
  }

  /// A checkout of all columns into a file.
  func checkFile(_ version: HistoryVersion, _ batch: Batch) throws {
    // Lines of JSON without a row name no columns.
    guard batch.rowCount == version.rows.count, batch.rowCount == 0 || batch.schema.fields.map(\.name) == version.fields.map(\.name) else {
      throw HistoryFailure(kind: "checkout", detail: "\(batch.rowCount) rows of \(batch.schema.fields.map(\.name))")
    }
    let expected = version.rows.map { key, _ in version.fields.map { version.value($0.id, of: key).csv }.joined(separator: ",") }.sorted()
    let found = batch.rows.map { row in
      // Text formats tell their reader less of types.
      zip(row, version.fields).map { HistoryValue($0).read(as: $1.type).csv }.joined(separator: ",")
    }.sorted()
    guard found == expected else { throw HistoryFailure(kind: "checkout", detail: "\(found), expected \(expected)") }
  }

  /// A sealed version has no other root than the same version sealed before.
  mutating func checkSealed(_ version: HistoryVersion, _ found: ObservedVersion) throws {
    let rows = version.visibleRows.map { key, row in
      "\(key.text): \(version.fields.map { row[$0.id]!.text })"
    }.sorted()
    let content = "\(version.fields) \(version.dropped.sorted()) \(rows)"
    guard sealedRoots[content] ?? found.root == found.root else {
      throw HistoryFailure(kind: "law one", detail: "a sealed version has another root than the same one sealed before")
    }
    sealedRoots[content] = found.root
  }

  // MARK: Outcomes

  func checkRefused(_ merge: HistoryMerge, _ text: String) throws {
    guard merge.misfits.isEmpty, merge.openings.isEmpty else { return }
    let expected =
      merge.strategy == .fail && !merge.conflicts.isEmpty ? "conflicts \(merge.conflicts.map(\.text).sorted())" : "a clean result"
    throw HistoryFailure(kind: "refused", detail: "\(text); expected \(expected)")
  }

  func checkConflict(_ merge: HistoryMerge, _ report: MergeReport) throws {
    if merge.strategy == .fail, !merge.conflicts.isEmpty || !merge.misfits.isEmpty { return try checkRows(of: merge, report) }
    guard merge.openings.isEmpty else { return }
    throw HistoryFailure(kind: "conflict without cause", detail: report.texts.joined(separator: "; "))
  }

  /// Where rows alone conflict, they are the reported ones.
  private func checkRows(of merge: HistoryMerge, _ report: MergeReport) throws {
    guard merge.openings.isEmpty, merge.optionalRows.isEmpty, merge.misfits.isEmpty, merge.conflicts.allSatisfy({ !$0.rows.isEmpty }) else {
      return
    }
    let expected = merge.conflicts.reduce(into: Set<HistoryKey>()) { $0.formUnion($1.rows) }
    let found = Set(report.rowConflicts.map { $0.row.key.map { HistoryValue($0.value) } })
    guard found == expected else {
      throw HistoryFailure(
        kind: "reported conflicts", detail: "\(report.texts.joined(separator: "; ")), expected \(merge.conflicts.map(\.text).sorted())")
    }
  }

  func checkUpToDate(_ merge: HistoryMerge) throws {
    try checkMerged(merge)
    guard merge.result.looksLike(merge.ours) else {
      throw HistoryFailure(kind: "up to date", detail: "nothing was done where there is something to do")
    }
  }

  func checkMerged(_ merge: HistoryMerge) throws {
    if merge.strategy == .fail, merge.conflicts.count > merge.optionalRows.count {
      throw HistoryFailure(kind: "conflict missed", detail: merge.conflicts.map(\.text).sorted().joined(separator: "; "))
    }
    guard merge.misfits.isEmpty else {
      throw HistoryFailure(kind: "misfit accepted", detail: merge.misfits.joined(separator: "; "))
    }
  }
}

extension HistoryValue {
  /// A value of a text file as one of the column's type.
  func read(as type: HistoryType) -> HistoryValue {
    switch (self, type) {
    case (.int(let value), .float32), (.int(let value), .float64): .number(Double(value))
    case (.text(let value), .timestamp): .text(value)
    default: self
    }
  }
}
