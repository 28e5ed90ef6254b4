import Columns

/// What a function takes at one place.
enum Parameter: String, Sendable {
  case int = "integer"
  case double = "number"
  case string
  case bool = "condition"
  case date
  case timestamp
  /// A timestamp without a zone.
  case wallTime = "timestamp without time zone"
  /// A string written in the expression, read once when it is compiled.
  case literal = "string literal"

  /// The type that an argument is made to have.
  var type: DataType {
    switch self {
    case .int: .int64
    case .double: .float64
    case .string, .literal: .string
    case .bool: .bool
    case .date: .date
    case .timestamp, .wallTime: .timestampMicros
    }
  }

  /// How far an argument is from it; nil when it does not fit.
  func distance(to type: DataType?, isLiteral: Bool) -> Int? {
    guard let type else { return self == .literal ? nil : 0 }
    switch self {
    case .int: return type.isInteger ? 0 : nil
    case .double: return type.isFloat ? 0 : type.isInteger ? 1 : type.isDecimal ? 2 : nil
    case .string: return type == .string ? 0 : nil
    case .literal: return type == .string && isLiteral ? 0 : nil
    case .bool: return type == .bool ? 0 : nil
    case .date: return type == .date ? 0 : type == .string && isLiteral ? 3 : nil
    case .timestamp: return type.isTimestamp ? 1 : type == .date ? 2 : type == .string && isLiteral ? 4 : nil
    case .wallTime: if case .timestamp(_, zone: nil) = type { return 0 } else { return nil }
    }
  }
}

/// Why literals do not suit a function.
struct FunctionRefusal: Error {
  let text: String
}

/// One way to call a function.
struct Overload: Sendable {
  let parameters: [Parameter]
  let result: DataType
  /// How many of the last parameters may be left out.
  var optionalCount = 0
  /// Whether the last parameter may come any number of times.
  var isVariadic = false
  /// Whether the kernel sees nulls; without, a null among the arguments gives null.
  var handlesNulls = false
  /// Whether a timestamp without a zone gives one without.
  var keepsWallTime = false
  let make: @Sendable ([Literal?]) throws(FunctionRefusal) -> Kernel

  func accepts(count: Int) -> Bool {
    count >= parameters.count - optionalCount && (isVariadic || count <= parameters.count)
  }

  func parameter(_ index: Int) -> Parameter { parameters[min(index, parameters.count - 1)] }

  init(
    _ parameters: [Parameter], _ result: DataType, optional optionalCount: Int = 0, isVariadic: Bool = false, handlesNulls: Bool = false,
    keepsWallTime: Bool = false, _ make: @escaping @Sendable ([Literal?]) throws(FunctionRefusal) -> Kernel
  ) {
    self.parameters = parameters
    self.result = result
    self.optionalCount = optionalCount
    self.isVariadic = isVariadic
    self.handlesNulls = handlesNulls
    self.keepsWallTime = keepsWallTime
    self.make = make
  }

  static func int(
    _ parameters: [Parameter], optional: Int = 0, _ body: @escaping @Sendable (Row) throws(KernelFailure) -> Int64?
  ) -> Overload { Overload(parameters, .int64, optional: optional) { (_) throws(FunctionRefusal) in .int(body) } }

  static func double(
    _ parameters: [Parameter], optional: Int = 0, _ body: @escaping @Sendable (Row) throws(KernelFailure) -> Double?
  ) -> Overload { Overload(parameters, .float64, optional: optional) { (_) throws(FunctionRefusal) in .double(body) } }

  static func bool(
    _ parameters: [Parameter], optional: Int = 0, _ body: @escaping @Sendable (Row) throws(KernelFailure) -> Bool?
  ) -> Overload { Overload(parameters, .bool, optional: optional) { (_) throws(FunctionRefusal) in .bool(body) } }

  static func string(
    _ parameters: [Parameter], optional: Int = 0, _ body: @escaping @Sendable (Row, inout GrowableBuffer) throws(KernelFailure) -> Void
  ) -> Overload {
    Overload(parameters, .string, optional: optional) { (_) throws(FunctionRefusal) in
      .string { (row, target) throws(KernelFailure) in
        try body(row, &target)
        return true
      }
    }
  }

  static func date(_ parameters: [Parameter], _ body: @escaping @Sendable (Row) throws(KernelFailure) -> Int64?) -> Overload {
    Overload(parameters, .date) { (_) throws(FunctionRefusal) in .int(body) }
  }

  static func timestamp(
    _ parameters: [Parameter], keepsWallTime: Bool = false, _ body: @escaping @Sendable (Row) throws(KernelFailure) -> Int64?
  ) -> Overload { Overload(parameters, .timestampMicros, keepsWallTime: keepsWallTime) { (_) throws(FunctionRefusal) in .int(body) } }
}

/// Every function that has no form of its own in `ExpressionNode`, by name.
enum FunctionCatalog {
  static let all: [String: [Overload]] = {
    var result: [String: [Overload]] = [:]
    for group in [mathematics, bits, strings, patterns, hashes, timeParts, timeMaking, timeText] {
      result.merge(group) { first, second in first + second }
    }
    for (name, other) in synonyms { result[name] = result[other] }
    return result
  }()

  private static let synonyms = [
    "pow": "power", "log10": "log", "instr": "strpos", "prefix": "starts_with", "suffix": "ends_with", "substr": "substring",
    "ord": "unicode", "datepart": "date_part", "datetrunc": "date_trunc", "datediff": "date_diff",
    "datesub": "date_sub", "string_split_part": "split_part", "dow": "dayofweek", "weekday": "dayofweek",
    "regexp_like": "regexp_matches", "strlen": "byte_length", "octet_length": "byte_length", "dayofmonth": "day", "weekofyear": "week",
  ]
}
