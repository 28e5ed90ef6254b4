import Foundation
import Objects
import Synchronization
import Testing

@testable import History

/// Copies of a repository that were taken while somebody wrote: each file as it was at another moment.
///
/// ALMANAC_SEEDS=1000 takes more of them than the usual few.
@Suite struct TornCopyTests {
  private static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 3

  /// Vector leaves and tails are files of their id.
  private static let decoder: @Sendable (MappedFile) throws -> FileIdentity = { file in
    let bytes = file.withBytes { Array($0) }
    guard bytes.count == 32 else { throw StoreError(kind: .corrupt, text: "it has \(bytes.count) bytes") }
    let leaf = (0..<20).first { vectorLeaf($0).id.bytes == bytes }
    return FileIdentity(hash: Hash256(bytes: bytes), rowCount: leaf == nil ? 3 : 2, digests: [leaf.map { UInt8($0) } ?? 9])
  }

  /// All that a machine has at one moment.
  private struct Moment: Sendable {
    let files: [String: [UInt8]]
    let catalog: Catalog
  }

  /// Plays a random history and takes a moment before every step.
  private static func moments(_ random: inout SplitMix) throws -> [Moment] {
    let test = try TestArchive()
    let moments = Mutex<[Moment]>([])
    let take: @Sendable () -> Void = {
      var files: [String: [UInt8]] = [:]
      for path in test.volume.paths where !path.hasSuffix(".lock") && !path.hasPrefix("leases/") {
        files[path] = try? test.volume.read(path)
      }
      guard let catalog = try? test.catalog.snapshot() else { return }
      moments.withLock { $0.append(Moment(files: files, catalog: catalog)) }
    }
    let volume = WatchedVolume(test.volume, quietLocks: []) { step in
      // Reading changes nothing.
      if ["write", "make", "append", "rename", "remove"].contains(where: step.hasPrefix) { take() }
    }
    let clock = test.clock
    let archive = try Archive.open(on: volume, catalog: test.catalog, now: { clock.micros })
    _ = try archive.publishChain(["base"])
    for number in 1...Int.random(in: 3...7, using: &random) {
      clock.micros += 1_000_000
      try step(number, archive, &random)
    }
    take()
    return moments.withLock { $0 }
  }

  private static func step(_ number: Int, _ archive: Archive, _ random: inout SplitMix) throws {
    let branches = try archive.refs().filter { $0.kind == .branch }
    let branch = branches[Int.random(in: 0..<branches.count, using: &random)]
    switch Int.random(in: 0..<10, using: &random) {
    case 0:
      try archive.createBranch("b\(number)", at: branch.commit)
      if Bool.random(using: &random) { try archive.setHead("b\(number)") }
    case 1: try archive.createTag("t\(number)", at: branch.commit)
    case 2:
      guard let parent = try archive.commit(branch.commit).parents.first else { return }
      #expect(try archive.moveRef(branch.name, to: parent, expecting: branch.commit, reason: "undo 1") == .moved)
    case 3: _ = try archive.collectGarbage(.everything, isDryRun: false)
    case 4 where try branch.name != "main" && branch.name != archive.headBranch(): #expect(try archive.deleteRef(branch.name) == .moved)
    case 5:
      try archive.putVectorLeaves(0..<3)
      try archive.putVectorTail(number)
      var (draft, id) = archive.draftTailCommit(leaves: 3, tail: number, parents: [branch.commit])
      #expect(try archive.publish(&draft, commit: id, to: branch.name, expecting: branch.commit, reason: "tail") == .moved)
    default:
      let leaves = [0, Int.random(in: 1..<10, using: &random), 10 + number]
      try archive.putVectorLeaves(leaves)
      var (draft, id) = archive.draftCommit(
        leaves.map(vectorLeaf), parents: [branch.commit], message: "\(number)", timeMicros: Int64(number))
      #expect(try archive.publish(&draft, commit: id, to: branch.name, expecting: branch.commit, reason: "commit \(number)") == .moved)
    }
  }

