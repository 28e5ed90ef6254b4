import Objects
import Synchronization

/// Leaves and tails: objects with files of their own.
extension Archive {
  static func path(of key: ObjectKey) -> String {
    let hex = key.id.description
    // A commit writes one tail and many leaves; a flat folder spares it a sync.
    return key.kind == .tail ? "tails/\(hex).parquet" : "leaves/\(hex.prefix(2))/\(hex.dropFirst(2)).parquet"
  }

  static func folder(of key: ObjectKey) -> String { VolumePath.folder(of: path(of: key)) }

  // MARK: Leaves

  /// Where the file of a leaf is, for programs that read it in place.
  package func leafPath(_ id: LeafID) -> String { volume.absolutePath(Self.path(of: ObjectKey(id))) }

  /// Whether the leaf is stored whole: its file is read and compared with what was put. Renews its age if so, so that gc
  /// leaves it to the commit that is going to name it.
  /// - Complexity: O(bytes), at the speed of SHA-256.
  package func hasLeaf(_ id: LeafID) throws(StoreError) -> Bool { try hasFile(ObjectKey(id)) }

  /// Stores the file of a leaf. Its content is durable on return; its name is when a commit that names it is published.
  ///
  /// A leaf that is stored already, with the bytes that the catalog knows, keeps its file and gets a new age; one whose file
  /// is missing or damaged gets this file, and with it is whole again for every commit that names it.
  /// - Parameter digests: opaque bytes kept beside the leaf.
  package func putLeaf(_ id: LeafID, bytes: UnsafeRawBufferPointer, digests: [UInt8]) throws(StoreError) {
    try putFile(ObjectKey(id), bytes, digests: digests)
  }

  /// The file of a leaf as memory.
  /// - Throws: `notFound` for an id that is not stored, `corrupt` when its file is missing or has another size than it had.
  package func mapLeaf(_ id: LeafID) throws(StoreError) -> MappedFile { try mapFile(ObjectKey(id)) }

  /// The digests that were put with the leaf; nil for an id that is not stored.
  package func leafDigests(_ id: LeafID) throws(StoreError) -> [UInt8]? { try fileRecord(ObjectKey(id))?.digests }

  /// Reads the whole file of a leaf and compares it with what was put.
  package func verifyLeaf(_ id: LeafID) throws(StoreError) { try verifyFile(ObjectKey(id)) }

  // MARK: Tails

  /// Where the file of a tail is, for programs that read it in place.
  package func tailPath(_ id: TailID) -> String { volume.absolutePath(Self.path(of: ObjectKey(id))) }

  /// Stores the file of a tail, as `putLeaf` stores one of a leaf.
  package func putTail(_ id: TailID, bytes: UnsafeRawBufferPointer, digests: [UInt8]) throws(StoreError) {
    try putFile(ObjectKey(id), bytes, digests: digests)
  }

  /// The file of a tail as memory. - Throws: as `mapLeaf`.
  package func mapTail(_ id: TailID) throws(StoreError) -> MappedFile {
    if let file = held.withLock({ $0[ObjectKey(id)]?.file }) { return file }
    return try mapFile(ObjectKey(id))
  }

  /// Lets a tail be read that is stored nowhere: a version that a computation needs on its way and that no root ever names.
  ///
  /// It stays until it has been released as often as it was held.
  package func holdTail(_ id: TailID, bytes: UnsafeRawBufferPointer) {
    let file = MappedFile(copying: bytes)
    held.withLock { held in held[ObjectKey(id)] = (file, (held[ObjectKey(id)]?.holderCount ?? 0) + 1) }
  }

  package func releaseTail(_ id: TailID) {
    held.withLock { held in
      guard let (file, count) = held.removeValue(forKey: ObjectKey(id)), count > 1 else { return }
      held[ObjectKey(id)] = (file, count - 1)
    }
  }

  // MARK: Both

