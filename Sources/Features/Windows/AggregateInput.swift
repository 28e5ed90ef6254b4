import Columns

/// What one aggregate reads of every event: the value of `of`, and whether the event passes the aggregate's `where`.
package struct AggregateInput: Sendable {
  package let function: AggregateFunction
  package let window: Window
  /// The type of the result.
  package let type: DataType
  /// `int64` or `float64` for sum and avg, the type of `of` for the others; canonical. Nil for a count of rows.
  package let values: Column?
  /// The events that count; nil when all do.
  package let passing: Bitmap?

  /// - Precondition: `values` and `passing` are as their comments say, and equally long.
  package init(function: AggregateFunction, window: Window, type: DataType, values: Column?, passing: Bitmap?) {
    precondition(values.map { values in passing.map { $0.count == values.count } ?? true } ?? (function == .count))
    if function == .sum || function == .avg { precondition(values?.type == .int64 || values?.type == .float64) }
    self.function = function
    self.window = window
    self.type = type
    self.values = values
    self.passing = passing
  }

  /// Whether an event counts and has a value.
  @inline(__always) func isCounted(_ event: Int) -> Bool {
    (passing.map { $0[event] } ?? true) && (values?.validity.map { $0[event] } ?? true)
  }

  /// Whether every event counts and has a value.
  var countsAll: Bool { passing == nil && values?.validity == nil }

  /// The first event of a window of this width that ends at `time` has a greater time than this.
  package static func exclusiveStart(of window: Window, at time: Int64) -> Int64? {
    guard case .micros(let width) = window else { return nil }
    let (start, overflow) = time.subtractingReportingOverflow(width)
    // Before the first time there is: every event lies behind it.
    return overflow ? nil : start
  }
}

extension DataType {
  /// The type in which sum and avg read values of this type; every value fits.
  var summedType: DataType { isFloat ? .float64 : .int64 }
}
