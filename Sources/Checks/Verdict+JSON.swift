import Columns
import JSON

extension Verdict {
  /// The verdict in the shape of a Great Expectations validation result.
  ///
  /// `success` speaks of severity `error` only; each result has its own. Rules that nobody evaluated are left out.
  package var json: JSON {
    let evaluated = results.filter(\.isEvaluated)
    let successful = evaluated.count(where: \.passed)
    return [
      "success": .bool(passed),
      "results": .array(evaluated.map(\.json)),
      "statistics": [
        "evaluated_expectations": .int(Int64(evaluated.count)),
        "successful_expectations": .int(Int64(successful)),
        "unsuccessful_expectations": .int(Int64(evaluated.count - successful)),
        "success_percent": evaluated.isEmpty ? .null : .double(100 * Double(successful) / Double(evaluated.count)),
      ],
      "meta": ["dataset": .string(dataset), "rows": .int(Int64(rowCount))],
    ]
  }
}

extension RuleResult {
  package var json: JSON {
    let (type, arguments) = rule.kind.expectation(columns: rule.columns)
    return [
      "success": .bool(passed),
      "expectation_config": [
        "type": .string(type), "kwargs": .object(arguments), "severity": .string(rule.severity.rawValue),
        "meta": ["rule": .string(rule.text)],
      ],
      "result": .object(result),
      "exception_info": ["raised_exception": false, "exception_message": nil, "exception_traceback": nil],
    ]
  }

  private var result: [String: JSON] {
    if let observedRowCount { return ["observed_value": .int(Int64(observedRowCount))] }
    return [
      "element_count": .int(Int64(evaluatedCount)),
      "unexpected_count": .int(Int64(failedCount)),
      "unexpected_percent": .double(evaluatedCount == 0 ? 0 : 100 * Double(failedCount) / Double(evaluatedCount)),
      "unexpected_list": .array(firstFailures.map(value)),
      "unexpected_rows": .array(firstFailures.map(\.json)),
    ]
  }

  /// The key stands for a duplicated row.
  private func value(of failure: FailedRow) -> JSON {
    rule.kind == .primaryKeyUnique ? .object(failure.keyJSON) : failure.value.json
  }
}

extension FailedRow {
  var keyJSON: [String: JSON] { Dictionary(key.map { ($0.name, $0.value.json) }) { first, _ in first } }

  package var json: JSON { ["row": .int(Int64(row)), "key": .object(keyJSON), "value": value.json] }
}

extension Rule.Kind {
  /// The rule in the vocabulary of Great Expectations.
  func expectation(columns: [String]) -> (type: String, arguments: [String: JSON]) {
    let column = JSON.string(columns.first ?? "")
    func between(_ arguments: [String: JSON]) -> (String, [String: JSON]) {
      ("expect_column_values_to_be_between", arguments.merging(["column": column]) { first, _ in first })
    }
    switch self {
    case .required: return ("expect_column_values_to_not_be_null", ["column": column])
    case .primaryKeyUnique where columns.count == 1: return ("expect_column_values_to_be_unique", ["column": column])
    case .primaryKeyUnique:
      return ("expect_compound_columns_to_be_unique", ["column_list": .array(columns.map { .string($0) })])
    case .minimum(let bound): return between(["min_value": bound.json])
    case .maximum(let bound): return between(["max_value": bound.json])
    case .exclusiveMinimum(let bound): return between(["min_value": bound.json, "strict_min": true])
    case .exclusiveMaximum(let bound): return between(["max_value": bound.json, "strict_max": true])
    case .minLength(let length):
      return ("expect_column_value_lengths_to_be_between", ["column": column, "min_value": .int(Int64(length))])
    case .maxLength(let length):
      return ("expect_column_value_lengths_to_be_between", ["column": column, "max_value": .int(Int64(length))])
    case .pattern(let pattern): return ("expect_column_values_to_match_regex", ["column": column, "regex": .string(pattern)])
    case .validValues(let values):
      return ("expect_column_values_to_be_in_set", ["column": column, "value_set": .array(values.map(\.json))])
    case .rowCount(let minimum, let maximum):
      var arguments: [String: JSON] = [:]
      if let minimum { arguments["min_value"] = .int(minimum) }
      if let maximum { arguments["max_value"] = .int(maximum) }
      return ("expect_table_row_count_to_be_between", arguments)
    }
  }
}
