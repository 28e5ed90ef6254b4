import Objects
import Testing

@testable import History

@Suite struct CheckTests {
  /// A store with two commits, a tail and a tag.
  private func make() throws -> TestArchive {
    let test = try TestArchive()
    try fill(test.archive)
    return test
  }

  private func fill(_ archive: Archive) throws {
    let first = try archive.publishChain(["first"])[0]
    try archive.putVectorLeaves(0..<3)
    try archive.putVectorTail(7)
    var (draft, id) = archive.draftTailCommit(leaves: 3, tail: 7, parents: [first])
    #expect(try archive.publish(&draft, commit: id, to: "main", expecting: first, reason: "tail") == .moved)
    try archive.createTag("v1", at: first)
  }

  /// Vector leaves and tails are files of their id.
  private let decoder: @Sendable (MappedFile) throws -> FileIdentity = { file in
    let bytes = file.withBytes { Array($0) }
    guard bytes.count == 32 else { throw StoreError(kind: .corrupt, text: "it has \(bytes.count) bytes") }
    let number = (0..<20).first { vectorLeaf($0).id.bytes == bytes }
    return FileIdentity(
      hash: Hash256(bytes: bytes), rowCount: number == nil ? 3 : 2, digests: [number.map { UInt8($0) } ?? 9])
  }

  @Test func everythingIsCounted() throws {
    let test = try make()
    let report = try test.archive.check(decoder: decoder)
    #expect(report.problems == [])
    #expect(report.objectCounts == ["blob": 1, "commit": 2, "leaf": 3, "node": 4, "root": 2, "tail": 1])
    #expect(report.packCount == 2)
    #expect(report.moveCount == 3)
  }

  /// Every byte of every file of a small store, one after the other, once in one bit and once in all.
  @Test func everyFlippedByteIsNoticed() throws {
    let test = try make()
    var flipCount = 0
    for path in test.volume.paths where !path.hasSuffix(".lock") {
      for offset in 0..<(try #require(try test.volume.byteCount(path))) {
        let mask: UInt8 = flipCount % 2 == 0 ? 1 : 0xFF
        test.volume.damage(path) { $0[offset] ^= mask }
        let problems: [CheckReport.Problem]
        if path == Archive.formatPath {
          problems = [try Archive.formatProblem(test.volume)].compactMap { $0 }
        } else {
          problems = try test.reopened().check(decoder: nil).problems
        }
        #expect(problems.contains { $0.severity == .damage }, "byte \(offset) of \(path)")
        test.volume.damage(path) { $0[offset] ^= mask }
        flipCount += 1
      }
    }
    #expect(flipCount > 2500)
    #expect(try test.archive.check(decoder: nil).problems == [])
  }

