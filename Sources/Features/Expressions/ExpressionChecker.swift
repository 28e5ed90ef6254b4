import Columns

/// Resolves names and types: turns what was written into what can be evaluated, or says why not.
struct ExpressionChecker {
  let schema: Schema
  /// The columns read so far, in order of first use.
  private(set) var columns: [String] = []
  private var columnIndices: [String: Int] = [:]

  init(schema: Schema) { self.schema = schema }

  /// A checked node; `null` alone has no type until its surroundings give it one.
  enum Checked {
    case typed(ExpressionNode)
    case null(offset: Int)

    var type: DataType? { if case .typed(let node) = self { node.type } else { nil } }
    var offset: Int {
      switch self {
      case .typed(let node): node.offset
      case .null(let offset): offset
      }
    }
  }

  mutating func check(_ syntax: Syntax) throws(SyntaxError) -> ExpressionNode {
    switch try resolve(syntax) {
    case .typed(let node): return node
    case .null(let offset):
      throw SyntaxError("null alone has no type; write cast(null as float64) or another type", at: offset, kind: .type)
    }
  }

  mutating func resolve(_ syntax: Syntax) throws(SyntaxError) -> Checked {
    let at = syntax.offset
    switch syntax.kind {
    case .literal(.null): return .null(offset: at)
    case .literal(let literal): return .typed(ExpressionNode(.literal(literal), literal.type, offset: at))
    case .column(let name): return .typed(try column(name, at))
    case .negate(let operand):
      let value = try number(try resolve(operand), "-")
      return .typed(ExpressionNode(.negate(value), value.type.widened, offset: at))
    case .not(let operand):
      return .typed(ExpressionNode(.not(try condition(operand, "not")), .bool, offset: at))
    case .arithmetic(let operation, let left, let right): return .typed(try arithmetic(operation, left, right, at))
    case .comparison(let comparison, let left, let right):
      let operands = try comparable([try resolve(left), try resolve(right)], "`\(comparison.rawValue)`")
      return .typed(ExpressionNode(.comparison(comparison, operands[0], operands[1]), .bool, offset: at))
    case .concatenation(let left, let right):
      let operands = [try string(try resolve(left), "||"), try string(try resolve(right), "||")]
      return .typed(ExpressionNode(.concatenation(operands, skipsNulls: false), .string, offset: at))
    case .and(let terms):
      return .typed(ExpressionNode(.and(try conditions(terms, "and")), .bool, offset: at))
    case .or(let terms):
      return .typed(ExpressionNode(.or(try conditions(terms, "or")), .bool, offset: at))
    case .isNull(let operand, let negated):
      let value = typed(try resolve(operand), as: .bool)
      return .typed(ExpressionNode(.isNull(value, negated: negated), .bool, offset: at))
    case .between(let operand, let low, let high, let negated):
      let all = try comparable([try resolve(operand), try resolve(low), try resolve(high)], "between")
      return .typed(ExpressionNode(.between(all[0], low: all[1], high: all[2], negated: negated), .bool, offset: at))
    case .inList(let operand, let items, let negated):
      let all = try comparable(try resolve([operand] + items), "in")
      return .typed(ExpressionNode(.inList(all[0], Array(all.dropFirst()), negated: negated), .bool, offset: at))
    case .choice(let operand, let branches, let otherwise): return try choice(operand, branches, otherwise, at)
    case .isTruth(let operand, let wanted, let negated):
      return .typed(ExpressionNode(.isTruth(try condition(operand, "is"), wanted, negated: negated), .bool, offset: at))
    case .distinct(let left, let right, let negated):
      let operands = try comparable([try resolve(left), try resolve(right)], "is distinct from")
      return .typed(ExpressionNode(.distinct(operands[0], operands[1], negated: negated), .bool, offset: at))
    case .cast(let operand, let type, let isTry): return .typed(try cast(operand, to: type, isTry: isTry, at))
    case .interval:
      throw SyntaxError("an interval is no value; add it to a date or timestamp, or subtract it from one", at: at, kind: .type)
    case .call(let name, let arguments): return try call(name, arguments, at)
    }
  }

  mutating func resolve(_ list: [Syntax]) throws(SyntaxError) -> [Checked] {
    var result: [Checked] = []
    for item in list { result.append(try resolve(item)) }
    return result
  }

