import Glibc

/// A file that is being written, under a name of its own in the folder where it will stand.
///
/// The name is drawn at random and the file must be new, so that nobody can lay a link in its way. Its writer holds its lock,
/// which the kernel gives up when the process ends, however it ends: what has such a name and no holder was left by a process
/// that died, and is removed by the next one that writes to the folder.
struct UnfinishedFile: ~Copyable {
  let descriptor: Int32
  private let path: String
  private let final: String
  private var isOpen = true

  private static let prefix = ".almanac-"
  private static let suffix = ".partial"
  private static let randomDigitCount = 16

  /// - Parameters:
  ///   - final: the name that the file gets when it is complete, which is no symbolic link.
  ///   - permissions: those of the file that it replaces; nil for those that the process gives to new files.
  /// - Returns: nil where the system refuses; `errno` says why.
  init?(for final: String, permissions: mode_t?) {
    let folder = Self.folder(of: final)
    Self.removeLeftovers(in: folder, of: final)
    while true {
      let path = "\(folder)/\(Self.randomName())"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else {
        if errno == EEXIST || errno == EINTR { continue }
        return nil
      }
      // Between its making and its lock somebody may take the file for one that was left, and lock or remove it.
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK || Self.linkCount(of: descriptor) == 0 {
        unlink(path)
        close(descriptor)
        continue
      }
      if let permissions { fchmod(descriptor, permissions) }
      self.descriptor = descriptor
      self.path = path
      self.final = final
      return
    }
  }

  deinit { if isOpen { remove() } }

  /// Gives the file its name, in place of a file that has it.
  /// - Returns: 0, or why it cannot be done, as `errno` has it; the file is gone then.
  consuming func complete() -> Int32 {
    isOpen = false
    // Closing a copy tells what went wrong while bytes were written, and keeps the lock until the file has its name.
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0, close(copy) == 0, rename(path, final) == 0 else {
      let code = errno
      remove()
      return code
    }
    close(descriptor)
    return 0
  }

  private func remove() {
    unlink(path)
    close(descriptor)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func randomName() -> String {
    let digits = String(UInt64.random(in: 0 ... .max), radix: 16)
    return prefix + String(repeating: "0", count: randomDigitCount - digits.count) + digits + suffix
  }

  private static func linkCount(of descriptor: Int32) -> Int {
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_nlink) : 0
  }

  // MARK: What others left

  /// - Complexity: O(names in the folder)
  private static func removeLeftovers(in folder: String, of final: String) {
    guard let stream = opendir(folder) else { return }
    defer { closedir(stream) }
    // Until 0.1.0 the name was that of the output with a process number behind it, and no lock.
    let old = (final.split(separator: "/").last.map(String.init) ?? final) + ".partial-"
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if isOurs(name) {
        removeUnlessHeld("\(folder)/\(name)")
      } else if name.hasPrefix(old), let process = pid_t(name.dropFirst(old.count)), process > 0, kill(process, 0) != 0, errno == ESRCH {
        removeUnlessHeld("\(folder)/\(name)")
      }
    }
  }

  private static func isOurs(_ name: String) -> Bool {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
    let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    return digits.count == randomDigitCount
      && digits.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }

  /// Removes a regular file of this user that no process holds.
  private static func removeUnlessHeld(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var (opened, named) = (stat(), stat())
    guard fstat(descriptor, &opened) == 0, opened.st_mode & S_IFMT == S_IFREG, opened.st_uid == geteuid(),
      flock(descriptor, LOCK_EX | LOCK_NB) == 0,
      // Its writer may have given it its name meanwhile.
      lstat(path, &named) == 0, named.st_dev == opened.st_dev, named.st_ino == opened.st_ino
    else { return }
    unlink(path)
  }
}
