import Columns

extension Verdict {
  /// The verdict for people: each violated rule, how often, and its first rows as a table.
  ///
  ///     transactions: 1 of 9 rules violated, 20000 rows
  ///
  ///     transactions.amount minimum 0.0: 3 of 20000 values (error)
  ///       row  user_id  txn_id       amount
  ///         4       12  T0000000123    -1.5
  ///       2 more
  package func report() -> String {
    let evaluated = results.filter(\.isEvaluated)
    let failed = evaluated.filter { !$0.passed }
    let rows = rowCount == 1 ? "1 row" : "\(rowCount) rows"
    var blocks = ["\(dataset): \(failed.count) of \(evaluated.count) rules violated, \(rows)"]
    blocks += failed.map { $0.report() }
    return blocks.joined(separator: "\n\n")
  }
}

extension RuleResult {
  package func report() -> String {
    if let observedRowCount { return "\(rule.text): found \(observedRowCount) rows (\(rule.severity.rawValue))" }
    let unit = rule.kind == .primaryKeyUnique ? "rows" : "values"
    var lines = ["\(rule.text): \(failedCount) of \(evaluatedCount) \(unit) (\(rule.severity.rawValue))"]
    lines += TextTable(failures: firstFailures, valueName: rule.columns.first ?? "value").lines.map { "  " + $0 }
    if failedCount > firstFailures.count { lines.append("  \(failedCount - firstFailures.count) more") }
    return lines.joined(separator: "\n")
  }
}

/// A small table with aligned columns: numbers to the right, everything else to the left.
private struct TextTable {
  let lines: [String]

  init(failures: [FailedRow], valueName: String) {
    guard let first = failures.first else {
      lines = []
      return
    }
    // The violating value has a column of its own unless the key shows it.
    let showsValue = !first.key.contains { $0.name == valueName }
    let header = ["row"] + first.key.map(\.name) + (showsValue ? [valueName] : [])
    let scalars = failures.map { failure in
      [Scalar.int(Int64(failure.row))] + failure.key.map(\.value) + (showsValue ? [failure.value] : [])
    }
    let cells = scalars.map { $0.map(Self.cell) }
    let widths = header.indices.map { column in
      ([header[column]] + cells.map { $0[column] }).map(\.count).max() ?? 0
    }
    let isNumber = header.indices.map { column in scalars.allSatisfy { $0[column].isNumberOrNull } }
    lines = ([header] + cells).map { row in
      let padded = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return isNumber[column] ? padding + row[column] : row[column] + padding
      }
      return padded.joined(separator: "  ").trimmedAtEnd
    }
  }

  private static let cellCharacterCountMax = 60

  /// One line of printable text: empty strings are shown as `""`, control characters escaped, long text cut.
  private static func cell(_ scalar: Scalar) -> String {
    guard case .string(let text) = scalar else { return scalar.plainText }
    if text.isEmpty { return "\"\"" }
    var shown = ""
    for scalar in text.unicodeScalars.prefix(cellCharacterCountMax) {
      if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return text.unicodeScalars.count > cellCharacterCountMax ? shown + "…" : shown
  }
}

extension Scalar {
  fileprivate var isNumberOrNull: Bool {
    switch self {
    case .null, .int, .uint, .float, .double, .decimal: true
    default: false
    }
  }
}

extension String {
  fileprivate var trimmedAtEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
