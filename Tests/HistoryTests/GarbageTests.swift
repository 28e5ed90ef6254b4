import Objects
import Testing

@testable import History

@Suite struct GarbageTests {
  @Test func nothingReachableGoes() throws {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["a", "b", "c"])
    test.clock.micros += 200 * 86_400_000_000
    let report = try test.archive.collectGarbage(.everything, isDryRun: false)
    #expect(report.items == [])
    #expect(try test.archive.check(decoder: nil).problems == [])
  }

  @Test func dryRunNamesWhatWouldGoAndChangesNothing() throws {
    let store = try CrashStore()
    try store.prepareGarbage()
    let before = store.volume.paths
    let report = try store.archive.collectGarbage(.everything, isDryRun: true)
    #expect(!report.isDone)
    #expect(store.volume.paths == before)
    // Two leaves of 32 bytes and two packs.
    #expect(report.items.map(\.kind) == [.leaf, .leaf, .pack, .pack])
    #expect(report.items.filter { $0.kind == .leaf }.map(\.byteCount) == [32, 32])
    let done = try store.archive.collectGarbage(.everything, isDryRun: false)
    #expect(done.isDone)
    #expect(done.items == report.items)
    #expect(Set(before).subtracting(store.volume.paths) == Set(report.items.map(\.path)))
  }

  @Test func retentionKeepsWhatARefStoodFor() throws {
    let store = try CrashStore()
    try store.prepareGarbage()
    var rules = GarbageRules.everything
    rules.retentionMicros = 90 * 86_400_000_000
    #expect(try store.archive.collectGarbage(rules, isDryRun: false).items == [])
    store.clock.micros += 91 * 86_400_000_000
    #expect(try store.archive.collectGarbage(rules, isDryRun: false).items.count == 4)
    // Moves whose commits are gone are no damage.
    #expect(try store.archive.check(decoder: nil).problems == [])
    #expect(try store.archive.collectGarbage(GarbageRules(), isDryRun: false).items == [])
  }

  @Test func gracePeriodKeepsWhatIsYoung() throws {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["a"])
    try test.archive.putVectorLeaves([4])
    var rules = GarbageRules.everything
    rules.graceMicros = 60_000_000
    let volume = test.volume
    #expect(try test.archive.collectGarbage(rules, isDryRun: true).items == [])
    #expect(volume.paths.filter { $0.hasPrefix("leaves/") }.count == 2)
  }

  @Test func leaseKeepsACommitUntilItIsGivenUp() throws {
    let store = try CrashStore()
    try store.prepareGarbage()
    let gone = try #require(try store.archive.reflog("side").last?.old)
    var lease: Lease? = try store.archive.lease([gone])
    #expect(try store.archive.collectGarbage(.everything, isDryRun: false).items == [])
    withExtendedLifetime(lease) {}
    lease = nil
    #expect(try store.archive.collectGarbage(.everything, isDryRun: false).items.count == 4)
    #expect(storeError { _ = try store.archive.lease([gone]) }?.kind == .notFound)
    #expect(try store.archive.leases().commits == [])
  }

  @Test func furtherCommitsAreKept() throws {
    let store = try CrashStore()
    try store.prepareGarbage()
    let gone = try #require(try store.archive.reflog("side").last?.old)
    let report = try store.archive.collectGarbage(.everything, isDryRun: false) { () throws(StoreError) in [gone] }
    #expect(report.items == [])
  }

  @Test func mostlyUnusedPackIsWrittenAnew() throws {
    let store = try CrashStore()
    try store.prepareMixedPack()
    let tip = try store.archive.resolve("main")
    let report = try store.archive.collectGarbage(.everything, isDryRun: false)
    #expect(report.objectCounts == ["blob": 1])
    #expect(report.items.map(\.kind) == [.repacked])
    #expect(store.volume.paths.filter { $0.hasPrefix("packs/") }.count == 1)
    #expect(try store.archive.commit(tip).message == "m")
    #expect(try store.archive.check(decoder: nil).problems == [])
    #expect(try store.archive.collectGarbage(.everything, isDryRun: false).items == [])
  }

  @Test func unreachableParentKeepsWhatItNames() throws {
    // A young commit that no ref names, over an old leaf: a writer that finds its nodes does not ask for the leaf.
    let test = try TestArchive()
    try test.archive.putVectorLeaves([1])
    test.clock.micros += 1_000_000
    var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], message: "lost")
    #expect(try test.archive.publish(&draft, commit: id, to: "x", expecting: nil, reason: "r") == .moved)
    #expect(try test.archive.deleteRef("x") == .moved)
    test.clock.micros += 1_000_000
    var rules = GarbageRules.everything
    rules.graceMicros = 3600_000_000
    #expect(try test.archive.collectGarbage(rules, isDryRun: false).items == [])
    #expect(try test.archive.hasLeaf(vectorLeaf(1).id))
  }

  @Test func publishAfterItsFilesWereTakenIsRefused() throws {
    let test = try TestArchive()
    let first = try test.archive.publishChain(["a"])[0]
    try test.archive.putVectorLeaves([1])
    var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [first])
    test.clock.micros += 1
    #expect(try test.archive.collectGarbage(.everything, isDryRun: false).items.map(\.kind) == [.leaf])
    let error = try #require(
      storeError { _ = try test.archive.publish(&draft, commit: id, to: "main", expecting: first, reason: "r") })
    #expect(error.text.hasSuffix("was removed meanwhile; write it again"))
    try test.archive.putVectorLeaves([1])
    #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: first, reason: "r") == .moved)
    #expect(try test.archive.check(decoder: nil).problems == [])
  }

  @Test func damageStopsGC() throws {
    let store = try CrashStore()
    try store.prepareGarbage()
    for path in store.volume.paths where path.hasPrefix("packs/") { store.volume.damage(path) { $0[60] ^= 1 } }
    let before = store.volume.paths
    #expect(storeError { _ = try store.archive.collectGarbage(.everything, isDryRun: false) }?.kind == .corrupt)
    #expect(store.volume.paths == before)
  }

  @Test func writersAndGCOfManyThreadsLoseNothing() async throws {
    let folder = TemporaryFolder()
    let path = "\(folder.path)/.almanac"
    _ = try Archive.create(at: path).publishChain(["base"])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<3 {
        group.addTask {
          let archive = try Archive.open(at: path)
          var done = 0
          while done < 12 {
            let current = try archive.resolve("main")
            // The same leaves again and again, which gc may take whenever no commit under way holds them.
            let numbers = [0, 1 + done % 3]
            try archive.putVectorLeaves(numbers)
            var (draft, id) = archive.draftCommit(numbers.map(vectorLeaf), parents: [current], message: "\(writer) \(done)")
            do {
              guard try archive.publish(&draft, commit: id, to: "main", expecting: current, reason: "w") == .moved else { continue }
              done += 1
            } catch {
              guard let error = error as? StoreError, error.text.contains("removed meanwhile") || error.kind == .notFound else {
                throw error
              }
            }
          }
        }
      }
      group.addTask {
        let archive = try Archive.open(at: path)
        for _ in 0..<40 { _ = try archive.collectGarbage(.everything, isDryRun: false) }
      }
      try await group.waitForAll()
    }
    let archive = try Archive.open(at: path)
    #expect(try archive.log(from: archive.resolve("main")).count == 37)
    #expect(try archive.check(decoder: nil).problems.filter { $0.severity == .damage } == [])
  }
}
