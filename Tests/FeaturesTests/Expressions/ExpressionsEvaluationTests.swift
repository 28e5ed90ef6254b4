import Columns
import Testing

@testable import Features

@Suite("Expressions: values")
struct ExpressionsEvaluationTests {
  @Test func bareColumnKeepsItsType() throws {
    #expect(try compiled("small").resultType == .int16)
    #expect(try values("small") == [.int(10), .null, .int(-3), .int(4), .int(32_767)])
    #expect(try compiled("price").resultType == .decimal(precision: 10, scale: 2))
    #expect(try values("\"select me\"") == [.int(1), .int(2), .int(3), .int(4), .int(5)])
  }

  @Test func arithmeticWidensAndKeepsNulls() throws {
    #expect(try compiled("small + 1").resultType == .int64)
    #expect(try values("small + 1") == [.int(11), .null, .int(-2), .int(5), .int(32_768)])
    #expect(try values("f * 2") == [.double(1), .double(2.5), .double(6), .null, .double(-2)])
    #expect(try values("i - j") == [.int(-2), .int(-9), .null, .int(0), .int(.max - 1)])
    #expect(try values("-i % j") == [.int(-1), .int(1), .null, .null, .int(0)])
    #expect(try first("2 + 3 * 4 - -1") == .int(15))
    #expect(try first("(2 + 3) * 4") == .int(20))
    #expect(try first("-2 * 3 % 4") == .int(-2))
    #expect(try first("1 + null") == .null)
  }

  @Test func divisionIsOfFloatsAndNullByZero() throws {
    #expect(try compiled("i / j").resultType == .float64)
    #expect(try values("i / j") == [.double(1.0 / 3), .double(-3.5), .null, .null, .double(Double(Int64.max))])
    #expect(try first("1 / 0") == .null)
    #expect(try first("i / 0") == .null)
    #expect(try first("5 % 0") == .null)
    #expect(try first("5.5 % 0") == .null)
    #expect(try first("-7.5 % 2") == .double(-1.5))
    #expect(try first("-9223372036854775808 % -1") == .int(0))
    #expect(try values("7 % j") == [.int(1), .int(1), .int(2), .null, .int(0)])
  }

  @Test func comparisonsAndBooleansFollowThreeValuedLogic() throws {
    #expect(try values("i > 0") == [.bool(true), .bool(false), .null, .bool(false), .bool(true)])
    #expect(try values("b and i > 0") == [.bool(true), .bool(false), .null, .bool(false), .bool(false)])
    #expect(try values("b or i = 0") == [.bool(true), .bool(false), .null, .bool(true), .bool(false)])
    #expect(try values("not b") == [.bool(false), .bool(true), .null, .bool(false), .bool(true)])
    #expect(try values("b and null") == [.null, .bool(false), .null, .null, .bool(false)])
    #expect(try values("null or b") == [.bool(true), .null, .null, .bool(true), .null])
    #expect(try values("s is null") == [.bool(false), .bool(false), .bool(true), .bool(false), .bool(false)])
    #expect(try values("price is not null") == [.bool(true), .bool(true), .bool(false), .bool(true), .bool(true)])
    #expect(try first("not null is null") == .bool(false))
    #expect(try first("1 = 2 is null") == .bool(false))
    #expect(try first("true = false") == .bool(false))
  }

  @Test func nanEqualsItselfAndIsGreatest() throws {
    #expect(try values("x = x") == [.bool(true), .bool(true), .null, .bool(true), .bool(true)])
    #expect(try values("x > 1e300") == [.bool(false), .bool(false), .null, .bool(false), .bool(true)])
    #expect(try values("x <= 1e300") == [.bool(true), .bool(true), .null, .bool(true), .bool(false)])
  }

  @Test func membershipFollowsThreeValuedLogic() throws {
    #expect(try values("i in (1, 0)") == [.bool(true), .bool(false), .null, .bool(true), .bool(false)])
    #expect(try values("i not in (1, null)") == [.bool(false), .null, .null, .null, .null])
    #expect(try first("1 in (2, null)") == .null)
    #expect(try first("1 in (1, null)") == .bool(true))
    #expect(try values("j between 1 and 3") == [.bool(true), .bool(true), .bool(false), .bool(false), .bool(true)])
    #expect(try values("j not between i and 3") == [.bool(false), .bool(false), .bool(true), .bool(false), .bool(true)])
    #expect(try first("2 between 3 and null") == .bool(false))
    #expect(try values("s in ('abc', '12')") == [.bool(true), .bool(false), .null, .bool(false), .bool(true)])
  }

