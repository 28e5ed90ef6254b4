import Columns
import Foundation
import History
import Tables
import Testing

@testable import Almanac

/// Random histories of appends, merges, picks and reverts of a log, against sets of rows.
///
/// ALMANAC_SEEDS=1000 runs more histories than the usual few.
@Suite struct LogMergeModelTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 3

  @Test func historiesAreThreeWayUnions() throws {
    for seed in 0..<UInt64(Self.seedCount) {
      var history = try RandomLog(seed: seed)
      try history.run(stepCount: 24)
    }
  }
}

/// One random history. Rows are numbers: equal ones are told apart by them, and their values repeat.
private struct RandomLog {
  private let seed: UInt64
  private var random: SplitMix
  private let store: SimulatedRepository
  private var rows: [Set<Int>] = []
  private var parents: [[Int]] = []
  private var ids: [CommitID] = []
  private var tips: [String: Int] = [:]
  /// The batch of each row, which it keeps.
  private var batches: [Int: Scalar] = [:]
  private var step = 0

  private var repository: Repository { store.repository }
  private let branches = ["main", "b", "c"]

  init(seed: UInt64) throws {
    self.seed = seed
    random = SplitMix(seed)
    store = try SimulatedRepository(Workshop())
    let settings = ["eventTime: at", "eventTime: at, sort: [v, at], partition: none", "evolution: backward"][Int(seed % 3)]
    var contract = LogMergeTests.contract([("v", "int32"), ("n", "int64")], settings: "\(settings), leafRows: 16")
    contract.columns[1].isRequired = true
    try store.workshop.declare("schemas/t.yaml", contract.yaml)
    _ = try repository.apply(plan: false)
    note("main", [], [])
    for name in branches.dropFirst() {
      try repository.createBranch(name, at: "main")
      tips[name] = 0
    }
    for _ in 0..<2 { try append("main", count: 20) }
  }

  private mutating func note(_ branch: String, _ parents: [Int], _ rows: Set<Int>) {
    self.parents.append(parents)
    self.rows.append(rows)
    tips[branch] = self.rows.count - 1
    if let id = try? repository.resolve(branch) { ids.append(id) }
  }

  private func ancestors(_ start: [Int]) -> Set<Int> {
    var seen = Set(start)
    var open = start
    while let next = open.popLast() { for parent in parents[next] where seen.insert(parent).inserted { open.append(parent) } }
    return seen
  }

  private static func merge(_ base: Set<Int>, _ ours: Set<Int>, _ theirs: Set<Int>) -> Set<Int> {
    ours.intersection(theirs).union(ours.subtracting(base)).union(theirs.subtracting(base))
  }

  private func base(_ commits: [Int]) -> Set<Int> {
    guard let first = commits.first else { return [] }
    return commits.indices.dropFirst().reduce(rows[first]) { set, index in
      let behind = bases(Array(commits[..<index]), [commits[index]])
      return Self.merge(base(behind), set, rows[commits[index]])
    }
  }

  private func bases(_ a: [Int], _ b: [Int]) -> [Int] {
    let common = ancestors(a).intersection(ancestors(b))
    return common.filter { one in !common.contains { $0 != one && ancestors([$0]).contains(one) } }.sorted()
  }

