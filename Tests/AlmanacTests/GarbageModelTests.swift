import Foundation
import History
import Objects
import Synchronization
import Testing

@testable import Almanac

/// Everything that moves a ref, in two repositories that exchange commits, while a gc without grace period or retention runs between
/// any two of their steps.
///
/// ALMANAC_SEEDS=1000 plays more histories than the usual few.
@Suite struct GarbageModelTests {
  private static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 3

  /// Decides when a gc runs, and keeps what went wrong in it.
  private final class Collector: Sendable {
    private let state: Mutex<(random: SplitMix, isOn: Bool, count: Int, failure: String?)>

    init(_ seed: UInt64) { state = Mutex((SplitMix(seed), false, 0, nil)) }

    var isOn: Bool {
      get { state.withLock { $0.isOn } }
      set { state.withLock { $0.isOn = newValue } }
    }
    var count: Int { state.withLock { $0.count } }
    var failure: String? { state.withLock { $0.failure } }

    func step(_ archive: Archive) {
      let isNow = state.withLock { state in
        guard state.isOn, Int.random(in: 0..<6, using: &state.random) == 0 else { return false }
        state.count += 1
        return true
      }
      guard isNow else { return }
      var rules = GarbageRules()
      (rules.graceMicros, rules.retentionMicros) = (0, 0)
      do {
        _ = try archive.collectGarbage(rules, isDryRun: false)
      } catch {
        state.withLock { $0.failure = "\(error)" }
      }
    }
  }

  private final class World {
    let near: SimulatedRepository
    let far: SimulatedRepository
    let collector: Collector
    var random: SplitMix
    var refused: [String: Int] = [:]

    init(seed: Int) throws {
      let collector = Collector(UInt64(seed))
      (near, far) = (
        try SimulatedRepository(Workshop()) { collector.step($0) }, try SimulatedRepository(Workshop()) { collector.step($0) }
      )
      self.collector = collector
      random = SplitMix(UInt64(seed) &* 77)
      try far.declare()
      try far.commit(Dictionary(uniqueKeysWithValues: (0..<20).map { ($0, 0) }), .append, message: "first")
      _ = try near.repository.addRemote("origin", "http://far")
      _ = try near.repository.pull(branch: "main", through: door)
    }

    private var door: RemoteDoor {
      let remote = far.repository.asRemote
      return RemoteDoor(http: { _ in remote })
    }

    private func pick<Element>(_ items: [Element]) -> Element { items[Int.random(in: 0..<items.count, using: &random)] }

    /// One command. - Returns: what it was.
    func step() throws -> String {
      let one = pick([near, near, far])
      let repository = one.repository
      let branches = try repository.refs(.branch).map(\.name)
      let branch = pick(branches)
      let number = Int.random(in: 0..<1_000_000, using: &random)
      let action = Int.random(in: 0..<20, using: &random)
      let name = "\(one === near ? "near" : "far") \(action) \(branch)"
      collector.isOn = true
      defer { collector.isOn = false }
      switch action {
      case 0..<5:
        let rows = Dictionary((0..<3).map { _ in (Int.random(in: 0..<30, using: &random), Double(number % 100)) }) { first, _ in first }
        try one.commit(rows, branch: branch)
      case 5: try one.commit([Int.random(in: 0..<30, using: &random): 0], .delete, branch: branch)
      case 6: _ = try repository.seal(branch: branch)
      case 7, 8: try allowing("undo", ["Nothing to", "Cannot undo", "Cannot redo", "it is not stored"]) { _ = try repository.undo() }
      case 9: try allowing("redo", ["Nothing to", "it is not stored"]) { _ = try repository.redo() }
      case 10: try allowing("branch", ["there is a"]) { try repository.createBranch("b\(number % 5)", at: branch) }
      case 11:
        guard try branch != repository.headBranch() else { break }
        try repository.deleteRef(branch, kind: .branch)
      case 12: try allowing("tag", ["there is a"]) { try repository.createTag("t\(number % 50)", at: branch) }
      case 13: _ = try repository.merge(branch, strategy: .theirs)
      case 14: try allowing("revert", ["it is the first commit"]) { _ = try repository.revert(branch, strategy: .ours) }
      case 15: _ = try repository.cherryPick(branch, strategy: .ours)
      case 16: _ = try near.repository.fetch(through: door)
      case 17: try allowing("pull", ["have diverged, with"]) { _ = try near.repository.pull(branch: "main", through: door) }
      default:
        let ref = pick(try near.repository.refs(.branch).map(\.name))
        let isForced = Int.random(in: 0..<4, using: &random) == 0
        try allowing("push", ["is not part of", "as when it was last fetched"]) {
          let report = try near.repository.push(ref: ref, forceWithLease: isForced, through: door)
          collector.isOn = false
          #expect(try far.repository.resolve(ref) == report.new)
        }
      }
      return name
    }

