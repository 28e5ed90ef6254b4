import Columns
import History
import Tables
import Testing

/// A seal that others overtake keeps what they wrote.
@Suite struct SealCarryTests {
  @Test func newerTailsStayOnTopOfASeal() throws {
    var carriedCount = 0
    var tailCount = 0
    var refusedCount = 0
    for seed in 1...100 {
      var history = try TailHistory(seed: seed)
      for _ in 0..<Int.random(in: 2...8, using: &history.random) { try history.step() }
      for _ in 0..<3 {
        guard let old = history.version, !history.model.isEmpty else { continue }
        let sealed = try history.writer.seal(old)
        for _ in 0..<Int.random(in: 1...3, using: &history.random) { try history.step() }
        let newer = try #require(history.version)
        guard let carried = sealed.carried(from: old, to: newer) else {
          refusedCount += 1
          continue
        }
        carriedCount += 1
        let version = try history.fixture.publish(carried)
        tailCount += version.tails.entries.isEmpty ? 0 : 1
        let rows = TailHistory.scalars(try version.read())
        let expected = TailHistory.rows(history.model)
        #expect(rows.count == expected.count && zip(rows, expected).allSatisfy(TailHistory.sameRow), "seed \(seed)")
        #expect(version.rowCount == expected.count, "seed \(seed)")
        let difference = try RowDiff.between(newer, version, withRows: false)
        #expect([difference.addedCount, difference.removedCount, difference.changedCount] == [0, 0, 0], "seed \(seed)")
        // What comes after it stands on it.
        history.versions.append((version, history.model))
        try history.step()
        let next = try #require(history.version)
        #expect(next.rowCount == history.model.count, "seed \(seed)")
        let wanted = TailHistory.rows(history.model)
        let found = TailHistory.scalars(try next.read())
        #expect(found.count == wanted.count && zip(found, wanted).allSatisfy(TailHistory.sameRow), "seed \(seed)")
      }
      guard let last = history.version, !history.model.isEmpty else { continue }
      let reference = try TableFixture(leafRowCount: 16).apply(.append, Array(history.model.values), onto: nil)
      #expect(try history.fixture.publish(history.writer.seal(last)).rootID == reference.rootID, "seed \(seed)")
    }
    // Otherwise the histories have not come where they should.
    #expect(carriedCount > 15 && tailCount > 6 && refusedCount > 15, "\(carriedCount) \(tailCount) \(refusedCount)")
  }
}
