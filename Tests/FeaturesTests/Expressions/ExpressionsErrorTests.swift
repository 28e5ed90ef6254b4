import Columns
import Testing

@testable import Features

@Suite("Expressions: refusals")
struct ExpressionsErrorTests {
  @Test func syntaxErrorsNameTheColumn() {
    #expect(failure("amount >") == "test: expected a value, found the end, at column 9 of `amount >`")
    #expect(failure("(i + 1") == "test: expected `)`, found the end, at column 7 of `(i + 1`")
    #expect(failure("i + + ") == "test: expected a value, found the end, at column 7 of `i + + `")
    #expect(failure("'ä' || 'open") == "test: the string has no closing quote, at column 8 of `'ä' || 'open`")
    #expect(failure("1 < 2 < 3") == "test: comparisons do not chain; combine them with `and`, at column 7 of `1 < 2 < 3`")
    #expect(failure("i ; j") == "test: found the unknown character `;`, at column 3 of `i ; j`")
    #expect(
      failure("9223372036854775808") == "test: the integer 9223372036854775808 lies outside int64, at column 1 of `9223372036854775808`")
    #expect(
      failure("9007199254740993.0")
        == "test: 9007199254740993.0 is no float64, the nearest is 9007199254740992.0, at column 1 of `9007199254740993.0`")
    #expect(failure("1e-400") == "test: 1e-400 is nearer to zero than any float64, at column 1 of `1e-400`")
    #expect(failure("cast('1e-400' as float64)").contains("'1e-400' is no float64"))
    #expect(failure("cast('1e39' as float32)").contains("'1e39' is no float32"))
    #expect(failure("  ") == "test: the expression is empty, at column 1 of `  `")
    #expect(failure("request.amount").contains("there is no column request.amount"))
    #expect(failure("1x").contains("a number is followed directly by a letter"))
    #expect(failure("case else 1 end").contains("expected a value, found `else`"))
    #expect(failure("date '2023-02-29'").contains("'2023-02-29' is no ISO 8601 date"))
    #expect(failure("i in ()").contains("expected a value, found `)`"))
  }

  @Test func unknownNamesComeWithSuggestions() {
    #expect(failure("prize * 2") == "test: there is no column prize (did you mean price?), at column 1 of `prize * 2`")
    #expect(failure("ceel(x)") == "test: there is no function ceel (did you mean ceil?), at column 1 of `ceel(x)`")
    #expect(failure("qqqqqqqq") == "test: there is no column qqqqqqqq, at column 1 of `qqqqqqqq`")
  }

  @Test func typesAreChecked() {
    #expect(failure("s + 1") == "test: `+` needs a number, found utf8, at column 1 of `s + 1`")
    #expect(failure("i and b") == "test: `and` needs a condition (bool), found int64, at column 1 of `i and b`")
    #expect(failure("i = s") == "test: `=` needs values of one type, found int64 and utf8, at column 5 of `i = s`")
    #expect(failure("case when b then 1 else 'a' end").contains("case needs values of one type, found int64 and utf8"))
    #expect(failure("null").contains("null alone has no type"))
    #expect(failure("t > 'soon'").contains("'soon' is no ISO 8601 timestamp"))
    #expect(failure("t > s").contains("use cast"))
    #expect(failure("round(x, i)").contains("round takes its number of digits as a literal from -18 to 18"))
    #expect(failure("abs(1, 2)").contains("abs takes 1 argument, found 2"))
    #expect(failure("cast(i as uuid)").contains("expected a type that cast supports"))
    #expect(failure("cast(b as date)").contains("cannot cast bool to date"))
  }

  @Test func evaluationErrorsNameTheRow() throws {
    #expect(failure("i + 1") == "Cannot evaluate test: 9223372036854775807 + 1 overflows int64 in row 5, at column 1 of `i + 1`")
    #expect(failure("cast(s as int64)") == "Cannot evaluate test: 'abc' is no int64 in row 1, at column 1 of `cast(s as int64)`")
    #expect(failure("cast(small as int8)").contains("32767 lies outside int8 in row 5"))
    #expect(failure("cast(x as int64)").contains("nan lies outside int64 in row 5"))
    #expect(failure("-(i - 9223372036854775807 - 1)").contains("overflows int64 in row 2"))
    #expect(failure("abs(-9223372036854775808)").contains("abs(-9223372036854775808) overflows int64 in row 1"))
    #expect(failure("round(i, -18)").contains("no error"))
    #expect(failure("9223372036854775807 + 1").contains("overflows int64 in row 1"))
    #expect(throws: FeatureError.self) {
      do { _ = try values("i * 2") } catch let error as FeatureError {
        #expect(error.kind == .evaluation && error.row == 4)
        throw error
      }
    }
  }

  @Test func rowsWithOtherColumnsAreRefused() throws {
    let other = Batch(schema: Schema([Field("i", .int32)]), columns: [Column(.int32, [.int(1)])], rowCount: 1)
    #expect(throws: FeatureError(.type, "Cannot evaluate test: column i is int32, expected int64")) {
      try compiled("i + 1").evaluate(other)
    }
    #expect(throws: FeatureError(.type, "Cannot evaluate test: the rows have no column j")) { try compiled("j + 1").evaluate(other) }
  }

  @Test func hostileDepthIsRefusedAndNeverCrashes() {
    let deep = 100_000
    for text in [
      String(repeating: "(", count: deep), String(repeating: "-(", count: deep), String(repeating: "not ", count: deep / 4) + "b",
      String(repeating: "1+", count: deep / 4) + "1", String(repeating: "case when ", count: deep / 20),
      String(repeating: "abs(", count: deep / 8), String(repeating: "- ", count: deep / 4) + "1",
      "i" + String(repeating: " is null", count: deep / 16), String(repeating: "1 between (", count: deep / 32),
      String(repeating: "1 in (", count: deep / 16), String(repeating: "case 1 when ", count: deep / 32),
    ] {
      let message = failure(text)
      #expect(message.contains("nests deeper than 200 levels") || message.contains("at most 65536 are allowed"), "\(text.prefix(20))")
    }
  }

  @Test func longChainsOfAndOrAreNoDepth() throws {
    let text = (0..<1_000).map { "j = \($0)" }.joined(separator: " or ")
    #expect(try values(text).allSatisfy { $0 == .bool(true) })
    #expect(try values(Array(repeating: "j >= 0", count: 1_000).joined(separator: " and ")).allSatisfy { $0 == .bool(true) })
  }

  @Test func nestedToTheLimitStillEvaluates() throws {
    let text = String(repeating: "abs(", count: 190) + "j" + String(repeating: ")", count: 190)
    #expect(try values(text) == [.int(3), .int(2), .int(5), .int(0), .int(1)])
  }

  @Test func randomTextNeverCrashes() {
    let words = [
      "i", "x", "s", "b", "t", "d", "price", "small", "1", "2.5", "'a'", "null", "true", "(", ")", "+", "-", "*", "/", "%", "and", "or",
      "not",
      "is", "in", "between", "case", "when", "then", "else", "end", "cast", "as", "int8", "string", "date", "timestamp", "coalesce", "(",
      ")", ",", "=", "<", "||", "abs", "least", "round", "nullif", "'2024-01-01'", "9223372036854775807", "\"", "'", ".", "1e308",
    ]
    var seed: UInt64 = 7
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    var evaluatedCount = 0
    for _ in 0..<20_000 {
      let text = (0..<(1 + next(9))).map { _ in words[next(words.count)] }.joined(separator: " ")
      if failure(text) == "no error" { evaluatedCount += 1 }
    }
    #expect(evaluatedCount > 100, "seed 7")
  }
}
