import Columns
import Foundation
import History
import Tables
import Testing

/// Tails, folds, merges of tails and seals against a plain model, and law 1 over all of them.
///
/// ALMANAC_SEEDS=5000 runs more histories than the usual 400.
@Suite struct RandomHistoryTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 400

  @Test func everyVersionOfARandomHistoryIsWhatTheModelSays() throws {
    print("seeds 1...\(Self.seedCount)")
    var tailCountMax = 0
    for seed in 1...Self.seedCount {
      tailCountMax = max(tailCountMax, try check(seed: seed))
    }
    // Otherwise the histories have not come where they should.
    #expect(tailCountMax >= 4)
  }

  /// Plays one history. - Returns: the most tails that a version had.
  private func check(seed: Int) throws -> Int {
    var history = try TailHistory(seed: seed)
    do {
      for _ in 0..<Int.random(in: 1...14, using: &history.random) { try history.step() }
    } catch {
      Issue.record("seed \(seed): \(error)")
      return 0
    }
    for (version, model) in history.versions {
      let found = try version.map { TailHistory.scalars(try $0.read()) } ?? []
      let expected = TailHistory.rows(model)
      guard found.count == expected.count, zip(found, expected).allSatisfy(TailHistory.sameRow), version?.rowCount ?? 0 == found.count
      else {
        Issue.record("seed \(seed): a version reads back wrongly")
        return 0
      }
      if let version {
        var part: [[Scalar]] = []
        try version.forEachBatch(columns: ["note", "id"]) { part += TailHistory.scalars($0) }
        #expect(part == expected.map { [$0[4], $0[2]] }, "seed \(seed)")
      }
    }
    try checkDiffs(history, seed: seed)

    // Sealed, the rows alone decide.
    guard !history.model.isEmpty, let last = history.version else { return history.tailCountMax }
    let sealed = try history.fixture.publish(history.writer.seal(last))
    let reference = try TableFixture(leafRowCount: 16).apply(.append, Array(history.model.values), onto: nil)
    #expect(sealed.rootID == reference.rootID, "seed \(seed)")
    #expect(sealed.tails.isEmpty)
    // Sealing what is sealed changes nothing.
    #expect(try history.fixture.publish(history.writer.seal(sealed)).rootID == sealed.rootID, "seed \(seed)")
    return history.tailCountMax
  }

  private func checkDiffs(_ history: TailHistory, seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed) << 32)
    let neighbours = history.versions.indices.dropFirst().map { ($0 - 1, $0) }
    let others = (0..<4).map { _ in
      (history.versions.indices.randomElement(using: &random)!, history.versions.indices.randomElement(using: &random)!)
    }
    for (from, to) in neighbours + others {
      let (a, b) = (history.versions[from], history.versions[to])
      let expected = TailHistory.counts(a.model, b.model)
      let counted = try RowDiff.between(a.version, b.version, withRows: false)
      #expect([counted.addedCount, counted.removedCount, counted.changedCount] == expected, "seed \(seed): \(from) to \(to)")
      let listed = try RowDiff.between(a.version, b.version, withRows: true)
      #expect([listed.addedCount, listed.removedCount, listed.changedCount] == expected, "seed \(seed): rows of \(from) to \(to)")
      #expect(listed.entries.count == expected.reduce(0, +), "seed \(seed)")
      try checkRows(listed, from: a.model, to: b.model, seed: seed)
    }
  }

  /// Applied to the older model, the rows of a diff give the newer one.
  private func checkRows(_ diff: RowDiff, from old: TailHistory.Model, to new: TailHistory.Model, seed: Int) throws {
    func byKey(_ model: TailHistory.Model) -> [[Scalar]: [Scalar]] {
      Dictionary(uniqueKeysWithValues: model.values.map { (Array($0.prefix(3)), $0) })
    }
    let names = ["user", "time", "id", "amount", "note", "flag"]
    var rows = byKey(old)
    for entry in diff.entries {
      let key = entry.key.map(\.value)
      guard entry.operation != .removed else {
        rows[key] = nil
        continue
      }
      var row = rows[key] ?? Array(repeating: .null, count: names.count)
      for (name, value) in entry.after ?? [] { row[try #require(names.firstIndex(of: name))] = value }
      rows[key] = row
    }
    let expected = byKey(new)
    #expect(rows.count == expected.count, "seed \(seed)")
    for (key, row) in expected { #expect(rows[key].map { TailHistory.sameRow($0, row) } ?? false, "seed \(seed)") }
  }
}
