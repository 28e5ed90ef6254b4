import Columns

/// Reads SQL scalar syntax by precedence climbing. From loose to tight: `or`, `and`, `not`, `is`, comparisons (which do not
/// chain), `between`, `in` and `like`, `||` and bit operations, `+ -`, `* / // %`, `^`, `at time zone`, unary `-`, `::`.
struct ExpressionParser {
  /// Bounds the recursion of everything that walks an expression; nobody writes a tenth of it by hand.
  static let depthMax = 200
  /// Bounds memory; generated expressions stay far below.
  static let byteCountMax = 64 << 10

  enum Level: Int {
    case or = 1, and, not, isNull, comparison, between, concatenation, sum, product, power, zone, sign
    var next: Level { Level(rawValue: rawValue + 1) ?? .sign }
  }

  /// Words that name no column unless quoted.
  private static let reserved: Set<String> = [
    "and", "or", "not", "is", "null", "true", "false", "case", "when", "then", "else", "end", "in", "between", "cast", "like",
  ]

  let tokens: [Token]
  private(set) var position = 0
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

  /// One of several expressions with commas between them.
  struct Selected {
    let syntax: Syntax
    /// Its bytes in the text, without the name.
    let range: Range<Int>
    /// Behind `as`.
    let name: String?
  }

  /// `expression [as name], …`
  static func parseSelection(_ text: String) throws(SyntaxError) -> [Selected] {
    guard text.utf8.count <= byteCountMax else {
      throw SyntaxError("the expressions have \(text.utf8.count) bytes, at most \(byteCountMax) are allowed", at: 0)
    }
    var parser = ExpressionParser(try ExpressionLexer.tokens(of: text))
    var result: [Selected] = []
    repeat {
      let start = parser.current.offset
      let syntax = try parser.expression(.or)
      let end = parser.current.offset
      var name: String?
      if parser.take(keyword: "as") {
        switch parser.current.kind {
        case .word(let word), .quotedName(let word): name = word
        default: throw parser.unexpected("a name")
        }
        parser.advance()
      }
      result.append(Selected(syntax: syntax, range: start..<end, name: name))
    } while parser.take(symbol: ",")
    guard parser.current.kind == .end else { throw parser.unexpected("`as`, `,` or the end") }
    return result
  }

  // MARK: Tokens

  var current: Token { tokens[position] }

  mutating func advance() { if position + 1 < tokens.count { position += 1 } }

  func isKeyword(_ word: String, ahead: Int = 0) -> Bool {
    guard position + ahead < tokens.count, case .word(let found) = tokens[position + ahead].kind else { return false }
    return found.lowercased() == word
  }

  mutating func take(keyword: String) -> Bool {
    guard isKeyword(keyword) else { return false }
    advance()
    return true
  }

  mutating func take(symbol: String) -> Bool {
    guard current.kind == .symbol(symbol) else { return false }
    advance()
    return true
  }

  mutating func expect(symbol: String) throws(SyntaxError) {
    guard take(symbol: symbol) else { throw unexpected("`\(symbol)`") }
  }

  mutating func expect(keyword: String) throws(SyntaxError) {
    guard take(keyword: keyword) else { throw unexpected("`\(keyword)`") }
  }

  func unexpected(_ expected: String) -> SyntaxError {
    SyntaxError("expected \(expected), found \(current.text)", at: current.offset)
  }

  /// - Throws: when the node nests too deeply, which happens to left-leaning chains without any recursion.
  func node(_ kind: Syntax.Kind, _ offset: Int, _ children: [Syntax] = []) throws(SyntaxError) -> Syntax {
    let result = Syntax(kind, offset: offset, children: children)
    guard result.depth <= Self.depthMax else { throw tooDeep(offset) }
    return result
  }

  private func tooDeep(_ offset: Int) -> SyntaxError {
    SyntaxError("the expression nests deeper than \(Self.depthMax) levels", at: offset)
  }

  // MARK: Operators

