import Almanac
import Columns
import Synchronization
import Tables
import Testing

/// A seal beside writers.
@Suite struct SealRaceTests {
  @Test func aSealThatLosesARaceKeepsTheWinnersTail() throws {
    let workshop = try Workshop.readings()
    let repository = Repository(
      folder: workshop.repository.folder, archive: workshop.repository.archive, tailPolicy: SimulatedRepository.policy)
    func commit(_ name: String, _ rows: [(sensor: Int, hour: Int, value: String)]) throws {
      let input = CommitInput(dataset: "readings", path: try workshop.readings(name, rows))
      _ = try repository.commit([input], mode: .upsert, message: name)
    }
    try commit("base", (0..<40).map { ($0, 0, "1") })
    try commit("early", [(3, 0, "2")])
    let late = try workshop.readings("late", [(4, 0, "3"), (90, 0, "4")])
    let started = Mutex(0)
    let report = try repository.seal { _, _, _ in
      let isFirst = started.withLock { count in
        count += 1
        return count == 1
      }
      guard isFirst else { return }
      do {
        _ = try repository.commit([CommitInput(dataset: "readings", path: late)], mode: .upsert, message: "late")
      } catch {
        Issue.record("the writer failed: \(error)")
      }
    }
    #expect(report.datasets.map(\.name) == ["readings"])
    #expect(report.datasets.map(\.rowCount) == [41])
    let log = try repository.log("main")
    #expect(log.map(\.commit.message).prefix(4) == ["seal: readings", "late", "early", "base"])
    let root = try #require(log[0].commit.datasets["readings"]?.root)
    let version = try TableVersion(archive: repository.archive, root: root)
    // The one that came while the leaves were written; what was there before is in them.
    #expect(version.tails.entries.map(\.rowCount) == [2])
    #expect(version.rowCount == 41)
    let values = try version.read(columns: ["value"]).columns[0].scalars
    let expected = (0..<40).map { Scalar.double($0 == 3 ? 2 : $0 == 4 ? 3 : 1) } + [.double(4)]
    #expect(values == expected)
    #expect(try repository.seal().datasets.map(\.tailCount) == [1])
    #expect(try repository.seal().commit == nil)
  }
}
