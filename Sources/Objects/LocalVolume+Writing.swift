import Glibc

extension LocalVolume {
  /// Files are written here and renamed to where they belong, on the same file system.
  private static let stagingFolder = "tmp"

  package func stage(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let (file, temporary) = try openTemporary()
    do throws(StoreError) {
      defer { close(file) }
      try write(bytes, to: file, path)
    } catch {
      unlink(absolutePath(temporary))
      throw error
    }
    guard Glibc.rename(absolutePath(temporary), absolutePath(path)) == 0 else {
      // The folder of the file is made when it is first needed.
      if errno == ENOENT {
        try makeMissingFolders(VolumePath.folder(of: path), isDurable: false)
        if Glibc.rename(absolutePath(temporary), absolutePath(path)) == 0 { return }
      }
      let code = errno
      unlink(absolutePath(temporary))
      throw failure("write", path, code)
    }
  }

  package func move(_ path: String, to newPath: String) throws(StoreError) {
    if Glibc.rename(absolutePath(path), absolutePath(newPath)) == 0 { return }
    guard errno == ENOENT, try exists(path) else { throw failure("rename", path, errno) }
    try makeMissingFolders(VolumePath.folder(of: newPath), isDurable: false)
    guard Glibc.rename(absolutePath(path), absolutePath(newPath)) == 0 else { throw failure("rename", path, errno) }
  }

  /// A new file under `tmp/`, open for writing.
  func openTemporary() throws(StoreError) -> (file: Int32, path: String) {
    let path = "\(Self.stagingFolder)/\(getpid())-\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    do throws(StoreError) {
      return (try open(path, O_RDWR | O_CREAT | O_EXCL), path)
    } catch {
      guard error.kind == .notFound else { throw error }
      try makeMissingFolders(Self.stagingFolder, isDurable: false)
      return (try open(path, O_RDWR | O_CREAT | O_EXCL), path)
    }
  }

  package func syncFolders(_ folders: [String]) throws(StoreError) {
    for folder in Set(folders).sorted() {
      let file = try open(folder, O_RDONLY | O_DIRECTORY)
      defer { close(file) }
      guard fsync(file) == 0 else { throw failure("make durable", folder, errno) }
    }
  }

  package func append(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
    let file = try open(path, O_WRONLY | O_APPEND)
    defer { close(file) }
    try write(bytes, to: file, path)
  }

  package func truncate(_ path: String, toByteCount byteCount: Int) throws(StoreError) {
    let file = try open(path, O_WRONLY)
    defer { close(file) }
    guard retrying({ Int(ftruncate(file, off_t(byteCount))) }) == 0 else { throw failure("shorten", path, errno) }
    guard fsync(file) == 0 else { throw failure("make durable", path, errno) }
  }

  package func remove(_ path: String) throws(StoreError) {
    let name = absolutePath(path)
    if unlink(name) == 0 || errno == ENOENT { return }
    if errno == EISDIR && rmdir(name) == 0 { return }
    guard errno == ENOENT else { throw failure("remove", path, errno) }
  }

  package func makeDirectory(_ path: String) throws(StoreError) {
    try makeMissingFolders(path, isDurable: true)
  }

  package func renewAge(_ path: String) throws(StoreError) {
    guard utimensat(AT_FDCWD, absolutePath(path), nil, 0) == 0 else { throw failure("renew the age of", path, errno) }
  }

  private func makeMissingFolders(_ folder: String, isDurable: Bool) throws(StoreError) {
    try makeMissingFolders(absolute: absolutePath(folder), folder, isDurable: isDurable)
  }

  /// Makes a folder after those above it, which may lie above the root of the volume.
  private func makeMissingFolders(absolute path: String, _ folder: String, isDurable: Bool) throws(StoreError) {
    if mkdir(path, 0o755) != 0 {
      let parent = VolumePath.folder(of: path)
      switch errno {
      case EEXIST:
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
          throw StoreError(kind: .exists, text: "Cannot make the folder \(path): there is a file of that name")
        }
        return
      case ENOENT where !parent.isEmpty:
        try makeMissingFolders(absolute: parent, folder, isDurable: isDurable)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make the folder", folder, errno) }
      case let code: throw failure("make the folder", folder, code)
      }
    }
    guard isDurable else { return }
    let parent = VolumePath.folder(of: path)
    let file = retrying { Int(Glibc.open(parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) }
    guard file >= 0 else { throw failure("open the folder above", folder, errno) }
    defer { close(Int32(file)) }
    guard fsync(Int32(file)) == 0 else { throw failure("make durable", folder, errno) }
  }

  /// Writes all bytes and makes them durable.
  private func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws(StoreError) {
    var written = 0
    while written < bytes.count {
      let n = retrying { Glibc.write(file, bytes.baseAddress! + written, bytes.count - written) }
      guard n > 0 else { throw failure("write", path, n == 0 ? EIO : errno) }
      written += n
    }
    guard fsync(file) == 0 else { throw failure("make durable", path, errno) }
  }
}
