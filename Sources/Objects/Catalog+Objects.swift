import Foundation
import GRDB

extension Catalog {
  /// The record of an object; nil if it is not registered. - Complexity: one look-up, microseconds.
  package func object(kind: UInt8, id: [UInt8]) throws(StoreError) -> ObjectRecord? {
    try read("look up an object in") { database in
      let statement = try database.cachedStatement(sql: Self.selectObject + " WHERE object.kind = ? AND object.id = ?")
      guard let row = try Row.fetchOne(statement, arguments: [kind, Data(id)]) else { return nil }
      return try object(self.row(row, of: "object"), kind: kind, id: id)
    }
  }

  /// Those of the ids that are not registered, in their order.
  package func missing(kind: UInt8, ids: [[UInt8]]) throws(StoreError) -> [[UInt8]] {
    guard !ids.isEmpty else { return [] }
    return try read("look up objects in") { database in
      let statement = try database.cachedStatement(sql: "SELECT 1 FROM object WHERE kind = ? AND id = ?")
      return try ids.filter { try Int.fetchOne(statement, arguments: [kind, Data($0)]) == nil }
    }
  }

  /// The ids from `lower` to `upper`, both inclusive, ascending, at most `limit`.
  package func objectIDs(
    kind: UInt8, from lower: [UInt8], through upper: [UInt8], limit: Int
  ) throws(StoreError) -> [[UInt8]] {
    try read("look up ids in") { database in
      try Row.fetchAll(
        database, sql: "SELECT id FROM object WHERE kind = ? AND id BETWEEN ? AND ? ORDER BY id LIMIT ?",
        arguments: [kind, Data(lower), Data(upper), limit]
      ).map { try row($0, of: "object").bytes(0, "id", count: ObjectRecord.idByteCount) }
    }
  }

  /// Registers objects and moves a ref, in one transaction; either may be missing. The objects are registered also when the
  /// move loses its race, because they are durable and may serve the next attempt.
  /// - Parameters:
  ///   - objects: durable ones. Registering a packed object again changes nothing; an object with a file of its own takes
  ///     the new size and checksum.
  ///   - packs: names of durable packs that hold none of the objects, but what is known of files.
  ///   - nowMicros: the clock. The log entry gets a greater time if the last entry is not older.
  package func register(
    _ objects: [ObjectRecord], packs: [String] = [], moving move: RefMove?, nowMicros: Int64
  ) throws(StoreError) -> RefMoveOutcome {
    try write("change") { database in
      try insert(objects, packs: packs, database)
      guard let move else { return .alreadyThere }
      return try apply(move, nowMicros: nowMicros, database)
    }
  }

  func insert(_ objects: [ObjectRecord], packs: [String], _ database: Database) throws {
    for name in packs {
      try database.execute(sql: "INSERT INTO pack (name) VALUES (?) ON CONFLICT DO NOTHING", arguments: [name])
    }
    var numbers: [String: Int64] = [:]
    let inPack = try database.cachedStatement(
      sql: "INSERT INTO object (kind, id, pack, offset, byteCount) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
    let inFile = try database.cachedStatement(
      sql: """
        INSERT INTO object (kind, id, byteCount, sha256, digests) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET byteCount = excluded.byteCount, sha256 = excluded.sha256, digests = excluded.digests
        """)
    for object in objects {
      switch object.place {
      case .ownFile:
        try inFile.execute(arguments: [
          object.kind, Data(object.id), object.byteCount, object.fileSHA256.map { Data($0) }, object.digests.map { Data($0) },
        ])
      case .pack(let name, let offset):
        let number: Int64
        if let known = numbers[name] {
          number = known
        } else {
          try database.execute(sql: "INSERT INTO pack (name) VALUES (?) ON CONFLICT DO NOTHING", arguments: [name])
          number =
            try Row.fetchOne(database, sql: "SELECT number FROM pack WHERE name = ?", arguments: [name])
            .map { try row($0, of: "pack").integer(0, "number") } ?? 0
          numbers[name] = number
        }
        try inPack.execute(arguments: [object.kind, Data(object.id), number, offset, object.byteCount])
      }
    }
  }
}
