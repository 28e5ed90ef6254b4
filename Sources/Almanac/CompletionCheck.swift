import Checks
import Columns
import Tables

/// Checks rows of an upsert that lacked columns, once they are whole: the rules see what a row will have, and a new row must have
/// what the contract requires.
///
/// Used by one thread, for one try on one parent.
final class CompletionCheck: CompletionObserver {
  private let staged: StagedRows
  /// What the input has shown, and its completed rows.
  private(set) var gate: Gate
  private var missingCount = 0
  private var firstMissing: (row: Int, columns: [String], key: String)?

  init(_ staged: StagedRows) {
    self.staged = staged
    gate = staged.gate
  }

  func restart() {
    gate = staged.gate
    missingCount = 0
    firstMissing = nil
  }

  func note(_ rows: CompletedRows) throws {
    gate.check(rows.rows, rows: rows.origins.inputRows) { rows.rows(lacking: $0) }
    let required = staged.contract.columns.indices.filter { staged.contract.columns[$0].isRequired }
    var missing: [Int: [String]] = [:]
    for column in required {
      for row in rows.rows(lacking: column) where !rows.exists[Int(row)] {
        missing[Int(row), default: []].append(staged.contract.columns[column].name)
      }
    }
    missingCount += missing.count
    guard let first = missing.keys.min(by: { rows.origins.inputRows[$0] < rows.origins.inputRows[$1] }) else { return }
    let inputRow = rows.origins.inputRows[first]
    if let known = firstMissing, known.row < inputRow { return }
    let key = staged.contract.primaryKey.map { "\($0)=\(rows.rows[$0]?.scalar(at: first).text ?? "")" }.joined(separator: ", ")
    firstMissing = (inputRow, missing[first] ?? [], key)
  }

  /// - Throws: `AlmanacError` when a new row lacks a required column.
  func settle() throws {
    guard let (row, columns, key) = firstMissing else { return }
    let names = columns.count == 1 ? "column \(columns[0])" : "columns \(columns.joined(separator: ", "))"
    let rows = missingCount == 1 ? "1 new row has" : "\(missingCount) new rows have"
    throw AlmanacError(
      .failed,
      "Cannot upsert into \(staged.dataset): \(rows) no value for a column that the contract requires; the first is (\(key)) in "
        + "\(staged.place(ofRow: row)), without \(names)",
      hint: "Rows that exist keep what the file does not send; a new row needs every required column.")
  }
}
