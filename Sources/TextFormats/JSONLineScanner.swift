/// A value in a line of JSON: where its text lies; strings without their quotes, arrays and objects with their brackets.
struct JSONToken {
  enum Kind { case string, escapedString, integer, float, bool, null, array, object }

  let kind: Kind
  let bytes: UnsafeRawBufferPointer

  var isString: Bool { kind == .string || kind == .escapedString }
  var isNested: Bool { kind == .array || kind == .object }
}

/// Walks over the values of one line of JSON (RFC 8259), in place.
struct JSONLineScanner {
  // SAFETY: loads stay below `end`; the scanner lives inside the call that holds the bytes.
  private let base: UnsafePointer<UInt8>
  private let start: Int
  private let end: Int
  private var position: Int
  private let line: Int
  private var depth = 0

  /// Deeper nesting has no use in tables, and every level costs stack.
  static let depthMax = 64

  /// - Parameter line: the number that errors name.
  init(_ raw: UnsafeRawBufferPointer, start: Int, end: Int, line: Int) {
    // Any address will do for no bytes, as none is loaded.
    base = (raw.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!).assumingMemoryBound(to: UInt8.self)
    self.start = start
    self.end = end
    self.line = line
    position = start
  }

  /// Goes behind the opening brace; false for a blank line.
  mutating func begin() throws(TextError) -> Bool {
    skipSpace()
    if position == end { return false }
    guard base[position] == UInt8(ascii: "{") else { throw failure("expected an object in braces") }
    position += 1
    return true
  }

  /// The next member's name, with the position before its value; nil behind the closing brace.
  @inline(__always) mutating func nextKey(isFirst: inout Bool) throws(TextError) -> JSONToken? {
    guard try continues(until: UInt8(ascii: "}"), isFirst: &isFirst) else { return nil }
    guard position < end, base[position] == UInt8(ascii: "\"") else { throw failure("expected a member's name in quotes") }
    let key = try string()
    skipSpace()
    guard position < end, base[position] == UInt8(ascii: ":") else { throw failure("expected ':'") }
    position += 1
    skipSpace()
    return key
  }

  /// Whether an element follows, with the position before it; goes behind the closing bracket otherwise.
  mutating func nextElement(isFirst: inout Bool) throws(TextError) -> Bool {
    try continues(until: UInt8(ascii: "]"), isFirst: &isFirst)
  }

  @inline(__always) private mutating func continues(until close: UInt8, isFirst: inout Bool) throws(TextError) -> Bool {
    skipSpace()
    if position < end && base[position] == close {
      position += 1
      return false
    }
    if !isFirst {
      guard position < end, base[position] == UInt8(ascii: ",") else {
        throw failure("expected ',' or '\(Character(UnicodeScalar(close)))'")
      }
      position += 1
      skipSpace()
    }
    isFirst = false
    return true
  }

  /// - Throws: `TextError` unless only white space is left.
  mutating func finish() throws(TextError) {
    skipSpace()
    guard position == end else { throw failure("expected the end of the line behind the object") }
  }

  /// From 1, of the byte that comes next.
  var column: Int { position - start + 1 }

  /// Whether the next value starts as `null` does.
  var isAtNull: Bool { position < end && base[position] == UInt8(ascii: "n") }

  func error(_ kind: TextError.Kind, _ text: String, column: Int) -> TextError {
    TextError(kind, line: line, column: column, text)
  }

  func error(_ problem: JSONValues.Problem, column: Int) -> TextError { error(problem.kind, problem.text, column: column) }

  func error(_ text: String) -> TextError { error(.malformed, text, column: column) }

  /// What the next value is, going behind the bracket of arrays and objects; nil for other values.
  mutating func enter() throws(TextError) -> JSONToken.Kind? {
    guard position < end, base[position] == UInt8(ascii: "{") || base[position] == UInt8(ascii: "[") else { return nil }
    if depth == Self.depthMax { throw failure("arrays and objects are nested more than \(Self.depthMax) levels deep") }
    depth += 1
    position += 1
    return base[position - 1] == UInt8(ascii: "{") ? .object : .array
  }

