import Glibc

/// Locks are `flock`s: the kernel gives up those of a process that ends, however it ends.
extension LocalVolume {
  package func lock(_ path: String, _ mode: LockMode) throws(StoreError) -> VolumeLock {
    let file = try open(path, O_RDWR | O_CREAT)
    guard retrying({ Int(flock(file, mode == .shared ? LOCK_SH : LOCK_EX)) }) == 0 else {
      let code = errno
      close(file)
      throw failure("lock", path, code)
    }
    // Closing the only descriptor of this opening gives up its lock.
    return VolumeLock { close(file) }
  }

  package func claim(_ path: String, _ bytes: [UInt8]) throws(StoreError) -> VolumeLock {
    try makeDirectory(VolumePath.folder(of: path))
    let (file, temporary) = try openTemporary()
    // The lock belongs to the file and not to its name, so nobody ever sees it there without its lock. Nothing is made
    // durable: after a crash of the machine no claim has a holder.
    let written = retrying { Glibc.write(file, bytes, bytes.count) }
    guard written == bytes.count, retrying({ Int(flock(file, LOCK_EX | LOCK_NB)) }) == 0,
      Glibc.rename(absolutePath(temporary), absolutePath(path)) == 0
    else {
      let code = written >= 0 && written < bytes.count ? ENOSPC : errno
      unlink(absolutePath(temporary))
      close(file)
      throw failure("claim", path, code)
    }
    let name = absolutePath(path)
    return VolumeLock {
      unlink(name)
      close(file)
    }
  }

  package func isClaimed(_ path: String) throws(StoreError) -> Bool {
    let file = retrying { Int(Glibc.open(absolutePath(path), O_RDONLY | O_CLOEXEC)) }
    if file < 0 && errno == ENOENT { return false }
    guard file >= 0 else { throw failure("open", path, errno) }
    defer { close(Int32(file)) }
    if retrying({ Int(flock(Int32(file), LOCK_EX | LOCK_NB)) }) == 0 { return false }
    guard errno == EWOULDBLOCK else { throw failure("look at the lock of", path, errno) }
    return true
  }

  package var isReadOnly: Bool { access(root, W_OK) != 0 && (errno == EROFS || errno == EACCES) }
}
