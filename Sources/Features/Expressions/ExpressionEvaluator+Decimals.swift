import Columns

extension ExpressionEvaluator {
  /// Values computed one by one; nil is no value of the node's type.
  ///
  /// - Throws: for an active row without one, unless the node is a `try_cast`: that row is then null.
  private func rows<Element: BitwiseCopyable & Numeric>(
    _ node: ExpressionNode, _ valid: Vector, _ active: Mask?, rowCount: Int, _ compute: (Int) -> Element?, _ text: (Int) -> String
  ) throws(EvaluationFailure) -> (values: Values<Element>, valid: Mask?) {
    var isComplete = true
    let values = Values<Element>.filled(rowCount) { target in
      for row in 0..<rowCount {
        // What lies under a null may be no decimal at all.
        let value = valid.isValid(row) ? compute(row) : 0
        isComplete = isComplete && value != nil
        target[row] = value ?? 0
      }
    }
    if isComplete { return (values, valid.valid) }
    return (values, try checked(node, valid, active, rowCount: rowCount, { compute($0) == nil }, text))
  }

  /// - Throws: for a result of more digits than the node's type. A remainder by zero is null.
  func arithmeticDecimal(
    _ operation: Arithmetic, _ a: Vector, _ b: Vector, _ precision: Int, _ scale: Int, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    let (left, leftScale) = a.decimals
    let (right, rightScale) = b.decimals
    let rowCount = max(left.count, right.count)
    var valid = intersection(a.valid, b.valid)
    if operation == .remainder {
      let divisors = mapValues(right) { (y: Int128) -> UInt8 in y != 0 ? 1 : 0 }
      let isDivisible =
        divisors.count == rowCount
        ? divisors : divisors[0] != 0 ? nil : Mask.filled(rowCount) { $0.initialize(repeating: 0, count: rowCount) }
      valid = intersection(valid, isDivisible)
    }
    let limit = DecimalMath.power(precision)
    func operands(_ row: Int) -> (Int128, Int128) { (left[left.count == 1 ? 0 : row], right[right.count == 1 ? 0 : row]) }
    let result = try rows(node, Vector(storage: a.storage, valid: valid), active, rowCount: rowCount) { row -> Int128? in
      let (x, y) = operands(row)
      let (value, overflow) =
        switch operation {
        case .add: x.addingReportingOverflow(y)
        case .subtract: x.subtractingReportingOverflow(y)
        case .multiply: x.multipliedReportingOverflow(by: y)
        case .remainder: (x % y, false)
        case .divide: preconditionFailure("The checker divides floats only")
        }
      return !overflow && DecimalMath.fits(value, limit) ? value : nil
    } _: { row in
      let (x, y) = operands(row)
      let texts = (NumberText.formatDecimal(x, scale: leftScale), NumberText.formatDecimal(y, scale: rightScale))
      return "\(texts.0) \(operation.rawValue) \(texts.1) overflows \(node.type)"
    }
    return .computed(.decimal(result.values, scale: scale), valid: result.valid, from: [a, b])
  }

  /// - Throws: where rounding to tens and more exceeds the node's type.
  func roundDecimal(
    _ value: Vector, _ rule: FloatingPointRoundingRule, digits: Int, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    if value.isNullConstant { return .null(node.type) }
    guard case .decimal(let precision, let kept) = node.type else { preconditionFailure("The checker rounds decimals to decimals") }
    let (values, scale) = value.decimals
    let limit = DecimalMath.power(precision)
    let result = try rows(node, value, active, rowCount: values.count) { row -> Int128? in
      let whole = DecimalMath.quotient(values[row], byPowerOfTen: scale - digits, rule)
      return DecimalMath.rescaled(whole, from: min(digits, 0), to: 0, limit: limit)
    } _: { row in
      "\(NumberText.formatDecimal(values[row], scale: scale)) rounded to \(digits) digits overflows \(node.type)"
    }
    return .computed(.decimal(result.values, scale: kept), valid: result.valid, from: [value])
  }

