import Objects
import Synchronization

extension Archive {
  private static func path(of id: LeafID) -> String {
    let hex = id.hex
    return "leaves/\(hex.prefix(2))/\(hex.dropFirst(2)).parquet"
  }

  static func folder(of id: LeafID) -> String { "leaves/\(id.hex.prefix(2))" }

  /// Where the file of a leaf is, for programs that read it in place.
  package func leafPath(_ id: LeafID) -> String { volume.absolutePath(Self.path(of: id)) }

  /// Whether the leaf is stored whole, as far as its size tells. Renews its age if so, so that a commit which is going to
  /// name it finds it.
  package func hasLeaf(_ id: LeafID) throws(StoreError) -> Bool {
    guard let expected = try leafRecord(id)?.byteCount else { return false }
    guard try volume.byteCount(Self.path(of: id)) == expected else { return false }
    try volume.renewAge(Self.path(of: id))
    return true
  }

  /// Stores the file of a leaf. Its content is durable on return; its name is when a commit that names it is published.
  ///
  /// A leaf that is stored already, with the size that the catalog knows, keeps its file and gets a new age; one whose file
  /// is missing or has another size gets this file.
  /// - Parameter digests: opaque bytes kept beside the leaf.
  package func putLeaf(_ id: LeafID, bytes: UnsafeRawBufferPointer, digests: [UInt8]) throws(StoreError) {
    if try hasLeaf(id) { return }
    let path = Self.path(of: id)
    try volume.stage(path, bytes)
    let record = LeafRecord(byteCount: bytes.count, fileSHA256: Checksum.sha256(bytes), digests: digests)
    staged.withLock { $0[id] = record }
  }

  /// The file of a leaf as memory.
  /// - Throws: `notFound` for an id that is not stored, `corrupt` when its file is missing or has another size than it had.
  package func mapLeaf(_ id: LeafID) throws(StoreError) -> MappedFile {
    guard let record = try leafRecord(id) else {
      throw StoreError(kind: .notFound, text: "Cannot read leaf \(id): it is not stored in \(volume.absolutePath(""))")
    }
    let file: MappedFile
    do {
      file = try volume.map(Self.path(of: id))
    } catch  where error.kind == .notFound {
      throw StoreError(kind: .corrupt, text: "Cannot read leaf \(id): its file \(leafPath(id)) is missing")
    }
    guard file.byteCount == record.byteCount else {
      throw StoreError(
        kind: .corrupt, text: "Cannot read leaf \(id) from \(leafPath(id)): expected \(record.byteCount) bytes, found \(file.byteCount)")
    }
    return file
  }

  /// The digests that were put with the leaf; nil for an id that is not stored.
  package func leafDigests(_ id: LeafID) throws(StoreError) -> [UInt8]? { try leafRecord(id)?.digests }

  /// Reads the whole file of a leaf and compares it with what was put.
  package func verifyLeaf(_ id: LeafID) throws(StoreError) {
    let file = try mapLeaf(id)
    let found = file.withBytes { Checksum.sha256($0) }
    guard let expected = try leafRecord(id)?.fileSHA256, found != expected else { return }
    throw StoreError(
      kind: .corrupt,
      text: "Cannot read leaf \(id) from \(leafPath(id)): expected SHA-256 \(Hash256(bytes: expected)), found \(Hash256(bytes: found))")
  }

  func leafRecord(_ id: LeafID) throws(StoreError) -> LeafRecord? {
    if let record = staged.withLock({ $0[id] }) { return record }
    guard let record = try catalog.object(kind: ObjectKind.leaf.rawValue, id: id.bytes) else { return nil }
    guard let sum = record.fileSHA256, sum.count == Hash256.byteCount else {
      throw StoreError(kind: .corrupt, text: "Cannot look up leaf \(id): the catalog has no SHA-256 of its file")
    }
    return LeafRecord(byteCount: record.byteCount, fileSHA256: sum, digests: record.digests ?? [])
  }
}
