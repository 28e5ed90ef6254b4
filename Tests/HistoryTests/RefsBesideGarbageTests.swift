import Foundation
import Objects
import Synchronization
import Testing

@testable import History

/// An archive in which a gc that spares nothing runs right before one step of a piece of work.
private final class DisturbedArchive: Sendable {
  let test: TestArchive
  let archive: Archive
  private let plan: Plan

  /// Counts the steps; at the one of the plan the gc runs.
  final class Plan: Sendable {
    private let state = Mutex((count: 0, at: Int?.none, failure: String?.none))
    let collect: @Sendable () throws -> Void

    init(_ collect: @escaping @Sendable () throws -> Void) { self.collect = collect }

    func arm(at step: Int?) { state.withLock { $0 = (0, step, nil) } }
    var count: Int { state.withLock { $0.count } }
    var failure: String? { state.withLock { $0.failure } }

    func step() {
      let isNow = state.withLock { state in
        defer { state.count += 1 }
        return state.count == state.at
      }
      guard isNow else { return }
      do { try collect() } catch { state.withLock { $0.failure = "\(error)" } }
    }
  }

  init() throws {
    let test = try TestArchive()
    let plan = Plan {
      test.clock.micros += 1_000_000
      _ = try test.archive.collectGarbage(.everything, isDryRun: false)
    }
    let volume = WatchedVolume(test.volume, quietLocks: ["objects.lock", "gc.lock"]) { _ in plan.step() }
    let clock = test.clock
    archive = try Archive.open(on: volume, catalog: test.catalog, now: { clock.micros })
    self.test = test
    self.plan = plan
  }

  /// - Parameter step: nil: nothing happens in between.
  func disturb(at step: Int?) { plan.arm(at: step) }
  var stepCount: Int { plan.count }
  var failure: String? { plan.failure }
  var remote: ArchiveRemote { ArchiveRemote(archive, location: "disturbed") }

  /// That every ref, and every move that nothing excuses, names what is there.
  func expectWhole(_ label: String) throws {
    #expect(failure == nil, "\(label)")
    #expect(try test.archive.check(decoder: nil).problems.filter { $0.severity == .damage } == [], "\(label)")
    for ref in try test.archive.refs() {
      var walk = ObjectWalk(test.archive, lost: [])
      #expect(walk.losses(of: ref.commit) == [], "\(label): \(ref.name)")
    }
  }
}

/// Commits that nothing names any more, but that are stored until the next gc.
private struct Leftover {
  let base: CommitID
  let lost: CommitID
  let tail: CommitID
}

extension DisturbedArchive {
  /// `main` at its first commit, after an undo of two, the second of which has a tail.
  fileprivate func makeLeftover() throws -> Leftover {
    let base = try test.archive.publishChain(["base"])[0]
    try test.archive.putVectorLeaves([3, 4])
    var (draft, lost) = test.archive.draftCommit([vectorLeaf(3), vectorLeaf(4)], parents: [base], message: "lost")
    #expect(try test.archive.publish(&draft, commit: lost, to: "main", expecting: base, reason: "lost") == .moved)
    try test.archive.putVectorLeaves(0..<3)
    try test.archive.putVectorTail(7)
    var (second, tail) = test.archive.draftTailCommit(leaves: 3, tail: 7, parents: [lost])
    #expect(try test.archive.publish(&second, commit: tail, to: "main", expecting: lost, reason: "tail") == .moved)
    #expect(try test.archive.moveRef("main", to: base, expecting: tail, reason: "undo 2") == .moved)
    return Leftover(base: base, lost: lost, tail: tail)
  }
}

