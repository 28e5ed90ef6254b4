import Almanac
import History
import Tables

struct HistoryCommit {
  let id: CommitID
  let parents: [Int]
  var version: HistoryVersion
}

/// Plays a history on a repository and on the model, and compares after every step.
final class HistoryPlayer {
  struct Line {
    var past: [Int]
    var future: [Int] = []
  }

  private(set) var script: HistoryScript
  let store: HistoryRepository
  private(set) var commits: [HistoryCommit] = []
  private(set) var head = "main"
  var lines: [String: Line] = [:]
  /// By the operation that made it.
  private(set) var made: [Int: Int] = [:]
  private var birthCount = 0
  var comparison: HistoryComparison
  /// What was done, in words, with what came of it.
  var trace: [String] = []
  /// How often which case came up.
  var tally: [String: Int] = [:]

  /// Makes the repository, its first contract and its first rows, if it begins with some.
  init(_ start: HistoryStart) throws {
    script = HistoryScript(start: start)
    store = try HistoryRepository(start)
    comparison = HistoryComparison(start: start)
    trace.append(start.text)
    var version = HistoryVersion()
    version.isThere = false
    for (index, column) in start.keyColumns.enumerated() { add(column.name, column.type, isRequired: true, key: index + 1, to: &version) }
    for column in start.columns { add(column.name, column.type, isRequired: column.isRequired, key: nil, to: &version) }
    try store.apply(version)
    if !start.rows.isEmpty { try write(&version, .append, start.rows, format: "csv") }
    let id = try store.repository.resolve("main")
    commits = [HistoryCommit(id: id, parents: [], version: version)]
    lines["main"] = Line(past: [0])
    try comparison.check(version, is: store.observed(at: id), isOrdered: true)
  }

  private func add(_ name: String, _ type: HistoryType, isRequired: Bool, key: Int?, to version: inout HistoryVersion) {
    let id = HistoryFieldIDs.id(name: name, type: type, live: Set(version.fields.map(\.id)), dropped: [])
    version.fields.append(HistoryField(id: id, name: name, type: type, isRequired: isRequired, keyPosition: key))
    version.births[id] = nextBirth()
  }

  private func nextBirth() -> Int {
    birthCount += 1
    return birthCount
  }

  // MARK: What is there

  var branchNames: [String] { lines.keys.sorted() }
  func tip(_ branch: String) -> Int { lines[branch]!.past.last! }
  var tip: HistoryCommit { commits[tip(head)] }

  /// Operations whose commits a branch still reaches.
  var reachableNumbers: [Int] {
    let reached = branchNames.reduce(into: Set<Int>()) { $0.formUnion(ancestors(tip($1))) }
    return made.filter { reached.contains($0.value) }.keys.sorted()
  }

  /// Whether the commit of an operation has other columns than the one before it.
  func changesColumns(_ number: Int) -> Bool {
    guard let commit = made[number], let parent = commits[commit].parents.first else { return false }
    return Set(commits[commit].version.fields) != Set(commits[parent].version.fields)
  }

  /// With the commit itself.
  func ancestors(_ commit: Int) -> Set<Int> {
    var found: Set<Int> = [commit]
    var open = [commit]
    while let next = open.popLast() {
      for parent in commits[next].parents where found.insert(parent).inserted { open.append(parent) }
    }
    return found
  }

  /// The best common ancestors.
  func bases(_ first: Int, _ second: Int) -> [Int] {
    let common = ancestors(first).intersection(ancestors(second))
    return common.filter { base in !common.contains { $0 != base && ancestors($0).contains(base) } }
  }

  // MARK: Steps

  /// - Throws: `HistoryFailure` where repository and model disagree.
  func play(_ operation: HistoryOperation) throws {
    script.operations.append(operation)
    let before = trace.count
    trace.append(operation.text)
    do {
      try carryOut(operation)
      try checkBranches()
    } catch let failure as HistoryFailure {
      throw failure
    } catch {
      throw HistoryFailure(kind: "an error", detail: "\(operation.text): \(error)")
    }
    if trace.count == before + 1 { trace[before] += ": done" }
  }

  func skip() { trace.append("  (makes no sense here)") }

