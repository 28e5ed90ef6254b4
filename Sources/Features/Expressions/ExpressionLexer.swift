import JSON

/// A word, number, string or symbol of an expression.
struct Token: Sendable {
  enum Kind: Hashable, Sendable {
    /// A bare name or keyword, as written.
    case word(String)
    /// A name in double quotes: never a keyword.
    case quotedName(String)
    case string(String)
    /// Digits only; the sign is an operator.
    case integer(UInt64)
    case number(Double)
    case symbol(String)
    case end
  }

  let kind: Kind
  let offset: Int

  /// As messages quote it.
  var text: String {
    switch kind {
    case .word(let word): "`\(word)`"
    case .quotedName(let name): "`\"\(name)\"`"
    case .string(let string): "'\(string)'"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .symbol(let symbol): "`\(symbol)`"
    case .end: "the end"
    }
  }
}

/// Splits an expression into tokens. - Complexity: O(bytes)
struct ExpressionLexer {
  private let bytes: [UInt8]
  private var position = 0

  init(_ text: String) { bytes = Array(text.utf8) }

  static func tokens(of text: String) throws(SyntaxError) -> [Token] {
    var lexer = ExpressionLexer(text)
    var tokens: [Token] = []
    while true {
      let token = try lexer.next()
      tokens.append(token)
      if token.kind == .end { return tokens }
    }
  }

  private func byte(_ ahead: Int = 0) -> UInt8? { position + ahead < bytes.count ? bytes[position + ahead] : nil }

  private mutating func next() throws(SyntaxError) -> Token {
    while let byte = byte(), byte == 0x20 || (0x09...0x0D).contains(byte) { position += 1 }
    let start = position
    guard let first = byte() else { return Token(kind: .end, offset: start) }
    if first | 0x20 == UInt8(ascii: "e"), byte(1) == UInt8(ascii: "'") {
      position += 1
      return Token(kind: .string(try escaped()), offset: start)
    }
    if Self.startsWord(first) {
      while let byte = byte(), Self.startsWord(byte) || Self.isDigit(byte) { position += 1 }
      return Token(kind: .word(text(from: start)), offset: start)
    }
    if Self.isDigit(first) || (first == UInt8(ascii: ".") && byte(1).map(Self.isDigit) == true) { return try number() }
    if first == UInt8(ascii: "'") { return Token(kind: .string(try quoted(first, "string")), offset: start) }
    if first == UInt8(ascii: "\"") {
      let name = try quoted(first, "column name")
      guard !name.isEmpty else { throw SyntaxError("a column name is empty", at: start) }
      return Token(kind: .quotedName(name), offset: start)
    }
    return try symbol(first)
  }

  private mutating func symbol(_ first: UInt8) throws(SyntaxError) -> Token {
    let start = position
    for symbol in ["<=", ">=", "<>", "!=", "==", "||", "::", "**", "//", "<<", ">>"]
    where byte(1) != nil && text(from: start, count: 2) == symbol {
      position += 2
      return Token(kind: .symbol(symbol), offset: start)
    }
    if first == UInt8(ascii: "-") && byte(1) == first {
      throw SyntaxError("`--` is not supported; write `- -` for a double negation", at: start)
    }
    guard "+-*/%()<>=,.^~&|".utf8.contains(first) else {
      let rest = String(decoding: bytes[start...].prefix(4), as: UTF8.self)
      throw SyntaxError("found the unknown character `\(rest.prefix(1))`", at: start)
    }
    position += 1
    return Token(kind: .symbol(text(from: start)), offset: start)
  }

  /// The text between quotes; a doubled quote stands for one.
  private mutating func quoted(_ quote: UInt8, _ what: String) throws(SyntaxError) -> String {
    let start = position
    var content: [UInt8] = []
    position += 1
    while let current = byte() {
      position += 1
      if current != quote {
        content.append(current)
      } else if byte() == quote {
        content.append(quote)
        position += 1
      } else {
        return String(decoding: content, as: UTF8.self)
      }
    }
    throw SyntaxError("the \(what) has no closing quote", at: start)
  }

  /// The text of `E'…'`: backslashes start escapes, a doubled quote stands for one.
  private mutating func escaped() throws(SyntaxError) -> String {
    let start = position
    var content: [UInt8] = []
    position += 1
    while let current = byte() {
      position += 1
      switch current {
      case UInt8(ascii: "'"):
        guard byte() == current else { return String(decoding: content, as: UTF8.self) }
        content.append(current)
        position += 1
      case UInt8(ascii: "\\"):
        guard let letter = byte() else { break }
        position += 1
        switch letter {
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): content.append(letter)
        case UInt8(ascii: "u"):
          let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
          guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
            throw SyntaxError("\\u takes the four hexadecimal digits of a character", at: position - 2)
          }
          position += 4
          content.append(contentsOf: String(Character(scalar)).utf8)
        default: throw SyntaxError("a string has an unknown escape; known are \\n \\t \\r \\b \\f \\\\ \\' \\\" \\uXXXX", at: position - 2)
        }
      default: content.append(current)
      }
    }
    throw SyntaxError("the string has no closing quote", at: start)
  }

  private mutating func number() throws(SyntaxError) -> Token {
    let start = position
    let whole = digits()
    var fraction: String?
    var exponent: String?
    if byte() == UInt8(ascii: ".") {
      position += 1
      fraction = digits()
    }
    if let mark = byte(), mark | 0x20 == UInt8(ascii: "e") {
      position += 1
      let isNegative = byte() == UInt8(ascii: "-")
      if isNegative || byte() == UInt8(ascii: "+") { position += 1 }
      exponent = (isNegative ? "-" : "") + digits()
    }
    if let after = byte(), Self.startsWord(after) {
      throw SyntaxError("a number is followed directly by a letter", at: start)
    }
    if fraction == nil && exponent == nil {
      guard let value = UInt64(whole) else { throw SyntaxError("the integer \(whole) lies outside int64", at: start) }
      return Token(kind: .integer(value), offset: start)
    }
    // Swift reads neither "1." nor ".5".
    guard let value = Double("0\(whole).\(fraction ?? "")0e\(exponent ?? "0")"), value.isFinite else {
      throw SyntaxError("\(text(from: start)) is no float64", at: start)
    }
    var written = text(from: start)
    if value == 0 && (whole + (fraction ?? "")).utf8.contains(where: { $0 != UInt8(ascii: "0") }) {
      throw SyntaxError("\(written) is nearer to zero than any float64", at: start)
    }
    if written.withUTF8({ WholeNumber.isRounded(UnsafeRawBufferPointer($0), to: value) }) {
      throw SyntaxError("\(written) is no float64, the nearest is \(value)", at: start)
    }
    return Token(kind: .number(value), offset: start)
  }

  private mutating func digits() -> String {
    let start = position
    while let byte = byte(), Self.isDigit(byte) { position += 1 }
    return text(from: start)
  }

  private func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

  private func text(from start: Int, count: Int) -> String {
    String(decoding: bytes[start..<min(start + count, bytes.count)], as: UTF8.self)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func startsWord(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x80 || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }
}
