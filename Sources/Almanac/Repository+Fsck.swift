import Columns
import Foundation
import History
import JSON
import Objects
import Online
import Parquet
import Tables

extension Repository {
  /// Reads everything in the repository of a folder, compares it with its ids and checksums, and follows every reference.
  ///
  /// Changes nothing, unless it is to repair: then what can be made anew is (the catalog, the ref log, records of files),
  /// and damaged or missing objects come from the repository of another folder, if one is named that has good copies.
  /// - Parameter source: the folder of the other repository; only with `isRepair`.
  /// - Throws: `AlmanacError`: `notFound` when a folder is no repository; `io` when the catalog cannot be opened, and is
  ///   not to be repaired.
  package static func check(
    at folder: String, isRepair: Bool = false, from source: String? = nil
  ) throws(AlmanacError) -> CheckReport {
    let store = "\(folder)/\(storeName)"
    guard FileManager.default.fileExists(atPath: store) else {
      throw AlmanacError(
        .notFound, "\(folder) is not an Almanac repository: it has no \(storeName) folder",
        hint: "Name a repository with --repo.")
    }
    try AlmanacError.translating { try Archive.refuseOtherFormat(at: store) }
    let other = try source.map { (path) throws(AlmanacError) in try open(at: path).archive }
    return try AlmanacError.translating {
      var done: [String] = []
      if isRepair, try !Archive.catalogProblems(at: store).isEmpty { done = try Archive.rebuildCatalog(at: store, decoder: identity) }
      let (archive, formatProblem): (Archive, CheckReport.Problem?)
      do {
        (archive, formatProblem) = try Archive.openUnchecked(at: store)
      } catch let error as StoreError {
        guard !isRepair, error.kind != .notARepository else { throw error }
        var report = CheckReport()
        report.add(.init(.damage, "the catalog", path: "catalog.sqlite", error.text))
        return report
      }
      var report =
        try isRepair
        ? archive.repair(from: other, decoder: identity, tailCheck: tailProblems, contents: contents)
        : archive.check(decoder: identity, tailCheck: tailProblems, contents: contents)
      if let formatProblem, !isRepair { report.add(formatProblem) }
      let repository = Repository(folder: folder, archive: archive)
      if isRepair, try !repository.generations.isUnused() { done += try repository.repairGenerations() }
      if isRepair { done += try repository.setDamagedAppliedAside() }
      for problem in repository.agreementProblems() { report.add(problem) }
      for problem in repository.generationProblems() { report.add(problem) }
      if !repository.appliedIsReadable {
        report.add(
          .init(.damage, "the note of what was last applied", path: "applied.json", "it cannot be read; `almanac apply` writes it again"))
      }
      if !done.isEmpty { report.prepend(repairs: done) }
      return report
    }
  }

  /// What is wrong with what a root says of one of its tails.
  package static let tailProblems: @Sendable (Archive, RootID, TailEntry) throws -> [String] = { archive, root, tail in
    try TableVersion(archive: archive, root: root).problems(of: tail)
  }

  /// What is wrong with rows, definitions and verdicts whose bytes are those that their ids name.
  package static let contents = ContentCheck(
    versions: { archive, roots in try TableCheck.findings(archive, roots: roots) },
    definitions: { bytes in
      let json = try JSON(parsing: bytes)
      guard json["contracts"]?.objectValue != nil, json["features"]?.objectValue != nil else {
        throw AlmanacError(.io, "expected an object with contracts and features, found \(json.text().prefix(80))")
      }
      _ = try Definitions(json: json)
    },
    verdicts: { bytes in
      let json = try JSON(parsing: bytes)
      guard json.objectValue != nil else { throw AlmanacError(.io, "expected an object, found \(json.text().prefix(80))") }
    })

  /// The id of the rows in the file of a leaf or tail.
  package static let identity: @Sendable (MappedFile) throws -> FileIdentity = { file in
    var reader = try ParquetReader(bytes: BufferSlice(owner: file, start: file.start, byteCount: file.byteCount))
    guard reader.schema.fields.allSatisfy({ $0.id != nil }) else {
      throw AlmanacError(.io, "a column has no field id")
    }
    let all = Array(reader.schema.fields.indices)
    let parts = try (0..<reader.rowGroupCount).map { try reader.read(rowGroup: $0, columns: all) }
    let rows = parts.count == 1 ? parts[0] : parts.isEmpty ? Batch.empty(reader.schema) : Batch.concatenate(parts)
    let leaf = LeafIdentity(Batch(schema: reader.schema, columns: rows.columns, rowCount: rows.rowCount))
    try reader.checkSeal(name: leaf.id.bytes)
    return FileIdentity(hash: leaf.id.hash, rowCount: rows.rowCount, digests: leaf.digests)
  }

