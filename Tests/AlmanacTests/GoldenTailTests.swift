import Columns
import Foundation
import History
import JSON
import Objects
import Tables
import Testing

@testable import Almanac

/// Repositories of every format version whose datasets have tails, which take a large dataset or another policy than the
/// command's; so a test writes them: once, when `ALMANAC_GOLDEN_TAILS` names the folder to be made.
@Suite struct GoldenTailTests {
  static var folders: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("golden"))) ?? []
    return names.sorted().filter { $0.hasSuffix("-tails") }
  }
  static let target = ProcessInfo.processInfo.environment["ALMANAC_GOLDEN_TAILS"]

  @Test(.enabled(if: target != nil, "ALMANAC_GOLDEN_TAILS names no folder to write")) func writeGoldenRepository() throws {
    let folder = try #require(Self.target)
    let workshop = try Workshop()
    let repository = Repository(
      folder: workshop.repository.folder, archive: workshop.repository.archive, tailPolicy: SimulatedRepository.policy)
    try workshop.declare(
      "schemas/readings.yaml",
      Workshop.readingsContract().replacingOccurrences(of: "partition: month", with: "partition: month, leafRows: 16"))
    _ = try repository.apply(plan: false)
    func commit(_ sensors: some Sequence<Int>, _ value: String, _ mode: ChangeMode = .upsert, branch: String? = nil) throws {
      let file = try workshop.readings("rows.csv", sensors.map { (sensor: $0, hour: $0 % 2 * 700, value: value) })
      _ = try repository.commit(
        [CommitInput(dataset: "readings", path: file)], mode: mode, message: "\(mode) \(value)", author: "golden", branch: branch)
    }
    func tag(_ name: String) throws { try repository.archive.createTag(name, at: repository.resolve("main")) }
    try commit(0..<64, "0", .append)
    try commit([2, 3, 64], "1")
    try tag("one-tail")
    try commit([4, 5], "0", .delete)
    try commit([6], "2", branch: "side")
    try tag("two-tails")
    try commit([7, 66], "3")
    try tag("merged-tails")
    try commit((10..<24).map { 2 * $0 }, "4")
    try commit((2..<7).map { 2 * $0 }, "5")
    try tag("folded-partition")
    try commit([2, 3], "6")
    try tag("tail-behind-a-fold")
    _ = try repository.merge("side", author: "golden")
    try tag("merge")
    _ = try repository.seal(author: "golden")
    var expected: [String: JSON] = [:]
    for ref in try repository.archive.refs() {
      let id = try repository.resolve(ref.name)
      let table = try repository.table("readings", at: id)
      expected[ref.name] = [
        "commit": .string(id.description), "root": .string(table.rootID.description), "tails": .int(Int64(table.tails.entries.count)),
        "folded": .int(Int64(table.tails.folded.count)),
        "rows": .array(try workshop.rows("readings", at: ref.name).map { row in .string(row.map(\.text).joined(separator: ",")) }),
      ]
    }
    try #require(!FileManager.default.fileExists(atPath: folder), "an older repository cannot be made again")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(JSON.object(expected).canonicalBytes).write(to: URL(fileURLWithPath: "\(folder)/expected.json"))
    let store = "\(workshop.repository.folder)/.almanac"
    // Through a copy, as SQLite's write-ahead log is this process's.
    try FileManager.default.copyItem(atPath: store, toPath: "\(folder)/store")
    let catalog = try Catalog.open(at: "\(folder)/store/catalog.sqlite")
    try catalog.close()
    for name in ["tmp", "leases", "applied.json", "catalog.sqlite-wal", "catalog.sqlite-shm"]
      + ["writer", "reflog", "objects", "gc"].map({ "\($0).lock" })
    {
      try? FileManager.default.removeItem(atPath: "\(folder)/store/\(name)")
    }
  }

  @Test(.enabled(if: !folders.isEmpty, "no golden repository with tails has been made yet"), arguments: folders)
  func tailsAreReadAsTheyWere(name: String) throws {
    let workshop = try Workshop()
    let copy = workshop.path("golden")
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: Fixtures.path("golden/\(name)/store"), toPath: "\(copy)/.almanac")
    let repository = try Repository.open(at: copy)
    let expected = try JSON(parsing: Array(FileBytes.of(Fixtures.path("golden/\(name)/expected.json")))).objectValue ?? [:]
    #expect(
      expected.mapValues { $0["tails"]?.intValue } == [
        "folded-partition": 1, "main": 0, "merge": 2, "merged-tails": 1, "one-tail": 1, "side": 1, "tail-behind-a-fold": 2, "two-tails": 2,
      ])
    var sealedRoots: Set<RootID> = []
    for (ref, wanted) in expected {
      let id = try repository.resolve(ref)
      let table = try repository.table("readings", at: id)
      #expect(id.description == wanted["commit"]?.stringValue)
      #expect(table.rootID.description == wanted["root"]?.stringValue)
      #expect(Int64(table.tails.entries.count) == wanted["tails"]?.intValue)
      #expect(Int64(table.tails.folded.count) == wanted["folded"]?.intValue)
      let rows = try table.read().rows.map { row in row.map(\.text).joined(separator: ",") }
      #expect(rows == wanted["rows"]?.arrayValue?.compactMap(\.stringValue), "\(ref)")
      // Law 1: sealed today, the same root as the rows written at once today, and as main was then.
      guard ref == "merge" || ref == "main" else { continue }
      let writer = TableWriter(archive: repository.archive, layout: table.layout)
      var draft = repository.archive.draft()
      sealedRoots.insert(try writer.seal(table).addRoot(to: &draft))
      guard case .content(let anew) = try writer.apply(.append, table.read(), onto: nil) else { continue }
      sealedRoots.insert(anew.addRoot(to: &draft))
    }
    #expect(sealedRoots.map(\.description) == [expected["main"]?["root"]?.stringValue])
    #expect(try Repository.check(at: copy).problems.filter { $0.severity == .damage } == [])
  }
}
