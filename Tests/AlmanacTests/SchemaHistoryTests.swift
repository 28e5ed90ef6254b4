import Foundation
import Testing

/// Random histories of contracts and rows over branches, merges, reverts, cherry-picks and undos, against a model that knows columns
/// by identity: `HistoryVersion` and `HistoryMerge`.
///
/// ALMANAC_SEEDS=1000 plays more histories than the usual 25; ALMANAC_SEED=7 plays that one alone. Of failures that are alike,
/// ALMANAC_SHOWN=5 shows more than one. Each is shown as the shortest history that fails in the same way.
@Suite struct SchemaHistoryTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
  private static let only = number("ALMANAC_SEED")
  static let seeds = only.map { [$0] } ?? Array(1...max(1, number("ALMANAC_SEEDS") ?? 25))
  static let shownCount = number("ALMANAC_SHOWN") ?? 1
  /// So many tasks share the seeds.
  static let shareCount = 2

  /// What some of the seeds' histories have come to.
  private struct Share: Sendable {
    var tally: [String: Int] = [:]
    var failureCounts: [String: Int] = [:]
  }

  @Test func historiesAreWhatTheModelSays() async {
    print("schema histories of seeds \(Self.seeds.first ?? 0) to \(Self.seeds.last ?? 0)")
    var all = Share()
    await withTaskGroup(of: Share.self) { group in
      for share in 0..<Self.shareCount { group.addTask { Self.played(share) } }
      for await share in group {
        all.tally.merge(share.tally, uniquingKeysWith: +)
        all.failureCounts.merge(share.failureCounts, uniquingKeysWith: +)
      }
    }
    print("schema histories met: \(all.tally.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))")
    #expect(all.failureCounts == [:], "histories that failed, by kind")
    // The histories are only a test as long as they come to all that is hard; a few of them need not.
    guard Self.seeds.count >= 200 else { return }
    for name in HistoryMerge.cases { #expect(all.tally[name, default: 0] > 0, "\(name)") }
  }

  private static func played(_ number: Int) -> Share {
    var share = Share()
    for seed in stride(from: number, to: seeds.count, by: shareCount).map({ seeds[$0] }) {
      let played = HistoryScript.played(seed: UInt64(seed))
      share.tally.merge(played.tally, uniquingKeysWith: +)
      guard let failed = played.failed else { continue }
      share.failureCounts[failed.failure.kind, default: 0] += 1
      guard share.failureCounts[failed.failure.kind]! <= shownCount else { continue }
      Issue.record("seed \(seed): \(failed.shrunk().text)")
    }
    return share
  }
}
