import Columns

/// An expression could not be computed for a row.
struct EvaluationFailure: Error {
  let text: String
  /// Within the chunk.
  let row: Int
  /// Of the failing part: the number of bytes before it in the expression.
  let offset: Int
}

/// Computes an expression over one chunk of a batch, a whole column per step.
///
/// `active` names the rows whose result matters. Only they can fail: the branch of a `case` that a row does not take, the
/// right side of an `and` whose left is false, and the later arguments of `coalesce` fail for nobody.
struct ExpressionEvaluator {
  /// The columns of the expression, sliced to the chunk.
  let columns: [Column]
  let count: Int

  /// Temporaries of this many rows stay in the second-level cache; a multiple of 8 keeps bits of chunks byte-aligned.
  static let chunkRowCount = 4_096

  func evaluate(_ node: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    switch node.operation {
    case .column(let index): return try load(columns[index], node, active)
    case .literal(let literal): return .constant(literal, type: node.type)
    case .negate(let operand): return try negate(operand, node, active)
    case .not(let operand):
      let value = try evaluate(operand, active)
      return .computed(.bool(mapValues(value.bools) { 1 &- $0 }), valid: value.valid, from: [value])
    case .arithmetic(let operation, let left, let right):
      let a = try evaluate(left, active)
      let b = try evaluate(right, active)
      if a.isNullConstant || b.isNullConstant { return .null(node.type) }
      switch node.type {
      case .int64: return try arithmeticInt(operation, a, b, node, active)
      case .decimal(let precision, let scale): return try arithmeticDecimal(operation, a, b, precision, scale, node, active)
      default: return arithmeticDouble(operation, a, b)
      }
    case .comparison(let comparison, let left, let right):
      let a = try evaluate(left, active)
      return compare(comparison, a, try evaluate(right, active))
    case .and(let terms): return try logical(terms, isAnd: true, active)
    case .or(let terms): return try logical(terms, isAnd: false, active)
    case .isTruth(let operand, let wanted, let negated):
      let value = try evaluate(operand, active)
      let holds = wanted ? truth(value) : falsehood(value)
      return .computed(.bool(negated ? mapValues(holds) { $0 ^ 1 } : holds), valid: nil, from: [value])
    case .distinct(let left, let right, let negated):
      return distinct(try evaluate(left, active), try evaluate(right, active), negated: negated)
    case .isNull(let operand, let negated): return isNull(try evaluate(operand, active), negated: negated)
    case .between, .inList: return try membership(node, active)
    case .choice(let operand, let branches, let otherwise):
      return try choice(operand, branches, otherwise, node.type, active)
    case .coalesce(let operands): return try coalesce(operands, node.type, active)
    case .nullIf(let left, let right): return try nullIf(left, right, active)
    case .extreme(let greatest, let operands): return try extreme(operands, greatest: greatest, active)
    case .concatenation(let operands, let skipsNulls): return try concatenate(operands, skipsNulls: skipsNulls, active)
    case .convert(let operand, _): return try convert(try evaluate(operand, active), from: operand.type, node, active)
    case .call(let kernel, let operands, let handlesNulls):
      var vectors: [Vector] = []
      for operand in operands { vectors.append(try evaluate(operand, active)) }
      return try run(kernel, vectors, handlesNulls: handlesNulls, node, active)
    case .function(let function, let operand): return try apply(function, try evaluate(operand, active), node, active)
    case .round(let operand, let digits): return try round(try evaluate(operand, active), digits: digits, node, active)
    case .roundDecimal(let operand, let rule, let digits):
      return try roundDecimal(try evaluate(operand, active), rule, digits: digits, node, active)
    }
  }

  /// - Throws: for the first active row with a value for which `test` holds.
  func failIfAny(
    _ node: ExpressionNode, valid: Mask?, _ active: Mask?, rowCount: Int, _ test: (Int) -> Bool, _ text: (Int) -> String
  ) throws(EvaluationFailure) {
    for row in 0..<rowCount where valid.map({ $0[row] != 0 }) ?? true {
      guard test(row) else { continue }
      if rowCount == count {
        if active.map({ $0[$0.count == 1 ? 0 : row] != 0 }) ?? true {
          throw EvaluationFailure(text: text(row), row: row, offset: node.offset)
        }
      } else if let firstActive = (0..<count).first(where: { row in active.map { $0[$0.count == 1 ? 0 : row] != 0 } ?? true }) {
        // A constant fails as soon as any row needs it.
        throw EvaluationFailure(text: text(row), row: firstActive, offset: node.offset)
      }
    }
  }

  // MARK: Columns

  private func load(_ column: Column, _ node: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    let valid = column.validity.map { bits in Mask.filled(count) { target in for row in 0..<count { target[row] = bits[row] ? 1 : 0 } } }
    let storage: Vector.Storage
    switch column.type {
    case .bool:
      let bits = column.bits
      storage = .bool(.filled(count) { target in for row in 0..<count { target[row] = bits[row] ? 1 : 0 } })
    case .int8: storage = .int(mapValues(column.values(Int8.self)) { Int64($0) })
    case .int16: storage = .int(mapValues(column.values(Int16.self)) { Int64($0) })
    case .int32, .date: storage = .int(mapValues(column.values(Int32.self)) { Int64($0) })
    case .int64: storage = .int(column.values(Int64.self))
    case .uint8: storage = .int(mapValues(column.values(UInt8.self)) { Int64($0) })
    case .uint16: storage = .int(mapValues(column.values(UInt16.self)) { Int64($0) })
    case .uint32: storage = .int(mapValues(column.values(UInt32.self)) { Int64($0) })
    case .uint64:
      let values = column.values(UInt64.self)
      try failIfAny(node, valid: valid, active, rowCount: count, { values[$0] > UInt64(Int64.max) }) { "\(values[$0]) lies outside int64" }
      storage = .int(mapValues(values) { Int64(truncatingIfNeeded: $0) })
    case .float32: storage = .double(mapValues(column.values(Float.self)) { Double($0) })
    case .float64: storage = .double(column.values(Double.self))
    case .string: storage = .string(column.bytes)
    case .decimal(_, let scale): storage = .decimal(column.values(Int128.self), scale: scale)
    case .binary, .float16, .fixedBinary, .time, .duration, .list, .map, .structure: storage = .opaque(column)
    case .timestamp(let unit, _): storage = .int(try micros(column.values(Int64.self), unit, valid, node, active))
    }
    return Vector(storage: storage, valid: valid)
  }

