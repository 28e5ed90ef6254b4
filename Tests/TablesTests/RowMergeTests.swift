import Columns
import History
import Testing

@testable import Tables

/// Merges against an oracle that looks at every cell of every row.
@Suite struct RowMergeTests {
  typealias Table = [[Scalar]: [Scalar]]

  /// What the rows of three versions come to, decided for the first side; and the keys in conflict.
  static func oracle(_ base: Table, _ first: Table, _ second: Table) -> (rows: Table, conflicts: Set<[Scalar]>) {
    var rows: Table = [:]
    var conflicts: Set<[Scalar]> = []
    for key in Set(base.keys).union(first.keys).union(second.keys) {
      let (b, x, y) = (base[key], first[key], second[key])
      if x == b {
        rows[key] = y
      } else if y == b || x == y {
        rows[key] = x
      } else {
        guard let b, let x, let y else {
          conflicts.insert(key)
          rows[key] = x
          continue
        }
        rows[key] = x.indices.map { column in
          if x[column] == b[column] { return y[column] }
          if y[column] != b[column] && x[column] != y[column] { conflicts.insert(key) }
          return x[column]
        }
      }
    }
    return (rows, conflicts)
  }

  private static func values(using random: inout SeededRandom) -> [Scalar] {
    [
      [.null, .double(1), .double(2)].randomElement(using: &random)!, [.null, .string("a"), .string("b")].randomElement(using: &random)!,
      [.null, .bool(true)].randomElement(using: &random)!,
    ]
  }

  private static func changed(_ table: Table, rate: Int, using random: inout SeededRandom) -> Table {
    var result = table
    for key in table.keys.sorted(by: { "\($0)" < "\($1)" }) where Int.random(in: 0..<100, using: &random) < rate {
      if Int.random(in: 0..<4, using: &random) == 0 {
        result[key] = nil
      } else {
        result[key]![Int.random(in: 0..<3, using: &random)] = values(using: &random).randomElement(using: &random)!
        result[key] = result[key]!.enumerated().map { column, value in Self.fits(value, column) ? value : .null }
      }
    }
    // Both sides insert from the same few keys.
    for _ in 0..<rate / 4 {
      result[RowDiffTests.key(100 + Int64.random(in: 0..<40, using: &random), Int64.random(in: 0..<2, using: &random) * 40)] =
        values(using: &random)
    }
    return result
  }

  private static func fits(_ value: Scalar, _ column: Int) -> Bool {
    switch value {
    case .double: column == 0
    case .string: column == 1
    case .bool: column == 2
    default: true
    }
  }

  private static func table(_ version: TableVersion) throws -> Table {
    let batch = try version.read()
    return Dictionary(
      uniqueKeysWithValues: (0..<batch.rowCount).map { row in
        let values = batch.columns.map { $0.scalar(at: row) }
        return (Array(values[..<3]), Array(values[3...]))
      })
  }

  private static func merged(_ fixture: TableFixture, _ base: TableVersion?, _ first: TableVersion, _ second: TableVersion) throws -> (
    version: TableVersion, conflicts: [RowMerge.Conflict]
  ) {
    let layout = LayoutMerge(base: base?.layout, first: first.layout, second: second.layout)
    #expect(layout.conflicts.isEmpty)
    let merge = try RowMerge(base: base, first: first, second: second, layout: layout.layout)
    guard case .content(let content) = try TableWriter(archive: fixture.archive, layout: layout.layout).apply(merge.change, onto: first)
    else { throw TableError(.input, "The change conflicts") }
    return (try fixture.publish(content), merge.conflicts)
  }

