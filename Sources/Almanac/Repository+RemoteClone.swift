import Foundation
import History
import Objects

/// What `clone` made.
package struct CloneReport: Sendable {
  package let repository: Repository
  package let fetch: FetchReport
  /// The current branch; nil commit when the remote has none.
  package let branch: String
  package let commit: CommitID?
  package let export: ExportReport
}

extension Repository {
  /// Makes a repository with everything that another one's branches and tags reach, its current branch, and the files of the
  /// definitions registered there.
  ///
  /// A clone that was interrupted goes on when it is asked for again.
  /// - Throws: `AlmanacError` of kind `failed` when the folder holds something else.
  package static func clone(
    _ address: String, to folder: String, through door: RemoteDoor, progress: ProgressHandler? = nil
  ) throws(AlmanacError) -> CloneReport {
    let address = try RemoteDoor.normalized(address)
    let far = try door.open(address)
    let state = try AlmanacError.translating { try far.state() }
    let unfinished = try unfinishedClone(of: address, in: folder)
    let repository: Repository
    if let unfinished { repository = unfinished } else { repository = try startClone(of: address, in: folder) }
    let fetched = try repository.fetch(defaultRemote, through: door, progress: progress)
    let tracking = trackingName(defaultRemote, state.head)
    let target = try AlmanacError.translating { try repository.archive.ref(named: tracking) }
    if let target {
      // It is there when the clone was interrupted after this.
      if try repository.tip(of: state.head) == nil { try repository.createBranch(state.head, from: target) }
      try AlmanacError.translating { try repository.archive.setHead(state.head) }
    }
    let settings = "\(folder)/\(settingsName)"
    if !FileManager.default.fileExists(atPath: settings) {
      try OutputPlace.write((InitialFiles.all.first { $0.name == settingsName }?.text ?? "").utf8, to: settings)
    }
    let exported = try repository.exportDefinitions()
    try AlmanacError.translating { try repository.archive.setCloneSource(nil) }
    return CloneReport(
      repository: repository, fetch: fetched, branch: try repository.headBranch(), commit: target?.commit, export: exported)
  }

  private static func startClone(of address: String, in folder: String) throws(AlmanacError) -> Repository {
    let content = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    guard content.isEmpty else {
      throw AlmanacError(.failed, "Cannot clone to \(folder): the folder is not empty", hint: "Name another folder.")
    }
    return try AlmanacError.translating {
      let archive = try Archive.create(at: "\(folder)/\(storeName)")
      try archive.setCloneSource(address)
      try archive.setRemote(defaultRemote, to: address)
      return try Repository.open(at: folder)
    }
  }

  /// A repository that an interrupted clone of that address left.
  private static func unfinishedClone(of address: String, in folder: String) throws(AlmanacError) -> Repository? {
    guard FileManager.default.fileExists(atPath: "\(folder)/\(storeName)/format") else {
      // The store gets its format last: without it the making of the repository was interrupted.
      let store = "\(folder)/\(storeName)"
      if FileManager.default.fileExists(atPath: store), try contains(only: storeName, folder) {
        do {
          try FileManager.default.removeItem(atPath: store)
        } catch {
          throw AlmanacError(.io, "Cannot remove what is left of a clone, \(store): \(error.localizedDescription)")
        }
      }
      return nil
    }
    let repository = try open(at: folder)
    let isUntouched = try contains(only: storeName, folder)
    let isUnfinished = try AlmanacError.translating { () -> Bool in
      let archive = repository.archive
      // Interrupted right after its making, it knows nothing of the clone yet.
      let isNew = try isUntouched && archive.refs().isEmpty && archive.remotes().isEmpty
      guard try isNew || archive.cloneSource() == address else { return false }
      try archive.setCloneSource(address)
      try archive.setRemote(defaultRemote, to: address)
      return true
    }
    guard isUnfinished else {
      throw AlmanacError(
        .failed, "\(folder) is an Almanac repository already", hint: "Get what is new with: almanac pull, in that folder.")
    }
    return repository
  }

  private static func contains(only name: String, _ folder: String) throws(AlmanacError) -> Bool {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder) == [name]
    } catch {
      throw AlmanacError(.io, "Cannot list \(folder): \(error.localizedDescription)")
    }
  }
}
