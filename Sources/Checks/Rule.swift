import Columns

/// One thing a contract demands of the rows of a dataset.
package struct Rule: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// No null in the column.
    case required
    /// No two rows with the same values in the columns; found where rows are sorted, see `Verdict.noteDuplicateKeys`.
    case primaryKeyUnique
    /// Bounds hold a value of the column's own type. A null satisfies them; NaN satisfies none.
    case minimum(Scalar), maximum(Scalar), exclusiveMinimum(Scalar), exclusiveMaximum(Scalar)
    /// Lengths count Unicode scalars, as JSON Schema does.
    case minLength(Int), maxLength(Int)
    /// An ECMA-262 regular expression that must match somewhere in the text.
    case pattern(String)
    case validValues([Scalar])
    /// The rows of the whole dataset; both ends inclusive, nil is open.
    case rowCount(minimum: Int64?, maximum: Int64?)
  }

  package enum Severity: String, Hashable, Sendable {
    /// A violation refuses the rows.
    case error
    /// A violation is recorded.
    case warning
  }

  package let dataset: String
  /// The columns the rule reads; none for a rule about the whole dataset.
  package let columns: [String]
  package let kind: Kind
  package let severity: Severity

  package init(dataset: String, columns: [String], kind: Kind, severity: Severity = .error) {
    self.dataset = dataset
    self.columns = columns
    self.kind = kind
    self.severity = severity
  }

  /// The rule in words, unique within a contract, for example `transactions.amount minimum 0.0`.
  package var text: String {
    let subject =
      switch columns.count {
      case 0: dataset
      case 1: "\(dataset).\(columns[0])"
      default: "\(dataset).(\(columns.joined(separator: ", ")))"
      }
    return "\(subject) \(kind.text)"
  }
}

extension Rule.Kind {
  var text: String {
    switch self {
    case .required: "required"
    case .primaryKeyUnique: "primary key unique"
    case .minimum(let bound): "minimum \(bound.text)"
    case .maximum(let bound): "maximum \(bound.text)"
    case .exclusiveMinimum(let bound): "exclusiveMinimum \(bound.text)"
    case .exclusiveMaximum(let bound): "exclusiveMaximum \(bound.text)"
    case .minLength(let length): "minLength \(length)"
    case .maxLength(let length): "maxLength \(length)"
    case .pattern(let pattern): "pattern \(pattern)"
    case .validValues(let values): "validValues [\(values.map(\.text).joined(separator: ", "))]"
    case .rowCount(let minimum?, let maximum?): "rowCount between \(minimum) and \(maximum)"
    case .rowCount(let minimum?, nil): "rowCount at least \(minimum)"
    case .rowCount(nil, let maximum?): "rowCount at most \(maximum)"
    case .rowCount(nil, nil): "rowCount"
    }
  }
}