  /// Ends what `enter` began.
  mutating func leave() { depth -= 1 }

  @inline(__always) private mutating func skipSpace() {
    while position < end, base[position] == 0x20 || base[position] == 0x09 || base[position] == 0x0D { position &+= 1 }
  }

  /// The next value; arrays and objects as a whole.
  @inline(__always) mutating func value() throws(TextError) -> JSONToken {
    guard position < end else { throw failure("expected a value") }
    switch base[position] {
    case UInt8(ascii: "\""): return try string()
    case UInt8(ascii: "t"): return try word("true", .bool)
    case UInt8(ascii: "f"): return try word("false", .bool)
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "{"), UInt8(ascii: "["): return try nested()
    default: throw failure("expected a value")
    }
  }

  private mutating func nested() throws(TextError) -> JSONToken {
    let first = position
    let kind = try enter()
    var isFirst = true
    if kind == .object {
      while try nextKey(isFirst: &isFirst) != nil { _ = try value() }
    } else {
      while try nextElement(isFirst: &isFirst) { _ = try value() }
    }
    leave()
    return JSONToken(kind: kind ?? .array, bytes: UnsafeRawBufferPointer(start: base + first, count: position - first))
  }

  private mutating func word(_ text: StaticString, _ kind: JSONToken.Kind) throws(TextError) -> JSONToken {
    let length = text.utf8CodeUnitCount
    for index in 0..<length {
      guard position + index < end, base[position + index] == text.utf8Start[index] else { throw failure("expected \(text)") }
    }
    position += length
    return JSONToken(kind: kind, bytes: UnsafeRawBufferPointer(start: base + position - length, count: length))
  }

  private mutating func string() throws(TextError) -> JSONToken {
    let opening = position
    var place = position &+ 1
    var hasEscapes = false
    while place < end {
      // SAFETY: eight bytes are left.
      while place &+ 8 <= end {
        let word = UInt64(littleEndian: UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self))
        let stops = JSONText.stops(word)
        place &+= stops == 0 ? 8 : stops.trailingZeroBitCount &>> 3
        if stops != 0 { break }
      }
      if place == end { break }
      let byte = base[place]
      if byte == UInt8(ascii: "\"") {
        position = place &+ 1
        return JSONToken(
          kind: hasEscapes ? .escapedString : .string,
          bytes: UnsafeRawBufferPointer(start: base + opening + 1, count: place &- opening &- 1))
      }
      if byte < 0x20 {
        position = place
        throw failure("a control character must be escaped in a string")
      }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        place &+= 1
      }
      place &+= 1
    }
    throw failure("the string does not end in its line")
  }

  private mutating func number() throws(TextError) -> JSONToken {
    let first = position
    if base[position] == UInt8(ascii: "-") { position &+= 1 }
    let integerStart = position
    try digits()
    if base[integerStart] == UInt8(ascii: "0") && position > integerStart &+ 1 {
      position = integerStart
      throw failure("a number must not start with a zero")
    }
    var kind = JSONToken.Kind.integer
    if position < end && base[position] == UInt8(ascii: ".") {
      kind = .float
      position &+= 1
      try digits()
    }
    if position < end && base[position] | 0x20 == UInt8(ascii: "e") {
      kind = .float
      position &+= 1
      if position < end && (base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-")) { position &+= 1 }
      try digits()
    }
    return JSONToken(kind: kind, bytes: UnsafeRawBufferPointer(start: base + first, count: position &- first))
  }

  @inline(__always) private mutating func digits() throws(TextError) {
    let first = position
    while position < end, base[position] &- UInt8(ascii: "0") <= 9 { position &+= 1 }
    guard position > first else { throw failure("expected a digit") }
  }

  private func failure(_ text: String) -> TextError {
    let found: String
    if position >= end {
      found = "the end of the line"
    } else {
      let byte = base[position]
      found = (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
    }
    return TextError(.malformed, line: line, column: column, "\(text), found \(found)")
  }
}
