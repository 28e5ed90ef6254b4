import Foundation
import History
import Objects
import Tables
import Testing

@testable import Almanac
@testable import History

/// fsck over leaves, tails, packs and the ref log of a small repository.
@Suite struct TailDamageTests {
  private func small() throws -> SimulatedRepository {
    let one = try SimulatedRepository(Workshop())
    try one.declare()
    try one.commit(Dictionary(uniqueKeysWithValues: (0..<20).map { (2 * $0, Double($0)) }), .append)
    try one.commit([2: 9, 40: 8])
    #expect(try one.tails().entries.map(\.rowCount) == [2])
    return one
  }

  /// Every byte when `ALMANAC_FLIP_ALL` is set; else every 11th, from another one each time.
  @Test func flippedBytesOfEveryFileAreNoticed() throws {
    let one = try small()
    let paths = one.volume.paths.filter { !$0.hasPrefix("leases/") }
    #expect(Set(paths.map { $0.split(separator: "/")[0] }) == ["format", "leaves", "packs", "reflog.log", "tails"])
    let step = ProcessInfo.processInfo.environment["ALMANAC_FLIP_ALL"] == nil ? 11 : 1
    let start = Int.random(in: 0..<step)
    var flippedCount = 0
    for path in paths {
      let size = try #require(try one.volume.byteCount(path))
      for offset in stride(from: start, to: size, by: step) {
        let mask = UInt8(1) << (offset % 8)
        one.volume.damage(path) { $0[offset] ^= mask }
        let isNoticed = try !one.damage().isEmpty || Archive.formatProblem(one.volume) != nil
        #expect(isNoticed, "byte \(offset) of \(path)")
        one.volume.damage(path) { $0[offset] ^= mask }
        flippedCount += 1
      }
    }
    #expect(flippedCount > 200)
    #expect(try one.damage() == [])
  }

  @Test func aDamagedTailIsNamedAndRestoredFromAnotherRepository() throws {
    let one = try small()
    let (good, before) = (try one.copy(), try one.state())
    let tail = try #require(try one.tails().entries.first)
    one.volume.damage("tails/\(tail.id).parquet") { $0[100] ^= 1 }
    let problem = try #require(try one.damage().first)
    #expect(problem.object == "tail \(tail.id)")
    #expect(problem.touches.map(\.rowCount) == [2])
    #expect(problem.touches.map(\.dataset) == ["readings"])
    let report = try one.repository.archive.repair(
      from: good.repository.archive, decoder: Repository.identity, tailCheck: Repository.tailProblems)
    #expect(report.problems == [])
    #expect(report.repairs == ["restored tail \(tail.id) from memory:/"])
    #expect(try one.state() == before)
    // A missing one as well.
    try one.volume.remove("tails/\(tail.id).parquet")
    #expect(try one.damage().map(\.detail) == ["its file is missing"])
    _ = try one.repository.archive.repair(from: good.repository.archive, decoder: Repository.identity)
    #expect(try one.damage() == [])
    #expect(try one.state() == before)
  }

  @Test func aRootThatMiscountsItsTailIsNoticed() throws {
    let one = try small()
    let archive = one.repository.archive
    let version = try one.repository.table("readings", at: one.repository.resolve("main"))
    let tail = try #require(version.tails.entries.first)
    #expect(tail.parts == [TailPart(partition: 673, rowCount: 2, insertCount: 1, deleteCount: 0)])
    // The insert is called a delete.
    let wrong = TailEntry(
      id: tail.id, sequence: 1, parts: [TailPart(partition: 673, rowCount: 2, insertCount: 0, deleteCount: 1)])
    var draft = archive.draft()
    let root = draft.addRoot(
      schema: version.layout.schemaJSON, layout: version.layout.layoutJSON, partitions: version.partitions, tails: TailList([wrong]))
    let tip = try one.repository.resolve("main")
    let id = draft.addCommit(
      Commit(
        parents: [tip], datasets: ["readings": DatasetRef(root: root, rows: 19)],
        definitions: try one.repository.commit(tip).definitions, author: "a", message: "wrong", timeMicros: 9))
    #expect(try archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "wrong") == .moved)
    let problems = try one.damage()
    #expect(problems.map(\.object) == ["root \(root)"])
    #expect(
      problems.map(\.detail) == ["tail \(tail.id): expected 0 inserts and 1 deletes in partition 673, found 1 and 0"])
  }
}