  private mutating func column(_ name: String, _ offset: Int) throws(SyntaxError) -> ExpressionNode {
    guard let field = schema[name] else {
      let hint = Suggestion.text(for: name, among: schema.fields.map(\.name))
      throw SyntaxError("there is no column \(name)\(hint)", at: offset, kind: .notFound)
    }
    let index = columnIndices[name] ?? columns.count
    if index == columns.count {
      columns.append(name)
      columnIndices[name] = index
    }
    return ExpressionNode(.column(index), field.type, offset: offset)
  }

  // MARK: Making operands agree

  func typed(_ checked: Checked, as type: DataType) -> ExpressionNode {
    switch checked {
    case .typed(let node): node
    case .null(let offset): ExpressionNode(.literal(.null), type, offset: offset)
    }
  }

  /// The operands as one widened type; a null takes the type of the others.
  func unified(_ operands: [Checked], _ what: String) throws(SyntaxError) -> [ExpressionNode] {
    guard let type = try commonType(operands, what) else { return operands.map { typed($0, as: .int64) } }
    var result: [ExpressionNode] = []
    for operand in operands { result.append(try converted(typed(operand, as: type), to: type, what)) }
    return result
  }

  /// Nil when all are null.
  private func commonType(_ operands: [Checked], _ what: String) throws(SyntaxError) -> DataType? {
    if let decimal = Self.commonDecimal(operands) { return decimal }
    var common: DataType?
    for operand in operands {
      guard let type = operand.type?.widened else { continue }
      if type.domain == .opaque {
        throw SyntaxError("\(what) does not support \(type)", at: operand.offset, kind: .type)
      }
      guard let known = common, known != type else {
        common = type
        continue
      }
      guard let joined = Self.join(known, type) else {
        throw SyntaxError("\(what) needs values of one type, found \(known) and \(type)", at: operand.offset, kind: .type)
      }
      common = joined
    }
    return common
  }

  private static func join(_ a: DataType, _ b: DataType) -> DataType? {
    if a.isNumeric && b.isNumeric { return .float64 }
    if (a == .date && b.isTimestamp) || (a.isTimestamp && b == .date) { return .timestampMicros }
    // A string beside a time must be a literal, which `converted` checks and reads.
    for (time, other) in [(a, b), (b, a)] where (time == .date || time.isTimestamp) && other == .string { return time }
    return nil
  }

  func converted(_ node: ExpressionNode, to type: DataType, _ what: String) throws(SyntaxError) -> ExpressionNode {
    let found = node.type.widened
    if found == type { return node }
    if found == .string {
      guard case .literal(.string(let text)) = node.operation else {
        throw SyntaxError("\(what) needs values of one type, found \(type) and string; use cast", at: node.offset, kind: .type)
      }
      let literal: Literal? =
        type == .date ? CivilTime.parseDate(String(text)).map(Literal.date) : CivilTime.parseTimestamp(String(text)).map(Literal.timestamp)
      guard let literal else {
        throw SyntaxError("'\(text)' is no ISO 8601 \(type == .date ? "date" : "timestamp")", at: node.offset, kind: .type)
      }
      return ExpressionNode(.literal(literal), type, offset: node.offset)
    }
    if type == .float64, case .literal(.int(let value)) = node.operation {
      return ExpressionNode(.literal(.double(Double(value))), .float64, offset: node.offset)
    }
    return ExpressionNode(.convert(node, isTry: false), type, offset: node.offset)
  }

  func number(_ operand: Checked, _ what: String) throws(SyntaxError) -> ExpressionNode {
    let node = typed(operand, as: .int64)
    guard node.type.isNumeric else {
      throw SyntaxError("`\(what)` needs a number, found \(node.type)", at: node.offset, kind: .type)
    }
    return node
  }

  private mutating func condition(_ syntax: Syntax, _ what: String) throws(SyntaxError) -> ExpressionNode {
    let node = typed(try resolve(syntax), as: .bool)
    guard node.type == .bool else {
      throw SyntaxError("`\(what)` needs a condition (bool), found \(node.type)", at: node.offset, kind: .type)
    }
    return node
  }

  private mutating func conditions(_ terms: [Syntax], _ what: String) throws(SyntaxError) -> [ExpressionNode] {
    var result: [ExpressionNode] = []
    for term in terms { result.append(try condition(term, what)) }
    return result
  }

