import Glibc
import Synchronization

/// A volume that calls a watcher before each of its steps, so that tests can let something else happen between two steps of a
/// piece of work: a gc, a copy of all files.
///
/// The watcher is not called while its own thread holds one of the quiet locks, for which it would wait for ever, or is called
/// already. It may use the volume beneath.
package final class WatchedVolume: Volume {
  private struct Thread {
    var quietCount = 0
    var isWatching = false
  }

  private let base: any Volume
  private let quietLocks: Set<String>
  private let watch: @Sendable (_ step: String) -> Void
  private let threads = Mutex<[UInt: Thread]>([:])

  /// - Parameter quietLocks: the paths of locks that the watcher takes.
  package init(_ base: any Volume, quietLocks: Set<String>, watch: @escaping @Sendable (_ step: String) -> Void) {
    self.base = base
    self.quietLocks = quietLocks
    self.watch = watch
  }

  private func changeThread<Result: Sendable>(_ body: (inout Thread) -> Result) -> Result {
    let id = UInt(pthread_self())
    return threads.withLock { threads in
      var thread = threads[id] ?? Thread()
      defer { threads[id] = thread.quietCount == 0 && !thread.isWatching ? nil : thread }
      return body(&thread)
    }
  }

  private func step(_ name: String) {
    let isHeard = changeThread { thread in
      guard thread.quietCount == 0, !thread.isWatching else { return false }
      thread.isWatching = true
      return true
    }
    guard isHeard else { return }
    watch(name)
    changeThread { $0.isWatching = false }
  }

  package func absolutePath(_ path: String) -> String { base.absolutePath(path) }
  package var isReadOnly: Bool { base.isReadOnly }

  package func read(_ path: String, from offset: Int, byteCount: Int) throws(StoreError) -> [UInt8] {
    step("read \(path)")
    return try base.read(path, from: offset, byteCount: byteCount)
  }

  package func map(_ path: String) throws(StoreError) -> MappedFile {
    step("map \(path)")
    return try base.map(path)
  }

  package func stage(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    step("write \(path)")
    try base.stage(path, bytes)
  }

  package func syncFolders(_ folders: [String]) throws(StoreError) {
    step("make durable")
    try base.syncFolders(folders)
  }

  package func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    step("append to \(path)")
    try base.append(path, bytes)
  }

  package func truncate(_ path: String, toByteCount byteCount: Int) throws(StoreError) {
    step("shorten \(path)")
    try base.truncate(path, toByteCount: byteCount)
  }

  package func move(_ path: String, to newPath: String) throws(StoreError) {
    step("rename \(path)")
    try base.move(path, to: newPath)
  }

  package func list(_ folder: String) throws(StoreError) -> [String] {
    step("list \(folder)")
    return try base.list(folder)
  }

  package func remove(_ path: String) throws(StoreError) {
    step("remove \(path)")
    try base.remove(path)
  }

  package func makeDirectory(_ path: String) throws(StoreError) { try base.makeDirectory(path) }

  package func byteCount(_ path: String) throws(StoreError) -> Int? {
    step("look at \(path)")
    return try base.byteCount(path)
  }

  package func renewAge(_ path: String) throws(StoreError) {
    step("renew the age of \(path)")
    try base.renewAge(path)
  }

  package func modifiedMicros(_ path: String) throws(StoreError) -> Int64? { try base.modifiedMicros(path) }

  package func lock(_ path: String, _ mode: LockMode) throws(StoreError) -> VolumeLock {
    step("lock \(path)")
    let held = try base.lock(path, mode)
    guard quietLocks.contains(path) else { return held }
    changeThread { $0.quietCount += 1 }
    // Given up by the thread that has taken it: nothing in the repository hands a lock on.
    return VolumeLock { [self] in
      changeThread { $0.quietCount -= 1 }
      withExtendedLifetime(held) {}
    }
  }

  package func claim(_ path: String, _ bytes: [UInt8]) throws(StoreError) -> VolumeLock {
    step("claim \(path)")
    return try base.claim(path, bytes)
  }

  package func isClaimed(_ path: String) throws(StoreError) -> Bool { try base.isClaimed(path) }
}
