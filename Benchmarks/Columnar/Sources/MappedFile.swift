import Columns

#if canImport(Glibc)
  import Glibc
#endif

/// A file in memory as long as slices of it live.
final class MappedFile {
  private let start: UnsafeMutableRawPointer
  private let byteCount: Int

  private init(start: UnsafeMutableRawPointer, byteCount: Int) {
    self.start = start
    self.byteCount = byteCount
  }

  deinit { munmap(start, byteCount) }

  static func bytes(_ path: String) throws -> BufferSlice {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw BenchmarkError("Cannot open \(path): error \(errno)") }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_size > 0 else { throw BenchmarkError("Cannot map \(path): it is empty or gone") }
    let byteCount = Int(status.st_size)
    guard let start = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, file, 0), start != MAP_FAILED else {
      throw BenchmarkError("Cannot map \(path): error \(errno)")
    }
    return BufferSlice(owner: MappedFile(start: start, byteCount: byteCount), start: start, byteCount: byteCount)
  }
}
