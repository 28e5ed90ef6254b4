import Columns
import Foundation
import History
import Tables
import Testing

/// Keys of every type, in every place, alone and with others: random histories in small pieces against a plain model.
///
/// ALMANAC_SEEDS=5000 runs more histories than the usual 40.
@Suite struct KeyTypeTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 40

  @Test func everyVersionOfARandomHistoryIsWhatTheModelSays() throws {
    print("seeds 1...\(Self.seedCount)")
    var (tailCount, leafCount, firstBoolCount) = (0, 0, 0)
    for seed in 1...Self.seedCount {
      var history = try KeyTypeHistory(seed: seed)
      do {
        for _ in 0..<Int.random(in: 3...10, using: &history.random) { try history.step() }
        try check(history, "seed \(seed), \(history.description)")
      } catch {
        Issue.record("seed \(seed), \(history.description): \(error)")
      }
      for (version, _) in history.versions {
        tailCount = max(tailCount, version?.tails.entries.count ?? 0)
        leafCount = max(leafCount, try version?.leaves().count ?? 0)
      }
      if history.layout.keySchema.fields[0].type == .bool { firstBoolCount += 1 }
    }
    // Otherwise the histories have not come where they should.
    #expect(tailCount >= 1)
    #expect(leafCount >= 3)
    #expect(firstBoolCount >= 4)
  }

  private func check(_ history: KeyTypeHistory, _ place: String) throws {
    var random = history.random
    for (version, model) in history.versions {
      guard let version else { continue }
      let found = try version.read().columns.map(\.scalars)
      #expect(found == history.columns(model), "\(place)")
      #expect(version.rowCount == model.count, "\(place)")
      for key in model.keys.sorted().shuffled(using: &random).prefix(2) {
        let row = try version.row(key: history.scalars(of: key))?.columns.map(\.scalars)
        #expect(row == history.columns([(key: key, values: model[key])]), "\(place)")
      }
    }
    for index in history.versions.indices.dropFirst() {
      let (a, b) = (history.versions[index - 1], history.versions[index])
      let diff = try RowDiff.between(a.version, b.version, withRows: false)
      let added = b.model.keys.count { a.model[$0] == nil }
      let removed = a.model.keys.count { b.model[$0] == nil }
      let changed = a.model.count { key, values in (b.model[key] ?? values) != values }
      #expect(diff.addedCount == added && diff.removedCount == removed && diff.changedCount == changed, "\(place)")
    }
    try checkMerge(history, place)
    var absent = history
    for _ in 0..<3 {
      let key = absent.randomKey()
      if history.model[key] == nil {
        let row = try history.version?.row(key: history.scalars(of: key))
        #expect(row == nil, "\(place)")
      }
    }
    guard let last = history.version else { return }
    let sealed = try KeyTypeHistory.publish(history.writer.seal(last), in: history.archive)
    if !history.model.isEmpty { #expect(try sealed.rootID == history.rootOfOneCommit(), "\(place)") }
    let report = try history.archive.check(
      decoder: nil,
      tailCheck: { archive, root, tail in try TableVersion(archive: archive, root: root).problems(of: tail) },
      contents: ContentCheck(versions: { try TableCheck.findings($0, roots: $1) }))
    #expect(report.problems == [], "\(place)")
  }

  /// Two versions that come of a third, put together row by row.
  private func checkMerge(_ history: KeyTypeHistory, _ place: String) throws {
    guard history.versions.count > 3 else { return }
    let base = history.versions[history.versions.count / 2]
    guard let root = base.version, let first = history.version else { return }
    var other = history
    other.rewind(to: base)
    for _ in 0..<2 { try other.step() }
    guard let second = other.version else { return }
    let merge = try RowMerge(base: root, first: first, second: second, layout: history.layout)
    // Rows that only one side has changed.
    var expected = history.model
    for key in Set(other.model.keys).union(base.model.keys)
    where other.model[key] != base.model[key] && history.model[key] == base.model[key] {
      expected[key] = other.model[key]
    }
    guard merge.conflicts.isEmpty else { return }
    guard case .content(let content) = try history.writer.apply(merge.change, onto: first) else {
      Issue.record("\(place): the merge conflicts")
      return
    }
    let merged = try KeyTypeHistory.publish(content, in: history.archive)
    // Cells that both changed are put together; which rows there are is plain.
    let keys = history.layout.primaryKey
    let found = try merged.read(columns: keys).columns.map(\.scalars)
    let order = history.sorted(expected.keys)
    #expect(found == keys.indices.map { column in order.map { history.scalars(of: $0)[column] } }, "\(place)")
  }
}
