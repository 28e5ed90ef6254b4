import Foundation
import GRDB

/// All that a catalog says, read at one moment, and what in it cannot be.
package struct CatalogSurvey: Sendable {
  package internal(set) var objects: [ObjectRecord] = []
  package internal(set) var packs: [String] = []
  package internal(set) var refs: [RefRecord] = []
  /// By sequence.
  package internal(set) var moves: [RefLogRecord] = []
  package internal(set) var settings: [String: String] = [:]
  /// What SQLite finds wrong with its file, tables that cannot be read, and rows that no program has written: a sentence each.
  package internal(set) var problems: [String] = []

  package init() {}
}

extension Catalog {
  /// So many rows of a table are named one by one.
  private static let problemCountMax = 20

  /// Reads every row of every table and leaves out those that cannot be.
  ///
  /// - Throws: `io` when the database cannot be asked at all.
  /// - Complexity: O(rows), in memory.
  package func survey() throws(StoreError) -> CatalogSurvey {
    try read("read") { database in
      var survey = CatalogSurvey()
      survey.problems = integrityProblems(database)
      survey.problems += keyProblems(database)
      survey.objects = rows("object", Self.selectObject + " ORDER BY object.kind, object.id", database, &survey.problems) {
        try object($0)
      }
      survey.packs = rows("pack", "SELECT name FROM pack ORDER BY name", database, &survey.problems) {
        try row($0, of: "pack").packName(0, "name")
      }
      survey.refs = rows("ref", Self.selectRef + " ORDER BY name", database, &survey.problems) { try ref($0) }
      survey.moves = rows("reflog", Self.selectMove + " ORDER BY sequence", database, &survey.problems) { try move($0) }
      let settings = rows("setting", "SELECT name, value FROM setting ORDER BY name", database, &survey.problems) {
        let row = row($0, of: "setting")
        return (name: try row.text(0, "name"), value: try row.text(1, "value"))
      }
      survey.settings = Dictionary(settings.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
      return survey
    }
  }

  private func integrityProblems(_ database: Database) -> [String] {
    do {
      return try String.fetchAll(database, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
    } catch {
      return [Self.text(error)]
    }
  }

  /// Tables that do not keep their keys unique, of which changes rely.
  private func keyProblems(_ database: Database) -> [String] {
    let keys = [("object", "kind, id"), ("pack", "name"), ("ref", "name"), ("reflog", "sequence"), ("setting", "name")]
    return keys.compactMap { table, columns in
      do {
        _ = try database.makeStatement(sql: "INSERT INTO \(table) SELECT * FROM \(table) WHERE false ON CONFLICT (\(columns)) DO NOTHING")
        return nil
      } catch {
        return "Cannot change the table \(table) of the catalog \(path): \(Self.text(error))"
      }
    }
  }

  private func rows<Record>(
    _ table: String, _ sql: String, _ database: Database, _ problems: inout [String], _ decode: (Row) throws -> Record
  ) -> [Record] {
    var found: [Record] = []
    var problemCount = 0
    do {
      let cursor = try Row.fetchCursor(database, sql: sql)
      while let row = try cursor.next() {
        do {
          found.append(try decode(row))
        } catch {
          problemCount += 1
          if problemCount <= Self.problemCountMax { problems.append(Self.text(error)) }
        }
      }
    } catch {
      problems.append("Cannot read the table \(table) of the catalog \(path): \(Self.text(error))")
    }
    if problemCount > Self.problemCountMax {
      problems.append("\(problemCount - Self.problemCountMax) more rows of the table \(table) cannot be")
    }
    return found
  }

  private static func text(_ error: any Error) -> String {
    switch error {
    case let error as StoreError: error.text
    case let error as DatabaseError: error.message ?? "SQLite error \(error.resultCode.rawValue)"
    default: "\(error)"
    }
  }
}
