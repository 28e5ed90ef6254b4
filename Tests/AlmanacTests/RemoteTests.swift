import Foundation
import History
import Objects
import Testing

@testable import Almanac

@Suite struct RemoteTests {
  private let door = RemoteDoor()

  /// A workshop of readings with two commits on `main`.
  private func origin() throws -> Workshop {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "1.5"), (1, 1, "2.5"), (2, 0, "3.5")]))
    try workshop.commit("readings", workshop.readings("b.csv", [(2, 1, "4.5")]))
    return workshop
  }

  private func clone(_ workshop: Workshop, _ name: String) throws -> Repository {
    try Repository.clone(workshop.repository.folder, to: workshop.path(name), through: door).repository
  }

  private func commit(_ repository: Repository, _ path: String) throws {
    _ = try repository.commit([CommitInput(dataset: "readings", path: path)], mode: .append, message: "more")
  }

  private func failure(_ body: () throws -> Void) -> AlmanacError? {
    do {
      try body()
      return nil
    } catch {
      return error as? AlmanacError
    }
  }

  @Test func aCloneIsTheSameRepository() throws {
    let workshop = try origin()
    let report = try Repository.clone(workshop.repository.folder, to: workshop.path("clone"), through: door)
    let clone = report.repository
    #expect(report.branch == "main")
    #expect(try report.commit == workshop.repository.resolve("main"))
    #expect(report.export.files == ["schemas/readings.yaml"])
    #expect(report.export.skipped == [])
    let (there, here) = (try workshop.repository.log(), try clone.log())
    #expect(here.map(\.id) == there.map(\.id))
    #expect(here.map { $0.commit.datasets["readings"]?.root } == there.map { $0.commit.datasets["readings"]?.root })
    #expect(try clone.table("readings", at: clone.resolve("main")).read().rowCount == 4)
    #expect(try clone.apply(plan: true).changes.isEmpty)
    // Every state that main ever had, at its time.
    let moves = try workshop.repository.archive.reflog("main")
    #expect(moves.count == 3)
    for move in moves {
      #expect(try clone.archive.commit(of: "main", atMicros: move.timeMicros) == move.new)
      #expect(try clone.archive.commit(of: "origin/main", atMicros: move.timeMicros) == move.new)
    }
    #expect(failure { _ = try self.clone(workshop, "clone") }?.kind == .failed)
  }

  @Test func anInterruptedCloneGoesOnFromAnyStep() throws {
    let workshop = try origin()
    let address = workshop.repository.folder
    func steps(_ name: String, _ count: Int) throws -> String {
      let folder = workshop.path(name)
      let archive = try Archive.create(at: "\(folder)/.almanac")
      if count > 0 { try archive.setCloneSource(address) }
      if count > 1 { try archive.setRemote("origin", to: address) }
      let repository = try Repository.open(at: folder)
      if count > 2 { _ = try repository.fetch(through: door) }
      if count > 3 {
        let target = try repository.archive.ref(named: "origin/main")
        try repository.createBranch("main", from: #require(target))
      }
      return folder
    }
    for count in 0...4 {
      let report = try Repository.clone(address, to: steps("clone\(count)", count), through: door)
      #expect(try report.repository.resolve("main") == workshop.repository.resolve("main"), "\(count) steps")
      #expect(report.export.files == ["schemas/readings.yaml"])
      #expect(try report.repository.archive.cloneSource() == nil)
      #expect(failure { _ = try self.clone(workshop, "clone\(count)") }?.kind == .failed)
    }
    // Of another repository, it is none of this clone's business.
    let other = try Workshop.readings()
    let half = try steps("half", 2)
    #expect(failure { _ = try Repository.clone(other.repository.folder, to: half, through: door) }?.kind == .failed)
  }

  @Test func pushAndPullMoveWhatIsNew() throws {
    let workshop = try origin()
    let (one, two) = (try clone(workshop, "one"), try clone(workshop, "two"))
    try commit(one, workshop.readings("c.csv", [(3, 0, "5.5")]))
    let pushed = try one.push(through: door)
    #expect(pushed.transfer.commitCount == 1)
    #expect(pushed.transfer.fileCount == 1)
    #expect(try workshop.repository.resolve("main") == one.resolve("main"))
    #expect(try one.resolve("origin/main") == one.resolve("main"))
    #expect(try one.push(through: door).transfer == TransferReport())
    let pulled = try two.pull(through: door)
    #expect(pulled.outcome == .fastForward)
    #expect(pulled.fetch.transfer == pushed.transfer)
    #expect(try two.resolve("main") == one.resolve("main"))
    #expect(try two.pull(through: door).outcome == .upToDate)
    #expect(try two.fetch(through: door).transfer == TransferReport())
    try commit(two, workshop.readings("d.csv", [(3, 1, "6.5")]))
    #expect(try two.pull(through: door).outcome == .ahead)
  }

  @Test func whatARemoteHasIsNotPushedOver() throws {
    let workshop = try origin()
    let (one, two) = (try clone(workshop, "one"), try clone(workshop, "two"))
    try commit(one, workshop.readings("c.csv", [(3, 0, "5.5")]))
    try commit(two, workshop.readings("d.csv", [(4, 0, "6.5")]))
    _ = try one.push(through: door)
    let tip = try workshop.repository.resolve("main")
    let refused = try #require(failure { _ = try two.push(through: door) })
    #expect(refused.kind == .failed)
    #expect(refused.description == "Cannot push main to origin: it is at \(tip.short) there, which is not part of main here")
    #expect(refused.hint == "Get it first with: almanac pull origin main")
    #expect(try workshop.repository.resolve("main") == tip)
    let lease = try #require(failure { _ = try two.push(forceWithLease: true, through: door) })
    #expect(lease.description.hasSuffix("as when it was last fetched"))
    // Histories that diverged are merged: both rows are there.
    let mine = try two.resolve("main")
    let pulled = try two.pull(through: door)
    #expect(pulled.outcome == .merged)
    #expect(try two.commit(two.resolve("main")).parents == [mine, tip])
    #expect(try two.push(through: door).old == tip)
    #expect(try workshop.repository.resolve("main") == two.resolve("main"))
  }

  @Test func aPullOfHistoriesInConflictSaysSoAndChangesNothing() throws {
    let workshop = try origin()
    let (one, two) = (try clone(workshop, "one"), try clone(workshop, "two"))
    try commit(one, workshop.readings("c.csv", [(3, 0, "5.5")]))
    try commit(two, workshop.readings("d.csv", [(3, 0, "6.5")]))
    _ = try one.push(through: door)
    let mine = try two.resolve("main")
    let conflict = try #require(failure { _ = try two.pull(through: door) })
    #expect(conflict.kind == .failed)
    #expect(conflict.description == "Cannot pull into main: it and origin/main have diverged, with 1 conflict")
    #expect(try two.resolve("main") == mine)
  }

  @Test func ofTwoPushesAtOnceOneWins() async throws {
    let workshop = try origin()
    let clones = [try clone(workshop, "one"), try clone(workshop, "two")]
    for (index, clone) in clones.enumerated() {
      try commit(clone, workshop.readings("\(index).csv", [(5 + index, 0, "1.5")]))
    }
    let door = door
    let outcomes = await withTaskGroup(of: Bool.self) { group in
      for clone in clones { group.addTask { (try? clone.push(through: door)) != nil } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.count { $0 } == 1)
    let tip = try workshop.repository.resolve("main")
    #expect(try clones.count { try $0.resolve("main") == tip } == 1)
  }

  @Test func aLeafWithOtherRowsIsRefused() throws {
    let workshop = try origin()
    // The catalog there says that the file of one leaf is another's: the checksum is right, the rows are not.
    let archive = workshop.repository.archive
    let leaves = try workshop.repository.table("readings", at: workshop.repository.resolve("main")).leaves()
    let old = try workshop.repository.table("readings", at: workshop.repository.resolve("main~1")).leaves()
    let (wrong, right) = (try #require(leaves.first), try #require(old.first))
    #expect(wrong.id != right.id)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: archive.leafPath(right.id)))
    try bytes.write(to: URL(fileURLWithPath: archive.leafPath(wrong.id)))
    let record = try FileRecord(
      decoding: #require(workshop.repository.asRemote.objects([ObjectKey(kind: .leaf, id: wrong.id.hash)]).first).bytes, object: "leaf")
    _ = try Catalog.open(at: "\(workshop.repository.folder)/.almanac/catalog.sqlite").register(
      [
        ObjectRecord(
          kind: 1, id: wrong.id.bytes, place: .ownFile, byteCount: bytes.count, fileSHA256: Checksum.sha256(Array(bytes)),
          digests: record.digests)
      ], moving: nil, nowMicros: 0)
    let refused = try #require(failure { _ = try self.clone(workshop, "clone") })
    #expect(refused.kind == .io)
    #expect(refused.description == "Cannot accept leaf \(wrong.id): its rows are those of leaf \(right.id)")
  }

  @Test func addressesAreKeptWhole() throws {
    let workshop = try origin()
    let repository = workshop.repository
    #expect(try repository.addRemote("a", "http://host:6566/").address == "http://host:6566")
    #expect(try repository.addRemote("b", "file:///tmp/x").address == "/tmp/x")
    #expect(try repository.addRemote("c", "/tmp/./y/").address == "/tmp/y")
    #expect(failure { _ = try repository.addRemote("d", "ftp://host") }?.kind == .usage)
    #expect(failure { _ = try repository.addRemote("d", "http://a:b@host") }?.kind == .usage)
    #expect(failure { _ = try repository.addRemote("a", "/tmp") }?.kind == .failed)
    #expect(try repository.remotes().map(\.name) == ["a", "b", "c"])
    #expect(failure { _ = try repository.fetch("a", through: door) }?.description.contains("no HTTP client") == true)
    #expect(failure { _ = try repository.fetch("nope", through: door) }?.kind == .notFound)
    try repository.removeRemote("a")
    #expect(failure { try repository.removeRemote("a") }?.kind == .notFound)
  }

  @Test func exportedFilesSayWhatIsRegistered() throws {
    let workshop = try Workshop.fraud()
    let clone = try Repository.clone(workshop.repository.folder, to: workshop.path("clone"), through: door)
    #expect(
      clone.export.files == [
        "features/features.yaml", "schemas/merchant_stats.yaml", "schemas/transactions.yaml", "schemas/user_profile.yaml",
      ])
    let head = try workshop.repository.resolve("main")
    #expect(try clone.repository.definitions(at: head) == workshop.repository.definitions(at: head))
    #expect(try clone.repository.apply(plan: false).commit == nil)
    #expect(try clone.repository.exportDefinitions().files == clone.export.files)
    // The original folder declares its features in fraud.yaml.
    let refused = try #require(failure { _ = try workshop.repository.exportDefinitions() })
    #expect(refused.description == "Cannot export the features: it is declared in features/fraud.yaml")
  }
}
