import Columns
import Foundation
import History
import JSON
import Tables
import Testing

@testable import Almanac

/// Logs that several branches append to: merged, picked and reverted by the hidden key.
@Suite struct LogMergeTests {
  static func contract(_ columns: [(String, String)] = [("v", "utf8")], settings: String = "eventTime: at") -> EvolvingContract {
    var contract = EvolvingContract()
    contract.keys = []
    contract.columns = [.init(name: "at", type: "'timestamp[us,UTC]'", isRequired: true)]
    contract.columns += columns.map { .init(name: $0.0, type: $0.1) }
    contract.settings = "kind: log, \(settings)"
    return contract
  }

  /// The log `t` with two equal rows, and a branch `other` at the same commit.
  private func branched() throws -> Workshop {
    let workshop = try Workshop()
    try workshop.apply(Self.contract())
    try append(workshop, ["base", "base"])
    try workshop.repository.createBranch("other", at: nil)
    return workshop
  }

  @discardableResult private func append(
    _ workshop: Workshop, _ values: [String], day: Int = 1, branch: String = "main"
  ) throws -> CommitID {
    let lines = values.map { "2026-02-0\(day)T00:00:00Z,\($0)" }
    let file = try workshop.write("rows.csv", (["at,v"] + lines).joined(separator: "\n") + "\n")
    return try #require(try workshop.commit("t", file, branch: branch).commit)
  }

  private func strings(_ workshop: Workshop, at spec: String = "main") throws -> [String] {
    try workshop.values("v", at: spec).map { $0.string ?? "" }
  }

  @Test func aMergeIsTheUnion() throws {
    let workshop = try branched()
    let repository = workshop.repository
    try append(workshop, ["theirs", "theirs"], branch: "other")
    try append(workshop, ["ours"])
    try append(workshop, ["earlier"], day: 1, branch: "other")
    let report = try repository.merge("other")
    #expect(report.outcome == .merged)
    #expect(report.datasets.map { [$0.counts?.added, $0.counts?.changed, $0.counts?.removed, $0.rowCount] } == [[3, 0, 0, 6]])
    // All at one time, so in the order in which they were committed.
    #expect(try strings(workshop) == ["base", "base", "theirs", "theirs", "ours", "earlier"])
    let contract = try #require(try repository.definitions(at: repository.resolve("main")).contracts["t"])
    #expect(contract.columns.map(\.name) == ["at", "v"])
    #expect(contract.primaryKey == [])
    // From the other side the same version comes out.
    try repository.switchBranch(to: "other")
    #expect(try repository.merge("main~1").outcome == .merged)
    #expect(try workshop.root(at: "other") == workshop.root(at: "main"))
    #expect(try repository.merge("main").outcome == .merged)
    #expect(try workshop.root(at: "other") == workshop.root(at: "main"))
    try append(workshop, ["later"])
    #expect(try strings(workshop).suffix(2) == ["earlier", "later"])
  }

  @Test func aPickBringsTheAppendedRowsUnderTheirBatch() throws {
    let workshop = try branched()
    let repository = workshop.repository
    try append(workshop, ["left behind"], branch: "other")
    try append(workshop, ["picked", "picked"], branch: "other")
    try append(workshop, ["ours"])
    #expect(try repository.cherryPick("other").outcome == .merged)
    #expect(try strings(workshop) == ["base", "base", "picked", "picked", "ours"])
    let batches = try workshop.values("_almanac_batch")
    #expect(batches[2] == batches[3])
    #expect(try Set(workshop.values("_almanac_batch", at: "other")).contains(batches[2]))
    #expect(try repository.cherryPick("other").outcome == .upToDate)
    #expect(try repository.merge("other").outcome == .merged)
    #expect(try strings(workshop) == ["base", "base", "left behind", "picked", "picked", "ours"])
  }

  @Test func aRevertRemovesTheRowsOfItsCommit() throws {
    let workshop = try branched()
    let repository = workshop.repository
    let first = try repository.resolve("main")
    let bad = try append(workshop, ["bad", "good"])
    try append(workshop, ["good", "later"])
    #expect(try repository.revert(bad.description).datasets.map { $0.counts?.removed } == [2])
    #expect(try strings(workshop) == ["base", "base", "good", "later"])
    #expect(try repository.revert(bad.description).outcome == .upToDate)
    // The first append, before which the dataset had no version.
    #expect(try repository.revert(first.description).outcome == .merged)
    #expect(try strings(workshop) == ["good", "later"])
    // Taken back, the rows are what they were.
    #expect(try repository.revert("main~1").outcome == .merged)
    #expect(try strings(workshop) == ["bad", "good", "good", "later"])
    let batches = try workshop.values("_almanac_batch")
    #expect(batches[0] == batches[1])
    // A merge removes what the other side has reverted.
    try append(workshop, ["other"], branch: "other")
    try repository.switchBranch(to: "other")
    #expect(try repository.merge("main").outcome == .merged)
    #expect(try strings(workshop, at: "other") == ["bad", "good", "good", "later", "other"])
  }

