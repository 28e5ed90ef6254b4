import Glibc
import Objects
import Testing

/// What every volume does.
@Suite struct VolumeTests {
  enum Kind: CaseIterable { case local, memory }

  /// A volume, and what must live as long.
  private func make(_ kind: Kind) throws -> (any Volume, TemporaryFolder?) {
    switch kind {
    case .memory: return (MemoryVolume(), nil)
    case .local:
      let folder = TemporaryFolder()
      let volume = LocalVolume(root: folder.path + "/deep/er/")
      try volume.makeDirectory("")
      return (volume, folder)
    }
  }

  @Test(arguments: Kind.allCases) func writtenFileIsRead(_ kind: Kind) throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    try volume.writeDurably("a/b/c", [1, 2, 3, 4])
    #expect(try volume.read("a/b/c") == [1, 2, 3, 4])
    #expect(try volume.read("a/b/c", from: 1, byteCount: 2) == [2, 3])
    #expect(try volume.read("a/b/c", from: 4, byteCount: 0) == [])
    #expect(try volume.map("a/b/c").withBytes { Array($0) } == [1, 2, 3, 4])
    #expect(try volume.byteCount("a/b/c") == 4)
    #expect(try volume.byteCount("a/b/d") == nil)
    #expect(try volume.byteCount("a/b/c/d") == nil)
    #expect(try volume.list("a/b") == ["c"])
    #expect(try volume.list("none") == [])
    try volume.writeDurably("empty", [])
    #expect(try volume.read("empty") == [])
    #expect(try volume.map("empty").byteCount == 0)
  }

  @Test(arguments: Kind.allCases) func replacedFileStaysMappedAsItWas(_ kind: Kind) throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    try volume.writeDurably("a", [1, 2, 3])
    let map = try volume.map("a")
    try volume.writeDurably("a", [9])
    #expect(map.withBytes { Array($0) } == [1, 2, 3])
    try volume.remove("a")
    try volume.remove("a")
    #expect(map.withBytes { Array($0) } == [1, 2, 3])
    #expect(try !volume.exists("a"))
  }

  @Test(arguments: Kind.allCases) func appendedBytesStandAtTheEnd(_ kind: Kind) throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    try volume.writeDurably("log", [1])
    try volume.append("log", [2, 3])
    try volume.append("log", [4])
    #expect(try volume.read("log") == [1, 2, 3, 4])
    try volume.truncate("log", toByteCount: 2)
    #expect(try volume.read("log") == [1, 2])
    try volume.renewAge("log")
  }

  @Test(arguments: Kind.allCases) func missingFileIsNotFound(_ kind: Kind) throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    func kindOf(_ body: () throws(StoreError) -> Void) -> StoreError.Kind? {
      do throws(StoreError) {
        try body()
        return nil
      } catch {
        #expect(error.text.contains(volume.absolutePath("x")))
        return error.kind
      }
    }
    #expect(kindOf { () throws(StoreError) in _ = try volume.read("x") } == .notFound)
    #expect(kindOf { () throws(StoreError) in _ = try volume.read("x", from: 0, byteCount: 1) } == .notFound)
    #expect(kindOf { () throws(StoreError) in _ = try volume.map("x") } == .notFound)
    #expect(kindOf { () throws(StoreError) in try volume.append("x", [1]) } == .notFound)
    #expect(kindOf { () throws(StoreError) in try volume.truncate("x", toByteCount: 0) } == .notFound)
    #expect(kindOf { () throws(StoreError) in try volume.renewAge("x") } == .notFound)
  }

  @Test(arguments: Kind.allCases) func rangeBehindTheEndIsCorruption(_ kind: Kind) throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    try volume.writeDurably("a", [1, 2, 3])
    let error = #expect(throws: StoreError.self) { try volume.read("a", from: 2, byteCount: 2) }
    #expect(error?.kind == .corrupt)
    #expect(error?.text == "Cannot read \(volume.absolutePath("a")): expected bytes 2..<4, the file ends at byte 3")
  }

  @Test(arguments: Kind.allCases) func lockIsHeldByOneAtATime(_ kind: Kind) async throws {
    let (volume, folder) = try make(kind)
    defer { withExtendedLifetime(folder) {} }
    try volume.writeDurably("counter", [0])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<10 {
            try volume.lock("lock").hold { () throws(StoreError) in
              let value = try volume.read("counter")[0]
              try volume.writeDurably("counter", [value + 1])
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try volume.read("counter") == [40])
  }

  @Test func fileWhereAFolderShouldBeIsNamed() throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    try volume.makeDirectory("")
    try volume.writeDurably("a", [1])
    let error = #expect(throws: StoreError.self) { try volume.makeDirectory("a") }
    #expect(error?.text == "Cannot make the folder \(folder.path)/a: there is a file of that name")
    #expect(error?.kind == .exists)
    #expect(throws: StoreError.self) { try volume.writeDurably("a/b", [1]) }
    #expect(try volume.list("tmp") == [])
  }

  @Test func stagedNameIsLostInACrashUntilItsFolderIsSynced() throws {
    let volume = MemoryVolume()
    try volume.stage("a/b", [1])
    #expect(try volume.read("a/b") == [1])
    #expect(try !volume.afterCrash().exists("a/b"))
    try volume.syncFolders(["a"])
    #expect(try volume.afterCrash().read("a/b") == [1])
    try volume.remove("a/b")
    #expect(try volume.afterCrash().exists("a/b"))
    try volume.syncFolders(["a"])
    #expect(try !volume.afterCrash().exists("a/b"))
  }
}

/// A new folder under the system's temporary folder, removed at the end.
final class TemporaryFolder {
  let path: String

  init() {
    let name = "almanac-test-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    path = "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/\(name)"
  }

  deinit {
    let volume = LocalVolume(root: path)
    func empty(_ folder: String) {
      for name in (try? volume.list(folder)) ?? [] {
        let inner = folder.isEmpty ? name : "\(folder)/\(name)"
        if (try? volume.remove(inner)) == nil { empty(inner) }
      }
      rmdir(volume.absolutePath(folder))
    }
    empty("")
  }
}