  private func carryOut(_ operation: HistoryOperation) throws {
    let number = operation.number
    switch operation.action {
    case .evolve(let edits, let keeps):
      guard let version = tip.version.evolved(edits, keepsPreviousNames: keeps, birth: nextBirth) else { return skip() }
      try accepted("apply") { try store.apply(version) }
      try committed(version, by: number, isOrdered: true)
    case .write(let mode, let rows, let format):
      var version = tip.version
      guard try accepted("commit", { try write(&version, mode, rows, format: format) }) else { return skip() }
      try committed(version, by: number, isOrdered: true)
    case .branch(let name):
      guard lines[name] == nil else { return skip() }
      try store.repository.createBranch(name, at: nil)
      lines[name] = Line(past: [tip(head)])
    case .switchTo(let name):
      guard lines[name] != nil, name != head else { return skip() }
      try store.repository.switchBranch(to: name)
      head = name
    case .merge(let name, let strategy): try merge(name, strategy, number)
    case .revert(let of, let strategy): try bring(of, strategy, isPick: false, number)
    case .pick(let of, let strategy): try bring(of, strategy, isPick: true, number)
    case .undo(let count):
      guard lines[head]!.past.count > count else { return skip() }
      _ = try store.repository.undo(count)
      for _ in 0..<count { lines[head]!.future.append(lines[head]!.past.removeLast()) }
    case .redo(let count):
      guard lines[head]!.future.count >= count else { return skip() }
      _ = try store.repository.redo(count)
      for _ in 0..<count { lines[head]!.past.append(lines[head]!.future.removeLast()) }
    case .seal:
      guard try store.repository.seal().commit != nil else { return skip() }
      try committed(tip.version, by: number, isOrdered: true)
      try comparison.checkSealed(tip.version, store.observed(at: tip.id))
    case .collect(let forgetsMoves):
      try checkStore()
      _ = try store.repository.collectGarbage(retention: forgetsMoves ? "0d" : nil, grace: "0m", isDryRun: false)
      // What was undone may be gone; how far back an undo may still go is no matter of this test.
      if forgetsMoves { for name in lines.keys { lines[name] = Line(past: [tip(name)]) } }
      try checkStore()
    }
  }

  /// Whatever refuses this step is wrong to.
  func accepted<Result>(_ what: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as AlmanacError {
      throw HistoryFailure(kind: "\(what) refused", detail: error.description)
    }
  }

  /// Commits rows to the current branch. - Returns: false when they change nothing.
  @discardableResult private func write(
    _ version: inout HistoryVersion, _ mode: ChangeMode, _ rows: [HistoryRow], format: String
  ) throws -> Bool {
    let (before, visible) = (version.rows, version.visibleRows)
    var lines: [HistoryKey: [Int32: HistoryValue]] = [:]
    for row in rows {
      let key = script.start.key(row.key)
      guard mode != .append || before[key] == nil else { continue }
      var values = before[key] ?? [:]
      for (field, value) in zip(version.keyFields, key) { values[field.id] = value }
      for field in version.valueFields {
        let drawn = row.cells[field.name].map { field.type.value($0) }
        var value = drawn ?? values[field.id] ?? .null
        if value == .null, field.isRequired { value = field.type.value(0) }
        values[field.id] = value
      }
      lines[key] = values
    }
    guard !lines.isEmpty else { return false }
    switch mode {
    case .append, .upsert: version.rows.merge(lines) { $1 }
    case .replace: version.rows = lines
    case .delete: for key in lines.keys { version.rows[key] = nil }
    }
    guard version.visibleRows != visible else { return false }
    version.isThere = true
    let inOrder = lines.sorted { $0.key.text > $1.key.text }.map(\.value)
    try store.commit(mode == .delete ? version.keyFields : version.fields, inOrder, mode: mode, format: format)
    return true
  }

  func probe() throws { try accepted("append after the step") { try store.probe(tip.version, at: tip.id) } }

  /// The current branch has one commit more, which is this version.
  func committed(
    _ version: HistoryVersion, by number: Int, otherParents: [Int] = [], merge: HistoryMerge? = nil, isOrdered: Bool
  ) throws {
    let parents = [tip(head)] + otherParents
    let id = try store.repository.resolve(head)
    guard !commits.contains(where: { $0.id == id }), try store.repository.commit(id).parents == parents.map({ commits[$0].id }) else {
      throw HistoryFailure(kind: "commit", detail: "\(head) has no new commit with the parents it should have")
    }
    let adopted = try comparison.check(version, is: store.observed(at: id), merge: merge, isOrdered: isOrdered)
    commits.append(HistoryCommit(id: id, parents: parents, version: adopted))
    move(to: commits.count - 1)
    made[number] = commits.count - 1
  }

  func move(to commit: Int) {
    lines[head]!.past.append(commit)
    lines[head]!.future = []
  }
}
