import GRDB

/// The catalog of a repository as a file of SQLite, changed behind the program's back.
enum CatalogFile {
  /// - Returns: false when a constraint excludes the change.
  @discardableResult static func execute(_ sql: String, at path: String) throws -> Bool {
    let queue = try DatabaseQueue(path: path)
    do {
      try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT || error.resultCode == .SQLITE_MISMATCH {
      try queue.close()
      return false
    }
    try queue.close()
    return true
  }

  static func setVersion(_ version: Int, at path: String) throws {
    try execute("PRAGMA user_version = \(version); PRAGMA wal_checkpoint(TRUNCATE)", at: path)
  }

  /// Lets columns hold nulls that must not.
  static func allowNulls(at path: String) throws {
    try execute(
      """
      PRAGMA writable_schema = ON;
      UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table';
      PRAGMA writable_schema = RESET;
      """, at: path)
  }
}
