import Columns
import Testing

@testable import Features

/// What docs/expressions.md says under "Differences from DuckDB", which no case of the fixture can hold.
@Suite("Expressions: other than DuckDB")
struct ExpressionsDifferencesTests {
  @Test(arguments: [
    ("1 / 0", Scalar.null), ("1.5 / 0", .null), ("1 // 0", .null), ("1 % 0", .null), ("1.5 % 0", .null), ("price / 0", .null),
    ("price % 0", .null), ("1.5 + 1.5", .double(3)), ("100::int8", .int(100)), ("0.5::decimal(2, 2)::string", .string("0.50")),
    ("'-.05'::decimal(2, 2)::string", .string("-0.05")), ("upper('ß')", .string("SS")), ("lower('İ')", .string("i\u{307}")),
    ("unhex('C3A9')", .string("é")), ("timestamp '2024-02-29T12:00:00Z'::string", .string("2024-02-29T12:00:00.000000Z")),
    ("1e20::string", .string("1e+20")), ("100.0::string", .string("100.0")), ("regexp_matches('aa', '(a)\\1')", .bool(true)),
    ("floor(1.29, 1)", .double(1.2)), ("ceil(1.21, 1)", .double(1.3)),
    ("date '9999-12-31'::string", .string("9999-12-31")), ("(date '9999-12-31' + 1)::string", .string("+10000-01-01")),
    ("try_cast('2024-02-29T24:00:00' as timestamp)", .null), ("try_cast('1_000' as decimal(9, 2))", .null),
    ("try_cast('1.5' as int64)", .null), ("try_cast('1e3' as int64)", .null), ("try_cast('0x1F' as int64)", .null),
    ("try_cast('1_000' as int64)", .null), ("'9'::decimal(38, 0) > '0.5'::decimal(38, 38)", .bool(true)),
  ]) func valuesAreAsDocumented(text: String, value: Scalar) throws {
    #expect(try first(text) == value)
  }

  @Test(arguments: [
    ("128::int8", "128 lies outside int8"), ("1.5 // 2", "`//` takes (integer, integer)"), ("price // 2", "`//` takes (integer, integer)"),
    ("round(x, i)", "as a literal from -18 to 18"), ("regexp_extract(s, 'a', 5)", "has 0 groups, group 5 is asked for"),
    ("t + interval '0.5 seconds'", "is no interval"), ("regexp_matches(s, s)", "found (utf8, utf8)"),
    ("'24:00'::timestamp", "is no timestamp"),
  ]) func refusalsAreAsDocumented(text: String, message: String) {
    #expect(failure(text).contains(message), "\(failure(text))")
  }

  @Test func typesAreAsDocumented() throws {
    for (text, type) in [
      ("sign(small)", DataType.int64), ("small + small", .int64), ("price * 1.5", .float64),
      ("price * cast('1.5' as decimal(2, 1))", .decimal(precision: 12, scale: 3)),
      ("price + (small + 1)", .decimal(precision: 22, scale: 2)), ("timestamp '2024-02-29T12:00:00'", .timestampMicros),
      ("cast('2024-02-29T12:00:00' as timestamp without time zone)", .timestamp(.microsecond, zone: nil)),
    ] {
      #expect(try compiled(text).resultType == type, "\(text)")
    }
  }
}
