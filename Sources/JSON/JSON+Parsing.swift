extension JSON {
  /// Parses one JSON text (RFC 8259), surrounded by white space only; a UTF-8 byte order mark before it is skipped.
  ///
  /// Numbers without point and exponent are exact up to 64 bits; beyond that, and with point or exponent, they are the
  /// nearest double. Of members with one name the last counts.
  /// - Parameter wholeNumbers: numbers with point or exponent that are whole, as `1.0` and `1e3`, are integers too where 64 bits
  ///   hold them. A double then never stands for an integer: one that is whole was rounded.
  /// - Parameter uniqueNames: two members of one name are an error, as readers differ in which of them counts.
  /// - Throws: `JSONError` for anything else, also lone surrogates, invalid UTF-8, a number beyond the doubles, or nearer to zero
  ///   than all of them, and more than 512 levels of arrays and objects.
  /// - Complexity: O(bytes)
  package init(parsing bytes: UnsafeRawBufferPointer, wholeNumbers: Bool = false, uniqueNames: Bool = false) throws(JSONError) {
    var parser = JSONParser(bytes, wholeNumbers: wholeNumbers, uniqueNames: uniqueNames)
    self = try parser.parseText()
  }

  package init(parsing bytes: [UInt8]) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> JSON in
      try JSON(parsing: UnsafeRawBufferPointer(buffer))
    }
  }

  package init(parsing bytes: some Sequence<UInt8>) throws(JSONError) { try self.init(parsing: Array(bytes)) }

  package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// A recursive descent over bytes that stay in place.
struct JSONParser {
  static let depthMax = 512

  // SAFETY: every load is at an index below `count`, and the caller keeps the bytes alive while the parser runs.
  private let base: UnsafePointer<UInt8>
  private let count: Int
  private let wholeNumbers: Bool
  private let uniqueNames: Bool
  private(set) var position = 0
  private var depth = 0

  init(_ bytes: UnsafeRawBufferPointer, wholeNumbers: Bool = false, uniqueNames: Bool = false) {
    self.wholeNumbers = wholeNumbers
    self.uniqueNames = uniqueNames
    // Any address will do for no bytes, as none is loaded.
    base = (bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1)!).assumingMemoryBound(to: UInt8.self)
    count = bytes.count
  }

  mutating func parseText() throws(JSONError) -> JSON {
    if count >= 3 && base[0] == 0xEF && base[1] == 0xBB && base[2] == 0xBF { position = 3 }
    skipSpace()
    let value = try parseValue()
    skipSpace()
    if position < count { throw failure("expected the end, found \(found)") }
    return value
  }

  @inline(__always) private mutating func skipSpace() {
    while position < count, base[position] <= 0x20 {
      switch base[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position &+= 1
      default: return
      }
    }
  }

  private mutating func parseValue() throws(JSONError) -> JSON {
    guard position < count else { throw failure("expected a value, found the end") }
    switch base[position] {
    case UInt8(ascii: "{"): return try parseObject()
    case UInt8(ascii: "["): return try parseArray()
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
    default: throw failure("expected a value, found \(found)")
    }
  }

  private mutating func parseWord(_ word: StaticString, _ value: JSON) throws(JSONError) -> JSON {
    let length = word.utf8CodeUnitCount
    for index in 0..<length {
      guard position + index < count, base[position + index] == word.utf8Start[index] else { throw failure("expected \(word)") }
    }
    position += length
    return value
  }

  private mutating func parseArray() throws(JSONError) -> JSON {
    try descend()
    var values: [JSON] = []
    skipSpace()
    if position < count && base[position] == UInt8(ascii: "]") {
      position += 1
    } else {
      while true {
        skipSpace()
        values.append(try parseValue())
        if try !continues(until: UInt8(ascii: "]")) { break }
      }
    }
    depth -= 1
    return .array(values)
  }

  private mutating func parseObject() throws(JSONError) -> JSON {
    try descend()
    var members: [String: JSON] = [:]
    skipSpace()
    if position < count && base[position] == UInt8(ascii: "}") {
      position += 1
    } else {
      while true {
        skipSpace()
        guard position < count, base[position] == UInt8(ascii: "\"") else { throw failure("expected a member's name, found \(found)") }
        let name = try parseString()
        skipSpace()
        guard position < count, base[position] == UInt8(ascii: ":") else { throw failure("expected ':', found \(found)") }
        position += 1
        skipSpace()
        let value = try parseValue()
        let isRepeated = members.updateValue(value, forKey: name) != nil
        if isRepeated && uniqueNames { throw failure("two members have the name \"\(name)\"") }
        if try !continues(until: UInt8(ascii: "}")) { break }
      }
    }
    depth -= 1
    return .object(members)
  }

  private mutating func descend() throws(JSONError) {
    if depth == Self.depthMax { throw failure("arrays and objects are nested more than \(Self.depthMax) levels deep") }
    depth += 1
    position += 1
  }

  /// Whether a comma follows; consumes it, or the end.
  @inline(__always) private mutating func continues(until end: UInt8) throws(JSONError) -> Bool {
    skipSpace()
    guard position < count, base[position] == UInt8(ascii: ",") || base[position] == end else {
      throw failure("expected ',' or '\(Character(UnicodeScalar(end)))', found \(found)")
    }
    position += 1
    return base[position - 1] != end
  }
}