  /// Generations whose record, commit or images are not as they should be. All of it can be built again.
  private func generationProblems() -> [CheckReport.Problem] {
    var problems: [CheckReport.Problem] = []
    let store = generations
    func note(_ object: String, _ path: String, _ detail: String) {
      problems.append(.init(.damage, object, path: path, "\(detail); `almanac materialize` builds it again"))
    }
    func check(_ object: String, _ path: String, _ body: () throws -> Void) {
      do { try body() } catch { note(object, path, AlmanacError(error).description) }
    }
    var numbers: [Int] = []
    check("the generations", "online/generations") { numbers = try store.numbers() }
    check("the served generation", "online/current") {
      guard let current = try store.currentNumber() else {
        // As a repair leaves it that cannot tell, and a first `materialize` that was cut off.
        guard !numbers.isEmpty else { return }
        return problems.append(
          .init(
            .note, "the served generation", path: "online/current",
            "nothing says which generation is served, so none is; `almanac materialize` makes one to be served"))
      }
      guard !numbers.contains(current) else { return }
      note("the served generation", "online/current", "there is no generation \(current)")
    }
    var images: [String: String] = [:]
    for number in numbers {
      let path = "online/generations/\(number).json"
      check("generation \(number)", path) {
        let record = try store.record(number)
        for (view, name) in record.images { images[name] = view }
        if try !isWhole(record) {
          note("generation \(number)", path, "it is not the record of a generation of commit \(record.commit.short)")
        } else if !record.isSealed {
          problems.append(
            .init(
              .note, "generation \(number)", path: path,
              "an earlier version wrote it without a checksum; it is what its commit gives, and `almanac materialize` writes one with"))
        }
      }
    }
    for (name, view) in images.sorted(by: { $0.key < $1.key }) {
      check("image \(name)", "online/images/\(name)") { _ = try store.image(name, of: view) }
    }
    return problems
  }

  /// Whether a record names the images that its commit gives.
  private func isWhole(_ record: GenerationStore.Record) throws -> Bool {
    let expected = try imageNames(at: record.commit)
    // Images of another version of the program have other names, and are read by it alone.
    return record.isSealed ? Set(expected.keys) == Set(record.images.keys) : expected == record.images
  }

  /// Whether a record is of no commit that is stored, or not what its commit gives; what cannot be read of the commit the check names.
  func isWrong(_ record: GenerationStore.Record) -> Bool {
    guard (try? archive.isStored(record.commit)) ?? true else { return true }
    return (try? isWhole(record)).map { !$0 } ?? false
  }

  /// Sets records of generations aside that are damaged, and builds images anew that are.
  /// - Returns: what was done, a sentence each.
  private func repairGenerations() throws -> [String] {
    let store = generations
    let lock = try store.lock()
    defer { withExtendedLifetime(lock) {} }
    // The check names what another version wrote.
    guard (try? store.refuseOtherFormats()) != nil else { return [] }
    var done = try store.removeDamaged(isWrong: isWrong)
    for number in try store.numbers() {
      guard let record = try? store.record(number), let expected = try? imageNames(at: record.commit) else { continue }
      let definitions = try definitions(at: record.commit)
      let source = CommitSource(archive: archive, commit: try commit(record.commit), definitions: definitions)
      for view in definitions.features.views {
        guard let name = record.images[view.name], name == expected[view.name], (try? store.image(name, of: view.name)) == nil else {
          continue
        }
        // Rows that are lost are named by the check; an image of them cannot be made.
        guard let image = try? buildImage(view, source: source, buildTimeMicros: Self.nowMicros(), name: name) else { continue }
        try store.putImage(name, image)
        done.append("built image \(name) of \(view.name) again")
      }
    }
    return done
  }
}

extension CheckReport {
  /// The shape of `fsck --json`.
  package var json: JSON {
    [
      "clean": .bool(!isDamaged), "objects": .object(objectCounts.mapValues { .int(Int64($0)) }), "packs": .int(Int64(packCount)),
      "moves": .int(Int64(moveCount)), "bytes": .int(Int64(byteCount)), "repairs": .array(repairs.map { .string($0) }),
      "unrepaired": .array(unrepaired.map { .string($0) }),
      "problems": .array(
        problems.map { problem in
          [
            "severity": .string(problem.severity.rawValue), "object": .string(problem.object), "path": .string(problem.path),
            "detail": .string(problem.detail),
            "touches": .array(
              problem.touches.map { touch in
                [
                  "commit": .string(touch.commit.description), "dataset": touch.dataset.map { .string($0) } ?? .null,
                  "rows": .int(Int64(touch.rowCount)),
                ]
              }),
          ]
        }),
    ]
  }
}
