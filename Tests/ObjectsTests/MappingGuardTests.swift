import Glibc
import Testing

@testable import Objects

/// Files that are shortened while they are mapped.
@Suite struct MappingGuardTests {
  private static let pageByteCount = Int(sysconf(Int32(_SC_PAGESIZE)))

  private func shorten(_ path: String, to byteCount: Int) { #expect(truncate(path, off_t(byteCount)) == 0) }

  private func lastByte(_ file: MappedFile) -> UInt8 { file.withBytes { $0[$0.count - 1] } }

  @Test func bytesThatAreGoneReadAsZerosAndAreNamed() throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    let byteCount = 5 * Self.pageByteCount + 7
    try volume.writeDurably("a", [UInt8](repeating: 1, count: byteCount))
    try volume.writeDurably("b", [UInt8](repeating: 2, count: byteCount))
    let (a, b) = (try volume.map("a"), try volume.map("b"))
    let unread = try volume.map("a")
    #expect(lastByte(a) == 1)
    #expect(!a.isLost)
    shorten(folder.path + "/a", to: 2 * Self.pageByteCount)
    #expect(lastByte(a) == 0)
    #expect(a.isLost && !a.isWhole)
    #expect(a.withBytes { $0.prefix(2 * Self.pageByteCount).allSatisfy { $0 == 1 } }, "what is there is read")
    #expect(a.withBytes { $0.dropFirst(2 * Self.pageByteCount).allSatisfy { $0 == 0 } })
    // Nobody has read the lost bytes of this one, and another file has lost none.
    #expect(!unread.isLost)
    #expect(lastByte(b) == 2)
    #expect(!b.isLost)
    a.releasePages()
    #expect(lastByte(a) == 0)
    #expect(a.isLost)
  }

  /// Bytes in the file's last page read as zeros without a fault; only its size tells.
  @Test func aFileThatStaysOpenTellsItsSize() throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    try volume.writeDurably("a", [UInt8](repeating: 1, count: 100))
    let file = try volume.map("a", staysOpen: true)
    #expect(file.isWhole)
    shorten(folder.path + "/a", to: 99)
    #expect(lastByte(file) == 0)
    #expect(!file.isLost)
    #expect(!file.isWhole)
  }

  /// More mappings than one block of slots holds, given up and made again in any order, read by several threads.
  @Test func everyMappingHasItsOwnMark() async throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    try volume.writeDurably("whole", [UInt8](repeating: 1, count: 2 * Self.pageByteCount))
    try volume.writeDurably("short", [UInt8](repeating: 1, count: 2 * Self.pageByteCount))
    var files: [(file: MappedFile, isShort: Bool)] = []
    for round in 0..<3 {
      for number in 0..<400 { files.append((try volume.map(number % 3 == 0 ? "short" : "whole"), number % 3 == 0)) }
      if round < 2 { files.removeAll { _ in Bool.random() } }
    }
    shorten(folder.path + "/short", to: 1)
    await withTaskGroup(of: Void.self) { group in
      for (file, isShort) in files { group.addTask { #expect(lastByte(file) == (isShort ? 0 : 1)) } }
    }
    for (file, isShort) in files { #expect(file.isLost == isShort) }
  }

  /// A process that has mapped a file of ours and then reads beyond one of its own.
  private static func readBeyondOwnFile() {
    let folder = TemporaryFolder()
    _ = try? LocalVolume(root: folder.path).writeDurably("a", [1, 2, 3])
    let ours = try? LocalVolume(root: folder.path).map("a")
    let descriptor = open(folder.path + "/own", O_RDWR | O_CREAT, 0o600)
    ftruncate(descriptor, off_t(2 * pageByteCount))
    let own = mmap(nil, 2 * pageByteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)!
    ftruncate(descriptor, 0)
    _ = own.load(fromByteOffset: pageByteCount, as: UInt8.self)
    withExtendedLifetime(ours) {}
  }

  @Test func otherFaultsEndTheProcessAsBefore() async {
    await #expect(processExitsWith: .signal(SIGBUS)) {
      signal(SIGBUS, SIG_DFL)
      Self.readBeyondOwnFile()
    }
  }

  @Test func otherFaultsGoToTheHandlerThatWasThere() async {
    await #expect(processExitsWith: .exitCode(7)) {
      signal(SIGBUS) { _ in _exit(7) }
      Self.readBeyondOwnFile()
    }
    await #expect(processExitsWith: .exitCode(8)) {
      var action = sigaction()
      action.sa_flags = SA_SIGINFO
      action.__sigaction_handler.sa_sigaction = { _, info, _ in _exit(info?.pointee._sifields._sigfault.si_addr == nil ? 9 : 8) }
      sigaction(SIGBUS, &action, nil)
      Self.readBeyondOwnFile()
    }
  }
}