    /// Some commands are refused for reasons that have nothing to do with a gc.
    private func allowing(_ action: String, _ texts: [String], _ body: () throws -> Void) throws {
      do {
        try body()
      } catch let error as AlmanacError {
        guard texts.contains(where: error.description.contains) else { throw error }
        refused[action, default: 0] += 1
      }
    }

    /// What fsck says of both.
    func damage() throws -> [String] { try (near.damage() + far.damage()).map { "\($0.object): \($0.detail)" } }
  }

  @Test func everyRefNamesWhatIsStoredAfterEveryStep() throws {
    print("seeds 1...\(Self.seedCount)")
    var collectionCount = 0
    for seed in 1...Self.seedCount {
      let world = try World(seed: seed)
      var steps: [String] = []
      for _ in 0..<14 {
        do {
          steps.append(try world.step())
        } catch {
          Issue.record("seed \(seed), after \(steps): \(error)")
          return
        }
        let damage = try world.damage()
        #expect(damage == [], "seed \(seed), \(steps)")
        #expect(world.collector.failure == nil, "seed \(seed), \(steps)")
        if !damage.isEmpty { return }
      }
      collectionCount += world.collector.count
    }
    #expect(collectionCount > Self.seedCount * 8)
  }

  private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
  }

  /// The same with files on a disk and threads that know nothing of each other: writers and pushes beside gc after gc.
  @Test func pushesAndCommitsBesideGarbageCollectionsOfOtherThreads() async throws {
    let far = try Workshop.readings()
    try far.commit("readings", far.readings("first.csv", [(0, 0, "1")]))
    let folder = far.repository.folder
    let count = 2
    let done = Counter()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 1...2 {
        group.addTask {
          defer { done.add() }
          let near = try Repository.clone(folder, to: far.path("near-\(writer)"), through: RemoteDoor()).repository
          for number in 0..<count {
            let file = try far.readings("\(writer)-\(number).csv", [(writer * 1000 + number, number, "2")])
            _ = try near.commit([CommitInput(dataset: "readings", path: file)], mode: .append, message: "\(writer) \(number)")
            // The other one may have been faster.
            while true {
              do {
                let report = try near.push(through: RemoteDoor())
                #expect(try Repository.open(at: folder).archive.isReachable(report.new, from: Repository.open(at: folder).resolve("main")))
                break
              } catch let error as AlmanacError where error.kind == .failed {
                _ = try near.pull(through: RemoteDoor())
              }
            }
          }
        }
      }
      group.addTask {
        defer { done.add() }
        let repository = try Repository.open(at: folder)
        for number in 0..<count {
          let file = try far.readings("far-\(number).csv", [(number, 100 + number, "3")])
          _ = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .append, message: "far \(number)")
        }
      }
      group.addTask {
        let repository = try Repository.open(at: folder)
        while done.count < 3 {
          _ = try repository.collectGarbage(retention: "0", grace: "0", isDryRun: false)
          // So that the others get on.
          usleep(5_000)
        }
      }
      try await group.waitForAll()
    }
    #expect(try Repository.check(at: folder).problems.filter { $0.severity == .damage } == [])
    #expect(try far.rows("readings").count == 1 + 3 * count)
  }
}
