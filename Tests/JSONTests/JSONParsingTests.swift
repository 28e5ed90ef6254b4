import JSON
import Testing

@Suite struct JSONParsingTests {
  @Test func namesMayHaveToBeUnique() throws {
    func parse(_ text: String, uniqueNames: Bool) throws -> JSON {
      try Array(text.utf8).withUnsafeBytes { try JSON(parsing: $0, uniqueNames: uniqueNames) }
    }
    let text = #"{"a": {"b": 1, "\u0062": 2}, "c": {"a": 3}}"#
    #expect(try parse(text, uniqueNames: false) == ["a": ["b": 2], "c": ["a": 3]])
    let error = #expect(throws: JSONError.self) { try parse(text, uniqueNames: true) }
    #expect(error.map { "\($0)".contains("two members have the name \"b\"") } == true)
    #expect(try parse(#"{"a": {"b": 1}, "b": {"a": 3}}"#, uniqueNames: true) == ["a": ["b": 1], "b": ["a": 3]])
  }

  @Test func parsesEveryKindOfValue() throws {
    let text = #" {"a": [1, -2, 3.5, 1e3, true, false, null], "b": {"c": "x\ny\u00e9\ud83d\ude00\/"}, "": []} "#
    let value = try JSON(parsing: text)
    #expect(
      value == [
        "a": [1, -2, 3.5, 1000.0, true, false, nil], "b": ["c": "x\nyé😀/"], "": [],
      ])
    #expect(value["a"]?.arrayValue?.count == 7)
    #expect(value["b"]?["c"]?.stringValue == "x\nyé😀/")
    #expect(value["absent"] == nil)
  }

  @Test func keepsIntegersExact() throws {
    #expect(try JSON(parsing: "9223372036854775807") == .int(.max))
    #expect(try JSON(parsing: "-9223372036854775808") == .int(.min))
    #expect(try JSON(parsing: "9223372036854775808") == .uint(1 << 63))
    #expect(try JSON(parsing: "18446744073709551615") == .uint(.max))
    #expect(try JSON(parsing: "18446744073709551616") == .double(18446744073709551616.0))
    #expect(try JSON(parsing: "-9223372036854775809") == .double(-9223372036854775808.0))
    #expect(try JSON(parsing: "1.0") == .double(1))
  }

  @Test(arguments: [
    0.1, 1e22, 1e23, 123456789.123456789, Double.leastNonzeroMagnitude, 1.7976931348623157e308, -0.000001, 9007199254740993.0,
  ])
  func doublesReadBack(_ value: Double) throws {
    #expect(try JSON(parsing: JSON.double(value).text()) == .double(value))
  }

  @Test(arguments: [
    ("", 1, 1, "expected a value, found the end"),
    ("[1,]", 1, 4, "expected a value, found ']'"),
    ("{\"a\":1,}", 1, 8, "expected a member's name, found '}'"),
    ("[1\n,2\n 3]", 3, 2, "expected ',' or ']', found '3'"),
    ("01", 1, 1, "a number must not start with a zero"),
    ("1.", 1, 3, "expected a digit behind the point, found the end"),
    ("1e", 1, 3, "expected a digit in the exponent, found the end"),
    ("-", 1, 2, "expected a digit, found the end"),
    ("nul", 1, 1, "expected null"),
    ("\"a", 1, 1, "the string does not end"),
    ("\"\t\"", 1, 2, "a control character must be escaped in a string"),
    ("\"\\x\"", 1, 2, "unknown escape in a string"),
    ("\"\\ud800\"", 1, 2, "the escape is half a surrogate pair"),
    ("\"\\ud800\\u0041\"", 1, 2, "the escape is half a surrogate pair"),
    ("\"\\u12g4\"", 1, 2, "expected four hexadecimal digits behind \\u"),
    ("1 2", 1, 3, "expected the end, found '2'"),
    ("[0e-999, -1e-400]", 1, 10, "the number -1e-400 is nearer to zero than any double"),
    ("1e999", 1, 1, "the number 1e999 is beyond the range of doubles"),
    ("NaN", 1, 1, "expected a value, found 'N'"),
  ])
  func refusesWhatIsNotJSON(_ text: String, _ line: Int, _ column: Int, _ message: String) {
    #expect(throws: JSONError(line: line, column: column, text: message)) { try JSON(parsing: text) }
  }

  @Test func namesThePlaceInItsDescription() {
    let error = JSONError(line: 2, column: 5, text: "expected a value")
    #expect(error.description == "Cannot parse JSON at line 2, column 5: expected a value")
  }

  @Test func refusesInvalidUTF8() {
    #expect(throws: JSONError(line: 1, column: 1, text: "the string is not valid UTF-8")) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test func boundsTheDepth() throws {
    let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    #expect(try JSON(parsing: deep).arrayValue?.count == 1)
    #expect(throws: JSONError.self) { try JSON(parsing: "[" + deep + "]") }
    #expect(throws: JSONError.self) { try JSON(parsing: String(repeating: "{\"a\":", count: 100_000)) }
  }

  @Test func theLastOfEqualNamesCounts() throws {
    #expect(try JSON(parsing: #"{"a":1,"a":2}"#) == ["a": 2])
  }

  @Test func mutatedTextNeverTraps() {
    var generator = SplitMix(seed: 7)
    let seed = Array(#"{"a":[1,-2.5e3,"x\u00e9\n",null,true],"b":{"c":18446744073709551616}}"#.utf8)
    for _ in 0..<20_000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      bytes.removeLast(Int.random(in: 0..<8, using: &generator))
      guard let value = try? JSON(parsing: bytes) else { continue }
      if (try? JSON(parsing: value.text())) == nil { Issue.record("\(value.text()) does not read back") }
    }
  }
}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
