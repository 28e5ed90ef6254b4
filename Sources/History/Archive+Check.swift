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

  /// A repair that finds nothing more to do comes long before.
  private static let repairCountMax = 8

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
    try Self.refuseOtherFormat(volume)
    try refuseReadOnly("repair it")
    return try holdingMaintenance { () throws(StoreError) in
      try holdingObjects { () throws(StoreError) in
        var done: [String] = []
        if try Self.formatProblem(volume) != nil {
          try volume.writeDurably(Self.formatPath, Self.formatBytes)
          done.append("wrote the file format again")
        }
        // What one repair brings back, moves of refs above all, may lead to more that can be put right.
        var check = try checked(decoder, tailCheck, contents)
        var unrepaired: [String] = []
        for _ in 0..<Self.repairCountMax {
          var repair = StoreRepair(check, source: source)
          try repair.run()
          unrepaired = repair.undone
          let problems = check.report.problems
          if repair.done.isEmpty && problems.isEmpty { break }
          done += repair.done
          nodeCache.withLock { $0.removeAll() }
          check = try checked(decoder, tailCheck, contents)
          // Records of files and the end of the ref log are written without a word.
          if repair.done.isEmpty && check.report.problems == problems { break }
        }
        var report = check.report
        report.repairs = done
        report.unrepaired = unrepaired
        return report
      }
    }
  }

  /// Opens a store for a check or repair, though its file `format` may be damaged.
  /// - Returns: the store, and what is wrong with that file.
  /// - Throws: `notARepository` for a format or a catalog of another version of the program; else as the catalog's `open`.
  package static func openUnchecked(at folder: String) throws(StoreError) -> (archive: Archive, problem: CheckReport.Problem?) {
    let volume = LocalVolume(root: folder)
    try refuseOtherFormat(volume)
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

  // MARK: Catalog

  /// What in the catalog of a store cannot be, or cannot be read at all, so that a repair makes it anew.
  /// - Throws: `notARepository` for a format or a catalog of another version of the program.
  package static func catalogProblems(at folder: String) throws(StoreError) -> [CheckReport.Problem] {
    try refuseOtherFormat(at: folder)
    do throws(StoreError) {
      let volume = LocalVolume(root: folder)
      let catalog = try Catalog.open(at: catalogPath(volume))
      let survey = try catalog.survey()
      let problems = CatalogAudit(survey).problems.filter { $0.severity == .damage }
      // A pack or a log that cannot be read says nothing about the catalog.
      guard problems.isEmpty, (try? survey.isForeign(to: volume, catalog)) ?? false else { return problems }
      return [CheckReport.Problem(.damage, "the catalog", path: catalogName, "it is that of another repository")]
    } catch {
      guard error.kind != .notARepository else { throw error }
      return [CheckReport.Problem(.damage, "the catalog", path: catalogName, error.text)]
    }
  }

  /// Makes the catalog of a store anew from its packs, its files and the ref log, with what can be read of the old one: settings,
  /// moves that the log has not, what refs stood for. The old one, if there is one, stays as `catalog.sqlite.damaged`.
  ///
  /// Nobody may use the store meanwhile; writers wait.
  /// - Returns: what was done, a sentence each.
  /// - Throws: `notARepository` for a format or a catalog of another version of the program.
  package static func rebuildCatalog(
    at folder: String, decoder: (@Sendable (MappedFile) throws -> FileIdentity)?
  ) throws(StoreError) -> [String] {
    let volume = LocalVolume(root: folder)
    try refuseOtherFormat(volume)
    return try volume.lock(gcLockPath, .exclusive).hold { () throws(StoreError) in
      try volume.lock(objectsLockPath, .exclusive).hold { () throws(StoreError) in
        try replaceCatalog(volume, CatalogRebuild(volume: volume, decoder: decoder, survey: survey(volume)))
      }
    }
  }

  /// What can be read of a catalog; nil: nothing.
  private static func survey(_ volume: LocalVolume) throws(StoreError) -> CatalogSurvey? {
    let catalog: Catalog
    do throws(StoreError) {
      catalog = try Catalog.open(at: catalogPath(volume))
    } catch {
      guard error.kind != .notARepository else { throw error }
      return nil
    }
    let survey = try? catalog.survey()
    // So that its own file has all that it says.
    try? catalog.close()
    return survey
  }

  private static func replaceCatalog(_ volume: LocalVolume, _ rebuild: CatalogRebuild) throws(StoreError) -> [String] {
    let temporary = "\(catalogName).rebuilt"
    let suffixes = ["", "-wal", "-shm"]
    for suffix in suffixes { try volume.remove(temporary + suffix) }
    let catalog = try Catalog.create(at: volume.absolutePath(temporary))
    let counts = try rebuild.fill(catalog, now: { Clock.nowMicros() })
    try catalog.close()
    for suffix in suffixes {
      try volume.remove("\(catalogName).damaged\(suffix)")
      // Under its old name a `-wal` would be taken for one of the new catalog.
      if try volume.exists(catalogName + suffix) { try volume.move(catalogName + suffix, to: "\(catalogName).damaged\(suffix)") }
    }
    try volume.move(temporary, to: catalogName)
    try volume.syncFolders([""])
    return ["made the catalog anew: \(counts.objectCount) objects, \(counts.moveCount) moves of refs"] + counts.sentences
  }
}
