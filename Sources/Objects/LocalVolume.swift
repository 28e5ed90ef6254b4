import Glibc

/// A volume in a folder of a local file system.
///
/// Durable means: `fsync` of the file before it gets its name by `rename`, and `fsync` of the folder. An `fsync` that fails
/// is never tried again, because the kernel may have dropped the pages; the write is reported as failed.
package struct LocalVolume: Volume {
  package let root: String

  /// - Parameter root: the folder, which need not exist yet (`makeDirectory("")` makes it).
  package init(root: String) {
    var root = root
    while root.count > 1 && root.hasSuffix("/") { root.removeLast() }
    self.root = root
  }

  package func absolutePath(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  // MARK: Reading

  /// Longer reads look at the size of the file first, shorter ones find out.
  private static let unaskedByteCountMax = 1 << 16

  package func read(_ path: String, from offset: Int, byteCount: Int) throws(StoreError) -> [UInt8] {
    let file = try open(path, O_RDONLY)
    defer { close(file) }
    // No memory is taken for what a damaged catalog says of a file that is not so long.
    if offset < 0 || offset > Int.max / 2 || byteCount < 0 || byteCount > Self.unaskedByteCountMax {
      var status = stat()
      guard fstat(file, &status) == 0 else { throw failure("read the size of", path, errno) }
      let size = Int(status.st_size)
      guard offset >= 0, byteCount >= 0, offset <= size, byteCount <= size - offset else {
        throw StoreError(
          kind: .corrupt,
          text: "Cannot read \(absolutePath(path)): expected bytes \(offset)..<\(offset &+ byteCount), the file ends at byte \(size)")
      }
    }
    var readCount = 0
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      while readCount < byteCount {
        let n = retrying { pread(file, buffer.baseAddress! + readCount, byteCount - readCount, off_t(offset + readCount)) }
        if n < 0 { code = errno }
        if n <= 0 { break }
        readCount += n
      }
      count = readCount
    }
    guard code == 0 else { throw failure("read", path, code) }
    guard readCount == byteCount else {
      let range = offset..<offset + byteCount
      throw StoreError(
        kind: .corrupt,
        text: "Cannot read \(absolutePath(path)): expected bytes \(range), the file ends at byte \(offset + readCount)")
    }
    return bytes
  }

  package func map(_ path: String) throws(StoreError) -> MappedFile { try map(path, staysOpen: false) }

  /// - Parameter staysOpen: see `MappedFile.isWhole`.
  package func map(_ path: String, staysOpen: Bool) throws(StoreError) -> MappedFile {
    let file = try open(path, O_RDONLY)
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("read the size of", path, errno) }
    let count = Int(status.st_size)
    guard count > 0 else { return MappedFile(copying: UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard let mapped = MappedFile(descriptor: file, byteCount: count, staysOpen: staysOpen) else { throw failure("map", path, errno) }
    return mapped
  }

  package func byteCount(_ path: String) throws(StoreError) -> Int? {
    var status = stat()
    guard stat(absolutePath(path), &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("find", path, errno)
    }
    return Int(status.st_size)
  }

  package func modifiedMicros(_ path: String) throws(StoreError) -> Int64? {
    var status = stat()
    guard stat(absolutePath(path), &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("find", path, errno)
    }
    return Int64(status.st_mtim.tv_sec) * 1_000_000 + Int64(status.st_mtim.tv_nsec) / 1000
  }

  package func list(_ folder: String) throws(StoreError) -> [String] {
    guard let stream = opendir(absolutePath(folder)) else {
      if errno == ENOENT { return [] }
      throw failure("list", folder, errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    // `readdir` tells an error from the end by errno alone.
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else { throw failure("list", folder, errno) }
    return names.sorted()
  }

  // MARK: Helpers

  func open(_ path: String, _ flags: Int32) throws(StoreError) -> Int32 {
    let name = absolutePath(path)
    let file = retrying { Int(Glibc.open(name, flags | O_CLOEXEC, 0o644)) }
    guard file >= 0 else { throw failure("open", path, errno) }
    return Int32(file)
  }

  func failure(_ action: String, _ path: String, _ code: Int32) -> StoreError {
    StoreError(
      kind: code == ENOENT ? .notFound : .io(code),
      text: "Cannot \(action) \(absolutePath(path)): \(String(cString: strerror(code)))")
  }

  /// Calls again when a signal interrupted the call.
  func retrying(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}
