import Objects
import Testing

@testable import History

@Suite struct TransferRefTests {
  private func copied(_ tips: [CommitID], from far: TestArchive, to near: TestArchive) throws {
    var transfer = Transfer(from: far.remote, to: near.remote)
    _ = try transfer.copy(tips)
  }

  @Test func anImportedRefHasThePastItHadThere() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    let moves = try far.archive.reflog("main")
    near.clock.micros = far.clock.micros + 60_000_000
    // The near archive has a log of its own, which is later.
    _ = try near.archive.publishChain(["own"], on: "other")
    try copied([ids[3]], from: far, to: near)
    let steps = try far.remote.moves(of: "main", afterMicros: .min)
    #expect(try near.archive.importRef("origin/main", .tracking, at: ids[3], expecting: nil, steps: steps, reason: "fetch") == .moved)
    for move in moves {
      #expect(try near.archive.commit(of: "origin/main", atMicros: move.timeMicros) == move.new)
      let before = try? far.archive.commit(of: "main", atMicros: move.timeMicros - 1)
      let beforeHere = try? near.archive.commit(of: "origin/main", atMicros: move.timeMicros - 1)
      #expect(before == beforeHere)
    }
    #expect(try near.archive.reflog("origin/main").map(\.timeMicros) == moves.map(\.timeMicros))
    #expect(try near.archive.ref(named: "origin/main")?.kind == .tracking)
    // The file of the log follows, and the next move of any ref is later than the last of its own.
    #expect(try RefLogFile(volume: near.volume).moves().map(\.sequence) == [1, 2, 3, 4])
    near.clock.micros = 5
    #expect(try near.archive.moveRef("origin/main", to: ids[0], expecting: ids[3], reason: "back") == .moved)
    let last = try #require(try near.archive.reflog("origin/main").last)
    #expect(last.timeMicros == moves[moves.count - 1].timeMicros + 1)
  }

  @Test func importingAgainAddsOnlyWhatIsNew() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try far.makeHistory()
    try copied([ids[3]], from: far, to: near)
    let steps = try far.remote.moves(of: "main", afterMicros: .min)
    // Known up to the second commit; the rest of the log comes with the rest of the history.
    #expect(try near.archive.importRef("origin/main", .tracking, at: ids[1], expecting: nil, steps: steps, reason: "fetch") == .moved)
    #expect(try near.archive.reflog("origin/main").map(\.new) == [ids[0], ids[1]])
    #expect(try near.archive.importRef("origin/main", .tracking, at: ids[3], expecting: ids[1], steps: steps, reason: "fetch") == .moved)
    #expect(try near.archive.importRef("origin/main", .tracking, at: ids[3], expecting: ids[3], steps: steps, reason: "fetch") == .moved)
    #expect(try near.archive.reflog("origin/main").map(\.new) == [ids[0], ids[1], ids[3]])
    let after = try #require(try near.archive.lastMoveMicros(of: "origin/main"))
    #expect(try far.remote.moves(of: "main", afterMicros: after) == [])
    #expect(
      try near.archive.importRef("origin/main", .tracking, at: ids[0], expecting: ids[1], steps: [], reason: "fetch")
        == .lostRace(current: ids[3]))
  }

  @Test func aPushedBranchKeepsItsPastWhereItIsNew() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try near.makeHistory()
    try copied([ids[3]], from: near, to: far)
    far.clock.micros = near.clock.micros + 60_000_000
    let update = RefUpdate(
      name: "main", kind: .branch, expecting: nil, new: ids[3], isForced: false, reason: "push",
      steps: try near.remote.moves(of: "main", afterMicros: .min))
    #expect(try far.remote.move(update) == .moved)
    #expect(try far.archive.reflog("main").map(\.timeMicros) == near.archive.reflog("main").map(\.timeMicros))
    // The answer was lost, and the same is asked again.
    #expect(try far.remote.move(update) == .moved)
    #expect(try far.archive.reflog("main").count == 3)
  }

  @Test func aPushDoesNotChangeThePastOfABranch() throws {
    let (far, near) = (try TestArchive(), try TestArchive())
    let ids = try near.makeHistory()
    try copied([ids[3]], from: near, to: far)
    far.clock.micros = near.clock.micros - 500_000
    #expect(
      try far.remote.move(
        RefUpdate(name: "main", kind: .branch, expecting: nil, new: ids[0], isForced: false, reason: "push", steps: [])) == .moved)
    let asked = far.clock.micros
    far.clock.micros = near.clock.micros + 60_000_000
    let steps = Array(try near.remote.moves(of: "main", afterMicros: .min).dropFirst())
    #expect(steps.map(\.new) == [ids[1], ids[3]])
    #expect(
      try far.remote.move(
        RefUpdate(name: "main", kind: .branch, expecting: ids[0], new: ids[3], isForced: false, reason: "push", steps: steps)) == .moved)
    #expect(try far.archive.reflog("main").map(\.new) == [ids[0], ids[1], ids[3]])
    #expect(try far.archive.reflog("main").map(\.reason) == ["push", "commit 2", "commit 4"])
    #expect(try far.archive.reflog("main").map(\.timeMicros) == [asked, far.clock.micros, far.clock.micros + 1])
    #expect(try far.archive.commit(of: "main", atMicros: far.clock.micros - 1) == ids[0])
  }

  @Test func onlyFastForwardsAndOnlyFromWhatWasSeen() throws {
    let far = try TestArchive()
    let ids = try far.makeHistory()
    func push(_ name: String, _ kind: RefKind, from old: CommitID?, to new: CommitID, forced: Bool = false) throws -> RefUpdateOutcome {
      try far.remote.move(
        RefUpdate(name: name, kind: kind, expecting: old, new: new, isForced: forced, reason: "push", steps: []))
    }
    #expect(try push("main", .branch, from: ids[0], to: ids[1]) == .lostRace(current: ids[3]))
    #expect(try push("main", .branch, from: nil, to: ids[0]) == .lostRace(current: ids[3]))
    #expect(try push("new", .branch, from: ids[0], to: ids[0]) == .lostRace(current: nil))
    #expect(try push("main", .branch, from: ids[3], to: ids[0]) == .notFastForward)
    #expect(try push("side", .branch, from: ids[2], to: ids[1]) == .notFastForward)
    #expect(try push("side", .branch, from: ids[2], to: ids[3]) == .moved)
    #expect(try push("main", .branch, from: ids[3], to: ids[0], forced: true) == .moved)
    #expect(try push("v1", .tag, from: nil, to: ids[0]) == .moved)
    #expect(try push("v1", .tag, from: ids[0], to: ids[1]) == .notFastForward)
    #expect(storeError { _ = try push("v1", .branch, from: ids[0], to: ids[1]) }?.text == "Cannot move v1: it is a tag")
    #expect(storeError { _ = try push("origin/main", .tracking, from: nil, to: ids[1]) }?.kind == .invalid)
    #expect(storeError { _ = try push("new", .branch, from: nil, to: CommitID(bytes: zeros)) }?.kind == .notFound)
    #expect(try far.remote.state().refs.map(\.name) == ["main", "side", "v1"])
  }

  @Test func remotesAreRemembered() throws {
    let near = try TestArchive()
    try near.archive.setRemote("origin", to: "/a")
    try near.archive.setRemote("other", to: "http://b")
    #expect(try near.archive.remotes() == ["origin": "/a", "other": "http://b"])
    try near.archive.removeRemote("origin")
    #expect(try near.archive.remotes() == ["other": "http://b"])
    #expect(storeError { try near.archive.setRemote("a b", to: "/a") }?.kind == .invalid)
  }
}
