import Almanac
import ArgumentParser
import Foundation
import JSON

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two versions: how many rows differ, which, in which columns, and how the schema does.")
  @OptionGroup var global: GlobalOptions
  @Argument(help: "The older version.") var a: String
  @Argument(help: "The newer version.") var b: String
  @Argument(help: "One dataset (default: all that differ).") var dataset: String?
  @Flag(help: "Show the rows.") var rows = false
  @Flag(help: "Show how many rows differ in each column.") var columns = false
  @Flag(help: "Show columns added, dropped, renamed and widened.") var schema = false
  @Option(help: "At most this many rows of each dataset; 0 for all (default: 50 as text, all as JSON).") var limit: Int?
  @Option(help: "Write the rows to this file, with _op and each column before and after; needs one dataset.") var out: String?
  @Option(help: "The format of --out, if not that of its name: parquet, arrow, arrows, csv or jsonl.") var format: String?

  private static let textRowCountMax = 50

  func run() throws {
    if let limit, limit < 0 { throw AlmanacError(.usage, "Cannot show \(limit) rows: expected a number from 0") }
    let comparisons = try global.open().comparisons(a, b, dataset: dataset)
    if let out { return try write(comparisons, to: out) }
    if global.json { return try writeJSON(comparisons) }
    var hasDifferences = false
    for comparison in comparisons {
      let rowCountMax = limit.map { $0 == 0 ? .max : $0 } ?? Self.textRowCountMax
      var shown = 0
      let diff =
        try !rows && !columns
        ? comparison.totals()
        : comparison.run { part in
          guard rows else { return }
          for row in 0..<min(part.rowCount, rowCountMax - shown) {
            if shown == 0 { Terminal.out("\(comparison.name):") }
            Terminal.out(Self.line(part.entry(row)))
            shown += 1
          }
        }
      if diff.isEmpty && diff.schemaChanges.isEmpty { continue }
      hasDifferences = true
      let count = diff.addedCount + diff.removedCount + diff.changedCount
      if rows && count > shown { Terminal.out("  \(Terminal.grouped(count - shown)) more; --limit 0 shows all") }
      Terminal.out("\(comparison.name): \(Self.summary(diff))")
      if schema { for change in diff.schemaChanges { Terminal.out("  \(Self.text(change))") } }
      if columns {
        let table = diff.changedCellCounts.map { ["  \($0.column)", "\(Terminal.grouped($0.count)) changed"] }
        if !table.isEmpty { Terminal.out(Terminal.table(table, numeric: [1])) }
      }
    }
    if !hasDifferences { Terminal.out("No differences") }
  }

  private func write(_ comparisons: [DatasetComparison], to path: String) throws {
    guard let comparison = comparisons.first, comparisons.count == 1 else {
      guard comparisons.isEmpty else {
        let names = comparisons.map(\.name).joined(separator: ", ")
        throw AlmanacError(.usage, "Cannot write the differences of several datasets to one file", hint: "Name one of: \(names).")
      }
      throw AlmanacError(.failed, "There are no differences to write", hint: "Name the dataset to get a file without rows.")
    }
    let diff = try comparison.write(to: path, format: FormatArguments.format(format))
    if global.json {
      return Terminal.out(["datasets": .object([comparison.name: .object(members(diff))]), "file": .string(path)])
    }
    let text = "\(comparison.name): \(Self.summary(diff)); written to \(path)"
    if TableOutput.isStandardOutput(path) { Terminal.err(text) } else { Terminal.out(text) }
  }

  /// Rows are written as they are found, so that memory does not grow with them.
  private func writeJSON(_ comparisons: [DatasetComparison]) throws {
    let output = FileHandle.standardOutput
    var waiting = Data()
    func put(_ text: String) {
      waiting.append(contentsOf: text.utf8)
      // A system call for each row would take longer than finding it.
      guard waiting.count >= 1 << 16 else { return }
      output.write(waiting)
      waiting.removeAll(keepingCapacity: true)
    }
    put("{\"datasets\":{")
    var isFirst = true
    for comparison in comparisons {
      // A dataset named on the line is listed even without differences; others are here because something differs.
      put("\(isFirst ? "" : ",")\(JSON.string(comparison.name).text()):{")
      isFirst = false
      if rows { put("\"rows\":[") }
      var shown = 0
      let rowCountMax = limit.map { $0 == 0 ? .max : $0 } ?? .max
      let diff =
        try !rows && !columns
        ? comparison.totals()
        : comparison.run { part in
          guard rows else { return }
          for row in 0..<min(part.rowCount, rowCountMax - shown) {
            put("\(shown == 0 ? "" : ",")\(Self.json(part.entry(row)).text())")
            shown += 1
          }
        }
      if rows { put("],") }
      put(members(diff).sorted { $0.key < $1.key }.map { "\(JSON.string($0.key).text()):\($0.value.text())" }.joined(separator: ","))
      put("}")
    }
    put("}}\n")
    output.write(waiting)
  }

  private func members(_ diff: VersionDiff) -> [String: JSON] {
    var result: [String: JSON] = [
      "added": .int(Int64(diff.addedCount)), "removed": .int(Int64(diff.removedCount)), "changed": .int(Int64(diff.changedCount)),
    ]
    if columns {
      result["columns"] = .object(Dictionary(diff.changedCellCounts.map { ($0.column, .int(Int64($0.count))) }) { first, _ in first })
    }
    if schema { result["schema"] = .array(diff.schemaChanges.map(Self.json)) }
    return result
  }

  // MARK: Words

  private static func summary(_ diff: VersionDiff) -> String {
    let rows = "\(diff.addedCount) added, \(diff.removedCount) removed, \(diff.changedCount) changed"
    let count = diff.schemaChanges.count
    return count == 0 ? rows : "\(rows), \(count) \(count == 1 ? "change" : "changes") of schema"
  }

  private static func line(_ entry: VersionDiff.Entry) -> String {
    func text(_ values: VersionDiff.Values?) -> String { (values ?? []).map { "\($0.name)=\($0.value.text)" }.joined(separator: " ") }
    switch entry.operation {
    case .added: return "+ \(text(entry.after))"
    case .removed: return "- \(text(entry.before))"
    case .changed:
      let cells = entry.columns.map { name in
        let old = entry.before?.first { $0.name == name }?.value.text ?? "null"
        return "\(name): \(old) -> \(entry.after?.first { $0.name == name }?.value.text ?? "null")"
      }
      return "~ \(text(entry.key))  \(cells.joined(separator: ", "))"
    }
  }

  private static func json(_ entry: VersionDiff.Entry) -> JSON {
    func object(_ values: VersionDiff.Values) -> JSON { .object(Dictionary(values.map { ($0.name, $0.value.json) }) { first, _ in first }) }
    return [
      "op": .string(entry.operation.rawValue), "key": object(entry.key), "columns": .array(entry.columns.map { .string($0) }),
      "before": entry.before.map(object) ?? .null, "after": entry.after.map(object) ?? .null,
    ]
  }

  private static func text(_ change: VersionSchemaChange) -> String {
    switch change {
    case .added(let column, let type): "+ column \(column): \(type)"
    case .dropped(let column, let type): "- column \(column): \(type)"
    case .renamed(let from, let to): "~ column \(from) renamed to \(to)"
    case .widened(let column, let from, let to): "~ column \(column): \(from) -> \(to)"
    }
  }

  private static func json(_ change: VersionSchemaChange) -> JSON {
    switch change {
    case .added(let column, let type): ["change": "added", "column": .string(column), "type": .string("\(type)")]
    case .dropped(let column, let type): ["change": "dropped", "column": .string(column), "type": .string("\(type)")]
    case .renamed(let from, let to): ["change": "renamed", "from": .string(from), "to": .string(to)]
    case .widened(let column, let from, let to):
      ["change": "widened", "column": .string(column), "from": .string("\(from)"), "to": .string("\(to)")]
    }
  }
}
