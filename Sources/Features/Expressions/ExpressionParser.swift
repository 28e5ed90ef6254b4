import Columns

/// Reads SQL scalar syntax by precedence climbing. From loose to tight: `or`, `and`, `not`, `is`, comparisons (which do not
/// chain), `between` and `in`, `||`, `+ -`, `* / %`, unary `-`.
struct ExpressionParser {
  /// Bounds the recursion of everything that walks an expression; nobody writes a tenth of it by hand.
  static let depthMax = 200
  /// Bounds memory; generated expressions stay far below.
  static let byteCountMax = 64 << 10

  private enum Level: Int {
    case or = 1, and, not, isNull, comparison, between, concatenation, sum, product, sign
    var next: Level { Level(rawValue: rawValue + 1) ?? .sign }
  }

  /// Words that name no column unless quoted.
  private static let reserved: Set<String> = [
    "and", "or", "not", "is", "null", "true", "false", "case", "when", "then", "else", "end", "in", "between", "cast", "like",
  ]

  private let tokens: [Token]
  private var position = 0
  private var depth = 0

  private init(_ tokens: [Token]) { self.tokens = tokens }

  static func parse(_ text: String) throws(SyntaxError) -> Syntax {
    guard text.utf8.count <= byteCountMax else {
      throw SyntaxError("the expression has \(text.utf8.count) bytes, at most \(byteCountMax) are allowed", at: 0)
    }
    var parser = ExpressionParser(try ExpressionLexer.tokens(of: text))
    if parser.current.kind == .end { throw SyntaxError("the expression is empty", at: 0) }
    let result = try parser.expression(.or)
    guard parser.current.kind == .end else { throw parser.unexpected("an operator or the end") }
    return result
  }

  // MARK: Tokens

  private var current: Token { tokens[position] }

  private mutating func advance() { if position + 1 < tokens.count { position += 1 } }

  private func isKeyword(_ word: String, ahead: Int = 0) -> Bool {
    guard position + ahead < tokens.count, case .word(let found) = tokens[position + ahead].kind else { return false }
    return found.lowercased() == word
  }

  private mutating func take(keyword: String) -> Bool {
    guard isKeyword(keyword) else { return false }
    advance()
    return true
  }

  private mutating func take(symbol: String) -> Bool {
    guard current.kind == .symbol(symbol) else { return false }
    advance()
    return true
  }

  private mutating func expect(symbol: String) throws(SyntaxError) {
    guard take(symbol: symbol) else { throw unexpected("`\(symbol)`") }
  }

  private mutating func expect(keyword: String) throws(SyntaxError) {
    guard take(keyword: keyword) else { throw unexpected("`\(keyword)`") }
  }

  private func unexpected(_ expected: String) -> SyntaxError {
    SyntaxError("expected \(expected), found \(current.text)", at: current.offset)
  }

  /// - Throws: when the node nests too deeply, which happens to left-leaning chains without any recursion.
  private func node(_ kind: Syntax.Kind, _ offset: Int, _ children: [Syntax] = []) throws(SyntaxError) -> Syntax {
    let result = Syntax(kind, offset: offset, children: children)
    guard result.depth <= Self.depthMax else { throw tooDeep(offset) }
    return result
  }

  private func tooDeep(_ offset: Int) -> SyntaxError {
    SyntaxError("the expression nests deeper than \(Self.depthMax) levels", at: offset)
  }

  // MARK: Operators

  private mutating func expression(_ lowest: Level) throws(SyntaxError) -> Syntax {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else { throw tooDeep(current.offset) }
    var left = try prefix(lowest)
    while let (level, operation) = infix(), level.rawValue >= lowest.rawValue {
      let afterComparison = level == .comparison
      left = try apply(operation, level, left)
      if afterComparison, let (following, _) = infix(), following == .comparison {
        throw SyntaxError("comparisons do not chain; combine them with `and`", at: current.offset)
      }
    }
    return left
  }

  private enum Infix { case logical(isAnd: Bool), isNull, comparison(Comparison), between, inList, concatenation, arithmetic(Arithmetic) }

