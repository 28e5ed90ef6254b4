import Almanac
import Columns
import History
import Tables
import Testing

/// Taking back, picking, going back: revert, cherry-pick, undo, and who changed a row.
@Suite struct RevertTests {
  private func root(_ workshop: Workshop, _ spec: String) throws -> RootID? {
    try workshop.repository.commit(workshop.repository.resolve(spec)).datasets["readings"]?.root
  }

  @Test func revertOfTheLastCommitRestoresItsParent() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("2.csv", [(1, 0, "10"), (7, 0, "7")]), .upsert)
    let report = try repository.revert("main")
    #expect(report.outcome == .merged)
    #expect(try root(workshop, "main") == root(workshop, "main~2"))
    #expect(try repository.log().first?.commit.message == "Revert \"upsert readings\"")
    // And back again.
    #expect(try repository.revert("main").outcome == .merged)
    #expect(try root(workshop, "main") == root(workshop, "main~2"))
    // Definitions too.
    try workshop.declare("schemas/others.yaml", Workshop.readingsContract(name: "others"))
    try workshop.apply()
    #expect(try repository.revert("main").outcome == .merged)
    #expect(try repository.definitions(at: repository.resolve("main")).contracts.keys.sorted() == ["readings"])
  }

  @Test func revertOfAnOlderCommitKeepsWhatCameLater() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("2.csv", [(1, 0, "10"), (7, 0, "7")]), .upsert)
    try workshop.commit("readings", workshop.readings("3.csv", [(2, 0, "20")]), .upsert)
    #expect(try repository.revert("main~1").outcome == .merged)
    #expect(try MergeTests.values(workshop) == ["1@0=1.0", "2@0=20.0", "3@0=3.0", "1@960=4.0"])
    // Nothing is left to take back.
    #expect(try repository.revert("main~2").outcome == .upToDate)
  }

  @Test func revertOfWhatWasChangedSinceConflicts() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("2.csv", [(1, 0, "10")]), .upsert)
    try workshop.commit("readings", workshop.readings("3.csv", [(1, 0, "11")]), .upsert)
    let before = try workshop.state()
    let report = try repository.revert("main~1")
    #expect(report.outcome == .conflict)
    #expect(report.rowConflicts.map { [$0.row.base, $0.row.first, $0.row.second].map { $0?.last?.value.double } } == [[10, 11, 1]])
    #expect(try workshop.state() == before)
    #expect(try repository.revert("main~1", strategy: .theirs).outcome == .merged)
    #expect(try MergeTests.values(workshop).first == "1@0=1.0")
    let error = #expect(throws: AlmanacError.self) { try repository.revert("main~4") }
    #expect(error?.description.hasSuffix("it is the first commit") == true)
  }

  @Test func aPickedCommitBringsItsChangesAlone() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("2.csv", [(8, 0, "8")]), branch: "trial")
    try workshop.commit("readings", workshop.readings("3.csv", [(2, 0, "20")]), .upsert, branch: "trial")
    let tip = try repository.resolve("main")
    let report = try repository.cherryPick("trial")
    #expect(report.outcome == .merged)
    #expect(try MergeTests.values(workshop) == ["1@0=1.0", "2@0=20.0", "3@0=3.0", "1@960=4.0"])
    let commit = try repository.commit(report.commit)
    #expect(commit.parents == [tip])
    #expect(commit.message == "upsert readings")
    #expect(try repository.cherryPick("trial").outcome == .upToDate)
    // Later the branch merges without a conflict: both sides have that change.
    #expect(try repository.merge("trial").outcome == .merged)
    #expect(try root(workshop, "main") == root(workshop, "trial"))
  }

  @Test func undoGoesBackAndRedoForward() throws {
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    let applied = try repository.resolve("main")
    let nothing = #expect(throws: AlmanacError.self) { try repository.undo() }
    #expect(nothing?.description == "Nothing to undo on branch main")
    #expect(nothing?.kind == .failed)
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1")]))
    let first = try repository.resolve("main")
    try workshop.commit("readings", workshop.readings("2.csv", [(2, 0, "2")]))
    let second = try repository.resolve("main")
    #expect(try repository.undo().to == first)
    #expect(try MergeTests.values(workshop) == ["1@0=1.0"])
    #expect(try repository.undo().to == applied)
    let past = #expect(throws: AlmanacError.self) { try repository.undo(2) }
    #expect(past?.description == "Nothing to undo on branch main")
    #expect(try repository.redo(2).to == second)
    let far = #expect(throws: AlmanacError.self) { try repository.undo(3) }
    #expect(far?.description == "Cannot undo 3 moves of branch main: there are 2")
    #expect(try repository.undo(2).to == applied)
    #expect(
      try repository.reflog("main").map(\.reason) == [
        "apply", "commit: append readings", "commit: append readings", "undo 1", "undo 1", "redo 2", "undo 2",
      ])
    // A new commit starts a new line; the old one is still in the log.
    try workshop.commit("readings", workshop.readings("3.csv", [(3, 0, "3")]))
    let gone = #expect(throws: AlmanacError.self) { try repository.redo() }
    #expect(gone?.description == "Nothing to redo on branch main")
    #expect(try repository.resolve(second.description) == second)
    #expect(throws: AlmanacError.self) { try repository.reflog("nowhere") }
  }

  private func lines(_ report: BlameReport, _ names: [CommitID: String]) -> [String] {
    report.lines.map { "\($0.column) \($0.value == .null ? "null" : "set") \(names[$0.commit] ?? "?")" }
  }

  @Test func blameNamesTheCommitOfEachColumn() throws {
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    var names: [CommitID: String] = [:]
    func commit(_ name: String, _ rows: [(sensor: Int, hour: Int, value: String)], _ mode: ChangeMode, branch: String = "main") throws {
      try workshop.commit("readings", workshop.readings("\(name).csv", rows), mode, branch: branch)
      names[try repository.resolve(branch)] = name
    }
    try commit("first", [(1, 0, "1"), (2, 0, "2")], .append)
    try commit("elsewhere", [(3, 0, "3")], .append)
    try repository.createBranch("trial", at: nil)
    try commit("edited", [(1, 0, "10")], .upsert, branch: "trial")
    try commit("meanwhile", [(2, 0, "20")], .upsert)
    names[try repository.merge("trial").commit] = "merge"
    let key = [("event_timestamp", "2026-02-01T00:00:00Z"), ("sensor", "1")]
    #expect(
      lines(try repository.blame("readings", key: key), names) == ["sensor set first", "event_timestamp set first", "value set edited"])
    let other = [("sensor", "2"), ("event_timestamp", "2026-02-01T00:00:00Z")]
    #expect(
      lines(try repository.blame("readings", key: other), names) == [
        "sensor set first", "event_timestamp set first", "value set meanwhile",
      ])
    #expect(lines(try repository.blame("readings", key: key, at: "main~1"), names).last == "value set first")
    // A row that is gone names who removed it.
    try commit("removal", [(1, 0, "")], .delete)
    let gone = try repository.blame("readings", key: key)
    #expect(gone.removedBy.flatMap { names[$0] } == "removal")
    #expect(lines(gone, names).last == "value set edited")
    // Added again it is a new row.
    try commit("again", [(1, 0, "10")], .append)
    #expect(Set(lines(try repository.blame("readings", key: key), names).map { $0.split(separator: " ").last }) == ["again"])
  }

  @Test func blameOfANewColumnNamesTheCommitThatGaveIt() throws {
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1")]))
    let first = try repository.resolve("main")
    try workshop.declare(
      "schemas/readings.yaml", Workshop.readingsContract(columns: "  - {name: note, logicalType: string, physicalType: utf8}"))
    try workshop.apply()
    try workshop.commit("readings", workshop.write("2.csv", "sensor,event_timestamp,value,note\n1,2026-02-01T00:00:00Z,1,hello\n"), .upsert)
    let second = try repository.resolve("main")
    let report = try repository.blame("readings", key: [("sensor", "1"), ("event_timestamp", "2026-02-01T00:00:00Z")])
    #expect(report.lines.map(\.column) == ["sensor", "event_timestamp", "value", "note"])
    #expect(report.lines.map(\.commit) == [first, first, first, second])
  }

  @Test func blameRefusesKeysThatAreNone() throws {
    let workshop = try MergeTests.branched()
    let repository = workshop.repository
    func error(_ dataset: String, _ key: [(String, String)]) -> AlmanacError? {
      #expect(throws: AlmanacError.self) { try repository.blame(dataset, key: key) }
    }
    let time = ("event_timestamp", "2026-02-01T00:00:00Z")
    #expect(error("readings", [("sensor", "77"), time])?.kind == .notFound)
    #expect(error("nothing", [("sensor", "1"), time])?.kind == .notFound)
    #expect(error("readings", [("sensor", "1")])?.description == "The key of readings needs a value of event_timestamp")
    #expect(error("readings", [("sensor", "one"), time])?.description == "Cannot read one as a value of sensor: expected int64")
    #expect(error("readings", [("sensor", "1"), time, ("value", "1")])?.description == "value is not a key column of readings")
  }

  /// Known from its start: the commit after which a row was negative.
  @Test func bisectionRunsOverTheCommitsBetween() throws {
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    var ids: [CommitID] = [try repository.resolve("main")]
    for number in 1...9 {
      try workshop.commit("readings", workshop.readings("\(number).csv", [(number, 0, "\(number)")]))
      ids.append(try repository.resolve("main"))
    }
    func test(_ id: CommitID) throws -> BisectVerdict {
      guard let reference = try repository.commit(id).datasets["readings"] else { return .good }
      return reference.rows >= 6 ? .bad : .good
    }
    let report = try repository.bisect(good: ["main~9"], bad: "main", test: test)
    #expect(report.step == .found(ids[6]))
    #expect(report.tested.count <= 4)
    // Step by step the same.
    #expect(throws: AlmanacError.self) { try repository.markBisect(.good, nil) }
    #expect(try repository.startBisect(good: [], bad: "main") == nil)
    var step = try repository.markBisect(.good, "main~9")
    while case .test(let id, _) = step { step = try repository.markBisect(test(id), nil) }
    #expect(step == .found(ids[6]))
    _ = try repository.startBisect(good: ["main~9"], bad: "main")
    #expect(try repository.runBisect(test: test).step == .found(ids[6]))
    try repository.resetBisect()
    #expect(throws: AlmanacError.self) { try repository.runBisect(test: test) }
    // Skipping all that is left gives no answer.
    let undecided = try repository.bisect(good: ["main~3"], bad: "main") { _ in .skip }
    #expect(undecided.step == .undecided(Array(ids[7...9])))
  }
}
