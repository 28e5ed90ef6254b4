import Glibc

/// Where the bytes of an output go.
///
/// A regular file, or none yet, is written under a temporary name beside it and renamed when it is complete; a symbolic link leads
/// to its target. Standard output, pipes and devices keep their names and get the bytes as they come.
final class OutputPlace {
  private let path: String
  private let descriptor: Int32
  /// The temporary and the final name; nil where bytes go out directly.
  private let names: (temporary: String, final: String)?

  /// - Parameter path: a file, or `-` for standard output.
  /// - Throws: `AlmanacError`: `.notFound` without the folder, `.io` for folders and whatever else cannot be opened.
  init(path: String) throws(AlmanacError) {
    self.path = path
    guard path != "-" else {
      (descriptor, names) = (STDOUT_FILENO, nil)
      return
    }
    var status = stat()
    let isThere = stat(path, &status) == 0
    if isThere && status.st_mode & S_IFMT == S_IFDIR { throw AlmanacError(.io, "Cannot write \(path): it is a folder") }
    if isThere && status.st_mode & S_IFMT != S_IFREG {
      names = nil
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
    } else {
      let final = isThere ? Self.resolved(path) : path
      let temporary = "\(final).partial-\(getpid())"
      names = (temporary, final)
      descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    guard descriptor >= 0 else { throw Self.failure("create", path, errno) }
  }

  private static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  func put(_ bytes: UnsafeRawBufferPointer) throws(AlmanacError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = write(descriptor, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("write", path, errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Gives the file its name.
  func complete() throws(AlmanacError) {
    guard path != "-" else { return }
    let isClosed = close(descriptor) == 0
    guard let names else {
      if !isClosed { throw Self.failure("write", path, errno) }
      return
    }
    guard isClosed, rename(names.temporary, names.final) == 0 else {
      let code = errno
      unlink(names.temporary)
      throw Self.failure("write", path, code)
    }
  }

  /// Leaves no trace of an incomplete file.
  func abandon() {
    guard path != "-" else { return }
    close(descriptor)
    if let names { unlink(names.temporary) }
  }

  private static func failure(_ action: String, _ path: String, _ code: Int32) -> AlmanacError {
    AlmanacError(code == ENOENT ? .notFound : .io, "Cannot \(action) \(path): \(String(cString: strerror(code)))")
  }
}
