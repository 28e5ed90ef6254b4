import Columns
import Testing

@testable import Features

@Suite("Expressions: decimals")
struct ExpressionsDecimalTests {
  private func decimal(_ units: Int128, _ scale: Int) -> Scalar { .decimal(units, scale: scale) }

  /// Two columns at the ends of what decimals hold.
  private let wide: Batch = {
    let nines = Int128("99999999999999999999999999999999999999")!
    let types = [DataType.decimal(precision: 38, scale: 0), .decimal(precision: 38, scale: 38)]
    let columns = [
      Column(types[0], [.decimal(nines, scale: 0), .decimal(-nines, scale: 0), .decimal(0, scale: 0), .null]),
      Column(types[1], [.decimal(nines, scale: 38), .decimal(-nines, scale: 38), .decimal(1, scale: 38), .decimal(0, scale: 38)]),
    ]
    return Batch(schema: Schema([Field("whole", types[0]), Field("part", types[1])]), columns: columns, rowCount: 4)
  }()

  private func wideValues(_ text: String) throws -> [Scalar] {
    try compileExpression(text, schema: wide.schema, context: "test").evaluate(wide).scalars
  }

  private func wideFailure(_ text: String) -> String {
    do {
      return "no error: \(try wideValues(text))"
    } catch {
      return "\(error)"
    }
  }

  @Test func sumsAndProductsHaveTheDigitsOfTheExactResult() throws {
    for (text, precision, scale) in [
      ("price + price", 11, 2), ("price * price", 18, 4), ("price + small", 11, 2), ("price * small", 15, 2), ("price - i", 22, 2),
      ("price + 1", 13, 2), ("price + 5000000000", 22, 2), ("price % 7", 12, 2), ("-price", 10, 2), ("round(price, 1)", 10, 1),
      ("round(price)", 10, 0), ("coalesce(price, i)", 21, 2), ("price::decimal(38, 20) * i", 38, 20), ("i::decimal(2, 0)", 2, 0),
      ("round(1::decimal(2, 0), -1)", 3, 0), ("price::decimal", 18, 3), ("price::numeric(7)", 7, 0),
    ] {
      #expect(try compiled(text).resultType == .decimal(precision: precision, scale: scale), "\(text)")
    }
    #expect(try values("price + price") == [decimal(24_690, 2), decimal(-2, 2), .null, decimal(0, 2), decimal(20, 2)])
    #expect(try values("price * 3 - price") == [decimal(24_690, 2), decimal(-2, 2), .null, decimal(0, 2), decimal(20, 2)])
    #expect(try values("price % 7") == [decimal(445, 2), decimal(-1, 2), .null, decimal(0, 2), decimal(10, 2)])
    #expect(try values("price % 0") == [.null, .null, .null, .null, .null])
  }

  @Test func quotientsAndFloatsMakeFloats() throws {
    #expect(try values("price / 3") == [.double(123.45 / 3), .double(-0.01 / 3), .null, .double(0), .double(0.1 / 3)])
    #expect(try values("price / price") == [.double(1), .double(1), .null, .null, .double(1)])
    #expect(try values("price + 0.5") == [.double(123.95), .double(0.49), .null, .double(0.5), .double(0.6)])
    #expect(try values("sqrt(price)").prefix(1) == [.double(123.45.squareRoot())])
    #expect(try compiled("coalesce(price, x)").resultType == .float64)
  }

  @Test func everyValueHasTheNearestFloat() throws {
    #expect(try wideValues("whole::float64") == [.double(1e38), .double(-1e38), .double(0), .null])
    #expect(try wideValues("part::float64") == [.double(1), .double(-1), .double(1e-38), .double(0)])
    #expect(try first("'9007199254740993'::decimal(20, 0)::float64") == .double(9_007_199_254_740_992))
    #expect(try first("'9007199254740993.1'::decimal(20, 1)::float64") == .double(9_007_199_254_740_994))
  }