  mutating func expression(_ lowest: Level) throws(SyntaxError) -> Syntax {
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

  private enum Infix {
    case logical(isAnd: Bool), isNull, comparison(Comparison), between, inList, concatenation, arithmetic(Arithmetic)
    /// `like` and `ilike`.
    case like(String)
    /// A function that is written between its arguments.
    case function(String)
    case zone
  }

  private static let symbols: [String: (Level, Infix)] = [
    "=": (.comparison, .comparison(.equal)), "==": (.comparison, .comparison(.equal)),
    "<>": (.comparison, .comparison(.unequal)), "!=": (.comparison, .comparison(.unequal)),
    "<": (.comparison, .comparison(.less)), "<=": (.comparison, .comparison(.lessOrEqual)),
    ">": (.comparison, .comparison(.greater)), ">=": (.comparison, .comparison(.greaterOrEqual)),
    "||": (.concatenation, .concatenation),
    "+": (.sum, .arithmetic(.add)), "-": (.sum, .arithmetic(.subtract)),
    "*": (.product, .arithmetic(.multiply)), "/": (.product, .arithmetic(.divide)), "%": (.product, .arithmetic(.remainder)),
    "//": (.product, .function("//")), "^": (.power, .function("power")), "**": (.power, .function("power")),
    "&": (.concatenation, .function("&")), "|": (.concatenation, .function("|")),
    "<<": (.concatenation, .function("<<")), ">>": (.concatenation, .function(">>")),
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
      case "like", "ilike": return (.between, .like(word.lowercased()))
      case "not" where isKeyword("like", ahead: 1): return (.between, .like("like"))
      case "not" where isKeyword("ilike", ahead: 1): return (.between, .like("ilike"))
      case "at" where isKeyword("time", ahead: 1): return (.zone, .zone)
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
      if isKeyword("true") || isKeyword("false") {
        let value = isKeyword("true")
        advance()
        return try node(.isTruth(left, value, negated: negated), offset, [left])
      }
      if take(keyword: "distinct") {
        try expect(keyword: "from")
        let right = try expression(level.next)
        return try node(.distinct(left, right, negated: negated), offset, [left, right])
      }
      if !take(keyword: "unknown") {
        guard take(keyword: "null") else { throw unexpected("`null`, `true`, `false`, `unknown` or `distinct from`") }
      }
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
    case .like(let name):
      var arguments = [left, try expression(level.next)]
      if take(keyword: "escape") { arguments.append(try expression(level.next)) }
      let match = try node(.call(name, arguments), offset, arguments)
      return negated ? try node(.not(match), offset, [match]) : match
    case .function(let name):
      let right = try expression(level.next)
      return try node(.call(name, [left, right]), offset, [left, right])
    case .zone:
      try expect(keyword: "time")
      try expect(keyword: "zone")
      let zone = try expression(level.next)
      return try node(.call("timezone", [zone, left]), offset, [zone, left])
    case .concatenation:
      let right = try expression(level.next)
      return try node(.concatenation(left, right), offset, [left, right])
    case .arithmetic(let arithmetic):
      let right = try expression(level.next)
      return try node(.arithmetic(arithmetic, left, right), offset, [left, right])
    }
  }

  /// One or more expressions up to the closing parenthesis.
  mutating func list() throws(SyntaxError) -> [Syntax] {
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
    if take(symbol: "~") {
      let operand = try expression(.sum)
      return try node(.call("~", [operand]), offset, [operand])
    }
    if take(symbol: "-") {
      // `::` belongs to the number before the sign does.
      if position + 1 < tokens.count, tokens[position + 1].kind == .symbol("::") {
        let operand = try expression(.sign)
        return try node(.negate(operand), offset, [operand])
      }
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
    return try suffixed(try primary())
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
    case "cast" where tokens[position + 1].kind == .symbol("("), "try_cast" where tokens[position + 1].kind == .symbol("("):
      advance()
      return try cast(offset, isTry: lowered == "try_cast")
    case "interval":
      if let interval = try interval(offset) { return interval }
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
      if let special = try specialCall(lowered, offset) { return special }
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
}