  @Test func caseTakesTheFirstTrueBranch() throws {
    #expect(try values("case when b then 1 else 0 end") == [.int(1), .int(0), .int(0), .int(1), .int(0)])
    #expect(
      try values("case when i > 0 then 'pos' when i < 0 then 'neg' end") == [.string("pos"), .string("neg"), .null, .null, .string("pos")])
    #expect(
      try values("case j when 3 then 'three' when 0 then s else 'x' end") == [
        .string("three"), .string("x"), .string("x"), .string("Straße"), .string("x"),
      ])
    #expect(try values("case when b then i else 0.5 end") == [.double(1), .double(0.5), .double(0.5), .double(0), .double(0.5)])
    #expect(try first("case null when null then 1 else 2 end") == .int(2))
  }

  @Test func untakenBranchesCannotFail() throws {
    #expect(
      try values("case when i < 100 then i * 9000000000 else -1 end") == [
        .int(9_000_000_000), .int(-63_000_000_000), .int(-1), .int(0), .int(-1),
      ])
    #expect(try values("case when j = 1 then cast(s as int64) end") == [.null, .null, .null, .null, .int(12)])
    #expect(try values("j = 1 and cast(s as int64) = 12") == [.bool(false), .bool(false), .bool(false), .bool(false), .bool(true)])
    #expect(try values("j <> 1 or cast(s as int64) = 13") == [.bool(true), .bool(true), .bool(true), .bool(true), .bool(false)])
    #expect(try values("coalesce(j, 9223372036854775807 + 1)") == [.int(3), .int(2), .int(5), .int(0), .int(1)])
    #expect(try first("case when false then 9223372036854775807 + 1 else 0 end") == .int(0))
  }

  @Test func nullFunctions() throws {
    #expect(try values("coalesce(i, j)") == [.int(1), .int(-7), .int(5), .int(0), .int(.max)])
    #expect(try values("coalesce(null, s, 'none')") == [.string("abc"), .string(""), .string("none"), .string("Straße"), .string("12")])
    #expect(try values("nullif(j, 0)") == [.int(3), .int(2), .int(5), .null, .int(1)])
    #expect(try values("nullif(3, j)") == [.null, .int(3), .int(3), .int(3), .int(3)])
    #expect(try values("100 / nullif(j / 2, 0)") == [.double(100 / 1.5), .double(100), .double(40), .null, .double(200)])
    #expect(try values("least(i, j, 2)") == [.int(1), .int(-7), .int(2), .int(0), .int(1)])
    #expect(try values("greatest(x, 0.0)").prefix(4) == [.double(1.5), .double(0), .double(0), .double(0)])
    #expect(try values("greatest(i, null)") == [.int(1), .int(-7), .null, .int(0), .int(.max)])
  }

  @Test func numericFunctions() throws {
    #expect(try values("abs(x)").prefix(4) == [.double(1.5), .double(2.5), .null, .double(0)])
    #expect(try values("abs(i)") == [.int(1), .int(7), .null, .int(0), .int(.max)])
    #expect(try values("round(x)").prefix(4) == [.double(2), .double(-3), .null, .double(0)])
    #expect(try values("floor(x)").prefix(4) == [.double(1), .double(-3), .null, .double(0)])
    #expect(try values("ceil(x)").prefix(4) == [.double(2), .double(-2), .null, .double(0)])
    #expect(try first("round(2.567, 2)") == .double(2.57))
    #expect(try first("round(1.005, 2)") == .double(1))
    #expect(try first("round(1234.0, -2)") == .double(1200))
    #expect(try first("round(15, -1)") == .int(20))
    #expect(try first("round(-15, -1)") == .int(-20))
    #expect(try first("floor(3)") == .int(3))
    #expect(try first("ln(exp(1))") == .double(1))
    #expect(try first("ln(0)") == .double(-.infinity))
    #expect(try first("sqrt(16)") == .double(4))
  }

  @Test func stringFunctions() throws {
    #expect(try values("upper(s)") == [.string("ABC"), .string(""), .null, .string("STRASSE"), .string("12")])
    #expect(try values("lower(s)") == [.string("abc"), .string(""), .null, .string("straße"), .string("12")])
    #expect(try values("length(s)") == [.int(3), .int(0), .null, .int(6), .int(2)])
    #expect(try values("s || '-' || s") == [.string("abc-abc"), .string("-"), .null, .string("Straße-Straße"), .string("12-12")])
    #expect(
      try values("concat(s, '/', i)") == [
        .string("abc/1"), .string("/-7"), .string("/"), .string("Straße/0"), .string("12/9223372036854775807"),
      ])
    #expect(try values("s < 'b'") == [.bool(true), .bool(true), .null, .bool(true), .bool(true)])
    #expect(try first("'it''s'") == .string("it's"))
  }

  @Test func castsConvert() throws {
    #expect(try compiled("cast(i as int32)").resultType == .int32)
    #expect(try first("cast(2.5 as int64)") == .int(2))
    #expect(try first("cast(3.5 as int)") == .int(4))
    #expect(try first("cast(' 12 ' as bigint)") == .int(12))
    #expect(try first("cast('1e3' as double)") == .double(1000))
    #expect(try first("cast('-inf' as float64)") == .double(-.infinity))
    #expect(try first("cast(1.1 as float32)") == .float(1.1))
    #expect(try first("cast(1.0 as string)") == .string("1.0"))
    #expect(try first("cast(true as int)") == .int(1))
    #expect(try first("cast(2 as bool)") == .bool(true))
    #expect(try first("cast('T' as bool)") == .bool(true))
    #expect(try first("cast(null as date)") == .null)
    #expect(try values("cast(price as float64)") == [.double(123.45), .double(-0.01), .null, .double(0), .double(0.1)])
    #expect(try values("cast(b as string)") == [.string("true"), .string("false"), .null, .string("true"), .string("false")])
  }

  @Test func timesCompareConvertAndPrint() throws {
    #expect(
      try values("cast(d as string)") == [
        .string("1970-01-01"), .string("2024-02-29"), .null, .string("1969-12-31"), .string("1970-01-02"),
      ])
    #expect(
      try values("cast(t as string)") == [
        .string("1970-01-01T00:00:00.000000Z"), .string("2024-02-29T12:00:00.000001Z"), .null,
        .string("1969-12-31T23:59:59.999999Z"), .string("1970-01-02T00:00:00.000000Z"),
      ])
    #expect(try values("cast(t as date)") == [.date(0), .date(19_782), .null, .date(-1), .date(1)])
    #expect(try values("cast(d as timestamp)")[1] == .timestamp(1_709_164_800_000_000, .microsecond))
    #expect(try values("t >= '2024-01-01'") == [.bool(false), .bool(true), .null, .bool(false), .bool(false)])
    #expect(try values("t > d") == [.bool(false), .bool(true), .null, .bool(true), .bool(false)])
    #expect(try first("timestamp '2024-02-29 13:00+01:00'") == .timestamp(1_709_208_000_000_000, .microsecond))
    #expect(try first("date '2024-02-29'") == .date(19_782))
    #expect(try first("cast('1969-12-31T23:59:59.5' as timestamp)") == .timestamp(-500_000, .microsecond))
  }

  @Test func timestampsOfOtherUnitsAreReadAsMicroseconds() throws {
    for (unit, ticks, micros) in [(TimeUnit.second, Int64(-2), Int64(-2_000_000)), (.millisecond, 3, 3_000), (.nanosecond, -1, -1)] {
      let type = DataType.timestamp(unit, zone: nil)
      let batch = Batch(schema: Schema([Field("t", type)]), columns: [Column(type, [.int(ticks)])], rowCount: 1)
      let expression = try compileExpression("coalesce(t, null)", schema: batch.schema, context: "test")
      #expect(expression.resultType == .timestampMicros)
      #expect(try expression.evaluate(batch).scalars == [.timestamp(micros, .microsecond)])
    }
  }

  @Test func manyChunksAndSlicesAgreeWithRowByRow() throws {
    let count = 10_007
    var seed: UInt64 = 20_260_214
    func next() -> UInt64 {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return seed >> 33
    }
    var a = ColumnBuilder(.int64)
    var s = ColumnBuilder(.string)
    var expected: [Scalar] = []
    var expectedText: [Scalar] = []
    for _ in 0..<count {
      let value = Int64(next() % 2_000) - 1_000
      let text = "t\(next() % 7)"
      if next() % 5 == 0 {
        a.appendNull()
        expected.append(.int(-1))
      } else {
        a.append(value)
        expected.append(.int(value % 3 == 0 ? value * 2 : -1))
      }
      if next() % 6 == 0 { s.appendNull() } else { s.append(string: text) }
    }
    let strings = s.finish()
    for scalar in strings.scalars {
      if case .string(let text) = scalar { expectedText.append(.string(text + "!")) } else { expectedText.append(.null) }
    }
    let batch = Batch(
      schema: Schema([Field("a", .int64), Field("s", .string)]), columns: [a.finish(), strings], rowCount: count)
    let number = try compileExpression("case when a % 3 = 0 then a * 2 else -1 end", schema: batch.schema, context: "seed 20260214")
    let text = try compileExpression("s || '!'", schema: batch.schema, context: "seed 20260214")
    #expect(try number.evaluate(batch).scalars == expected)
    #expect(try text.evaluate(batch).scalars == expectedText)
    let slice = batch.slice(from: 4_099, count: 5_003)
    #expect(try number.evaluate(slice).scalars == Array(expected[4_099..<9_102]))
    #expect(try text.evaluate(slice).scalars == Array(expectedText[4_099..<9_102]))
    let flags = try compileExpression("a > 0", schema: batch.schema, context: "test")
    #expect(try flags.evaluate(slice).scalars == (try flags.evaluate(batch).slice(from: 4_099, count: 5_003).scalars))
  }

  @Test func noRowsGiveAnEmptyColumn() throws {
    let none = sample.slice(from: 0, count: 0)
    #expect(try compiled("i + 1").evaluate(none).count == 0)
    #expect(try compiled("s || 'a'").evaluate(none).count == 0)
    #expect(try compiled("b and true").evaluate(none).count == 0)
  }

  @Test func valuesUnderNullsAreZero() throws {
    let column = try compiled("i + 5").evaluate(sample.slice(from: 0, count: 4))
    #expect(column.nullCount == 1)
    #expect(column.values(Int64.self).array == [6, -2, 0, 5])
  }
}