  /// The last append of a log is taken back to the very version before; the only one, to none.
  @Test func aRevertOfTheLastAppendRestoresTheVersionBefore() throws {
    let workshop = try branched()
    let repository = workshop.repository
    let before = try workshop.root()
    try append(workshop, ["bad"])
    #expect(try repository.revert("main").outcome == .merged)
    #expect(try workshop.root() == before)
    try repository.switchBranch(to: "other")
    #expect(try repository.revert("other").outcome == .merged)
    #expect(try repository.commit(repository.resolve("other")).datasets["t"] == nil)
  }

  // MARK: Batches

  private static func bytes(_ value: Scalar) -> [UInt8] { if case .binary(let bytes) = value { bytes } else { [] } }

  private func batches(_ workshop: Workshop, at spec: String = "main") throws -> [[UInt8]] {
    try workshop.values("_almanac_batch", at: spec).map(Self.bytes)
  }

  @Test func batchesHoldTheTimeOfTheirCommit() {
    let batch = LogKey.drawBatch(timeMicros: 0x06_6183_7CF2_6B3D)
    #expect(Array(batch.prefix(12)) == [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x06, 0x61, 0x83, 0x7C, 0xF2, 0x6B, 0x3D])
    #expect(batch.count == 16)
    #expect(LogKey.drawBatch(timeMicros: -1).dropFirst(5).prefix(7) == [0, 0, 0, 0, 0, 0, 0])
    #expect(LogKey.drawBatch(timeMicros: .max).prefix(12).allSatisfy { $0 == 0xFF })
  }

  @Test func aLaterCommitHasTheGreaterBatch() throws {
    let workshop = try branched()
    for branch in ["main", "other", "main"] {
      let before = try batches(workshop, at: branch)
      try append(workshop, ["next"], branch: branch)
      let new = Set(try batches(workshop, at: branch)).subtracting(before)
      #expect(new.count == 1)
      #expect(before.allSatisfy { $0.lexicographicallyPrecedes(new.first!) })
    }
    // Where the branches' clocks agree, the later of two appends is the later row, whichever branch it was on.
    _ = try workshop.repository.merge("other")
    #expect(try batches(workshop).map { $0.hex } == batches(workshop).map { $0.hex }.sorted())
  }

  /// A machine whose clock is ahead has committed, been merged and picked from: what comes after is later all the same.
  @Test func batchesAscendWhereClocksDoNot() throws {
    let workshop = try branched()
    let repository = workshop.repository
    let future = Repository.nowMicros() + 86_400_000_000
    func publish(on branch: String, timeMicros: Int64, batch: [UInt8]) throws -> CommitID {
      let tip = try repository.resolve(branch)
      let old = try repository.commit(tip)
      let version = try repository.table("t", at: tip)
      let rows = Batch(
        schema: version.layout.schema,
        columns: [
          Column(.timestamp(.microsecond, zone: "UTC"), [.timestamp(Workshop.february, .microsecond)]), Column(.string, [.string("ahead")]),
          Column(.binary, [.binary(batch)]), Column(.int64, [.int(0)]),
        ], rowCount: 1)
      guard
        case .content(let content) = try TableWriter(archive: repository.archive, layout: version.layout).apply(
          .append, rows, onto: version)
      else { throw TableError(.input, "The rows conflict") }
      var draft = repository.archive.draft()
      let commit = Commit(
        parents: [tip], datasets: ["t": DatasetRef(root: content.addRoot(to: &draft), rows: content.rowCount)],
        definitions: old.definitions, author: "a", message: "ahead", timeMicros: timeMicros)
      let id = draft.addCommit(commit)
      _ = try repository.archive.publish(&draft, commit: id, to: branch, expecting: tip, reason: "test")
      return id
    }
    // A batch of the older form is older than all, however great its first byte.
    _ = try publish(on: "main", timeMicros: 1, batch: [UInt8](repeating: 0xFE, count: 16))
    try append(workshop, ["after"])
    #expect(try strings(workshop) == ["ahead", "base", "base", "after"])
    let ahead = try publish(on: "other", timeMicros: future, batch: LogKey.drawBatch(timeMicros: future))
    let next = try append(workshop, ["next"], branch: "other")
    #expect(try repository.commit(next).timeMicros == future + 1)
    #expect(try strings(workshop, at: "other") == ["base", "base", "ahead", "next"])
    #expect(try repository.cherryPick(ahead.description).outcome == .merged)
    try append(workshop, ["last"])
    #expect(try strings(workshop) == ["ahead", "base", "base", "after", "ahead", "last"])
    // No time of a commit is too great.
    _ = try publish(on: "other", timeMicros: .max, batch: LogKey.drawBatch(timeMicros: .max))
    try append(workshop, ["end"], branch: "other")
    #expect(try repository.commit(repository.resolve("other")).timeMicros == .max)
  }

