import Foundation
import GRDB

extension Catalog {
  /// Moves a ref by compare-and-swap and writes down, instead of one move, the steps that led there in another repository.
  ///
  /// - Parameters:
  ///   - move: `new` must not be nil. Where the steps do not end there, one entry with its reason follows them.
  ///   - steps: the oldest first; their sequences, names and kinds are not looked at.
  ///   - keepingTimes: as they were, without those that are not later than what the log has of this ref; otherwise every step
  ///     gets a new time.
  /// - Throws: `corrupt` for a step whose time cannot be.
  /// - Complexity: one transaction, O(steps).
  package func record(
    _ move: RefMove, steps: [RefLogRecord], keepingTimes: Bool, nowMicros: Int64
  ) throws(StoreError) -> RefMoveOutcome {
    if let step = steps.first(where: { !RefLogRecord.timeMicrosRange.contains($0.timeMicros) }) {
      throw StoreError(kind: .corrupt, text: "Cannot take over the log of \(move.name): a move has the time \(step.timeMicros)")
    }
    return try write("change") { database in
      let current = try current(ref: move.name, database)
      if let current, current.kind != move.kind { return .otherKind(current.kind) }
      guard let new = move.new, current?.target == move.expecting || current?.target == new else {
        return .lostRace(current: current?.target)
      }
      let lastOfRef = try lastMicros(ref: move.name, database)
      let taken = keepingTimes ? steps.filter { $0.timeMicros > lastOfRef ?? Int64.min } : steps
      // Asked again after an answer that was lost: the steps are written already.
      if current?.target == new && (!keepingTimes || taken.isEmpty) { return .alreadyThere }
      var at = current?.target
      var last: RefLogRecord?
      func write(old: [UInt8]?, new: [UInt8]?, timeMicros: Int64?, reason: String) throws {
        let next = try nextPlace(ref: move.name, nowMicros: nowMicros, database)
        let entry = RefLogRecord(
          sequence: next.sequence, ref: move.name, refKind: move.kind, old: old, new: new,
          timeMicros: timeMicros ?? next.timeMicros, reason: reason)
        try Self.insert(entry, database)
        last = entry
        at = new
      }
      for step in taken {
        try write(
          old: at, new: step.new, timeMicros: keepingTimes ? step.timeMicros : nil, reason: step.reason)
      }
      if at != new { try write(old: at, new: new, timeMicros: nil, reason: move.reason) }
      try Self.setTarget(ofRef: move.name, kind: move.kind, to: new, database)
      return last.map { .moved($0) } ?? .alreadyThere
    }
  }

  /// Moves of one ref after a time, the oldest first, at most `limit`.
  package func refLog(ref: String, afterMicros timeMicros: Int64, limit: Int) throws(StoreError) -> [RefLogRecord] {
    try read("read the ref log in") { database in
      try Row.fetchAll(
        database, sql: "\(Self.selectMove) WHERE ref = ? AND timeMicros > ? ORDER BY timeMicros LIMIT ?",
        arguments: [ref, timeMicros, limit]
      ).map { try self.move($0) }
    }
  }

  /// The settings whose names start so, by the rest of their names.
  package func settings(withPrefix prefix: String) throws(StoreError) -> [String: String] {
    try read("read a setting of") { database in
      var found: [String: String] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT name, value FROM setting") {
        let setting = self.row(row, of: "setting")
        let name = try setting.text(0, "name")
        if name.hasPrefix(prefix) { found[String(name.dropFirst(prefix.count))] = try setting.text(1, "value") }
      }
      return found
    }
  }

  /// No error if there is none of that name.
  package func removeSetting(_ name: String) throws(StoreError) {
    try write("change a setting of") { try $0.execute(sql: "DELETE FROM setting WHERE name = ?", arguments: [name]) }
  }
}
