import Columns
import History
import Testing

@testable import Tables

/// Two versions are compared by key and field id, and what comes out leads from one to the other.
@Suite struct RowDiffTests {
  static func key(_ user: Int64, _ day: Int64 = 0, _ id: String = "k") -> [Scalar] {
    [.int(user), .timestamp(day * 86_400_000_000, .microsecond), .string(id)]
  }

  /// A change that turns `a` into `b`, made of the diff's parts.
  private func change(from a: TableVersion?, to b: TableVersion) throws -> RowChange {
    var upserts = [Batch.empty(b.layout.schema)]
    var deletes = [Batch.empty(b.layout.keySchema)]
    try RowDiff.forEachPart(a, b) { part in
      upserts += [part.added, part.changedAfter]
      let keys = try part.keys()
      deletes.append(keys.take(part.operations.indices.filter { part.operations[$0] == .removed }.map { Int32($0) }))
    }
    return RowChange(upserts: Batch.concatenate(upserts), deletes: Batch.concatenate(deletes))
  }

  @Test(arguments: 0..<12 as Range<UInt64>) func diffThenApplyIsIdentity(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let fixture = try TableFixture(leafRowCount: 16)
    let rows = TableFixture.randomRows(Int.random(in: 1...300, using: &random), using: &random)
    let a = try fixture.apply(.replace, rows, onto: nil)
    var next = rows.filter { _ in Int.random(in: 0..<10, using: &random) > 1 }
    for index in next.indices where Bool.random(using: &random) { next[index][4] = .string("changed \(index)") }
    next += TableFixture.randomRows(40, using: &random).enumerated().map { number, row in row.replacing(2, .string("new \(number)")) }
    let b = try fixture.apply(.replace, next, onto: a)
    for (from, to) in [(a, b), (b, a)] {
      let outcome = try TableWriter(archive: fixture.archive, layout: fixture.layout).apply(change(from: from, to: to), onto: from)
      guard case .content(let content) = outcome else { throw TableError(.input, "seed \(seed): the change conflicts") }
      #expect(try fixture.publish(content).rootID == to.rootID, "seed \(seed)")
      #expect(try RowDiff.between(from, to, withRows: false).addedCount == content.addedCount, "seed \(seed)")
    }
    #expect(try RowDiff.between(nil, b, withRows: false).addedCount == b.rowCount)
    #expect(try RowDiff.between(b, nil, withRows: false).removedCount == b.rowCount)
  }

  @Test func changedCellsAreCountedByColumn() throws {
    let fixture = try TableFixture()
    let a = try fixture.apply(
      .append,
      [
        Self.key(1) + [.double(1), .string("x"), .null], Self.key(2) + [.double(2), .string("y"), .null],
        Self.key(3) + [.null, .null, .null],
      ],
      onto: nil)
    let b = try fixture.apply(
      .upsert,
      [
        Self.key(1) + [.double(9), .string("z"), .null], Self.key(2) + [.double(8), .string("y"), .null],
        Self.key(4) + [.null, .null, .null],
      ],
      onto: a)
    let diff = try RowDiff.between(a, b, withRows: true)
    #expect([diff.addedCount, diff.removedCount, diff.changedCount] == [1, 0, 2])
    #expect(diff.changedCellCounts.map(\.column) == ["amount", "note"])
    #expect(diff.changedCellCounts.map(\.count) == [2, 1])
    #expect(diff.entries.map(\.columns) == [["amount", "note"], ["amount"], ["user", "time", "id", "amount", "note", "flag"]])
    #expect(diff.entries[0].before?.map(\.value) == Self.key(1) + [.double(1), .string("x"), .null])
    #expect(diff.entries[0].after?.map(\.value) == Self.key(1) + [.double(9), .string("z"), .null])
  }

