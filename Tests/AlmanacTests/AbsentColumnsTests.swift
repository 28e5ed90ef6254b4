import Almanac
import Columns
import Foundation
import Synchronization
import Tables
import Testing

/// Files that do not have all columns of a contract: what an upsert does not send stays as it is.
@Suite struct AbsentColumnsTests {
  /// Columns `id`, `a` and `b`, of which `required` may hold no null.
  private func contract(_ required: Set<String> = [], rules: String = "") -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    schema:
    - name: d
      properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
      - {name: a, logicalType: string\(required.contains("a") ? ", required: true" : "")}
      - {name: b, logicalType: string\(required.contains("b") ? ", required: true" : "")\(rules)}

    """
  }

  private func workshop(_ required: Set<String> = []) throws -> Workshop {
    let workshop = try Workshop()
    try workshop.declare("schemas/d.yaml", contract(required))
    try workshop.apply()
    try workshop.commit("d", workshop.write("full.csv", "id,a,b\n1,x,y\n2,u,v\n"))
    return workshop
  }

  private func text(_ workshop: Workshop, at spec: String = "main") throws -> [String] {
    try workshop.rows("d", at: spec).map { row in row.map { $0 == .null ? "-" : $0.plainText }.joined(separator: ",") }
  }

  private func refusal(_ body: () throws -> Void) -> AlmanacError? { #expect(throws: AlmanacError.self) { try body() } }

  @Test(arguments: ["csv", "tsv", "jsonl", "parquet", "arrow", "arrows"]) func anUpsertLeavesWhatItDoesNotSend(ending: String) throws {
    let workshop = try workshop()
    let batch = Batch(
      schema: Schema([Field("a", .string), Field("id", .int64)]),
      columns: [Column(.string, [.string("NEW"), .null, .string("n")]), Column(.int64, [.int(1), .int(2), .int(3)])], rowCount: 3)
    let report = try workshop.commit("d", workshop.write("fix.\(ending)", batch), .upsert)
    #expect(try text(workshop) == ["1,NEW,y", "2,-,v", "3,n,-"])
    #expect(report.datasets.map { [$0.addedCount, $0.changedCount, $0.rowCount] } == [[1, 2, 3]])
    #expect(report.datasets.flatMap(\.absences) == [.init(column: "b", rowCount: 3, isEverywhere: true)])
  }

  @Test func anEmptyFieldIsANullThatIsSent() throws {
    let workshop = try workshop()
    let report = try workshop.commit("d", workshop.write("fix.csv", "b,a,id\n,NEW,1\n"), .upsert)
    #expect(try text(workshop) == ["1,NEW,-", "2,u,v"])
    #expect(report.datasets.flatMap(\.absences) == [])
  }

  /// Each object of JSON Lines sends what it has keys for.
  @Test(arguments: [Repository.defaultMemoryByteCount, 4]) func aRowOfJSONLinesSendsItsKeys(memory: Int) throws {
    let workshop = try workshop()
    let lines = ["{\"id\":1,\"a\":\"NEW\"}", "{\"b\":null,\"id\":2}", "{\"id\":3,\"b\":\"z\",\"a\":\"z\"}", "{\"id\":4}"]
    let file = try workshop.write("fix.jsonl", lines.joined(separator: "\n") + "\n")
    let report = try workshop.repository.commit(
      [CommitInput(dataset: "d", path: file)], mode: .upsert, message: "fix", memoryByteCount: memory)
    #expect(try text(workshop) == ["1,NEW,y", "2,u,-", "3,z,z", "4,-,-"])
    #expect(
      report.datasets.flatMap(\.absences) == [
        .init(column: "a", rowCount: 2, isEverywhere: false), .init(column: "b", rowCount: 2, isEverywhere: false),
      ])
    // Elsewhere a key that is missing is null.
    let replaced = try workshop.commit("d", file, .replace)
    #expect(try text(workshop) == ["1,NEW,-", "2,-,-", "3,z,z", "4,-,-"])
    #expect(replaced.datasets.flatMap(\.absences) == [])
  }

  @Test func aRowWithoutItsKeyIsRefused() throws {
    let workshop = try workshop()
    let before = try workshop.state()
    let error = refusal {
      _ = try workshop.commit("d", workshop.write("fix.jsonl", "{\"id\":1,\"a\":\"p\"}\n{\"a\":\"q\"}\n"), .upsert)
    }
    #expect(error?.description.contains("d.id required: 1 of 2 values (error)") == true, "\(error?.description ?? "")")
    #expect(
      refusal { _ = try workshop.commit("d", workshop.write("fix.csv", "a\nq\n"), .upsert) }?.description
        == "\(workshop.path("fix.csv")): Cannot use these rows for d: column id is missing; the contract requires it")
    #expect(try workshop.state() == before)
  }

  @Test(arguments: [Repository.defaultMemoryByteCount, 4]) func aNewRowNeedsWhatTheContractRequires(memory: Int) throws {
    let workshop = try workshop(["a", "b"])
    func upsert(_ text: String) throws -> CommitReport {
      try workshop.repository.commit(
        [CommitInput(dataset: "d", path: workshop.write("fix.csv", text))], mode: .upsert, message: "fix", memoryByteCount: memory)
    }
    // A row that exists needs its key and what changes.
    #expect(try upsert("id,a\n2,NEW\n").datasets.map(\.changedCount) == [1])
    #expect(try text(workshop) == ["1,x,y", "2,NEW,v"])
    let before = try workshop.state()
    let place = "in row 2 of \(workshop.path("fix.csv"))"
    #expect(
      refusal { _ = try upsert("id,a\n1,NEW\n7,NEW\n") }?.description
        == "Cannot upsert into d: 1 new row has no value for a column that the contract requires; the first is (id=7) \(place), "
        + "without column b")
    #expect(
      refusal { _ = try upsert("id\n2\n9\n8\n") }?.description
        == "Cannot upsert into d: 2 new rows have no value for a column that the contract requires; the first is (id=9) \(place), "
        + "without columns a, b")
    #expect(
      refusal { _ = try workshop.commit("d", workshop.write("fix.csv", "id,a\n7,NEW\n")) }?.description
        == "\(workshop.path("fix.csv")): Cannot use these rows for d: column b is missing; the contract requires it")
    #expect(try workshop.state() == before)
  }

  @Test func filesOfOneCommitMayHaveDifferentColumns() throws {
    let workshop = try workshop()
    let files = [
      try workshop.write("1.csv", "id,a\n1,A1\n"), try workshop.write("2.csv", "b,id\nB2,2\n"),
      try workshop.write("3.csv", "id,a,b\n3,A3,B3\n"), try workshop.write("4.csv", "id\n4\n"),
    ]
    for memory in [Repository.defaultMemoryByteCount, 4] {
      let report = try workshop.repository.commit(
        files.map { CommitInput(dataset: "d", path: $0) }, mode: .upsert, message: "four", branch: "four\(memory)", memoryByteCount: memory)
      #expect(try text(workshop, at: "four\(memory)") == ["1,A1,y", "2,u,B2", "3,A3,B3", "4,-,-"])
      #expect(report.datasets.map { [$0.addedCount, $0.changedCount] } == [[2, 2]])
      #expect(
        report.datasets.flatMap(\.absences) == [
          .init(column: "a", rowCount: 2, isEverywhere: false), .init(column: "b", rowCount: 2, isEverywhere: false),
        ])
    }
    // One key in two of them is repeated, whatever columns they have.
    let error = refusal {
      _ = try workshop.repository.commit(
        [files[0], try workshop.write("5.csv", "id,b\n1,B1\n")].map { CommitInput(dataset: "d", path: $0) }, mode: .upsert, message: "two")
    }
    #expect(
      error?.description == "Cannot commit to d: 1 row of the input repeat the primary key of another row; the first is (id=1) in row 1 of "
        + workshop.path("5.csv"))
  }

  @Test func otherModesTakeNullAndSayIt() throws {
    let workshop = try workshop()
    let absence = CommitReport.Absence(column: "a", rowCount: 1, isEverywhere: true)
    let file = try workshop.write("new.csv", "id,b\n3,z\n")
    #expect(try workshop.commit("d", file).datasets.flatMap(\.absences) == [absence])
    #expect(try text(workshop) == ["1,x,y", "2,u,v", "3,-,z"])
    #expect(try workshop.commit("d", workshop.write("new.csv", "id,b\n1,z\n"), .replace).datasets.flatMap(\.absences) == [absence])
    #expect(try text(workshop) == ["1,-,z"])
    #expect(try workshop.commit("d", workshop.write("new.csv", "id\n1\n"), .delete).datasets.flatMap(\.absences) == [])
    #expect(try text(workshop) == [])
  }

  /// The rules see whole rows: a value that is not sent is the one that is stored.
  @Test(arguments: [Repository.defaultMemoryByteCount, 4]) func rulesSeeWhatARowWillHave(memory: Int) throws {
    let workshop = try workshop()
    let rule = ", quality: [{metric: invalidValues, arguments: {validValues: [v, w]}, mustBe: 0}]"
    try workshop.declare("schemas/d.yaml", contract(rules: rule))
    try workshop.apply()
    func upsert(_ text: String) throws {
      _ = try workshop.repository.commit(
        [CommitInput(dataset: "d", path: workshop.write("fix.csv", text))], mode: .upsert, message: "fix", memoryByteCount: memory)
    }
    try upsert("id,a\n2,NEW\n9,NEW\n")
    #expect(try text(workshop) == ["1,x,y", "2,NEW,v", "9,NEW,-"])
    // Row 1 has had its value since before there was a rule.
    let before = try workshop.state()
    #expect(
      refusal { try upsert("id,a\n2,again\n1,again\n") }?.description == """
        The commit to d was refused by its contract; nothing was changed.
        d: 1 of 3 rules violated, 2 rows