  /// With and without a common base, sparse and dense changes.
  @Test func mergesEqualTheOracle() throws {
    var cleanCount = 0
    var conflictCount = 0
    for seed in 0..<40 as Range<UInt64> {
      var random = SeededRandom(seed: seed)
      let fixture = try TableFixture(leafRowCount: 16)
      var start: Table = [:]
      for user in 0..<Int64.random(in: 0...120, using: &random) {
        start[RowDiffTests.key(user, Int64.random(in: -1...1, using: &random) * 31)] = Self.values(using: &random)
      }
      let rate = [4, 8, 40][Int(seed % 3)]
      let (one, two) = (Self.changed(start, rate: rate, using: &random), Self.changed(start, rate: rate, using: &random))
      func version(_ table: Table, _ base: TableVersion?) throws -> TableVersion {
        try fixture.apply(.replace, table.map { $0.key + $0.value }, onto: base)
      }
      let base = seed % 5 == 4 ? nil : try version(start, nil)
      let (a, b) = (try version(one, base), try version(two, base))
      let expected = Self.oracle(base == nil ? [:] : start, one, two)
      let forward = try Self.merged(fixture, base, a, b)
      #expect(try Self.table(forward.version) == expected.rows, "seed \(seed)")
      #expect(Set(forward.conflicts.map { $0.key.map(\.value) }) == expected.conflicts, "seed \(seed)")
      #expect(forward.conflicts.count == expected.conflicts.count, "seed \(seed)")
      let backward = try Self.merged(fixture, base, b, a)
      #expect(Set(backward.conflicts.map { $0.key.map(\.value) }) == expected.conflicts, "seed \(seed)")
      if expected.conflicts.isEmpty {
        #expect(forward.version.rootID == backward.version.rootID, "seed \(seed)")
        cleanCount += 1
      } else {
        conflictCount += 1
      }
    }
    #expect(cleanCount >= 5 && conflictCount >= 5, "\(cleanCount) clean merges, \(conflictCount) with conflicts")
  }

  private func publish(_ fixture: TableFixture, _ schema: Schema, _ rows: [[Scalar]], onto base: TableVersion) throws -> TableVersion {
    let batch = Batch(
      schema: schema, columns: schema.fields.indices.map { column in Column(schema.fields[column].type, rows.map { $0[column] }) },
      rowCount: rows.count)
    let writer = TableWriter(archive: fixture.archive, layout: fixture.layout.with(schema))
    guard case .content(let content) = try writer.apply(.upsert, batch, onto: base) else {
      throw TableError(.input, "The change conflicts")
    }
    return try fixture.publish(content)
  }

