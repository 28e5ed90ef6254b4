import Synchronization

/// A volume in memory that keeps apart what a reader sees and what a crash would leave: names lose and keep their changes
/// independently of each other until their folder is synced, an append ends anywhere, and writes fail on demand.
package final class MemoryVolume: Volume {
  struct State {
    /// What a reader sees.
    var files: [String: [UInt8]] = [:]
    /// What is left whatever a crash does.
    var durable: [String: [UInt8]] = [:]
    /// By path, what a crash may leave instead, in the order it came: nil is no file.
    var pending: [String: [[UInt8]?]] = [:]
    var modified: [String: Int64] = [:]
    var claims: Set<String> = []
    var locks: [String: MemoryLock] = [:]
  }

  let state: Mutex<State>
  let faults: StorageFaults?
  let now: @Sendable () -> Int64

  /// - Parameters:
  ///   - faults: nil: nothing fails.
  ///   - now: the clock that gives files their age.
  package init(faults: StorageFaults? = nil, now: @escaping @Sendable () -> Int64 = { Clock.nowMicros() }) {
    state = Mutex(State())
    self.faults = faults
    self.now = now
  }

  init(
    files: [String: [UInt8]], modified: [String: Int64], faults: StorageFaults? = nil, now: @escaping @Sendable () -> Int64
  ) {
    state = Mutex(State(files: files, durable: files, modified: modified))
    self.faults = faults
    self.now = now
  }

  /// What a reader sees now, all of it durable, on a machine of its own.
  package func copy(faults: StorageFaults?) -> MemoryVolume {
    let (files, modified) = state.withLock { ($0.files, $0.modified) }
    return MemoryVolume(files: files, modified: modified, faults: faults, now: now)
  }

  /// Another volume with the given files, as a machine finds them that was started again.
  func restarted(with files: [String: [UInt8]]) -> MemoryVolume {
    MemoryVolume(files: files, modified: state.withLock { $0.modified }, now: now)
  }

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

  // MARK: Reading

  package func read(_ path: String, from offset: Int, byteCount: Int) throws(StoreError) -> [UInt8] {
    let file = try existing(path)
    guard offset >= 0, byteCount >= 0, offset <= file.count, byteCount <= file.count - offset else {
      throw StoreError(
        kind: .corrupt,
        text: "Cannot read \(absolutePath(path)): expected bytes \(offset)..<\(offset &+ byteCount), the file ends at byte \(file.count)")
    }
    return Array(file[offset..<offset + byteCount])
  }

  package func map(_ path: String) throws(StoreError) -> MappedFile {
    try existing(path).withUnsafeBytes { MappedFile(copying: $0) }
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

  package func byteCount(_ path: String) throws(StoreError) -> Int? { state.withLock { $0.files[path]?.count } }

  package func modifiedMicros(_ path: String) throws(StoreError) -> Int64? {
    state.withLock { $0.files[path] == nil ? nil : $0.modified[path] ?? 0 }
  }

  package var isReadOnly: Bool { false }

  // MARK: Writing

  package func stage(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let copy = Array(bytes)
    try step("write", path) { state in
      // The content is made durable before it gets its name, so a crash leaves the old file or the new one.
      state.pending[path, default: []].append(copy)
    } done: { state in
      state.files[path] = copy
      state.modified[path] = now()
    }
  }

  package func syncFolders(_ folders: [String]) throws(StoreError) {
    let folders = Set(folders)
    try step("make durable", folders.sorted().joined(separator: " ")) { _ in
    } done: { state in
      for path in Array(state.pending.keys) where folders.contains(VolumePath.folder(of: path)) {
        state.durable[path] = state.files[path]
        state.pending[path] = nil
      }
    }
  }

  package func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let copy = Array(bytes)
    let old = try existing(path)
    try step("append to", path) { state in
      for kept in Self.cuts(copy.count) { state.pending[path, default: []].append(old + copy.prefix(kept)) }
      // A file may have got its length before its bytes.
      for kept in [0, 4, copy.count / 2] where kept < copy.count {
        state.pending[path]?.append(old + copy.prefix(kept) + [UInt8](repeating: 0, count: copy.count - kept))
      }
    } failed: { state in
      Self.replace(&state, path, old + copy.prefix(copy.count / 2))
    } done: { state in
      Self.replace(&state, path, old + copy)
      state.modified[path] = now()
    }
  }

  package func truncate(_ path: String, toByteCount byteCount: Int) throws(StoreError) {
    let short = Array(try existing(path).prefix(byteCount))
    try step("shorten", path) { state in
      state.pending[path, default: []].append(short)
    } done: { state in
      Self.replace(&state, path, short)
    }
  }

  package func remove(_ path: String) throws(StoreError) {
    try step("remove", path) { state in
      if state.files[path] != nil { state.pending[path, default: []].append(nil) }
    } done: { state in
      state.files[path] = nil
    }
  }

  /// Folders are there when a file is.
  package func makeDirectory(_ path: String) throws(StoreError) {}

  package func renewAge(_ path: String) throws(StoreError) {
    _ = try existing(path)
    state.withLock { $0.modified[path] = now() }
  }

  /// Where a crash may cut an append: at both ends and densely between.
  private static func cuts(_ count: Int) -> [Int] {
    Set(Array(stride(from: 0, through: count, by: 5)) + [1, 2, 3, 4, count - 9, count - 8, count - 1, count])
      .filter { $0 >= 0 && $0 <= count }.sorted()
  }

  /// Changes the content of a file; its name is as durable as it was.
  private static func replace(_ state: inout State, _ path: String, _ bytes: [UInt8]) {
    state.files[path] = bytes
    if state.durable[path] != nil { state.durable[path] = bytes }
    if let last = state.pending[path]?.indices.last { state.pending[path]?[last] = bytes }
  }

  /// One write.
  /// - Parameters:
  ///   - begun: notes what a crash may leave of it.
  ///   - failed: what a failure leaves of it.
  private func step(
    _ action: String, _ path: String, _ begun: (inout State) -> Void, failed: (inout State) -> Void = { _ in },
    done: (inout State) -> Void
  ) throws(StoreError) {
    switch faults?.next("\(action) \(path)") {
    case .crash?:
      state.withLock { begun(&$0) }
      throw StorageFaults.error(.crash, "\(action) \(absolutePath(path))")
    case .failure(let code)?:
      state.withLock { failed(&$0) }
      throw StorageFaults.error(.failure(code), "\(action) \(absolutePath(path))")
    case nil:
      let changesNames = action == "write" || action == "remove"
      state.withLock { state in
        if changesNames { begun(&state) }
        done(&state)
      }
    }
  }

  private func existing(_ path: String) throws(StoreError) -> [UInt8] {
    guard let file = state.withLock({ $0.files[path] }) else {
      throw StoreError(kind: .notFound, text: "Cannot open \(absolutePath(path)): there is no such file")
    }
    return file
  }
}
