import Foundation
import GRDB

/// What gc and fsck ask of a catalog.
extension Catalog {
  /// Every registered object, by kind and id. - Complexity: O(objects), in memory.
  package func objects() throws(StoreError) -> [ObjectRecord] {
    try read("list the objects of") { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT object.kind, object.id, pack.name, object.offset, object.byteCount, object.sha256, object.digests, object.pack
          FROM object LEFT JOIN pack ON pack.number = object.pack ORDER BY object.kind, object.id
          """)
      return rows.map { row in
        let pack: String? = row[2]
        let number: Int64? = row[7]
        // A number that names no pack leads to a pack that is not there, which the reader will say.
        let name = pack ?? number.map { "\($0)" }
        return ObjectRecord(
          kind: row[0], id: Array(row[1] as Data), place: name.map { .pack(name: $0, offset: row[3] ?? 0) } ?? .ownFile,
          byteCount: row[4], fileSHA256: (row[5] as Data?).map { Array($0) }, digests: (row[6] as Data?).map { Array($0) })
      }
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
    try read("list the packs of") { try String.fetchAll($0, sql: "SELECT name FROM pack ORDER BY name") }
  }

  /// What SQLite finds wrong with its file (`PRAGMA integrity_check`); nothing if all is well.
  package func integrityProblems() throws(StoreError) -> [String] {
    try read("check") { try String.fetchAll($0, sql: "PRAGMA integrity_check(20)") }.filter { $0 != "ok" }
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
      try Self.insert(placed, packs: newPacks, database)
      let forgetPack = try database.cachedStatement(sql: "DELETE FROM pack WHERE name = ?")
      for name in packs { try forgetPack.execute(arguments: [name]) }
      for (name, value) in settings {
        try database.execute(
          sql: "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
          arguments: [name, value])
      }
    }
  }

  /// Takes over moves of refs that another record of them has, and lets the refs stand for what the last of them say.
  /// - Parameter moves: ascending by sequence, the first following what is known here.
  package func replay(_ moves: [RefLogRecord]) throws(StoreError) {
    try write("rebuild") { database in
      for move in moves {
        try database.execute(
          sql: "INSERT INTO reflog (sequence, ref, refKind, old, new, timeMicros, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
          arguments: [
            move.sequence, move.ref, move.refKind, move.old.map { Data($0) }, move.new.map { Data($0) }, move.timeMicros,
            move.reason,
          ])
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
