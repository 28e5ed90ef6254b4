import Glibc

/// The bytes of a file in memory, read-only, until nothing refers to it any more.
///
/// A file may be shortened by others while it is mapped, and a disk may fail: such bytes read as zeros, and `isLost` says so
/// from then on (`MappingGuard`). It is to be asked after the reading, before anything is made of what was read.
///
/// SAFETY: `@unchecked` because of the raw pointer: the memory is private, is never written after `init`, and is given
/// back only in `deinit`.
package final class MappedFile: @unchecked Sendable {
  /// Valid while the file is referred to.
  package let start: UnsafeRawPointer
  package let byteCount: Int
  /// Of memory that `mmap` returned; nil for a copy.
  private let watch: MappingGuard.Watch?
  /// Open to be asked for the file's size; nil where nobody asks.
  private let descriptor: Int32?

  /// Maps the first bytes of an open file, which may be closed then.
  /// - Parameter staysOpen: `isWhole` asks the system then; a process may have only so many files open.
  /// - Returns: nil where the system refuses; `errno` says why.
  package init?(descriptor: Int32, byteCount: Int, staysOpen: Bool = false) {
    guard byteCount > 0 else { return nil }
    guard let memory = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0), memory != MAP_FAILED else { return nil }
    let own = staysOpen ? fcntl(descriptor, F_DUPFD_CLOEXEC, 0) : -1
    self.descriptor = own < 0 ? nil : own
    start = UnsafeRawPointer(memory)
    self.byteCount = byteCount
    watch = MappingGuard.begin(memory, byteCount: byteCount)
  }

  /// A copy of bytes that are in no file; also for empty files, which cannot be mapped.
  package init(copying bytes: UnsafeRawBufferPointer) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 64), alignment: 64)
    if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    start = UnsafeRawPointer(memory)
    byteCount = bytes.count
    watch = nil
    descriptor = nil
  }

  deinit {
    if let descriptor { close(descriptor) }
    guard let watch else { return start.deallocate() }
    MappingGuard.end(watch)
    munmap(UnsafeMutableRawPointer(mutating: start), byteCount)
  }

  /// Whether bytes were gone when they were read.
  package var isLost: Bool { watch?.isLost ?? false }

  /// Whether the file still has all its bytes, as far as can be told: of one that stays open also those in the last page, which
  /// read as zeros without a sign.
  package var isWhole: Bool {
    guard let descriptor else { return !isLost }
    var status = stat()
    return fstat(descriptor, &status) == 0 && Int(status.st_size) >= byteCount && !isLost
  }

  /// Gives the memory of the file's pages back; they come again from the file when they are read again.
  package func releasePages() {
    if watch != nil { madvise(UnsafeMutableRawPointer(mutating: start), byteCount, MADV_DONTNEED) }
  }

  /// - Parameter body: must not let the bytes escape.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }
}
