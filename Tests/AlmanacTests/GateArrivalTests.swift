import Almanac
import Foundation
import Columns
import History
import JSON
import Testing

/// The gate where commits are not made from files: pushes, and saved training sets.
@Suite struct GateArrivalTests {
  private let door = RemoteDoor()

  private func contract(_ quality: String = "") -> String {
    """
    apiVersion: v3.1.0
    kind: DataContract
    schema:
    - name: d
      properties:
      - {name: id, logicalType: integer, required: true, primaryKey: true}
    \(quality)

    """
  }

  private let rule = "  quality: [{metric: rowCount, mustBeGreaterThan: 2}]"

  /// Dataset `d` with one row at `main~1` and four at `main`, and a clone.
  private func origin() throws -> (workshop: Workshop, clone: Repository) {
    let workshop = try Workshop()
    try workshop.declare("schemas/d.yaml", contract())
    try workshop.apply()
    try workshop.commit("d", workshop.write("1.csv", "id\n1\n"))
    try workshop.commit("d", workshop.write("2.csv", "id\n2\n3\n4\n"))
    let clone = try Repository.clone(workshop.repository.folder, to: workshop.path("clone"), through: door).repository
    return (workshop, clone)
  }

  private func addRule(_ repository: Repository) throws {
    try contract(rule).write(toFile: "\(repository.folder)/schemas/d.yaml", atomically: true, encoding: .utf8)
    _ = try repository.apply(plan: false)
  }

  /// A commit that no command of this program makes: `main` with the version of a dataset, or the verdicts, of one's choice.
  private func forge(_ repository: Repository, datasets: [String: DatasetRef]? = nil, verdicts: JSON? = nil) throws -> CommitID {
    let parent = try repository.resolve("main")
    var commit = try repository.commit(parent)
    commit.parents = [parent]
    commit.datasets = datasets ?? commit.datasets
    commit.message = "forged"
    commit.timeMicros += 1
    var draft = repository.archive.draft()
    commit.verdicts = verdicts.map { draft.addBlob($0.canonicalBytes) }
    let id = draft.addCommit(commit)
    guard case .moved = try repository.archive.publish(&draft, commit: id, to: "main", expecting: parent, reason: "forged") else {
      throw AlmanacError(.io, "The forged commit lost a race")
    }
    return id
  }

