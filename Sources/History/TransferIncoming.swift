import Objects

/// Files on their way into the archive: pieces are appended to a file under `incoming/`, which gets its place among the leaves
/// or tails when it is whole, checked, and about to be registered.
extension Archive {
  private static let incomingLock = "incoming.lock"

  /// Two repositories may keep a leaf in different files, which must not be mixed.
  private static func incomingPath(_ key: ObjectKey, _ record: FileRecord) -> String {
    "incoming/\(key.kind.name)-\(key.id)-\(Hash256(bytes: record.fileSHA256).description.prefix(16)).part"
  }

  /// How much of a file has arrived; all of it also when a crash left it in its place, unregistered.
  func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    if let count = try volume.byteCount(Self.incomingPath(key, record)) { return count }
    guard try volume.byteCount(Self.path(of: key)) == record.byteCount else { return 0 }
    let file = try volume.map(Self.path(of: key))
    return file.withBytes { Checksum.sha256($0) } == record.fileSHA256 ? record.byteCount : 0
  }

  /// - Complexity: O(bytes); one sync.
  func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    let path = Self.incomingPath(key, record)
    // Shared: gc takes what nobody goes on sending, but not between the look at it and the bytes that follow.
    return try sharingObjects { () throws(StoreError) in
      try volume.lock(Self.incomingLock).hold { () throws(StoreError) in
        let received = try volume.byteCount(path) ?? 0
        guard offset == received, !bytes.isEmpty else { return received }
        guard bytes.count <= record.byteCount - received else {
          throw StoreError(
            kind: .invalid,
            text: "Cannot receive \(key.kind.name) \(key.id): expected \(record.byteCount) bytes, found more than that")
        }
        if received == 0 { try volume.stage(path, bytes) } else { try volume.append(path, bytes) }
        return received + bytes.count
      }
    }
  }

  /// Checks a received file and gives it its place; its name is durable after `syncFolders`.
  /// - Throws: `corrupt` for a file that is not what the record says or the check refuses; it is removed then.
  func place(_ key: ObjectKey, _ record: FileRecord, check: FileCheck?) throws(StoreError) {
    let name = "\(key.kind.name) \(key.id)"
    let incoming = Self.incomingPath(key, record)
    let received = try receivedByteCount(of: key, record)
    guard received == record.byteCount else {
      throw StoreError(
        kind: .notFound, text: "Cannot accept \(name): expected a file of \(record.byteCount) bytes, received \(received)")
    }
    let path = try volume.exists(incoming) ? incoming : Self.path(of: key)
    let file = try volume.map(path)
    do throws(StoreError) {
      let found = file.withBytes { Checksum.sha256($0) }
      guard found == record.fileSHA256 else {
        throw StoreError(
          kind: .corrupt,
          text: "Cannot accept \(name): expected a file with SHA-256 \(Hash256(bytes: record.fileSHA256)), "
            + "received \(Hash256(bytes: found)); it was thrown away, try again")
      }
      try check?(key, file, record)
    } catch {
      if path == incoming { try volume.remove(path) }
      throw error
    }
    try volume.lock(Self.incomingLock).hold { () throws(StoreError) in
      // Somebody who received the same file may have given it its place meanwhile.
      if try volume.exists(incoming) { try volume.move(incoming, to: Self.path(of: key)) }
    }
  }
}

/// Whether a file holds what its id names, for rooms that can read it. - Throws: `corrupt` when not.
package typealias FileCheck = @Sendable (_ key: ObjectKey, _ file: MappedFile, _ record: FileRecord) throws(StoreError) -> Void