  private func string(_ operand: Checked, _ what: String) throws(SyntaxError) -> ExpressionNode {
    let node = typed(operand, as: .string)
    guard node.type == .string else {
      throw SyntaxError("`\(what)` needs a string, found \(node.type); use cast(... as string)", at: node.offset, kind: .type)
    }
    return node
  }

  // MARK: Operations

  private mutating func arithmetic(
    _ operation: Arithmetic, _ left: Syntax, _ right: Syntax, _ at: Int
  ) throws(SyntaxError) -> ExpressionNode {
    if let time = try timeArithmetic(operation, left, right, at) { return time }
    let first = try resolve(left)
    let second = try resolve(right)
    if let time = try dayArithmetic(operation, first, second, at) { return time }
    let a = try number(first, operation.rawValue)
    let b = try number(second, operation.rawValue)
    if let decimal = try decimalArithmetic(operation, a, b, at) { return decimal }
    let isDouble = operation == .divide || a.type.isFloat || b.type.isFloat
    let type = isDouble ? DataType.float64 : .int64
    let operands = [try converted(a, to: type, operation.rawValue), try converted(b, to: type, operation.rawValue)]
    return ExpressionNode(.arithmetic(operation, operands[0], operands[1]), type, offset: at)
  }

  private mutating func choice(
    _ operand: Syntax?, _ branches: [Syntax.Branch], _ otherwise: Syntax?, _ at: Int
  ) throws(SyntaxError) -> Checked {
    var conditions: [ExpressionNode]
    var subject: ExpressionNode?
    if let operand {
      let all = try comparable(try resolve([operand] + branches.map(\.when)), "case")
      subject = all[0]
      conditions = Array(all.dropFirst())
    } else {
      conditions = try self.conditions(branches.map(\.when), "when")
    }
    var results = try resolve(branches.map(\.then))
    if let otherwise { results.append(try resolve(otherwise)) }
    if results.allSatisfy({ $0.type == nil }) { return .null(offset: at) }
    let values = try unified(results, "case")
    let typed = zip(conditions, values).map { ExpressionNode.Branch(when: $0, then: $1) }
    return .typed(
      ExpressionNode(
        .choice(operand: subject, branches: typed, otherwise: otherwise == nil ? nil : values.last), values[0].type.widened,
        offset: at))
  }

  private mutating func cast(_ operand: Syntax, to type: DataType, isTry: Bool = false, _ at: Int) throws(SyntaxError) -> ExpressionNode {
    let node = typed(try resolve(operand), as: type)
    if node.type == type { return node }
    guard Self.canCast(node.type, to: type) else {
      throw SyntaxError("cannot cast \(node.type) to \(type)", at: at, kind: .type)
    }
    return ExpressionNode(.convert(node, isTry: isTry), type, offset: at)
  }

  private static func canCast(_ from: DataType, to: DataType) -> Bool {
    if from.domain == .opaque || to.domain == .opaque { return false }
    if from == .string || to == .string { return true }
    if from == .date || from.isTimestamp { return to == .date || to.isTimestamp }
    return to.isNumeric || to == .bool
  }

