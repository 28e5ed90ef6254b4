import Columns

/// What one aggregate reads of every event: the value of `of`, and whether the event passes the aggregate's `where`.
package struct AggregateInput: Sendable {
  package let function: AggregateFunction
  package let window: Window
  /// The type of the result.
  package let type: DataType
  /// Of the type that the function reads (`valueType(of:)`), canonical. Nil for a count of rows.
  package let values: Column?
  /// The events that count; nil when all do.
  package let passing: Bitmap?

  /// - Precondition: `values` and `passing` are as their comments say, and equally long.
  package init(function: AggregateFunction, window: Window, type: DataType, values: Column?, passing: Bitmap?) {
    precondition(values.map { values in passing.map { $0.count == values.count } ?? true } ?? (function == .count))
    precondition(values.map { function.valueType(of: $0.type) == $0.type } ?? true)
    self.function = function
    self.window = window
    self.type = type
    self.values = values
    self.passing = passing
  }

  /// The input of some events alone. - Parameter passing: of these events those that count.
  func slice(_ events: Range<Int>, passing: [Bool]) -> AggregateInput {
    AggregateInput(
      function: function, window: window, type: type, values: values?.slice(from: events.lowerBound, count: events.count),
      passing: Bitmap(flags: passing))
  }

  /// Whether an event counts and has a value.
  @inline(__always) func isCounted(_ event: Int) -> Bool {
    (passing.map { $0[event] } ?? true) && (values?.validity.map { $0[event] } ?? true)
  }

  /// Whether every event counts and has a value.
  var countsAll: Bool { passing == nil && values?.validity == nil }

  /// The first event of a window of this width that ends at `time` has a greater time than this; nil when every event lies behind.
  package static func exclusiveStart(of window: Window, at time: Int64) -> Int64? {
    switch window {
    case .all: return nil
    case .micros(let width):
      let (start, overflow) = time.subtractingReportingOverflow(width)
      // Before the first time there is.
      return overflow ? nil : start
    case .coarse(let width, let resolution):
      guard let start = exclusiveStart(of: .micros(width), at: time) else { return nil }
      let remainder = start % resolution
      let (lowered, overflow) = start.subtractingReportingOverflow(remainder < 0 ? remainder + resolution : remainder)
      return overflow ? nil : lowered
    }
  }
}
