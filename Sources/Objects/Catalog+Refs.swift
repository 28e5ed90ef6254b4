import Foundation
import GRDB

extension Catalog {
  /// All refs by name.
  package func refs() throws(StoreError) -> [RefRecord] {
    try read("list the refs of") { database in
      try Row.fetchAll(database, sql: Self.selectRef + " ORDER BY name").map { try ref($0) }
    }
  }

  package func ref(named name: String) throws(StoreError) -> RefRecord? {
    try read("look up a ref in") { database in
      try current(ref: name, database)
    }
  }

  func current(ref name: String, _ database: Database) throws -> RefRecord? {
    try Row.fetchOne(database, sql: Self.selectRef + " WHERE name = ?", arguments: [name]).map { try ref($0) }
  }

  /// Moves of one ref or of all, the oldest first.
  package func refLog(ref: String?) throws(StoreError) -> [RefLogRecord] {
    try read("read the ref log in") { database in
      try Row.fetchAll(
        database, sql: "\(Self.selectMove) WHERE ?1 IS NULL OR ref = ?1 ORDER BY sequence", arguments: [ref]
      ).map { try move($0) }
    }
  }

  /// Moves after the given one, the oldest first.
  package func refLog(after sequence: Int64) throws(StoreError) -> [RefLogRecord] {
    try read("read the ref log in") { database in
      try Row.fetchAll(database, sql: "\(Self.selectMove) WHERE sequence > ? ORDER BY sequence", arguments: [sequence])
        .map { try move($0) }
    }
  }

  /// The last move of a ref at or before a time.
  package func refLogEntry(ref: String, atOrBefore timeMicros: Int64) throws(StoreError) -> RefLogRecord? {
    try read("read the ref log in") { database in
      try Row.fetchOne(
        database, sql: "\(Self.selectMove) WHERE ref = ? AND timeMicros <= ? ORDER BY timeMicros DESC LIMIT 1",
        arguments: [ref, timeMicros]
      ).map { try move($0) }
    }
  }

  /// The sequence of the last move; 0 if there was none.
  package func lastSequence() throws(StoreError) -> Int64 {
    try read("read the ref log in") { database in
      guard let last = try Row.fetchOne(database, sql: "SELECT sequence FROM reflog ORDER BY sequence DESC LIMIT 1") else { return 0 }
      return try row(last, of: "reflog").integer(0, "sequence", in: 1...RefLogRecord.sequenceMax)
    }
  }

  func apply(_ move: RefMove, nowMicros: Int64, _ database: Database) throws -> RefMoveOutcome {
    let current = try current(ref: move.name, database)
    try checkLastMove(of: move.name, is: current, database)
    if let current, current.kind != move.kind { return .otherKind(current.kind) }
    // An answer may have been lost on its way: asking again for what is so already is no lost race.
    if current?.target == move.new { return .alreadyThere }
    guard current?.target == move.expecting else { return .lostRace(current: current?.target) }

    if let new = move.new {
      try Self.setTarget(ofRef: move.name, kind: move.kind, to: new, database)
    } else {
      try database.execute(sql: "DELETE FROM ref WHERE name = ?", arguments: [move.name])
    }
    let next = try nextPlace(ref: move.name, nowMicros: nowMicros, database)
    let entry = RefLogRecord(
      sequence: next.sequence, ref: move.name, refKind: move.kind, old: current?.target, new: move.new,
      timeMicros: next.timeMicros, reason: move.reason)
    try Self.insert(entry, database)
    return .moved(entry)
  }

  /// - Throws: `corrupt` for a ref that stands for something else than its last move says: further moves would contradict those before,
  ///   and a repair could keep only some of them.
  private func checkLastMove(of name: String, is current: RefRecord?, _ database: Database) throws {
    // Of the moves of one ref each is later than those before.
    let last = try Row.fetchOne(
      database, sql: Self.selectMove + " WHERE ref = ? ORDER BY timeMicros DESC LIMIT 1", arguments: [name]
    ).map { try move($0) }
    guard last?.new != current?.target else { return }
    throw StoreError(
      kind: .corrupt,
      text: "Cannot move \(name): the catalog \(path) says that it stands for something else than its last move made of it; "
        + "`almanac fsck --repair` makes the catalog anew")
  }

  /// Number and time of the next entry of the log: later than the entry before and than every entry of this ref, one of which
  /// may be later still when it was imported.
  func nextPlace(ref: String, nowMicros: Int64, _ database: Database) throws -> (sequence: Int64, timeMicros: Int64) {
    let last = try Row.fetchOne(database, sql: Self.selectMove + " ORDER BY sequence DESC LIMIT 1").map { try move($0) }
    let lastOfRef = try lastMicros(ref: ref, database)
    let earliest = max(last.map { $0.timeMicros + 1 } ?? nowMicros, lastOfRef.map { $0 + 1 } ?? nowMicros)
    let place = (sequence: last.map { $0.sequence + 1 } ?? 1, timeMicros: max(nowMicros, earliest))
    guard place.sequence <= RefLogRecord.sequenceMax, place.timeMicros <= RefLogRecord.nextMicrosMax else {
      throw StoreError(
        kind: .corrupt,
        text: "Cannot move \(ref): the last move in the catalog \(path) has the number \(place.sequence - 1) and the time "
          + "\(place.timeMicros - 1), behind which there is no other; `almanac fsck --repair` makes the catalog anew")
    }
    return place
  }

  /// The time of the last entry of a ref; nil if it has none.
  func lastMicros(ref: String, _ database: Database) throws -> Int64? {
    try Row.fetchOne(
      database, sql: "SELECT timeMicros FROM reflog WHERE ref = ? ORDER BY timeMicros DESC LIMIT 1", arguments: [ref]
    ).map { try row($0, of: "reflog").integer(0, "timeMicros", in: RefLogRecord.timeMicrosRange) }
  }

  static func insert(_ entry: RefLogRecord, _ database: Database) throws {
    try database.execute(
      sql: "INSERT INTO reflog (sequence, ref, refKind, old, new, timeMicros, reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [
        entry.sequence, entry.ref, entry.refKind, entry.old.map { Data($0) }, entry.new.map { Data($0) },
        entry.timeMicros, entry.reason,
      ])
  }

  static func setTarget(ofRef name: String, kind: UInt8, to target: [UInt8], _ database: Database) throws {
    try database.execute(
      sql: "INSERT INTO ref (name, kind, target) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET target = excluded.target",
      arguments: [name, kind, Data(target)])
  }

  // MARK: Settings

  /// `PRAGMA synchronous` of the connection that writes: 2 is FULL.
  package func synchronousLevel() throws(StoreError) -> Int {
    try write("read a setting of") { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
  }

  package func setting(_ name: String) throws(StoreError) -> String? {
    try read("read a setting of") { database in
      try Row.fetchOne(database, sql: "SELECT value FROM setting WHERE name = ?", arguments: [name])
        .map { try row($0, of: "setting").text(0, "value") }
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
