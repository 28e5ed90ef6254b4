import Foundation
import History
import Objects
import Tables
import Testing

@testable import Almanac

/// One call of the façade, with what stands before it and what must be there behind it.
struct CrashScenario: Sendable, CustomTestStringConvertible {
  let name: String
  /// Repositories that take part: one, or the near one and the far one.
  var count = 1
  /// Which of them stands on the machine that fails.
  var failing = 0
  let prepare: @Sendable ([SimulatedRepository]) throws -> Void
  let act: @Sendable ([SimulatedRepository]) throws -> Void
  let verify: @Sendable ([SimulatedRepository]) throws -> Void
  var testDescription: String { name }

  init(
    _ name: String, count: Int = 1, failing: Int = 0, prepare: @escaping @Sendable ([SimulatedRepository]) throws -> Void,
    act: @escaping @Sendable ([SimulatedRepository]) throws -> Void,
    verify: @escaping @Sendable ([SimulatedRepository]) throws -> Void
  ) {
    self.name = name
    self.count = count
    self.failing = failing
    self.prepare = prepare
    self.act = act
    self.verify = verify
  }

  static var all: [CrashScenario] { writes + merges + remotes }

  // MARK: Writes

  static var writes: [CrashScenario] {
    [
      CrashScenario("commit that writes a tail") { all in
        try all[0].prepare()
      } act: { all in
        try all[0].commit([3: 7, 64: 8])
      } verify: { all in
        try expectEqual(all[0].tails().entries.map(\.rowCount), [2])
        try expectEqual(all[0].values().filter { $0.value != 0 }, [3: 7, 64: 8])
      },
      CrashScenario("commit that merges tails") { all in
        try all[0].prepare()
        try all[0].commit([3: 7, 64: 8])
        try all[0].commit([3: 1, 4: 1], .upsert)
        try expectEqual(all[0].tails().entries.count, 2)
      } act: { all in
        try all[0].commit([5: 2, 64: 2])
      } verify: { all in
        try expectEqual(all[0].tails().entries.map(\.rowCount), [4])
        try expectEqual(all[0].values().filter { $0.value != 0 }, [3: 1, 4: 1, 5: 2, 64: 2])
      },
      CrashScenario("commit that folds a partition") { all in
        try all[0].prepare()
        try all[0].commit([2: 7, 3: 7])
        try all[0].commit(Dictionary(uniqueKeysWithValues: (0..<12).map { (2 * $0, 1) }))
        try expectEqual(all[0].tails().entries.count, 2)
      } act: { all in
        try all[0].commit(Dictionary(uniqueKeysWithValues: (20..<27).map { (2 * $0, 2) }))
      } verify: { all in
        // Odd sensors stay in the tail of March.
        try expectEqual(all[0].tails().partitions.count, 1)
        try expectEqual(all[0].tails().folded.count, 1)
        try expectEqual(all[0].values().filter { $0.value == 2 }.count, 7)
        try expectEqual(all[0].values()[3], 7)
      },
      CrashScenario("commit behind a fold") { all in
        try all[0].prepare()
        try all[0].commit([2: 7, 3: 7])
        try all[0].commit(Dictionary(uniqueKeysWithValues: (0..<12).map { (2 * $0, 1) }))
        try all[0].commit(Dictionary(uniqueKeysWithValues: (20..<27).map { (2 * $0, 2) }))
      } act: { all in
        try all[0].commit([2: 9])
      } verify: { all in
        try expectEqual(all[0].values()[2], 9)
        try expectEqual(all[0].values()[3], 7)
      },
      CrashScenario("delete that writes a tail") { all in
        try all[0].prepare()
      } act: { all in
        try all[0].commit([1: 0, 2: 0], .delete)
      } verify: { all in
        try expectEqual(all[0].tails().entries.map(\.rowCount), [2])
        try expectEqual(all[0].values().count, 62)
      },
      CrashScenario("seal") { all in
        try all[0].prepare()
        try all[0].commit([3: 7, 64: 8])
        try all[0].commit([4: 1])
      } act: { all in
        _ = try all[0].repository.seal()
      } verify: { all in
        expectEqual(try all[0].tails().isEmpty, true)
        try expectEqual(all[0].values().filter { $0.value != 0 }, [3: 7, 64: 8, 4: 1])
      },
      CrashScenario("apply with a new column") { all in
        try all[0].prepare()
        try all[0].commit([3: 7])
      } act: { all in
        try all[0].declare(columns: "  - {name: note, logicalType: string, physicalType: string}")
      } verify: { all in
        let table = try all[0].repository.table("readings", at: all[0].repository.resolve("main"))
        expectEqual(table.layout.schema.fields.map(\.name), ["sensor", "event_timestamp", "value", "note"])
        try expectEqual(all[0].values()[3], 7)
      },
      CrashScenario("gc that takes tails") { all in
        try all[0].prepare()
        try all[0].commit([3: 7])
        try all[0].commit([4: 1], branch: "side")
        try all[0].commit([5: 1], branch: "side")
        try all[0].repository.deleteRef("side", kind: .branch)
      } act: { all in
        _ = try all[0].repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
      } verify: { all in
        try expectEqual(all[0].values()[3], 7)
        expectEqual(all[0].volume.paths.count { $0.hasPrefix("tails/") }, 1)
      },
    ]
  }

