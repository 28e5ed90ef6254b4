import Columns

/// Fits batches of rows to a contract and checks them against its rules.
///
/// For every batch of an input: `conform`, then `check`; at the end `verdict`. A gate sees rows once and keeps only
/// counts and the first failures.
package struct Gate: Sendable {
  package let contract: Contract
  /// How many failing rows each rule names.
  package let failedRowCountMax: Int
  /// The rows checked so far.
  package private(set) var rowCount = 0
  private var checks: [Check]

  private struct Check: Sendable {
    /// The index of the rule's column in the contract; nil for rules about the whole dataset.
    let column: Int?
    let test: RowTest?
    var result: RuleResult
  }

  /// - Parameter failedRowCountMax: failing rows kept for each rule.
  /// - Throws: `CheckError` for a pattern that is no regular expression, or a rule about an unknown column.
  package init(contract: Contract, failedRowCountMax: Int = 20) throws(CheckError) {
    self.contract = contract
    self.failedRowCountMax = failedRowCountMax
    checks = []
    let implied = contract.impliedRules
    for rule in implied + contract.rules.filter({ !implied.contains($0) }) {
      let test: RowTest?
      do throws(PatternError) {
        test = try RowTest(rule.kind)
      } catch {
        throw CheckError("Cannot use the rule \(rule.text): \(error.description)")
      }
      let column = test == nil ? nil : rule.columns.first.flatMap { name in contract.columns.firstIndex { $0.name == name } }
      guard test == nil || column != nil else {
        throw CheckError("Cannot use the rule \(rule.text): dataset \(contract.name) has no such column")
      }
      checks.append(Check(column: column, test: test, result: RuleResult(rule: rule)))
    }
  }

  /// The rules in the order of the verdict: what columns and key imply, then what is declared.
  package var rules: [Rule] { checks.map(\.result.rule) }

  /// Checks the row rules on a batch that `conform` returned.
  ///
  /// - Parameters:
  ///   - firstRow: how many rows of the input came before; messages count from 1.
  ///   - absent: positions of columns that the rows do not have, and that are checked when their values are known.
  /// - Precondition: the batch has the contract's columns, in order and type.
  /// - Complexity: O(rows · rules)
  package mutating func check(_ batch: Batch, firstRow: Int, without absent: [Int] = []) {
    precondition(batch.columns.count == contract.columns.count, "The batch has not been fitted to the contract")
    rowCount += batch.rowCount
    for index in checks.indices {
      guard let columnIndex = checks[index].column, let test = checks[index].test, !absent.contains(columnIndex) else { continue }
      let column = batch.columns[columnIndex]
      precondition(column.type == contract.columns[columnIndex].type, "The batch has not been fitted to the contract")
      let missing = failedRowCountMax - checks[index].result.firstFailures.count
      let found = test.failures(in: column, rowCountMax: max(0, missing))
      checks[index].result.isEvaluated = true
      if case .required = test {
        checks[index].result.evaluatedCount += column.count
      } else {
        checks[index].result.evaluatedCount += column.count - column.nullCount
      }
      checks[index].result.failedCount += found.count
      for row in found.rows {
        checks[index].result.firstFailures.append(
          FailedRow(row: firstRow + row + 1, key: key(of: row, in: batch), value: column.scalar(at: row)))
      }
    }
  }

  /// Checks the row rules on some of the values of rows that have been counted already.
  ///
  /// - Parameters:
  ///   - numbers: of the rows in the input, from 0, in any order.
  ///   - chosen: for the position of a column the rows of the batch whose value is checked.
  /// - Precondition: the batch has the contract's columns, in order and type.
  /// - Complexity: O(chosen rows · rules)
  package mutating func check(_ batch: Batch, rows numbers: [Int], chosen: (_ column: Int) -> [Int32]) {
    precondition(batch.columns.count == contract.columns.count, "The batch has not been fitted to the contract")
    for index in checks.indices {
      guard let columnIndex = checks[index].column, let test = checks[index].test else { continue }
      let rows = chosen(columnIndex)
      guard !rows.isEmpty else { continue }
      let column = batch.columns[columnIndex].take(rows)
      precondition(column.type == contract.columns[columnIndex].type, "The batch has not been fitted to the contract")
      let found = test.failures(in: column, rowCountMax: .max)
      var result = checks[index].result
      result.isEvaluated = true
      if case .required = test { result.evaluatedCount += column.count } else { result.evaluatedCount += column.count - column.nullCount }
      result.failedCount += found.count
      // The first of the whole input, whatever the order in which its rows are looked at.
      let first = found.rows.map { Int(rows[$0]) }.sorted { numbers[$0] < numbers[$1] }.prefix(failedRowCountMax)
      result.firstFailures += first.map { row in
        FailedRow(row: numbers[row] + 1, key: key(of: row, in: batch), value: batch.columns[columnIndex].scalar(at: row))
      }
      result.firstFailures.sort { $0.row < $1.row }
      result.firstFailures.removeLast(max(0, result.firstFailures.count - failedRowCountMax))
      checks[index].result = result
    }
  }

  private func key(of row: Int, in batch: Batch) -> [FailedRow.KeyPart] {
    contract.primaryKey.compactMap { name in
      batch[name].map { FailedRow.KeyPart(name: name, value: $0.scalar(at: row)) }
    }
  }

  /// What was found on all rows checked so far. The primary key stays unevaluated until `noteDuplicateKeys`; `rowCount`
  /// rules are decided by the rows seen until `noteDatasetRowCount`.
  package func verdict() -> Verdict {
    var results = checks.map(\.result)
    for index in results.indices where checks[index].test != nil { results[index].isEvaluated = true }
    var verdict = Verdict(dataset: contract.name, rowCount: rowCount, results: results)
    verdict.noteDatasetRowCount(rowCount)
    return verdict
  }
}