  private static let symbols: [String: (Level, Infix)] = [
    "=": (.comparison, .comparison(.equal)), "==": (.comparison, .comparison(.equal)),
    "<>": (.comparison, .comparison(.unequal)), "!=": (.comparison, .comparison(.unequal)),
    "<": (.comparison, .comparison(.less)), "<=": (.comparison, .comparison(.lessOrEqual)),
    ">": (.comparison, .comparison(.greater)), ">=": (.comparison, .comparison(.greaterOrEqual)),
    "||": (.concatenation, .concatenation),
    "+": (.sum, .arithmetic(.add)), "-": (.sum, .arithmetic(.subtract)),
    "*": (.product, .arithmetic(.multiply)), "/": (.product, .arithmetic(.divide)), "%": (.product, .arithmetic(.remainder)),
  ]

  /// The operator at the current token.
  private func infix() -> (Level, Infix)? {
    switch current.kind {
    case .symbol(let symbol): return Self.symbols[symbol]
    case .word(let word):
      switch word.lowercased() {
      case "or": return (.or, .logical(isAnd: false))
      case "and": return (.and, .logical(isAnd: true))
      case "is": return (.isNull, .isNull)
      case "between": return (.between, .between)
      case "in": return (.between, .inList)
      case "not" where isKeyword("between", ahead: 1): return (.between, .between)
      case "not" where isKeyword("in", ahead: 1): return (.between, .inList)
      default: return nil
      }
    default: return nil
    }
  }

  private mutating func apply(_ infix: Infix, _ level: Level, _ left: Syntax) throws(SyntaxError) -> Syntax {
    let offset = left.offset
    let negated = isKeyword("not") ? take(keyword: "not") : false
    advance()
    switch infix {
    case .logical(let isAnd):
      var terms = [left, try expression(level.next)]
      while take(keyword: isAnd ? "and" : "or") { terms.append(try expression(level.next)) }
      return try node(isAnd ? .and(terms) : .or(terms), offset, terms)
    case .isNull:
      let negated = take(keyword: "not")
      try expect(keyword: "null")
      return try node(.isNull(left, negated: negated), offset, [left])
    case .comparison(let comparison):
      let right = try expression(level.next)
      return try node(.comparison(comparison, left, right), offset, [left, right])
    case .between:
      let low = try expression(level.next)
      try expect(keyword: "and")
      let high = try expression(level.next)
      return try node(.between(left, low: low, high: high, negated: negated), offset, [left, low, high])
    case .inList:
      try expect(symbol: "(")
      let items = try list()
      return try node(.inList(left, items, negated: negated), offset, [left] + items)
    case .concatenation:
      let right = try expression(level.next)
      return try node(.concatenation(left, right), offset, [left, right])
    case .arithmetic(let arithmetic):
      let right = try expression(level.next)
      return try node(.arithmetic(arithmetic, left, right), offset, [left, right])
    }
  }

  /// One or more expressions up to the closing parenthesis.
  private mutating func list() throws(SyntaxError) -> [Syntax] {
    var items = [try expression(.or)]
    while take(symbol: ",") { items.append(try expression(.or)) }
    try expect(symbol: ")")
    return items
  }

  private mutating func prefix(_ lowest: Level) throws(SyntaxError) -> Syntax {
    let offset = current.offset
    if lowest.rawValue <= Level.not.rawValue && take(keyword: "not") {
      let operand = try expression(.not)
      return try node(.not(operand), offset, [operand])
    }
    if take(symbol: "-") {
      // The magnitude of the least int64 is no int64 itself, so the sign belongs to the literal.
      switch current.kind {
      case .integer(let magnitude):
        guard magnitude <= UInt64(Int64.max) + 1 else {
          throw SyntaxError("the integer -\(magnitude) lies outside int64", at: offset)
        }
        advance()
        return try node(.literal(.int(Int64(truncatingIfNeeded: 0 &- magnitude))), offset)
      case .number(let value):
        advance()
        return try node(.literal(.double(-value)), offset)
      default:
        let operand = try expression(.sign)
        return try node(.negate(operand), offset, [operand])
      }
    }
    if take(symbol: "+") { return try expression(.sign) }
    return try primary()
  }

  // MARK: Operands

