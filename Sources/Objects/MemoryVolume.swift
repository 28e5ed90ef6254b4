import Dispatch
import Synchronization

/// A volume in memory, which can tell what would be left of it after a crash.
package final class MemoryVolume: Volume {
  private struct State {
    /// What a reader sees.
    var files: [String: [UInt8]] = [:]
    /// What is left when the machine stops now.
    var durable: [String: [UInt8]] = [:]
    var locks: [String: DispatchSemaphore] = [:]
  }

  private let state: Mutex<State>

  package init() { state = Mutex(State()) }

  private init(files: [String: [UInt8]]) { state = Mutex(State(files: files, durable: files)) }

  /// The volume as a machine finds it that stopped now and was started again: names that were staged and not made durable
  /// are gone.
  package func afterCrash() -> MemoryVolume { MemoryVolume(files: state.withLock { $0.durable }) }

  /// Replaces bytes as a failing disk does: unseen by everybody.
  package func damage(_ path: String, _ change: @Sendable (inout [UInt8]) -> Void) {
    state.withLock { state in
      if state.files[path] != nil {
        change(&state.files[path]!)
        state.durable[path] = state.files[path]
      }
    }
  }

  package var paths: [String] { state.withLock { $0.files.keys.sorted() } }

  package func absolutePath(_ path: String) -> String { "memory:/\(path)" }

  package func read(_ path: String, from offset: Int, byteCount: Int) throws(StoreError) -> [UInt8] {
    let file = try existing(path)
    guard offset >= 0, byteCount >= 0, offset <= file.count, byteCount <= file.count - offset else {
      throw StoreError(
        kind: .corrupt,
        text: "Cannot read \(absolutePath(path)): expected bytes \(offset)..<\(offset + byteCount), the file ends at byte \(file.count)")
    }
    return Array(file[offset..<offset + byteCount])
  }

  package func map(_ path: String) throws(StoreError) -> MappedFile {
    try existing(path).withUnsafeBytes { MappedFile(copying: $0) }
  }

  package func stage(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let copy = Array(bytes)
    state.withLock { $0.files[path] = copy }
  }

  package func syncFolders(_ folders: [String]) throws(StoreError) {
    let folders = Set(folders)
    state.withLock { state in
      for (path, bytes) in state.files where folders.contains(VolumePath.folder(of: path)) { state.durable[path] = bytes }
      for path in Array(state.durable.keys) where folders.contains(VolumePath.folder(of: path)) && state.files[path] == nil {
        state.durable[path] = nil
      }
    }
  }

  package func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let copy = Array(bytes)
    try change(path) { $0 += copy }
  }

  package func truncate(_ path: String, toByteCount byteCount: Int) throws(StoreError) {
    try change(path) { $0.removeLast(max(0, $0.count - byteCount)) }
  }

  package func list(_ folder: String) throws(StoreError) -> [String] {
    let prefix = folder.isEmpty ? "" : folder + "/"
    return state.withLock { state in
      Set(
        state.files.keys.filter { $0.hasPrefix(prefix) }.map { path in
          String(path.dropFirst(prefix.count).prefix { $0 != "/" })
        }
      ).sorted()
    }
  }

  package func remove(_ path: String) throws(StoreError) {
    state.withLock { $0.files[path] = nil }
  }

  /// Folders are there when a file is.
  package func makeDirectory(_ path: String) throws(StoreError) {}

  package func byteCount(_ path: String) throws(StoreError) -> Int? { state.withLock { $0.files[path]?.count } }

  package func renewAge(_ path: String) throws(StoreError) { _ = try existing(path) }

  package func lock(_ path: String) throws(StoreError) -> VolumeLock {
    let semaphore = state.withLock { state in
      if let found = state.locks[path] { return found }
      let made = DispatchSemaphore(value: 1)
      state.locks[path] = made
      return made
    }
    semaphore.wait()
    return VolumeLock { semaphore.signal() }
  }

  private func existing(_ path: String) throws(StoreError) -> [UInt8] {
    guard let file = state.withLock({ $0.files[path] }) else {
      throw StoreError(kind: .notFound, text: "Cannot open \(absolutePath(path)): there is no such file")
    }
    return file
  }

  private func change(_ path: String, _ body: @Sendable (inout [UInt8]) -> Void) throws(StoreError) {
    let isThere = state.withLock { state -> Bool in
      guard var file = state.files[path] else { return false }
      body(&file)
      state.files[path] = file
      if state.durable[path] != nil { state.durable[path] = file }
      return true
    }
    guard isThere else {
      throw StoreError(kind: .notFound, text: "Cannot open \(absolutePath(path)): there is no such file")
    }
  }
}
