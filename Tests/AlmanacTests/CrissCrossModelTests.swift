import Columns
import Foundation
import History
import Tables
import Testing

@testable import Almanac

/// Random histories of commits, merges of every shape, cherry-picks and reverts, against `MergeModel`.
///
/// ALMANAC_SEEDS=1000 runs more histories than the usual few.
@Suite struct CrissCrossModelTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 4

  @Test func historiesComeToWhatTheModelSays() throws {
    var (conflictCount, crossCount, cleanCount) = (0, 0, 0)
    for seed in 0..<UInt64(Self.seedCount) {
      var history = try RandomMerges(seed: seed)
      try history.run(stepCount: 26)
      conflictCount += history.conflictCount
      crossCount += history.crossCount
      cleanCount += history.cleanCrossCount
    }
    // Of merges over several bases some conflict and some do not.
    #expect(crossCount > Self.seedCount && cleanCount > 0 && conflictCount > 0, "\(crossCount) \(cleanCount) \(conflictCount)")
  }
}

/// One random history, in the repository and in the model.
private struct RandomMerges {
  private let seed: UInt64
  private var random: SplitMix
  private let store: SimulatedRepository
  private let isPartitioned: Bool
  private var model = MergeModel()
  /// Of the model's commits.
  private var ids: [CommitID] = []
  private var tips: [String: Int] = [:]
  private var step = 0

  private(set) var conflictCount = 0
  private(set) var crossCount = 0
  private(set) var cleanCrossCount = 0

  private var repository: Repository { store.repository }
  private let branches = ["main", "b", "c"]
  private let columns = ["a", "b"]

  init(seed: UInt64) throws {
    self.seed = seed
    random = SplitMix(seed)
    store = try SimulatedRepository(Workshop())
    isPartitioned = seed % 2 == 1
    var contract = EvolvingContract([("a", "int32"), ("b", "int64")])
    if !isPartitioned {
      contract.keys.removeLast()
      contract.settings = "leafRows: 16"
    } else {
      contract.settings += ", leafRows: 16"
    }
    try store.workshop.declare("schemas/t.yaml", contract.yaml)
    _ = try repository.apply(plan: false)
    var table: MergeModel.Table = [:]
    // Most of them are never touched: they make leaves that a small change does not rewrite.
    for key in 0..<40 { table[key] = MergeModel.Row(cells: [0, 0]) }
    try write(table, .append, branch: "main")
    note("main", [], table)
    for name in branches.dropFirst() {
      try repository.createBranch(name, at: "main")
      tips[name] = 0
    }
  }

  private mutating func note(_ branch: String, _ parents: [Int], _ table: MergeModel.Table) {
    tips[branch] = model.add(parents, table)
    if let id = try? repository.resolve(branch) { ids.append(id) }
  }

  private func write(_ rows: MergeModel.Table, _ mode: ChangeMode, branch: String) throws {
    let lines = rows.sorted { $0.key < $1.key }.map { key, row in
      let at = isPartitioned ? ",2026-0\(key % 3 + 1)-01T00:00:00Z" : ""
      return "\(key)\(at),\(row.cells.map { $0.map(String.init) ?? "" }.joined(separator: ","))"
    }
    let header = isPartitioned ? "k,at,a,b" : "k,a,b"
    let file = try store.workshop.write("rows.csv", ([header] + lines).joined(separator: "\n") + "\n")
    _ = try repository.commit([CommitInput(dataset: "t", path: file)], mode: mode, message: "\(step)", branch: branch)
  }

  private func table(_ branch: String) throws -> MergeModel.Table {
    let rows = try repository.table("t", at: repository.resolve(branch)).read(columns: ["k", "a", "b"]).rows
    return Dictionary(
      uniqueKeysWithValues: rows.map { row in (Int(row[0].int ?? -1), MergeModel.Row(cells: row[1...].map { $0.int.map(Int.init) })) })
  }

  private mutating func check(_ branch: String) throws {
    let found = try table(branch)
    let wanted = model.commits[tips[branch]!].table
    #expect(found == wanted, "seed \(seed), step \(step), branch \(branch)")
  }