  /// Folders at moments of their own, as a program copies one after the other: in any order, or packs first and the catalog last; now
  /// and then single files too.
  private static func copy(_ moments: [Moment], _ random: inout SplitMix) throws -> (volume: MemoryVolume, catalog: Catalog) {
    func moment() -> Int { Int.random(in: 0..<moments.count, using: &random) }
    let volume = MemoryVolume()
    var order = ["packs", "leaves", "tails", "tmp", "format", "reflog.log", Archive.catalogName]
    if Bool.random(using: &random) { order.shuffle(using: &random) }
    // Mostly little happens while a copy is taken.
    let from = moment()
    let until = Bool.random(using: &random) ? moments.count : min(moments.count, from + 12)
    let times = order.map { _ in Int.random(in: from..<until, using: &random) }.sorted()
    let folders = Dictionary(uniqueKeysWithValues: zip(order, times))
    let isRagged = Int.random(in: 0..<3, using: &random) == 0
    for path in Set(moments.flatMap { $0.files.keys }).sorted() {
      let folder = String(path.prefix { $0 != "/" })
      let at = isRagged && folder != "reflog.log" ? moment() : folders[folder] ?? 0
      if let bytes = moments[at].files[path] { try volume.writeDurably(path, bytes) }
    }
    if try !volume.exists("format") { try volume.writeDurably("format", Archive.formatBytes) }
    return (volume, try moments[isRagged ? moment() : folders[Archive.catalogName] ?? 0].catalog.snapshot())
  }

  /// Refs of whose commits something has no file and no pack, though a commit of their history is whole.
  private static func leftBehind(_ archive: Archive) throws -> [String] {
    var names: [String] = []
    for ref in try archive.refs() {
      var walk = ObjectWalk(archive, lost: [])
      if walk.isStateWhole(ref.commit) { continue }
      // What came with it is here, whatever is missing since before.
      var own = walk.stateLosses(of: ref.commit)
      for parent in (try? archive.commit(ref.commit))?.parents ?? [] { own.subtract(walk.stateLosses(of: parent)) }
      if own.isEmpty { continue }
      var open = try archive.reflog(ref.name).reversed().prefix { $0.new != nil }.compactMap(\.new)
      var seen = Set(open)
      while let commit = open.popLast() {
        if walk.isStateWhole(commit) {
          names.append(ref.name)
          break
        }
        for parent in (try? archive.commit(commit))?.parents ?? [] where seen.insert(parent).inserted { open.append(parent) }
      }
    }
    return names
  }

  /// What every ref reaches that cannot be read, the refs themselves by name.
  private static func losses(_ archive: Archive) throws -> [String: Set<ObjectKey>] {
    var losses: [String: Set<ObjectKey>] = [:]
    for ref in try archive.refs() {
      var walk = ObjectWalk(archive, lost: [])
      losses[ref.name] = walk.losses(of: ref.commit)
    }
    return losses
  }

  private static func damage(_ report: CheckReport) -> [CheckReport.Problem] { report.problems.filter { $0.severity == .damage } }

  @Test func aRepairNeverMakesARefWorse() throws {
    print("seeds 1...\(Self.seedCount)")
    var (takenCount, putBackCount, retreatCount, cleanCount) = (0, 0, 0, 0)
    for seed in 1...Self.seedCount {
      var random = SplitMix(UInt64(seed))
      let moments = try Self.moments(&random)
      for number in 0..<6 {
        let label = "seed \(seed), copy \(number)"
        let (volume, catalog) = try Self.copy(moments, &random)
        let archive = try Archive.open(on: volume, catalog: catalog)
        let before = try Self.losses(archive)
        let report = try archive.repair(from: nil, decoder: Self.decoder)
        let after = try Self.losses(archive)
        for (name, lost) in before {
          guard let now = after[name] else {
            let last = try archive.reflog(name).last
            // Of what was deleted later nothing was here.
            #expect(lost.count == 1 && last?.new == nil, "\(label): \(name) is gone; \(report.repairs)")
            continue
          }
          // What was readable stays so, and of what was not nothing more is lost. Where a node or root was lost nobody could say what was
          // beneath it.
          let isKnown = lost.allSatisfy { $0.kind.hasOwnFile || $0.kind == .blob }
          #expect(now.isSubset(of: lost) || !isKnown, "\(label): \(name) lost \(now.subtracting(lost)); \(report.repairs)")
        }
        for (name, lost) in after where before[name] == nil {
          let commit = try #require(try archive.ref(named: name)).commit
          #expect(!lost.contains(ObjectKey(kind: .commit, id: commit.hash)), "\(label): \(name) is new and names nothing")
        }
        #expect(try Self.leftBehind(archive) == [], "\(label): \(report.repairs)")
        // A second check, and a second repair, find what the first repair left.
        #expect(try archive.check(decoder: Self.decoder).problems == report.problems, "\(label)")
        let again = try archive.repair(from: nil, decoder: Self.decoder)
        #expect(again.repairs == [], "\(label)")
        #expect(again.problems == report.problems, "\(label)")
        if after.values.allSatisfy(\.isEmpty) {
          #expect(Self.damage(report) == [], "\(label): \(report.repairs)")
        }
        // gc reads all that the log still names.
        if after.values.allSatisfy(\.isEmpty) { _ = try archive.collectGarbage(.everything, isDryRun: true) }
        retreatCount += report.repairs.contains { $0.contains("not all is here") } ? 1 : 0
        takenCount += report.repairs.contains { $0.hasPrefix("took ") } ? 1 : 0
        putBackCount += report.repairs.contains { $0.contains(" stands for ") } ? 1 : 0
        cleanCount += report.isDamaged ? 0 : 1
        try Self.expectUsable(archive, whole: after.filter { $0.value.isEmpty }.map(\.key), label)
      }
    }
    // Otherwise the copies have not come where they should.
    #expect(takenCount > 0 && putBackCount > 0 && retreatCount > 0 && cleanCount > 0)
  }

