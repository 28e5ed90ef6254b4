import Objects
import Testing

@testable import History

@Suite struct RefTests {
  @Test func refsAreMadeMovedAndDeleted() throws {
    let test = try TestArchive()
    let archive = test.archive
    let ids = try archive.publishChain(["a", "b", "c"])
    try archive.createBranch("work/x", at: ids[1])
    try archive.createTag("v1", at: ids[0])
    #expect(
      try archive.refs() == [
        Ref(name: "main", kind: .branch, commit: ids[2]), Ref(name: "v1", kind: .tag, commit: ids[0]),
        Ref(name: "work/x", kind: .branch, commit: ids[1]),
      ])
    #expect(storeError { try archive.createTag("work/x", at: ids[0]) }?.text == "Cannot make work/x: there is a branch of that name")
    #expect(storeError { try archive.createBranch("y", at: CommitID(bytes: zeros)) }?.kind == .notFound)
    #expect(try archive.moveRef("work/x", to: ids[2], expecting: ids[0], reason: "m") == .lostRace(current: ids[1]))
    #expect(try archive.moveRef("work/x", to: ids[2], expecting: ids[1], reason: "m") == .moved)
    #expect(try archive.deleteRef("work/x", expecting: ids[0]) == .lostRace(current: ids[2]))
    #expect(try archive.deleteRef("work/x") == .moved)
    #expect(storeError { _ = try archive.deleteRef("work/x") }?.kind == .notFound)
    #expect(try archive.refs().map(\.name) == ["main", "v1"])
    #expect(try archive.reflog("work/x").map(\.new) == [ids[1], ids[2], nil])
    #expect(try archive.reflog("work/x").map(\.old) == [nil, ids[1], ids[2]])
    #expect(
      storeError { _ = try archive.deleteRef("main") }?.text
        == "Cannot delete main: it is the current branch; make another one current first")
    var (draft, id) = archive.draftCommit([vectorLeaf(0)], message: "t")
    #expect(
      storeError { _ = try archive.publish(&draft, commit: id, to: "v1", expecting: ids[0], reason: "r") }?.text
        == "Cannot move v1: it is a tag")
  }

  @Test func currentBranchIsMainUntilAnotherIsChosen() throws {
    let test = try TestArchive()
    #expect(try test.archive.headBranch() == "main")
    #expect(
      storeError { _ = try test.archive.resolve("HEAD") }?.text == "Cannot find HEAD: branch main has no commit yet")
    try test.archive.setHead("trunk")
    let id = try test.archive.publishChain(["a"], on: "trunk")[0]
    #expect(try test.archive.resolve("HEAD") == id)
    #expect(storeError { try test.archive.setHead("main") }?.kind == .notFound)
    try test.archive.createBranch("main", at: id)
    try test.archive.setHead("main")
    #expect(try test.reopened().headBranch() == "main")
  }

  @Test(arguments: [
    "", "HEAD", "-a", "a b", "a~1", "a@{b", "a:b", "a//b", "/a", "a/", ".a", "a..b", "a\u{1}",
    String(repeating: "a", count: 64), String(repeating: "x", count: 201),
  ])
  func nameThatCouldBeTakenForSomethingElseIsRefused(_ name: String) {
    #expect(storeError { try RefName.check(name) }?.kind == .invalid)
  }

  @Test func logTimesStrictlyIncreaseWhateverTheClockDoes() throws {
    let test = try TestArchive()
    let start = test.clock.micros
    let ids = try test.archive.publishChain(["a", "b"])
    test.clock.micros = start - 1_000_000
    try test.archive.createTag("t", at: ids[0])
    test.clock.micros = start + 500
    try test.archive.createTag("u", at: ids[0])
    #expect(try test.archive.reflog(nil).map { $0.timeMicros - start } == [0, 1, 2, 500])
  }

  @Test func revisionsNameCommits() throws {
    let test = try TestArchive()
    let start = test.clock.micros
    let ids = try test.archive.publishChain(["a", "b", "c", "d"])
    try test.archive.createTag("v1", at: ids[1])
    let archive = test.archive
    #expect(try archive.resolve("main") == ids[3])
    #expect(try archive.resolve("HEAD~1") == ids[2])
    #expect(try archive.resolve("main~") == ids[2])
    #expect(try archive.resolve("main~2") == ids[1])
    #expect(try archive.resolve("main~1~2") == ids[0])
    #expect(try archive.resolve("main~0") == ids[3])
    #expect(try archive.resolve("v1~1") == ids[0])
    #expect(try archive.resolve(ids[2].hex) == ids[2])
    #expect(try archive.resolve(String(ids[2].hex.prefix(12)).uppercased()) == ids[2])
    #expect(try archive.resolve(String(ids[2].hex.prefix(12)) + "~1") == ids[1])
    #expect(
      storeError { _ = try archive.resolve("main~4") }?.text
        == "Cannot find main~4: commit \(ids[0]), 3 before it, has no parent")
    #expect(
      storeError { _ = try archive.resolve("nothing") }?.text == "Cannot find nothing: there is no branch, tag or commit nothing")
    #expect(storeError { _ = try archive.resolve(String(ids[2].hex.prefix(3))) }?.kind == .notFound)
    for revision in ["main^", "main~x", "main@", "main@{", "main@{yesterday}", "main~99999999999999999999"] {
      let kind = storeError { _ = try archive.resolve(revision) }?.kind
      #expect(kind == .invalid || kind == .notFound, "\(revision)")
    }

    // Entries are at start, +1, +2, +3 µs.
    test.clock.micros = start + 3_600_000_000
    #expect(try archive.resolve("main@{2026-02-01T00:00:00.000001Z}") == ids[1])
    #expect(try archive.resolve("main@{2026-02-01T01:00:00.000002+01:00}") == ids[2])
    #expect(try archive.resolve("@{2026-03-01T00:00:00Z}~1") == ids[2])
    #expect(try archive.resolve("HEAD@{2026-02-01T00:00:00Z}") == ids[0])
    let early = storeError { _ = try archive.resolve("main@{2026-01-31T23:59:59.999999Z}") }
    #expect(early?.kind == .notFound)
    #expect(
      early?.text
        == "Cannot find main at 2026-01-31T23:59:59.999999Z: its log starts at 2026-02-01T00:00:00.000000Z")
    let local = storeError { _ = try archive.resolve("main@{2026-02-01T00:00:00}") }
    #expect(local?.kind == .invalid)
    #expect(
      local?.text
        == "Cannot find main@{2026-02-01T00:00:00}: expected a time with an offset, like 2026-02-01T00:00:00Z, found 2026-02-01T00:00:00")
    #expect(storeError { _ = try archive.resolve("nothing@{2026-02-01T00:00:00Z}") }?.kind == .notFound)
  }

  @Test func deletedBranchIsNotFoundAfterAndFoundBefore() throws {
    let test = try TestArchive()
    let id = try test.archive.publishChain(["a"])[0]
    try test.archive.createBranch("b", at: id)
    test.clock.micros += 1_000_000
    _ = try test.archive.deleteRef("b")
    #expect(try test.archive.resolve("b@{2026-02-01T00:00:00.5Z}") == id)
    #expect(
      storeError { _ = try test.archive.resolve("b@{2026-02-01T00:00:01Z}") }?.text
        == "Cannot find b at 2026-02-01T00:00:01.000000Z: it had been deleted")
  }

  @Test func prefixOfSeveralCommitsIsInvalid() throws {
    let test = try TestArchive()
    let commits = (0..<40_000).lazy.map { number -> Commit in
      Commit(
        parents: [], datasets: [:], definitions: BlobID(bytes: Checksum.sha256([])), author: "", message: "\(number)", timeMicros: 0)
    }
    // Two commits with the same first 4 digits turn up among a few hundred.
    var byPrefix: [Substring: Commit] = [:]
    var pair: (Commit, Commit)?
    for commit in commits {
      if let other = byPrefix.updateValue(commit, forKey: commit.id.hex.prefix(4)) {
        pair = (other, commit)
        break
      }
    }
    let (a, b) = try #require(pair)
    var draft = test.archive.draft()
    _ = draft.addBlob([])
    _ = draft.addCommit(a)
    let id = draft.addCommit(b)
    #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r") == .moved)
    #expect(storeError { _ = try test.archive.resolve(String(id.hex.prefix(4))) }?.kind == .invalid)
    #expect(try test.archive.resolve(String(id.hex.prefix(16))) == id)
  }

  @Test func logListsMergedHistoryNewestFirst() throws {
    let test = try TestArchive()
    var draft = test.archive.draft()
    let definitions = draft.addBlob([])
    func add(_ message: String, _ time: Int64, _ parents: [CommitID]) -> CommitID {
      draft.addCommit(
        Commit(parents: parents, datasets: [:], definitions: definitions, author: "", message: message, timeMicros: time))
    }
    let base = add("base", 1, [])
    let left = add("left", 2, [base])
    let right = add("right", 3, [base])
    let left2 = add("left2", 4, [left])
    let merge = add("merge", 5, [left2, right])
    #expect(try test.archive.publish(&draft, commit: merge, to: "main", expecting: nil, reason: "r") == .moved)
    #expect(try test.archive.log(from: merge).map { $0.1.message } == ["merge", "left2", "right", "left", "base"])
    #expect(try test.archive.log(from: merge, limit: 2).map { $0.0 } == [merge, left2])
    #expect(try test.archive.log(from: base).map { $0.0 } == [base])
  }
}
