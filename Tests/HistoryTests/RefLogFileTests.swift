import Objects
import Testing

@testable import History

@Suite struct RefLogFileTests {
  @Test func fileRepeatsTheCatalog() throws {
    let test = try TestArchive()
    let ids = try test.archive.publishChain(["a", "b"])
    try test.archive.createTag("v1", at: ids[0])
    #expect(try test.archive.refLog.moves() == test.catalog.refLog(ref: nil))
    #expect(try test.archive.refLog.moves().count == 3)
  }

  @Test func tornEndIsCutOffAndMadeGood() throws {
    let test = try TestArchive()
    let ids = try test.archive.publishChain(["a", "b"])
    let whole = try test.volume.read("reflog.log")
    let record = RefLogFile.record(try test.catalog.refLog(ref: nil)[1])
    for kept in [1, 3, 4, 20, record.count - 1] {
      test.volume.damage("reflog.log") { $0 = Array(whole.dropLast(record.count) + record.prefix(kept)) }
      let archive = try test.reopened()
      #expect(try archive.refLog.moves().count == 1)
      try archive.refLog.catchUp(with: test.catalog)
      #expect(try test.volume.read("reflog.log") == whole)
    }
    // A file system may leave zeros where the record was to be.
    test.volume.damage("reflog.log") { $0 = whole + [UInt8](repeating: 0, count: 100) }
    let archive = try test.reopened()
    try archive.createTag("v1", at: ids[0])
    #expect(try archive.refLog.moves() == test.catalog.refLog(ref: nil))
  }

  @Test func moveThatACrashKeptOutOfTheFileIsAddedByTheNext() throws {
    let test = try TestArchive()
    let ids = try test.archive.publishChain(["a"])
    let before = try test.volume.read("reflog.log")
    try test.archive.createTag("v1", at: ids[0])
    test.volume.damage("reflog.log") { $0 = before }
    let archive = try test.reopened()
    try archive.createTag("v2", at: ids[0])
    #expect(try archive.refLog.moves().map(\.ref) == ["main", "v1", "v2"])
  }

  @Test func damageInTheMiddleIsNotTakenForATornEnd() throws {
    let test = try TestArchive()
    let ids = try test.archive.publishChain(["a", "b"])
    test.volume.damage("reflog.log") { $0[30] ^= 1 }
    let archive = try test.reopened()
    let error = try #require(storeError { try archive.createTag("v1", at: ids[0]) })
    #expect(error.kind == .corrupt)
    #expect(
      error.text
        == "Cannot read the ref log memory:/reflog.log: the record at byte 8 is damaged; `almanac fsck --repair` writes it again from the catalog"
    )
    #expect(try archive.refs().map(\.name) == ["main"])
  }

  @Test func catalogOlderThanTheFileIsRefused() throws {
    let test = try TestArchive()
    _ = try test.archive.publishChain(["a"])
    let other = try TestArchive()
    let stale = try Archive.open(on: test.volume, catalog: other.catalog)
    var (draft, id) = stale.draftCommit([], message: "x")
    let error = try #require(
      storeError {
        _ = try stale.publish(&draft, commit: id, to: "main", expecting: nil, reason: "r")
      })
    #expect(error.kind == .corrupt)
    #expect(
      error.text
        == "Cannot move a ref: memory:/reflog.log ends with move 1, the catalog with move 0; the catalog is an older copy, which `almanac fsck --repair` brings forward"
    )
  }
}
