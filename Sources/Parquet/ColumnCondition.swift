import Columns

/// What rows must satisfy in one column.
///
/// A null satisfies `isNull` alone, NaN no range.
package struct ColumnCondition: Sendable {
  package struct Bound: Sendable {
    package let value: Scalar
    package let isInclusive: Bool

    package init(_ value: Scalar, isInclusive: Bool = true) {
      self.value = value
      self.isInclusive = isInclusive
    }
  }

  package enum Test: Sendable {
    case equals(Scalar)
    case isOneOf([Scalar])
    case range(lower: Bound?, upper: Bound?)
    case isNull
    case isNotNull
  }

  /// The index of a field of the reader's schema.
  package let column: Int
  package let test: Test

  package init(column: Int, _ test: Test) {
    self.column = column
    self.test = test
  }
}
