import Columns

/// The types of decimal results: digits are as many as the exact result of the operation can have, as in DuckDB.
extension ExpressionChecker {
  /// The decimal that has every value of a number; nil for floats.
  ///
  /// An integer as written has the digits of int32 where it is one, since few sums with a literal need nineteen.
  private static func decimal(of node: ExpressionNode) -> (precision: Int, scale: Int)? {
    if case .decimal(let precision, let scale) = node.type { return (precision, scale) }
    if case .int(let value) = node.literal { return (Int32(exactly: value) == nil ? 19 : 10, 0) }
    switch node.type {
    case .int8, .uint8: return (3, 0)
    case .int16, .uint16: return (5, 0)
    case .int32, .uint32: return (10, 0)
    case .int64: return (19, 0)
    case .uint64: return (20, 0)
    default: return nil
    }
  }

  /// The type that numbers among which there is a decimal have together: nil without one. Where 38 digits are too few, those
  /// before the point stay.
  static func commonDecimal(_ operands: [Checked]) -> DataType? {
    guard operands.contains(where: { $0.type?.isDecimal == true }) else { return nil }
    var wholeCount = 0
    var scale = 0
    for case .typed(let node) in operands {
      guard node.type.isNumeric else { return nil }
      guard let type = decimal(of: node) else { return .float64 }
      wholeCount = max(wholeCount, type.precision - type.scale)
      scale = max(scale, type.scale)
    }
    scale = min(scale, DecimalMath.precisionMax - wholeCount)
    return .decimal(precision: max(wholeCount + scale, 1), scale: scale)
  }

  /// Operands to be compared: integers and decimals are as they are, since they compare exactly; all others are of one type.
  func comparable(_ operands: [Checked], _ what: String) throws(SyntaxError) -> [ExpressionNode] {
    guard let type = Self.commonDecimal(operands), type.isDecimal else { return try unified(operands, what) }
    return operands.map { typed($0, as: type) }
  }

  /// `+ - * %` with a decimal and no float; nil otherwise. The quotient of decimals is a float.
  ///
  /// Where both operands have at most 18 digits, the result has too, as in DuckDB, and fails beyond them.
  func decimalArithmetic(
    _ operation: Arithmetic, _ a: ExpressionNode, _ b: ExpressionNode, _ at: Int
  ) throws(SyntaxError) -> ExpressionNode? {
    guard a.type.isDecimal || b.type.isDecimal, operation != .divide, let x = Self.decimal(of: a), let y = Self.decimal(of: b)
    else { return nil }
    let wholeCount = max(x.precision - x.scale, y.precision - y.scale)
    var scale = max(x.scale, y.scale)
    var precision: Int
    switch operation {
    case .multiply:
      scale = x.scale + y.scale
      precision = x.precision + y.precision
      guard scale <= DecimalMath.precisionMax else {
        throw SyntaxError(
          "the product of \(a.type) and \(b.type) has \(scale) digits behind the point, at most \(DecimalMath.precisionMax) are possible; cast to fewer",
          at: at, kind: .type)
      }
    case .remainder:
      scale = min(scale, DecimalMath.precisionMax - wholeCount)
      precision = wholeCount + scale
    default: precision = wholeCount + scale + 1
    }
    if operation != .remainder, precision > 18, max(x.precision, y.precision) <= 18, operation != .multiply || scale < 18 { precision = 18 }
    precision = min(max(precision, 1), DecimalMath.precisionMax)
    let type = DataType.decimal(precision: precision, scale: scale)
    func operand(_ node: ExpressionNode, _ own: (precision: Int, scale: Int)) throws(SyntaxError) -> ExpressionNode {
      guard operation == .multiply else { return try converted(node, to: type, operation.rawValue) }
      return node.type.isDecimal ? node : try converted(node, to: .decimal(precision: own.precision, scale: 0), operation.rawValue)
    }
    return ExpressionNode(.arithmetic(operation, try operand(a, x), try operand(b, y)), type, offset: at)
  }

  /// A decimal rounded to a number of digits behind the point; it may get a digit more before it.
  func rounded(_ value: ExpressionNode, _ rule: FloatingPointRoundingRule, digits: Int, _ at: Int) -> ExpressionNode {
    guard case .decimal(let precision, let scale) = value.type, digits < scale || digits < 0 else { return value }
    let kept = max(digits, 0)
    let wholeCount = precision - scale + (rule == .towardZero ? 0 : 1)
    let type = DataType.decimal(precision: min(max(precision, wholeCount + kept), DecimalMath.precisionMax), scale: kept)
    return ExpressionNode(.roundDecimal(value, rule, digits: digits), type, offset: at)
  }

  /// `floor`, `ceil` and `trunc`, with or without digits.
  mutating func wholeNumber(_ name: String, _ arguments: [Syntax], _ at: Int) throws(SyntaxError) -> ExpressionNode {
    let resolved = try resolve(arguments)
    if case .typed(let value) = resolved[0], value.type.isDecimal {
      let rule: FloatingPointRoundingRule = name == "floor" ? .down : name == "ceil" ? .up : .towardZero
      return rounded(value, rule, digits: arguments.count == 2 ? try roundingDigits(arguments[1], name) : 0, at)
    }
    if arguments.count == 1, let function = ScalarFunction(rawValue: name) { return try apply(function, resolved[0], at) }
    return try catalogued(name, resolved, at)
  }
}