  /// Sorted in files: the batch is not known yet when rows are.
  @Test func rowsThatGoThroughFilesHaveTheirBatch() throws {
    let workshop = try Workshop()
    try workshop.apply(Self.contract())
    let lines = (0..<400).map { "2026-02-0\($0 % 9 + 1)T00:00:00Z,\($0)" }
    let file = try workshop.write("rows.csv", (["at,v"] + lines).joined(separator: "\n") + "\n")
    _ = try workshop.repository.commit(
      [CommitInput(dataset: "t", path: file), CommitInput(dataset: "t", path: file)], mode: .append, message: "many", memoryByteCount: 4096)
    let found = try batches(workshop)
    #expect(found.count == 800)
    #expect(Set(found).count == 1)
    #expect(found[0].count == 16 && found[0].prefix(5).allSatisfy { $0 == 0xFF })
  }

  @Test func blameTakesAHiddenKeyAsDiffAndCheckoutShowIt() throws {
    let workshop = try branched()
    let id = try append(workshop, ["row"], branch: "main")
    let batch = try #require(try batches(workshop).last)
    for text in ["0x\(batch.hex)", Data(batch).base64EncodedString()] {
      let report = try workshop.repository.blame(
        "t", key: [("at", "2026-02-01T00:00:00Z"), ("_almanac_batch", text), ("_almanac_ordinal", "0")])
      #expect(report.lines.map(\.commit) == Array(repeating: id, count: 4))
    }
    let error = #expect(throws: AlmanacError.self) {
      try workshop.repository.blame("t", key: [("at", "2026-02-01T00:00:00Z"), ("_almanac_batch", "0xf"), ("_almanac_ordinal", "0")])
    }
    #expect(
      error?.description == "Cannot read 0xf as a value of _almanac_batch: expected binary, as 0x and hexadecimal digits or in base64")
  }

  // MARK: Columns

  @Test func columnsOfBothSidesStandBeforeTheHiddenOnes() throws {
    let workshop = try branched()
    let repository = workshop.repository
    try append(workshop, ["theirs"], branch: "other")
    for (branch, name) in [("main", "x"), ("other", "y")] {
      try repository.switchBranch(to: branch)
      try workshop.apply(Self.contract([("v", "utf8"), (name, "int32")]))
      let file = try workshop.write("rows.csv", "at,v,\(name)\n2026-02-01T00:00:00Z,\(branch),5\n")
      try workshop.commit("t", file, branch: branch)
    }
    try repository.switchBranch(to: "main")
    #expect(try repository.merge("other").outcome == .merged)
    #expect(try workshop.layout().schema.fields.map(\.name) == ["at", "v", "x", "y", "_almanac_batch", "_almanac_ordinal"])
    #expect(try strings(workshop) == ["base", "base", "theirs", "main", "other"])
    #expect(try workshop.values("x") == [.null, .null, .null, .int(5), .null])
    #expect(try workshop.values("y") == [.null, .null, .null, .null, .int(5)])
    let file = try workshop.write("rows.csv", "at,v,x,y\n2026-02-01T00:00:00Z,after,1,2\n")
    try workshop.commit("t", file)
    #expect(try workshop.rows("t").last?.prefix(4) == [.timestamp(Workshop.february, .microsecond), .string("after"), .int(1), .int(2)])
  }

  @Test func sortColumnsFollowTheirNamesThroughMerges() throws {
    let workshop = try Workshop()
    let repository = workshop.repository
    var contract = Self.contract([("v", "utf8")], settings: "eventTime: at, sort: [v, at]")
    contract.columns[1].isRequired = true
    try workshop.apply(contract)
    try append(workshop, ["b", "a"])
    try repository.createBranch("other", at: nil)
    var renamed = contract
    renamed.rename("v", to: "name")
    renamed.settings = "kind: log, eventTime: at, sort: [name, at]"
    try workshop.apply(renamed)
    try workshop.commit("t", workshop.write("rows.csv", "at,name\n2026-02-01T00:00:00Z,d\n"))
    try repository.switchBranch(to: "other")
    contract.rename("at", to: "seen")
    contract.settings = "kind: log, eventTime: seen, sort: [v, seen]"
    try workshop.apply(contract)
    try workshop.commit("t", workshop.write("rows.csv", "seen,v\n2026-02-01T00:00:00Z,c\n"), branch: "other")
    #expect(try repository.merge("main").outcome == .merged)
    let merged = try #require(try repository.definitions(at: repository.resolve("other")).contracts["t"])
    #expect(merged.sort == ["name", "seen"])
    #expect(merged.eventTime == "seen")
    #expect(try workshop.layout(at: "other").primaryKey == ["name", "seen", "_almanac_batch", "_almanac_ordinal"])
    #expect(try workshop.values("name", at: "other") == ["a", "b", "c", "d"].map { .string($0) })
    try workshop.commit("t", workshop.write("rows.csv", "seen,name\n2026-02-01T00:00:00Z,e\n"), branch: "other")
    #expect(try workshop.values("name", at: "other").count == 5)
  }

  /// Rows are checked under the merged contract, without the columns that are in none.
  @Test func mergedRowsPassTheGate() throws {
    let workshop = try branched()
    let repository = workshop.repository
    try append(workshop, ["toolong"], branch: "other")
    var contract = Self.contract().yaml
    contract = contract.replacing(
      "- {name: v, physicalType: utf8}", with: "- {name: v, physicalType: utf8, logicalTypeOptions: {maxLength: 5}}")
    try workshop.declare("schemas/t.yaml", contract)
    try workshop.apply()
    try append(workshop, ["ours"])
    let error = #expect(throws: AlmanacError.self) { try repository.merge("other") }
    #expect(error?.description.contains("t.v maxLength 5: 1 of") == true, "\(error?.description ?? "")")
    #expect(try strings(workshop) == ["base", "base", "ours"])
  }

  // MARK: Features

  private static let features = """
    entities:
    - {name: e, keys: [{name: u, type: string}]}
    feature_views:
    - name: w
      entity: e
      source: t
      features:
      - {name: now, expr: v}
      - {name: n, agg: count, window: all}
      - {name: oldest, agg: first, of: v, window: all}
      - {name: newest, agg: last, of: v, window: 1h}
    feature_services:
    - {name: s, features: ["w:*"]}

    """

  /// Two branches append events of one time in turns: from whichever side they are merged, the last committed is the newest.
  @Test(arguments: ["eventTime: at", "eventTime: at, sort: [u, at]", "eventTime: at, sort: [at, v]", "eventTime: at, sort: [u, at, v]"])
  func featuresAreTheSameOnEveryMachine(settings: String) throws {
    let workshop = try Workshop()
    let repository = workshop.repository
    var contract = Self.contract([("u", "utf8"), ("v", "int32")], settings: settings)
    for index in 1...2 { contract.columns[index].isRequired = true }
    try workshop.declare("features/f.yaml", Self.features)
    try workshop.apply(contract)
    func append(_ value: Int, _ branch: String) throws {
      let file = try workshop.write("rows.csv", "at,u,v\n2026-02-01T00:00:00Z,x,\(value)\n")
      try workshop.commit("t", file, branch: branch)
    }
    try append(50, "main")
    try repository.createBranch("other", at: nil)
    for (value, branch) in [(90, "main"), (10, "other"), (70, "main"), (30, "other")] { try append(value, branch) }
    try repository.createBranch("mirror", at: "other")
    let labels = try workshop.write("labels.csv", "u,event_timestamp\nx,2026-02-01T00:30:00Z\n")
    for (branch, from) in [("main", "other"), ("mirror", "main~1")] {
      try repository.switchBranch(to: branch)
      #expect(try repository.merge(from).outcome == .merged)
      #expect(try workshop.root(at: branch) == workshop.root(at: "main"))
      let training = try workshop.train(TrainingRequest(service: "s", labels: labels, output: workshop.path("t.parquet")))
      let names = ["now", "n", "oldest", "newest"]
      #expect(names.map { training[$0]?.scalar(at: 0) } == [.int(30), .int(5), .int(50), .int(30)])
      for isMaterialized in [false, true] {
        // Once from the leaves, as the image knows nothing of that time yet, and once from the image.
        _ = try repository.materialize()
        let service = try OnlineService(repository: repository)
        let at = isMaterialized ? "2026-02-01T00:00:00Z" : "2026-02-01T00:30:00Z"
        let body: JSON = ["feature_service": "s", "at": .string(at), "entities": ["u": ["x"]]]
        let answer = body.canonicalBytes.withUnsafeBytes { service.answer($0) }
        let json = try JSON(parsing: answer.body)
        let values = try #require(json["results"]?.arrayValue).compactMap { $0["values"]?.arrayValue?.first }
        #expect(values == [.string("x"), .int(30), .int(5), .int(50), .int(30)])
      }
    }
  }
}
