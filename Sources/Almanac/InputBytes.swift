import Columns
import Glibc

/// The bytes of a user's file: mapped, or read whole where mapping is not possible (pipes).
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
    guard let start = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw failure("map", path, errno)
    }
    madvise(start, byteCount, MADV_SEQUENTIAL)
    return BufferSlice(owner: Mapping(start: start, byteCount: byteCount), start: start, byteCount: byteCount)
  }

  /// Gives the memory of a mapped file's pages back; they come again from the file when they are read again.
  static func releasePages(of bytes: BufferSlice) {
    guard bytes.owner is Mapping else { return }
    madvise(UnsafeMutableRawPointer(mutating: bytes.start), bytes.byteCount, MADV_DONTNEED)
  }

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

/// Unmaps a file when the last column over it goes.
// Sendable: the mapping is private and read-only.
private final class Mapping: @unchecked Sendable {
  private let start: UnsafeMutableRawPointer
  private let byteCount: Int

  init(start: UnsafeMutableRawPointer, byteCount: Int) {
    self.start = start
    self.byteCount = byteCount
  }

  deinit { munmap(start, byteCount) }
}
