import Columns
import Foundation
import History
import Objects
import Tables
import Testing

@testable import Almanac

/// Law 4 at the façade: the machine stops at, or fails, each write of each call.
@Suite struct LawFourTests {
  private static let survivorCountMax = 4
  private static let stepCountMax = 400

  private func prepared(_ scenario: CrashScenario) throws -> [SimulatedRepository] {
    let all = try (0..<scenario.count).map { _ in try SimulatedRepository(Workshop()) }
    try scenario.prepare(all)
    return all
  }

  private func states(_ all: [SimulatedRepository]) throws -> [[String: SimulatedRepository.RefState]] { try all.map { try $0.state() } }

  /// The states after the call, nothing failing.
  private func undisturbed(_ scenario: CrashScenario, from prepared: [SimulatedRepository]) throws
    -> [[String: SimulatedRepository.RefState]]
  {
    let all = try prepared.map { try $0.copy() }
    try scenario.act(all)
    try scenario.verify(all)
    for one in all { #expect(try one.damage() == []) }
    return try states(all)
  }

  private func expectOldOrNew(
    _ found: [String: SimulatedRepository.RefState], _ old: [String: SimulatedRepository.RefState],
    _ new: [String: SimulatedRepository.RefState], _ label: String
  ) {
    for name in Set(found.keys).union(old.keys).union(new.keys) {
      #expect(found[name] == old[name] || found[name] == new[name], "\(label): \(name)")
    }
  }

  /// The next writer and the next gc find a repository in order.
  private func expectUsable(_ one: SimulatedRepository, _ label: String) throws {
    let before = try one.state()
    if before["main"] != nil {
      var values = try one.values()
      try one.commit([1: 40, 70: 41])
      (values[1], values[70]) = (40, 41)
      #expect(try one.values() == values, "\(label)")
    }
    let archive = one.repository.archive
    #expect(try archive.reflog(nil).last?.new == archive.reflog("main").last?.new || before["main"] == nil, "\(label)")
    _ = try one.repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
    let report = try archive.check(decoder: Repository.identity, tailCheck: Repository.tailProblems)
    // Where no ref has moved since, the ref log still lacks what the next move adds.
    #expect(report.problems.filter { $0.object != "the ref log" || $0.severity == .damage } == [], "\(label)")
    for (name, state) in try one.state() where name != "main" { #expect(state == before[name], "\(label)") }
  }

  @Test(arguments: CrashScenario.all) func everyCrashLeavesOldOrNew(_ scenario: CrashScenario) throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SplitMix(seed)
    let prepared = try prepared(scenario)
    let (old, new) = (try states(prepared), try undisturbed(scenario, from: prepared))
    for step in 0... {
      let all = try prepared.map { try $0.copy() }
      let failing = all[scenario.failing]
      failing.faults.arm(.crash, at: step)
      var isAcknowledged = false
      do {
        try scenario.act(all)
        isAcknowledged = true
      } catch {
        #expect(failing.faults.isCrashed, "\(scenario.name), step \(step), seed \(seed): \(error)")
      }
      let place = failing.faults.steps.last ?? "none"
      failing.faults.disarm()
      for (number, survivor) in try failing.survivors(limit: Self.survivorCountMax, using: &random).enumerated() {
        let label = "\(scenario.name), step \(step) (\(place)), survivor \(number), seed \(seed)"
        #expect(try survivor.damage() == [], "\(label)")
        let found = try survivor.state()
        if isAcknowledged {
          #expect(found == new[scenario.failing], "\(label)")
        } else {
          expectOldOrNew(found, old[scenario.failing], new[scenario.failing], label)
        }
        if number == 1 && step % 3 == 0 || isAcknowledged { try expectUsable(survivor, label) }
      }
      for (index, other) in all.enumerated() where index != scenario.failing {
        #expect(try other.damage() == [])
        expectOldOrNew(try other.state(), old[index], new[index], "\(scenario.name), step \(step), the other repository")
      }
      if isAcknowledged {
        // A call that writes is torn in several places; reading ones may have none.
        #expect(step >= (old[scenario.failing] == new[scenario.failing] ? 0 : 3))
        return
      }
      try #require(step < Self.stepCountMax)
    }
  }

  @Test(arguments: CrashScenario.all, [5, 28]) func everyFailedWriteLeavesAnIntactRepository(_ scenario: CrashScenario, code: Int32) throws
  {
    let prepared = try prepared(scenario)
    let (old, new) = (try states(prepared), try undisturbed(scenario, from: prepared))
    for step in 0..<Self.stepCountMax {
      let all = try prepared.map { try $0.copy() }
      let failing = all[scenario.failing]
      failing.faults.arm(.failure(code), at: step)
      do {
        try scenario.act(all)
        #expect(step >= failing.faults.steps.count, "\(scenario.name): step \(step) of \(failing.faults.steps) failed and nobody noticed")
        return
      } catch {
        let kind = (error as? AlmanacError)?.kind
        #expect(kind == .io || error is StoreError, "\(scenario.name), step \(step): \(error)")
      }
      failing.faults.disarm()
      let label = "\(scenario.name), errno \(code), step \(step) (\(failing.faults.steps.last ?? "none"))"
      // The same process goes on.
      for (index, one) in all.enumerated() {
        #expect(try one.damage() == [], "\(label)")
        expectOldOrNew(try one.state(), old[index], new[index], label)
      }
      if try states(all) == old {
        try scenario.act(all)
        #expect(try states(all) == new, "\(label)")
      }
      if step % 8 == 0 { for one in all { try expectUsable(one, label) } }
    }
    Issue.record("\(scenario.name) has more than \(Self.stepCountMax) steps")
  }
}
