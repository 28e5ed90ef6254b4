import Objects
import Testing

@testable import History

/// Law 4: the machine stops at each write of each change, and leaves whatever it may leave.
@Suite struct CrashTests {
  /// More than the ways in which any of these changes can be torn, but for the largest.
  private static let survivorCountMax = 128

  @Test(arguments: Scenario.all) func everyCrashLeavesOldOrNew(_ scenario: Scenario) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(seed)
    let states = try statesOnTheWay(scenario)
    var crashCount = 0
    for step in 0... {
      let store = try CrashStore()
      try scenario.prepare(store)
      store.faults.arm(.crash, at: step)
      var isAcknowledged = false
      do {
        try scenario.act(store)
        isAcknowledged = true
      } catch {
        #expect(store.faults.isCrashed, "\(scenario.name), step \(step), seed \(seed): \(error)")
      }
      let place = store.faults.steps.last ?? "none"
      store.faults.disarm()
      for (number, survivor) in try store.survivors(limit: Self.survivorCountMax, using: &random).enumerated() {
        crashCount += 1
        let label = "\(scenario.name), step \(step) (\(place)), survivor \(number), seed \(seed)"
        try survivor.expectIntact(label)
        let refs = try survivor.refs()
        if isAcknowledged {
          #expect(refs == states.last, "\(label)")
        } else {
          #expect(states.contains(refs), "\(label)")
        }
        // Dear beside the rest, and much the same for most of them.
        if number % 16 == 0 { try expectUsable(survivor, label) }
      }
      if isAcknowledged { break }
      #expect(step < 100)
    }
    #expect(crashCount > 5)
  }

  /// The refs before each transaction of the change and behind the last: all that a crash may leave of them.
  private func statesOnTheWay(_ scenario: Scenario) throws -> [[String: CommitID]] {
    var states: [[String: CommitID]] = []
    var random = SplitMix(1)
    for step in 0... {
      let store = try CrashStore()
      try scenario.prepare(store)
      store.faults.arm(.crash, at: step)
      let isDone = (try? scenario.act(store)) != nil
      let now = try #require(try store.survivors(limit: 1, using: &random).first).refs()
      if states.last != now { states.append(now) }
      if isDone { return states }
    }
    return states
  }

  /// The next writer and the next gc find a store in order.
  private func expectUsable(_ survivor: Survivor, _ label: String) throws {
    let archive = survivor.archive
    let parent = try archive.ref(named: "main")?.commit
    try archive.putVectorLeaves([0, 9])
    var (draft, id) = archive.draftCommit([vectorLeaf(0), vectorLeaf(9)], parents: parent.map { [$0] } ?? [], message: "next")
    #expect(try archive.publish(&draft, commit: id, to: "main", expecting: parent, reason: "next") == .moved, "\(label)")
    #expect(try archive.refLog.moves() == archive.catalog.refLog(ref: nil), "\(label)")
    _ = try archive.collectGarbage(.everything, isDryRun: false)
    let report = try archive.check(decoder: nil)
    #expect(report.problems == [], "\(label)")
    #expect(try archive.collectGarbage(.everything, isDryRun: true).items == [], "\(label)")
    try survivor.expectIntact(label)
  }

  @Test(arguments: Scenario.all, [5, 28]) func everyFailedWriteLeavesAnIntactStore(_ scenario: Scenario, code: Int32) throws {
    let states = try statesOnTheWay(scenario)
    for step in 0..<100 {
      let store = try CrashStore()
      try scenario.prepare(store)
      store.faults.arm(.failure(code), at: step)
      do {
        try scenario.act(store)
        #expect(step >= store.faults.steps.count, "\(scenario.name): step \(step) of \(store.faults.steps) failed and nobody noticed")
        return
      } catch {
        let error = try #require(error as? StoreError)
        #expect(error.kind == .io(code), "\(scenario.name), step \(step): \(error)")
      }
      store.faults.disarm()
      // The same process goes on, and another one comes.
      let label = "\(scenario.name), errno \(code), step \(step) (\(store.faults.steps.last ?? "none"))"
      let report = try store.archive.check(decoder: nil)
      #expect(report.problems.filter { $0.severity == .damage } == [], "\(label)")
      #expect(states.contains(try Survivor(store.volume, store.catalog, store.clock).refs()), "\(label)")
      try expectUsable(Survivor(store.volume, store.catalog, store.clock), label)
    }
    Issue.record("\(scenario.name) has more than 100 steps")
  }

  @Test func tornStoreOfAFailingSimulationIsNoticed() throws {
    // The simulation itself: a writer that does not sync its folders loses what it has acknowledged.
    let store = try CrashStore()
    try store.volume.stage("packs/a.pack", [1])
    var random = SplitMix(1)
    let found = store.volume.afterCrash(limit: 10, using: &random).map { $0.paths.contains("packs/a.pack") }
    #expect(found.sorted { !$0 && $1 } == [false, true])
  }
}
