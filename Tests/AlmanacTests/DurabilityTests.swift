import Almanac
import Columns
import Foundation
import History
import Objects
import Testing

/// What the façade promises of a store that is damaged, cleaned up or stopped.
@Suite struct DurabilityTests {
  private func problems(_ workshop: Workshop) throws -> [String] {
    try Repository.check(at: workshop.repository.folder).problems.filter { $0.severity == .damage }.map(\.object)
  }

  /// All below `.almanac` but SQLite's own, and the note of what was last applied, which is checked for being readable only.
  private func files(_ workshop: Workshop) throws -> [String] {
    let store = "\(workshop.repository.folder)/.almanac"
    let all = try FileManager.default.subpathsOfDirectory(atPath: store)
    return try all.filter { path in
      let attributes = try FileManager.default.attributesOfItem(atPath: "\(store)/\(path)")
      return attributes[.type] as? FileAttributeType == .typeRegular && attributes[.size] as? Int ?? 0 > 0
        && !path.hasPrefix("catalog.sqlite") && path != "applied.json"
    }.sorted()
  }

  private func flip(_ workshop: Workshop, _ path: String, at offset: Int) throws {
    let url = URL(fileURLWithPath: "\(workshop.repository.folder)/.almanac/\(path)")
    let handle = try FileHandle(forUpdating: url)
    defer { try? handle.close() }
    try handle.seek(toOffset: UInt64(offset))
    let byte = try #require(try handle.read(upToCount: 1))[0]
    try handle.seek(toOffset: UInt64(offset))
    try handle.write(contentsOf: Data([byte ^ 0x21]))
  }

  @Test func wholeFraudExampleIsClean() throws {
    let workshop = try Workshop.fraudWithRows()
    _ = try workshop.repository.materialize()
    let report = try Repository.check(at: workshop.repository.folder)
    #expect(report.problems == [])
    #expect(report.objectCounts["commit"] == 2)
    #expect(try workshop.repository.collectGarbage(retention: "0", grace: "0", isDryRun: true).items == [])
  }

  /// Files that other programs read are compared with their ids by decoding them; every tenth byte of each file.
  @Test func flippedBytesOfEveryFileAreNoticed() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1.5"), (1, 1, "2"), (2, 0, "")]))
    try workshop.commit("readings", workshop.readings("2.csv", [(3, 0, "1")]), .upsert)
    let paths = try files(workshop)
    #expect(Set(paths.map { $0.split(separator: "/")[0] }) == ["format", "leaves", "packs", "reflog.log"])
    for path in paths {
      let size = try FileBytes.of("\(workshop.repository.folder)/.almanac/\(path)").count
      for offset in stride(from: 0, to: size, by: 37) {
        try flip(workshop, path, at: offset)
        #expect(try !problems(workshop).isEmpty, "byte \(offset) of \(path)")
        try flip(workshop, path, at: offset)
      }
    }
    #expect(try problems(workshop) == [])
  }

  @Test func flippedBytesOfGenerationsAreNoticed() throws {
    let workshop = try Workshop.fraud()
    let lines = try String(contentsOfFile: Fixtures.path("transactions.csv"), encoding: .utf8).split(separator: "\n").prefix(9)
    try workshop.commit("transactions", workshop.write("few.csv", lines.joined(separator: "\n") + "\n"))
    _ = try workshop.repository.materialize()
    let paths = try files(workshop).filter { $0.hasPrefix("online/") }
    #expect(paths.count == 6)
    for path in paths {
      let size = try FileBytes.of("\(workshop.repository.folder)/.almanac/\(path)").count
      for offset in stride(from: 0, to: size, by: path.hasSuffix(".image") ? 211 : 5) {
        try flip(workshop, path, at: offset)
        #expect(try !problems(workshop).isEmpty, "byte \(offset) of \(path)")
        try flip(workshop, path, at: offset)
      }
    }
    #expect(try problems(workshop) == [])
  }

  @Test func damagedLeafIsHealedByCommittingItsRowsAgain() throws {
    let workshop = try Workshop.readings()
    let file = try workshop.readings("1.csv", [(1, 0, "1.5"), (1, 1, "2"), (2, 0, "")])
    try workshop.commit("readings", file)
    let before = try workshop.rows("readings")
    let leaf = try #require(try files(workshop).first { $0.hasPrefix("leaves/") })
    try flip(workshop, leaf, at: 10)
    #expect(try problems(workshop).count == 1)
    try workshop.commit("readings", file, .replace)
    #expect(try problems(workshop) == [])
    #expect(try workshop.rows("readings") == before)
  }

  @Test func garbageOfADeletedBranchGoesAndTheRestStays() throws {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("1.csv", [(1, 0, "1.5")]))
    try workshop.commit("readings", workshop.readings("2.csv", [(2, 0, "2")]), branch: "side")
    try workshop.repository.deleteRef("side", kind: .branch)
    #expect(try workshop.repository.collectGarbage(isDryRun: true).items == [])
    #expect(try workshop.repository.collectGarbage(grace: "0", isDryRun: true).items == [])
    let report = try workshop.repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
    #expect(report.objectCounts["commit"] == 1)
    #expect(report.objectCounts["leaf"] == 1)
    #expect(try problems(workshop) == [])
    #expect(try workshop.rows("readings").count == 1)
    let error = #expect(throws: AlmanacError.self) { try workshop.repository.collectGarbage(retention: "soon", isDryRun: true) }
    #expect(
      error?.description == "Cannot read --retention soon: expected a whole number with ms, s, m, h, d or w, for example 30d")
  }

  /// The whole way of a commit, from file to ref, on a machine that stops at each of its writes.
  @Test func everyCrashOfACommitLeavesOldOrNewRows() throws {
    let workshop = try Workshop.readings()
    let first = try workshop.readings("1.csv", (0..<40).map { ($0, 0, "1") })
    let second = try workshop.readings("2.csv", [(5, 0, "7"), (90, 800, "2"), (91, 0, "3")])
    func make() throws -> (StorageFaults, MemoryVolume, Catalog, Repository) {
      let faults = StorageFaults()
      let volume = MemoryVolume(faults: faults)
      let catalog = try Catalog.inMemory(faults: faults)
      let repository = Repository(folder: workshop.repository.folder, archive: try Archive.create(on: volume, catalog: catalog))
      _ = try repository.apply(plan: false)
      _ = try repository.commit([CommitInput(dataset: "readings", path: first)], mode: .append, message: "first")
      return (faults, volume, catalog, repository)
    }
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(seed)
    var isDone = false
    var step = 0
    while !isDone {
      let (faults, volume, catalog, repository) = try make()
      faults.arm(.crash, at: step)
      isDone = (try? repository.commit([CommitInput(dataset: "readings", path: second)], mode: .upsert, message: "second")) != nil
      faults.disarm()
      for survivor in volume.afterCrash(limit: 20, using: &random) {
        let archive = try Archive.open(on: survivor, catalog: catalog.snapshot())
        let again = Repository(folder: workshop.repository.folder, archive: archive)
        let label = "step \(step) (\(faults.steps.last ?? "none")), seed \(seed)"
        #expect(try archive.check(decoder: Repository.identity).problems.filter { $0.severity == .damage } == [], "\(label)")
        let rows = try again.table("readings", at: again.resolve("main")).read().rows
        #expect(rows.count == 42 || !isDone && rows.count == 40, "\(label)")
        #expect(rows.contains { $0[2] == .double(7) } == (rows.count == 42), "\(label)")
      }
      step += 1
    }
    #expect(step > 5)
  }
}
