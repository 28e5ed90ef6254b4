import Foundation
import Objects
import Testing

@testable import Almanac
@testable import History

/// A catalog whose rows say what no program has written: nothing traps, `fsck` names it, a repair makes it anew.
///
/// ALMANAC_SEEDS=2000 makes every change to every column of every kind of row; else a few are picked by ALMANAC_SEED.
@Suite struct CatalogDamageTests {
  private static let seedCount = ProcessInfo.processInfo.environment["ALMANAC_SEEDS"].flatMap { Int($0) } ?? 12

  /// A repository in a folder, closed, with what each kind of row is for: two branches, a tag, tails, a remote, deleted refs.
  private final class Template {
    let workshop: Workshop
    let folder: String
    let tip: CommitID
    let rowCount = 66

    init() throws {
      let workshop = try Workshop()
      let folder = workshop.path("template")
      let archive = try Repository.create(at: folder).archive
      let repository = Repository(folder: folder, archive: archive, tailPolicy: SimulatedRepository.policy)
      try Workshop.readingsContract().write(toFile: "\(folder)/schemas/readings.yaml", atomically: true, encoding: .utf8)
      _ = try repository.apply(plan: false)
      func commit(_ name: String, _ sensors: Range<Int>) throws {
        let file = try workshop.readings(name, sensors.map { ($0, $0 % 2 * 700, "1") })
        _ = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .upsert, message: name)
      }
      try commit("first.csv", 0..<64)
      try commit("second.csv", 63..<66)
      try repository.createBranch("side", at: "main~1")
      try repository.createBranch("gone", at: "main")
      try repository.deleteRef("gone", kind: .branch)
      try repository.createTag("v1", at: "main")
      _ = try repository.addRemote("origin", "/nowhere")
      (self.workshop, self.folder, tip) = (workshop, folder, try repository.resolve("main"))
      try archive.catalog.close()
    }

