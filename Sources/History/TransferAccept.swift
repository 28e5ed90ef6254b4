import Objects

extension Archive {
  /// Registers objects that came from elsewhere, in one pack and one transaction.
  ///
  /// Durable on return. Objects that are registered already are left as they are. The files of leaves and tails must have been
  /// received.
  /// - Throws: `corrupt` when bytes are not what their id names; `notFound` when an object names one that is neither among
  ///   them nor registered, or a file has not been received whole.
  /// - Complexity: O(bytes of objects and files)
  func accept(_ objects: [TransferObject], check: FileCheck?) throws(StoreError) {
    for object in objects { try object.verify() }
    // gc removes nothing between the look at what is there and the transaction that builds on it.
    try sharingObjects { () throws(StoreError) in try register(objects, check: check) }
  }

  private func register(_ objects: [TransferObject], check: FileCheck?) throws(StoreError) {
    let absent = Set(try unregistered(objects.map(\.key)))
    let new = objects.filter { absent.contains($0.key) }
    guard !new.isEmpty else { return }
    let given = Set(objects.map(\.key))
    for object in new {
      let outside = try object.references().filter { !given.contains($0) }
      guard let lost = try unregistered(outside).first else { continue }
      throw StoreError(
        kind: .notFound, text: "Cannot accept \(object.name): it names \(lost.kind.name) \(lost.id), which is not stored")
    }
    var files: [(key: ObjectKey, record: FileRecord)] = []
    for object in new where object.key.kind.hasOwnFile {
      let record = try FileRecord(decoding: object.bytes, object: object.name)
      try place(object.key, record, check: check)
      files.append((object.key, record))
    }
    let pack = Pack(new.map { ($0.key.kind, $0.key.id, $0.bytes) })
    try volume.stage(pack.path, pack.bytes)
    let folders = files.flatMap { $0.key.kind == .leaf ? [Self.folder(of: $0.key), "leaves"] : [Self.folder(of: $0.key)] }
    try volume.syncFolders(["packs"] + folders)
    let records =
      files.map { key, record in
        ObjectRecord(
          kind: key.kind.rawValue, id: key.id.bytes, place: .ownFile, byteCount: record.byteCount,
          fileSHA256: record.fileSHA256, digests: record.digests)
      }
      + pack.entries.filter { !$0.kind.hasOwnFile }.map { entry in
        ObjectRecord(
          kind: entry.kind.rawValue, id: entry.id.bytes, place: .pack(name: pack.name, offset: entry.offset),
          byteCount: entry.byteCount)
      }
    _ = try catalog.register(records, moving: nil, nowMicros: now())
  }

  /// Those of the objects that are not registered, or whose file is missing or has another size than it had.
  /// - Parameter renewingAge: those that are there get a new age, so that a lease for work keeps them.
  func unregistered(_ keys: [ObjectKey], renewingAge: Bool = false) throws(StoreError) -> [ObjectKey] {
    guard renewingAge else { return try absent(keys) }
    return try sharingObjects { () throws(StoreError) in
      let absent = try absent(keys)
      let lost = Set(absent)
      try renewAge(of: keys.filter { !lost.contains($0) })
      return absent
    }
  }

  private func absent(_ keys: [ObjectKey]) throws(StoreError) -> [ObjectKey] {
    var missing: [ObjectKey] = []
    for kind in ObjectKind.allCases {
      let asked = keys.filter { $0.kind == kind }
      guard !asked.isEmpty else { continue }
      let absent = Set(try catalog.missing(kind: kind.rawValue, ids: asked.map(\.id.bytes)))
      for key in asked {
        if absent.contains(key.id.bytes) {
          missing.append(key)
        } else if kind.hasOwnFile, try !hasFile(key) {
          missing.append(key)
        }
      }
    }
    return missing
  }
}
