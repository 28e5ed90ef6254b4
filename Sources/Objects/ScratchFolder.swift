import Glibc

/// A folder for files that only one piece of work needs: not durable, and gone with its last reference. What a process leaves
/// that dies before is garbage under `tmp/`, told from what is in use by its lock (`Volume.isClaimed`).
package final class ScratchFolder: Sendable {
  package let path: String
  /// Open while the folder is in use, with its lock, which the kernel gives up when the process ends.
  private let handle: Int32

  package static let namePrefix = "scratch-"

  /// - Parameter parent: a folder that exists.
  package init(in parent: String) throws(StoreError) {
    while true {
      let path = "\(parent)/\(Self.namePrefix)\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
      guard mkdir(path, 0o700) == 0 else { throw Self.failure("make the folder", path) }
      let handle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if handle >= 0, flock(handle, LOCK_EX | LOCK_NB) == 0, access(path, F_OK) == 0 {
        self.path = path
        self.handle = handle
        return
      }
      let code = errno
      if handle >= 0 { close(handle) }
      // Between its making and its lock somebody may look at the folder, or take it for garbage.
      guard code == ENOENT || code == EWOULDBLOCK else {
        rmdir(path)
        errno = code
        throw Self.failure("lock the folder", path)
      }
      rmdir(path)
    }
  }

  deinit {
    defer { close(handle) }
    guard let stream = opendir(path) else { return }
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { unlink("\(path)/\(name)") }
    }
    closedir(stream)
    rmdir(path)
  }

  static func failure(_ action: String, _ path: String) -> StoreError {
    StoreError(kind: .io(errno), text: "Cannot \(action) \(path): \(String(cString: strerror(errno)))")
  }

  /// A new file to be written from front to back.
  package func makeFile(_ name: String) throws(StoreError) -> ScratchFile { try ScratchFile("\(path)/\(name)", folder: self) }
}

/// A file of a scratch folder, open for writing.
package final class ScratchFile: Sendable {
  private let path: String
  private let file: Int32
  /// The folder must not go before its files.
  private let folder: ScratchFolder

  fileprivate init(_ path: String, folder: ScratchFolder) throws(StoreError) {
    self.path = path
    self.folder = folder
    file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw ScratchFolder.failure("make the file", path) }
  }

  deinit { close(file) }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let n = Glibc.write(file, bytes.baseAddress! + written, bytes.count - written)
      if n < 0 && errno == EINTR { continue }
      guard n > 0 else { throw ScratchFolder.failure("write", path) }
      written += n
    }
  }

  /// What has been written, as memory; valid also when the file is gone.
  package func map() throws(StoreError) -> MappedFile {
    let end = lseek(file, 0, SEEK_END)
    guard end >= 0 else { throw ScratchFolder.failure("read the size of", path) }
    guard end > 0 else { return MappedFile(copying: UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard let mapped = MappedFile(descriptor: file, byteCount: Int(end)) else { throw ScratchFolder.failure("map", path) }
    return mapped
  }
}