extension JSONParser {
  private mutating func parseNumber() throws(JSONError) -> JSON {
    let start = position
    let isNegative = base[position] == UInt8(ascii: "-")
    if isNegative { position += 1 }
    var mantissa: UInt64 = 0
    var overflows = false
    let integerStart = position
    scanDigits(&mantissa, &overflows)
    guard position > integerStart else { throw failure("expected a digit, found \(found)") }
    if base[integerStart] == UInt8(ascii: "0") && position > integerStart + 1 {
      position = integerStart
      throw failure("a number must not start with a zero")
    }
    var isInteger = true
    var exponent = 0
    if position < count && base[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      let fractionStart = position
      scanDigits(&mantissa, &overflows)
      guard position > fractionStart else { throw failure("expected a digit behind the point, found \(found)") }
      exponent = fractionStart - position
    }
    if position < count && base[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      var exponentIsNegative = false
      if position < count && (base[position] == UInt8(ascii: "+") || base[position] == UInt8(ascii: "-")) {
        exponentIsNegative = base[position] == UInt8(ascii: "-")
        position += 1
      }
      let exponentStart = position
      var power: UInt64 = 0
      var powerOverflows = false
      scanDigits(&power, &powerOverflows)
      guard position > exponentStart else { throw failure("expected a digit in the exponent, found \(found)") }
      // Beyond this every mantissa is zero or too large; the slow path decides.
      let bounded = powerOverflows ? 1_000_000 : Int(min(power, 1_000_000))
      exponent += exponentIsNegative ? -bounded : bounded
    }
    if isInteger && !overflows {
      if isNegative && mantissa <= UInt64(Int64.max) + 1 { return .int(Int64(truncatingIfNeeded: 0 &- mantissa)) }
      if !isNegative { return JSON(mantissa) }
    }
    if wholeNumbers, let whole = wholeNumber(from: start) { return whole }
    return .double(try double(mantissa, overflows, exponent, isNegative, start))
  }

  private func wholeNumber(from start: Int) -> JSON? {
    guard let (isNegative, magnitude) = WholeNumber.parse(UnsafeRawBufferPointer(start: base + start, count: position - start)) else {
      return nil
    }
    if !isNegative { return JSON(magnitude) }
    // Integers have no -0.
    return magnitude > 0 && magnitude <= 1 << 63 ? .int(Int64(truncatingIfNeeded: 0 &- magnitude)) : nil
  }

  @inline(__always) private mutating func scanDigits(_ value: inout UInt64, _ overflows: inout Bool) {
    while position < count {
      let digit = base[position] &- UInt8(ascii: "0")
      guard digit <= 9 else { return }
      let (product, carried) = value.multipliedReportingOverflow(by: 10)
      let (sum, carriedAgain) = product.addingReportingOverflow(UInt64(digit))
      value = sum
      overflows = overflows || carried || carriedAgain
      position &+= 1
    }
  }

