import Columns

/// An expression after type checking: what the evaluator walks.
///
/// The evaluator computes in five domains (`DataType.domain`): every integer, date and timestamp is an int64 there, every
/// float a float64, every decimal an Int128 with its scale. A node's type says what the numbers mean, and how wide they are in a result.
final class ExpressionNode: Sendable {
  indirect enum Operation: Sendable {
    /// Index into the columns of the expression.
    case column(Int)
    case literal(Literal)
    case negate(ExpressionNode)
    case not(ExpressionNode)
    /// Both operands are of the node's domain. Decimals are of one scale, except in products.
    case arithmetic(Arithmetic, ExpressionNode, ExpressionNode)
    /// Both operands are of one domain, or one is an integer and one a decimal.
    case comparison(Comparison, ExpressionNode, ExpressionNode)
    case and([ExpressionNode])
    case or([ExpressionNode])
    case isNull(ExpressionNode, negated: Bool)
    case isTruth(ExpressionNode, Bool, negated: Bool)
    /// As those of a comparison.
    case distinct(ExpressionNode, ExpressionNode, negated: Bool)
    case between(ExpressionNode, low: ExpressionNode, high: ExpressionNode, negated: Bool)
    case inList(ExpressionNode, [ExpressionNode], negated: Bool)
    case choice(operand: ExpressionNode?, branches: [Branch], otherwise: ExpressionNode?)
    case coalesce([ExpressionNode])
    /// Null where the two are equal, else the first.
    case nullIf(ExpressionNode, ExpressionNode)
    /// The least or greatest of those that are not null.
    case extreme(greatest: Bool, [ExpressionNode])
    /// All operands are strings.
    case concatenation([ExpressionNode], skipsNulls: Bool)
    /// With `isTry` a value that the type does not have is null.
    case convert(ExpressionNode, isTry: Bool)
    case function(ScalarFunction, ExpressionNode)
    case round(ExpressionNode, digits: Int)
    /// Of a decimal, to fewer digits than its scale; the node's type has room for the result's digits.
    case roundDecimal(ExpressionNode, FloatingPointRoundingRule, digits: Int)
    case call(Kernel, [ExpressionNode], handlesNulls: Bool)
  }

  struct Branch: Sendable {
    let when: ExpressionNode
    let then: ExpressionNode
  }

  let operation: Operation
  let type: DataType
  /// The bytes before it in the text.
  let offset: Int

  init(_ operation: Operation, _ type: DataType, offset: Int) {
    self.operation = operation
    self.type = type
    self.offset = offset
  }
}

/// Functions of one value that have loops of their own; `FunctionCatalog` has the others.
enum ScalarFunction: String, Sendable, CaseIterable {
  case abs, floor, ceil, ln, exp, sqrt, lower, upper, length
}

/// How the evaluator holds the values of a type.
enum ValueDomain: Sendable {
  case int, double, bool, string, decimal
  /// Binary and nested types: they can be passed on and tested for null, and nothing else.
  case opaque
}

extension DataType {
  var domain: ValueDomain {
    switch self {
    case .bool: .bool
    case .string: .string
    case .float32, .float64: .double
    case .decimal: .decimal
    case .binary, .float16, .fixedBinary, .time, .duration, .list, .map, .structure: .opaque
    default: .int
    }
  }

  /// The type that operations compute with: the widest of its kind.
  var widened: DataType {
    if isInteger { return .int64 }
    if isFloat { return .float64 }
    return isTimestamp ? .timestampMicros : self
  }

  var isDecimal: Bool { if case .decimal = self { true } else { false } }

  var isNumeric: Bool { isInteger || isFloat || isDecimal }

  /// The digits behind the point of a decimal, none of other types.
  var decimalScale: Int { if case .decimal(_, let scale) = self { scale } else { 0 } }
}
