/// Where a repository keeps its files: every read and write of a repository's files goes through this protocol, except
/// those of the catalog, which SQLite does itself.
///
/// Paths are relative to the volume, with `/` between names and without `.` or `..`. Implementations may be used from
/// any thread. What is *not* asked of them: no update in place, no locking between readers and writers. A file appears
/// under its name complete or not at all.
package protocol Volume: Sendable {
  /// The path that other programs can open, for messages and for readers of leaves in place.
  func absolutePath(_ path: String) -> String

  /// A range of a file. - Throws: `notFound`; `corrupt` when the file ends before the range does, or there is no such range; `io`.
  func read(_ path: String, from offset: Int, byteCount: Int) throws(StoreError) -> [UInt8]

  /// The file as memory, which stays valid when the file is removed or replaced meanwhile.
  func map(_ path: String) throws(StoreError) -> MappedFile

  /// Writes a file whose content is durable on return but whose name may be lost in a crash until `syncFolders` of its
  /// folder and of the folders that were made for it. Replaces a file of that name at one instant.
  func stage(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError)

  /// Makes the names in these folders durable.
  func syncFolders(_ folders: [String]) throws(StoreError)

  /// Appends to a file that exists; durable on return. A crash may leave a prefix of the bytes.
  func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError)

  /// Shortens a file that exists; durable on return.
  func truncate(_ path: String, toByteCount byteCount: Int) throws(StoreError)

  /// Gives a file another name, whose folder is made if need be, at one instant; a file of that name is replaced. Durable as
  /// after `stage`.
  func move(_ path: String, to newPath: String) throws(StoreError)

  /// The names in a folder, sorted; none if there is no such folder.
  func list(_ folder: String) throws(StoreError) -> [String]

  /// Removes a file or an empty folder; no error if there is none.
  func remove(_ path: String) throws(StoreError)

  /// Makes a folder and those above it; durable on return; no error if it is there.
  func makeDirectory(_ path: String) throws(StoreError)

  /// The size of a file; nil if there is none.
  func byteCount(_ path: String) throws(StoreError) -> Int?

  /// Sets the age of a file, by which garbage is told from work in progress, to zero.
  func renewAge(_ path: String) throws(StoreError)

  /// When the file was written or its age renewed, microseconds since 1970 UTC; nil if there is no such file.
  func modifiedMicros(_ path: String) throws(StoreError) -> Int64?

  /// Waits until no other thread or process holds the lock of that name in a mode that excludes this one. The lock of a dead
  /// process is free. Who holds a lock shared may take it shared again, also while others wait for it.
  func lock(_ path: String, _ mode: LockMode) throws(StoreError) -> VolumeLock

  /// Writes a file that tells others what the caller is using, until the result is given up; then it is removed. The file
  /// appears with its lock held. That of a dead process stays behind, unlocked.
  func claim(_ path: String, _ bytes: [UInt8]) throws(StoreError) -> VolumeLock

  /// Whether the file is a claim whose holder lives.
  func isClaimed(_ path: String) throws(StoreError) -> Bool

  /// Whether nothing can be written, as far as can be told without trying.
  var isReadOnly: Bool { get }
}

package enum LockMode: Sendable {
  /// With others who hold it shared.
  case shared
  case exclusive
}

extension Volume {
  /// By a copy, where a volume cannot rename.
  package func move(_ path: String, to newPath: String) throws(StoreError) {
    let file = try map(path)
    try file.withBytes { (bytes) throws(StoreError) in try stage(newPath, bytes) }
    try remove(path)
  }

  package func exists(_ path: String) throws(StoreError) -> Bool { try byteCount(path) != nil }

  /// Waits for the lock and holds it alone.
  package func lock(_ path: String) throws(StoreError) -> VolumeLock { try lock(path, .exclusive) }

  /// The whole file.
  package func read(_ path: String) throws(StoreError) -> [UInt8] {
    guard let count = try byteCount(path) else {
      throw StoreError(kind: .notFound, text: "Cannot read \(absolutePath(path)): there is no such file")
    }
    return try read(path, from: 0, byteCount: count)
  }

  /// Writes a file whose content and name are durable on return.
  package func writeDurably(_ path: String, _ bytes: [UInt8]) throws(StoreError) {
    try bytes.withStoreBytes { (buffer) throws(StoreError) in try stage(path, buffer) }
    try syncFolders([VolumePath.folder(of: path)])
  }

  package func append(_ path: String, _ bytes: [UInt8]) throws(StoreError) {
    try bytes.withStoreBytes { (buffer) throws(StoreError) in try append(path, buffer) }
  }

  package func stage(_ path: String, _ bytes: [UInt8]) throws(StoreError) {
    try bytes.withStoreBytes { (buffer) throws(StoreError) in try stage(path, buffer) }
  }
}

package enum VolumePath {
  /// The folder part of a path; empty for a file at the top.
  package static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }
}

/// A lock held on a volume, until `release` or until nothing refers to it any more.
package final class VolumeLock: Sendable {
  private let unlock: @Sendable () -> Void

  /// - Parameter unlock: called once, when the lock is given up.
  package init(unlock: @escaping @Sendable () -> Void) { self.unlock = unlock }

  deinit { unlock() }

  /// Runs the body while the lock is held. - Throws: what the body throws.
  package func hold<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body()
  }
}

extension [UInt8] {
  /// `withUnsafeBytes` that keeps the type of the error.
  func withStoreBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws(StoreError) -> Result
  ) throws(StoreError) -> Result {
    let outcome: Swift.Result<Result, StoreError> = withUnsafeBytes { buffer in
      do throws(StoreError) { return .success(try body(buffer)) } catch { return .failure(error) }
    }
    return try outcome.get()
  }
}