  private static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
  ]

  private func double(
    _ mantissa: UInt64, _ overflows: Bool, _ exponent: Int, _ isNegative: Bool, _ start: Int
  ) throws(JSONError) -> Double {
    // Both factors are exact doubles, so that the one rounding is correct (Clinger 1990).
    if !overflows && mantissa <= 1 << 53 && exponent.magnitude <= 22 {
      let power = Self.powersOfTen[abs(exponent)]
      let magnitude = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
      return isNegative ? -magnitude : magnitude
    }
    let text = String(decoding: UnsafeBufferPointer(start: base + start, count: position - start), as: UTF8.self)
    guard let value = Double(text), value.isFinite else { throw failure("the number \(text) is beyond the range of doubles", at: start) }
    if value == 0 && (mantissa != 0 || overflows) { throw failure("the number \(text) is nearer to zero than any double", at: start) }
    return value
  }

  private mutating func parseString() throws(JSONError) -> String {
    let start = position
    position += 1
    var chunkStart = position
    var pieces: [UInt8]?
    while position < count {
      let byte = base[position]
      if byte == UInt8(ascii: "\"") {
        let chunk = UnsafeBufferPointer(start: base + chunkStart, count: position - chunkStart)
        position += 1
        let text: String?
        if pieces != nil {
          pieces!.append(contentsOf: chunk)
          text = String(validating: pieces!, as: UTF8.self)
        } else {
          text = String(validating: chunk, as: UTF8.self)
        }
        guard let text else { throw failure("the string is not valid UTF-8", at: start) }
        return text
      }
      if byte == UInt8(ascii: "\\") {
        if pieces == nil { pieces = [] }
        pieces!.append(contentsOf: UnsafeBufferPointer(start: base + chunkStart, count: position - chunkStart))
        try parseEscape(into: &pieces!)
        chunkStart = position
      } else if byte < 0x20 {
        throw failure("a control character must be escaped in a string")
      } else {
        position &+= 1
      }
    }
    throw failure("the string does not end", at: start)
  }

  private mutating func parseEscape(into pieces: inout [UInt8]) throws(JSONError) {
    let start = position
    guard position + 1 < count else { throw failure("the string does not end") }
    let byte = base[position + 1]
    position += 2
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): pieces.append(byte)
    case UInt8(ascii: "b"): pieces.append(0x08)
    case UInt8(ascii: "f"): pieces.append(0x0C)
    case UInt8(ascii: "n"): pieces.append(0x0A)
    case UInt8(ascii: "r"): pieces.append(0x0D)
    case UInt8(ascii: "t"): pieces.append(0x09)
    case UInt8(ascii: "u"):
      var code = UInt32(try parseHex(start))
      if code & 0xFC00 == 0xD800, position + 1 < count, base[position] == UInt8(ascii: "\\"), base[position + 1] == UInt8(ascii: "u") {
        position += 2
        let low = UInt32(try parseHex(start))
        guard low & 0xFC00 == 0xDC00 else { throw failure("the escape is half a surrogate pair", at: start) }
        code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
      }
      guard let scalar = UnicodeScalar(code) else { throw failure("the escape is half a surrogate pair", at: start) }
      pieces.append(contentsOf: UTF8.encode(scalar)!)
    default: throw failure("unknown escape in a string", at: start)
    }
  }

  private mutating func parseHex(_ start: Int) throws(JSONError) -> UInt16 {
    guard position + 4 <= count else { throw failure("expected four hexadecimal digits behind \\u", at: start) }
    var code: UInt16 = 0
    for _ in 0..<4 {
      let byte = base[position]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      default: throw failure("expected four hexadecimal digits behind \\u", at: start)
      }
      code = code << 4 | UInt16(digit)
      position += 1
    }
    return code
  }

  private var found: String {
    guard position < count else { return "the end" }
    let byte = base[position]
    return (0x21...0x7E).contains(byte) ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
  }

  private func failure(_ text: String, at place: Int? = nil) -> JSONError {
    var line = 1
    var column = 1
    for index in 0..<min(place ?? position, count) {
      if base[index] == 0x0A {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    return JSONError(line: line, column: column, text: text)
  }
}
