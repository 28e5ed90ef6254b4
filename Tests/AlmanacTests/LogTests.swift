import Almanac
import Columns
import Foundation
import Synchronization
import Tables
import Testing

/// Datasets of kind log: rows without a key of their own, only appended.
@Suite struct LogTests {
  private func log(_ columns: [(String, String)] = [("a", "int32"), ("b", "utf8")], settings: String) -> EvolvingContract {
    var contract = EvolvingContract()
    contract.keys = []
    contract.columns = [.init(name: "at", type: "'timestamp[us,UTC]'", isRequired: true)]
    contract.columns += columns.map { .init(name: $0.0, type: $0.1) }
    contract.settings = "kind: log, \(settings)"
    return contract
  }

  private let settings = "eventTime: at"
  private let rows = "at,a,b\n2026-02-03T00:00:00Z,1,x\n2026-01-02T00:00:00Z,2,y\n2026-02-03T00:00:00Z,1,x\n"

  @Test func equalRowsAreAllKept() throws {
    let workshop = try Workshop()
    try workshop.apply(log(settings: settings))
    let file = try workshop.write("rows.csv", rows)
    #expect(try workshop.commit("t", file).datasets.map(\.addedCount) == [3])
    #expect(try workshop.commit("t", file).datasets.map { [$0.addedCount, $0.rowCount] } == [[3, 6]])
    #expect(try workshop.values("a") == [2, 2, 1, 1, 1, 1].map { .int($0) })
    let layout = try workshop.layout()
    #expect(layout.primaryKey == ["at", "_almanac_batch", "_almanac_ordinal"])
    #expect(layout.partitioning == .month)
    #expect(layout.isLog)
    // One batch for a commit, drawn anew for the next; ordinals count the rows of its input.
    let batches = try workshop.values("_almanac_batch")
    #expect(Set(batches.map { "\($0)" }).count == 2)
    let ordinals = try workshop.values("_almanac_ordinal")
    #expect(ordinals[0] == .int(1))
    #expect(Array(ordinals[2...]) == [0, 2, 0, 2].map { .int($0) }, "within one time by batch, then by ordinal")
    #expect(batches[2] == batches[3])
    #expect(batches[4] == batches[5])
    for case .binary(let bytes) in batches { #expect(bytes.count == 16) }
    let diff = try workshop.repository.diff("main~1", "main", dataset: "t", withRows: false)[0].diff
    #expect(diff.counts == [3, 0, 0])
  }

  @Test func severalFilesAndDatasetsOfOneCommandShareABatch() throws {
    let workshop = try Workshop()
    let contract = log(settings: settings)
    try workshop.declare("schemas/u.yaml", contract.yaml.replacingValue("- name: t", "- name: u"))
    try workshop.apply(contract)
    let file = try workshop.write("rows.csv", rows)
    let inputs = ["t", "t", "u"].map { CommitInput(dataset: $0, path: file) }
    _ = try workshop.repository.commit(inputs, mode: .append, message: "three")
    let batches = try workshop.values("_almanac_batch")
    #expect(batches.count == 6)
    #expect(Set(batches.map { "\($0)" }).count == 1)
    #expect(try workshop.values("_almanac_ordinal") == [1, 4, 0, 2, 3, 5].map { .int($0) })
    let other = try workshop.repository.table("u", at: workshop.repository.resolve("main")).read(columns: ["_almanac_batch"])
    #expect(other.columns[0].scalars == Array(batches.prefix(3)))
  }

  /// A lost race is tried again with another batch: what was committed meanwhile is older.
  @Test func aRetryDrawsANewBatch() throws {
    let workshop = try Workshop()
    try workshop.apply(log(settings: settings))
    let file = try workshop.write("rows.csv", "at,a,b\n2026-01-02T00:00:00Z,2,y\n2026-01-02T00:00:00Z,1,x\n")
    let fast = try workshop.write("fast.csv", "at,a,b\n2026-01-02T00:00:00Z,3,z\n")
    let other = try Repository.open(at: workshop.repository.folder)
    let hasRaced = Mutex(false)
    _ = try workshop.repository.commit([CommitInput(dataset: "t", path: file)], mode: .append, message: "slow") { phase, _, _ in
      guard phase == "writing t",
        hasRaced.withLock({ raced in
          defer { raced = true }; return !raced
        })
      else { return }
      _ = try? other.commit([CommitInput(dataset: "t", path: fast)], mode: .append, message: "fast")
    }
    #expect(try workshop.repository.log().map(\.commit.message).prefix(2) == ["slow", "fast"])
    #expect(try workshop.values("a") == [3, 2, 1].map { .int($0) })
    #expect(try workshop.values("_almanac_ordinal") == [0, 0, 1].map { .int($0) })
  }

  @Test(arguments: ["upsert", "replace", "delete"]) func rowsAreOnlyAppended(name: String) throws {
    let mode = try #require(ChangeMode(rawValue: name))
    let workshop = try Workshop()
    try workshop.apply(log(settings: settings))
    let file = try workshop.write("rows.csv", rows)
    try workshop.commit("t", file)
    let before = try workshop.state()
    let error = #expect(throws: AlmanacError.self) { try workshop.commit("t", file, mode) }
    #expect(error?.kind == .failed)
    #expect(error?.description == "Cannot \(name) rows of t: it is a log, to which rows are only appended")
    #expect(try workshop.state() == before)
  }

  @Test func hiddenColumnsAreShownOnlyWhenAskedFor() throws {
    let workshop = try Workshop()
    try workshop.apply(log(settings: settings))
    try workshop.commit("t", workshop.write("rows.csv", rows))
    let file = workshop.path("out.csv")
    #expect(try workshop.repository.checkout("main", "t", to: file) == 3)
    #expect(
      try String(contentsOfFile: file, encoding: .utf8)
        == "at,a,b\n2026-01-02T00:00:00.000000Z,2,y\n2026-02-03T00:00:00.000000Z,1,x\n2026-02-03T00:00:00.000000Z,1,x\n")
    #expect(try workshop.repository.checkout("main", "t", to: file, columns: ["_almanac_ordinal", "a"]) == 3)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "_almanac_ordinal,a\n1,2\n0,1\n2,1\n")
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.checkout("main", "t", to: file, columns: ["c"]) }
    #expect(error?.hint == "Its columns are: at, a, b.")
    let names = try workshop.repository.definitions(at: workshop.repository.resolve("main")).contracts["t"]?.columns.map(\.name)
    #expect(names == ["at", "a", "b"])
    // A checkout can be appended again; what it does not have is drawn anew.
    #expect(try workshop.repository.checkout("main", "t", to: file) == 3)
    #expect(try workshop.commit("t", file).datasets.map(\.rowCount) == [6])
  }

  @Test func rowsAreKeptInTheOrderOfSortColumns() throws {
    let workshop = try Workshop()
    var contract = log(settings: "eventTime: at, sort: [b, at], partition: day")
    contract.columns[2].isRequired = true
    try workshop.apply(contract)
    let rows = "at,a,b\n2026-01-02T05:00:00Z,1,z\n2026-01-02T06:00:00Z,2,a\n2026-01-01T00:00:00Z,3,q\n2026-01-02T04:00:00Z,4,a\n"
    try workshop.commit("t", workshop.write("rows.csv", rows))
    #expect(try workshop.values("a") == [3, 4, 2, 1].map { .int($0) })
    // Without sort columns and event time: in the order of their command alone.
    let plain = try Workshop()
    try plain.apply(log(settings: "evolution: backward"))
    try plain.commit("t", plain.write("rows.csv", rows))
    #expect(try plain.values("a") == [1, 2, 3, 4].map { .int($0) })
    #expect(try plain.layout().primaryKey == ["_almanac_batch", "_almanac_ordinal"])
  }

  @Test func columnsChangeAsThoseOfTables() throws {
    let workshop = try Workshop()
    var contract = log(settings: settings)
    try workshop.apply(contract)
    try workshop.commit("t", workshop.write("rows.csv", rows))
    contract.rename("at", to: "seen")
    contract.drop("b")
    contract.columns.append(.init(name: "c", type: "bool"))
    contract.settings = "kind: log, eventTime: seen"
    try workshop.apply(contract)
    try workshop.commit("t", workshop.write("rows.csv", "seen,a,c\n2026-02-03T00:00:00Z,5,true\n"))
    #expect(try workshop.layout().visibleColumns == ["seen", "a", "c"])
    #expect(try workshop.values("a").sorted { $0.int! < $1.int! } == [1, 1, 2, 5].map { .int($0) })
    // It cannot become a table, nor be sorted otherwise.
    contract.settings = "kind: log, eventTime: seen, sort: []"
    try workshop.declare("schemas/t.yaml", contract.yaml)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(
      error?.description
        == "Cannot change dataset t, which has committed rows: its primary key is (seen, _almanac_batch, _almanac_ordinal), the contract "
        + "says (_almanac_batch, _almanac_ordinal); that cannot change: commit the rows to a new dataset")
  }

  /// Of rows at one time, the one with the greatest hidden key is the value.
  @Test func featuresReadLogs() throws {
    let workshop = try Workshop()
    try workshop.declare(
      "features/f.yaml",
      """
      entities:
      - {name: e, keys: [{name: b, type: string}]}
      feature_views:
      - {name: v, entity: e, source: t, features: [{name: last, expr: a}, {name: n, agg: count, window: all}]}
      feature_services:
      - {name: s, features: ["v:*"]}

      """)
    try workshop.apply(log(settings: settings))
    try workshop.commit("t", workshop.write("rows.csv", rows + "2026-02-03T00:00:00Z,7,x\n"))
    let labels = try workshop.write(
      "labels.csv", "b,event_timestamp\nx,2026-03-01T00:00:00Z\ny,2026-03-01T00:00:00Z\nz,2026-03-01T00:00:00Z\n")
    let training = try workshop.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet")))
    #expect(training["last"]?.scalars == [.int(7), .int(2), .null])
    #expect(training["n"]?.scalars == [.int(3), .int(1), .int(0)])
  }

  @Test(arguments: [
    ("sort: [nothing]", "sort column nothing is not a column of dataset t"),
    ("sort: [a]", "sort column a must be required: true; a row without it has no place"),
    ("sort: [at, at]", "sort names column at twice"),
    ("sort: at", "sort must be a list, found at"),
    ("eventTime: at, sort: [], partition: day", "partition day needs an eventTime that is among the sort columns of dataset t"),
  ]) func sortColumnsAreChecked(settings: String, text: String) throws {
    let workshop = try Workshop()
    try workshop.declare("schemas/t.yaml", log(settings: settings).yaml)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.description.hasSuffix(": \(text)") == true, "\(error?.description ?? "")")
    #expect(error?.description.hasPrefix("schemas/t.yaml:10:") == true, "\(error?.description ?? "")")
  }

  @Test func aTableHasNoSortColumns() throws {
    let workshop = try Workshop()
    var contract = EvolvingContract([("a", "int32")])
    contract.settings = "eventTime: at, sort: [at]"
    try workshop.declare("schemas/t.yaml", contract.yaml)
    let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(
      error?.description
        == "schemas/t.yaml:10:52: sort is for datasets of kind log; t is kept in the order of its primary key")
  }
}
