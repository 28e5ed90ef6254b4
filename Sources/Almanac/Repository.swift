import Columns
import Features
import Foundation
import History
import JSON
import Objects
import Synchronization
import Tables

/// One repository: datasets, definitions and their whole history, in the `.almanac` folder beside `almanac.yaml`.
///
/// Safe to use from several threads and processes at once: refs move by compare-and-swap, and what is stored never changes.
public final class Repository: Sendable {
  /// The folder that holds `almanac.yaml`.
  public let folder: String
  package let archive: Archive
  /// When small writes become tails.
  let tailPolicy: TailPolicy
  package static let settingsName = "almanac.yaml"
  package static let storeName = ".almanac"

  /// - Parameters:
  ///   - archive: the store, which may be anywhere; generations lie in the folder in any case.
  ///   - tailPolicy: another than the standard one makes other roots, though of the same rows, until they are sealed.
  package init(folder: String, archive: Archive, tailPolicy: TailPolicy = .standard) {
    self.folder = folder
    self.archive = archive
    self.tailPolicy = tailPolicy
  }

  var storeFolder: String { "\(folder)/\(Self.storeName)" }

  /// Opens the repository whose `almanac.yaml` lies in `folder`.
  /// - Throws: `AlmanacError` of kind `notFound` when it is not a repository, `io` when it is damaged.
  public static func open(at folder: String) throws(AlmanacError) -> Repository {
    guard FileManager.default.fileExists(atPath: "\(folder)/\(storeName)") else {
      throw AlmanacError(
        .notFound, "\(folder) is not an Almanac repository: it has no \(storeName) folder",
        hint: "Run `almanac init` there, or name a repository with --repo.")
    }
    let archive = try AlmanacError.translating { try Archive.open(at: "\(folder)/\(storeName)") }
    return Repository(folder: folder, archive: archive)
  }

  /// Opens the repository of the nearest folder, from `start` upwards, that has an `almanac.yaml`.
  public static func find(from start: String) throws(AlmanacError) -> Repository { try open(at: folder(around: start)) }

  /// The nearest folder, from `start` upwards, that has an `almanac.yaml`.
  public static func folder(around start: String) throws(AlmanacError) -> String {
    var url = URL(fileURLWithPath: start).standardizedFileURL
    while true {
      if FileManager.default.fileExists(atPath: url.appendingPathComponent(settingsName).path) { return url.path }
      let parent = url.deletingLastPathComponent()
      if parent.path == url.path || url.path == "/" { break }
      url = parent
    }
    throw AlmanacError(
      .notFound, "Neither \(start) nor a folder above it is an Almanac repository",
      hint: "Run `almanac init` to make one, or name one with --repo.")
  }

  /// Makes a new repository with commented examples; files that are already there stay as they are.
  /// - Throws: `AlmanacError` of kind `failed` when the folder is a repository already.
  public static func create(at folder: String) throws(AlmanacError) -> Repository {
    if FileManager.default.fileExists(atPath: "\(folder)/\(storeName)") {
      try AlmanacError.translating { try Archive.refuseOtherFormat(at: "\(folder)/\(storeName)") }
      throw AlmanacError(.failed, "\(folder) is an Almanac repository already")
    }
    do {
      for name in ["schemas", "features"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      }
      for (name, text) in InitialFiles.all where !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
        try OutputPlace.write(text.utf8, to: "\(folder)/\(name)")
      }
    } catch let error as AlmanacError {
      throw error
    } catch {
      throw AlmanacError(.io, "Cannot make a repository in \(folder): \(error.localizedDescription)")
    }
    let archive = try AlmanacError.translating { try Archive.create(at: "\(folder)/\(storeName)") }
    return Repository(folder: folder, archive: archive)
  }

  // MARK: Commits

  /// The commit that a spelling such as `main~2` names.
  package func resolve(_ spec: String) throws(AlmanacError) -> CommitID {
    try AlmanacError.translating { try archive.resolve(spec) }
  }

  package func commit(_ id: CommitID) throws(AlmanacError) -> Commit {
    try AlmanacError.translating { try archive.commit(id) }
  }

  /// The commit a branch points to, nil before its first commit.
  package func tip(of branch: String) throws(AlmanacError) -> CommitID? {
    try AlmanacError.translating { try archive.refs().first { $0.name == branch && $0.kind == .branch }?.commit }
  }

  package func headBranch() throws(AlmanacError) -> String {
    try AlmanacError.translating { try archive.headBranch() }
  }

  /// One dataset at one commit.
  package func table(_ dataset: String, at id: CommitID) throws(AlmanacError) -> TableVersion {
    let commit = try commit(id)
    guard let reference = commit.datasets[dataset] else {
      throw unknownDataset(dataset, known: Array(commit.datasets.keys), at: "commit \(id.short)")
    }
    return try AlmanacError.translating { try TableVersion(archive: archive, root: reference.root) }
  }

  package func definitions(at id: CommitID?) throws(AlmanacError) -> Definitions {
    guard let id else { return Definitions() }
    return try AlmanacError.translating {
      try Definitions(json: JSON(parsing: archive.blob(archive.commit(id).definitions)))
    }
  }

  func unknownDataset(_ name: String, known: [String], at place: String) -> AlmanacError {
    let list = known.sorted().joined(separator: ", ")
    return AlmanacError(
      .notFound, "There is no dataset \(name) at \(place)",
      hint: known.isEmpty ? "No dataset has been committed yet." : "Datasets there: \(list).")
  }
}

extension CommitID {
  /// The first 12 hex digits, as messages show a commit.
  package var short: String { String(description.prefix(12)) }
}
