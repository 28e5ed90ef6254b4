import Foundation
import GRDB

extension Catalog {
  /// All refs by name.
  package func refs() throws(StoreError) -> [RefRecord] {
    try read("list the refs of") { database in
      try Row.fetchAll(database, sql: "SELECT name, kind, target FROM ref ORDER BY name").map(Self.ref)
    }
  }

  package func ref(named name: String) throws(StoreError) -> RefRecord? {
    try read("look up a ref in") { database in
      try Row.fetchOne(database, sql: "SELECT name, kind, target FROM ref WHERE name = ?", arguments: [name]).map(Self.ref)
    }
  }

  private static func ref(_ row: Row) -> RefRecord {
    RefRecord(name: row[0], kind: row[1], target: Array(row[2] as Data))
  }

  /// Moves of one ref or of all, the oldest first.
  package func refLog(ref: String?) throws(StoreError) -> [RefLogRecord] {
    try read("read the ref log in") { database in
      try Row.fetchAll(
        database, sql: "\(Self.selectMove) WHERE ?1 IS NULL OR ref = ?1 ORDER BY sequence", arguments: [ref]
      ).map(Self.move)
    }
  }

  /// Moves after the given one, the oldest first.
  package func refLog(after sequence: Int64) throws(StoreError) -> [RefLogRecord] {
    try read("read the ref log in") { database in
      try Row.fetchAll(database, sql: "\(Self.selectMove) WHERE sequence > ? ORDER BY sequence", arguments: [sequence])
        .map(Self.move)
    }
  }

  /// The last move of a ref at or before a time.
  package func refLogEntry(ref: String, atOrBefore timeMicros: Int64) throws(StoreError) -> RefLogRecord? {
    try read("read the ref log in") { database in
      try Row.fetchOne(
        database, sql: "\(Self.selectMove) WHERE ref = ? AND timeMicros <= ? ORDER BY timeMicros DESC LIMIT 1",
        arguments: [ref, timeMicros]
      ).map(Self.move)
    }
  }

  /// The sequence of the last move; 0 if there was none.
  package func lastSequence() throws(StoreError) -> Int64 {
    try read("read the ref log in") { try Int64.fetchOne($0, sql: "SELECT max(sequence) FROM reflog") ?? 0 }
  }

  private static let selectMove = "SELECT sequence, ref, refKind, old, new, timeMicros, reason FROM reflog"

  private static func move(_ row: Row) -> RefLogRecord {
    RefLogRecord(
      sequence: row[0], ref: row[1], refKind: row[2], old: (row[3] as Data?).map { Array($0) },
      new: (row[4] as Data?).map { Array($0) }, timeMicros: row[5], reason: row[6])
  }

  static func apply(_ move: RefMove, nowMicros: Int64, _ database: Database) throws -> RefMoveOutcome {
    let current = try Row.fetchOne(
      database, sql: "SELECT name, kind, target FROM ref WHERE name = ?", arguments: [move.name]
    ).map(ref)
    if let current, current.kind != move.kind { return .otherKind(current.kind) }
    // An answer may have been lost on its way: asking again for what is so already is no lost race.
    if current?.target == move.new { return .alreadyThere }
    guard current?.target == move.expecting else { return .lostRace(current: current?.target) }

    if let new = move.new {
      try database.execute(
        sql: "INSERT INTO ref (name, kind, target) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET target = excluded.target",
        arguments: [move.name, move.kind, Data(new)])
    } else {
      try database.execute(sql: "DELETE FROM ref WHERE name = ?", arguments: [move.name])
    }
    let last = try Row.fetchOne(database, sql: "SELECT sequence, timeMicros FROM reflog ORDER BY sequence DESC LIMIT 1")
    let entry = RefLogRecord(
      sequence: last.map { ($0[0] as Int64) + 1 } ?? 1, ref: move.name, refKind: move.kind, old: current?.target,
      new: move.new, timeMicros: last.map { max(nowMicros, ($0[1] as Int64) + 1) } ?? nowMicros, reason: move.reason)
    try database.execute(
      sql: "INSERT INTO reflog (sequence, ref, refKind, old, new, timeMicros, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        entry.sequence, entry.ref, entry.refKind, entry.old.map { Data($0) }, entry.new.map { Data($0) },
        entry.timeMicros, entry.reason,
      ])
    return .moved(entry)
  }

  // MARK: Settings

  /// `PRAGMA synchronous` of the connection that writes: 2 is FULL.
  package func synchronousLevel() throws(StoreError) -> Int {
    try write("read a setting of") { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
  }

  package func setting(_ name: String) throws(StoreError) -> String? {
    try read("read a setting of") { database in
      try String.fetchOne(database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
    }
  }

  package func setSetting(_ name: String, to value: String) throws(StoreError) {
    try write("change a setting of") { database in
      try database.execute(
        sql: "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        arguments: [name, value])
    }
  }
}