  private func micros(
    _ ticks: Values<Int64>, _ unit: TimeUnit, _ valid: Mask?, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Values<Int64> {
    switch unit {
    case .microsecond: return ticks
    // A division truncates, but a time before 1970 belongs to the microsecond before it.
    case .nanosecond: return mapValues(ticks) { $0 / 1_000 - ($0 % 1_000 < 0 ? 1 : 0) }
    case .second, .millisecond:
      let factor = 1_000_000 / unit.ticksPerSecond
      try failIfAny(node, valid: valid, active, rowCount: count, { ticks[$0].multipliedReportingOverflow(by: factor).overflow }) {
        "timestamp \(ticks[$0])\(unit.rawValue) lies outside the range of microseconds"
      }
      return mapValues(ticks) { $0 &* factor }
    }
  }

  // MARK: Logic

  private func isNull(_ value: Vector, negated: Bool) -> Vector {
    guard let valid = value.valid else { return .constant(.bool(negated), type: .bool) }
    let mask = negated ? valid : mapValues(valid) { 1 &- $0 }
    return .computed(.bool(mask), valid: nil, from: [value])
  }

  /// Whether two values differ, where a null equals a null and nothing else.
  private func distinct(_ a: Vector, _ b: Vector, negated: Bool) -> Vector {
    let isConstant = a.isConstant && b.isConstant
    let differs = compare(.unequal, a, b)
    let result = Mask.filled(isConstant ? 1 : count) { target in
      for row in 0..<(isConstant ? 1 : count) {
        let hasA = a.isValid(row)
        let isDistinct = hasA != b.isValid(row) || (hasA && differs.bools[differs.bools.count == 1 ? 0 : row] != 0)
        target[row] = isDistinct != negated ? 1 : 0
      }
    }
    return .computed(.bool(result), valid: nil, from: [a, b])
  }

  /// Where a condition is true.
  func truth(_ value: Vector) -> Mask { value.valid.map { mapPairs(value.bools, $0) { $0 & $1 } } ?? value.bools }

  /// Where a condition is false, which is not where it is null.
  private func falsehood(_ value: Vector) -> Mask {
    value.valid.map { mapPairs(value.bools, $0) { ($0 ^ 1) & $1 } } ?? mapValues(value.bools) { $0 ^ 1 }
  }

  private func logical(_ terms: [ExpressionNode], isAnd: Bool, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    var result = try evaluate(terms[0], active)
    for term in terms.dropFirst() {
      let settled = isAnd ? falsehood(result) : truth(result)
      let open = intersection(active, mapValues(settled) { $0 ^ 1 })
      result = combine(result, try evaluate(term, open), isAnd: isAnd)
    }
    return result
  }

  /// Three-valued logic: false beats null in `and`, true beats null in `or`.
  func combine(_ a: Vector, _ b: Vector, isAnd: Bool) -> Vector {
    let trueA = truth(a)
    let trueB = truth(b)
    let isTrue = isAnd ? mapPairs(trueA, trueB) { $0 & $1 } : mapPairs(trueA, trueB) { $0 | $1 }
    if a.valid == nil && b.valid == nil { return .computed(.bool(isTrue), valid: nil, from: [a, b]) }
    let falseA = falsehood(a)
    let falseB = falsehood(b)
    let isFalse = isAnd ? mapPairs(falseA, falseB) { $0 | $1 } : mapPairs(falseA, falseB) { $0 & $1 }
    return .computed(.bool(isTrue), valid: mapPairs(isTrue, isFalse) { $0 | $1 }, from: [a, b])
  }

  private func membership(_ node: ExpressionNode, _ active: Mask?) throws(EvaluationFailure) -> Vector {
    switch node.operation {
    case .between(let operand, let low, let high, let negated):
      let value = try evaluate(operand, active)
      let above = compare(.greaterOrEqual, value, try evaluate(low, active))
      return negate(combine(above, compare(.lessOrEqual, value, try evaluate(high, active)), isAnd: true), if: negated)
    case .inList(let operand, let items, let negated):
      let value = try evaluate(operand, active)
      var result: Vector?
      for item in items {
        let isEqual = compare(.equal, value, try evaluate(item, active))
        result = result.map { combine($0, isEqual, isAnd: false) } ?? isEqual
      }
      // The parser refuses an empty list.
      return negate(result ?? .constant(.bool(false), type: .bool), if: negated)
    default: preconditionFailure("Only between and in are memberships")
    }
  }

  private func negate(_ value: Vector, if negated: Bool) -> Vector {
    negated ? .computed(.bool(mapValues(value.bools) { $0 ^ 1 }), valid: value.valid, from: [value]) : value
  }
}