  /// Exact whatever the scales are.
  static func compareDecimals(
    _ comparison: Comparison, _ a: (values: Values<Int128>, scale: Int), _ b: (values: Values<Int128>, scale: Int)
  ) -> Mask {
    if a.scale == b.scale { return compare(comparison, a.values, b.values) }
    let factor = DecimalMath.power(abs(a.scale - b.scale))
    let isLeftScaled = a.scale < b.scale
    return mapPairs(a.values, b.values) { (x: Int128, y: Int128) -> UInt8 in
      let order = isLeftScaled ? DecimalMath.order(x, times: factor, y) : -DecimalMath.order(y, times: factor, x)
      let holds =
        switch comparison {
        case .equal: order == 0
        case .unequal: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
      return holds ? 1 : 0
    }
  }

  // MARK: Casts

  /// - Throws: for a value with more digits before the point than the type has, for NaN, infinities and texts that are no number.
  func convertToDecimal(
    _ value: Vector, _ precision: Int, _ scale: Int, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    let limit = DecimalMath.power(precision)
    let result: (values: Values<Int128>, valid: Mask?)
    switch value.storage {
    case .int(let ints):
      result = try rows(node, value, active, rowCount: ints.count) {
        DecimalMath.rescaled(Int128(ints[$0]), from: 0, to: scale, limit: limit)
      } _: {
        "\(ints[$0]) lies outside \(node.type)"
      }
    case .bool(let bools):
      result = try rows(node, value, active, rowCount: bools.count) {
        DecimalMath.rescaled(Int128(bools[$0]), from: 0, to: scale, limit: limit)
      } _: {
        "\(bools[$0] != 0) lies outside \(node.type)"
      }
    case .decimal(let decimals, let from):
      result = try rows(node, value, active, rowCount: decimals.count) {
        DecimalMath.rescaled(decimals[$0], from: from, to: scale, limit: limit)
      } _: {
        "\(NumberText.formatDecimal(decimals[$0], scale: from)) lies outside \(node.type)"
      }
    case .double(let doubles):
      let factor = Double("1e\(scale)") ?? .nan
      result = try rows(node, value, active, rowCount: doubles.count) {
        Int128(exactly: (doubles[$0] * factor).rounded(.toNearestOrAwayFromZero)).flatMap { DecimalMath.fits($0, limit) ? $0 : nil }
      } _: {
        "\(doubles[$0]) lies outside \(node.type)"
      }
    case .string(let texts):
      result = try rows(node, value, active, rowCount: texts.count) {
        DecimalMath.parse(Self.trimmed(texts.string(at: $0)), scale: scale, limit: limit)
      } _: {
        "'\(texts.string(at: $0).prefix(60))' is no \(node.type)"
      }
    case .opaque: preconditionFailure("The checker casts no opaque values")
    }
    return .computed(.decimal(result.values, scale: scale), valid: result.valid, from: [value])
  }

  /// To integers halves round away from zero.
  ///
  /// - Throws: for a value outside the integer type.
  func convertDecimals(
    _ decimals: Values<Int128>, _ scale: Int, _ value: Vector, _ node: ExpressionNode, _ active: Mask?
  ) throws(EvaluationFailure) -> Vector {
    func result(_ storage: Vector.Storage) -> Vector { .computed(storage, valid: value.valid, from: [value]) }
    switch node.type {
    case .bool: return result(.bool(mapValues(decimals) { $0 != 0 ? 1 : 0 }))
    case .float64: return result(.double(mapValues(decimals) { DecimalMath.double($0, scale: scale) }))
    case .float32: return result(.double(mapValues(decimals) { Double(Float(DecimalMath.double($0, scale: scale))) }))
    case .string: return strings(value, decimals.count) { NumberText.formatDecimal(decimals[$0], scale: scale) }
    default:
      guard let range = node.type.integerRange else { preconditionFailure("The checker casts no decimal to \(node.type)") }
      let integers = try rows(node, value, active, rowCount: decimals.count) { row -> Int64? in
        Int64(exactly: DecimalMath.quotient(decimals[row], byPowerOfTen: scale, .toNearestOrAwayFromZero))
          .flatMap { range.contains($0) ? $0 : nil }
      } _: {
        "\(NumberText.formatDecimal(decimals[$0], scale: scale)) lies outside \(node.type)"
      }
      return .computed(.int(integers.values), valid: integers.valid, from: [value])
    }
  }
}