  @Test func columnsAreMatchedByFieldID() throws {
    let fixture = try TableFixture()
    let rows = [Self.key(1) + [.double(1), .string("x"), .bool(true)], Self.key(2) + [.double(2), .string("y"), .bool(false)]]
    let a = try fixture.apply(.append, rows, onto: nil)
    // amount is now called price, flag is dropped, count is new.
    var schema = fixture.layout.schema
    schema.fields[3].name = "price"
    schema.fields.removeLast()
    schema = FieldIDs.assign(to: Schema(schema.fields + [Field("count", .int32)]), keeping: ids(of: schema))
    let layout = fixture.layout.with(schema)
    let changed: [[Scalar]] = [Self.key(1) + [.double(1), .string("x"), .null], Self.key(2) + [.double(2), .string("y"), .int(5)]]
    let batch = Batch(
      schema: schema, columns: schema.fields.indices.map { column in Column(schema.fields[column].type, changed.map { $0[column] }) },
      rowCount: 2)
    guard case .content(let content) = try TableWriter(archive: fixture.archive, layout: layout).apply(.upsert, batch, onto: a) else {
      throw TableError(.input, "The change conflicts")
    }
    let b = try fixture.publish(content)
    let diff = try RowDiff.between(a, b, withRows: true)
    #expect(
      diff.schemaChanges == [
        .renamed(from: "amount", to: "price"), .added(column: "count", type: .int32), .dropped(column: "flag", type: .bool),
      ])
    // The first row lost only a column, and got none.
    #expect([diff.addedCount, diff.removedCount, diff.changedCount] == [0, 0, 1])
    #expect(diff.entries.map(\.columns) == [["count"]])
    #expect(diff.entries[0].before?.map(\.name) == ["user", "time", "id", "amount", "note", "flag"])
    #expect(diff.entries[0].after?.map(\.name) == ["user", "time", "id", "price", "note", "count"])
  }

  @Test func aWidenedColumnIsTheSame() throws {
    let fixture = try TableFixture()
    var narrow = fixture.layout.schema
    narrow.fields[3].type = .float32
    let old = fixture.layout.with(narrow)
    let rows = [Self.key(1) + [.float(1.5), .null, .null], Self.key(2) + [.float(2.5), .null, .null]]
    func batch(_ rows: [[Scalar]], _ schema: Schema) -> Batch {
      Batch(
        schema: schema, columns: schema.fields.indices.map { column in Column(schema.fields[column].type, rows.map { $0[column] }) },
        rowCount: rows.count)
    }
    guard case .content(let first) = try TableWriter(archive: fixture.archive, layout: old).apply(.append, batch(rows, narrow), onto: nil)
    else { throw TableError(.input, "The change conflicts") }
    let a = try fixture.publish(first)
    let b = try fixture.apply(
      .upsert, [Self.key(1) + [.double(1.5), .null, .null], Self.key(2) + [.double(2.25), .null, .null]], onto: a)
    let diff = try RowDiff.between(a, b, withRows: true)
    #expect(diff.schemaChanges == [.widened(column: "amount", from: .float32, to: .float64)])
    #expect(diff.entries.map { $0.key[0].value } == [.int(2)])
  }

  @Test func aRowIsFoundByItsKey() throws {
    let fixture = try TableFixture(leafRowCount: 16)
    var random = SeededRandom(seed: 5)
    let rows = TableFixture.randomRows(400, using: &random)
    let version = try fixture.apply(.append, rows, onto: nil)
    for row in rows.prefix(60) {
      let found = try #require(try version.row(key: Array(row[..<3])))
      #expect(found.columns.prefix(3).map { $0.scalar(at: 0) } == Array(row[..<3]))
      #expect(found.columns[5].scalar(at: 0) == row[5])
    }
    #expect(try version.row(key: [.int(1000), rows[0][1], rows[0][2]]) == nil)
    #expect(try version.row(key: [rows[0][0], .timestamp(9_000_000_000_000_000, .microsecond), rows[0][2]]) == nil)
  }
}

extension [Scalar] {
  func replacing(_ index: Int, _ value: Scalar) -> [Scalar] {
    var copy = self
    copy[index] = value
    return copy
  }
}

extension TableLayout {
  func with(_ schema: Schema) -> TableLayout {
    TableLayout(
      schema: schema, primaryKey: primaryKey, eventTime: eventTime, createdTime: createdTime, partitioning: partitioning,
      leafRowCount: leafRowCount)
  }
}