@Suite struct RefsBesideGarbageTests {
  /// A way in which a ref comes to name a commit that nothing named before. It may fail when the gc was faster, but then nothing moves.
  private struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    let act: @Sendable (DisturbedArchive, Leftover) throws -> Void
    var testDescription: String { name }
  }

  private static let ways: [Way] = [
    Way(name: "branch") { try $0.archive.createBranch("again", at: $1.tail) },
    Way(name: "tag") { try $0.archive.createTag("v1", at: $1.tail) },
    Way(name: "undo and redo") {
      try expectMoved($0.archive.moveRef("main", to: $1.tail, expecting: $1.base, reason: "redo 2"))
    },
    Way(name: "publish of a commit that is stored") {
      var draft = $0.archive.draft()
      try expectMoved($0.archive.publish(&draft, commit: $1.tail, to: "main", expecting: $1.base, reason: "again"))
    },
    Way(name: "publish onto a commit that is stored") { one, leftover in
      try one.archive.putVectorLeaves([9])
      var (draft, id) = one.archive.draftCommit([vectorLeaf(3), vectorLeaf(9)], parents: [leftover.tail], message: "more")
      try expectMoved(one.archive.publish(&draft, commit: id, to: "main", expecting: leftover.base, reason: "more"))
    },
    Way(name: "fetched branch") { one, leftover in
      let steps = try one.archive.steps(of: "main", afterMicros: .min)
      try expectMoved(one.archive.importRef("origin/main", .tracking, at: leftover.tail, expecting: nil, steps: steps, reason: "fetch"))
    },
    Way(name: "pushed branch") { one, leftover in
      let update = RefUpdate(
        name: "main", kind: .branch, expecting: leftover.base, new: leftover.tail, isForced: false, reason: "push",
        steps: [
          RefStep(old: leftover.base, new: leftover.lost, timeMicros: 1, reason: "lost"),
          RefStep(old: leftover.lost, new: leftover.tail, timeMicros: 2, reason: "tail"),
        ])
      try expectMoved(one.remote.move(update))
    },
    Way(name: "new pushed branch, forced") { one, leftover in
      let update = RefUpdate(
        name: "other", kind: .branch, expecting: nil, new: leftover.lost, isForced: true, reason: "push",
        steps: [RefStep(old: nil, new: leftover.lost, timeMicros: 1, reason: "lost")])
      try expectMoved(one.remote.move(update))
    },
  ]

  /// One gc before each step in turn, until there is no such step.
  @Test(arguments: ways) private func aRefNeverNamesWhatAGCHasTaken(_ way: Way) throws {
    var refusedCount = 0
    for step in 0..<400 {
      let one = try DisturbedArchive()
      let leftover = try one.makeLeftover()
      let before = try one.test.archive.refs()
      one.disturb(at: step)
      do {
        try way.act(one, leftover)
      } catch let error as StoreError {
        #expect(error.kind == .notFound || error.text.hasSuffix("was removed meanwhile; write it again"), "\(error)")
        #expect(try one.test.archive.refs() == before)
        refusedCount += 1
      }
      let isOver = one.stepCount <= step
      one.disturb(at: nil)
      try one.expectWhole("\(way.name), step \(step)")
      if isOver {
        #expect(refusedCount > 0)
        return
      }
    }
    Issue.record("\(way.name) has more than 400 steps")
  }

  /// Work that holds a lease goes through, whatever is collected meanwhile.
  @Test func aCommitUnderALeaseGoesThroughBesideAGC() throws {
    for step in 0..<400 {
      let one = try DisturbedArchive()
      let base = try one.test.archive.publishChain(["base"])[0]
      one.disturb(at: step)
      let lease = try one.archive.lease([base], isForWork: true)
      try one.archive.putVectorLeaves([5, 6])
      try one.archive.putVectorTail(7)
      _ = try one.archive.hasLeaf(vectorLeaf(5).id)
      var (draft, id) = one.archive.draftTailCommit(leaves: 1, tail: 7, parents: [base])
      #expect(try one.archive.publish(&draft, commit: id, to: "main", expecting: base, reason: "work") == .moved)
      withExtendedLifetime(lease) {}
      let isOver = one.stepCount <= step
      one.disturb(at: nil)
      try one.expectWhole("step \(step)")
      if isOver { return }
    }
    Issue.record("a commit has more than 400 steps")
  }

  /// Every step when ALMANAC_SEEDS is set, else one in so many.
  private static let stepStride = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"] == nil ? 6 : 1

  /// A transfer between two archives, each in turn with a gc before each of its steps; also of what the target has left over.
  @Test(arguments: [true, false], [true, false]) func aTransferGoesThroughBesideAGC(isTargetDisturbed: Bool, hasLeftover: Bool) throws {
    for step in stride(from: 0, to: 2000, by: Self.stepStride) {
      let (near, far) = (try DisturbedArchive(), try DisturbedArchive())
      let tip = try near.makeLeftover().tail
      let base = try #require(try near.test.archive.ref(named: "main")).commit
      #expect(try near.test.archive.moveRef("main", to: tip, expecting: base, reason: "redo 2") == .moved)
      if hasLeftover { _ = try far.makeLeftover() } else { _ = try far.test.archive.publishChain(["base"]) }
      // What is left over is older than the transfer, so that nothing but the transfer keeps it.
      for one in [near, far] { one.test.clock.micros += 1_000_000 }
      let disturbed = isTargetDisturbed ? far : near
      disturbed.disturb(at: step)
      try near.remote.working { source in
        try far.remote.working { target in
          var transfer = Transfer(from: source, to: target)
          _ = try transfer.copy([tip])
          let update = RefUpdate(
            name: "main", kind: .branch, expecting: base, new: tip, isForced: false, reason: "push",
            steps: try near.archive.steps(of: "main", afterMicros: .min))
          #expect(try target.move(update) == .moved, "step \(step)")
        }
      }
      let isOver = disturbed.stepCount <= step
      disturbed.disturb(at: nil)
      try near.expectWhole("near, step \(step)")
      try far.expectWhole("far, step \(step)")
      #expect(try far.test.archive.ref(named: "main")?.commit == tip)
      if isOver { return }
    }
    Issue.record("a transfer has more than 2000 steps")
  }

  @Test func aLeaseForWorkStretchesTheGracePeriodToItsBeginning() throws {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["a"])
    try test.archive.putVectorLeaves([4])
    test.clock.micros += 10
    var lease: Lease? = try test.archive.lease([], isForWork: true)
    try test.archive.putVectorLeaves([5])
    test.clock.micros += 1_000_000
    let path = { Archive.path(of: ObjectKey(vectorLeaf($0).id)) }
    // What is older than the work goes; what came since stays until the work is done.
    #expect(try test.archive.collectGarbage(.everything, isDryRun: false).items.map(\.path) == [path(4)])
    #expect(try test.archive.collectGarbage(.everything, isDryRun: false).items == [])
    withExtendedLifetime(lease) {}
    lease = nil
    #expect(try test.archive.collectGarbage(.everything, isDryRun: false).items.map(\.path) == [path(5)])
  }

  @Test func aMoveToACommitThatWasTakenIsRefusedInWords() throws {
    let one = try DisturbedArchive()
    let leftover = try one.makeLeftover()
    one.test.clock.micros += 1_000_000
    _ = try one.test.archive.collectGarbage(.everything, isDryRun: false)
    let update = RefUpdate(
      name: "main", kind: .branch, expecting: leftover.base, new: leftover.tail, isForced: true, reason: "push", steps: [])
    let error = try #require(storeError { _ = try one.remote.move(update) })
    #expect(error == StoreError(kind: .notFound, text: "Cannot read commit \(leftover.tail): it is not stored in memory:/"))
    #expect(try one.test.archive.ref(named: "main")?.commit == leftover.base)
  }
}

/// `#expect` for closures in literals, where the compiler does not let the macro throw.
private func expectMoved(_ outcome: PublishOutcome, at place: SourceLocation = #_sourceLocation) {
  #expect(outcome == .moved, sourceLocation: place)
}

private func expectMoved(_ outcome: RefUpdateOutcome, at place: SourceLocation = #_sourceLocation) {
  #expect(outcome == .moved, sourceLocation: place)
}
