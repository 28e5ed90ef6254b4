import Almanac
import JSON
import Testing

@testable import AlmanacServer

@Suite struct RemoteWireTests {
  private let first = CommitName(bytes: [UInt8](repeating: 1, count: 32))
  private let second = CommitName(bytes: [UInt8](repeating: 2, count: 32))

  @Test func messagesComeBackAsTheyWent() throws {
    let state = RemoteState(
      refs: [RefDescription(name: "main", kind: .branch, commit: first), RefDescription(name: "v1", kind: .tag, commit: second)],
      head: "main")
    #expect(try RemoteWire.state(RemoteWire.json(state)) == state)
    let steps = [
      RefStep(old: nil, new: first, timeMicros: 1, reason: "commit: ü\n"), RefStep(old: first, new: nil, timeMicros: 2, reason: ""),
    ]
    #expect(try RemoteWire.steps(RemoteWire.json(steps)) == steps)
    for expecting in [nil, first] {
      let update = RefUpdate(
        name: "a/b", kind: .tag, expecting: expecting, new: second, isForced: expecting == nil, reason: "push", steps: steps)
      #expect(try RemoteWire.update(RemoteWire.json(update)) == update)
      for outcome in [RefUpdateOutcome.moved, .lostRace(current: nil), .lostRace(current: first), .notFastForward] {
        #expect(try RemoteWire.outcome(RemoteWire.json(outcome, of: update)) == outcome)
      }
    }
    let keys = ObjectKind.allCases.map { ObjectKey(kind: $0, id: first.hash) }
    #expect(try RemoteWire.keys(RemoteWire.json(keys), "objects") == keys)
  }

  @Test func messagesThatAreNoneAreRefused() {
    func text(_ body: () throws -> Void) -> String? {
      do {
        try body()
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(
      text { _ = try RemoteWire.state(["format": 2]) }
        == "Cannot read the message: format must be 1; use a program that knows the other")
    #expect(text { _ = try RemoteWire.keys(["leaf"], "objects") } == "Cannot read the message: each of objects must be a kind and an id")
    #expect(text { _ = try RemoteWire.keys(nil, "objects") } == "Cannot read the message: objects must be an array")
    #expect(text { _ = try RemoteWire.commits(["zz"], "wanted") } == "Cannot read the message: wanted must be the id of a commit")
    #expect(
      text { _ = try RemoteWire.update(["name": "main", "kind": "remote branch"]) } == "Cannot read the message: kind must be branch or tag"
    )
    #expect(text { _ = try RemoteWire.outcome([:]) } == "Cannot read the message: outcome is missing or unknown")
  }

  @Test func rangesAreOfOneForm() {
    #expect(RemoteRoutes.range("bytes=0-0") == 0..<1)
    #expect(RemoteRoutes.range("bytes=4-99") == 4..<100)
    for text in ["bytes=4-", "bytes=-4", "bytes=5-4", "bytes=0-1,3-4", "items=0-1", "bytes=0-9223372036854775807", ""] {
      #expect(RemoteRoutes.range(text) == nil, "\(text)")
    }
  }
}
