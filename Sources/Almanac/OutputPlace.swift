import Glibc

/// Where the bytes of an output go.
///
/// A regular file, or none yet, is written under a name of its own beside it (`UnfinishedFile`) and renamed when it is complete; a
/// symbolic link leads to its target. A file that is replaced leaves its permissions to the new one. Standard output, pipes and
/// devices keep their names and get the bytes as they come.
final class OutputPlace {
  private let path: String
  /// Open for bytes that go out as they come; nil where a file is being written, and at the end.
  private var direct: Int32?
  private var unfinished: UnfinishedFile?

  /// - Parameter path: a file, or `-` or a name of its own for standard output.
  /// - Throws: `AlmanacError`: `.notFound` without the folder, `.io` for folders and whatever else cannot be opened.
  init(path: String) throws(AlmanacError) {
    self.path = path
    switch Self.target(of: path) {
    case .standardOutput:
      direct = STDOUT_FILENO
      unfinished = nil
    case .folder: throw AlmanacError(.io, "Cannot write \(path): it is a folder")
    case .unreachable(let code): throw Self.failure("create", path, code)
    case .open:
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw Self.failure("create", path, errno) }
      direct = descriptor
      unfinished = nil
    case .file(let final, let permissions):
      direct = nil
      unfinished = UnfinishedFile(for: final, permissions: permissions)
      guard unfinished != nil else { throw Self.failure("create", path, errno) }
    }
  }

  /// Whether the output is a file, which others can be written beside.
  static func isFile(_ path: String) -> Bool {
    // What these folders hold are names for what is open, even where a file is behind it.
    if path.hasPrefix("/dev/") || path.hasPrefix("/proc/") { return false }
    switch target(of: path) {
    // Of a name that leads nowhere the opening says so.
    case .file, .unreachable: return true
    case .standardOutput, .folder, .open: return false
    }
  }

  /// Whether a path means the process's standard output, whatever it is: a name of it must not replace the file behind it.
  static func isStandardOutput(_ path: String) -> Bool { ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].contains(path) }

  private enum Target {
    case standardOutput, folder
    /// A pipe, a device, or a file that has no name of its own.
    case open
    case file(String, permissions: mode_t?)
    /// A name that leads nowhere, as a link to itself does, and the system's reason.
    case unreachable(Int32)
  }

  private static func target(of path: String) -> Target {
    if isStandardOutput(path) { return .standardOutput }
    var status = stat()
    guard stat(path, &status) == 0 else {
      let code = errno
      guard code == ENOENT, let new = newFile(path) else { return .unreachable(code) }
      return .file(new, permissions: nil)
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: return .folder
    case S_IFREG:
      guard let final = realpath(path, nil) else { return .open }
      defer { free(final) }
      var named = stat()
      // /dev/stdout may lead to a file that was removed.
      guard stat(final, &named) == 0, named.st_dev == status.st_dev, named.st_ino == status.st_ino else { return .open }
      return .file(String(cString: final), permissions: status.st_mode & 0o777)
    default: return .open
    }
  }

  /// The name of a file that is not there yet, for one that may be a link to it; nil where links lead nowhere.
  static func newFile(_ path: String) -> String? {
    var path = path
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    for _ in 0..<linkCountMax {
      let count = readlink(path, &target, Int(PATH_MAX))
      guard count > 0 else { return path }
      let name = String(decoding: target[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      let slash = path.lastIndex(of: "/")
      path = name.hasPrefix("/") ? name : (slash.map { String(path[...$0]) } ?? "") + name
    }
    return nil
  }

  /// As many as Linux follows.
  private static let linkCountMax = 40

  func put(_ bytes: UnsafeRawBufferPointer) throws(AlmanacError) {
    let descriptor = unfinished?.descriptor ?? direct ?? -1
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("write", path, errno) }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Gives the file its name.
  func complete() throws(AlmanacError) {
    if let file = unfinished.take() {
      let code = file.complete()
      guard code == 0 else { throw Self.failure("write", path, code) }
    } else if let descriptor = direct.take(), descriptor != STDOUT_FILENO {
      guard close(descriptor) == 0 else { throw Self.failure("write", path, errno) }
    }
  }

  /// Leaves no trace of an incomplete file; so does whoever just forgets the place.
  func abandon() {
    unfinished = nil
    if let descriptor = direct.take(), descriptor != STDOUT_FILENO { close(descriptor) }
  }

  deinit { abandon() }

  /// Writes a whole file, which appears under its name complete or not at all.
  static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(AlmanacError) {
    let place = try OutputPlace(path: path)
    try place.put(Array(bytes))
    try place.complete()
  }

  func put(_ bytes: [UInt8]) throws(AlmanacError) {
    try AlmanacError.translating { try bytes.withUnsafeBytes { try put($0) } }
  }

  private static func failure(_ action: String, _ path: String, _ code: Int32) -> AlmanacError {
    AlmanacError(code == ENOENT ? .notFound : .io, "Cannot \(action) \(path): \(String(cString: strerror(code)))")
  }
}