  mutating func run(stepCount: Int) throws {
    for number in 0..<stepCount {
      step = number
      let branch = branches.randomElement(using: &random)!
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4: try append(branch, count: Int.random(in: 1...3, using: &random))
      case 4, 5: try pick(branch)
      case 6: try merge(tips[branches.randomElement(using: &random)!]!, into: branch)
      default:
        let other = branches.filter { $0 != branch }.randomElement(using: &random)!
        let (mine, theirs) = (tips[branch]!, tips[other]!)
        try merge(theirs, into: branch)
        try merge(mine, into: other)
      }
      if Int.random(in: 0..<8, using: &random) == 0 { _ = try repository.seal(branch: branch) }
      try resync(branch)
    }
    _ = try repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
    for branch in branches { try check(branch) }
    #expect(try store.damage() == [], "seed \(seed)")
  }

  /// A seal is a commit with the same rows.
  private mutating func resync(_ branch: String) throws {
    guard try repository.resolve(branch) != ids[tips[branch]!] else { return }
    note(branch, [tips[branch]!], rows[tips[branch]!])
  }

  /// Number, batch and value. A version without rows may be none.
  private func stored(_ branch: String) throws -> [[Scalar]] {
    guard let root = try repository.commit(repository.resolve(branch)).datasets["t"]?.root else { return [] }
    return try TableVersion(archive: repository.archive, root: root).read(columns: ["n", "_almanac_batch", "v"]).rows
  }

  private mutating func check(_ branch: String) throws {
    let found = try stored(branch)
    let numbers = found.map { Int($0[0].int ?? -1) }
    #expect(Set(numbers) == rows[tips[branch]!] && Set(numbers).count == numbers.count, "seed \(seed), step \(step), branch \(branch)")
    for (number, row) in zip(numbers, found) {
      #expect(batches[number] == row[1] && row[2].int == Int64(number % 3), "seed \(seed), step \(step), row \(number)")
    }
  }

  private mutating func append(_ branch: String, count: Int) throws {
    let new = (0..<count).map { batches.count + $0 }
    let lines = new.map { "2026-0\($0 % 2 + 2)-01T00:00:00Z,\($0 % 3),\($0)" }
    let file = try store.workshop.write("rows.csv", (["at,v,n"] + lines).joined(separator: "\n") + "\n")
    let tip = tips[branch]!
    let before = rows[tip].compactMap { batches[$0] }.map(Self.bytes)
    _ = try repository.commit([CommitInput(dataset: "t", path: file)], mode: .append, message: "\(step)", branch: branch)
    let found = try stored(branch)
    for row in found where batches[Int(row[0].int ?? -1)] == nil { batches[Int(row[0].int ?? -1)] = row[1] }
    let batch = Self.bytes(batches[new[0]] ?? .null)
    #expect(before.allSatisfy { $0.lexicographicallyPrecedes(batch) }, "seed \(seed), step \(step)")
    note(branch, [tip], rows[tip].union(new))
    try check(branch)
  }

  private static func bytes(_ value: Scalar) -> [UInt8] { if case .binary(let bytes) = value { bytes } else { [] } }

  private mutating func merge(_ other: Int, into branch: String) throws {
    let tip = tips[branch]!
    let report = try repository.merge(ids[other].description, into: branch)
    if ancestors([tip]).contains(other) {
      #expect(report.outcome == .upToDate, "seed \(seed), step \(step)")
      return
    }
    if ancestors([other]).contains(tip) {
      #expect(report.outcome == .fastForward, "seed \(seed), step \(step)")
      tips[branch] = other
      return
    }
    #expect(report.outcome == .merged, "seed \(seed), step \(step)")
    note(branch, [tip, other], Self.merge(base(bases([tip], [other])), rows[tip], rows[other]))
    try check(branch)
  }

  private mutating func pick(_ branch: String) throws {
    let tip = tips[branch]!
    let commit = Int.random(in: 0..<rows.count, using: &random)
    guard let parent = parents[commit].first else { return }
    try repository.switchBranch(to: branch)
    let isRevert = Bool.random(using: &random)
    let (base, theirs) = isRevert ? (commit, parent) : (parent, commit)
    let spec = ids[commit].description
    let report = isRevert ? try repository.revert(spec) : try repository.cherryPick(spec)
    let wanted = Self.merge(rows[base], rows[tip], rows[theirs])
    if report.outcome == .upToDate {
      #expect(wanted == rows[tip], "seed \(seed), step \(step)")
      return
    }
    #expect(report.outcome == .merged, "seed \(seed), step \(step)")
    note(branch, [tip], wanted)
    try check(branch)
  }
}
