import Columns

/// What one feature of one entity is worth at one time, and why.
package struct FeatureValue: Hashable, Sendable {
  package enum Status: String, Hashable, Sendable {
    case present = "PRESENT"
    /// There is a row, and its value is null.
    case nullValue = "NULL_VALUE"
    /// No row qualifies.
    case notFound = "NOT_FOUND"
    /// The newest row is older than the view's ttl.
    case outsideMaxAge = "OUTSIDE_MAX_AGE"
    /// The value could not be computed.
    case invalid = "INVALID"
  }

  /// Null unless the status is `present`.
  package let value: Scalar
  package let status: Status
  /// Of the newest row that qualifies; 0 without one.
  package let eventTimeMicros: Int64

  package init(_ value: Scalar, _ status: Status, eventTimeMicros: Int64) {
    self.value = value
    self.status = status
    self.eventTimeMicros = eventTimeMicros
  }

  static let notFound = FeatureValue(.null, .notFound, eventTimeMicros: 0)
}
