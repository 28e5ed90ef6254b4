import Almanac
import Columns
import Foundation
import Tables
import Testing

/// A contract that changes after rows were committed.
@Suite struct EvolutionTests {
  private let note = "  - {name: note, logicalType: string, physicalType: utf8}"

  private func withRows() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1"), (2, 0, "2"), (1, 24 * 40, "3")]))
    return workshop
  }

  @Test func aNewNullableColumnIsNullInOldRows() throws {
    let workshop = try withRows()
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract(columns: note))
    #expect(try workshop.apply().changes.flatMap(\.details) == ["+ column note: utf8"])
    #expect(try workshop.rows("readings").map(\.count) == [4, 4, 4], "the version has the columns of its contract at once")
    let text = "sensor,event_timestamp,value,note\n3,2026-02-01T00:00:00Z,4,new\n"
    let report = try workshop.commit("readings", workshop.write("2.csv", text))
    #expect(report.datasets.map { [$0.addedCount, $0.changedCount, $0.rowCount] } == [[1, 0, 4]])
    let rows = try workshop.rows("readings")
    #expect(rows.map { $0[3] } == [.null, .null, .string("new"), .null])
    #expect(rows.map { $0[2] } == [.double(1), .double(2), .double(4), .double(3)])
    // Versions from before keep their columns.
    #expect(try workshop.rows("readings", at: "main~2").map(\.count) == [3, 3, 3])
    let diff = try workshop.repository.diff("main~1", "main", dataset: "readings", withRows: true)
    #expect(diff.map { [$0.diff.addedCount, $0.diff.changedCount, $0.diff.removedCount] } == [[1, 0, 0]])
    // The file of a checkout has the column; old files without it are still accepted.
    #expect(try workshop.repository.checkout("main", "readings", to: workshop.path("out.csv"), columns: ["note"]) == 4)
    let old = try workshop.commit("readings", workshop.readings("3.csv", [(4, 0, "5")]))
    #expect(old.datasets.first?.rowCount == 5)
  }

  /// Features over a column that no committed row has yet are null, offline and online alike.
  @Test func featuresReadANewColumnBeforeItsFirstRow() throws {
    let workshop = try withRows()
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract(columns: note))
    try workshop.declare(
      "features/notes.yaml",
      """
      entities:
      - {name: sensor, keys: [{name: sensor, type: int64}]}
      feature_views:
      - name: notes
        entity: sensor
        source: readings
        features:
        - {name: last_note, expr: note}
        - {name: last_value, expr: value}
      feature_services:
      - {name: notes_v1, features: ["notes:*"]}
      """)
    try workshop.apply()
    let labels = try workshop.write("labels.csv", "sensor,event_timestamp\n1,2026-02-05T00:00:00Z\n2,2026-02-05T00:00:00Z\n")
    let training = try workshop.train(TrainingRequest(service: "notes_v1", labels: labels, output: workshop.path("t.parquet")))
    #expect(training["last_note"]?.scalars == [.null, .null])
    #expect(training["last_value"]?.scalars == [.double(1), .double(2)])
  }

  private func three(_ columns: [(String, String)] = [("a", "int16"), ("b", "utf8")]) throws -> (Workshop, EvolvingContract) {
    let workshop = try Workshop()
    let contract = EvolvingContract(columns)
    try workshop.apply(contract)
    try workshop.upsert(
      "k,at,a,b\n1,2026-01-05T00:00:00Z,10,x\n2,2026-01-06T00:00:00Z,,y\n3,2026-02-07T00:00:00Z,30,\n")
    return (workshop, contract)
  }

  /// No leaf is written: a dropped column keeps its bytes, and versions before keep their columns.
  @Test func aDroppedColumnLeavesTheLeavesAsTheyAre() throws {
    var (workshop, contract) = try three()
    let leaves = try workshop.repository.table("t", at: workshop.repository.resolve("main")).leaves().map(\.id)
    let id = try #require(workshop.layout().schema["a"]?.id)
    contract.drop("a")
    #expect(try workshop.apply(contract).changes.flatMap(\.details) == ["- column a: int16"])
    #expect(try workshop.layout().dropped == [id])
    #expect(try workshop.repository.table("t", at: workshop.repository.resolve("main")).leaves().map(\.id) == leaves)
    let isCanonical = try ["main~1", "main"].map { try workshop.repository.table("t", at: workshop.repository.resolve($0)).isCanonical() }
    #expect(isCanonical == [true, false])
    #expect(try workshop.rows("t").map(\.count) == [3, 3, 3])
    #expect(try workshop.values("a", at: "main~1") == [.int(10), .null, .int(30)])
    let diff = try workshop.repository.diff("main~1", "main", dataset: "t", withRows: true)
    #expect(diff.map(\.diff.isEmpty) == [true])
    // A row rewritten without the column has not changed by that, in either direction.
    try workshop.upsert("k,at,b\n1,2026-01-05T00:00:00Z,new\n")
    for (a, b) in [("main~2", "main"), ("main", "main~2")] {
      let entries = try workshop.repository.diff(a, b, dataset: "t", withRows: true)[0].diff.entries
      #expect(entries.map { $0.key[0].value } == [.int(1)])
      #expect(entries.map(\.columns) == [["b"]])
    }
  }

  @Test func theValuesOfADroppedColumnNeverComeBack() throws {
    var (workshop, contract) = try three()
    let first = try #require(workshop.layout().schema["a"]?.id)
    contract.drop("a")
    try workshop.apply(contract)
    contract.columns.append(.init(name: "a", type: "int16"))
    try workshop.apply(contract)
    let second = try #require(workshop.layout().schema["a"]?.id)
    #expect(try workshop.layout().dropped == [first])
    #expect(second != first)
    #expect(try workshop.values("a") == [.null, .null, .null])
    try workshop.upsert("k,at,a,b\n2,2026-01-06T00:00:00Z,7,y\n")
    #expect(try workshop.values("a") == [.null, .int(7), .null])
    let entries = try workshop.repository.diff("main~3", "main", dataset: "t", withRows: true)[0].diff.entries
    #expect(entries.map(\.columns) == [["a"]])
    #expect(entries.first?.after?.first { $0.name == "a" }?.value == .int(7))
    // Once more, and as another type: each time a new id.
    contract.drop("a")
    try workshop.apply(contract)
    contract.columns.append(.init(name: "a", type: "utf8"))
    try workshop.apply(contract)
    #expect(try workshop.layout().dropped == [first, second].sorted())
    #expect(try workshop.values("a") == [.null, .null, .null])
  }

  @Test func aRenameKeepsTheValues() throws {
    var (workshop, contract) = try three()
    let id = try #require(workshop.layout().schema["a"]?.id)
    contract.rename("a", to: "amount")
    #expect(
      try workshop.apply(contract).changes.flatMap(\.details) == ["- column a: int16", "+ column amount: int16, renamed from a"])
    #expect(try workshop.layout().schema["amount"]?.id == id)
    #expect(try workshop.layout().dropped == [])
    #expect(try workshop.values("amount") == [.int(10), .null, .int(30)])
    try workshop.upsert("k,at,amount,b\n2,2026-01-06T00:00:00Z,20,y\n")
    #expect(try workshop.values("amount") == [.int(10), .int(20), .int(30)])
    let entries = try workshop.repository.diff("main~2", "main", dataset: "t", withRows: true)[0].diff.entries
    #expect(entries.map(\.columns) == [["amount"]])
    // Again without a commit of rows between, then back: the id stays, and so the root is as it was before.
    let root = try workshop.root()
    contract.rename("amount", to: "total")
    try workshop.apply(contract)
    contract.rename("total", to: "sum")
    try workshop.apply(contract)
    #expect(try workshop.values("sum") == [.int(10), .int(20), .int(30)])
    contract.rename("sum", to: "amount")
    try workshop.apply(contract)
    #expect(try workshop.root() == root)
    // The declaration may stay, and its old name be given to another column.
    contract.columns.append(.init(name: "sum", type: "float64"))
    try workshop.apply(contract)
    #expect(try workshop.values("sum") == [.null, .null, .null])
    #expect(try workshop.values("amount") == [.int(10), .int(20), .int(30)])
  }

  /// In one step: the old name goes to a new column.
  @Test func aRenameComesBeforeTheNameOfANewColumn() throws {
    var (workshop, contract) = try three()
    let id = try #require(workshop.layout().schema["a"]?.id)
    contract.rename("a", to: "old")
    contract.columns.append(.init(name: "a", type: "int16"))
    try workshop.apply(contract)
    #expect(try workshop.values("old") == [.int(10), .null, .int(30)])
    #expect(try workshop.values("a") == [.null, .null, .null])
    #expect(try workshop.layout().schema["a"]?.id == id + 1, "the id is taken, the next one is free")
    #expect(try workshop.layout().schema["old"]?.id == id)
  }

  /// Definitions that another program registered without giving the dataset its new columns: they are read as the contract says,
  /// and the next commit, even of no rows, gives them to the dataset.
  @Test func aVersionBehindItsContractIsReadThroughIt() throws {
    var (workshop, contract) = try three()
    try workshop.declare(
      "features/f.yaml",
      """
      entities:
      - {name: k, keys: [{name: k, type: int32}]}
      feature_views:
      - {name: v, entity: k, source: t, features: [{name: last, expr: amount}, {name: old, expr: a}]}
      feature_services:
      - {name: s, features: ["v:*"]}

      """)
    contract.rename("a", to: "amount")
    contract.setType(of: "amount", to: "int64")
    contract.columns.append(.init(name: "a", type: "bool"))
    let before = try workshop.repository.resolve("main")
    try workshop.apply(contract)
    // The commit of apply again, but with the root of before.
    let archive = workshop.repository.archive
    let applied = try workshop.repository.resolve("main")
    var behind = try workshop.repository.commit(applied)
    behind.datasets = try workshop.repository.commit(before).datasets
    var draft = archive.draft()
    let id = draft.addCommit(behind)
    guard case .moved = try archive.publish(&draft, commit: id, to: "main", expecting: applied, reason: "behind") else {
      Issue.record("the branch has moved")
      return
    }
    #expect(try workshop.layout().schema.fields.map(\.name) == ["k", "at", "a", "b"])
    let labels = try workshop.write("labels.csv", "k,event_timestamp\n1,2026-03-01T00:00:00Z\n3,2026-03-01T00:00:00Z\n")
    let training = try workshop.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet")))
    #expect(training["last"]?.scalars == [.int(10), .int(30)])
    #expect(training["old"]?.scalars == [.null, .null])
    #expect(try workshop.repository.apply(plan: true).changes.isEmpty)
    let report = try workshop.commit("t", workshop.write("none.csv", "k,at,amount,b,a\n"))
    #expect(report.datasets.map { [$0.addedCount, $0.changedCount, $0.removedCount, $0.rowCount] } == [[0, 0, 0, 3]])
    #expect(report.commit != nil)
    #expect(try workshop.root() == workshop.root(at: applied.description))
    #expect(try workshop.values("amount") == [.int(10), .null, .int(30)])
    #expect(try workshop.commit("t", workshop.path("none.csv")).commit == nil, "nothing is left to commit")
  }

  /// All rows are new each time, but a column that went does not come back under its old id.
  @Test func aSavedTrainingSetMayGainAndLoseColumns() throws {
    let (workshop, _) = try three()
    func features(_ list: String) throws {
      try workshop.declare(
        "features/f.yaml",
        """
        entities:
        - {name: k, keys: [{name: k, type: int32}]}
        feature_views:
        - {name: v, entity: k, source: t, features: [\(list)]}
        feature_services:
        - {name: s, features: ["v:*"]}

        """)
      _ = try workshop.repository.apply(plan: false, prune: true)
    }
    let labels = try workshop.write("labels.csv", "k,event_timestamp\n1,2026-03-01T00:00:00Z\n")
    func save() throws {
      _ = try workshop.repository.train(
        TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet"), save: "training"))
    }
    try features("{name: a, expr: a}, {name: b, expr: b}")
    try save()
    try features("{name: b, expr: b}, {name: c, expr: a + 1}")
    try save()
    let layout = try workshop.layout("training")
    #expect(layout.schema.fields.map(\.name) == ["_almanac_row", "k", "event_timestamp", "b", "c"])
    #expect(layout.dropped.count == 1)
    #expect(try workshop.rows("training").map { $0.suffix(2) } == [[.string("x"), .int(11)]])
  }

  @Test func renamesInAChainAreFollowedTogether() throws {
    var (workshop, contract) = try three()
    contract.rename("b", to: "c")
    contract.rename("a", to: "b")
    contract.setType(of: "b", to: "int32")
    try workshop.apply(contract)
    #expect(try workshop.layout().dropped == [])
    #expect(try workshop.values("b") == [.int(10), .null, .int(30)])
    #expect(try workshop.values("c") == [.string("x"), .string("y"), .null])
    // What has been followed may stay in the contract.
    contract.columns.append(.init(name: "d", type: "bool"))
    try workshop.apply(contract)
    #expect(try workshop.values("b") == [.int(10), .null, .int(30)])
    #expect(try workshop.values("c") == [.string("x"), .string("y"), .null])
  }

  @Test(arguments: [
    ["int8", "int16", "int32", "int64"], ["int8", "int64"], ["float32", "float64"],
  ]) func widenedColumnsKeepTheirValues(types: [String]) throws {
    let workshop = try Workshop()
    var contract = EvolvingContract([("v", types[0])])
    try workshop.apply(contract)
    try workshop.upsert("k,at,v\n1,2026-01-05T00:00:00Z,-128\n2,2026-02-05T00:00:00Z,127\n3,2026-02-05T00:00:00Z,\n")
    let leaves = try workshop.repository.table("t", at: workshop.repository.resolve("main")).leaves().map(\.id)
    for type in types.dropFirst() {
      contract.setType(of: "v", to: type)
      try workshop.apply(contract)
    }
    let version = try workshop.repository.table("t", at: workshop.repository.resolve("main"))
    #expect(try version.leaves().map(\.id) == leaves)
    let isFloat = types[0] == "float32"
    let values: [Scalar] = isFloat ? [.double(-128), .double(127), .null] : [.int(-128), .int(127), .null]
    #expect(version.layout.schema["v"]?.type.description == types.last)
    #expect(try workshop.values("v") == values)
    let wide = isFloat ? "1e300" : types.last == "int64" ? "9223372036854775807" : "2147483647"
    try workshop.upsert("k,at,v\n3,2026-02-05T00:00:00Z,\(wide)\n")
    #expect(try workshop.values("v")[2] == (isFloat ? .double(1e300) : .int(.max)))
    // Both ways round, the narrower side is read as the wider.
    let first = "main~\(types.count)"
    for (a, b) in [(first, "main"), ("main", first)] {
      let diff = try workshop.repository.diff(a, b, dataset: "t", withRows: false)[0].diff
      #expect(diff.counts == [0, 1, 0])
    }
    // The same rows in a dataset that was wide from the start have the same leaves.
    let other = try Workshop()
    try other.apply(EvolvingContract([("v", types.last!)]))
    try other.upsert("k,at,v\n1,2026-01-05T00:00:00Z,-128\n2,2026-02-05T00:00:00Z,127\n3,2026-02-05T00:00:00Z,\(wide)\n")
    #expect(try other.root() == workshop.root())
  }

  /// Key bytes and order do not depend on names and widths.
  @Test func keysMayBeRenamedAndWidened() throws {
    var (workshop, contract) = try three()
    contract.keys[0] = .init(name: "customer", type: "int64", previousName: "k")
    contract.keys[1] = .init(name: "seen", type: "'timestamp[us,UTC]'", previousName: "at")
    contract.settings = "eventTime: seen, partition: month"
    try workshop.apply(contract)
    #expect(try workshop.layout().primaryKey == ["customer", "seen"])
    #expect(try workshop.layout().eventTime == "seen")
    #expect(try workshop.values("customer") == [.int(1), .int(2), .int(3)])
    try workshop.upsert("customer,seen,a,b\n2,2026-01-06T00:00:00Z,20,y\n5000000000,2026-01-06T00:00:00Z,1,z\n")
    #expect(try workshop.values("customer") == [.int(1), .int(2), .int(5_000_000_000), .int(3)])
    #expect(try workshop.values("a") == [.int(10), .int(20), .int(1), .int(30)])
    let diff = try workshop.repository.diff("main~2", "main", dataset: "t", withRows: false)[0].diff
    #expect(diff.counts == [1, 1, 0])
  }

  @Test func columnsMayMoveAndBecomeNullable() throws {
    let workshop = try Workshop()
    var contract = EvolvingContract([("a", "int16"), ("b", "utf8")])
    contract.columns[1].isRequired = true
    try workshop.apply(contract)
    try workshop.upsert("k,at,a,b\n1,2026-01-05T00:00:00Z,10,x\n")
    contract.columns[1].isRequired = false
    contract.columns.reverse()
    try workshop.apply(contract)
    #expect(try workshop.layout().schema.fields.map(\.name) == ["k", "at", "b", "a"])
    try workshop.upsert("k,at,a\n2,2026-01-05T00:00:00Z,20\n")
    #expect(try workshop.rows("t").map { $0.suffix(2) } == [[.string("x"), .int(10)], [.null, .int(20)]])
  }

  /// A change of layout needs no rows: `apply` commits it, and what reads the branch then sees the new columns.
  @Test func everythingReadsTheNewColumnsAtOnce() throws {
    var (workshop, contract) = try three()
    try workshop.declare(
      "features/f.yaml",
      """
      entities:
      - {name: k, keys: [{name: k, type: int32}]}
      feature_views:
      - {name: v, entity: k, source: t, features: [{name: last, expr: a}]}
      feature_services:
      - {name: s, features: ["v:*"]}

      """)
    try workshop.apply(contract)
    let labels = try workshop.write("labels.csv", "k,event_timestamp\n1,2026-03-01T00:00:00Z\n3,2026-03-01T00:00:00Z\n")
    let request = TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet"))
    #expect(try workshop.train(request)["last"]?.scalars == [.int(10), .int(30)])
    contract.rename("a", to: "amount")
    contract.setType(of: "amount", to: "int32")
    contract.columns.append(.init(name: "c", type: "bool"))
    // A feature that uses the old name stands in the way, and is named.
    let before = try workshop.state()
    let error = #expect(throws: AlmanacError.self) { try workshop.apply(contract) }
    #expect(
      error?.description
        == "features/f.yaml:4:65: feature view v: feature last: there is no column a (did you mean at?), at column 1 of `a`")
    #expect(try workshop.state() == before)
    let text = try String(contentsOfFile: "\(workshop.repository.folder)/features/f.yaml", encoding: .utf8)
    try workshop.declare("features/f.yaml", text.replacingValue("expr: a", "expr: amount"))
    let plan = try workshop.repository.apply(plan: true)
    #expect(plan.changes.map(\.object) == ["dataset t", "feature view v"])
    #expect(try workshop.state() == before)
    try workshop.apply(contract)
    #expect(try workshop.train(request)["last"]?.scalars == [.int(10), .int(30)])
    let file = workshop.path("out.csv")
    #expect(try workshop.repository.checkout("main", "t", to: file, filter: "amount > 10") == 1)
    let csv = try String(contentsOfFile: file, encoding: .utf8)
    #expect(csv == "k,at,amount,b,c\n3,2026-02-07T00:00:00.000000Z,30,,\n")
    #expect(try workshop.repository.apply(plan: true).changes.isEmpty)
    #expect(try workshop.repository.log()[0].commit.datasets["t"]?.rows == 3)
  }
}

extension String {
  /// - Precondition: the text occurs.
  func replacingValue(_ old: String, _ new: String) -> String {
    precondition(contains(old))
    return split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