  mutating func run(stepCount: Int) throws {
    for number in 0..<stepCount {
      step = number
      let branch = branches.randomElement(using: &random)!
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: try change(branch)
      case 4: try pick(branch)
      case 5, 6: try merge(tips[branches.randomElement(using: &random)!]!, into: branch)
      default:
        // Crosswise: each takes what the other was before.
        let other = branches.filter { $0 != branch }.randomElement(using: &random)!
        let (mine, theirs) = (tips[branch]!, tips[other]!)
        try merge(theirs, into: branch)
        if Bool.random(using: &random) { try change(other) }
        try merge(mine, into: other)
      }
    }
    #expect(try store.damage() == [], "seed \(seed)")
  }

  // MARK: Steps

  private mutating func change(_ branch: String) throws {
    let tip = tips[branch]!
    var table = model.commits[tip].table
    let keys = Set((0..<Int.random(in: 1...2, using: &random)).map { _ in Int.random(in: 0..<5, using: &random) })
    let isDelete = Int.random(in: 0..<5, using: &random) == 0
    var rows: MergeModel.Table = [:]
    for key in keys {
      var row = table[key] ?? MergeModel.Row(cells: [nil, 0])
      row.cells[Int.random(in: 0..<2, using: &random)] = [nil, 0, 1, 2].randomElement(using: &random)!
      rows[key] = row
      table[key] = isDelete ? nil : row
    }
    guard table != model.commits[tip].table else { return }
    try write(rows, isDelete ? .delete : .upsert, branch: branch)
    note(branch, [tip], table)
    try check(branch)
  }

  private mutating func merge(_ other: Int, into branch: String) throws {
    let tip = tips[branch]!
    if model.ancestors([tip]).contains(other) {
      #expect(try repository.merge(ids[other].description, into: branch).outcome == .upToDate, "seed \(seed), step \(step)")
      return
    }
    if model.ancestors([other]).contains(tip) {
      #expect(try repository.merge(ids[other].description, into: branch).outcome == .fastForward, "seed \(seed), step \(step)")
      tips[branch] = other
      return
    }
    let bases = model.bases([tip], [other])
    let outcome = model.merge(tip, other)
    if bases.count > 1 {
      crossCount += 1
      if outcome.conflicts.isEmpty { cleanCrossCount += 1 }
    }
    let report = try repository.merge(ids[other].description, into: branch)
    #expect(report.bases == bases.reversed().map { ids[$0] }, "seed \(seed), step \(step)")
    expect(report, outcome, model.commits[tip].table, model.commits[other].table)
    var table = outcome.table
    if !outcome.conflicts.isEmpty {
      conflictCount += 1
      let strategy: MergeStrategy = Bool.random(using: &random) ? .ours : .theirs
      #expect(try repository.merge(ids[other].description, into: branch, strategy: strategy).outcome == .merged)
      if strategy == .theirs { table = model.merge(other, tip).table }
    }
    note(branch, [tip, other], table)
    try check(branch)
  }

  /// A cherry-pick or a revert: a merge over the commit's parent, or over the commit.
  private mutating func pick(_ branch: String) throws {
    let tip = tips[branch]!
    let commit = Int.random(in: 0..<model.commits.count, using: &random)
    guard let parent = model.commits[commit].parents.first else { return }
    let isRevert = Bool.random(using: &random)
    let (base, theirs) = isRevert ? (commit, parent) : (parent, commit)
    let (ours, other) = (model.commits[tip].table, model.commits[theirs].table)
    let outcome = MergeModel.merge(base: model.commits[base].table, ours, other)
    try repository.switchBranch(to: branch)
    func bring(_ strategy: MergeStrategy) throws -> MergeReport {
      let spec = ids[commit].description
      return isRevert ? try repository.revert(spec, strategy: strategy) : try repository.cherryPick(spec, strategy: strategy)
    }
    let report = try bring(.fail)
    if report.outcome == .upToDate {
      #expect(outcome.table == ours && outcome.conflicts.isEmpty, "seed \(seed), step \(step)")
      return
    }
    expect(report, outcome, ours, other)
    var table = outcome.table
    if !outcome.conflicts.isEmpty {
      if try bring(.theirs).outcome == .upToDate { return }
      table = MergeModel.merge(base: model.commits[base].table, other, ours).table
    }
    note(branch, [tip], table)
    try check(branch)
  }

  // MARK: Conflicts

  private func expect(_ report: MergeReport, _ outcome: MergeModel.Outcome, _ ours: MergeModel.Table, _ theirs: MergeModel.Table) {
    #expect(report.outcome == (outcome.conflicts.isEmpty ? .merged : .conflict), "seed \(seed), step \(step): \(outcome.conflicts)")
    #expect(report.definitionConflicts.isEmpty, "seed \(seed), step \(step)")
    var found: [Int: MergeModel.Conflict] = [:]
    for conflict in report.rowConflicts.map(\.row) {
      let key = Int(conflict.key[0].value.int ?? -1)
      let cells = Set(conflict.columns.compactMap { columns.firstIndex(of: $0) })
      let kind = MergeModel.Conflict.Kind(rawValue: conflict.kind.rawValue) ?? .update
      #expect(found[key] == nil)
      found[key] = MergeModel.Conflict(kind: kind, cells: kind == .delete ? [] : cells, base: conflict.base.map(cellsByNumber))
      // Labels are those of whoever merges.
      #expect(
        conflict.first.map(cellsByNumber) == ours[key].map { Dictionary(uniqueKeysWithValues: $0.cells.enumerated().map { ($0, $1) }) })
      #expect(
        conflict.second.map(cellsByNumber) == theirs[key].map { Dictionary(uniqueKeysWithValues: $0.cells.enumerated().map { ($0, $1) }) })
    }
    #expect(found == outcome.conflicts, "seed \(seed), step \(step)")
  }

  private func cellsByNumber(_ values: RowDiff.Values) -> [Int: Int?] {
    var cells: [Int: Int?] = [:]
    for (name, value) in values { if let number = columns.firstIndex(of: name) { cells[number] = .some(value.int.map(Int.init)) } }
    return cells
  }
}
