import Crypto
import Foundation
import JSON
import Testing

@testable import Almanac

/// The records of generations and the note of which is served are what was written, or nobody believes them.
@Suite struct GenerationRecordTests {
  /// A served generation of ten transactions.
  private func workshop() throws -> Workshop {
    let workshop = try Workshop.fraud()
    let lines = try String(contentsOfFile: Fixtures.path("transactions.csv"), encoding: .utf8).split(separator: "\n").prefix(9)
    try workshop.commit("transactions", workshop.write("few.csv", lines.joined(separator: "\n") + "\n"))
    #expect(try workshop.repository.materialize().number == 1)
    return workshop
  }

  private func path(_ workshop: Workshop, _ name: String) -> String { "\(workshop.repository.folder)/.almanac/online/\(name)" }

  private func json(_ workshop: Workshop, _ name: String) throws -> JSON {
    try JSON(parsing: Array(FileBytes.of(path(workshop, name))))
  }

  private func write(_ workshop: Workshop, _ name: String, _ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(workshop, name)))
  }

  private func failure(_ body: () throws -> Void) -> AlmanacError? {
    do {
      try body()
      return nil
    } catch {
      return error as? AlmanacError
    }
  }

  private func get(_ workshop: Workshop) throws {
    _ = try workshop.repository.get("fraud_v1", keys: [("user_id", "187"), ("merchant_id", "1107")], at: nil)
  }

  private func problems(_ workshop: Workshop) throws -> [String] {
    try Repository.check(at: workshop.repository.folder).problems.filter { $0.severity == .damage }.map(\.object)
  }

  @Test func bothFilesHaveAChecksumOfThemselves() throws {
    let workshop = try workshop()
    for name in ["current", "generations/1.json"] {
      var members = try #require(try json(workshop, name).objectValue)
      let stored = try #require(members.removeValue(forKey: "sha256")?.stringValue)
      #expect(SHA256.hash(data: JSON.object(members).canonicalBytes).hex == stored)
    }
    #expect(try json(workshop, "current")["generation"] == 1)
    try get(workshop)
    #expect(try problems(workshop) == [])
  }

  /// Every value that a record has, set to another that could stand there.
  @Test func aChangedRecordIsReportedByEverybody() throws {
    let workshop = try workshop()
    _ = try workshop.repository.materialize()
    let good = try json(workshop, "generations/2.json")
    let images = try #require(good["images"]?.objectValue)
    let names = images.keys.sorted()
    var swapped = images
    (swapped[names[0]], swapped[names[1]]) = (images[names[1]], images[names[0]])
    var fewer = images
    fewer[names[0]] = nil
    let first = try #require(try workshop.repository.log().last).id
    let changes: [(String, JSON)] = [
      ("commit", .string(first.description)), ("images", .object(swapped)), ("images", .object(fewer)), ("images", [:]),
      ("previous", .null), ("number", 1), ("format", 2), ("format", .null), ("sha256", .string("00")), ("other", 1),
      ("images", .object(images.mapValues { _ in "../../../format" })),
    ]
    for (name, value) in changes {
      var members = try #require(good.objectValue)
      members[name] = value
      try write(workshop, "generations/2.json", JSON.object(members).canonicalBytes)
      for error in [
        failure { try get(workshop) }, failure { _ = try OnlineService(repository: workshop.repository) },
        failure { _ = try workshop.repository.rollbackGeneration() },
        failure { _ = try workshop.repository.collectGarbage(isDryRun: true) },
      ] {
        #expect(error?.kind == .io, "\(name) \(value)")
        #expect(error?.description.contains("generations/2.json: expected SHA-256 ") == true, "\(error?.description ?? "none")")
      }
      #expect(try problems(workshop) == ["generation 2"], "\(name) \(value)")
    }
    try write(workshop, "generations/2.json", good.canonicalBytes)
    try get(workshop)
    #expect(try workshop.repository.rollbackGeneration().number == 1)
  }

  @Test func aChangedNoteOfWhatIsServedIsReported() throws {
    let workshop = try workshop()
    _ = try workshop.repository.materialize()
    let text = try String(contentsOfFile: path(workshop, "current"), encoding: .utf8)
    for changed in [text.replacingOccurrences(of: "\"generation\":2", with: "\"generation\":1"), "", "{}", "-1", "01", "2 ", "null"] {
      try write(workshop, "current", Array(changed.utf8))
      #expect(failure { try get(workshop) }?.kind == .io, "\(changed)")
      #expect(failure { _ = try workshop.repository.rollbackGeneration() }?.kind == .io, "\(changed)")
      #expect(try problems(workshop) == ["the served generation"], "\(changed)")
    }
  }

  @Test func materializeTakesAwayWhatIsDamagedAndServesAgain() throws {
    let workshop = try workshop()
    try write(workshop, "generations/1.json", Array("{}".utf8))
    #expect(failure { try get(workshop) }?.hint == "Run `almanac materialize` to build it again.")
    let report = try workshop.repository.materialize()
    #expect(
      report.notes == [
        "set the damaged record of generation 1 aside",
        "removed the damaged note of which generation is served; `almanac materialize` makes one to be served",
      ])
    #expect(report.builtCount == 0)
    // A server knows another generation by its number.
    #expect(report.number == 2)
    try get(workshop)
    #expect(try problems(workshop) == [])
    _ = try workshop.repository.collectGarbage(isDryRun: true)
  }

  @Test func repairTakesAwayDamagedRecordsAndBuildsImagesAgain() throws {
    let workshop = try workshop()
    _ = try workshop.repository.materialize()
    try write(workshop, "generations/1.json", [0, 1, 2])
    let image = try #require(try json(workshop, "generations/2.json")["images"]?.objectValue?["user_spend"]?.stringValue)
    let whole = try FileBytes.of(path(workshop, "images/\(image)"))
    try write(workshop, "images/\(image)", Array(whole.dropLast(9)))
    #expect(try problems(workshop) == ["generation 1", "image \(image)"])
    let report = try Repository.check(at: workshop.repository.folder, isRepair: true)
    #expect(report.repairs == ["set the damaged record of generation 1 aside", "built image \(image) of user_spend again"])
    #expect(report.problems == [])
    #expect(try FileBytes.of(path(workshop, "images/\(image)")) == whole)
    try get(workshop)
    try FileManager.default.removeItem(atPath: path(workshop, "generations/2.json"))
    #expect(try problems(workshop) == ["the served generation"])
    #expect(try !Repository.check(at: workshop.repository.folder, isRepair: true).isDamaged)
    #expect(failure { try get(workshop) }?.kind == .notFound)
    // Numbers that were never given do not stop the next.
    for name in ["9223372036854775807", "-3", "+4", "00", "x"] { try write(workshop, "generations/\(name).json", []) }
    #expect(try workshop.repository.materialize().number == 2)
    try get(workshop)
  }

  /// Files of a version that wrote no checksums.
  @Test func recordsWithoutAChecksumAreComparedWithTheirCommit() throws {
    let workshop = try workshop()
    func strip() throws -> [String: JSON] {
      var members = try #require(try json(workshop, "generations/1.json").objectValue)
      members["sha256"] = nil
      return members
    }
    let old = try strip()
    try write(workshop, "current", Array("1".utf8))
    try write(workshop, "generations/1.json", JSON.object(old).canonicalBytes)
    try get(workshop)
    let report = try Repository.check(at: workshop.repository.folder)
    #expect(report.problems.map(\.severity) == [.note])
    #expect(
      report.problems.map(\.detail) == [
        "an earlier version wrote it without a checksum; it is what its commit gives, and `almanac materialize` writes one with"
      ])
    var changed = old
    let first = try #require(try workshop.repository.log().last).id
    changed["commit"] = .string(first.description)
    try write(workshop, "generations/1.json", JSON.object(changed).canonicalBytes)
    let error = failure { try get(workshop) }
    #expect(error?.kind == .io)
    #expect(
      error?.description
        == "Cannot read the record of generation 1: it has no checksum, and it is not what commit \(first.short) gives")
    #expect(try problems(workshop) == ["generation 1"])
    #expect(try workshop.repository.materialize().number == 2)
    try get(workshop)
  }

  /// Images that are intact, but not those of the views that they are named for.
  @Test func anImageOfAnotherViewIsNotServed() throws {
    let workshop = try workshop()
    let images = try #require(try json(workshop, "generations/1.json")["images"]?.objectValue)
    let names = try ["user_profile", "user_spend"].map { try #require(images[$0]?.stringValue) }
    let other = try FileBytes.of(path(workshop, "images/\(names[0])"))
    try write(workshop, "images/\(names[1])", Array(other))
    let error = failure { try get(workshop) }
    #expect(error?.kind == .io)
    #expect(
      error?.description
        == "Cannot read \(path(workshop, "images/\(names[1])")): it is the image of user_profile, not of user_spend")
  }

  /// Two generations of the same views over other rows.
  private func two() throws -> (workshop: Workshop, images: [[String: String]]) {
    let workshop = try workshop()
    let lines = try String(contentsOfFile: Fixtures.path("transactions.csv"), encoding: .utf8).split(separator: "\n")
    try workshop.commit("transactions", workshop.write("more.csv", ([lines[0]] + lines[9..<20]).joined(separator: "\n") + "\n"), .append)
    #expect(try workshop.repository.materialize().number == 2)
    let images = try [1, 2].map { number in
      (try json(workshop, "generations/\(number).json")["images"]?.objectValue ?? [:]).compactMapValues(\.stringValue)
    }
    return (workshop, images)
  }

  @Test func anImageOfOtherRowsIsNotServed() throws {
    let (workshop, images) = try two()
    let changed = images[1].filter { images[0][$0.key] != $0.value }
    #expect(!changed.isEmpty)
    for (view, name) in changed {
      let other = try #require(images[0][view])
      try write(workshop, "images/\(name)", Array(FileBytes.of(path(workshop, "images/\(other)"))))
    }
    let error = failure { try get(workshop) }
    #expect(error?.kind == .io)
    #expect(error?.description.contains("it is another image of ") == true, "\(error?.description ?? "none")")
    #expect(try Set(problems(workshop)) == Set(changed.values.map { "image \($0)" }))
    #expect(try workshop.repository.materialize().builtCount == changed.count)
    try get(workshop)
    #expect(try problems(workshop) == [])
  }

  @Test func nothingIsRolledBackToWhatCannotBeServed() throws {
    let (workshop, images) = try two()
    let name = try #require(images[0].first { images[1][$0.key] != $0.value }?.value)
    let good = try Array(FileBytes.of(path(workshop, "images/\(name)")))
    var bad = good
    bad[bad.count / 2] ^= 1
    try write(workshop, "images/\(name)", bad)
    #expect(failure { _ = try workshop.repository.rollbackGeneration() }?.kind == .io)
    #expect(try json(workshop, "current")["generation"] == 2)
    try get(workshop)
    try write(workshop, "images/\(name)", good)
    #expect(try workshop.repository.rollbackGeneration().number == 1)
  }

  /// What a later version of the program has written is not written over.
  @Test func materializeRefusesOtherFormats() throws {
    for name in ["current", "generations/1.json"] {
      let workshop = try workshop()
      var members = try #require(json(workshop, name).objectValue)
      members["format"] = 2
      members["sha256"] = nil
      let bytes = SealedJSON.bytes(.object(members))
      try write(workshop, name, bytes)
      let error = failure { _ = try workshop.repository.materialize() }
      #expect(error?.kind == .io)
      #expect(error?.description == "Cannot read \(path(workshop, name)): expected format 1, found 2")
      #expect(try Array(FileBytes.of(path(workshop, name))) == bytes)
      #expect(try !problems(workshop).isEmpty)
      _ = try Repository.check(at: workshop.repository.folder, isRepair: true)
      #expect(try Array(FileBytes.of(path(workshop, name))) == bytes)
    }
  }

  @Test func aMissingNoteOfWhatIsServedIsNamed() throws {
    let workshop = try workshop()
    try FileManager.default.removeItem(atPath: path(workshop, "current"))
    let found = try Repository.check(at: workshop.repository.folder).problems.filter { $0.object == "the served generation" }
    #expect(found.map(\.detail) == ["nothing says which generation is served, so none is; `almanac materialize` makes one to be served"])
    #expect(failure { try get(workshop) }?.kind == .notFound)
    #expect(try workshop.repository.materialize().number == 2)
    try get(workshop)
  }

  /// With and without a checksum: nobody but the commit says which images there should be.
  @Test(arguments: [true, false], [true, false]) func recordsThatLackAViewAreSetAside(isSealed: Bool, byRepair: Bool) throws {
    let workshop = try workshop()
    var members = try #require(try json(workshop, "generations/1.json").objectValue)
    members["sha256"] = nil
    var images = try #require(members["images"]?.objectValue)
    images[try #require(images.keys.min())] = nil
    members["images"] = .object(images)
    try write(workshop, "generations/1.json", isSealed ? SealedJSON.bytes(.object(members)) : JSON.object(members).canonicalBytes)
    #expect(try problems(workshop) == ["generation 1"])
    if byRepair {
      let repaired = try Repository.check(at: workshop.repository.folder, isRepair: true)
      #expect(repaired.repairs.contains("set the damaged record of generation 1 aside"))
      #expect(try problems(workshop) == [])
    }
    #expect(try workshop.repository.materialize().number == 2)
    #expect(try problems(workshop) == [])
    try get(workshop)
  }
}
