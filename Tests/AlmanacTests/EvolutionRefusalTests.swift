import Almanac
import Columns
import Tables
import Testing

/// Changes of a contract that committed rows cannot follow: the reason and the way, and nothing is changed.
@Suite struct EvolutionRefusalTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let change: @Sendable (inout EvolvingContract) -> Void

    init(_ name: String, _ text: String, _ change: @escaping @Sendable (inout EvolvingContract) -> Void) {
      testDescription = name
      self.text = text
      self.change = change
    }
  }

  static let cases: [Case] = [
    Case(
      "narrower",
      "column v is int32, the contract says int16, which is not a wider type of its values; add a new column, fill it with "
        + "--mode upsert, and drop this one later"
    ) { $0.setType(of: "v", to: "int16") },
    Case(
      "another type",
      "column v is int32, the contract says float64, which is not a wider type of its values; add a new column, fill it "
        + "with --mode upsert, and drop this one later"
    ) { $0.setType(of: "v", to: "float64") },
    Case(
      "another type under another name",
      "column v is int32, the contract says utf8, which is not a wider type of its values; add a new "
        + "column, fill it with --mode upsert, and drop this one later"
    ) {
      $0.rename("v", to: "w")
      $0.setType(of: "w", to: "utf8")
    },
    Case(
      "more digits",
      "column d is decimal(10,2), the contract says decimal(12,2), which is not a wider type of its values; add a new "
        + "column, fill it with --mode upsert, and drop this one later"
    ) { $0.setType(of: "d", to: "'decimal(12,2)'") },
    Case(
      "narrower key", "column k is int32, the contract says int8, which is not a wider type of its values; commit the rows to a new dataset"
    ) { $0.keys[0].type = "int8" },
    Case("required", "new column u is required, but committed rows have no value for it; make it nullable") {
      $0.columns.append(.init(name: "u", type: "utf8", isRequired: true))
    },
    Case(
      "no longer nullable",
      "column v has been nullable and cannot become required; keep it nullable, and have new rows checked by the "
        + "rule nullValues mustBe 0"
    ) { $0.columns[0].isRequired = true },
    Case(
      "key dropped",
      "column k is part of its primary key and cannot be dropped; where it was renamed, declare previousName: k on the "
        + "new column"
    ) { $0.keys.removeFirst() },
    Case(
      "key renamed without saying so",
      "column k is part of its primary key and cannot be dropped; where it was renamed, declare "
        + "previousName: k on the new column"
    ) { $0.keys[0].name = "customer" },
    Case(
      "key in another order", "its primary key is (k, at), the contract says (at, k); that cannot change: commit the rows to a new dataset"
    ) { $0.keys.reverse() },
    Case(
      "longer key", "its primary key is (k, at), the contract says (k, at, r); that cannot change: commit the rows to a new dataset"
    ) {
      $0.columns.removeAll { $0.name == "r" }
      $0.keys.append(.init(name: "r", type: "utf8"))
    },
    Case(
      "shorter key", "its primary key is (k, at), the contract says (k); that cannot change: commit the rows to a new dataset"
    ) {
      $0.keys.removeLast()
      $0.columns.append(.init(name: "at", type: "'timestamp[us,UTC]'", isRequired: true))
      $0.settings = "eventTime: at"
    },
    Case(
      "another event time", "its event time is at, the contract says seen; that cannot change: commit the rows to a new dataset"
    ) { $0.settings = "eventTime: seen, partition: none" },
    Case("no event time", "its event time is at, the contract says none; that cannot change: commit the rows to a new dataset") {
      $0.settings = "partition: none"
    },
    Case("other partitions", "it is partitioned by month, the contract says day; that cannot change: commit the rows to a new dataset") {
      $0.settings = "eventTime: at, partition: day"
    },
    Case(
      "other leaves", "its leaves aim at 64 rows, the contract says leafRows: 128; that is fixed when a dataset is created: leave it out"
    ) {
      $0.settings = "eventTime: at, partition: month, leafRows: 128"
    },
    Case(
      "renamed from nothing",
      "column w was renamed from x, the contract says, but the dataset has no column x; leave out previousName to "
        + "add a new column"
    ) { $0.columns.append(.init(name: "w", type: "utf8", previousName: "x")) },
    Case("renamed onto another", "column d cannot continue v: the dataset has both; leave out previousName to drop v, or drop d first") {
      $0.drop("v")
      $0.columns[0].previousName = "v"
    },
  ]

  /// Two columns were renamed, and the first name given to a new one: what b is cannot be told.
  static let ambiguous = Case(
    "ambiguous", "column d may continue v, or be new, as v is still declared; change one name at a time"
  ) {
    $0.rename("d", to: "e")
    $0.columns.append(.init(name: "d", type: "int32", previousName: "v"))
  }

  private func start() throws -> (Workshop, EvolvingContract) {
    let workshop = try Workshop()
    var contract = EvolvingContract([("v", "int32"), ("d", "'decimal(10,2)'"), ("r", "utf8"), ("seen", "'timestamp[us,UTC]'")])
    contract.columns[2].isRequired = true
    contract.columns[3].isRequired = true
    contract.settings = "eventTime: at, partition: month, leafRows: 64"
    try workshop.apply(contract)
    try workshop.upsert("k,at,v,d,r,seen\n1,2026-01-05T00:00:00Z,1,1.25,x,2026-01-05T00:00:00Z\n")
    contract.settings = "eventTime: at, partition: month"
    return (workshop, contract)
  }

  @Test(arguments: cases + [ambiguous]) func isRefused(_ refused: Case) throws {
    var (workshop, contract) = try start()
    let before = try workshop.state()
    refused.change(&contract)
    try workshop.declare("schemas/t.yaml", contract.yaml)
    for plan in [true, false] {
      let error = #expect(throws: AlmanacError.self) { try workshop.repository.apply(plan: plan) }
      #expect(error?.kind == .failed)
      #expect(error?.description == "Cannot change dataset t, which has committed rows: \(refused.text)")
    }
    #expect(try workshop.state() == before)
  }

  /// Before there are rows, everything may change.
  @Test(arguments: cases) func isAllowedWithoutRows(_ refused: Case) throws {
    let workshop = try Workshop()
    var contract = EvolvingContract([("v", "int32"), ("d", "'decimal(10,2)'"), ("r", "utf8"), ("seen", "'timestamp[us,UTC]'")])
    contract.columns[3].isRequired = true
    try workshop.apply(contract)
    refused.change(&contract)
    #expect(try workshop.apply(contract).changes.map(\.object) == ["dataset t"])
  }

  @Test func evolutionNoneKeepsTheColumns() throws {
    var (workshop, contract) = try start()
    // The setting itself may be made together with nothing else.
    contract.settings = "eventTime: at, partition: month, evolution: none"
    var both = contract
    both.drop("v")
    try workshop.declare("schemas/t.yaml", both.yaml)
    let prefix = "Cannot change the columns of dataset t, which has committed rows: "
    var error = #expect(throws: AlmanacError.self) { try workshop.apply() }
    #expect(error?.description == prefix + "the contract says evolution: none; apply the change under evolution: backward first")
    try workshop.apply(contract)
    for (settings, change) in [
      ("evolution: none", { (contract: inout EvolvingContract) in contract.columns.append(.init(name: "n", type: "bool")) }),
      ("evolution: backward", { $0.rename("v", to: "w") }), ("evolution: backward", { $0.setType(of: "v", to: "int64") }),
    ] {
      var changed = contract
      change(&changed)
      changed.settings = "eventTime: at, partition: month, \(settings)"
      try workshop.declare("schemas/t.yaml", changed.yaml)
      error = #expect(throws: AlmanacError.self) { try workshop.apply() }
      #expect(error?.description == prefix + "its contract says evolution: none; apply evolution: backward by itself first")
    }
    contract.settings = "eventTime: at, partition: month, evolution: backward"
    try workshop.apply(contract)
    contract.setType(of: "v", to: "int64")
    try workshop.apply(contract)
    #expect(try workshop.layout().schema["v"]?.type == .int64)
  }

  @Test func renamesThatContradictAreRefusedWithTheirPlace() throws {
    for (columns, text) in [
      ([("a", "a")], "schemas/t.yaml:8:5: previousName of column a is its own name"),
      ([("a", "c"), ("b", "c")], "schemas/t.yaml:9:5: columns a and b both have previousName c"),
      (
        [("a", "b"), ("b", "a")],
        "schemas/t.yaml:8:5: the previousNames of column a lead back to it; exchange names through one that is not in use"
      ),
      (
        [("x", "y"), ("a", "b"), ("b", "c"), ("c", "a")],
        "schemas/t.yaml:9:5: the previousNames of column a lead back to it; exchange names through one that is not in use"
      ),
    ] {
      let workshop = try Workshop()
      var contract = EvolvingContract()
      contract.columns = columns.map { .init(name: $0.0, type: "int64", previousName: $0.1) }
      try workshop.declare("schemas/t.yaml", contract.yaml)
      let error = #expect(throws: AlmanacError.self) { try workshop.apply() }
      #expect(error?.description == text)
    }
  }
}
