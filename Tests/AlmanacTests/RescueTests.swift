import Foundation
import Testing

@testable import Almanac
@testable import History

/// A catalog whose refs and moves contradict each other or the ref log: nothing more is built on it, and a repair that must choose loses
/// no commit of the other side.
@Suite struct RescueTests {
  /// A repository with three commits of one row each; closed.
  private struct Subject {
    let workshop: Workshop
    let folder: String
    let tips: [CommitID]
    var catalog: String { "\(folder)/.almanac/catalog.sqlite" }

    init(_ workshop: Workshop) throws {
      self.workshop = workshop
      folder = workshop.path("subject")
      let repository = try Repository.create(at: folder)
      try Workshop.readingsContract().write(toFile: "\(folder)/schemas/readings.yaml", atomically: true, encoding: .utf8)
      _ = try repository.apply(plan: false)
      tips = try (1...3).map { try Self.commit($0, workshop, to: repository) }
      try repository.archive.catalog.close()
    }

    static func commit(_ sensor: Int, _ workshop: Workshop, to repository: Repository) throws -> CommitID {
      let file = try workshop.readings("row\(sensor).csv", [(sensor, 0, "\(sensor)")])
      let report = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .append, message: "\(sensor)")
      return try #require(report.commit)
    }

    func open() throws -> Repository { try Repository.open(at: folder) }

    func repaired() throws -> [String: CommitID] {
      let repaired = try Repository.check(at: folder, isRepair: true)
      #expect(repaired.problems.filter { $0.severity == .damage } == [])
      let repository = try open()
      // What is rescued outlives a gc, and its rows can be read.
      _ = try repository.collectGarbage(retention: "0d", grace: "0m", isDryRun: false)
      let branches = try repository.refs(.branch)
      for branch in branches { #expect(try repository.table("readings", at: branch.commit).read().rowCount > 0) }
      try repository.archive.catalog.close()
      #expect(try Repository.check(at: folder, isRepair: true).repairs == [])
      return Dictionary(uniqueKeysWithValues: branches.map { ($0.name, $0.commit) })
    }
  }

  private static func name(_ commit: CommitID) -> String { "rescued-\(commit.description.prefix(12))" }

  @Test(arguments: [
    "UPDATE ref SET target = (SELECT old FROM reflog ORDER BY sequence DESC LIMIT 1)", "DELETE FROM ref",
  ]) func nothingIsBuiltOnARefThatItsMovesContradict(sql: String) throws {
    let workshop = try Workshop()
    let subject = try Subject(workshop)
    try CatalogFile.execute(sql, at: subject.catalog)
    let repository = try subject.open()
    let error = #expect(throws: AlmanacError.self) { _ = try Subject.commit(4, workshop, to: repository) }
    #expect(error?.kind == .io)
    let isGone = sql.hasPrefix("DELETE")
    #expect(
      error?.description.contains(
        isGone
          ? "Cannot use the current branch main: the catalog says what it was moved to, but has the branch no more"
          : "says that it stands for something else than its last move made of it") == true)
    if isGone { #expect(throws: AlmanacError.self) { _ = try repository.log() } }
    if isGone { #expect(throws: AlmanacError.self) { _ = try repository.apply(plan: false) } }
    try repository.archive.catalog.close()
    #expect(try Repository.check(at: subject.folder).isDamaged)
    #expect(try subject.repaired() == ["main": subject.tips[2]])
  }

  /// As an older version went on from such a ref: both lines of commits were acknowledged.
  @Test func commitsOfContradictingMovesGetBranches() throws {
    let workshop = try Workshop()
    let subject = try Subject(workshop)
    let repository = try subject.open()
    try repository.createBranch("other", at: "main~1")
    try repository.switchBranch(to: "other")
    let tip = try Subject.commit(5, workshop, to: repository)
    try repository.archive.catalog.close()
    // The move of `other` becomes one of `main`, from the commit before its last.
    try CatalogFile.execute(
      """
      DELETE FROM reflog WHERE ref = 'other' AND old IS NULL;
      UPDATE reflog SET ref = 'main', sequence = sequence - 1 WHERE ref = 'other';
      DELETE FROM ref WHERE name = 'other';
      UPDATE setting SET value = 'main' WHERE name = 'head';
      UPDATE ref SET target = (SELECT new FROM reflog ORDER BY sequence DESC LIMIT 1);
      """, at: subject.catalog)
    try FileManager.default.removeItem(atPath: "\(subject.folder)/.almanac/reflog.log")
    #expect(try Repository.check(at: subject.folder).isDamaged)
    // The ref stood for the later of the two.
    #expect(try subject.repaired() == ["main": tip, Self.name(subject.tips[2]): subject.tips[2]])
  }

  /// The catalog of a copy that went its own way: what it names is not here, and what the log names is.
  @Test func theCatalogOfAnotherRepositoryIsNotBelieved() throws {
    let workshop = try Workshop()
    let subject = try Subject(workshop)
    let sister = workshop.path("sister")
    try FileManager.default.copyItem(atPath: subject.folder, toPath: sister)
    let own = try subject.open()
    _ = try Subject.commit(7, workshop, to: own)
    let tip = try Subject.commit(8, workshop, to: own)
    try own.archive.catalog.close()
    let other = try Repository.open(at: sister)
    for sensor in 11...13 { _ = try Subject.commit(sensor, workshop, to: other) }
    try other.archive.catalog.close()
    for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: subject.catalog + end) }
    try FileManager.default.copyItem(atPath: "\(sister)/.almanac/catalog.sqlite", toPath: subject.catalog)
    let mixed = try subject.open()
    let error = #expect(throws: AlmanacError.self) { _ = try Subject.commit(9, workshop, to: mixed) }
    #expect(error?.kind == .io)
    try mixed.archive.catalog.close()
    #expect(try Repository.check(at: subject.folder).isDamaged)
    #expect(try subject.repaired() == ["main": tip])
  }

  /// Neither the catalog nor the log is there: the commits are, and the last of them gets a branch.
  @Test func commitsThatNothingNamesGetABranch() throws {
    let workshop = try Workshop()
    let subject = try Subject(workshop)
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "reflog.log"] {
      try? FileManager.default.removeItem(atPath: "\(subject.folder)/.almanac/\(name)")
    }
    let tip = subject.tips[2]
    #expect(try subject.repaired() == [Self.name(tip): tip])
  }

  @Test func aRefWithoutItsCommitIsDamage() throws {
    let workshop = try Workshop()
    let subject = try Subject(workshop)
    try CatalogFile.execute("UPDATE ref SET target = zeroblob(32)", at: subject.catalog)
    let error = #expect(throws: AlmanacError.self) { try subject.open().resolve("main") }
    #expect(error?.kind == .io)
    #expect(error?.description.contains("stands for commit \(String(repeating: "0", count: 64)), which is not stored") == true)
  }
}
