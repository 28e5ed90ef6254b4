import JSON
import Objects
import Testing

@testable import History

@Suite struct PublishTests {
  @Test func publishedCommitIsReadByAnotherProcess() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/project/.almanac"
    let ids = try Archive.create(at: path).publishChain(["first", "second"])
    let archive = try Archive.open(at: path)
    #expect(try archive.resolve("main") == ids[1])
    #expect(try archive.log(from: ids[1]).map { $0.1.message } == ["second", "first"])
    #expect(try archive.blob(archive.commit(ids[0]).definitions) == Array("{}".utf8))
    let leaf = vectorLeaf(0).id
    #expect(try archive.hasLeaf(leaf))
    #expect(try archive.mapLeaf(leaf).withBytes { Array($0) } == leaf.bytes)
    #expect(try archive.leafDigests(leaf) == [0])
    try archive.verifyLeaf(leaf)
    #expect(archive.leafPath(leaf) == "\(path)/leaves/\(leaf.hex.prefix(2))/\(leaf.hex.dropFirst(2)).parquet")
    #expect(try LocalVolume(root: path).exists("leaves/\(leaf.hex.prefix(2))/\(leaf.hex.dropFirst(2)).parquet"))
    #expect(try LocalVolume(root: path).list("tmp") == [])
  }

  @Test func lostRaceMovesNothingAndNamesTheWinner() throws {
    let test = try TestArchive()
    let first = try test.archive.publishChain(["first"])[0]
    try test.archive.putVectorLeaves([1, 2])
    var (a, aID) = test.archive.draftCommit([vectorLeaf(1)], parents: [first], message: "a")
    var (b, bID) = test.archive.draftCommit([vectorLeaf(2)], parents: [first], message: "b")
    #expect(try test.archive.publish(&a, commit: aID, to: "main", expecting: first, reason: "a") == .moved)
    #expect(try test.archive.publish(&b, commit: bID, to: "main", expecting: first, reason: "b") == .lostRace(current: aID))
    #expect(try test.archive.resolve("main") == aID)
    #expect(try test.archive.reflog("main").map(\.reason) == ["commit: first", "a"])
    #expect(try test.archive.publish(&b, commit: bID, to: "main", expecting: nil, reason: "b") == .lostRace(current: aID))
    #expect(try test.archive.publish(&b, commit: bID, to: "other", expecting: first, reason: "b") == .lostRace(current: nil))
    // The leaves are still there for the next attempt.
    var (c, cID) = test.archive.draftCommit([vectorLeaf(1), vectorLeaf(2)], parents: [aID], message: "c")
    #expect(try test.archive.publish(&c, commit: cID, to: "main", expecting: aID, reason: "c") == .moved)
  }

  @Test func oneOfManyRacingWritersWinsEachRound() async throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/.almanac"
    let base = try Archive.create(at: path).publishChain(["base"])[0]
    let wins = try await withThrowingTaskGroup(of: Int.self) { group in
      for writer in 0..<4 {
        group.addTask {
          let archive = try Archive.open(at: path)
          var wins = 0
          while wins < 5 {
            let current = try archive.resolve("main")
            var (draft, id) = archive.draftCommit([vectorLeaf(0)], parents: [current], message: "\(writer) \(wins)")
            if try archive.publish(&draft, commit: id, to: "main", expecting: current, reason: "w") == .moved { wins += 1 }
          }
          return wins
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(wins == 20)
    let archive = try Archive.open(at: path)
    #expect(try archive.log(from: archive.resolve("main")).count == 21)
    #expect(try archive.resolve("main~20") == base)
    let moves = try archive.refLog.moves()
    #expect(moves == (try archive.catalog.refLog(ref: nil)))
    #expect(moves.map(\.sequence) == Array(1...21))
  }

  @Test func publishingAgainWritesNothingNew() throws {
    let test = try TestArchive()
    try test.archive.putVectorLeaves([0])
    var (draft, id) = test.archive.draftCommit([vectorLeaf(0)])
    var copy = draft
    var other = draft
    #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r") == .moved)
    #expect(draft.objects.isEmpty)
    let before = test.volume.paths
    #expect(try test.archive.publish(&copy, commit: id, to: "main", expecting: nil, reason: "again") == .moved)
    try test.archive.putVectorLeaves([0])
    #expect(try test.archive.publish(&other, commit: id, to: "main", expecting: id, reason: "again") == .moved)
    #expect(test.volume.paths == before)
    #expect(try test.archive.reflog(nil).count == 1)
    // An older commit is published to another branch without a new pack.
    #expect(try test.archive.publish(&draft, commit: id, to: "copy", expecting: nil, reason: "r") == .moved)
    #expect(test.volume.paths == before)
  }

  @Test func commitThatNamesWhatIsNotStoredIsRefused() throws {
    let test = try TestArchive()
    var (draft, id) = test.archive.draftCommit([vectorLeaf(0)])
    var empty = Draft()
    let error = try #require(
      storeError {
        _ = try test.archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r")
      })
    #expect(error.kind == .notFound)
    #expect(error.text.hasSuffix("it names leaf \(vectorLeaf(0).id), which is not stored"))
    try test.archive.putVectorLeaves([0])
    var (orphan, orphanID) = test.archive.draftCommit([vectorLeaf(0)], parents: [CommitID(bytes: zeros)])
    #expect(
      storeError { _ = try test.archive.publish(&orphan, commit: orphanID, to: "main", expecting: nil, reason: "r") }?.text
        == "Cannot publish commit \(orphanID): it names commit \(CommitID(bytes: zeros)), which is not stored")
    #expect(
      storeError { _ = try test.archive.publish(&empty, commit: id, to: "main", expecting: nil, reason: "r") }?.text
        == "Cannot publish commit \(id) to main: it is neither in the draft nor stored")
    #expect(try test.archive.refs().isEmpty)
  }

  @Test func afterACrashThereIsTheOldOrTheNewCommit() throws {
    let test = try TestArchive()
    let first = try test.archive.publishChain(["first"])[0]
    try test.archive.putVectorLeaves([1])
    // Written, not published: the name of the leaf is lost with the crash, the commit is whole.
    let before = try test.reopened(on: test.volume.afterCrash())
    #expect(try !before.hasLeaf(vectorLeaf(1).id))
    #expect(try before.resolve("main") == first)
    var (draft, id) = test.archive.draftCommit([vectorLeaf(0), vectorLeaf(1)], parents: [first])
    #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: first, reason: "r") == .moved)
    let after = try test.reopened(on: test.volume.afterCrash())
    #expect(try after.resolve("main") == id)
    let root = try #require(after.commit(id).datasets["t"]).root
    for leaf in try after.partitions(of: root).flatMap({ try after.leaves(of: $0.tree) }) { try after.verifyLeaf(leaf.id) }
    #expect(try after.refLog.moves() == test.catalog.refLog(ref: nil))
  }

  @Test func damageIsNamedWithObjectAndFile() throws {
    let test = try TestArchive()
    let id = try test.archive.publishChain(["first"])[0]
    let pack = try #require(test.volume.paths.first { $0.hasPrefix("packs/") })
    let leaf = vectorLeaf(0).id
    let leafPath = try #require(test.volume.paths.first { $0.hasPrefix("leaves/") })
    test.volume.damage(pack) { bytes in
      // The commit is the last object; its last byte stands before the end mark, the count and the checksum.
      bytes[bytes.count - 42] ^= 1
    }
    let error = try #require(storeError { _ = try test.archive.commit(id) })
    #expect(error.kind == .corrupt)
    #expect(error.text.hasPrefix("Cannot read commit \(id) from memory:/\(pack): its bytes have SHA-256 "))
    test.volume.damage(leafPath) { $0[0] ^= 1 }
    #expect(storeError { try test.archive.verifyLeaf(leaf) }?.kind == .corrupt)
    test.volume.damage(leafPath) { $0.removeLast() }
    #expect(
      storeError { _ = try test.archive.mapLeaf(leaf) }?.text
        == "Cannot read leaf \(leaf) from memory:/\(leafPath): expected 32 bytes, found 31")
    // Storing the leaf again heals it.
    #expect(try !test.archive.hasLeaf(leaf))
    try test.archive.putVectorLeaves([0])
    try test.archive.verifyLeaf(leaf)
    try test.volume.remove(leafPath)
    #expect(
      storeError { _ = try test.archive.mapLeaf(leaf) }?.text
        == "Cannot read leaf \(leaf): its file memory:/\(leafPath) is missing")
    try test.volume.remove(pack)
    #expect(storeError { _ = try test.archive.commit(id) }?.text == "Cannot read commit \(id): its pack memory:/\(pack) is missing")
  }

  @Test func unknownObjectsAreNotFound() throws {
    let test = try TestArchive()
    #expect(storeError { _ = try test.archive.mapLeaf(LeafID(bytes: zeros)) }?.kind == .notFound)
    #expect(
      storeError { _ = try test.archive.root(RootID(bytes: zeros)) }?.text
        == "Cannot read root \(RootID(bytes: zeros)): it is not stored in memory:/")
    #expect(try test.archive.leafDigests(LeafID(bytes: zeros)) == nil)
    #expect(try !test.archive.hasLeaf(LeafID(bytes: zeros)))
  }
}
