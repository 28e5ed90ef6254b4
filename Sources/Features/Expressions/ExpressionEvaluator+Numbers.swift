import Columns
import Glibc

extension ExpressionEvaluator {
  func negate(_ operand: ExpressionNode, _ node: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    let value = try evaluate(operand, active)
    if case .decimal(let decimals, let scale) = value.storage {
      // A type of decimals has the negative of each of its values.
      return .computed(.decimal(mapValues(decimals) { 0 &- $0 }, scale: scale), valid: value.valid, from: [value])
    }
    guard case .int(let ints) = value.storage else {
      return .computed(.double(mapValues(value.doubles) { -$0 }), valid: value.valid, from: [value])
    }
    try failIfAny(node, valid: value.valid, active, rowCount: ints.count, { ints[$0] == .min }) { "-(\(ints[$0])) overflows int64" }
    return .computed(.int(mapValues(ints) { 0 &- $0 }), valid: value.valid, from: [value])
  }

  /// - Throws: on overflow of int64. A division by zero is null.
  func arithmeticInt(
    _ operation: Arithmetic, _ a: Vector, _ b: Vector, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    let left = a.ints
    let right = b.ints
    var valid = intersection(a.valid, b.valid)
    var overflows = false
    let values: Values<Int64>
    switch operation {
    case .add:
      values = mapPairs(left, right) { (x: Int64, y: Int64) -> Int64 in
        let sum = x &+ y
        // The sum's sign differs from that of both operands.
        overflows = overflows || (x ^ sum) & (y ^ sum) < 0
        return sum
      }
    case .subtract:
      values = mapPairs(left, right) { (x: Int64, y: Int64) -> Int64 in
        let difference = x &- y
        overflows = overflows || (x ^ y) & (x ^ difference) < 0
        return difference
      }
    case .multiply:
      values = mapPairs(left, right) { (x: Int64, y: Int64) -> Int64 in
        let (product, overflow) = x.multipliedReportingOverflow(by: y)
        overflows = overflows || overflow
        return product
      }
    case .remainder:
      // The remainder by -1 is 0 always, but the processor traps for the least int64.
      values = mapPairs(left, right) { (x: Int64, y: Int64) -> Int64 in y == 0 || y == -1 ? 0 : x % y }
      valid = intersection(valid, divisible(mapValues(right) { $0 != 0 ? 1 : 0 }, rowCount: values.count))
    case .divide: preconditionFailure("The checker divides floats only")
    }
    if overflows {
      func operands(_ row: Int) -> (Int64, Int64) { (left[left.count == 1 ? 0 : row], right[right.count == 1 ? 0 : row]) }
      try failIfAny(node, valid: valid, active, rowCount: values.count) { row in
        let (x, y) = operands(row)
        return switch operation {
        case .add: x.addingReportingOverflow(y).overflow
        case .subtract: x.subtractingReportingOverflow(y).overflow
        default: x.multipliedReportingOverflow(by: y).overflow
        }
      } _: { row in
        let (x, y) = operands(row)
        return "\(x) \(operation.rawValue) \(y) overflows int64"
      }
    }
    return .computed(.int(values), valid: valid, from: [a, b])
  }

  /// A division by zero is null, also of floats.
  func arithmeticDouble(_ operation: Arithmetic, _ a: Vector, _ b: Vector) -> Vector {
    let left = a.doubles
    let right = b.doubles
    var valid = intersection(a.valid, b.valid)
    let values: Values<Double>
    switch operation {
    case .add: values = mapPairs(left, right) { $0 + $1 }
    case .subtract: values = mapPairs(left, right) { $0 - $1 }
    case .multiply: values = mapPairs(left, right) { $0 * $1 }
    case .divide: values = mapPairs(left, right) { $0 / $1 }
    case .remainder: values = mapPairs(left, right) { fmod($0, $1) }
    }
    if operation == .divide || operation == .remainder {
      valid = intersection(valid, divisible(mapValues(right) { $0 != 0 ? 1 : 0 }, rowCount: values.count))
    }
    return .computed(.double(values), valid: valid, from: [a, b])
  }

  /// The mask of divisors that are not zero, for every row of the result; nil when none is zero.
  private func divisible(_ mask: Mask, rowCount: Int) -> Mask? {
    if mask.count == rowCount { return mask }
    return mask[0] != 0 ? nil : Mask.filled(rowCount) { $0.initialize(repeating: 0, count: rowCount) }
  }

  func apply(
    _ function: ScalarFunction, _ value: Vector, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    func result(_ values: Values<Double>) -> Vector { .computed(.double(values), valid: value.valid, from: [value]) }
    switch function {
    case .ln: return result(mapValues(value.doubles) { Glibc.log($0) })
    case .exp: return result(mapValues(value.doubles) { Glibc.exp($0) })
    case .sqrt: return result(mapValues(value.doubles) { $0.squareRoot() })
    case .abs, .floor, .ceil:
      if case .decimal(let decimals, let scale) = value.storage {
        return .computed(.decimal(mapValues(decimals) { $0 < 0 ? 0 &- $0 : $0 }, scale: scale), valid: value.valid, from: [value])
      }
      guard case .int(let ints) = value.storage else {
        switch function {
        case .abs: return result(mapValues(value.doubles) { $0.magnitude })
        case .floor: return result(mapValues(value.doubles) { $0.rounded(.down) })
        default: return result(mapValues(value.doubles) { $0.rounded(.up) })
        }
      }
      guard function == .abs else { return value }
      try failIfAny(node, valid: value.valid, active, rowCount: ints.count, { ints[$0] == .min }) { "abs(\(ints[$0])) overflows int64" }
      return .computed(.int(mapValues(ints) { $0 < 0 ? 0 &- $0 : $0 }), valid: value.valid, from: [value])
    case .lower, .upper: return changeCase(value, isUpper: function == .upper)
    case .length: return length(value)
    }
  }