  func hasFile(_ key: ObjectKey) throws(StoreError) -> Bool {
    // A look before the lock: what is new need not wait for a gc.
    guard try fileRecord(key) != nil else { return false }
    // Shared: between the look and the new age nobody removes the file, or forgets it.
    return try sharingObjects { () throws(StoreError) in
      guard let record = try fileRecord(key) else { return false }
      let path = Self.path(of: key)
      guard try volume.byteCount(path) == record.byteCount else { return false }
      let file: MappedFile
      do throws(StoreError) {
        file = try volume.map(path)
      } catch  where error.kind == .notFound {
        return false
      }
      guard file.withBytes({ Checksum.sha256($0) }) == record.fileSHA256 else { return false }
      try volume.renewAge(path)
      return true
    }
  }

  func putFile(_ key: ObjectKey, _ bytes: UnsafeRawBufferPointer, digests: [UInt8]) throws(StoreError) {
    if try hasFile(key) { return }
    let record = FileRecord(byteCount: bytes.count, fileSHA256: Checksum.sha256(bytes), digests: digests)
    try sharingObjects { () throws(StoreError) in
      try volume.stage(Self.path(of: key), bytes)
      // Commits name this object already, so it must not wait for another commit to be whole.
      if try catalog.object(kind: key.kind.rawValue, id: key.id.bytes) != nil { try registerFile(key, record) }
    }
    staged.withLock { $0[key] = record }
  }

  /// Makes durable what is known of a file, and the name of the file.
  func registerFile(_ key: ObjectKey, _ record: FileRecord) throws(StoreError) {
    let durable = try makeDurable([], [key: record])
    _ = try catalog.register(durable.records, packs: durable.pack.map { [$0] } ?? [], moving: nil, nowMicros: now())
  }

  func mapFile(_ key: ObjectKey) throws(StoreError) -> MappedFile {
    let name = "\(key.kind.name) \(key.id)"
    guard let record = try fileRecord(key) else {
      throw StoreError(kind: .notFound, text: "Cannot read \(name): it is not stored in \(volume.absolutePath(""))")
    }
    let path = volume.absolutePath(Self.path(of: key))
    let file: MappedFile
    do {
      file = try volume.map(Self.path(of: key))
    } catch  where error.kind == .notFound {
      throw StoreError(kind: .corrupt, text: "Cannot read \(name): its file \(path) is missing")
    }
    guard file.byteCount == record.byteCount else {
      throw StoreError(
        kind: .corrupt, text: "Cannot read \(name) from \(path): expected \(record.byteCount) bytes, found \(file.byteCount)")
    }
    return file
  }

  func verifyFile(_ key: ObjectKey) throws(StoreError) {
    let file = try mapFile(key)
    let found = file.withBytes { Checksum.sha256($0) }
    guard let expected = try fileRecord(key)?.fileSHA256, found != expected else { return }
    let path = volume.absolutePath(Self.path(of: key))
    throw StoreError(
      kind: .corrupt,
      text:
        "Cannot read \(key.kind.name) \(key.id) from \(path): expected SHA-256 \(Hash256(bytes: expected)), found \(Hash256(bytes: found))")
  }

  func fileRecord(_ key: ObjectKey) throws(StoreError) -> FileRecord? {
    if let record = staged.withLock({ $0[key] }) { return record }
    guard let record = try catalog.object(kind: key.kind.rawValue, id: key.id.bytes) else { return nil }
    guard let sum = record.fileSHA256, sum.count == Hash256.byteCount else {
      throw StoreError(kind: .corrupt, text: "Cannot look up \(key.kind.name) \(key.id): the catalog has no SHA-256 of its file")
    }
    return FileRecord(byteCount: record.byteCount, fileSHA256: sum, digests: record.digests ?? [])
  }
}

extension ObjectKey {
  init(_ id: LeafID) { self.init(kind: .leaf, id: id.hash) }
  init(_ id: TailID) { self.init(kind: .tail, id: id.hash) }
}
