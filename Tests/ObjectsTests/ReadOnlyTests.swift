import Glibc
import Objects
import Testing

@Suite struct ReadOnlyTests {
  @Test func snapshotIsACopy() throws {
    let catalog = try Catalog.inMemory()
    try catalog.setSetting("a", to: "1")
    let copy = try catalog.snapshot()
    try catalog.setSetting("a", to: "2")
    #expect(try copy.setting("a") == "1")
  }

  @Test func transactionsFailWhenTheyAreToldTo() throws {
    let faults = StorageFaults()
    let catalog = try Catalog.inMemory(faults: faults)
    faults.arm(.failure(ENOSPC), at: 0)
    #expect(throws: StoreError(kind: .io(ENOSPC), text: "Cannot change a setting of the catalog: simulated failure 28")) {
      try catalog.setSetting("a", to: "1")
    }
    #expect(try catalog.setting("a") == nil)
    faults.arm(.failure(EIO), at: 1)
    #expect(throws: StoreError.self) { try catalog.setSetting("a", to: "1") }
    // The answer was lost, not the change.
    #expect(try catalog.setting("a") == "1")
    #expect(faults.steps == ["before: change a setting of the catalog", "after: change a setting of the catalog"])
  }
}

@Suite struct CrashVolumeTests {
  private func left(_ volume: MemoryVolume, _ path: String) -> Set<[UInt8]> {
    var random = SystemRandomNumberGenerator()
    return Set(volume.afterCrash(limit: 1000, using: &random).map { (try? $0.read(path)) ?? [255] })
  }

  @Test func stagedNamesAreKeptOrLostIndependently() throws {
    let volume = MemoryVolume(faults: StorageFaults())
    try volume.writeDurably("a/0", [0])
    try volume.stage("a/1", [1])
    try volume.stage("a/2", [2])
    try volume.remove("a/0")
    var random = SystemRandomNumberGenerator()
    let states = Set(volume.afterCrash(limit: 100, using: &random).map(\.paths))
    #expect(states.count == 8)
    #expect(states.contains(["a/0", "a/2"]))
    try volume.syncFolders(["a"])
    #expect(volume.afterCrash(limit: 100, using: &random).map(\.paths) == [["a/1", "a/2"]])
  }

  @Test func interruptedAppendIsCutAnywhereOrEndsInZeros() throws {
    let faults = StorageFaults()
    let volume = MemoryVolume(faults: faults)
    try volume.writeDurably("log", [9])
    faults.arm(.crash, at: 0)
    #expect(throws: StoreError.self) { try volume.append("log", [1, 2, 3]) }
    #expect(left(volume, "log") == [[9], [9, 1], [9, 1, 2], [9, 1, 2, 3], [9, 0, 0, 0], [9, 1, 0, 0]])
    // The machine has stopped.
    #expect(throws: StoreError.self) { try volume.stage("x", [1]) }
  }

  @Test func failedAppendIsShort() throws {
    let faults = StorageFaults()
    let volume = MemoryVolume(faults: faults)
    try volume.writeDurably("log", [9])
    faults.arm(.failure(ENOSPC), at: 0)
    #expect(throws: StoreError.self) { try volume.append("log", [1, 2, 3, 4]) }
    #expect(try volume.read("log") == [9, 1, 2])
    try volume.append("log", [5])
    #expect(try volume.read("log") == [9, 1, 2, 5])
  }

  @Test func moreWaysThanTheLimitAreSampled() throws {
    let volume = MemoryVolume()
    for number in 0..<10 { try volume.stage("a/\(number)", [1]) }
    var random = SystemRandomNumberGenerator()
    let states = volume.afterCrash(limit: 20, using: &random)
    #expect(states.count == 20)
    #expect(states[0].paths == [])
    #expect(states[1].paths.count == 10)
  }
}

@Suite struct LockTests {
  @Test func sharedLocksGoTogetherAndExclusiveOnesAlone() async throws {
    let folder = TemporaryFolder()
    let local = LocalVolume(root: folder.path)
    try local.makeDirectory("")
    for volume in [local, MemoryVolume()] as [any Volume] {
      let first = try volume.lock("lock", .shared)
      let second = try volume.lock("lock", .shared)
      let turn = Task.detached { _ = try volume.lock("lock", .exclusive) }
      try await Task.sleep(for: .milliseconds(20))
      // Who waits keeps nobody out.
      let third = try volume.lock("lock", .shared)
      withExtendedLifetime((first, second, third)) {}
      _ = consume first
      _ = consume second
      _ = consume third
      try await turn.value
    }
  }

  @Test func claimStandsUntilItIsGivenUp() throws {
    let folder = TemporaryFolder()
    let local = LocalVolume(root: folder.path)
    try local.makeDirectory("")
    for volume in [local, MemoryVolume()] as [any Volume] {
      var claim: VolumeLock? = try volume.claim("leases/a", [1, 2])
      #expect(try volume.isClaimed("leases/a"))
      #expect(try volume.read("leases/a") == [1, 2])
      withExtendedLifetime(claim) {}
      claim = nil
      #expect(try !volume.isClaimed("leases/a"))
      #expect(try volume.list("leases") == [])
    }
    #expect(try local.list("tmp") == [])
  }

  /// The kernel gives up what a dead process held; its files stay and mean nothing.
  @Test func locksAndClaimsOfADeadProcessAreFree() throws {
    let folder = TemporaryFolder()
    let volume = LocalVolume(root: folder.path)
    try volume.makeDirectory("leases")
    try volume.writeDurably("lock", [])
    try volume.writeDurably("leases/dead", [7])
    var child = pid_t()
    let script =
      "exec 8<'\(folder.path)/lock' 9<'\(folder.path)/leases/dead'; flock 8; flock 9; echo > '\(folder.path)/ready'; exec sleep 60"
    var arguments: [UnsafeMutablePointer<CChar>?] = (["sh", "-c", script] as [String]).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    #expect(posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ) == 0)
    while try !volume.exists("ready") { usleep(1000) }
    #expect(try volume.isClaimed("leases/dead"))
    kill(child, SIGKILL)
    var status: Int32 = 0
    waitpid(child, &status, 0)
    #expect(try !volume.isClaimed("leases/dead"))
    _ = try volume.lock("lock", .exclusive)
  }
}
