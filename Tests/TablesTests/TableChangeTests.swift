import Columns
import Tables
import Testing

@Suite struct TableChangeTests {
  private func row(_ user: Int64, _ id: String, _ amount: Double, day: Int64 = 0) -> TableFixture.Row {
    [.int(user), .timestamp(day * 86_400_000_000, .microsecond), .string(id), .double(amount), .null, .null]
  }

  @Test func appendRefusesAnExistingKeyAndNamesIt() throws {
    let fixture = try TableFixture()
    let base = try fixture.apply(.append, [row(1, "a", 1), row(2, "b", 2)], onto: nil)
    let outcome = try TableWriter(archive: fixture.archive, layout: fixture.layout)
      .apply(.append, fixture.batch([row(3, "c", 3), row(2, "b", 9)]), onto: base)
    guard case .conflict(let conflict) = outcome else {
      Issue.record("An existing key was accepted")
      return
    }
    #expect(conflict.kind == .alreadyThere)
    #expect(conflict.count == 1)
    #expect(conflict.inputRows == [1])
    #expect(conflict.firstKey.map(\.value) == [.int(2), .timestamp(0, .microsecond), .string("b")])
  }

  @Test func duplicatesInTheInputAreRefusedInEveryMode() throws {
    let fixture = try TableFixture()
    for mode in ChangeMode.allCases {
      let outcome = try TableWriter(archive: fixture.archive, layout: fixture.layout)
        .apply(mode, fixture.batch([row(2, "b", 1), row(1, "a", 1), row(2, "b", 2)]), onto: nil)
      guard case .conflict(let conflict) = outcome else {
        Issue.record("A duplicate was accepted by \(mode)")
        continue
      }
      #expect(conflict.kind == .duplicateInInput)
      #expect(conflict.inputRows == [2])
    }
  }

  @Test func aNullKeyIsRefused() throws {
    let fixture = try TableFixture()
    var bad = row(1, "a", 1)
    bad[2] = .null
    let error = #expect(throws: TableError.self) {
      try TableWriter(archive: fixture.archive, layout: fixture.layout).apply(.append, fixture.batch([row(1, "b", 1), bad]), onto: nil)
    }
    #expect(error?.description == "Key column id is null in row 2; a key needs a value in every column")
  }

  @Test func diffCountsAndNamesTheColumns() throws {
    let fixture = try TableFixture()
    let a = try fixture.apply(.append, [row(1, "a", 1), row(2, "b", 2), row(3, "c", 3, day: 40)], onto: nil)
    let b = try fixture.apply(.upsert, [row(2, "b", 5), row(4, "d", 4)], onto: a)
    let c = try fixture.apply(.delete, [row(3, "c", 0, day: 40)], onto: b)
    let diff = try RowDiff.between(a, c, withRows: true)
    #expect([diff.addedCount, diff.removedCount, diff.changedCount] == [1, 1, 1])
    let changed = try #require(diff.entries.first { $0.operation == .changed })
    #expect(changed.columns == ["amount"])
    #expect(changed.key.map(\.value) == [.int(2), .timestamp(0, .microsecond), .string("b")])
    #expect(changed.before?.first { $0.name == "amount" }?.value == .double(2))
    #expect(changed.after?.first { $0.name == "amount" }?.value == .double(5))
    #expect(try RowDiff.between(c, c, withRows: true).isEmpty)
  }

  @Test func replaceCountsWhatItChanged() throws {
    let fixture = try TableFixture()
    let a = try fixture.apply(.append, [row(1, "a", 1), row(2, "b", 2)], onto: nil)
    guard
      case .content(let content) = try TableWriter(archive: fixture.archive, layout: fixture.layout)
        .apply(.replace, fixture.batch([row(2, "b", 3), row(5, "e", 5)]), onto: a)
    else {
      Issue.record("The replacement was refused")
      return
    }
    #expect([content.addedCount, content.removedCount, content.changedCount] == [1, 1, 1])
    #expect(try fixture.publish(content).read().columns[0].scalars == [.int(2), .int(5)])
  }

  @Test func leafRowCountFollowsTheSchema() {
    // 8 + 8 + 32 + 8 + 32 + 1 = 89 bytes: 32 MiB / 89 = 377,016, and the power of two below it.
    #expect(TableLayout.leafRowCount(for: TableFixture.layout(leafRowCount: 64).schema) == 262_144)
  }
}
