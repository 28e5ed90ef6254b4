import Almanac
import Columns
import Foundation
import Synchronization
import Testing

/// What a commit changes, and what a refused one does not.
@Suite struct CommitTests {
  @Test func modesCountWhatTheyDo() throws {
    let workshop = try Workshop.readings()
    func counts(_ report: CommitReport) -> [Int] {
      report.datasets.flatMap { [$0.addedCount, $0.changedCount, $0.removedCount, $0.rowCount] }
    }
    let first = try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1.5"), (1, 1, "2"), (2, 0, "")]))
    #expect(counts(first) == [3, 0, 0, 3])
    let upsert = try workshop.commit("readings", workshop.readings("2.csv", [(1, 1, "7"), (2, 0, ""), (3, 0, "4")]), .upsert)
    #expect(counts(upsert) == [1, 1, 0, 4])
    let delete = try workshop.commit("readings", workshop.readings("3.csv", [(1, 0, "9"), (8, 8, "")]), .delete)
    #expect(counts(delete) == [0, 0, 1, 3])
    let replace = try workshop.commit("readings", workshop.readings("4.csv", [(2, 0, ""), (3, 0, "5"), (4, 0, "6")]), .replace)
    #expect(counts(replace) == [1, 1, 1, 3])
    let time = Scalar.timestamp(Workshop.february, .microsecond)
    #expect(try workshop.rows("readings") == [[.int(2), time, .null], [.int(3), time, .double(5)], [.int(4), time, .double(6)]])
    #expect(
      try workshop.repository.log().map(\.commit.message)
        == ["replace readings", "delete readings", "upsert readings", "append readings", "apply: added dataset readings"])
    // Every version stays as it was.
    #expect(try workshop.rows("readings", at: "main~3").count == 3)
    #expect(try workshop.rows("readings", at: "main~2").map { $0[2] } == [.double(1.5), .double(7), .null, .double(4)])
    #expect(try workshop.rows("readings", at: "main~1").map { $0[0] } == [.int(1), .int(2), .int(3)])
    let diff = try workshop.repository.diff("main~1", "main", dataset: "readings", withRows: true)
    #expect(diff.count == 1)
    #expect(diff[0].diff.entries.map(\.operation) == [.removed, .changed, .added])
    #expect(diff[0].diff.entries[1].columns == ["value"])
  }

  @Test func anUnchangedCommitMakesNone() throws {
    let workshop = try Workshop.readings()
    let file = try workshop.readings("1.csv", [(1, 0, "1"), (2, 0, "2")])
    try workshop.commit("readings", file)
    let before = try workshop.state()
    for mode in [ChangeMode.upsert, .replace] {
      let report = try workshop.commit("readings", file, mode)
      #expect(report.commit == nil)
      #expect(report.datasets.first?.rowCount == 2)
    }
    #expect(try workshop.commit("readings", workshop.readings("absent.csv", [(9, 9, "")]), .delete).commit == nil)
    #expect(try workshop.state() == before)
  }

  @Test func refusedCommitsChangeNothing() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1")]))
    let before = try workshop.state()
    func refused(_ file: String, _ kind: AlmanacError.Kind, _ texts: [String], dataset: String = "readings") throws {
      let error = #expect(throws: AlmanacError.self) { try workshop.commit(dataset, file) }
      #expect(error?.kind == kind)
      for text in texts { #expect(error?.description.contains(text) == true, "\(error?.description ?? "no error")") }
      #expect(try workshop.state() == before)
    }
    try refused(workshop.readings("negative.csv", [(5, 0, "1"), (5, 1, "-1")]), .failed, ["readings", "minimum", "nothing was changed"])
    try refused(
      workshop.readings("again.csv", [(7, 0, "1"), (1, 0, "2")]), .failed,
      [
        "Cannot append to readings: 1 row of the input have a primary key that is there already; the first is (sensor=1, "
          + "event_timestamp=2026-02-01T00:00:00.000000Z) in row 2 of ", "again.csv",
      ])
    try refused(
      workshop.readings("twice.csv", [(7, 0, "1"), (7, 0, "2")]), .failed,
      ["Cannot commit to readings: 1 row of the input repeat the primary key of another row; the first is (sensor=7, ", "twice.csv"])
    try refused(workshop.readings("text.csv", [(7, 0, "many")]), .failed, ["value", "many", "text.csv"])
    try refused(workshop.write("ragged.csv", "sensor,event_timestamp,value\n1,2\n"), .io, ["ragged.csv", "line 2"])
    try refused(workshop.write("column.csv", "sensor,value\n1,2\n"), .failed, ["event_timestamp"])
    try refused(workshop.path("missing.csv"), .notFound, ["missing.csv"])
    try refused(workshop.readings("unknown.csv", [(1, 0, "1")]), .notFound, ["There is no dataset rides"], dataset: "rides")
  }

  @Test func severalDatasetsAreOneCommitOrNone() throws {
    let workshop = try Workshop.readings()
    try workshop.declare("schemas/checks.yaml", Workshop.readingsContract(name: "checks"))
    try workshop.apply()
    let before = try workshop.state()
    let good = try workshop.readings("good.csv", [(1, 0, "1")])
    let bad = try workshop.readings("bad.csv", [(1, 0, "-1")])
    #expect(throws: AlmanacError.self) {
      try workshop.repository.commit(
        [CommitInput(dataset: "readings", path: good), CommitInput(dataset: "checks", path: bad)], mode: .append, message: "both")
    }
    #expect(try workshop.state() == before)
    let report = try workshop.repository.commit(
      [CommitInput(dataset: "readings", path: good), CommitInput(dataset: "checks", path: good)], mode: .append, message: "both")
    #expect(report.datasets.map(\.name) == ["readings", "checks"])
    let commit = try workshop.repository.commit(#require(report.commit))
    #expect(commit.datasets.mapValues(\.rows) == ["readings": 1, "checks": 1])
    #expect(try workshop.repository.log().count == before.filter { $0.count == 64 }.count + 1)
  }

  @Test func filesOfOneDatasetAreOneInput() throws {
    let workshop = try Workshop.readings()
    let a = try workshop.readings("a.csv", [(1, 0, "1"), (3, 0, "3")])
    let b = try workshop.readings("b.csv", [(2, 0, "2"), (3, 0, "4")])
    let inputs = [CommitInput(dataset: "readings", path: a), CommitInput(dataset: "readings", path: b)]
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.commit(inputs, mode: .append, message: "two") }
    #expect(error?.description.contains("in row 2 of \(b)") == true, "\(error?.description ?? "")")
  }

  @Test func aBranchNamedInACommitIsMade() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1")]))
    let main = try workshop.repository.resolve("main")
    let report = try workshop.commit("readings", workshop.readings("2.csv", [(2, 0, "2")]), branch: "trial")
    #expect(report.branch == "trial")
    #expect(try workshop.repository.resolve("main") == main)
    #expect(try workshop.repository.resolve("trial~1") == main)
    #expect(try workshop.rows("readings", at: "trial").count == 2)
    #expect(try workshop.rows("readings", at: "main").count == 1)
    #expect(try workshop.repository.headBranch() == "main")
  }

  /// Two writers of one branch: a lost race is computed again on the new tip.
  @Test func twoWritersLoseNothing() throws {
    let workshop = try Workshop.readings()
    let writers = [workshop.repository, try Repository.open(at: workshop.repository.folder)]
    let files = try (0..<2).map { writer in
      try (0..<20).map { turn in
        try workshop.readings("\(writer)-\(turn).csv", [(writer, turn, "\(turn)"), (10 + turn, writer, "0")])
      }
    }
    let errors = Mutex<[String]>([])
    DispatchQueue.concurrentPerform(iterations: 2) { writer in
      for file in files[writer] {
        do {
          _ = try writers[writer].commit(
            [CommitInput(dataset: "readings", path: file)], mode: .append, message: "writer \(writer)")
        } catch {
          errors.withLock { $0.append("\(error)") }
        }
      }
    }
    #expect(errors.withLock { $0 } == [])
    let log = try workshop.repository.log()
    #expect(log.count == 41)
    for writer in 0..<2 { #expect(log.filter { $0.commit.message == "writer \(writer)" }.count == 20) }
    #expect(log.map { $0.commit.datasets["readings"]?.rows ?? 0 } == (0...40).reversed().map { 2 * $0 })
    let rows = try workshop.rows("readings")
    #expect(rows.count == 80)
    #expect(Set(rows.map { Array($0[0...1]) }).count == 80)
    // And the same rows in one commit are the same version.
    let other = try Workshop.readings()
    try other.commit("readings", other.write("all.parquet", workshop.repository.table("readings", at: log[0].id).read()))
    #expect(
      try other.repository.log()[0].commit.datasets["readings"]?.root == log[0].commit.datasets["readings"]?.root)
  }
}
