import Objects

extension Archive {
  /// Reads everything that is stored, compares it with its ids, checksums and the catalog, and follows every reference.
  ///
  /// Changes nothing. Others may write meanwhile: objects that gc would take are kept until the end.
  /// - Parameter decoder: gives the id of the rows in the file of a leaf or tail; nil: its bytes are compared with the
  ///   catalog's checksum only.
  /// - Parameter tailCheck: compares what a root says of one of its tails with the tail's file, and gives what is wrong.
  /// - Parameter contents: what those say who know rows and definitions.
  /// - Complexity: O(bytes stored), files on all processors.
  package func check(
    decoder: (@Sendable (MappedFile) throws -> FileIdentity)?,
    tailCheck: (@Sendable (Archive, RootID, TailEntry) throws -> [String])? = nil, contents: ContentCheck = .none
  ) throws(StoreError) -> CheckReport {
    if isReadOnly { return try checked(decoder, tailCheck, contents).report }
    return try sharingObjects { () throws(StoreError) in try checked(decoder, tailCheck, contents).report }
  }

  private func checked(
    _ decoder: StoreCheck.Decoder?, _ tailCheck: StoreCheck.TailCheck?, _ contents: ContentCheck
  ) throws(StoreError) -> StoreCheck {
    var check = StoreCheck(self, decoder: decoder, tailCheck: tailCheck, contents: contents)
    try check.run()
    return check
  }

  /// Puts right what a check finds: the catalog's places from the packs, the records of files from the files, the ref log
  /// from the catalog, and damaged or missing objects from another repository.
  ///
  /// Meant for a repository that nobody writes to meanwhile; writers wait.
  /// - Parameter source: nil: nothing is restored that is not here.
  /// - Returns: what a check finds afterwards, with what was done.
  package func repair(
    from source: Archive?, decoder: (@Sendable (MappedFile) throws -> FileIdentity)?,
    tailCheck: (@Sendable (Archive, RootID, TailEntry) throws -> [String])? = nil, contents: ContentCheck = .none
  ) throws(StoreError) -> CheckReport {
    try refuseReadOnly("repair it")
    return try holdingMaintenance { () throws(StoreError) in
      try holdingObjects { () throws(StoreError) in
        var done: [String] = []
        if try Self.formatProblem(volume) != nil {
          try volume.writeDurably(Self.formatPath, Self.formatBytes)
          done.append("wrote the file format again")
        }
        var repair = StoreRepair(try checked(decoder, tailCheck, contents), source: source)
        try repair.run()
        nodeCache.withLock { $0.removeAll() }
        var report = try checked(decoder, tailCheck, contents).report
        report.repairs = done + repair.done
        return report
      }
    }
  }

  /// Opens a store for a check or repair, whatever its file `format` says.
  /// - Returns: the store, and what is wrong with that file.
  /// - Throws: as the catalog's `open`.
  package static func openUnchecked(at folder: String) throws(StoreError) -> (archive: Archive, problem: CheckReport.Problem?) {
    let volume = LocalVolume(root: folder)
    let archive = Archive(volume: volume, catalog: try Catalog.open(at: catalogPath(volume)), now: { Clock.nowMicros() })
    return (archive, try formatProblem(volume))
  }

  static func formatProblem(_ volume: any Volume) throws(StoreError) -> CheckReport.Problem? {
    let found = try volume.exists(formatPath) ? try volume.read(formatPath) : nil
    guard found != formatBytes else { return nil }
    return CheckReport.Problem(
      .damage, "the file format", path: formatPath,
      found == nil ? "the file is missing" : "expected \(String(decoding: formatBytes, as: UTF8.self))")
  }

  /// Makes the catalog of a store anew from its packs, its files and the ref log, and keeps the old one, if there is one, as
  /// `catalog.sqlite.damaged`. Nobody may use the store meanwhile.
  /// - Returns: what was done, in a sentence.
  package static func rebuildCatalog(
    at folder: String, decoder: (@Sendable (MappedFile) throws -> FileIdentity)?
  ) throws(StoreError) -> String {
    let volume = LocalVolume(root: folder)
    let temporary = "\(catalogName).rebuilt"
    for suffix in ["", "-wal", "-shm"] { try volume.remove(temporary + suffix) }
    let counts: (objectCount: Int, moveCount: Int)
    do {
      let catalog = try Catalog.create(at: volume.absolutePath(temporary))
      counts = try CatalogRebuild(volume: volume, decoder: decoder).fill(catalog, now: { Clock.nowMicros() })
      try catalog.close()
    }
    // A `-wal` of the old one would be taken for one of the new.
    for suffix in ["-wal", "-shm"] { try volume.remove(catalogName + suffix) }
    if try volume.exists(catalogName) { try volume.move(catalogName, to: "\(catalogName).damaged") }
    try volume.move(temporary, to: catalogName)
    try volume.syncFolders([""])
    return "made the catalog anew: \(counts.objectCount) objects, \(counts.moveCount) moves of refs"
  }
}