  @Test func comparisonsOfAnyTwoScalesAreExact() throws {
    #expect(try wideValues("whole > part") == [.bool(true), .bool(false), .bool(false), .null])
    #expect(try wideValues("whole < part") == [.bool(false), .bool(true), .bool(true), .null])
    #expect(try wideValues("part = 1") == [.bool(false), .bool(false), .bool(false), .bool(false)])
    #expect(try wideValues("part between -1 and whole") == [.bool(true), .bool(false), .bool(false), .null])
    #expect(try wideValues("part in (whole, 0)") == [.bool(false), .bool(false), .bool(false), .bool(true)])
    #expect(try wideValues("whole is distinct from part") == [.bool(true), .bool(true), .bool(true), .bool(true)])
    #expect(try wideValues("nullif(part, whole) is null") == [.bool(false), .bool(false), .bool(false), .bool(false)])
    #expect(try values("price = 0.1") == [.bool(false), .bool(false), .null, .bool(false), .bool(true)])
    #expect(try values("price > small") == [.bool(true), .null, .null, .bool(false), .bool(false)])
    #expect(
      try values("case price when 0 then 'none' when 123.45 then 'much' end") == [.string("much"), .null, .null, .string("none"), .null])
  }

  @Test func overflowsNameTheRow() {
    #expect(
      wideFailure("whole + 1")
        == "Cannot evaluate test: 99999999999999999999999999999999999999 + 1 overflows decimal(38,0) in row 1, at column 1 of `whole + 1`")
    #expect(wideFailure("part - 1").contains("1 lies outside decimal(38,38) in row 1"))
    #expect(wideFailure("whole * 2 > 0").contains("* 2 overflows decimal(38,0) in row 1"))
    #expect(wideFailure("round(whole, -1)").contains("rounded to -1 digits overflows decimal(38,0) in row 1"))
    #expect(
      wideFailure("part * part")
        == "test: the product of decimal(38,38) and decimal(38,38) has 76 digits behind the point, at most 38 are possible; cast to fewer, at column 1 of `part * part`"
    )
    #expect(
      failure("price::decimal(4, 2)")
        == "Cannot evaluate test: 123.45 lies outside decimal(4,2) in row 1, at column 1 of `price::decimal(4, 2)`")
    #expect(failure("s::decimal(4, 2)").contains("'abc' is no decimal(4,2) in row 1"))
    #expect(failure("x::decimal(4, 2)").contains("nan lies outside decimal(4,2) in row 5"))
    #expect(failure("i::decimal(4, 2)").contains("9223372036854775807 lies outside decimal(4,2) in row 5"))
    #expect(failure("(price * 100)::int8").contains("12345.00 lies outside int8 in row 1"))
  }

  @Test func onlyNeededRowsOverflow() throws {
    #expect(
      try wideValues("case when part < 0 then 0 when whole > 0 then 1 else whole + 1 end")
        == [decimal(1, 0), decimal(0, 0), decimal(1, 0), .null])
    #expect(try wideValues("try_cast(whole as decimal(5, 0))") == [.null, .null, decimal(0, 0), .null])
    #expect(try values("try_cast(s as decimal(4, 2))") == [.null, .null, .null, .null, decimal(1_200, 2)])
    #expect(try values("try_cast(x as decimal(4, 2))") == [decimal(150, 2), decimal(-250, 2), .null, decimal(0, 2), .null])
  }

  @Test func typesOfDecimalsAreChecked() {
    #expect(failure("price + s") == "test: `+` needs a number, found utf8, at column 9 of `price + s`")
    #expect(failure("price = s").contains("`=` needs values of one type, found decimal(10,2) and utf8"))
    #expect(failure("price & 1").contains("`&` takes (integer, integer), found (decimal(10,2), int64)"))
    #expect(failure("price // 2").contains("`//` takes (integer, integer), found (decimal(10,2), int64)"))
    #expect(failure("cast(d as decimal(5, 2))").contains("cannot cast date to decimal(5,2)"))
    #expect(
      failure("1::decimal(39, 2)").contains("a decimal has 1 to 38 digits, of them at most all behind the point, found decimal(39,2)"))
    #expect(failure("1::decimal(3, 4)").contains("found decimal(3,4)"))
    #expect(failure("1::decimal(x)").contains("expected a number of digits, found `x`"))
    #expect(failure("floor(price, i)").contains("floor takes its number of digits as a literal from -18 to 18"))
  }

  @Test func deepRoundingIsCheckedOnce() throws {
    let text = String(repeating: "floor(", count: 150) + "price" + String(repeating: ")", count: 150)
    #expect(try values(text) == [decimal(123, 0), decimal(-1, 0), .null, decimal(0, 0), decimal(0, 0)])
  }

  @Test func chunksAndNullsKeepTheirValues() throws {
    let rowCount = ExpressionEvaluator.chunkRowCount * 2 + 5
    let units = (0..<rowCount).map { Int128($0) * 1_000_000_007 - 5_000_000_000 }
    let type = DataType.decimal(precision: 20, scale: 3)
    let column = Column(type, units.enumerated().map { $0.offset % 7 == 3 ? .null : .decimal($0.element, scale: 3) })
    let batch = Batch(schema: Schema([Field("p", type)]), columns: [column], rowCount: rowCount)
    let doubled = try compileExpression("p + p", schema: batch.schema, context: "test").evaluate(batch)
    let chosen = try compileExpression("coalesce(p, -1)", schema: batch.schema, context: "test").evaluate(batch)
    #expect(doubled.type == .decimal(precision: 21, scale: 3))
    for row in 0..<rowCount {
      #expect(doubled.scalar(at: row) == (row % 7 == 3 ? .null : .decimal(units[row] * 2, scale: 3)))
      #expect(chosen.scalar(at: row) == .decimal(row % 7 == 3 ? -1_000 : units[row], scale: 3))
    }
    // Whatever lies under a null is zero in a result.
    #expect(doubled.values(Int128.self)[3] == 0)
  }
}