    /// Another one like it. - Returns: its folder.
    func copy(_ number: Int) throws -> String {
      let target = workshop.path("copy-\(number)")
      try FileManager.default.copyItem(atPath: folder, toPath: target)
      return target
    }
  }

  /// One change to one column of one row.
  private struct Change: CustomStringConvertible {
    let table: String
    let column: String
    let row: String
    let value: String
    var sql: String { "UPDATE \(table) SET \(column) = \(value) WHERE \(row)" }
    var description: String { sql }
  }

  private static let values = [
    "NULL", "-1", "4611686018427387904", "9223372036854775807", "-9223372036854775807 - 1", "1.5", "1e300", "'text'", "''", "'../../x'",
    "x''", "x'00'", "zeroblob(31)", "zeroblob(32)", "zeroblob(33)",
  ]

  private static var changes: [Change] {
    var found: [Change] = []
    func add(_ table: String, _ columns: [String], _ row: String) {
      for column in columns { for value in values { found.append(Change(table: table, column: column, row: row, value: value)) } }
    }
    for kind in ObjectKind.allCases {
      add(
        "object", ["kind", "id", "pack", "offset", "byteCount", "sha256", "digests"],
        "kind = \(kind.rawValue) AND id = (SELECT min(id) FROM object WHERE kind = \(kind.rawValue))")
    }
    add("pack", ["number", "name"], "number = 1")
    for ref in ["main", "side", "v1"] { add("ref", ["name", "kind", "target"], "name = '\(ref)'") }
    for sequence in ["1", "2", "(SELECT max(sequence) FROM reflog)"] {
      add("reflog", ["sequence", "ref", "refKind", "old", "new", "timeMicros", "reason"], "sequence = \(sequence)")
    }
    for name in ["head", "remote.origin"] { add("setting", ["name", "value"], "name = '\(name)'") }
    return found
  }

  /// What users ask of a repository; each may fail, in words.
  private func use(_ folder: String) {
    func attempt(_ body: (Repository) throws -> Void) {
      do {
        try body(Repository.open(at: folder))
      } catch let error as AlmanacError {
        #expect([.io, .notFound, .failed, .usage].contains(error.kind))
        #expect(!error.description.isEmpty)
      } catch {
        // What another repository asks is answered in the store's own words.
        #expect((error as? StoreError)?.kind == .corrupt, "\(error)")
      }
    }
    // `status`, `log`, `branch`, `tag`, `reflog`, `remote`, `checkout`, `main@{…}`, an id, `gc`.
    attempt { _ = try ($0.headBranch(), $0.tip(of: $0.headBranch()).map($0.commit), $0.apply(plan: true)) }
    attempt { _ = try $0.log() }
    attempt { _ = try ($0.refs(.branch), $0.refs(.tag)) }
    attempt { _ = try $0.reflog(nil) }
    attempt { _ = try $0.remotes() }
    attempt { _ = try $0.checkout("main", "readings", to: "\(folder)/out.csv") }
    attempt { _ = try $0.resolve("main@{2030-01-01T00:00:00Z}") }
    attempt { _ = try $0.resolve("0000") }
    attempt { _ = try $0.collectGarbage(retention: "0", grace: "0", isDryRun: true) }
    attempt { _ = try $0.asRemote.state() }
    attempt { _ = try $0.asRemote.moves(of: "main", afterMicros: .min) }
  }

  private func check(_ change: Change, _ template: Template, _ number: Int) throws {
    let folder = try template.copy(number)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let catalog = "\(folder)/.almanac/catalog.sqlite"
    if change.value == "NULL" { try CatalogFile.allowNulls(at: catalog) }
    guard try CatalogFile.execute(change.sql, at: catalog) else { return }
    use(folder)
    let found = try Repository.check(at: folder)
    let repaired = try Repository.check(at: folder, isRepair: true)
    let label = "\(change): \(found.problems.map(\.detail)), \(repaired.repairs)"
    #expect(repaired.problems.filter { $0.severity == .damage } == [], "\(label)")
    // Whatever could be told from the packs, the files and the ref log is there again.
    let repository = try Repository.open(at: folder)
    #expect(try repository.resolve("main") == template.tip, "\(label)")
    #expect(try repository.resolve("v1") == template.tip, "\(label)")
    #expect(try repository.resolve("side") == repository.resolve("main~1"), "\(label)")
    #expect(try repository.table("readings", at: template.tip).read().rowCount == template.rowCount, "\(label)")
    #expect(try Repository.check(at: folder).problems.filter { $0.severity == .damage } == [], "\(label)")
    let file = try template.workshop.readings("more-\(number).csv", [(99, 0, "3")])
    _ = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .upsert, message: "goes on", branch: "main")
    #expect(try Repository.check(at: folder).problems.filter { $0.severity == .damage } == [], "\(label)")
  }

  @Test func noRowOfTheCatalogTrapsAndARepairMakesItAnew() throws {
    let template = try Template()
    var changes = Self.changes
    if Self.seedCount < changes.count {
      let seed = ProcessInfo.processInfo.environment["ALMANAC_SEED"].flatMap { UInt64($0) } ?? 6_760_529_157_376_180_493
      print("seed \(seed), \(Self.seedCount) of \(changes.count) changes")
      var random = SplitMix(seed)
      changes = Array(changes.shuffled(using: &random).prefix(Self.seedCount))
    }
    for (number, change) in changes.enumerated() { try check(change, template, number) }
  }

  /// Those of the report, word for word.
  @Test(arguments: [
    ("object", "byteCount", "kind = 1", "-1", "expected an integer from 0 to 281474976710656 as byteCount, found -1"),
    (
      "object", "byteCount", "kind = 4", "4611686018427387904",
      "expected an integer from 0 to 281474976710656 as byteCount, found 4611686018427387904"
    ),
    ("object", "offset", "kind = 2", "'text'", "expected an integer from 0 to 281474976710656 as offset, found the text \"text\""),
    ("object", "id", "kind = 3", "x'00'", "expected 32 bytes as id, found 1 byte"),
    ("ref", "target", "name = 'main'", "zeroblob(31)", "expected 32 bytes as target, found 31 bytes"),
    (
      "reflog", "sequence", "sequence = 5", "9223372036854775807",
      "expected an integer from 1 to 281474976710656 as sequence, found 9223372036854775807"
    ),
    ("reflog", "reason", "sequence = 1", "NULL", "expected text as reason, found null"),
    ("pack", "name", "number = 1", "'../../x'", "expected letters and digits as name, found the text \"../../x\""),
  ]) func damagedRowsAreNamed(_ table: String, _ column: String, _ row: String, _ value: String, _ detail: String) throws {
    let template = try Template()
    let folder = try template.copy(0)
    let path = "\(folder)/.almanac/catalog.sqlite"
    if value == "NULL" { try CatalogFile.allowNulls(at: path) }
    let first = "\(row)" + (table == "object" ? " AND id = (SELECT min(id) FROM object WHERE \(row))" : "")
    #expect(try CatalogFile.execute("UPDATE \(table) SET \(column) = \(value) WHERE \(first)", at: path))
    let report = try Repository.check(at: folder)
    #expect(report.isDamaged)
    let text =
      "Cannot read the table \(table) of the catalog \(path): \(detail); `almanac fsck --repair` makes the catalog anew"
    #expect(report.problems.contains { $0.object == "the catalog" && $0.detail == text }, "\(report.problems.map(\.detail))")
  }

  @Test(arguments: ["object", "pack", "ref", "reflog", "setting"]) func missingTablesAndColumnsAreNamedAndMadeAnew(_ table: String) throws {
    let template = try Template()
    for (number, sql) in [
      "DROP TABLE \(table)", "ALTER TABLE \(table) RENAME TO other",
      "CREATE TABLE other AS SELECT * FROM \(table); DROP TABLE \(table); "
        + "ALTER TABLE other RENAME TO \(table)",
    ].enumerated() {
      let folder = try template.copy(number)
      #expect(try CatalogFile.execute(sql, at: "\(folder)/.almanac/catalog.sqlite"))
      use(folder)
      #expect(try Repository.check(at: folder).isDamaged, "\(sql)")
      let repaired = try Repository.check(at: folder, isRepair: true)
      #expect(repaired.problems.filter { $0.severity == .damage } == [], "\(sql): \(repaired.repairs)")
      let repository = try Repository.open(at: folder)
      #expect(try repository.resolve("main") == template.tip, "\(sql)")
      #expect(try repository.table("readings", at: template.tip).read().rowCount == template.rowCount)
      if table != "setting" { #expect(try repository.remotes().map(\.address) == ["/nowhere"], "\(sql)") }
      #expect(try repository.headBranch() == "main")
    }
  }

  /// A leaf or tail whose file is here is not missing because the catalog has another row for it, or none; and a time that nothing can come
  /// after is no move's.
  @Test(arguments: [
    "UPDATE object SET id = zeroblob(32) WHERE kind = 1 AND id = (SELECT min(id) FROM object WHERE kind = 1)",
    "DELETE FROM object WHERE kind IN (SELECT kind FROM object WHERE pack IS NULL)",
    "UPDATE reflog SET timeMicros = 4611686018427387904 WHERE sequence = (SELECT max(sequence) FROM reflog)",
  ]) func whatTheFilesAndTheLogSayIsTakenOver(sql: String) throws {
    let template = try Template()
    let folder = try template.copy(0)
    #expect(try CatalogFile.execute(sql, at: "\(folder)/.almanac/catalog.sqlite"))
    #expect(try Repository.check(at: folder).isDamaged)
    #expect(try !Repository.check(at: folder, isRepair: true).isDamaged)
    let repository = try Repository.open(at: folder)
    #expect(try repository.refs(.branch).map(\.name) == ["main", "side"])
    #expect(try repository.resolve("main") == template.tip)
    #expect(try repository.resolve("side") == repository.resolve("main~1"))
    #expect(try repository.table("readings", at: template.tip).read().rowCount == template.rowCount)
    let file = try template.workshop.readings("more.csv", [(99, 0, "3")])
    _ = try repository.commit([CommitInput(dataset: "readings", path: file)], mode: .upsert, message: "goes on")
    #expect(try Repository.check(at: folder).problems == [])
  }

  /// - Parameter detail: nil: the row is not there.
  @Test(arguments: [
    ("UPDATE setting SET value = 'nowhere' WHERE name = 'head'", "it names the branch nowhere, which is not there; there is main, side"),
    ("UPDATE setting SET value = 'v1' WHERE name = 'head'", "it names the branch v1, which is not there; there is main, side"),
    ("UPDATE setting SET value = '' WHERE name = 'head'", "\"\" cannot be the name of the current branch"),
    ("DELETE FROM setting WHERE name = 'head'", "it is missing: no branch is the current one"),
    ("UPDATE setting SET name = 'remote.' WHERE name = 'remote.origin'", "no remote repository can have this name"),
    ("UPDATE setting SET value = '' WHERE name = 'remote.origin'", "it has no address"),
    ("INSERT INTO setting (name, value) VALUES ('cloning', '')", "it has no address"),
  ]) func aSettingThatLeadsNowhereIsNamedAndPutRight(_ sql: String, _ detail: String) throws {
    let template = try Template()
    let folder = try template.copy(0)
    #expect(try CatalogFile.execute(sql, at: "\(folder)/.almanac/catalog.sqlite"))
    let found = try Repository.check(at: folder)
    #expect(found.problems.filter { $0.severity == .damage }.map(\.detail) == [detail])
    #expect(try !Repository.check(at: folder, isRepair: true).isDamaged)
    #expect(try !Repository.check(at: folder).isDamaged)
    #expect(try Repository.open(at: folder).headBranch() == "main")
    #expect(try Repository.open(at: folder).resolve("HEAD") == template.tip)
  }

  @Test func aStatusSaysThatTheCurrentBranchIsNotThere() throws {
    let template = try Template()
    let folder = try template.copy(0)
    #expect(
      try CatalogFile.execute("UPDATE setting SET value = 'nowhere' WHERE name = 'head'", at: "\(folder)/.almanac/catalog.sqlite"))
    let repository = try Repository.open(at: folder)
    #expect(try repository.lacksBranch("nowhere"))
    #expect(
      try repository.explainNoCommits(on: "nowhere")
        == ", which is not there (there is main, side): `almanac branch main --switch` makes another the current one")
    // A new repository has a current branch too, which is not there yet.
    let new = try Repository.create(at: template.workshop.path("new"))
    #expect(try new.explainNoCommits(on: new.headBranch()) == ", no commits yet")
    #expect(try Repository.check(at: new.folder).problems == [])
  }

  @Test func aStatusOnADamagedCatalogSaysWhatToDo() throws {
    let template = try Template()
    let folder = try template.copy(0)
    let path = "\(folder)/.almanac/catalog.sqlite"
    #expect(try CatalogFile.execute("UPDATE ref SET kind = 9", at: path))
    let error = #expect(throws: AlmanacError.self) { try Repository.open(at: folder).tip(of: "main") }
    #expect(error?.kind == .io)
    #expect(
      error?.description
        == "Cannot read the catalog in \(folder)/.almanac: main is a ref of the unknown kind 9; `almanac fsck --repair` makes the catalog anew"
    )
  }
}
