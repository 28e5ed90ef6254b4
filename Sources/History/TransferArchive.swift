import Objects

/// An archive as a source or target of transfers.
package struct ArchiveRemote: Remote {
  package let archive: Archive
  package let location: String
  private let check: FileCheck?

  /// How much travels in one answer.
  static let commitCountMax = 256
  static let objectByteCountMax = 4 << 20

  /// - Parameter check: applied to every file before it is registered.
  package init(_ archive: Archive, location: String, check: FileCheck? = nil) {
    self.archive = archive
    self.location = location
    self.check = check
  }

  package func state() throws(StoreError) -> RemoteState {
    RemoteState(refs: try archive.refs().filter { $0.kind != .tracking }, head: try archive.headBranch())
  }

  package func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep] {
    try archive.steps(of: ref, afterMicros: afterMicros)
  }

  package func commits(from wanted: [CommitID], excluding: [CommitID]) throws(StoreError) -> [TransferObject] {
    try archive.commits(reachableFrom: wanted, excluding: excluding, limit: Self.commitCountMax).map { id, bytes in
      TransferObject(key: ObjectKey(kind: .commit, id: id.hash), bytes: bytes)
    }
  }

  package func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] { try archive.unregistered(keys) }

  package func objects(_ keys: [ObjectKey]) throws(StoreError) -> [TransferObject] {
    var found: [TransferObject] = []
    var byteCount = 0
    for key in keys where byteCount < Self.objectByteCountMax {
      let bytes: [UInt8]
      if key.kind.hasOwnFile {
        guard let record = try archive.fileRecord(key) else {
          throw StoreError(kind: .notFound, text: "Cannot read \(key.kind.name) \(key.id): it is not stored in \(location)")
        }
        bytes = record.encoded
      } else {
        bytes = try archive.content(key.kind, key.id)
      }
      found.append(TransferObject(key: key, bytes: bytes))
      byteCount += bytes.count
    }
    return found
  }

  package func bytes(of key: ObjectKey, _ range: Range<Int>) throws(StoreError) -> [UInt8] {
    guard key.kind.hasOwnFile else {
      throw StoreError(kind: .invalid, text: "Cannot read the file of \(key.kind.name) \(key.id): it has none of its own")
    }
    guard try archive.fileRecord(key) != nil else {
      throw StoreError(kind: .notFound, text: "Cannot read \(key.kind.name) \(key.id): it is not stored in \(location)")
    }
    return try archive.volume.read(Archive.path(of: key), from: range.lowerBound, byteCount: range.count)
  }

  package func receivedByteCount(of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    try archive.receivedByteCount(of: key, record)
  }

  package func receive(_ bytes: [UInt8], at offset: Int, of key: ObjectKey, _ record: FileRecord) throws(StoreError) -> Int {
    guard key.kind.hasOwnFile else {
      throw StoreError(kind: .invalid, text: "Cannot receive a file of \(key.kind.name) \(key.id): it has none of its own")
    }
    return try archive.receive(bytes, at: offset, of: key, record)
  }

  package func register(_ objects: [TransferObject]) throws(StoreError) { try archive.accept(objects, check: check) }

  package func move(_ update: RefUpdate) throws(StoreError) -> RefUpdateOutcome {
    guard update.kind != .tracking else {
      throw StoreError(kind: .invalid, text: "Cannot move \(update.name): only branches and tags are moved from elsewhere")
    }
    return try archive.move(update)
  }
}
