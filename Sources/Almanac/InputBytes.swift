import Columns
import Glibc
import Objects
import Synchronization

/// The bytes of a user's file: mapped, or read whole where mapping is not possible (pipes).
///
/// Others may write to a file while it is read. What was read is then a mixture, so whoever reads asks `checkUnchanged` before
/// anything is made of it: after each batch, and once more where rows were taken out of the bytes later.
enum InputBytes {
  static func open(_ path: String) throws(AlmanacError) -> BufferSlice {
    if path == "-" { return try readAll(descriptor: STDIN_FILENO, name: "standard input") }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path, errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("open", path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      if status.st_mode & S_IFMT == S_IFDIR { throw AlmanacError(.notFound, "Cannot read \(path): it is a folder, not a file") }
      return try readAll(descriptor: descriptor, name: path)
    }
    let byteCount = Int(status.st_size)
    guard byteCount > 0 else { return .empty }
    guard let mapping = InputMapping(descriptor: descriptor, status) else { throw failure("map", path, errno) }
    return mapping.bytes
  }

  /// Gives the memory of a mapped file's pages back; they come again from the file when they are read again.
  static func releasePages(of bytes: BufferSlice) {
    guard bytes.owner is InputMapping else { return }
    madvise(UnsafeMutableRawPointer(mutating: bytes.start), bytes.byteCount, MADV_DONTNEED)
  }

  /// - Throws: `io` when the file is not what it was when it was opened, so that what was read of it is worth nothing.
  /// - Complexity: O(1), one call to the system
  static func checkUnchanged(_ bytes: BufferSlice, _ name: String) throws(AlmanacError) {
    guard let change = (bytes.owner as? InputMapping)?.change else { return }
    throw AlmanacError(.io, "Cannot read \(name): \(change)", hint: "Wait until nothing writes to it any more, or give a copy of it.")
  }

  /// Runs `body`, which reads of the bytes; that they changed beneath it is then the error, whatever came of it.
  static func reading<Result>(
    _ bytes: BufferSlice, _ name: String, _ body: () throws(AlmanacError) -> Result
  ) throws(AlmanacError) -> Result {
    let result: Result
    do {
      result = try body()
    } catch {
      try checkUnchanged(bytes, name)
      throw error
    }
    try checkUnchanged(bytes, name)
    return result
  }

  /// The same file mapped once more, for a reader at another pace; the bytes themselves where they are no mapped file.
  static func again(_ bytes: BufferSlice) -> BufferSlice { (bytes.owner as? InputMapping)?.again()?.bytes ?? bytes }

  static func isMapped(_ bytes: BufferSlice) -> Bool { bytes.owner is InputMapping }

  private static func readAll(descriptor: Int32, name: String) throws(AlmanacError) -> BufferSlice {
    var bytes = GrowableBuffer(byteCapacity: 1 << 20)
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { chunk.deallocate() }
    while true {
      let count = read(descriptor, chunk.baseAddress, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", name, errno) }
      if count == 0 { return bytes.finish() }
      bytes.append(bytes: UnsafeRawBufferPointer(rebasing: chunk[..<count]))
    }
  }

  /// Whether the bytes are still there after they have been read once; not so for pipes.
  static func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return path != "-" && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  private static func failure(_ action: String, _ path: String, _ code: Int32) -> AlmanacError {
    let reason = String(cString: strerror(code))
    return AlmanacError(code == ENOENT || code == ENOTDIR ? .notFound : .io, "Cannot \(action) \(path): \(reason)")
  }
}

/// A mapped file that stays open, to be asked whether it is still what it was.
// Sendable: the mapping is private and read-only, the descriptor only asked.
private final class InputMapping: @unchecked Sendable {
  private let file: MappedFile
  private let descriptor: Int32
  private let opened: stat
  /// What the file was when it was last asked for: of what others change in it without touching its bytes.
  private let seen: Mutex<Attributes>

  /// What the system notes of a file whenever anything is done with it.
  private struct Attributes: Equatable {
    let seconds: Int
    let nanoseconds: Int
    let linkCount: UInt64
    let mode: UInt32
    let owner: UInt32
    let group: UInt32

    init(_ status: stat) {
      (seconds, nanoseconds) = (Int(status.st_ctim.tv_sec), Int(status.st_ctim.tv_nsec))
      (linkCount, mode, owner, group) = (UInt64(status.st_nlink), status.st_mode, status.st_uid, status.st_gid)
    }

    func isSameTime(as other: Attributes) -> Bool { seconds == other.seconds && nanoseconds == other.nanoseconds }

    /// Whether names, owner or permissions were changed, which needs no writing.
    func isRelabelled(from other: Attributes) -> Bool {
      linkCount != other.linkCount || mode != other.mode || owner != other.owner || group != other.group
    }
  }

  /// - Parameter descriptor: stays the caller's.
  init?(descriptor: Int32, _ opened: stat) {
    guard let file = MappedFile(descriptor: descriptor, byteCount: Int(opened.st_size)) else { return nil }
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard own >= 0 else { return nil }
    madvise(UnsafeMutableRawPointer(mutating: file.start), file.byteCount, MADV_SEQUENTIAL)
    self.file = file
    self.descriptor = own
    self.opened = opened
    seen = Mutex(Attributes(opened))
  }

  deinit { close(descriptor) }

  func again() -> InputMapping? { InputMapping(descriptor: descriptor, opened) }

  var bytes: BufferSlice { BufferSlice(owner: self, start: file.start, byteCount: file.byteCount) }

  /// What has become of the file since it was opened; nil where nothing has.
  var change: String? {
    var now = stat()
    guard fstat(descriptor, &now) == 0 else { return "it cannot be looked at any more: \(String(cString: strerror(errno)))" }
    if now.st_size < opened.st_size {
      return "it was shortened from \(opened.st_size) to \(now.st_size) bytes while it was read"
    }
    guard now.st_size == opened.st_size, now.st_mtim.tv_sec == opened.st_mtim.tv_sec, now.st_mtim.tv_nsec == opened.st_mtim.tv_nsec else {
      return "it was written to while it was read"
    }
    // Whoever writes may set the time of writing back, but not that of the change itself.
    let attributes = Attributes(now)
    let isChanged = seen.withLock { seen in
      defer { if attributes.isRelabelled(from: seen) { seen = attributes } }
      return !attributes.isSameTime(as: seen) && !attributes.isRelabelled(from: seen)
    }
    if isChanged { return "it was changed while it was read" }
    return file.isLost ? "its disk does not give all of its bytes" : nil
  }
}