  /// One side renames a column and drops another, the other side adds one and edits: nothing is lost, nothing becomes null.
  @Test func changesOfSchemaAndOfCellsCombine() throws {
    let fixture = try TableFixture()
    let key = RowDiffTests.key
    let base = try fixture.apply(
      .append, [key(1, 0, "k") + [.double(1), .string("x"), .bool(true)], key(2, 0, "k") + [.double(2), .string("y"), .bool(false)]],
      onto: nil)
    var renamed = fixture.layout.schema
    renamed.fields[3].name = "price"
    renamed.fields.removeLast()
    let a = try publish(fixture, renamed, [key(1, 0, "k") + [.double(1), .string("edited")]], onto: base)
    let wider = FieldIDs.assign(
      to: Schema(fixture.layout.schema.fields + [Field("count", .int32)]), keeping: ids(of: fixture.layout.schema))
    let b = try publish(
      fixture, wider,
      [key(1, 0, "k") + [.double(7), .string("x"), .bool(true), .int(5)], key(3, 0, "k") + [.double(3), .null, .bool(true), .null]],
      onto: base)
    let forward = try Self.merged(fixture, base, a, b)
    #expect(forward.conflicts.isEmpty)
    #expect(forward.version.layout.schema.fields.map(\.name) == ["user", "time", "id", "price", "note", "count"])
    #expect(
      try Self.table(forward.version) == [
        key(1, 0, "k"): [.double(7), .string("edited"), .int(5)], key(2, 0, "k"): [.double(2), .string("y"), .null],
        key(3, 0, "k"): [.double(3), .null, .null],
      ])
    #expect(try Self.merged(fixture, base, b, a).version.rootID == forward.version.rootID)
  }

  @Test func anEditInADroppedColumnIsAConflict() throws {
    let fixture = try TableFixture()
    let key = RowDiffTests.key
    let base = try fixture.apply(
      .append, [key(1, 0, "k") + [.double(1), .string("x"), .bool(true)], key(2, 0, "k") + [.double(2), .string("y"), .null]], onto: nil)
    let dropped = Schema(Array(fixture.layout.schema.fields.dropLast()))
    let a = try publish(fixture, dropped, [key(2, 0, "k") + [.double(20), .string("y")]], onto: base)
    let b = try fixture.apply(.upsert, [key(1, 0, "k") + [.double(1), .string("x"), .bool(false)]], onto: base)
    let layouts = LayoutMerge(base: base.layout, first: a.layout, second: b.layout)
    let flag = try #require(fixture.layout.schema["flag"]?.id)
    #expect(layouts.droppedByFirst == [flag])
    #expect(layouts.layout.schema["flag"] == nil)
    let edits = try RowMerge.edits(of: [flag], from: base, to: b, isFirst: false)
    #expect(edits.fields == [flag])
    #expect(edits.conflicts.map(\.kind) == [.drop])
    #expect(edits.conflicts.map(\.columns) == [["flag"]])
    #expect(edits.conflicts[0].first == nil)
    #expect(edits.conflicts[0].second?.map(\.value) == key(1, 0, "k") + [.double(1), .string("x"), .bool(false)])
    // Settled for the side that edited, the column and its values stay.
    let kept = LayoutMerge(base: base.layout, first: b.layout, second: a.layout, keeping: [flag])
    #expect(kept.layout.schema == fixture.layout.schema)
    let merge = try RowMerge(base: base, first: b, second: a, layout: kept.layout)
    #expect(merge.conflicts.isEmpty)
    guard case .content(let content) = try TableWriter(archive: fixture.archive, layout: kept.layout).apply(merge.change, onto: b) else {
      throw TableError(.input, "The change conflicts")
    }
    #expect(
      try Self.table(fixture.publish(content)) == [
        key(1, 0, "k"): [.double(1), .string("x"), .bool(false)], key(2, 0, "k"): [.double(20), .string("y"), .null],
      ])
  }

  @Test func oneNameForTwoFieldsAndTwoNamesForOneAreConflicts() throws {
    let base = TableFixture.layout(leafRowCount: 64)
    func renamed(_ name: String) -> TableLayout {
      var schema = base.schema
      schema.fields[3].name = name
      return base.with(schema)
    }
    func adding(_ type: DataType) -> TableLayout {
      base.with(FieldIDs.assign(to: Schema(base.schema.fields + [Field("extra", type)]), keeping: ids(of: base.schema)))
    }
    let names = LayoutMerge(base: base, first: renamed("price"), second: renamed("cost"))
    #expect(names.conflicts == [.init(what: "name of column amount", base: "amount", first: "price", second: "cost")])
    #expect(names.layout.schema.fields[3].name == "price")
    #expect(LayoutMerge(base: base, first: renamed("price"), second: renamed("price")).conflicts.isEmpty)
    let types = LayoutMerge(base: base, first: adding(.int64), second: adding(.string))
    #expect(types.conflicts.map(\.what) == ["column extra, which is two fields"])
    #expect(types.layout.schema == adding(.int64).schema, "settled, the first side's column stays")
    #expect(types.layout.dropped == [adding(.string).schema["extra"]?.id], "the other one's is as good as dropped")
    // One side renames a column to what the other one calls a new one.
    let both = LayoutMerge(base: base, first: adding(.int64), second: renamed("extra"))
    #expect(both.conflicts.map(\.what) == ["column extra, which is two fields"])
    #expect(both.layout.schema.fields.map(\.name) == base.schema.fields.map(\.name) + ["extra"])
    #expect(LayoutMerge(base: base, first: adding(.int64), second: adding(.int64)).conflicts.isEmpty)
    // One id under two types.
    var other = adding(.int64)
    other.schema.fields[6].type = .string
    #expect(LayoutMerge(base: base, first: adding(.int64), second: other).conflicts.map(\.what) == ["type of column extra"])
  }

  @Test func theOrderOfMergedColumnsIsTheSameFromBothSides() {
    let base = TableFixture.layout(leafRowCount: 64)
    func adding(_ names: [String]) -> TableLayout {
      base.with(FieldIDs.assign(to: Schema(base.schema.fields + names.map { Field($0, .int64) }), keeping: ids(of: base.schema)))
    }
    func names(_ a: TableLayout, _ b: TableLayout) -> [String] {
      LayoutMerge(base: base, first: a, second: b).layout.schema.fields.map(\.name)
    }
    let known = base.schema.fields.map(\.name)
    #expect(names(adding(["z", "b"]), base) == known + ["z", "b"])
    #expect(names(base, adding(["z", "b"])) == known + ["z", "b"])
    #expect(names(adding(["z", "b"]), adding(["c"])) == known + ["b", "c", "z"])
    #expect(names(adding(["c"]), adding(["z", "b"])) == known + ["b", "c", "z"])
  }
}
