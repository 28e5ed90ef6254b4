import Columns

/// A row that violates a rule.
package struct FailedRow: Hashable, Sendable {
  package struct KeyPart: Hashable, Sendable {
    package let name: String
    package let value: Scalar

    package init(name: String, value: Scalar) {
      self.name = name
      self.value = value
    }
  }

  /// From 1, in the input's order.
  package let row: Int
  /// The row's primary key; empty for `kind: log`.
  package let key: [KeyPart]
  /// What violates the rule; null for a missing value.
  package let value: Scalar

  package init(row: Int, key: [KeyPart], value: Scalar) {
    self.row = row
    self.key = key
    self.value = value
  }
}

/// What one rule found.
package struct RuleResult: Hashable, Sendable {
  package let rule: Rule
  /// Values (or, for the key, rows) that were looked at; nulls are looked at only by `required`.
  package internal(set) var evaluatedCount = 0
  package internal(set) var failedCount = 0
  /// The first of the failures, in row order.
  package internal(set) var firstFailures: [FailedRow] = []
  /// The rows counted by a `rowCount` rule.
  package internal(set) var observedRowCount: Int?
  /// False while nobody has evaluated the rule: a key is unique only after somebody has sorted the rows.
  package internal(set) var isEvaluated = false

  package var passed: Bool { failedCount == 0 }
}

/// What a gate found about all rows it saw: the evidence that a commit names.
package struct Verdict: Hashable, Sendable {
  /// The dataset whose contract was checked.
  package let dataset: String
  package let rowCount: Int
  /// In the order of the contract: columns, key, declared rules.
  package internal(set) var results: [RuleResult]

  /// True when no rule of severity `error` failed.
  package var passed: Bool { results.allSatisfy { $0.passed || $0.rule.severity != .error } }

  /// The results whose rule failed with severity `warning`.
  package var warnings: [RuleResult] { results.filter { !$0.passed && $0.rule.severity == .warning } }

  /// Records what sorting the rows by their primary key has shown; without it the rule stays unevaluated.
  ///
  /// - Parameters:
  ///   - count: rows whose key an earlier row of the input has.
  ///   - first: the first of them; `value` is not used.
  package mutating func noteDuplicateKeys(count: Int, first: [FailedRow]) {
    guard let index = results.firstIndex(where: { $0.rule.kind == .primaryKeyUnique }) else { return }
    results[index].evaluatedCount = rowCount
    results[index].failedCount = count
    results[index].firstFailures = first
    results[index].isEvaluated = true
  }

  /// What it says of rows alone, where nobody knows yet how many the dataset would have.
  package func aboutRows() -> Verdict {
    var verdict = self
    verdict.results.removeAll { $0.rule.columns.isEmpty }
    return verdict
  }

  /// Decides the `rowCount` rules by the rows that the whole dataset would have.
  ///
  /// A gate decides them by the rows it saw, which is right for a file and for a commit that replaces all rows.
  package mutating func noteDatasetRowCount(_ rowCount: Int) {
    for index in results.indices {
      guard case .rowCount(let minimum, let maximum) = results[index].rule.kind else { continue }
      let fits = rowCount >= Int(minimum ?? 0) && rowCount <= Int(maximum ?? .max)
      results[index].evaluatedCount = 1
      results[index].failedCount = fits ? 0 : 1
      results[index].observedRowCount = rowCount
      results[index].isEvaluated = true
    }
  }
}
