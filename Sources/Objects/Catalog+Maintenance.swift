import Foundation
import GRDB

/// What gc and fsck ask of a catalog.
extension Catalog {
  /// Every registered object, by kind and id.
  /// - Throws: `corrupt` for the first row that cannot be.
  /// - Complexity: O(objects), in memory.
  package func objects() throws(StoreError) -> [ObjectRecord] {
    try read("list the objects of") { database in
      try Row.fetchAll(database, sql: Self.selectObject + " ORDER BY object.kind, object.id").map { try object($0) }
    }
  }

  /// Writes what the `-wal` file holds into the catalog's own file and gives up its files; nothing may be asked afterwards.
  package func close() throws(StoreError) {
    try Self.access("close", path) {
      try database.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
      try database.close()
    }
  }

  package func packNames() throws(StoreError) -> [String] {
    try read("list the packs of") { database in
      try Row.fetchAll(database, sql: "SELECT name FROM pack ORDER BY name").map { try row($0, of: "pack").packName(0, "name") }
    }
  }

  /// Forgets objects and packs and registers others in their new places, in one transaction.
  /// - Parameters:
  ///   - placed: these take the place given here, whatever was known of them.
  ///   - newPacks: the packs in which they lie, and those that hold what is known of files alone.
  ///   - settings: names and values to be set with it.
  package func reorganize(
    forgetting objects: [(kind: UInt8, id: [UInt8])], packs: [String], placing placed: [ObjectRecord],
    in newPacks: [String], settings: [String: String] = [:]
  ) throws(StoreError) {
    try write("clean up") { database in
      let forget = try database.cachedStatement(sql: "DELETE FROM object WHERE kind = ? AND id = ?")
      for object in objects { try forget.execute(arguments: [object.kind, Data(object.id)]) }
      for object in placed { try forget.execute(arguments: [object.kind, Data(object.id)]) }
      try insert(placed, packs: newPacks, database)
      let forgetPack = try database.cachedStatement(sql: "DELETE FROM pack WHERE name = ?")
      for name in packs { try forgetPack.execute(arguments: [name]) }
      try Self.set(settings, database)
    }
  }

  private static func set(_ settings: [String: String], _ database: Database) throws {
    for (name, value) in settings {
      try database.execute(
        sql: "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        arguments: [name, value])
    }
  }

  /// Takes over moves of refs that another record of them has, and lets the refs stand for what the last of them say.
  /// - Parameters:
  ///   - moves: ascending by sequence, the first following what is known here.
  ///   - settings: names and values to be set with it.
  package func replay(_ moves: [RefLogRecord], settings: [String: String] = [:]) throws(StoreError) {
    try write("rebuild") { database in
      try Self.set(settings, database)
      for move in moves {
        try Self.insert(move, database)
        if let new = move.new {
          try database.execute(
            sql: """
              INSERT INTO ref (name, kind, target) VALUES (?, ?, ?)
              ON CONFLICT DO UPDATE SET target = excluded.target, kind = excluded.kind
              """, arguments: [move.ref, move.refKind, Data(new)])
        } else {
          try database.execute(sql: "DELETE FROM ref WHERE name = ?", arguments: [move.ref])
        }
      }
    }
  }
}