        d.b validValues ["v", "w"]: 1 of 2 values (error)
          row  id  b
            2   1  y
        """)
    #expect(try workshop.state() == before)
    try upsert("id,b\n1,w\n")
    #expect(try text(workshop) == ["1,x,w", "2,NEW,v", "9,NEW,-"])
    let verdicts = try workshop.repository.verdicts(of: workshop.repository.commit(workshop.repository.resolve("main")))
    #expect(verdicts["d"]?["success"] == .bool(true))
  }

  /// The event time is part of the key where it divides the rows, and a value like any other where it does not.
  @Test func anEventTimeMayBeAbsentOutsideTheKey() throws {
    for (isKey, expected) in [(true, "column at is missing; the contract requires it"), (false, nil)] {
      let workshop = try Workshop()
      var contract = EvolvingContract([("a", "utf8")])
      if !isKey {
        contract.keys = [.init(name: "k", type: "int32")]
        contract.columns.append(.init(name: "at", type: "'timestamp[us,UTC]'", isRequired: true))
        contract.settings = "eventTime: at"
      }
      try workshop.apply(contract)
      try workshop.commit("t", workshop.write("rows.csv", "k,at,a\n1,2026-01-05T00:00:00Z,x\n2,2026-02-05T00:00:00Z,y\n"))
      let fix = try workshop.write("fix.csv", "k,a\n2,NEW\n")
      guard let expected else {
        try workshop.commit("t", fix, .upsert)
        #expect(try workshop.values("at").map(\.micros) == [1_767_571_200_000_000, 1_770_249_600_000_000])
        #expect(try workshop.values("a") == [.string("x"), .string("NEW")])
        let error = refusal { _ = try workshop.commit("t", workshop.write("fix.csv", "k,a\n3,NEW\n"), .upsert) }
        #expect(error?.description.contains("the first is (k=3) in row 1 of ") == true, "\(error?.description ?? "")")
        continue
      }
      #expect(refusal { _ = try workshop.commit("t", fix, .upsert) }?.description.contains(expected) == true)
    }
  }

  /// A lost race reads what is not sent once more.
  @Test func anOvertakenUpsertKeepsWhatTheOtherWriterSent() throws {
    let workshop = try workshop()
    let other = try Repository.open(at: workshop.repository.folder)
    let file = try workshop.write("theirs.csv", "id,b\n1,THEIRS\n")
    let hasRaced = Mutex(false)
    let ours = try workshop.write("ours.csv", "id,a\n1,OURS\n")
    _ = try workshop.repository.commit([CommitInput(dataset: "d", path: ours)], mode: .upsert, message: "ours") { phase, _, _ in
      let isFirst = hasRaced.withLock { raced in
        defer { raced = raced || phase == "writing d" }
        return phase == "writing d" && !raced
      }
      guard isFirst else { return }
      _ = try? other.commit([CommitInput(dataset: "d", path: file)], mode: .upsert, message: "theirs")
    }
    #expect(try workshop.repository.log().map(\.commit.message).prefix(2) == ["ours", "theirs"])
    #expect(try text(workshop) == ["1,OURS,THEIRS", "2,u,v"])
  }

  /// A file knows its columns by their names of today, as in every mode.
  @Test func theOldNameOfAColumnIsNone() throws {
    let workshop = try Workshop()
    var contract = EvolvingContract([("a", "utf8"), ("b", "utf8")])
    contract.keys = [.init(name: "k", type: "int32")]
    contract.settings = "evolution: backward"
    try workshop.apply(contract)
    try workshop.upsert("k,a,b\n1,x,y\n")
    contract.rename("b", to: "c")
    try workshop.apply(contract)
    let error = refusal { try workshop.upsert("k,b\n1,NEW\n") }
    #expect(error?.description.hasSuffix("column b is not in the contract") == true, "\(error?.description ?? "")")
    try workshop.upsert("k,a\n1,NEW\n")
    #expect(try workshop.rows("t") == [[.int(1), .string("NEW"), .string("y")]])
    try workshop.upsert("k,c\n1,Y\n")
    #expect(try workshop.rows("t") == [[.int(1), .string("NEW"), .string("Y")]])
  }
}
