import Objects
import Testing

@testable import History

@Suite struct OpeningTests {
  @Test func whatIsNoRepositoryIsRefused() throws {
    let folder = TemporaryFolder()
    let error = try #require(storeError { _ = try Archive.open(at: folder.path) })
    #expect(error.kind == .notARepository)
    #expect(error.text == "Cannot open \(folder.path): it is not a repository (it has no file format)")
  }

  @Test func secondRepositoryInAFolderIsRefused() throws {
    let folder = TemporaryFolder()
    _ = try Archive.create(at: folder.path)
    let error = try #require(storeError { _ = try Archive.create(at: folder.path + "/") })
    #expect(error.kind == .exists)
    #expect(error.text == "Cannot make a repository in \(folder.path): there is one already")
  }

  @Test func otherFormatIsRefusedWithBothNumbers() throws {
    let folder = TemporaryFolder()
    _ = try Archive.create(at: folder.path)
    let volume = LocalVolume(root: folder.path)
    try volume.writeDurably("format", Array(#"{"format":2,"program":"almanac"}"#.utf8))
    let error = try #require(storeError { _ = try Archive.open(at: folder.path) })
    #expect(error.kind == .notARepository)
    #expect(error.text == "Cannot open \(folder.path): expected repository format 1, found 2; use a program that knows it")
    try volume.writeDurably("format", [0])
    #expect(storeError { _ = try Archive.open(at: folder.path) }?.kind == .corrupt)
  }

  @Test func lostOrDamagedCatalogIsCorruption() throws {
    let folder = TemporaryFolder()
    do { _ = try Archive.create(at: folder.path) }
    let volume = LocalVolume(root: folder.path)
    for name in ["catalog.sqlite-wal", "catalog.sqlite-shm"] { try volume.remove(name) }
    try volume.writeDurably("catalog.sqlite", [UInt8](repeating: 7, count: 5000))
    #expect(storeError { _ = try Archive.open(at: folder.path) }?.kind == .corrupt)
    try volume.remove("catalog.sqlite")
    #expect(
      storeError { _ = try Archive.open(at: folder.path) }?.text
        == "Cannot open the catalog \(folder.path)/catalog.sqlite: the file is missing")
  }

  @Test func interruptedMakingIsCompleted() throws {
    let folder = TemporaryFolder()
    _ = try Archive.create(at: folder.path)
    try LocalVolume(root: folder.path).remove("format")
    let archive = try Archive.create(at: folder.path)
    #expect(try archive.headBranch() == "main")
    #expect(try archive.publishChain(["a"]).count == 1)
  }
}
