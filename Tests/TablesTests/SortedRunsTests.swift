import Columns
import History
import Tables
import Testing

/// Rows that do not fit into memory give what they would give in memory.
@Suite struct SortedRunsTests {
  /// Rows as the collector gets them, in batches that it has to put into several runs.
  private func runs(_ rows: [TableFixture.Row], _ fixture: TableFixture, batchRowCount: Int = 100) throws -> InputCollector {
    var collector = InputCollector(archive: fixture.archive, layout: fixture.layout, memoryByteCount: 60_000)
    for start in stride(from: 0, to: rows.count, by: batchRowCount) {
      try collector.add(fixture.batch(Array(rows[start..<min(rows.count, start + batchRowCount)])))
    }
    return collector
  }

  private func content(_ outcome: ChangeOutcome) throws -> TableContent {
    guard case .content(let content) = outcome else { throw TableError(.input, "The change conflicts") }
    return content
  }

  @Test(arguments: 1...12) func everyModeGivesTheRootOfMemory(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let rows = TableFixture.randomRows(3000, using: &random)
    let (small, large) = (try TableFixture(), try TableFixture())
    // The base has leaves, and tails over them.
    let policy = TailPolicy(rewrittenRowCountMin: 1, rewrittenRowFactor: 2, mergeCount: 9, sizeClassFactor: 4, foldFactor: 1)
    let start = Array(rows.prefix(1200))
    let corrections = start.filter { _ in Int.random(in: 0..<20, using: &random) == 0 }.map {
      Array($0.prefix(4)) + [.string("tail"), .null]
    }
    func base(_ fixture: TableFixture) throws -> TableVersion {
      let writer = TableWriter(archive: fixture.archive, layout: fixture.layout, policy: policy)
      let first = try fixture.publish(content(writer.apply(.append, fixture.batch(start), onto: nil)))
      let version = try fixture.publish(content(writer.apply(.upsert, fixture.batch(corrections), onto: first)))
      #expect(version.tails.entries.count == 1)
      return version
    }
    let (before, same) = (try base(small), try base(large))
    for mode in ChangeMode.allCases {
      let input: [TableFixture.Row] =
        switch mode {
        case .append: Array(rows.suffix(1800))
        case .upsert: rows.shuffled(using: &random)
        case .replace: Array(rows.suffix(2300)).shuffled(using: &random)
        case .delete: Array(rows[600..<2600]).shuffled(using: &random)
        }
      var collector = try runs(input, large)
      let spilled = try collector.finish()
      guard case .runs = spilled else {
        Issue.record("The rows stayed in memory")
        return
      }
      let memory = try content(TableWriter(archive: small.archive, layout: small.layout).apply(mode, small.batch(input), onto: before))
      let disk = try content(TableWriter(archive: large.archive, layout: large.layout).apply(mode, spilled, onto: same))
      #expect(
        [disk.addedCount, disk.changedCount, disk.removedCount] == [memory.addedCount, memory.changedCount, memory.removedCount],
        "seed \(seed), \(mode)")
      let one = try small.publish(memory)
      let other = try large.publish(disk)
      let sealedOne = try small.publish(TableWriter(archive: small.archive, layout: small.layout).seal(one))
      let sealedOther = try large.publish(TableWriter(archive: large.archive, layout: large.layout).seal(other))
      #expect(sealedOne.rootID == sealedOther.rootID, "seed \(seed), \(mode)")
    }
  }

  @Test func aKeyThatTwoRunsHaveIsAConflict() throws {
    var random = SeededRandom(seed: 5)
    let fixture = try TableFixture()
    let rows = TableFixture.randomRows(2000, using: &random)
    var collector = try runs(rows + [rows[17]], fixture)
    let outcome = try TableWriter(archive: fixture.archive, layout: fixture.layout).apply(.append, collector.finish(), onto: nil)
    guard case .conflict(let conflict) = outcome else {
      Issue.record("The repeated key was accepted")
      return
    }
    #expect(conflict.kind == .duplicateInInput)
    #expect(conflict.firstKey.map(\.value) == Array(rows[17].prefix(3)))
  }

  @Test func aKeyThatIsThereIsAConflict() throws {
    var random = SeededRandom(seed: 6)
    let fixture = try TableFixture()
    let rows = TableFixture.randomRows(2000, using: &random)
    let base = try fixture.apply(.append, [rows[40]], onto: nil)
    var collector = try runs(rows, fixture)
    let outcome = try TableWriter(archive: fixture.archive, layout: fixture.layout).apply(.append, collector.finish(), onto: base)
    guard case .conflict(let conflict) = outcome else {
      Issue.record("The key was accepted")
      return
    }
    #expect(conflict.kind == .alreadyThere)
    #expect(conflict.firstKey.map(\.value) == Array(rows[40].prefix(3)))
  }
}
