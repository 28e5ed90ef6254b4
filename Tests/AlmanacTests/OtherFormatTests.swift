import Foundation
import Objects
import Testing

@testable import Almanac
@testable import History

/// A repository that another version of the program has written: everybody says the same, and nobody writes a byte.
@Suite struct OtherFormatTests {
  /// Every file below a folder, with its content.
  private func content(_ folder: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      found[path] = FileManager.default.contents(atPath: "\(folder)/\(path)") ?? Data()
    }
    return found
  }

  private func failure(_ body: () throws -> Void) -> AlmanacError? {
    do {
      try body()
      return nil
    } catch {
      return error as? AlmanacError
    }
  }

  /// Every way from a folder to a repository; whatever else there is begins with one of these.
  private func entries(_ folder: String, _ workshop: Workshop, _ near: Repository) -> [(name: String, call: () throws -> Void)] {
    let door = RemoteDoor()
    return [
      ("open", { _ = try Repository.open(at: folder) }),
      ("find", { _ = try Repository.find(from: folder) }),
      ("init", { _ = try Repository.create(at: folder) }),
      ("fsck", { _ = try Repository.check(at: folder) }),
      ("fsck --repair", { _ = try Repository.check(at: folder, isRepair: true) }),
      ("fsck --repair --from", { _ = try Repository.check(at: near.folder, isRepair: true, from: folder) }),
      ("clone from", { _ = try Repository.clone(folder, to: workshop.path("clone"), through: door) }),
      ("clone to", { _ = try Repository.clone(near.folder, to: folder, through: door) }),
      ("fetch from", { _ = try near.fetch(through: door) }),
      ("pull from", { _ = try near.pull(through: door) }),
      ("push to", { _ = try near.push(through: door) }),
      ("serve", { _ = try OnlineService(repository: Repository.open(at: folder)) }),
    ]
  }

  private func workshop() throws -> (workshop: Workshop, near: Repository) {
    let workshop = try Workshop.readings()
    try workshop.commit("readings", workshop.readings("a.csv", [(1, 0, "1.5")]))
    let near = try Repository.clone(workshop.repository.folder, to: workshop.path("near"), through: RemoteDoor()).repository
    let rows = try workshop.readings("b.csv", [(2, 0, "1.5")])
    _ = try near.commit([CommitInput(dataset: "readings", path: rows)], mode: .append, message: "near")
    return (workshop, near)
  }

  @Test(arguments: [
    ("{\"format\":2,\"program\":\"almanac\"}", "2"), ("{\"format\":0,\"program\":\"almanac\"}", "0"),
    ("{\"format\":2.5}", "2.5"), ("{\"format\":\"2\"}", "\"2\""), ("{\"format\":18446744073709551615}", "18446744073709551615"),
    ("{ \"format\" : 3 , \"layout\" : [1] }\n", "3"),
  ]) func everyEntryRefusesAnotherFormatAlike(_ text: String, _ found: String) throws {
    let (workshop, near) = try workshop()
    let folder = workshop.repository.folder
    try text.write(toFile: "\(folder)/.almanac/format", atomically: true, encoding: .utf8)
    let before = try content(folder)
    for entry in entries(folder, workshop, near) {
      let error = try #require(failure(entry.call), "\(entry.name)")
      #expect(error.kind == .notFound, "\(entry.name)")
      #expect(
        error.description
          == "Cannot open \(folder)/.almanac: expected repository format 1, found \(found); use a program that knows it", "\(entry.name)")
      #expect(try content(folder) == before, "\(entry.name)")
    }
    #expect(!FileManager.default.fileExists(atPath: workshop.path("clone")))
  }

  /// The catalog has a number of its own.
  @Test func everyEntryRefusesAnotherCatalogAlike() throws {
    let (workshop, near) = try workshop()
    let folder = workshop.path("newer")
    do {
      let repository = try Repository.clone(workshop.repository.folder, to: folder, through: RemoteDoor()).repository
      try repository.archive.catalog.close()
    }
    try CatalogFile.setVersion(2, at: "\(folder)/.almanac/catalog.sqlite")
    try near.removeRemote("origin")
    _ = try near.addRemote("origin", folder)
    let store = "\(folder)/.almanac"
    let before = try content(folder).filter { !$0.key.hasSuffix("-shm") && !$0.key.hasSuffix("-wal") }
    for entry in entries(folder, workshop, near) where entry.name != "init" {
      let error = try #require(failure(entry.call), "\(entry.name)")
      #expect(error.kind == .notFound, "\(entry.name)")
      #expect(
        error.description
          == "Cannot open the catalog \(store)/catalog.sqlite: expected catalog version 1, found 2; use a program that knows it",
        "\(entry.name)")
      #expect(try content(folder).filter { !$0.key.hasSuffix("-shm") && !$0.key.hasSuffix("-wal") } == before, "\(entry.name)")
    }
  }

  @Test func aDamagedFormatIsWrittenAgainByARepairAlone() throws {
    let (workshop, _) = try workshop()
    let folder = workshop.repository.folder
    for text in ["", "{", "{\"program\":\"almanac\"}", "{\"format\":1}"] {
      try text.write(toFile: "\(folder)/.almanac/format", atomically: true, encoding: .utf8)
      #expect(try Repository.check(at: folder).problems.map(\.object) == ["the file format"], "\(text)")
      #expect(try Repository.check(at: folder, isRepair: true).repairs == ["wrote the file format again"], "\(text)")
      #expect(try Repository.check(at: folder).problems == [])
    }
  }
}
