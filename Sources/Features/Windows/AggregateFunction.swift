import Columns

/// How the values of a window become one value. None depends on the order in which events are added, taken out or merged.
package enum AggregateFunction: Hashable, Sendable {
  /// Of rows, or of values when there is an `of`.
  case count
  case sum, avg, min, max
  /// The sample standard deviation.
  case stddev
  /// The value of the oldest and of the newest row, which may be null.
  case first, last
  /// The values of the newest rows, newest first, nulls among them.
  case lastN(Int)
  /// HyperLogLog of 2^14 registers: a standard error of 0.8 %.
  case approxCountDistinct
  /// DDSketch: within 1 % of a value at this quantile.
  case approxQuantile(Double)

  package static let names = [
    "count", "sum", "avg", "min", "max", "stddev", "first", "last", "last_n", "approx_count_distinct", "approx_quantile",
  ]

  /// Bounds what one value of a feature can weigh.
  package static let nMax = 1_000

  /// As features files write it.
  package var name: String {
    switch self {
    case .count: "count"
    case .sum: "sum"
    case .avg: "avg"
    case .min: "min"
    case .max: "max"
    case .stddev: "stddev"
    case .first: "first"
    case .last: "last"
    case .lastN: "last_n"
    case .approxCountDistinct: "approx_count_distinct"
    case .approxQuantile: "approx_quantile"
    }
  }

  /// Nil for an unknown name, and when `n` and `q` are not there exactly where they belong, or out of range.
  package init?(name: String, n: Int? = nil, q: Double? = nil) {
    if name == "last_n" {
      guard let n, (1...Self.nMax).contains(n), q == nil else { return nil }
      self = .lastN(n)
      return
    }
    if name == "approx_quantile" {
      guard let q, (0...1).contains(q), n == nil else { return nil }
      self = .approxQuantile(q + 0)
      return
    }
    let simple: [AggregateFunction] = [.count, .sum, .avg, .min, .max, .stddev, .first, .last, .approxCountDistinct]
    guard n == nil, q == nil, let found = simple.first(where: { $0.name == name }) else { return nil }
    self = found
  }

  package var n: Int? { if case .lastN(let n) = self { n } else { nil } }
  package var q: Double? { if case .approxQuantile(let q) = self { q } else { nil } }

  /// With its parameter, for people.
  var text: String {
    switch self {
    case .lastN(let n): "last_n (n \(n))"
    case .approxQuantile(let q): "approx_quantile (q \(q))"
    default: name
    }
  }
}

// MARK: Types

extension AggregateFunction {
  /// The type of the aggregate of values of a type; nil when it cannot aggregate them.
  package func resultType(of operand: DataType?) -> DataType? {
    if self == .count { return .int64 }
    guard let operand, operand.isAggregable else { return nil }
    return resultType(ofValues: valueType(of: operand))
  }

  /// The same of values that are of the type the function reads; nil for any other type.
  package func resultType(ofValues type: DataType?) -> DataType? {
    guard let type else { return self == .count ? .int64 : nil }
    guard type.isAggregable, valueType(of: type) == type else { return nil }
    switch self {
    case .count: return nil
    case .approxCountDistinct: return .int64
    case .sum:
      switch type {
      case .int64, .float64: return type
      case .decimal(_, let scale): return .decimal(precision: 38, scale: scale)
      default: return nil
      }
    case .avg: return type == .int64 || type == .float64 || type.isDecimal ? .float64 : nil
    case .stddev: return type == .int64 || type == .float64 ? .float64 : nil
    case .approxQuantile: return type == .float64 ? .float64 : nil
    case .min, .max, .first, .last: return type
    case .lastN: return .list(Field("item", type))
    }
  }

  /// The type in which this function reads values of a type.
  package func valueType(of operand: DataType) -> DataType {
    switch self {
    case .sum, .avg:
      if operand == .uint64 { return .decimal(precision: 20, scale: 0) }
      if operand.isDecimal { return operand }
      return operand.isFloat ? .float64 : operand.isInteger ? .int64 : operand
    case .stddev:
      if operand.isDecimal || operand == .uint64 || operand.isFloat { return .float64 }
      return operand.isInteger ? .int64 : operand
    case .approxQuantile: return operand.isInteger || operand.isFloat || operand.isDecimal ? .float64 : operand
    default: return operand
    }
  }

  var expectedOperand: String {
    switch self {
    case .count: "any value"
    case .sum, .avg, .stddev, .approxQuantile: "a number"
    default: "a number, string, binary, date, timestamp or bool"
    }
  }
}

extension DataType {
  /// The types that datasets hold.
  fileprivate var isAggregable: Bool {
    switch self {
    case .float16, .fixedBinary, .time, .duration, .list, .map, .structure: false
    default: true
    }
  }
}
