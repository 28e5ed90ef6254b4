import Objects

/// An archive as a source or target of transfers.
package struct ArchiveRemote: Remote {
  package let archive: Archive
  package let location: String
  private let check: FileCheck?
  private let refCheck: RefCheck?
  /// Nil when it is not for one transfer.
  private let hold: TransferHold?

  /// How much travels in one answer.
  static let commitCountMax = 256
  static let objectByteCountMax = 4 << 20

  /// - Parameters:
  ///   - check: applied to every file before it is registered.
  ///   - refCheck: applied to every branch and tag before it is moved.
  package init(_ archive: Archive, location: String, check: FileCheck? = nil, refCheck: RefCheck? = nil) {
    self.init(archive, location: location, check: check, refCheck: refCheck, hold: nil)
  }

  private init(_ archive: Archive, location: String, check: FileCheck?, refCheck: RefCheck?, hold: TransferHold?) {
    self.archive = archive
    self.location = location
    self.check = check
    self.refCheck = refCheck
    self.hold = hold
  }

  package func beginWork() throws(StoreError) -> any Remote {
    // Where nothing can be written nothing is removed either, as far as can be known from here.
    archive.isReadOnly
      ? self : ArchiveRemote(archive, location: location, check: check, refCheck: refCheck, hold: try TransferHold(archive))
  }

  package func endWork() { hold?.release() }

  package func state() throws(StoreError) -> RemoteState {
    RemoteState(refs: try archive.refs().filter { $0.kind != .tracking }, head: try archive.headBranch())
  }

  package func moves(of ref: String, afterMicros: Int64) throws(StoreError) -> [RefStep] {
    try archive.steps(of: ref, afterMicros: afterMicros)
  }

  package func commits(from wanted: [CommitID], excluding: [CommitID]) throws(StoreError) -> [TransferObject] {
    try hold?.add(wanted)
    return try archive.commits(reachableFrom: wanted, excluding: excluding, limit: Self.commitCountMax).map { id, bytes in
      TransferObject(key: ObjectKey(kind: .commit, id: id.hash), bytes: bytes)
    }
  }

  package func missing(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] {
    try archive.unregistered(keys, renewingAge: hold != nil)
  }

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
    try refCheck?(archive, update)
    return try archive.move(update)
  }
}

/// Whether a ref may stand for a commit that was pushed, for rooms that can tell. - Throws: `refused` when not.
package typealias RefCheck = @Sendable (_ archive: Archive, _ update: RefUpdate) throws(StoreError) -> Void
