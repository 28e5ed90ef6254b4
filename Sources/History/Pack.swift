import Objects

/// Many small objects in one file, written at once (docs/format/repository.md).
package struct Pack {
  struct Entry: Hashable {
    let kind: ObjectKind
    let id: Hash256
    let offset: Int
    let byteCount: Int
  }

  static let magic = Array("ALMPACK".utf8) + [1]
  /// Stands where the kind of an entry would.
  private static let endMark: UInt8 = 0

  /// Hexadecimal SHA-256 of the bytes before it at the end of the file.
  let name: String
  package let bytes: [UInt8]
  let entries: [Entry]

  var path: String { Self.path(ofName: name) }
  static func path(ofName name: String) -> String { "packs/\(name).pack" }

  init(_ objects: [(kind: ObjectKind, id: Hash256, bytes: [UInt8])]) {
    var bytes = Self.magic
    bytes.reserveCapacity(objects.reduce(64) { $0 + $1.bytes.count + 41 })
    var entries: [Entry] = []
    for object in objects {
      bytes.append(object.kind.rawValue)
      bytes += object.id.bytes
      bytes.appendLittleEndian(UInt64(object.bytes.count))
      entries.append(Entry(kind: object.kind, id: object.id, offset: bytes.count, byteCount: object.bytes.count))
      bytes += object.bytes
    }
    bytes.append(Self.endMark)
    bytes.appendLittleEndian(UInt64(objects.count))
    let checksum = Hash256(bytes: Checksum.sha256(bytes))
    bytes += checksum.bytes
    name = checksum.description
    self.bytes = bytes
    self.entries = entries
  }

  /// - Throws: `corrupt` unless the bytes are a whole pack of that name. The objects themselves are not checked against their ids.
  init(decoding bytes: [UInt8], name: String, path: String) throws(StoreError) {
    var reader = ByteReader(bytes, object: "pack \(path)")
    guard bytes.count >= Self.magic.count + 9 + Hash256.byteCount else {
      throw reader.corrupt("expected at least \(Self.magic.count + 9 + Hash256.byteCount) bytes, found \(bytes.count)")
    }
    guard try Array(reader.take(Self.magic.count, "magic")) == Self.magic else {
      throw reader.corrupt("it does not start as a pack of format 1 does")
    }
    let checksum = Hash256(bytes: Checksum.sha256(Array(bytes.dropLast(Hash256.byteCount))))
    let stored = Hash256(bytes: bytes.suffix(Hash256.byteCount))
    guard checksum == stored, stored.description == name else {
      throw reader.corrupt("expected SHA-256 \(name), found \(checksum)")
    }
    var entries: [Entry] = []
    while true {
      let mark = try reader.integer(UInt8.self, "kind")
      if mark == Self.endMark { break }
      guard let kind = ObjectKind(rawValue: mark) else { throw reader.corrupt("unknown kind of object \(mark)") }
      let id = Hash256(bytes: try reader.take(Hash256.byteCount, "id"))
      let count = try reader.count(UInt64.self, "object byte count", most: bytes.count)
      entries.append(Entry(kind: kind, id: id, offset: reader.position, byteCount: count))
      _ = try reader.take(count, "object")
    }
    let count = try reader.integer(UInt64.self, "object count")
    guard count == UInt64(entries.count), reader.position + Hash256.byteCount == bytes.count else {
      throw reader.corrupt("expected \(count) objects, found \(entries.count)")
    }
    self.name = name
    self.bytes = bytes
    self.entries = entries
  }
}

/// What the catalog knows of the file of a leaf or tail, as it stands in a pack, so that the catalog can be rebuilt.
package struct FileRecord: Hashable, Sendable {
  package let byteCount: Int
  package let fileSHA256: [UInt8]
  package let digests: [UInt8]

  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt64(byteCount))
    return bytes + fileSHA256 + digests
  }

  package init(byteCount: Int, fileSHA256: [UInt8], digests: [UInt8]) {
    self.byteCount = byteCount
    self.fileSHA256 = fileSHA256
    self.digests = digests
  }

  package init(decoding bytes: [UInt8], object: String) throws(StoreError) {
    var reader = ByteReader(bytes, object: object)
    byteCount = try reader.count(UInt64.self, "byte count", most: 1 << 48)
    fileSHA256 = Array(try reader.take(Hash256.byteCount, "SHA-256"))
    digests = Array(try reader.take(bytes.count - reader.position, "digests"))
  }
}
