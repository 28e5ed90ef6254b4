import Foundation
import Objects
import Testing

@testable import History

/// Folders of scratch files: in use, left by a process that died, and gone with their last reference.
@Suite struct ScratchTests {
  private func withArchive(_ body: (_ archive: Archive, _ folder: String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("almanac-scratch-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(Archive.create(at: folder), folder)
  }

  private func names(_ folder: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: "\(folder)/tmp").sorted() }

  @Test func gcTakesFoldersOfTheDeadAndLeavesThoseInUse() throws {
    try withArchive { archive, folder in
      let scratch = try archive.makeScratchFolder()
      let file = try scratch.makeFile("run-0")
      try [UInt8](repeating: 7, count: 100).withUnsafeBytes { try file.write($0) }
      let dead = "\(folder)/tmp/scratch-1-dead"
      try FileManager.default.createDirectory(atPath: dead, withIntermediateDirectories: false)
      for name in ["run-0", "run-1"] { try Data(count: 50).write(to: URL(fileURLWithPath: "\(dead)/\(name)")) }
      #expect(try archive.collectGarbage(GarbageRules(), isDryRun: false).items == [], "it is young")
      let report = try archive.collectGarbage(.everything, isDryRun: false)
      #expect(report.items.map(\.path) == ["tmp/scratch-1-dead/run-0", "tmp/scratch-1-dead/run-1", "tmp/scratch-1-dead"])
      #expect(report.byteCount == 100)
      #expect(try names(folder) == [URL(fileURLWithPath: scratch.path).lastPathComponent])
      #expect(try file.map().byteCount == 100)
    }
  }

  @Test func theFolderGoesWithItsLastReference() throws {
    try withArchive { archive, folder in
      var file: ScratchFile? = try archive.makeScratchFolder().makeFile("run-0")
      #expect(try names(folder).count == 1)
      _ = file
      file = nil
      #expect(try names(folder) == [])
    }
  }
}