  /// Rounds halves away from zero; negative digits round to tens, hundreds and so on.
  func round(_ value: Vector, digits: Int, _ node: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    let power = pow(10, Double(abs(digits)))
    guard case .int(let ints) = value.storage else {
      let rounded = mapValues(value.doubles) { (x: Double) -> Double in
        if digits == 0 { return x.rounded(.toNearestOrAwayFromZero) }
        let result =
          digits > 0
          ? (x * power).rounded(.toNearestOrAwayFromZero) / power : (x / power).rounded(.toNearestOrAwayFromZero) * power
        // The scaled value left the range of floats, so it has no digits to round.
        return result.isFinite ? result : x
      }
      return .computed(.double(rounded), valid: value.valid, from: [value])
    }
    guard digits < 0 else { return value }
    let step = Int64(power)
    func rounded(_ x: Int64) -> (partialValue: Int64, overflow: Bool) {
      let remainder = x % step
      // Twice the remainder may not fit, its distance to the step does.
      let isUp = remainder.magnitude >= UInt64(step) - remainder.magnitude
      let whole = x &- remainder
      return isUp ? whole.addingReportingOverflow(x < 0 ? -step : step) : (whole, false)
    }
    try failIfAny(node, valid: value.valid, active, rowCount: ints.count, { rounded(ints[$0]).overflow }) {
      "round(\(ints[$0]), \(digits)) overflows int64"
    }
    return .computed(.int(mapValues(ints) { rounded($0).partialValue }), valid: value.valid, from: [value])
  }

  // MARK: Comparison

  /// Null where either is null. NaN equals NaN and is greater than every number; strings compare by their bytes.
  func compare(_ comparison: Comparison, _ a: Vector, _ b: Vector) -> Vector {
    if a.isNullConstant || b.isNullConstant { return .null(.bool) }
    let mask: Mask
    switch (a.storage, b.storage) {
    case (.int(let x), .int(let y)): mask = Self.compare(comparison, x, y)
    case (.bool(let x), .bool(let y)): mask = Self.compare(comparison, x, y)
    case (.double(let x), .double(let y)): mask = Self.compareDoubles(comparison, x, y)
    case (.decimal, _), (_, .decimal): mask = Self.compareDecimals(comparison, a.decimals, b.decimals)
    default: mask = Self.compareStrings(comparison, a.strings, b.strings)
    }
    return .computed(.bool(mask), valid: intersection(a.valid, b.valid), from: [a, b])
  }

  static func compare<T: BitwiseCopyable & Comparable>(_ comparison: Comparison, _ x: Values<T>, _ y: Values<T>) -> Mask {
    switch comparison {
    case .equal: mapPairs(x, y) { $0 == $1 ? 1 : 0 }
    case .unequal: mapPairs(x, y) { $0 != $1 ? 1 : 0 }
    case .less: mapPairs(x, y) { $0 < $1 ? 1 : 0 }
    case .lessOrEqual: mapPairs(x, y) { $0 <= $1 ? 1 : 0 }
    case .greater: mapPairs(x, y) { $0 > $1 ? 1 : 0 }
    case .greaterOrEqual: mapPairs(x, y) { $0 >= $1 ? 1 : 0 }
    }
  }

  private static func compareDoubles(_ comparison: Comparison, _ x: Values<Double>, _ y: Values<Double>) -> Mask {
    @inline(__always) func less(_ a: Double, _ b: Double) -> Bool { a < b || (b.isNaN && !a.isNaN) }
    @inline(__always) func equal(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }
    return switch comparison {
    case .equal: mapPairs(x, y) { equal($0, $1) ? 1 : 0 }
    case .unequal: mapPairs(x, y) { equal($0, $1) ? 0 : 1 }
    case .less: mapPairs(x, y) { less($0, $1) ? 1 : 0 }
    case .lessOrEqual: mapPairs(x, y) { less($1, $0) ? 0 : 1 }
    case .greater: mapPairs(x, y) { less($1, $0) ? 1 : 0 }
    case .greaterOrEqual: mapPairs(x, y) { less($0, $1) ? 0 : 1 }
    }
  }

  private static func compareStrings(_ comparison: Comparison, _ x: BytesValues, _ y: BytesValues) -> Mask {
    let count = x.count == 1 ? y.count : y.count == 1 ? x.count : x.count
    return Mask.filled(count) { target in
      for row in 0..<count {
        let a = x[x.count == 1 ? 0 : row]
        let b = y[y.count == 1 ? 0 : row]
        let shared = min(a.count, b.count)
        // SAFETY: both are `shared` bytes long at least; memcmp of none is not called with a null pointer.
        let bytes = shared == 0 ? 0 : memcmp(a.baseAddress!, b.baseAddress!, shared)
        let order = bytes != 0 ? Int(bytes) : a.count - b.count
        let holds =
          switch comparison {
          case .equal: order == 0
          case .unequal: order != 0
          case .less: order < 0
          case .lessOrEqual: order <= 0
          case .greater: order > 0
          case .greaterOrEqual: order >= 0
          }
        target[row] = holds ? 1 : 0
      }
      withExtendedLifetime((x, y)) {}
    }
  }
}
