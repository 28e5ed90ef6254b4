import Almanac
import Columns
import History
import Tables
import Testing

/// Merging branches of a repository: rows, definitions, conflicts, and the gate before the branch moves.
@Suite struct MergeTests {
  /// `readings` with four rows on main, and a branch `trial` at the same commit.
  static func branched() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1"), (2, 0, "2"), (3, 0, "3"), (1, 24 * 40, "4")]))
    try workshop.repository.createBranch("trial", at: nil)
    return workshop
  }

  static func values(_ workshop: Workshop, at spec: String = "main") throws -> [String] {
    try workshop.rows("readings", at: spec).map { row in
      "\(row[0].int ?? -1)@\(((row[1].micros ?? 0) - Workshop.february) / 3_600_000_000)=\(row[2].double.map { "\($0)" } ?? "null")"
    }
  }

  private func root(_ workshop: Workshop, _ spec: String) throws -> RootID? {
    try workshop.repository.commit(workshop.repository.resolve(spec)).datasets["readings"]?.root
  }

  @Test func aBranchWithoutCommitsOfItsOwnJustMoves() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    #expect(try repository.merge("trial").outcome == .upToDate)
    try workshop.commit("readings", workshop.readings("2.csv", [(9, 0, "9")]), branch: "trial")
    let trial = try repository.resolve("trial")
    let report = try repository.merge("trial")
    #expect(report.outcome == .fastForward)
    #expect(report.commit == trial)
    #expect(report.datasets.map(\.name) == ["readings"])
    #expect(try repository.resolve("main") == trial)
    #expect(try repository.archive.reflog("main").last?.reason == "merge trial: fast-forward")
  }

  @Test func aMergeCommitIsMadeOnRequest() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("2.csv", [(9, 0, "9")]), branch: "trial")
    let before = try repository.resolve("main")
    let report = try repository.merge("trial", message: "Bring trial", fastForward: false)
    #expect(report.outcome == .merged)
    let commit = try repository.commit(report.commit)
    #expect(commit.parents == [before, try repository.resolve("trial")])
    #expect(commit.message == "Bring trial")
    #expect(try root(workshop, "main") == root(workshop, "trial"))
  }

  @Test func changesOfBothSidesCombine() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "10"), (5, 0, "5")]), .upsert)
    try workshop.commit("readings", workshop.readings("b.csv", [(2, 0, "20"), (6, 24 * 40, "6"), (5, 0, "5")]), .upsert, branch: "trial")
    try workshop.commit("readings", workshop.readings("c.csv", [(3, 0, "")]), .delete, branch: "trial")
    let (ours, theirs) = (try repository.resolve("main"), try repository.resolve("trial"))
    let report = try repository.merge("trial")
    #expect(report.outcome == .merged)
    #expect(report.datasets.map { [$0.counts?.added, $0.counts?.changed, $0.counts?.removed, $0.rowCount] } == [[1, 1, 1, 5]])
    #expect(try repository.commit(report.commit).parents == [ours, theirs])
    #expect(try Self.values(workshop) == ["1@0=10.0", "2@0=20.0", "5@0=5.0", "1@960=4.0", "6@960=6.0"])
    // From the other side the same rows come out, under the same root.
    try repository.createBranch("mirror", at: theirs.description)
    try repository.switchBranch(to: "mirror")
    #expect(try repository.merge(ours.description).outcome == .merged)
    #expect(try root(workshop, "mirror") == root(workshop, "main"))
    #expect(try repository.merge("main").outcome == .merged, "the merges themselves are not in each other's history")
    try repository.switchBranch(to: "main")
    #expect(try repository.merge("trial").outcome == .upToDate)
  }

  @Test func conflictsAreReportedAndChangeNothing() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "10"), (5, 0, "5")]), .upsert)
    try workshop.commit("readings", workshop.readings("b.csv", [(2, 0, "")]), .delete)
    try workshop.commit(
      "readings", workshop.readings("c.csv", [(1, 0, "11"), (5, 0, "6"), (2, 0, "22"), (7, 0, "7")]), .upsert, branch: "trial")
    let before = try workshop.state()
    let report = try repository.merge("trial")
    #expect(report.outcome == .conflict)
    #expect(try workshop.state() == before)
    #expect(report.rowConflicts.map(\.row.kind) == [.update, .delete, .insert])
    #expect(report.rowConflicts.map { $0.row.key[0].value.int } == [1, 2, 5])
    #expect(report.rowConflicts.map(\.row.columns) == [["value"], ["value"], ["value"]])
    func value(_ values: RowDiff.Values?) -> Double? { values?.last?.value.double }
    #expect(report.rowConflicts.map { value($0.row.base) } == [1, 2, nil])
    #expect(report.rowConflicts.map { value($0.row.first) } == [10, nil, 5])
    #expect(report.rowConflicts.map { value($0.row.second) } == [11, 22, 6])
    #expect(report.json["conflicts"]?.arrayValue?[1]["ours"] == .null)
    #expect(report.json["conflicts"]?.arrayValue?[1]["theirs"]?["value"] == .double(22))

    try repository.createBranch("other", at: "main")
    #expect(try repository.merge("trial", strategy: .ours).outcome == .merged)
    #expect(try Self.values(workshop) == ["1@0=10.0", "3@0=3.0", "5@0=5.0", "7@0=7.0", "1@960=4.0"])
    try repository.switchBranch(to: "other")
    let parent = try repository.resolve("other")
    let theirs = try repository.merge("trial", strategy: .theirs)
    #expect(try Self.values(workshop, at: "other") == ["1@0=11.0", "2@0=22.0", "3@0=3.0", "5@0=6.0", "7@0=7.0", "1@960=4.0"])
    #expect(try repository.commit(theirs.commit).parents == [parent, try repository.resolve("trial")])
  }

  /// Contracts merge per column and rule; rows committed under either contract keep their values.
  @Test func contractsMergePerColumnAndRule() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    let note = "  - {name: note, logicalType: string, physicalType: utf8}"
    let bounded = Workshop.readingsContract().replacing("minimum: 0", with: "minimum: 0, maximum: 100")
    try workshop.declare("schemas/readings.yaml", bounded)
    try workshop.apply()
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "50")]), .upsert)
    try repository.switchBranch(to: "trial")
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract(columns: note))
    try workshop.apply()
    let rows = "sensor,event_timestamp,value,note\n2,2026-02-01T00:00:00Z,7,seen\n"
    try workshop.commit("readings", workshop.write("b.csv", rows), .upsert)
    try repository.switchBranch(to: "main")
    #expect(try repository.merge("trial").outcome == .merged)
    let contract = try repository.definitions(at: repository.resolve("main")).contracts["readings"]
    #expect(contract?.columns.map(\.name) == ["sensor", "event_timestamp", "value", "note"])
    #expect(contract?.rules.map(\.text) == ["readings.value minimum 0.0", "readings.value maximum 100.0"])
    let merged = try workshop.rows("readings")
    #expect(merged.map { $0[2] } == [.double(50), .double(7), .double(3), .double(4)])
    #expect(merged.map { $0[3] } == [.null, .string("seen"), .null, .null])
    // The result is a dataset like any other.
    try workshop.commit("readings", workshop.write("c.csv", "sensor,event_timestamp,value,note\n8,2026-02-01T00:00:00Z,8,x\n"))
    #expect(try workshop.rows("readings").count == 5)
  }

  /// Each side is valid by itself: ours bounds the values, theirs has a greater one.
  @Test func aResultThatViolatesTheMergedContractIsRefused() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract().replacing("minimum: 0", with: "minimum: 0, maximum: 100"))
    try workshop.apply()
    try workshop.commit("readings", workshop.readings("b.csv", [(2, 0, "700")]), .upsert, branch: "trial")
    for own in [false, true] {
      // Rows on one side only, then on both.
      if own { try workshop.commit("readings", workshop.readings("a.csv", [(4, 0, "4")])) }
      let before = try workshop.state()
      let error = #expect(throws: AlmanacError.self) { try repository.merge("trial") }
      #expect(error?.kind == .failed)
      #expect(error?.description.contains("readings.value maximum 100.0: 1 of") == true, "\(error?.description ?? "")")
      #expect(try workshop.state() == before)
    }
    // The other way round it is the rows of the current branch that do not fit.
    try repository.switchBranch(to: "trial")
    #expect(throws: AlmanacError.self) { try repository.merge("main") }
  }

  @Test func definitionsChangedOnBothSidesConflict() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract().replacing("minimum: 0", with: "minimum: 1"))
    try workshop.apply()
    try repository.switchBranch(to: "trial")
    try workshop.declare("schemas/readings.yaml", Workshop.readingsContract().replacing("minimum: 0", with: "minimum: 2"))
    try workshop.apply()
    try repository.switchBranch(to: "main")
    let report = try repository.merge("trial")
    #expect(report.outcome == .conflict)
    #expect(report.definitionConflicts.map(\.object) == ["dataset readings"])
    #expect(report.definitionConflicts.map(\.what) == [#"rule minimum ["value"] 1"#])
    #expect(try repository.merge("trial", strategy: .theirs).outcome == .merged)
    let contract = try repository.definitions(at: repository.resolve("main")).contracts["readings"]
    #expect(contract?.rules.map(\.text) == ["readings.value minimum 2.0"])
  }

  /// Datasets that only one side changed are taken under their roots, without a look at their rows.
  @Test func datasetsOfOneSideAreTakenWhole() throws {
    let workshop = try Self.branched()
    let repository = workshop.repository
    try workshop.declare("schemas/others.yaml", Workshop.readingsContract(name: "others"))
    try workshop.apply()
    try workshop.commit("others", workshop.readings("o.csv", [(1, 0, "1")]))
    try workshop.commit("readings", workshop.readings("t.csv", [(8, 0, "8")]), branch: "trial")
    let trial = try root(workshop, "trial")
    let report = try repository.merge("trial")
    #expect(report.outcome == .merged)
    #expect(report.datasets.map(\.name) == ["readings"])
    #expect(report.datasets.map { $0.counts == nil } == [true])
    #expect(try root(workshop, "main") == trial)
    #expect(try workshop.rows("others").count == 1)
  }

  /// Random edits on two branches: merged from either side the rows are the same, under the same root.
  @Test(arguments: 0..<6 as Range<UInt64>) func mergesAreSymmetric(seed: UInt64) throws {
    var random = SplitMix(seed)
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    func rows(_ sensors: Range<Int>, _ count: Int) -> [(sensor: Int, hour: Int, value: String)] {
      var seen: Set<Int> = []
      return (0..<count).compactMap { _ in
        let (sensor, hour) = (Int.random(in: sensors, using: &random), Int.random(in: 0..<60, using: &random) * 24)
        guard seen.insert(sensor * 10_000 + hour).inserted else { return nil }
        return (sensor, hour, "\(Int.random(in: 0..<100, using: &random))")
      }
    }
    try workshop.commit("readings", workshop.readings("base.csv", rows(0..<40, 600)))
    try repository.createBranch("a", at: nil)
    try repository.createBranch("b", at: nil)
    for (branch, sensors) in [("a", 0..<20), ("b", 20..<40)] {
      for step in 0..<3 {
        let mode: ChangeMode = step == 1 ? .delete : .upsert
        try workshop.commit("readings", workshop.readings("\(branch)\(step).csv", rows(sensors, 30)), mode, branch: branch)
      }
    }
    var roots: [RootID?] = []
    for (from, to) in [("a", "b"), ("b", "a")] {
      try repository.createBranch("merge-\(from)", at: from)
      try repository.switchBranch(to: "merge-\(from)")
      #expect(try repository.merge(to).outcome == .merged, "seed \(seed)")
      roots.append(try root(workshop, "merge-\(from)"))
    }
    #expect(roots[0] == roots[1], "seed \(seed)")
    #expect(try root(workshop, "a") != roots[0] && root(workshop, "b") != roots[0])
  }

  /// Two branches that commit and merge each other again and again, crosswise too: at the end both have all rows.
  @Test(arguments: 10..<14 as Range<UInt64>) func longHistoriesOfMergesComeTogether(seed: UInt64) throws {
    var random = SplitMix(seed)
    let workshop = try Workshop.readings()
    let repository = workshop.repository
    try workshop.commit("readings", workshop.readings("base.csv", [(0, 0, "1"), (1, 0, "2")]))
    let names = ["a", "b"]
    for name in names { try repository.createBranch(name, at: nil) }
    // What each branch has last written to its own sensors: even ones are of a, odd ones of b.
    var written: [[Int: String]] = [[0: "1"], [1: "2"]]
    for step in 0..<14 {
      let side = Int.random(in: 0..<2, using: &random)
      if Int.random(in: 0..<3, using: &random) == 0 {
        try repository.switchBranch(to: names[side])
        #expect(try repository.merge(names[1 - side]).outcome != .conflict, "seed \(seed), step \(step)")
        continue
      }
      let sensor = 2 * Int.random(in: 0..<6, using: &random) + side
      let isDelete = Int.random(in: 0..<4, using: &random) == 0
      written[side][sensor] = isDelete ? nil : "\(step)"
      try workshop.commit(
        "readings", workshop.readings("s\(step).csv", [(sensor, 0, "\(step)")]), isDelete ? .delete : .upsert, branch: names[side])
    }
    for (side, name) in names.enumerated() {
      try repository.switchBranch(to: name)
      #expect(try repository.merge(names[1 - side]).outcome != .conflict, "seed \(seed)")
    }
    let expected = written[0].merging(written[1]) { first, _ in first }.sorted { $0.key < $1.key }
      .map { "\($0.key)@0=\($0.value).0" }
    for name in names { #expect(try Self.values(workshop, at: name) == expected, "seed \(seed)") }
    #expect(try root(workshop, "a") == root(workshop, "b"), "seed \(seed)")
  }
}

extension String {
  func replacing(_ old: String, with new: String) -> String {
    split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
