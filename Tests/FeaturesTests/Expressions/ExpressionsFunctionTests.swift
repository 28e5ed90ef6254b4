import Columns
import Testing

@testable import Features

@Suite("Expressions: functions and forms")
struct ExpressionsFunctionTests {
  @Test func divisionByZeroIsNullInEveryForm() throws {
    for text in ["1 / 0", "1.5 / 0", "0 / 0", "1 // 0", "1 % 0", "1.5 % 0", "mod(1, 0)"] { #expect(try first(text) == .null, "\(text)") }
  }

  @Test func castsWithColonsBindTightest() throws {
    #expect(try first("-1::int8") == .int(-1))
    #expect(try compiled("i::int8").resultType == .int8)
    #expect(try first("'2'::int64 + 1") == .int(3))
    #expect(try first("'1'::int64::string || 'x'") == .string("1x"))
    #expect(try compiled("d::timestamp without time zone").resultType == .timestamp(.microsecond, zone: nil))
    #expect(failure("1::") == "test: expected a type, found the end, at column 4 of `1::`")
    #expect(
      failure("'1'::binary").contains(
        "expected a type that cast supports (bool, int8 to int64, float32, float64, decimal(p, s), string, date"))
  }

  @Test func tryCastGivesNullWhereCastFails() throws {
    #expect(try values("try_cast(s as int64)") == [.null, .null, .null, .null, .int(12)])
    #expect(try values("try_cast(i as int8)") == [.int(1), .int(-7), .null, .int(0), .null])
    #expect(try values("try_cast(x as int64)") == [.int(2), .int(-2), .null, .int(0), .null])
    #expect(try first("try_cast('x' as date)") == .null)
  }

  @Test func onlyRowsThatAreNeededFail() throws {
    #expect(try values("case when j = 1 then chr(65) when j < 0 then chr(-1) end") == [.null, .null, .null, .null, .string("A")])
    #expect(try values("j >= 0 or chr(-1) = ''") == [.bool(true), .bool(true), .bool(true), .bool(true), .bool(true)])
  }

  @Test func functionsFailWithTheRow() {
    #expect(failure("chr(j - 4)") == "Cannot evaluate test: -1 is no code point in row 1, at column 1 of `chr(j - 4)`")
    #expect(failure("case when j = 0 then chr(-1) end").contains("-1 is no code point in row 4"))
    #expect(failure("last_day(make_date(5881580, 7, 1))").contains("last_day of +5881580-07-01 lies outside the range of dates in row 1"))
    #expect(failure("d + i").contains("lies outside the range of dates in row 5"))
  }

  @Test func wrongArgumentsAreNamed() {
    #expect(failure("strpos(s)") == "test: strpos takes (string, string), found 1 arguments, at column 1 of `strpos(s)`")
    #expect(failure("sin(s)") == "test: sin takes (number), found (utf8), at column 1 of `sin(s)`")
    #expect(failure("date_trunc('yeer', t)").contains("there is no part yeer of a time (did you mean year?)"))
    #expect(failure("strftime(t, '%Q')").contains("has an unknown specifier %Q"))
    #expect(failure("regexp_matches(s, s)").contains("regexp_matches takes (string, string literal, [string literal]), found (utf8, utf8)"))
    #expect(failure("regexp_matches(s, '(')").contains("is refused: missing closing parenthesis"))
    #expect(failure("regexp_extract(s, 'a', 1)").contains("has 0 groups, group 1 is asked for"))
    #expect(failure("strpoz(s, s)").contains("there is no function strpoz (did you mean strpos?)"))
    #expect(failure("t - t").contains("the difference of times is date_diff(part, start, end)"))
    #expect(failure("interval '1 day'").contains("an interval is no value"))
    #expect(failure("t + interval '1 lightyear'").contains("is no interval"))
    #expect(failure("t at time zone 'Mars/Base'").contains("there is no time zone Mars/Base"))
  }

  @Test func exponentialExpressionsGiveUpInsteadOfHanging() {
    let text = "regexp_matches(repeat('a', 40) || 'b', '^(a|aa|a?)+$')"
    #expect(failure(text) == "no error" || failure(text).contains("gives up"))
  }

  @Test func escapesOfStrings() throws {
    #expect(try first(#"E'\u00e9\n\\'"#) == .string("é\n\\"))
    #expect(failure(#"E'\q'"#).contains("a string has an unknown escape"))
    #expect(failure(#"E'\u12'"#).contains("four hexadecimal digits"))
    #expect(failure("E'abc").contains("no closing quote"))
  }

  @Test func wallTimesAndInstantsTakeTurns() throws {
    #expect(try compiled("t at time zone 'Europe/Berlin'").resultType == .timestamp(.microsecond, zone: nil))
    #expect(try compiled("t at time zone 'Europe/Berlin' at time zone 'UTC'").resultType == .timestampMicros)
    #expect(try values("t at time zone 'Asia/Tokyo' at time zone 'Asia/Tokyo' = t").filter { $0 != .null }.allSatisfy { $0 == .bool(true) })
    #expect(try first("date_trunc('day', t at time zone 'Asia/Tokyo')") == .timestamp(0, .microsecond))
  }

  @Test func selectionsAreNamed() throws {
    let selection = try compileSelection("i, i + 1 as next, upper(s) , \"select me\"", schema: sample.schema, context: "test")
    #expect(selection.map(\.name) == ["i", "next", "upper(s)", "select me"])
    #expect(try selection[1].expression.evaluate(sample.slice(from: 0, count: 2)).scalars == [.int(2), .int(-6)])
    #expect(throws: FeatureError.self) { try compileSelection("i, j as i", schema: sample.schema, context: "test") }
    #expect(throws: FeatureError.self) { try compileSelection("i,", schema: sample.schema, context: "test") }
  }

  @Test func hash64IsTheSameEverywhere() throws {
    // XXH3 of the empty string is 0x2D06800538D394C2.
    #expect(try first("hash64('')") == .int(0x2D06_8005_38D3_94C2))
  }

  /// They are copied in blocks, whose ends show nowhere.
  @Test func longFillingsAreWhole() throws {
    for count in [15, 16, 17, 4_095, 4_096, 4_097, 10_000, 1_000_000] {
      #expect(try first("lpad('é', \(count), 'x')") == .string(String(repeating: "x", count: count - 1) + "é"))
      #expect(try first("repeat('aé', \(count))") == .string(String(repeating: "aé", count: count)))
      let filled = String(String(repeating: "日本x", count: count / 3 + 1).unicodeScalars.prefix(count - 2))
      #expect(try first("rpad('ab', \(count), '日本x')") == .string("ab" + filled))
    }
    let long = String(repeating: "w", count: 5_000)
    #expect(try first("repeat('\(long)', 20)") == .string(String(repeating: long, count: 20)))
  }
}