  private mutating func call(_ name: String, _ arguments: [Syntax], _ at: Int) throws(SyntaxError) -> Checked {
    func count(_ range: ClosedRange<Int>) throws(SyntaxError) {
      guard !range.contains(arguments.count) else { return }
      let least = range.lowerBound
      let most = range.upperBound
      let expected = most == .max ? "at least \(least)" : least == most ? "\(least)" : "\(least) or \(most)"
      throw SyntaxError("\(name) takes \(expected) argument\(expected == "1" ? "" : "s"), found \(arguments.count)", at: at, kind: .type)
    }
    switch name {
    case "if", "iff":
      try count(3...3)
      return try choice(nil, [Syntax.Branch(when: arguments[0], then: arguments[1])], arguments[2], at)
    case "ifnull":
      try count(2...2)
      return try call("coalesce", arguments, at)
    case "mod":
      try count(2...2)
      return .typed(try arithmetic(.remainder, arguments[0], arguments[1], at))
    case "concat_ws":
      try count(2...(.max))
      return .typed(try catalogued(name, arguments.map { Syntax(.cast($0, .string, isTry: false), offset: $0.offset) }, at))
    case "date_add": return .typed(try dateAdd(arguments, at))
    case "date_part" where arguments.count == 2:
      // These two have fractions.
      guard case .literal(.string(let part)) = arguments[0].kind, let known = TimePart(part), known == .epoch || known == .julian else {
        return .typed(try catalogued(name, arguments, at))
      }
      return .typed(try catalogued(known == .epoch ? "epoch" : "julian", [arguments[1]], at))
    case "coalesce", "least", "greatest":
      try count(1...(.max))
      let resolved = try resolve(arguments)
      if resolved.allSatisfy({ $0.type == nil }) { return .null(offset: at) }
      let values = try unified(resolved, name)
      let operation = name == "coalesce" ? ExpressionNode.Operation.coalesce(values) : .extreme(greatest: name == "greatest", values)
      return .typed(ExpressionNode(operation, values[0].type.widened, offset: at))
    case "nullif":
      try count(2...2)
      let values = try comparable(try resolve(arguments), name)
      return .typed(ExpressionNode(.nullIf(values[0], values[1]), values[0].type.widened, offset: at))
    case "concat":
      try count(1...(.max))
      var strings: [ExpressionNode] = []
      for argument in arguments { strings.append(try cast(argument, to: .string, argument.offset)) }
      return .typed(ExpressionNode(.concatenation(strings, skipsNulls: true), .string, offset: at))
    case "round":
      try count(1...2)
      let value = try number(try resolve(arguments[0]), name)
      let digits = arguments.count == 2 ? try roundingDigits(arguments[1], name) : 0
      if value.type.isDecimal { return .typed(rounded(value, .toNearestOrAwayFromZero, digits: digits, at)) }
      return .typed(ExpressionNode(.round(value, digits: digits), value.type.widened, offset: at))
    case "floor", "ceil", "ceiling", "trunc":
      guard (1...2).contains(arguments.count) else { fallthrough }
      return .typed(try wholeNumber(Self.synonyms[name] ?? name, arguments, at))
    default:
      guard let function = ScalarFunction(rawValue: Self.synonyms[name] ?? name), arguments.count == 1 || FunctionCatalog.all[name] == nil
      else {
        if FunctionCatalog.all[name] != nil { return .typed(try catalogued(name, arguments, at)) }
        throw SyntaxError("there is no function \(name)\(Suggestion.text(for: name, among: Self.functionNames))", at: at, kind: .notFound)
      }
      try count(1...1)
      return .typed(try apply(function, try resolve(arguments[0]), at))
    }
  }

  func apply(_ function: ScalarFunction, _ argument: Checked, _ at: Int) throws(SyntaxError) -> ExpressionNode {
    switch function {
    case .lower, .upper, .length:
      let value = try self.string(argument, function.rawValue)
      return ExpressionNode(.function(function, value), function == .length ? .int64 : .string, offset: at)
    case .ln, .exp, .sqrt:
      let value = try converted(try number(argument, function.rawValue), to: .float64, function.rawValue)
      return ExpressionNode(.function(function, value), .float64, offset: at)
    case .abs, .floor, .ceil:
      let value = try number(argument, function.rawValue)
      return ExpressionNode(.function(function, value), value.type.widened, offset: at)
    }
  }

  /// Every name that can be called.
  static let functionNames: [String] =
    ScalarFunction.allCases.map(\.rawValue) + FunctionCatalog.all.keys.filter { $0.first?.isLetter == true }.sorted()
    + [
      "coalesce", "least", "greatest", "nullif", "ifnull", "if", "iff", "concat", "round", "cast", "try_cast", "extract", "mod",
      "date_add", "position",
    ] + synonyms.keys.sorted()

  private static let synonyms = [
    "ceiling": "ceil", "lcase": "lower", "ucase": "upper", "len": "length", "char_length": "length", "character_length": "length",
  ]

  func roundingDigits(_ syntax: Syntax, _ name: String) throws(SyntaxError) -> Int {
    guard case .literal(.int(let digits)) = syntax.kind, (-18...18).contains(digits) else {
      throw SyntaxError("\(name) takes its number of digits as a literal from -18 to 18", at: syntax.offset, kind: .type)
    }
    return Int(digits)
  }
}

extension Literal {
  var type: DataType {
    switch self {
    case .null, .int: .int64
    case .bool: .bool
    case .double: .float64
    case .string: .string
    case .date: .date
    case .timestamp: .timestampMicros
    }
  }
}