  private func refusal(_ body: () throws -> Void) -> AlmanacError? { #expect(throws: AlmanacError.self) { try body() } }

  @Test func aPushOfTooFewRowsIsRefused() throws {
    let (workshop, clone) = try origin()
    try addRule(clone)
    let few = try clone.commit(clone.resolve("main~2")).datasets
    let forged = try forge(clone, datasets: few)
    let before = try workshop.state()
    let expected =
      "Cannot move main to \(forged.short): dataset d has 1 row since commit \(forged.short), and its contract asks for d rowCount at "
    #expect(refusal { _ = try clone.push(through: door) }?.description == expected + "least 3")
    #expect(refusal { _ = try clone.push(through: door) }?.kind == .failed)
    #expect(try workshop.state() == before)
    // The receiver says so too, whoever pushes, and whatever comes after it.
    let remote = workshop.repository.asRemote
    let last = try forge(clone)
    var transfer = Transfer(from: clone.asRemote, to: remote)
    _ = try transfer.copy([last])
    let error = #expect(throws: StoreErrorText.self) {
      do {
        _ = try remote.move(
          RefUpdate(
            name: "main", kind: .branch, expecting: workshop.repository.resolve("main"), new: last, isForced: true, reason: "push",
            steps: []))
      } catch { throw StoreErrorText("\(error)") }
    }
    #expect(
      error?.text
        == "Cannot move main to \(last.short): dataset d has 1 row since commit \(forged.short), and its contract asks for d rowCount "
        + "at least 3")
    #expect(try workshop.state() == before)
    // Enough rows, and the branch may move.
    _ = try clone.commit([CommitInput(dataset: "d", path: workshop.write("3.csv", "id\n7\n8\n"))], mode: .append, message: "enough")
    _ = try clone.push(through: door)
    #expect(try workshop.rows("d").count == 3)
  }

  /// A rule that the branch has there, and keeps, holds for what comes to it, also when it was away in between.
  @Test func aPushOfWhatCameWhileARuleWasAwayIsRefused() throws {
    for (name, rule, bad, mode) in [
      ("d rowCount at least 3", self.rule, "id\n1\n2\n", ChangeMode.delete),
      ("d.n maximum 5", "  - {name: n, logicalType: integer, logicalTypeOptions: {maximum: 5}}", "id,n\n9,6\n", .append),
    ] {
      let isCount = name.contains("rowCount")
      let strict = isCount ? contract(rule) : contract().replacing("primaryKey: true}", with: "primaryKey: true}\n\(rule)")
      let weak =
        isCount ? contract() : contract().replacing("primaryKey: true}", with: "primaryKey: true}\n  - {name: n, logicalType: integer}")
      let (workshop, _) = try origin()
      try workshop.declare("schemas/d.yaml", strict)
      try workshop.apply()
      let clone = try Repository.clone(workshop.repository.folder, to: workshop.path("clone-2"), through: door).repository
      func declare(_ text: String) throws {
        try text.write(toFile: "\(clone.folder)/schemas/d.yaml", atomically: true, encoding: .utf8)
        _ = try clone.apply(plan: false)
      }
      try declare(weak)
      _ = try clone.commit([CommitInput(dataset: "d", path: workshop.write("bad.csv", bad))], mode: mode, message: "bad")
      try declare(strict)
      let before = try workshop.state()
      let error = refusal { _ = try clone.push(through: door) }
      let tip = try clone.resolve("main").short
      #expect(
        error?.description
          == "Cannot move main to \(tip): its rows of dataset d violate \(name), which main asks; a commit on the way did not have that rule"
      )
      // The receiver says so too.
      let remote = workshop.repository.asRemote
      var transfer = Transfer(from: clone.asRemote, to: remote)
      _ = try transfer.copy([clone.resolve("main")])
      #expect(throws: (any Error).self) {
        try remote.move(
          RefUpdate(
            name: "main", kind: .branch, expecting: workshop.repository.resolve("main"), new: clone.resolve("main"), isForced: false,
            reason: "push", steps: []))
      }
      #expect(try workshop.state() == before)
      // A new branch has no rule yet, and rows that are put right may come.
      try clone.createBranch("new", at: "main")
      _ = try clone.push(ref: "new", through: door)
      _ = try clone.commit(
        [CommitInput(dataset: "d", path: workshop.write("good.csv", isCount ? "id\n7\n8\n" : "id,n\n9,5\n"))], mode: .upsert,
        message: "good")
      _ = try clone.push(through: door)
      #expect(try workshop.repository.resolve("main") == clone.resolve("main"))
    }
  }

  /// Commits that are there already, under another name or behind an undo, are new to the branch.
  @Test func whatIsStoredThereIsAskedToo() throws {
    let (workshop, _) = try origin()
    try workshop.declare("schemas/d.yaml", contract(rule))
    try workshop.apply()
    for kind in [RefKind.branch, .tag] {
      let name = kind == .branch ? "side" : "t1"
      let clone = try Repository.clone(workshop.repository.folder, to: workshop.path("clone-\(name)"), through: door).repository
      func declare(_ text: String) throws {
        try text.write(toFile: "\(clone.folder)/schemas/d.yaml", atomically: true, encoding: .utf8)
        _ = try clone.apply(plan: false)
      }
      try declare(contract())
      _ = try clone.commit([CommitInput(dataset: "d", path: workshop.write("bad.csv", "id\n1\n2\n"))], mode: .delete, message: "bad")
      try declare(contract(rule))
      if kind == .branch { try clone.createBranch(name, at: "main") } else { try clone.createTag(name, at: "main") }
      _ = try clone.push(ref: name, through: door)
      let before = try workshop.repository.resolve("main")
      #expect(refusal { _ = try clone.push(through: door) }?.description.contains("violate d rowCount at least 3, which main asks") == true)
      #expect(try workshop.repository.resolve("main") == before)
    }
  }

  @Test func aPushOfAViolatedVerdictIsRefused() throws {
    let (workshop, clone) = try origin()
    let forged = try forge(clone, verdicts: ["d": ["success": false, "results": []]])
    let last = try forge(clone)
    let before = try workshop.state()
    #expect(
      refusal { _ = try clone.push(through: door) }?.description
        == "Cannot move main to \(last.short): commit \(forged.short) violates the contract of dataset d, as its own verdict says")
    #expect(try workshop.state() == before)
  }

  /// What `apply` lets be may be pushed, and what was there before.
  @Test func aRuleThatCameLaterRefusesNoPush() throws {
    let (workshop, clone) = try origin()
    _ = try clone.commit([CommitInput(dataset: "d", path: workshop.write("3.csv", "id\n1\n2\n"))], mode: .delete, message: "fewer")
    try addRule(clone)
    _ = try forge(clone)
    _ = try clone.push(through: door)
    #expect(try workshop.rows("d").count == 2)
    _ = try forge(clone)
    _ = try clone.push(through: door)
    #expect(try workshop.repository.resolve("main") == clone.resolve("main"))
  }

  /// A saved training set is replaced without a gate, because no contract of one can ask for anything: no file declares its key.
  @Test func noContractGivesASavedTrainingSetRules() throws {
    let workshop = try Workshop.training()
    _ = try workshop.train(
      TrainingRequest(service: "s", labels: workshop.labels(), output: workshop.path("t.parquet"), save: "set"))
    try FileManager.default.removeItem(atPath: "\(workshop.repository.folder)/features/f.yaml")
    #expect(try workshop.repository.exportDefinitions().skipped == ["set"])
    let text = contract("  quality: [{metric: rowCount, mustBeGreaterThan: 9}]").replacing("name: d", with: "name: set")
    try workshop.declare("schemas/set.yaml", text.replacing("name: id", with: "name: _almanac_row"))
    let error = refusal { try workshop.apply() }
    #expect(error?.description.contains("\"_almanac_row\" cannot be a column's name") == true, "\(error?.description ?? "")")
  }
}

/// The text of a failure, whatever its type.
private struct StoreErrorText: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
