import JSON
import Objects
import Synchronization

/// The history of one repository: its objects, commits, refs, and the log of their moves.
///
/// May be used from any thread; other processes may use the same repository. What `publish` and the ref operations
/// acknowledge is durable. A leaf that was put is durable once a published commit names it.
package final class Archive: Sendable {
  let volume: any Volume
  let catalog: Catalog
  let now: @Sendable () -> Int64
  let refLog: RefLogFile
  /// Files of leaves and tails written by this archive that no publish has registered yet.
  let staged = Mutex<[ObjectKey: FileRecord]>([:])
  /// Files of tails that are in memory alone, and how many hold them; see `holdTail`.
  let held = Mutex<[ObjectKey: (file: MappedFile, holderCount: Int)]>([:])
  /// Decoded nodes, the whole forgotten when it grows past `nodeCacheCountMax`.
  let nodeCache = Mutex<[NodeID: Node]>([:])
  static let nodeCacheCountMax = 4096

  /// `format` in the file of that name.
  static let format: Int64 = 1
  static let formatPath = "format"
  static var formatBytes: [UInt8] { JSON.object(["format": .int(format), "program": .string("almanac")]).canonicalBytes }

  /// - Parameter now: the clock, microseconds since 1970 UTC.
  init(volume: any Volume, catalog: Catalog, now: @escaping @Sendable () -> Int64) {
    self.volume = volume
    self.catalog = catalog
    self.now = now
    refLog = RefLogFile(volume: volume)
  }

  /// Makes a repository in a folder, which is made if need be.
  /// - Throws: `exists` when there is one already.
  package static func create(
    at folder: String, now: @escaping @Sendable () -> Int64 = { Clock.nowMicros() }
  ) throws(StoreError) -> Archive {
    let volume = LocalVolume(root: folder)
    try refuseExisting(volume)
    try volume.makeDirectory("")
    return try create(on: volume, catalog: Catalog.create(at: catalogPath(volume)), now: now)
  }

  /// Makes a repository on any volume, with a catalog that is somewhere else.
  package static func create(
    on volume: any Volume, catalog: Catalog, now: @escaping @Sendable () -> Int64 = { Clock.nowMicros() }
  ) throws(StoreError) -> Archive {
    try refuseExisting(volume)
    for folder in ["leaves", "packs", "tails", "tmp"] { try volume.makeDirectory(folder) }
    let archive = Archive(volume: volume, catalog: catalog, now: now)
    try archive.refLog.create()
    if try catalog.setting(headSetting) == nil { try catalog.setSetting(headSetting, to: firstHead) }
    // Last, because this file tells a repository from one whose making was interrupted.
    try volume.writeDurably(formatPath, formatBytes)
    return archive
  }

  /// - Throws: `notARepository` when the folder holds none or one of another format, `corrupt` when it is damaged.
  package static func open(
    at folder: String, now: @escaping @Sendable () -> Int64 = { Clock.nowMicros() }
  ) throws(StoreError) -> Archive {
    let volume = LocalVolume(root: folder)
    try checkFormat(volume)
    return Archive(volume: volume, catalog: try Catalog.open(at: catalogPath(volume)), now: now)
  }

  /// Opens a repository on any volume, with a catalog that is somewhere else.
  package static func open(
    on volume: any Volume, catalog: Catalog, now: @escaping @Sendable () -> Int64 = { Clock.nowMicros() }
  ) throws(StoreError) -> Archive {
    try checkFormat(volume)
    return Archive(volume: volume, catalog: catalog, now: now)
  }

  /// A new, empty draft.
  package func draft() -> Draft { Draft() }

  static let catalogName = "catalog.sqlite"
  static func catalogPath(_ volume: LocalVolume) -> String { volume.absolutePath(catalogName) }

  private static func refuseExisting(_ volume: any Volume) throws(StoreError) {
    if try volume.exists(formatPath) {
      throw StoreError(kind: .exists, text: "Cannot make a repository in \(volume.absolutePath("")): there is one already")
    }
  }

  static func checkFormat(_ volume: any Volume) throws(StoreError) {
    switch try storedFormat(volume) {
    case .known: return
    case .missing:
      throw StoreError(
        kind: .notARepository,
        text: "Cannot open \(volume.absolutePath("")): it is not a repository (it has no file \(formatPath))")
    case .damaged(let reason):
      throw StoreError(kind: .corrupt, text: "Cannot read \(volume.absolutePath(formatPath)): \(reason)")
    case .other(let found): throw otherFormat(found, volume)
    }
  }

  // MARK: Format

  /// What the file `format` says.
  enum StoredFormat: Hashable {
    case known
    /// The format of another version of the program, as it is written there.
    case other(String)
    case missing
    /// Bytes that no version writes.
    case damaged(String)
  }

  static func storedFormat(_ volume: any Volume) throws(StoreError) -> StoredFormat {
    guard try volume.exists(formatPath) else { return .missing }
    let bytes = try volume.read(formatPath)
    let json: JSON
    do {
      json = try JSON(parsing: bytes)
    } catch {
      return .damaged("\(error)")
    }
    guard let found = json["format"] else { return .damaged("expected an integer as format") }
    return found == .int(format) ? .known : .other(String(decoding: found.canonicalBytes.prefix(40), as: UTF8.self))
  }

  /// What every command says, repair first of all, before it writes anything: what a newer program keeps there nobody here knows.
  /// - Throws: `notARepository`
  package static func refuseOtherFormat(at folder: String) throws(StoreError) { try refuseOtherFormat(LocalVolume(root: folder)) }

  static func refuseOtherFormat(_ volume: any Volume) throws(StoreError) {
    if case .other(let found) = try storedFormat(volume) { throw otherFormat(found, volume) }
  }

  private static func otherFormat(_ found: String, _ volume: any Volume) -> StoreError {
    StoreError(
      kind: .notARepository,
      text: "Cannot open \(volume.absolutePath("")): expected repository format \(format), found \(found); use a program that knows it")
  }
}
