import Columns
import JSON
import Testing

@testable import Checks

@Suite struct VerdictTests {
  func failing() throws -> Verdict {
    try Examples.verdict(
      "{name: x, physicalType: float64, logicalTypeOptions: {minimum: 0}}", .float64, [.double(-1.5), .double(2), .double(-10)])
  }

  @Test func reportShowsRulesAndRowsAligned() throws {
    #expect(
      try failing().report() == """
        t: 1 of 2 rules violated, 3 rows

        t.x minimum 0.0: 2 of 3 values (error)
          row  id      x
            1   1   -1.5
            3   3  -10.0
        """)
  }

  @Test func duplicateKeysAreNotedOnce() throws {
    var verdict = try Examples.verdict("{name: x, physicalType: float64}", .float64, [.double(1), .double(2)])
    #expect(verdict.results.first { $0.rule.kind == .primaryKeyUnique }?.isEvaluated == false)
    #expect(verdict.passed)
    verdict.noteDuplicateKeys(count: 1, first: [FailedRow(row: 2, key: [.init(name: "id", value: .int(7))], value: .null)])
    #expect(!verdict.passed)
    #expect(
      verdict.report() == """
        t: 1 of 2 rules violated, 2 rows

        t.id primary key unique: 1 of 2 rows (error)
          row  id
            2   7
        """)
  }

  @Test func rowCountIsDecidedByTheWholeDataset() throws {
    let quality = "  quality: [{metric: rowCount, mustBeGreaterThan: 1, severity: warning}]"
    var gate = try Gate(contract: Examples.contract([], dataset: quality))
    gate.check(
      Batch(schema: Schema([Field("id", .int64)]), columns: [Column(.int64, [.int(1)])], rowCount: 1), firstRow: 0)
    var verdict = gate.verdict()
    #expect(verdict.warnings.map { $0.report() } == ["t rowCount at least 2: found 1 rows (warning)"])
    verdict.noteDatasetRowCount(2)
    #expect(verdict.warnings.isEmpty)
  }

  @Test func jsonHasTheShapeOfGreatExpectations() throws {
    let json = try failing().json
    #expect(json["success"] == false)
    #expect(
      json["statistics"] == [
        "evaluated_expectations": 2, "successful_expectations": 1, "unsuccessful_expectations": 1, "success_percent": 50.0,
      ])
    let result = try #require(json["results"]?.arrayValue?.last)
    #expect(
      result["expectation_config"] == [
        "type": "expect_column_values_to_be_between", "kwargs": ["column": "x", "min_value": 0.0], "severity": "error",
        "meta": ["rule": "t.x minimum 0.0"],
      ])
    #expect(result["result"]?["unexpected_list"] == [-1.5, -10.0])
    #expect(result["result"]?["unexpected_count"] == 2)
    #expect(result["exception_info"]?["raised_exception"] == false)
  }

  @Test func scalarsHaveReadableTexts() {
    #expect(Scalar.decimal(-5, scale: 2).text == "-0.05")
    #expect(Scalar.decimal(12345, scale: 2).text == "123.45")
    #expect(Scalar.double(.nan).text == "NaN")
    #expect(Scalar.double(-.infinity).text == "-Infinity")
    #expect(Scalar.double(3).text == "3.0")
    #expect(Scalar.string("a").text == "\"a\"")
    #expect(Scalar.binary([0, 255]).text == "0x00ff")
    #expect(Scalar.date(-1).text == "1969-12-31")
    #expect(Scalar.timestamp(-1, .microsecond).text == "1969-12-31T23:59:59.999999Z")
    #expect(Scalar.timestamp(1, .nanosecond).text == "1970-01-01T00:00:00.000000001Z")
    #expect(Scalar.timestamp(1, .second).text == "1970-01-01T00:00:01.000000Z")
  }
}
