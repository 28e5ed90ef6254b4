import JSON
import Testing

/// Integers out of decimal text, exactly or not at all.
@Suite struct WholeNumberTests {
  static let whole: [(text: String, value: Int64)] = [
    ("0", 0), ("-0", 0), ("0.0", 0), ("0e999999999999", 0), ("7", 7), ("+7", 7), ("-7", -7), ("007", 7), ("1.0", 1), ("1.", 1),
    ("1e3", 1000),
    ("1E+3", 1000), ("1.5e1", 15), ("-12.50e1", -125), ("1500e-2", 15), (".5e1", 5), ("0.0007e4", 7), ("1e18", 1_000_000_000_000_000_000),
    ("9007199254740993", 9_007_199_254_740_993), ("9007199254740993.0", 9_007_199_254_740_993),
    ("9007199254740993.00000000000000000000", 9_007_199_254_740_993), ("9.007199254740993e15", 9_007_199_254_740_993),
    ("-9007199254740993e0", -9_007_199_254_740_993), ("9223372036854775807.0", .max), ("-9223372036854775808.0", .min),
    ("-9.223372036854775808e18", .min), ("0000000000000000000000000000000000000001", 1),
  ]

  static let other = [
    "", "-", "+", ".", "e3", "1e", "1e+", "1.5", "1.0000000000000001", "0.99999999999999999999", "1e-1", "15e-2", "9007199254740993.5",
    "9223372036854775808", "-9223372036854775809", "1e19", "1e400", "1e99999999999999999999", "1,0", "1 ", " 1", "0x10", "1_000", "NaN",
    "Infinity", "--1", "1.0.0", "1e3.0",
  ]

  @Test func wholeNumbersAreIntegers() {
    for (text, value) in Self.whole { #expect(WholeNumber.parse(text, as: Int64.self) == value, "\(text)") }
    #expect(WholeNumber.parse("18446744073709551615.0", as: UInt64.self) == .max)
    #expect(WholeNumber.parse("18446744073709551616", as: UInt64.self) == nil)
    #expect(WholeNumber.parse("-1.0", as: UInt64.self) == nil)
    #expect(WholeNumber.parse("-0.0", as: UInt64.self) == 0)
    #expect(WholeNumber.parse("1.28e2", as: Int8.self) == nil)
    #expect(WholeNumber.parse("-1.28e2", as: Int8.self) == -128)
  }

  @Test func otherTextIsNone() {
    for text in Self.other { #expect(WholeNumber.parse(text, as: Int64.self) == nil, "\(text)") }
  }

  /// What is whole, written out and no double.
  @Test func writtenNumbersAreRounded() {
    func isRounded(_ text: String) -> Bool {
      var text = text
      let value = Double(text)!
      return text.withUTF8 { WholeNumber.isRounded(UnsafeRawBufferPointer($0), to: value) }
    }
    let largest =
      "1797693134862315708145274237317043567980705675258449965989174768031572607800285387605895586327668781715404589535143"
      + "8246423432132688946418276846754670353751698604991057655128207624549009038932894407586850845513394230458323690322294"
      + "8165808559332123348274797826204144723168738177180919299881250404026184124858368"
    for text in [
      "9007199254740993", "-9007199254740993.0", "9007199254740995e0", "9.007199254740993e15", "36028797018963969.00",
      "18446744073709551615",
      "123456789012345678901234567890", "\(largest.dropLast())7", "\(largest.dropLast())6.0",
    ] { #expect(isRounded(text), "\(text)") }
    for text in [
      "0", "1.0", "9007199254740991", "9007199254740992.0", "9007199254740994", "1e23", "9007199254740993.5", "1e300", "0.1",
      "18014398509481984",
      "1208925819614629174706176", "99999999999999991611392.0", "9.0071992547409930001e15", largest, "\(largest).000",
    ] { #expect(!isRounded(text), "\(text)") }
  }

  /// The same number with its point moved and zeros around it, and one that is a little more.
  @Test func everySpellingOfANumberIsTheNumber() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed: seed)
    for _ in 0..<5_000 {
      let value = Int64.random(in: Int64.min...Int64.max, using: &random) >> Int64.random(in: 0...62, using: &random)
      let sign = value < 0 ? "-" : ""
      let digits = String(repeating: "0", count: Int.random(in: 0...3, using: &random)) + "\(value.magnitude)"
      let zeros = String(repeating: "0", count: Int.random(in: 0...25, using: &random))
      let all = digits + zeros
      let point = Int.random(in: 0...all.count, using: &random)
      let exponent = digits.count - point
      let text = "\(sign)\(all.prefix(point)).\(all.dropFirst(point))e\(exponent)"
      #expect(WholeNumber.parse(text, as: Int64.self) == value, "seed \(seed), \(text)")
      let more = "\(sign)\(all.prefix(point)).\(all.dropFirst(point))1e\(exponent)"
      #expect(WholeNumber.parse(more, as: Int64.self) == nil, "seed \(seed), \(more)")
    }
  }

  @Test func jsonMayKeepWholeNumbersAsIntegers() throws {
    func parse(_ text: String) throws -> JSON { try Array(text.utf8).withUnsafeBytes { try JSON(parsing: $0, wholeNumbers: true) } }
    #expect(
      try parse("[1, 1.0, 1e3, 9007199254740993.0, -0.0, -5.0, 1.5, 1.0000000000000001, 18446744073709551615.0, 1e30]")
        == [
          1, 1, 1000, 9_007_199_254_740_993, .double(-0.0), -5, 1.5, .double(1), .uint(.max), .double(1e30),
        ])
    #expect(try parse("-9223372036854775808.0") == .int(.min))
    // As before where nobody asks.
    #expect(try JSON(parsing: "[1.0, 9007199254740993.0]") == [.double(1), .double(9_007_199_254_740_992)])
  }
}
