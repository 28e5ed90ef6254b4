import Foundation
import GRDB

/// The catalog of a repository: which objects exist and where, what the refs stand for, and every move they made.
///
/// A SQLite database in WAL mode with `synchronous = FULL`: a transaction is durable when its call returns. Any number of
/// threads and processes may use it; a writer waits up to `busyTimeoutSeconds` for another. Everything in it can be rebuilt
/// from the packs, the leaf files and the ref log, except the settings.
package final class Catalog: Sendable {
  package static let busyTimeoutSeconds = 20.0
  /// `PRAGMA application_id`: "ALMC".
  private static let applicationID: Int32 = 0x414C_4D43
  /// `PRAGMA user_version`.
  private static let version: Int32 = 1

  let database: any DatabaseWriter
  /// For messages.
  let path: String
  /// Whether it was opened where nothing can be written; every change then throws.
  package let isReadOnly: Bool
  let faults: StorageFaults?

  init(database: any DatabaseWriter, path: String, isReadOnly: Bool = false, faults: StorageFaults? = nil) {
    self.database = database
    self.path = path
    self.isReadOnly = isReadOnly
    self.faults = faults
  }

  /// Makes the catalog, or completes one whose making was interrupted.
  package static func create(at path: String) throws(StoreError) -> Catalog {
    let catalog = try connect(to: path)
    try catalog.makeTables()
    return catalog
  }

  /// - Throws: `corrupt` when there is no catalog or the file is not one; `notARepository` for a version unknown here.
  package static func open(at path: String) throws(StoreError) -> Catalog {
    guard FileManager.default.fileExists(atPath: path) else {
      throw StoreError(kind: .corrupt, text: "Cannot open the catalog \(path): the file is missing")
    }
    // Before SQLite opens it, which may write to it.
    if let header = header(of: path), header.application == applicationID, header.version != version {
      throw otherVersion(header.version, path)
    }
    let catalog = try cannotWrite(to: path) ? connectReadOnly(to: path) : connect(to: path)
    try catalog.checkVersion()
    return catalog
  }

  /// What the first bytes of the file say, big-endian (https://www.sqlite.org/fileformat.html, 1.3); nil if it is shorter.
  private static func header(of path: String) -> (application: Int32, version: Int32)? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    guard let bytes = try? file.read(upToCount: 100), bytes.count == 100 else { return nil }
    func number(at offset: Int) -> Int32 { Int32(bitPattern: bytes[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) }
    return (number(at: 68), number(at: 60))
  }

  private static func otherVersion(_ found: Int32, _ path: String) -> StoreError {
    StoreError(
      kind: .notARepository,
      text: "Cannot open the catalog \(path): expected catalog version \(version), found \(found); use a program that knows it")
  }

  /// A catalog that is gone with its last reference.
  /// - Parameter faults: where its transactions fail; nil: nowhere.
  package static func inMemory(faults: StorageFaults? = nil) throws(StoreError) -> Catalog {
    let catalog = try access("open", "in memory") {
      Catalog(database: try DatabaseQueue(configuration: configuration()), path: "in memory", faults: faults)
    }
    try catalog.makeTables()
    return catalog
  }

  static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(busyTimeoutSeconds)
    configuration.foreignKeysEnabled = false
    configuration.label = "catalog"
    return configuration
  }

  private static func connect(to path: String) throws(StoreError) -> Catalog {
    try access("open", path) {
      let pool = try DatabasePool(path: path, configuration: configuration())
      // Opening in WAL mode sets NORMAL, with which a commit could be lost at a power failure.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      return Catalog(database: pool, path: path)
    }
  }

  private func makeTables() throws(StoreError) {
    try write("make") { database in
      try database.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS pack (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
          CREATE TABLE IF NOT EXISTS object (
            kind INTEGER NOT NULL, id BLOB NOT NULL, pack INTEGER, offset INTEGER, byteCount INTEGER NOT NULL,
            sha256 BLOB, digests BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS ref (name TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, target BLOB NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS reflog (
            sequence INTEGER PRIMARY KEY, ref TEXT NOT NULL, refKind INTEGER NOT NULL, old BLOB, new BLOB,
            timeMicros INTEGER NOT NULL, reason TEXT NOT NULL);
          CREATE INDEX IF NOT EXISTS reflogByRef ON reflog (ref, timeMicros);
          PRAGMA application_id = \(Self.applicationID);
          PRAGMA user_version = \(Self.version);
          """)
    }
  }

  private func checkVersion() throws(StoreError) {
    let (application, version) = try read("open") { database in
      (try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0, try Int32.fetchOne(database, sql: "PRAGMA user_version") ?? 0)
    }
    guard application == Self.applicationID else {
      throw StoreError(kind: .corrupt, text: "Cannot open the catalog \(path): it is a database of another program")
    }
    guard version == Self.version else { throw Self.otherVersion(version, path) }
  }

  // MARK: Access

  func read<Result>(_ action: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
    try Self.access(action, path) { try database.read(body) }
  }

  /// One transaction, which holds the right to write from its start.
  func write<Result>(_ action: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
    if isReadOnly {
      throw StoreError(kind: .io(EROFS), text: "Cannot \(action) the catalog \(path): it is in a folder where nothing can be written")
    }
    if let fault = faults?.next("before: \(action) the catalog") { throw StorageFaults.error(fault, "\(action) the catalog") }
    let result = try transact(action, body)
    if let fault = faults?.next("after: \(action) the catalog") { throw StorageFaults.error(fault, "\(action) the catalog") }
    return result
  }

  private func transact<Result>(_ action: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
    try Self.access(action, path) {
      try database.writeWithoutTransaction { database in
        var result: Result?
        try database.inTransaction(.immediate) {
          result = try body(database)
          return .commit
        }
        guard let result else { throw StoreError(kind: .io(EIO), text: "Cannot \(action) the catalog \(path): no result") }
        return result
      }
    }
  }

  static func access<Result>(
    _ action: String, _ path: String, _ body: () throws -> Result
  ) throws(StoreError) -> Result {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DatabaseError {
      let kind: StoreError.Kind =
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
        // A statement that is in order elsewhere: a table or column is missing here.
        case .SQLITE_ERROR where error.message?.hasPrefix("no such ") ?? false: .corrupt
        case .SQLITE_BUSY, .SQLITE_LOCKED: .io(EBUSY)
        case .SQLITE_FULL: .io(ENOSPC)
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN: .io(EACCES)
        default: .io(EIO)
        }
      let reason = error.message ?? "SQLite error \(error.resultCode.rawValue)"
      let advice = kind == .corrupt ? "; `almanac fsck --repair` makes the catalog anew" : ""
      throw StoreError(kind: kind, text: "Cannot \(action) the catalog \(path): \(reason)\(advice)")
    } catch {
      throw StoreError(kind: .io(EIO), text: "Cannot \(action) the catalog \(path): \(error)")
    }
  }
}