  @Test func lossIsNamedWithCommitsAndRows() throws {
    let test = try make()
    let (first, second) = (try test.archive.resolve("v1"), try test.archive.resolve("main"))
    let leaf = ObjectKey(vectorLeaf(0).id)
    test.volume.damage(Archive.path(of: leaf)) { $0[5] ^= 1 }
    try test.volume.remove(Archive.path(of: ObjectKey(vectorTail(7))))
    let report = try test.archive.check(decoder: decoder)
    let problems = report.problems.sorted { $0.object < $1.object }
    #expect(problems.map(\.object) == ["leaf \(vectorLeaf(0).id)", "tail \(vectorTail(7))"])
    #expect(problems[1].detail == "its file is missing")
    #expect(
      problems[0].touches == [
        .init(commit: second, dataset: "t", rowCount: 2), .init(commit: first, dataset: "t", rowCount: 2),
      ])
    #expect(problems[1].touches == [.init(commit: second, dataset: "t", rowCount: 3)])
  }

  @Test func checkChangesNothing() throws {
    let test = try make()
    test.volume.damage("reflog.log") { $0[30] ^= 1 }
    let before = try test.volume.paths.map { try test.volume.read($0) }
    _ = try test.archive.check(decoder: decoder)
    #expect(try test.volume.paths.map { try test.volume.read($0) } == before)
  }

  @Test func tornEndOfTheRefLogIsNoDamage() throws {
    let test = try make()
    let whole = try test.volume.read("reflog.log")
    for cut in [1, 20, 100] {
      test.volume.damage("reflog.log") { $0 = Array(whole.dropLast(cut)) }
      let report = try test.archive.check(decoder: nil)
      #expect(report.problems.map(\.severity) == [.note])
      #expect(
        report.problems.map(\.detail) == ["a crash tore its end or kept it from being written: 1 moves, which the next move adds"])
    }
    test.volume.damage("reflog.log") { $0 = whole + [0, 0, 0] }
    #expect(try test.archive.check(decoder: nil).problems.map(\.detail) == ["its end is torn"])
  }

  @Test func aCurrentBranchWithoutACommitIsNoDamageWhereNothingWasEverCommittedToIt() throws {
    let test = try TestArchive()
    #expect(try test.archive.check(decoder: decoder).problems == [])
    _ = try test.archive.publishChain(["a"], on: "side")
    let report = try test.archive.check(decoder: decoder)
    #expect(report.problems.map(\.severity) == [.note])
    #expect(report.problems.map(\.detail) == ["the current branch main has no commit yet; there is side"])
  }

  // MARK: Repair

  @Test func damagedRefLogIsReadAroundAndWrittenAnew() throws {
    let test = try make()
    let whole = try test.volume.read("reflog.log")
    test.volume.damage("reflog.log") { $0[30] ^= 1 }
    let archive = try test.reopened()
    // Reading goes on; writing says what to do.
    #expect(try archive.log(from: archive.resolve("main")).count == 2)
    #expect(try archive.reflog(nil).count == 3)
    #expect(
      storeError { try archive.createTag("v2", at: archive.resolve("main")) }?.text
        == "Cannot read the ref log memory:/reflog.log: the record at byte 8 is damaged; `almanac fsck --repair` writes it again from the catalog"
    )
    let report = try archive.repair(from: nil, decoder: decoder)
    #expect(report.problems == [])
    #expect(report.repairs == ["wrote the ref log again from the catalog"])
    #expect(try test.volume.read("reflog.log") == whole)
    try archive.createTag("v2", at: archive.resolve("main"))
  }

  @Test func whatIsIntactOfADamagedPackIsSaved() throws {
    let test = try make()
    let pack = try #require(test.volume.paths.first { $0.hasPrefix("packs/") })
    let whole = try test.volume.read(pack)
    // The checksum alone, the length of its first object, and the mark behind its last.
    for offset in [whole.count - 1, 41, whole.count - 41] {
      test.volume.damage(pack) { $0[offset] ^= 1 }
      let archive = try test.reopened()
      #expect(try archive.check(decoder: decoder).isDamaged)
      let report = try archive.repair(from: nil, decoder: decoder)
      #expect(report.problems == [])
      #expect(report.repairs == ["wrote what was intact of 1 damaged packs to a new one"])
      // The same objects in the same order are the same pack.
      #expect(try test.volume.read(pack) == whole)
    }
  }

  @Test func damagedAndMissingObjectsComeFromAnotherRepository() throws {
    let test = try make()
    let other = try make()
    #expect(try test.archive.resolve("main") == other.archive.resolve("main"))
    let tip = try test.archive.resolve("main")
    for path in test.volume.paths where path.hasPrefix("packs/") { try test.volume.remove(path) }
    test.volume.damage(Archive.path(of: ObjectKey(vectorLeaf(1).id))) { $0.removeLast() }
    try test.volume.remove(Archive.path(of: ObjectKey(vectorTail(7))))
    let alone = try test.reopened().repair(from: nil, decoder: decoder)
    #expect(alone.isDamaged)
    let archive = try test.reopened()
    let report = try archive.repair(from: other.archive, decoder: decoder)
    #expect(report.problems == [])
    #expect(report.repairs.count { $0.hasPrefix("restored ") } == 11)
    #expect(try archive.log(from: tip).count == 2)
  }

  @Test func lostCatalogIsMadeAnew() throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/.almanac"
    let volume = LocalVolume(root: path)
    let refs: [Ref]
    let moves: [RefLogEntry]
    do {
      let archive = try Archive.create(at: path)
      try fill(archive)
      refs = try archive.refs()
      moves = try archive.reflog(nil)
    }
    for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] { try volume.remove(name) }
    // With a leaf that no pack knows, whose rows give its id, and one that is damaged.
    try vectorLeaf(11).id.bytes.withUnsafeBytes { try volume.stage(Archive.path(of: ObjectKey(vectorLeaf(11).id)), $0) }
    #expect(
      try Archive.rebuildCatalog(at: path, decoder: decoder) == ["made the catalog anew: 14 objects, 3 moves of refs"])
    let archive = try Archive.open(at: path)
    #expect(try archive.refs() == refs)
    #expect(try archive.reflog(nil) == moves)
    #expect(try archive.headBranch() == "main")
    _ = try archive.repair(from: nil, decoder: decoder)
    #expect(try archive.check(decoder: decoder).problems == [])
  }

  @Test func olderCopyOfTheCatalogCatchesUp() throws {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["a"])
    let copy = try test.catalog.snapshot()
    let tip = try test.archive.resolve("main")
    try test.archive.createTag("v1", at: tip)
    let stale = try Archive.open(on: test.volume, catalog: copy, now: { 5 })
    #expect(
      try stale.check(decoder: nil).problems.map(\.detail)
        == ["it ends with move 2, the catalog with move 1; the catalog is an older copy"])
    let report = try stale.repair(from: nil, decoder: nil)
    #expect(report.problems == [])
    #expect(try stale.ref(named: "v1")?.commit == tip)
  }

  @Test func reencodedFileIsTakenWhenItsRowsAreTheSame() throws {
    let test = try make()
    let key = ObjectKey(vectorLeaf(2).id)
    // The catalog is wrong about the file: as if another encoder had written it.
    let wrong = ObjectRecord(
      kind: 1, id: key.id.bytes, place: .ownFile, byteCount: 32, fileSHA256: zeros, digests: [2])
    _ = try test.catalog.register([wrong], moving: nil, nowMicros: 0)
    #expect(try test.archive.check(decoder: decoder).isDamaged)
    #expect(try test.archive.repair(from: nil, decoder: decoder).problems == [])
    try test.archive.verifyLeaf(vectorLeaf(2).id)
  }

  @Test func damagedFileThatIsPutAgainIsWholeAtOnce() throws {
    let test = try make()
    let path = Archive.path(of: ObjectKey(vectorLeaf(0).id))
    test.volume.damage(path) { $0[3] ^= 1 }
    #expect(try !test.archive.hasLeaf(vectorLeaf(0).id))
    try test.archive.putVectorLeaves([0])
    // Nothing was published, and another process that starts after a crash finds it whole.
    let archive = try test.reopened(on: test.volume.afterCrash())
    try archive.verifyLeaf(vectorLeaf(0).id)
    #expect(try archive.check(decoder: decoder).problems.filter { $0.severity == .damage } == [])
  }
}
