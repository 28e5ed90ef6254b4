import Columns

@testable import Features

/// What an aggregate has to be, computed without the engine's code.
enum WindowExpectation {
  case exactly(Scalar)
  /// Within a part of the value.
  case near(Double, relative: Double)
  case count(Int)

  func accepts(_ found: Scalar) -> Bool {
    switch self {
    case .exactly(let wanted): return found.isSameDeep(as: wanted)
    case .near(let wanted, let relative):
      guard case .double(let value) = found else { return false }
      if wanted.isNaN || wanted.isInfinite || wanted == 0 { return value.isNaN ? wanted.isNaN : value == wanted }
      return abs(value / wanted - 1) <= relative
    case .count(let wanted):
      guard case .int(let value) = found else { return false }
      return abs(Double(value) - Double(wanted)) <= 1 + 0.05 * Double(wanted)
    }
  }

  init(_ function: AggregateFunction, _ type: DataType?, _ all: [Scalar]) {
    let values = all.filter { $0 != .null }
    if function == .count {
      self = .exactly(.int(Int64(values.count)))
      return
    }
    guard let type, !all.isEmpty else {
      self = .exactly(.null)
      return
    }
    switch function {
    case .first: self = .exactly(all[0].canonical)
    case .last: self = .exactly(all[all.count - 1].canonical)
    case .lastN(let n): self = .exactly(.list(all.suffix(n).reversed().map(\.canonical)))
    default: self = values.isEmpty ? .exactly(.null) : Self.ofValues(function, type, values.map(\.canonical))
    }
  }

  private static func ofValues(_ function: AggregateFunction, _ type: DataType, _ values: [Scalar]) -> WindowExpectation {
    switch function {
    case .min: return .exactly(values.reduce(values[0]) { $1.isBelow($0) ? $1 : $0 })
    case .max: return .exactly(values.reduce(values[0]) { $0.isBelow($1) ? $1 : $0 })
    case .approxCountDistinct: return .count(Set(values.map(\.comparable)).count)
    case .approxQuantile(let q):
      let sorted = values.map(\.number).sorted { $0.isNaN ? false : $1.isNaN ? true : $0 < $1 }
      // A float is not exactly 1 % away where the bound says so.
      return .near(sorted[Int((q * Double(sorted.count - 1)).rounded(.down))], relative: 0.01 + 1e-12)
    case .stddev: return deviation(values.map(\.number))
    case .sum, .avg:
      let isMean = function == .avg
      if type.isFloat { return .exactly(.double(NaiveSum.rounded(values.map(\.number), dividedBy: isMean ? values.count : 1))) }
      let total = values.reduce(Int128(0)) { $0 + $1.units }
      guard isMean else {
        if case .decimal(_, let scale) = type { return .exactly(.decimal(total, scale: scale)) }
        return type == .uint64 ? .exactly(.decimal(total, scale: 0)) : .exactly(.int(Int64(total)))
      }
      var mean = Double(total) / Double(values.count)
      if case .decimal(_, let scale) = type { for _ in 0..<scale { mean /= 10 } }
      return .near(mean, relative: 1e-14)
    case .count, .first, .last, .lastN: preconditionFailure("Known before")
    }
  }

  /// In two passes over values scaled below 1.
  private static func deviation(_ values: [Double]) -> WindowExpectation {
    guard values.count > 1 else { return .exactly(.null) }
    guard values.allSatisfy(\.isFinite) else { return .exactly(.double(.nan)) }
    guard Set(values).count > 1 else { return .exactly(.double(0)) }
    let greatest = values.map(\.magnitude).max()!
    let scaled = values.map { $0 / greatest }
    let mean = scaled.reduce(0, +) / Double(values.count)
    let squares = scaled.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
    return .near((squares / Double(values.count - 1)).squareRoot() * greatest, relative: 1e-9)
  }
}

extension Scalar {
  /// Equal bit for bit, in lists too.
  func isSameDeep(as other: Scalar) -> Bool {
    if case .list(let a) = self, case .list(let b) = other { return a.count == b.count && zip(a, b).allSatisfy { $0.isSameDeep(as: $1) } }
    if case .float(let a) = self, case .float(let b) = other { return a.bitPattern == b.bitPattern }
    return isSame(as: other)
  }

  /// As stored: one NaN and no -0.0.
  var canonical: Scalar {
    switch self {
    case .double(let value): .double(value.isNaN ? .nan : value == 0 ? 0 : value)
    case .float(let value): .float(value.isNaN ? .nan : value == 0 ? 0 : value)
    default: self
    }
  }

  /// NaN equals itself here.
  var comparable: Scalar {
    switch self {
    case .double(let value): .uint(value.bitPattern)
    case .float(let value): .uint(UInt64(value.bitPattern))
    default: self
    }
  }

  var number: Double {
    switch self {
    case .double(let value): value
    case .float(let value): Double(value)
    case .int(let value): Double(value)
    case .uint(let value): Double(value)
    case .decimal(let value, let scale): (0..<scale).reduce(Double(value)) { value, _ in value / 10 }
    default: .nan
    }
  }

  var units: Int128 {
    switch self {
    case .int(let value): Int128(value)
    case .uint(let value): Int128(value)
    case .decimal(let value, _): value
    default: 0
    }
  }

  func isBelow(_ other: Scalar) -> Bool {
    switch (self, other) {
    case (.bool(let a), .bool(let b)): !a && b
    case (.int(let a), .int(let b)): a < b
    case (.uint(let a), .uint(let b)): a < b
    case (.double(let a), .double(let b)): a.isNaN ? false : b.isNaN ? true : a < b
    case (.float(let a), .float(let b)): a.isNaN ? false : b.isNaN ? true : a < b
    case (.decimal(let a, _), .decimal(let b, _)): a < b
    case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    case (.binary(let a), .binary(let b)): a.lexicographicallyPrecedes(b)
    case (.date(let a), .date(let b)): a < b
    case (.timestamp(let a, _), .timestamp(let b, _)): a < b
    default: false
    }
  }
}
