import Almanac
import History
import Tables

/// What must hold after every step, and at the end.
extension HistoryPlayer {
  func checkBranches() throws {
    let found = try store.branches()
    let expected = lines.keys.reduce(into: [String: CommitID]()) { $0[$1] = commits[tip($1)].id }
    guard found == expected else {
      throw HistoryFailure(kind: "branches", detail: "\(found.mapValues(\.short)), expected \(expected.mapValues(\.short))")
    }
  }

  func checkStore() throws {
    let damage = try store.damage()
    guard damage.isEmpty else { throw HistoryFailure(kind: "fsck", detail: damage.joined(separator: "; ")) }
  }

  /// At the end: every commit that is reachable is still what it was, and every branch can be read and written to.
  func finish() throws {
    do {
      try checkStore()
      let reached = branchNames.reduce(into: Set<Int>()) { $0.formUnion(ancestors(tip($1))) }
      for index in reached.sorted() {
        try comparison.check(commits[index].version, is: store.observed(at: commits[index].id), isOrdered: true)
        let other = reached.sorted()[index % reached.count]
        if other != index { try checkDifference(other, index) }
      }
      for (place, name) in branchNames.enumerated() {
        let version = commits[tip(name)].version
        if version.isThere { try comparison.checkFile(version, store.checkout(name, format: ["parquet", "csv", "jsonl"][place % 3])) }
        try accepted("append at the end") { try store.probe(version, at: commits[tip(name)].id) }
      }
    } catch let failure as HistoryFailure {
      throw failure
    } catch {
      throw HistoryFailure(kind: "an error", detail: "at the end: \(error)")
    }
  }

  /// How many rows differ between two commits: by the columns that neither has dropped, so also by values of one that is new in the
  /// second.
  private func checkDifference(_ first: Int, _ second: Int) throws {
    let (old, new) = (commits[first].version, commits[second].version)
    guard old.isThere || new.isThere else { return }
    let changed = new.rows.keys.filter { key in
      old.rows[key] != nil
        && new.fields.contains { field in
          !old.dropped.contains(field.id)
            && new.value(field.id, of: key) != (old.field(field.id) == nil ? .null : old.value(field.id, of: key))
        }
    }
    let expected = [new.rows.keys.filter { old.rows[$0] == nil }.count, changed.count, old.rows.keys.filter { new.rows[$0] == nil }.count]
    let (before, after) = (commits[first].id.description, commits[second].id.description)
    let diff = try store.repository.diff(before, after, dataset: "t", withRows: false)[0].diff
    let found = [diff.addedCount, diff.changedCount, diff.removedCount]
    guard found == expected else {
      throw HistoryFailure(kind: "diff", detail: "of \(before.prefix(8)) and \(after.prefix(8)) \(found), expected \(expected)")
    }
  }
}