  // MARK: Merges

  private static let diverged: @Sendable ([SimulatedRepository]) throws -> Void = { all in
    try all[0].prepare()
    try all[0].commit([3: 7], branch: "side", message: "beside")
    try all[0].commit([4: 1, 64: 2], message: "ahead")
  }

  static var merges: [CrashScenario] {
    [
      CrashScenario("merge", prepare: diverged) { all in
        let report = try all[0].repository.merge("side")
        expectEqual(report.outcome, .merged)
      } verify: { all in
        try expectEqual(all[0].values().filter { $0.value != 0 }, [3: 7, 4: 1, 64: 2])
        try expectEqual(all[0].tails().entries.count, 2)
      },
      CrashScenario("cherry-pick", prepare: diverged) { all in
        _ = try all[0].repository.cherryPick("side")
      } verify: { all in
        try expectEqual(all[0].values().filter { $0.value != 0 }, [3: 7, 4: 1, 64: 2])
      },
      CrashScenario("revert", prepare: diverged) { all in
        _ = try all[0].repository.revert("main")
      } verify: { all in
        try expectEqual(all[0].values().filter { $0.value != 0 }, [:])
        try expectEqual(all[0].values().count, 64)
      },
      CrashScenario("undo", prepare: diverged) { all in
        _ = try all[0].repository.undo()
      } verify: { all in
        try expectEqual(all[0].values().filter { $0.value != 0 }, [:])
      },
    ]
  }

  // MARK: Remotes

  private static func door(_ far: SimulatedRepository) -> RemoteDoor {
    let remote = far.repository.asRemote
    return RemoteDoor(http: { _ in remote })
  }

  /// The far one has a commit with a tail that the near one lacks.
  private static let behind: @Sendable ([SimulatedRepository]) throws -> Void = { all in
    try all[1].prepare()
    try all[1].commit([3: 7])
    _ = try all[0].repository.addRemote("origin", "http://far")
    _ = try all[0].repository.pull(branch: "main", through: door(all[1]))
    try all[1].commit([4: 1, 64: 2])
    try all[1].repository.archive.createTag("v1", at: all[1].repository.resolve("main"))
  }

  private static let ahead: @Sendable ([SimulatedRepository]) throws -> Void = { all in
    try behind(all)
    _ = try all[0].repository.pull(branch: "main", through: door(all[1]))
    try all[0].commit([5: 3])
  }

  private static func transfer(
    _ name: String, failing: Int, prepare: @escaping @Sendable ([SimulatedRepository]) throws -> Void,
    expected: [Int: Double], act: @escaping @Sendable ([SimulatedRepository]) throws -> Void
  ) -> CrashScenario {
    CrashScenario("\(name), failing \(failing == 0 ? "here" : "there")", count: 2, failing: failing, prepare: prepare, act: act) { all in
      for one in all { try expectEqual(one.values().filter { $0.value != 0 }, expected) }
      try expectEqual(all[0].state()["origin/main"]?.roots, all[1].state()["main"]?.roots)
      expectEqual(try all[0].tails().isEmpty, false)
    }
  }

  static var remotes: [CrashScenario] {
    [0, 1].flatMap { failing in
      [
        transfer("pull", failing: failing, prepare: behind, expected: [3: 7, 4: 1, 64: 2]) { all in
          _ = try all[0].repository.pull(branch: "main", through: door(all[1]))
        },
        transfer("push", failing: failing, prepare: ahead, expected: [3: 7, 4: 1, 64: 2, 5: 3]) { all in
          _ = try all[0].repository.push(ref: "main", through: door(all[1]))
        },
      ]
    } + [
      transfer(
        "the steps of a clone", failing: 0,
        prepare: {
          try $0[1].prepare(); try $0[1].commit([3: 7])
        }, expected: [3: 7]
      ) { all in
        try all[0].repository.archive.setCloneSource("http://far")
        try all[0].repository.archive.setRemote("origin", to: "http://far")
        _ = try all[0].repository.fetch(through: door(all[1]))
        if let target = try all[0].repository.archive.ref(named: "origin/main"), try all[0].repository.tip(of: "main") == nil {
          try all[0].repository.createBranch("main", from: target)
        }
        try all[0].repository.archive.setHead("main")
      }
    ]
  }
}

/// `#expect` for closures in literals, where the compiler does not let the macro throw.
private func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, at place: SourceLocation = #_sourceLocation) {
  #expect(found == expected, sourceLocation: place)
}
