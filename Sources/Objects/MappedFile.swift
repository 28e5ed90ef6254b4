import Glibc

/// The bytes of a file in memory, read-only, until nothing refers to it any more.
///
/// SAFETY: `@unchecked` because of the raw pointer: the memory is private, is never written after `init`, and is given
/// back only in `deinit`.
package final class MappedFile: @unchecked Sendable {
  /// Valid while the file is referred to.
  package let start: UnsafeRawPointer
  package let byteCount: Int
  private let isMapped: Bool

  /// Takes over memory that `mmap` returned.
  init(mapped start: UnsafeMutableRawPointer, byteCount: Int) {
    self.start = UnsafeRawPointer(start)
    self.byteCount = byteCount
    isMapped = true
  }

  /// A copy of bytes that are in no file; also for empty files, which cannot be mapped.
  package init(copying bytes: UnsafeRawBufferPointer) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 64), alignment: 64)
    if let base = bytes.baseAddress { memory.copyMemory(from: base, byteCount: bytes.count) }
    start = UnsafeRawPointer(memory)
    byteCount = bytes.count
    isMapped = false
  }

  deinit {
    if isMapped { munmap(UnsafeMutableRawPointer(mutating: start), byteCount) } else { start.deallocate() }
  }

  /// Gives the memory of the file's pages back; they come again from the file when they are read again.
  package func releasePages() {
    if isMapped { madvise(UnsafeMutableRawPointer(mutating: start), byteCount, MADV_DONTNEED) }
  }

  /// - Parameter body: must not let the bytes escape.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }
}