  private mutating func primary() throws(SyntaxError) -> Syntax {
    let token = current
    switch token.kind {
    case .integer(let magnitude):
      guard let value = Int64(exactly: magnitude) else {
        throw SyntaxError("the integer \(magnitude) lies outside int64", at: token.offset)
      }
      advance()
      return try node(.literal(.int(value)), token.offset)
    case .number(let value):
      advance()
      return try node(.literal(.double(value)), token.offset)
    case .string(let value):
      advance()
      return try node(.literal(.string(value)), token.offset)
    case .quotedName(let name):
      advance()
      return try node(.column(name), token.offset)
    case .symbol("("):
      advance()
      let inner = try expression(.or)
      try expect(symbol: ")")
      return inner
    case .word(let word):
      return try named(word, token.offset)
    case .symbol, .end:
      throw unexpected("a value")
    }
  }

  /// A keyword, a function call, a typed literal or a column.
  private mutating func named(_ word: String, _ offset: Int) throws(SyntaxError) -> Syntax {
    let lowered = word.lowercased()
    switch lowered {
    case "null", "true", "false":
      advance()
      return try node(.literal(lowered == "null" ? .null : .bool(lowered == "true")), offset)
    case "case":
      advance()
      return try choice(offset)
    case "cast" where tokens[position + 1].kind == .symbol("("):
      advance()
      return try cast(offset)
    default: break
    }
    guard !Self.reserved.contains(lowered) else { throw unexpected("a value") }
    advance()
    if case .string(let text) = current.kind, lowered == "date" || lowered == "timestamp" {
      let literal =
        lowered == "date"
        ? CivilTime.parseDate(String(text)).map(Literal.date) : CivilTime.parseTimestamp(String(text)).map(Literal.timestamp)
      guard let literal else { throw SyntaxError("'\(text)' is no ISO 8601 \(lowered)", at: current.offset) }
      advance()
      return try node(.literal(literal), offset)
    }
    if take(symbol: "(") {
      if take(symbol: ")") { return try node(.call(lowered, []), offset) }
      let arguments = try list()
      return try node(.call(lowered, arguments), offset, arguments)
    }
    if lowered == "request", current.kind == .symbol("."), let field = requestField {
      advance()
      advance()
      return try node(.column("request.\(field)"), offset)
    }
    if current.kind == .symbol(".") {
      throw SyntaxError(
        "`\(word).` is not supported: expressions read columns of the view's own source; quote a name that holds a point", at: offset)
    }
    return try node(.column(word), offset)
  }

  /// The name behind `request.`, which on-demand features read what comes with the question by.
  private var requestField: String? {
    switch tokens[min(position + 1, tokens.count - 1)].kind {
    case .word(let name), .quotedName(let name): name
    default: nil
    }
  }

  private mutating func choice(_ offset: Int) throws(SyntaxError) -> Syntax {
    var children: [Syntax] = []
    var branches: [Syntax.Branch] = []
    let operand = isKeyword("when") ? nil : try expression(.or)
    if let operand { children.append(operand) }
    while take(keyword: "when") {
      let when = try expression(.or)
      try expect(keyword: "then")
      let then = try expression(.or)
      branches.append(Syntax.Branch(when: when, then: then))
      children += [when, then]
    }
    guard !branches.isEmpty else { throw unexpected("`when`") }
    let otherwise = take(keyword: "else") ? try expression(.or) : nil
    if let otherwise { children.append(otherwise) }
    try expect(keyword: "end")
    return try node(.choice(operand: operand, branches: branches, otherwise: otherwise), offset, children)
  }

  private mutating func cast(_ offset: Int) throws(SyntaxError) -> Syntax {
    try expect(symbol: "(")
    let value = try expression(.or)
    try expect(keyword: "as")
    guard case .word(let name) = current.kind else { throw unexpected("a type") }
    guard let type = DataType(parsing: name), type.isCastTarget else {
      throw SyntaxError(
        "expected a type that cast supports (bool, int8 to int64, float32, float64, string, date, timestamp), found \(current.text)",
        at: current.offset)
    }
    advance()
    try expect(symbol: ")")
    return try node(.cast(value, type), offset, [value])
  }
}

extension DataType {
  fileprivate var isCastTarget: Bool {
    switch self {
    case .uint8, .uint16, .uint32, .uint64, .binary, .decimal: false
    default: true
    }
  }
}
