import Columns
import Foundation
import History
import Tables
import Testing

/// Upserts of rows that lack columns: what is there stays, whatever it is stored in.
///
/// ALMANAC_SEEDS=5000 runs more histories than the usual 150.
@Suite struct PartialUpsertTests {
  static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 150

  @Test func everyVersionOfARandomHistoryIsWhatTheModelSays() throws {
    print("seeds 1...\(Self.seedCount)")
    var counts = (memory: 0, runs: 0, streams: 0, tails: 0)
    for seed in 1...Self.seedCount {
      var history = try PartialHistory(seed: seed)
      do {
        for _ in 0..<Int.random(in: 1...12, using: &history.random) { try history.step() }
      } catch {
        Issue.record("seed \(seed): \(error)")
        continue
      }
      for (version, model) in history.versions {
        #expect(try PartialHistory.isSame(version, model, key: history.layout.keyIndices), "seed \(seed)")
      }
      if let last = history.version, !history.model.isEmpty {
        let sealed = try history.publish(history.writer.seal(last))
        #expect(try sealed.rootID == history.reference(), "seed \(seed)")
      }
      counts.memory += history.counts.memory
      counts.runs += history.counts.runs
      counts.streams += history.counts.streams
      counts.tails = max(counts.tails, history.counts.tails)
    }
    // Otherwise the histories have not come where they should.
    #expect(counts.memory > 0 && counts.runs > 0 && counts.streams > 0 && counts.tails > 1, "\(counts)")
  }

  @Test func anUpsertThatLacksEverythingButTheKeyOnlyAddsRows() throws {
    let fixture = try TableFixture(leafRowCount: 16)
    let time = Scalar.timestamp(0, .microsecond)
    let base = try fixture.apply(.append, [[.int(1), time, .string("a"), .double(1), .string("x"), .bool(true)]], onto: nil)
    var shapes = RowShapes()
    let number = shapes.number(of: [3, 4, 5])
    var collector = InputCollector(archive: fixture.archive, layout: fixture.layout, memoryByteCount: 1 << 30)
    try collector.add(
      fixture.batch([
        [.int(2), time, .string("a"), .null, .null, .null], [.int(1), time, .string("a"), .null, .null, .null],
      ]), shapes: [number, number])
    let writer = TableWriter(archive: fixture.archive, layout: fixture.layout)
    guard case .content(let content) = try writer.apply(.upsert, collector.finish(shapes: shapes), onto: base) else {
      Issue.record("The change conflicts")
      return
    }
    let counts: [Int] = [content.addedCount, content.changedCount, content.removedCount]
    #expect(counts == [1, 0, 0])
    let expected: [[Scalar]] = [
      [.int(1), time, .string("a"), .double(1), .string("x"), .bool(true)],
      [.int(2), time, .string("a"), .null, .null, .null],
    ]
    #expect(try TailHistory.scalars(fixture.publish(content).read()) == expected)
  }

  @Test func aKeyOfAWholeRowAndOfOneThatLacksColumnsIsAConflict() throws {
    let fixture = try TableFixture(leafRowCount: 16)
    let time = Scalar.timestamp(0, .microsecond)
    for memory in [1 << 30, 4] {
      var shapes = RowShapes()
      var collector = InputCollector(archive: fixture.archive, layout: fixture.layout, memoryByteCount: memory)
      try collector.add(fixture.batch([[.int(1), time, .string("a"), .double(1), .null, .null]]))
      let number = shapes.number(of: [3])
      try collector.add(fixture.batch([[.int(1), time, .string("a"), .null, .string("x"), .null]]), shapes: [number])
      let writer = TableWriter(archive: fixture.archive, layout: fixture.layout)
      guard case .conflict(let conflict) = try writer.apply(.upsert, collector.finish(shapes: shapes), onto: nil) else {
        Issue.record("The repeated key was accepted")
        return
      }
      #expect(conflict.kind == .duplicateInInput)
    }
  }
}
