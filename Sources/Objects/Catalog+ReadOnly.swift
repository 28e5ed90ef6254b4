import Foundation
import Glibc
import GRDB

extension Catalog {
  static func cannotWrite(to path: String) -> Bool {
    for place in [VolumePath.folder(of: path), path] where !place.isEmpty {
      if Glibc.access(place, W_OK) != 0 && (errno == EROFS || errno == EACCES) { return true }
    }
    return false
  }

  /// Opens a catalog in a folder where nothing can be written.
  ///
  /// SQLite can read a database in WAL mode in place if its `-shm` file is there, that is, while another process writes it.
  /// Otherwise it would have to make that file, so the catalog, with what its `-wal` file holds, is read into memory.
  static func connectReadOnly(to path: String) throws(StoreError) -> Catalog {
    try access("open", path) {
      var configuration = configuration()
      configuration.readonly = true
      if FileManager.default.fileExists(atPath: path + "-shm"),
        let queue = try? DatabaseQueue(path: path, configuration: configuration),
        (try? queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM setting") }) != nil
      {
        return Catalog(database: queue, path: path, isReadOnly: true)
      }
      return Catalog(database: try copyInMemory(of: path), path: path, isReadOnly: true)
    }
  }

  private static func copyInMemory(of path: String) throws -> DatabaseQueue {
    let files = FileManager.default
    let folder = files.temporaryDirectory.appendingPathComponent("almanac-\(UUID().uuidString)").path
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: folder) }
    for suffix in ["", "-wal"] where files.fileExists(atPath: path + suffix) {
      try files.copyItem(atPath: path + suffix, toPath: "\(folder)/catalog\(suffix)")
      try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/catalog\(suffix)")
    }
    let copy = try DatabaseQueue(path: "\(folder)/catalog", configuration: configuration())
    let memory = try DatabaseQueue(configuration: configuration())
    try copy.backup(to: memory)
    try copy.close()
    return memory
  }

  /// A copy in memory as it is now.
  package func snapshot(faults: StorageFaults? = nil) throws(StoreError) -> Catalog {
    try Self.access("copy", path) {
      let memory = try DatabaseQueue(configuration: Self.configuration())
      try database.backup(to: memory)
      return Catalog(database: memory, path: path, faults: faults)
    }
  }
}
