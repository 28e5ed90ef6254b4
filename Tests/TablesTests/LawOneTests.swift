import Columns
import History
import Tables
import Testing

/// Law 1: the root is a function of the rows.
@Suite struct LawOneTests {
  @Test(arguments: 1...40) func sameRowsInAnyHistoryGiveTheSameRoot(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let rows = TableFixture.randomRows(Int.random(in: 1...1500, using: &random), using: &random)
    let reference = try TableFixture().apply(.append, rows, onto: nil)

    // Batches in random order, some rows first with other values, some that come and go.
    let fixture = try TableFixture()
    var version: TableVersion?
    var rest = rows.shuffled(using: &random)[...]
    while !rest.isEmpty {
      let count = min(rest.count, Int.random(in: 1...600, using: &random))
      let part = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      let wrong = part.map { row in Array(row.prefix(3)) + [.double(5), .string("wrong"), .null] }
      switch Int.random(in: 0..<3, using: &random) {
      case 0: version = try fixture.apply(.append, part, onto: version)
      case 1:
        version = try fixture.apply(.upsert, wrong, onto: version)
        version = try fixture.apply(.upsert, part, onto: version)
      default:
        version = try fixture.apply(.append, part, onto: version)
        version = try fixture.apply(.delete, part, onto: version)
        version = try fixture.apply(.upsert, part, onto: version)
      }
    }
    #expect(version?.rootID == reference.rootID, "seed \(seed)")
    #expect(version?.rowCount == rows.count)
  }

  @Test func readingGivesTheRowsBackInKeyOrder() throws {
    var random = SeededRandom(seed: 7)
    let rows = TableFixture.randomRows(800, using: &random)
    let fixture = try TableFixture()
    let stored = try fixture.apply(.append, rows, onto: nil).read()
    let byID = Dictionary(uniqueKeysWithValues: rows.map { ($0[2], $0) })
    #expect(stored.rowCount == 800)
    for row in 0..<stored.rowCount {
      let expected = byID[stored.columns[2].scalar(at: row)]!
      for (column, value) in expected.enumerated() {
        let found = stored.columns[column].scalar(at: row)
        switch (value, found) {
        case (.double(let a), .double(let b)):
          #expect(a.isNaN ? b.bitPattern == 0x7ff8_0000_0000_0000 : (a + 0.0).bitPattern == b.bitPattern)
        default: #expect(found == value)
        }
      }
    }
  }

  @Test func anUntouchedLeafIsNotWrittenAgain() throws {
    var random = SeededRandom(seed: 3)
    let fixture = try TableFixture()
    let first = try fixture.apply(.append, TableFixture.randomRows(5000, using: &random), onto: nil)
    let row: TableFixture.Row = [.int(10), .timestamp(0, .microsecond), .string("new"), .null, .null, .null]
    guard
      case .content(let content) = try TableWriter(archive: fixture.archive, layout: fixture.layout)
        .apply(.append, fixture.batch([row]), onto: first)
    else {
      Issue.record("The append was refused")
      return
    }
    #expect(content.writtenLeafCount <= 2)
    #expect(content.addedCount == 1)
    #expect(try first.leaves().count > 40)
  }
}