  /// Whoever goes on writing finds a repository that takes it.
  private static func expectUsable(_ archive: Archive, whole: [String], _ label: String) throws {
    guard let name = whole.min(), let ref = try archive.ref(named: name) else { return }
    try archive.putVectorLeaves([15])
    var (draft, id) = archive.draftCommit([vectorLeaf(15)], parents: [ref.commit], message: "after", timeMicros: 99)
    #expect(try archive.publish(&draft, commit: id, to: "after", expecting: nil, reason: "after") == .moved, "\(label)")
    #expect(try losses(archive)["after"] == [], "\(label)")
  }

  /// Without a catalog there are no refs that could be made worse: those of the log, as far as their commits are there.
  @Test func aCatalogMadeFromATornCopyNamesOnlyWhatIsThere() throws {
    print("seeds 1...\(Self.seedCount)")
    for seed in 1...Self.seedCount {
      var random = SplitMix(UInt64(seed) &+ 1 << 32)
      let moments = try Self.moments(&random)
      for number in 0..<4 {
        let label = "seed \(seed), copy \(number)"
        let (volume, old) = try Self.copy(moments, &random)
        let survey = Bool.random(using: &random) ? try old.survey() : nil
        let readable = survey == nil ? [:] : try Self.losses(Archive.open(on: volume, catalog: old)).filter { $0.value.isEmpty }
        let catalog = try Catalog.inMemory()
        _ = try CatalogRebuild(volume: volume, decoder: Self.decoder, survey: survey).fill(catalog, now: { Clock.nowMicros() })
        let archive = try Archive.open(on: volume, catalog: catalog)
        #expect(try CatalogAudit(catalog.survey()).problems == [], "\(label)")
        let after = try Self.losses(archive)
        for name in readable.keys { #expect(after[name] == [], "\(label): \(name)") }
        for (name, lost) in after {
          let commit = try #require(try archive.ref(named: name)).commit
          let isThere = !lost.contains(ObjectKey(kind: .commit, id: commit.hash))
          // A ref of which nothing was ever here stays as the old catalog had it.
          let states = try archive.reflog(name).reversed().prefix { $0.new != nil }.compactMap(\.new)
          let isNothingThere = states.allSatisfy { (try? archive.commit($0)) == nil }
          #expect(isThere || survey != nil && isNothingThere, "\(label): \(name) names nothing")
        }
        let report = try archive.repair(from: nil, decoder: Self.decoder)
        #expect(try archive.check(decoder: Self.decoder).problems == report.problems, "\(label)")
        for (name, lost) in try Self.losses(archive) where after[name]?.isEmpty ?? true { #expect(lost == [], "\(label): \(name)") }
        #expect(try Self.leftBehind(archive) == [], "\(label): \(report.repairs)")
      }
    }
  }

  // MARK: One by one

  /// A copy with the catalog and the objects of one moment, and the log of a later one.
  private func olderCopy(_ change: (TestArchive) throws -> Void) throws -> (test: TestArchive, copy: Archive, volume: MemoryVolume) {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["one"])
    let volume = test.volume.copy(faults: nil)
    let catalog = try test.catalog.snapshot()
    try change(test)
    try volume.writeDurably("reflog.log", test.volume.read("reflog.log"))
    return (test, try Archive.open(on: volume, catalog: catalog, now: { 2_000_000_000_000_000 }), volume)
  }

  @Test func aMoveToACommitThatIsNotHereIsKeptAndTakenBack() throws {
    let (test, copy, volume) = try olderCopy { test in
      let tip = try test.archive.resolve("main")
      try test.archive.putVectorLeaves([1])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [tip], message: "two")
      #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "commit: two") == .moved)
      try test.archive.createTag("v1", at: tip)
      try test.archive.createTag("v2", at: id)
    }
    let (one, two) = (try test.archive.resolve("v1"), try test.archive.resolve("main"))
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    #expect(report.problems == [])
    #expect(
      report.repairs == [
        "took 3 moves of refs from the ref log into the catalog",
        "main stands for \(one), because its log leads to commit \(two), of which less is here",
        "there is no v2, because its log leads to commit \(two), of which less is here",
      ])
    #expect(try copy.refs().map(\.name) == ["main", "v1"])
    #expect(try copy.resolve("main") == one)
    #expect(try copy.reflog("main").map(\.new) == [one, two, one])
    #expect(
      try copy.reflog("main").last?.reason == "repair: its log leads to commit \(two), of which less is here")
    #expect(try RefLogFile(volume: volume).moves() == copy.catalog.refLog(ref: nil))
    #expect(try copy.check(decoder: Self.decoder).problems == [])
  }

  @Test func aMoveWhoseCommitComesFromTheOtherRepositoryIsTaken() throws {
    let (test, copy, _) = try olderCopy { test in
      let tip = try test.archive.resolve("main")
      try test.archive.putVectorLeaves([1])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [tip], message: "two")
      #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "commit: two") == .moved)
    }
    let report = try copy.repair(from: test.archive, decoder: Self.decoder)
    #expect(report.problems == [])
    #expect(try copy.resolve("main") == test.archive.resolve("main"))
    #expect(try Self.losses(copy) == ["main": []])
  }

  @Test func aMoveWhoseCommitLiesInAPackThatTheCatalogDoesNotKnowIsTaken() throws {
    let (test, copy, volume) = try olderCopy { test in
      let tip = try test.archive.resolve("main")
      try test.archive.putVectorLeaves([1])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [tip], message: "two")
      #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "commit: two") == .moved)
    }
    for path in test.volume.paths where path.hasPrefix("packs/") { try volume.writeDurably(path, test.volume.read(path)) }
    // Its leaf is not here yet, so that it would not be whole.
    let tip = try copy.resolve("main")
    let catalog = try copy.catalog.snapshot()
    _ = try Archive.open(on: volume.copy(faults: nil), catalog: catalog).repair(from: nil, decoder: Self.decoder)
    #expect(try catalog.ref(named: "main")?.target == tip.bytes)
    for path in test.volume.paths where path.hasPrefix("leaves/") { try volume.writeDurably(path, test.volume.read(path)) }
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    let two = try test.archive.resolve("main")
    #expect(
      report.repairs == [
        "found commit \(two), with what it names, in packs that the catalog did not know",
        "took 1 moves of refs from the ref log into the catalog",
      ])
    #expect(try copy.resolve("main") == two)
    #expect(report.problems.filter { $0.severity == .damage } == [])
    #expect(try Self.losses(copy) == ["main": []])
  }

  /// A copy with the packs and files of one moment, and the catalog and log of a later one.
  private func newerCatalog(_ change: (TestArchive) throws -> Void) throws -> (test: TestArchive, copy: Archive, volume: MemoryVolume) {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["one"])
    let volume = test.volume.copy(faults: nil)
    try change(test)
    try volume.writeDurably("reflog.log", test.volume.read("reflog.log"))
    return (test, try Archive.open(on: volume, catalog: test.catalog.snapshot(), now: { 2_000_000_000_000_000 }), volume)
  }

  @Test func refsLeaveACommitWhosePackIsNotHere() throws {
    let (test, copy, volume) = try newerCatalog { test in
      let tip = try test.archive.resolve("main")
      try test.archive.createTag("v1", at: tip)
      try test.archive.putVectorLeaves([1])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [tip], message: "two")
      #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "commit: two") == .moved)
      let moved = try test.archive.moveRef("v1", to: id, expecting: tip, reason: "tag")
      #expect(moved == .moved)
    }
    let one = try #require(test.archive.commit(test.archive.resolve("main")).parents.first)
    let two = try test.archive.resolve("main")
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    #expect(
      report.repairs == [
        "forgot leaf \(vectorLeaf(1).id), which is in no pack and no file",
        "main stands for \(one), because of commit \(two) not all is here",
        "v1 stands for \(one), because of commit \(two) not all is here",
        "forgot 4 objects that are not here as a whole and that no ref leads to",
      ])
    #expect(report.problems == [])
    #expect(report.unrepaired == [])
    #expect(try copy.refs().map(\.commit) == [one, one])
    #expect(try copy.reflog("main").map(\.new) == [one, two, one])
    #expect(try copy.reflog("v1").last?.reason == "repair: of commit \(two) not all is here")
    #expect(try RefLogFile(volume: volume).moves() == copy.catalog.refLog(ref: nil))
    #expect(try copy.check(decoder: Self.decoder).problems == [])
    _ = try copy.collectGarbage(.everything, isDryRun: false)
    #expect(try copy.check(decoder: Self.decoder).problems == [])
  }

  @Test func aRefLeavesACommitOneOfWhoseLeavesIsNotHere() throws {
    let (test, copy, volume) = try newerCatalog { test in
      let tip = try test.archive.resolve("main")
      try test.archive.putVectorLeaves([1])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(1)], parents: [tip], message: "two")
      #expect(try test.archive.publish(&draft, commit: id, to: "main", expecting: tip, reason: "commit: two") == .moved)
      // Its state is its parent's history, and no entry of its own log.
      try test.archive.createBranch("side", at: id)
    }
    for path in test.volume.paths where path.hasPrefix("packs/") { try volume.writeDurably(path, test.volume.read(path)) }
    let two = try test.archive.resolve("main")
    let one = try #require(test.archive.commit(two).parents.first)
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    #expect(
      report.repairs.filter { $0.contains(" stands for ") } == [
        "main stands for \(one), because of commit \(two) not all is here",
        "side stands for \(one), because of commit \(two) not all is here",
      ])
    #expect(report.problems.filter { $0.severity == .damage } == [])
    #expect(try Self.losses(copy) == ["main": [], "side": []])
  }

  /// What came later is whole, and would go with what is missing.
  @Test func aRefStaysWhereWhatIsMissingIsMissingSinceBefore() throws {
    let test = try TestArchive()
    let archive = test.archive
    let one = try archive.publishChain(["one"])[0]
    func commit(_ leaves: [Int], _ message: String, _ parent: CommitID) throws -> CommitID {
      try archive.putVectorLeaves(leaves)
      var (draft, id) = archive.draftCommit(leaves.map(vectorLeaf), parents: [parent], message: message)
      #expect(try archive.publish(&draft, commit: id, to: "main", expecting: parent, reason: "commit: \(message)") == .moved)
      return id
    }
    let two = try commit([7], "two", one)
    let three = try commit([7, 8], "three", two)
    try archive.createTag("v1", at: two)
    let good = test.volume.copy(faults: nil)
    let catalog = try test.catalog.snapshot()
    let leaf = vectorLeaf(7).id
    try test.volume.remove(Archive.path(of: ObjectKey(leaf)))
    let report = try archive.repair(from: nil, decoder: Self.decoder)
    #expect(
      report.unrepaired == [
        "main stays at commit \(three), of which leaf \(leaf) is missing since before it; --from another repository restores it; "
          + "the newest commit without it is \(one)"
      ])
    #expect(report.isDamaged)
    #expect(try archive.resolve("main") == three)
    // The leaf came with the commit that the tag stood for.
    #expect(try archive.resolve("v1") == one)
    let whole = try archive.repair(from: Archive.open(on: good, catalog: catalog), decoder: Self.decoder)
    #expect(Self.damage(whole) == [])
    #expect(try archive.resolve("main") == three)
    #expect(try Self.losses(archive) == ["main": [], "v1": []])
  }

  @Test func aRefOfWhoseHistoryNothingIsHereStays() throws {
    let (test, copy, _) = try newerCatalog { test in
      try test.archive.putVectorLeaves([2])
      var (draft, id) = test.archive.draftCommit([vectorLeaf(2)], parents: [], message: "alone")
      #expect(try test.archive.publish(&draft, commit: id, to: "side", expecting: nil, reason: "commit: alone") == .moved)
    }
    let side = try test.archive.resolve("side")
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    #expect(report.unrepaired == ["side stays at commit \(side), of which not all is here: no commit of its history is whole"])
    #expect(report.isDamaged)
    #expect(try copy.ref(named: "side")?.commit == side)
    // Everything comes back from a repository that has it.
    let whole = try copy.repair(from: test.archive, decoder: Self.decoder)
    #expect(Self.damage(whole) == [])
    #expect(try Self.losses(copy) == ["main": [], "side": []])
  }

  @Test func whatWasDeletedLaterIsKept() throws {
    let test = try TestArchive()
    let one = try test.archive.publishChain(["one"])[0]
    try test.archive.createBranch("side", at: one)
    let volume = test.volume.copy(faults: nil)
    let catalog = try test.catalog.snapshot()
    #expect(try test.archive.deleteRef("side") == .moved)
    try volume.writeDurably("reflog.log", test.volume.read("reflog.log"))
    let copy = try Archive.open(on: volume, catalog: catalog)
    let report = try copy.repair(from: nil, decoder: Self.decoder)
    #expect(report.repairs.last == "side stands for \(one), because its log does not say so")
    #expect(try copy.resolve("side") == one)
    #expect(report.problems == [])
  }
}
