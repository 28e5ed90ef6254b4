import Columns
import JSON
import Testing

@testable import Checks

@Suite struct GateTests {
  static let types: [DataType] = [.int8, .int16, .int32, .int64]

  @Test(arguments: types)
  func integerBoundsAreInclusiveAndSkipNulls(type: DataType) throws {
    let column = "{name: x, physicalType: \(type), logicalTypeOptions: {minimum: -2, maximum: 5}}"
    let verdict = try Examples.verdict(column, type, [.int(-3), .int(-2), .null, .int(5), .int(6), .int(0), .int(-100)])
    #expect(verdict.failedRows == [[1, 7], [5]])
    #expect(verdict.results.map(\.evaluatedCount) == [7, 0, 6, 6])
    #expect(verdict.results.map(\.failedCount) == [0, 0, 2, 1])
    #expect(!verdict.passed)
  }

  @Test(arguments: [DataType.float32, .float64])
  func floatBoundsFailOnNaN(type: DataType) throws {
    func scalar(_ value: Double) -> Scalar { type == .float32 ? .float(Float(value)) : .double(value) }
    let column = "{name: x, physicalType: \(type), logicalTypeOptions: {minimum: 0, exclusiveMaximum: 0.1}}"
    let verdict = try Examples.verdict(column, type, [-0.0, 0.05, 0.1, .nan, -.infinity, .infinity].map(scalar) + [.null])
    #expect(verdict.failedRows == [[4, 5], [3, 4, 6]])
  }

  @Test func datesTimesAndDecimalsHaveBounds() throws {
    let dates = try Examples.verdict(
      "{name: x, logicalType: date, logicalTypeOptions: {minimum: 1970-01-02}}", .date, [.date(0), .date(1), .date(-1), .null])
    #expect(dates.failedRows == [[1, 3]])
    let times = try Examples.verdict(
      "{name: x, logicalType: timestamp, logicalTypeOptions: {exclusiveMinimum: '1970-01-01T00:00:01Z'}}", .timestampMicros,
      [.timestamp(1_000_000, .microsecond), .timestamp(1_000_001, .microsecond), .timestamp(-5, .microsecond)])
    #expect(times.failedRows == [[1, 3]])
    let decimals = try Examples.verdict(
      "{name: x, physicalType: 'decimal(9,2)', logicalTypeOptions: {maximum: 1.5}}", .decimal(precision: 9, scale: 2),
      [.decimal(150, scale: 2), .decimal(151, scale: 2), .null, .decimal(-999, scale: 2)])
    #expect(decimals.failedRows == [[2]])
  }

  @Test func lengthsCountUnicodeScalars() throws {
    let column = "{name: x, logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}}"
    let verdict = try Examples.verdict(
      column, .string, ["", "a", "é", "éa", "寿司屋", "寿司屋x", "abcd", "👩‍👩"].map { .string($0) } + [.null])
    #expect(verdict.failedRows == [[1, 2, 3], [6, 7]])
  }

  @Test func patternIsSearchedLikeECMAScript() throws {
    func rows(_ pattern: String, _ texts: [String]) throws -> [Int] {
      let column = "{name: x, logicalType: string, logicalTypeOptions: {pattern: '\(pattern)'}}"
      return try Examples.verdict(column, .string, texts.map { .string($0) }).failedRows[0]
    }
    #expect(try rows("b+", ["abc", "ac", ""]) == [2, 3])
    // The dollar does not match before a trailing line feed.
    #expect(try rows("^a$", ["a", "a\n", "ba"]) == [2, 3])
    #expect(try rows("^\\u0041\\u{1F600}?$", ["A", "A😀", "B"]) == [3])
    #expect(try rows("^.$", ["é", "e\u{301}", "\r", "寿"]) == [2, 3])
    #expect(try rows("^[^]$", ["\n", "x", ""]) == [3])
    #expect(try rows("^(a)?\\1b$", ["b", "aab", "ab"]) == [3])
    #expect(try rows("^\\d$", ["5", "٥"]) == [2])
  }

  @Test func hostilePatternGivesUp() throws {
    let column = "{name: x, logicalType: string, logicalTypeOptions: {pattern: '^(a+)+$'}}"
    let verdict = try Examples.verdict(column, .string, [.string(String(repeating: "a", count: 60) + "!"), .string("aaa")])
    #expect(verdict.failedRows == [[1]])
  }

  @Test func bytesThatAreNotTextDoNotMatch() throws {
    let bytes = Column(.binary, [.binary([0xFF, 0x61]), .binary([0x61])]).reinterpreted(as: .string)
    var gate = try Gate(contract: Examples.contract(["{name: x, logicalType: string, logicalTypeOptions: {pattern: 'a'}}"]))
    let batch = Batch(
      schema: Schema([Field("id", .int64), Field("x", .string)]), columns: [Column(.int64, [.int(1), .int(2)]), bytes], rowCount: 2)
    gate.check(batch, firstRow: 0)
    #expect(gate.verdict().failedRows == [[1]])
  }

  @Test func validValuesAreExact() throws {
    func rows(_ type: DataType, _ valid: String, _ values: [Scalar]) throws -> [Int] {
      let check = "{metric: invalidValues, arguments: {validValues: [\(valid)]}, mustBe: 0}"
      return try Examples.verdict("{name: x, physicalType: '\(type)', quality: [\(check)]}", type, values).failedRows[0]
    }
    #expect(try rows(.string, "web, pos, '', é", ["web", "pos", "", "é", "we", "webb", "z"].map { .string($0) } + [.null]) == [5, 6, 7])
    #expect(try rows(.int16, "3, 1, -2", [.int(1), .int(2), .int(-2), .null, .int(3)]) == [2])
    #expect(try rows(.float32, "0.1, 2", [.float(0.1), .float(0.2), .float(2), .float(.nan)]) == [2, 4])
    #expect(try rows(.bool, "true", [.bool(true), .bool(false), .null]) == [2])
    #expect(try rows(.date, "1970-01-01", [.date(0), .date(1)]) == [2])
    let decimals = [Scalar.decimal(15, scale: 1), .decimal(20, scale: 1), .decimal(2, scale: 1)]
    #expect(try rows(.decimal(precision: 5, scale: 1), "1.5, 2", decimals) == [3])
  }

  @Test func warningIsRecordedAndPasses() throws {
    let check = "{metric: nullValues, mustBe: 0, severity: warning}"
    let verdict = try Examples.verdict("{name: x, logicalType: integer, quality: [\(check)]}", .int64, [.null, .int(1), .null])
    #expect(verdict.passed)
    #expect(verdict.warnings.map(\.rule.text) == ["t.x required"])
    #expect(verdict.warnings[0].failedCount == 2)
  }

  @Test func rowsAreCountedAcrossBatchesAndKeptUpToTheLimit() throws {
    let contract = try Examples.contract(["{name: x, logicalType: integer, logicalTypeOptions: {minimum: 1}}"])
    var gate = try Gate(contract: contract, failedRowCountMax: 3)
    let batch = Examples.batch("x", .int64, [.int(0), .int(1)])
    for index in 0..<5 { gate.check(try gate.conform(batch, source: "x", firstRow: index * 2), firstRow: index * 2) }
    let result = gate.verdict().results[2]
    #expect(result.evaluatedCount == 10)
    #expect(result.failedCount == 5)
    #expect(result.firstFailures.map(\.row) == [1, 3, 5])
    #expect(result.firstFailures[0] == FailedRow(row: 1, key: [.init(name: "id", value: .int(1))], value: .int(0)))
  }

  @Test func randomBatchesAgreeWithOneRowAtATime() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(state: seed)
    let rules = "logicalTypeOptions: {minimum: -5, exclusiveMaximum: 5}"
    for type in Self.types {
      let values = (0..<Int.random(in: 1...6000, using: &random)).map { _ in
        Int.random(in: 0..<9, using: &random) == 0 ? Scalar.null : .int(Int64.random(in: -6...5, using: &random))
      }
      var gate = try Gate(contract: Examples.contract(["{name: x, physicalType: \(type), \(rules)}"]), failedRowCountMax: .max)
      gate.check(Examples.batch("x", type, values).slice(from: 0, count: values.count), firstRow: 0)
      func expected(_ fails: (Int64) -> Bool) -> [Int] {
        values.indices.filter { if case .int(let value) = values[$0] { fails(value) } else { false } }.map { $0 + 1 }
      }
      #expect(gate.verdict().failedRows == [expected { $0 < -5 }, expected { $0 >= 5 }], "seed \(seed)")
      let start = values.count / 3
      gate = try Gate(contract: gate.contract, failedRowCountMax: .max)
      gate.check(Examples.batch("x", type, values).slice(from: start, count: values.count - start), firstRow: start)
      #expect(gate.verdict().failedRows[0] == expected { $0 < -5 }.filter { $0 > start }, "seed \(seed)")
    }
  }

  /// Rules see the rows of a slice wherever in a byte its bits begin.
  @Test func slicesAtEveryOffsetAreJudgedByTheirRows() throws {
    let values: [Scalar] = (0..<90).map { [.bool(true), .bool(false), .null][($0 * $0 / 3 + $0) % 3] }
    let contract = try Examples.contract([
      "{name: x, physicalType: bool, required: true, quality: [{metric: invalidValues, arguments: {validValues: [true]}, mustBe: 0}]}"
    ])
    for start in 0...70 {
      let ids = Column(.int64, (0..<90).map { .int(Int64($0)) })
      let whole = Batch(
        schema: Schema([Field("id", .int64, isNullable: false), Field("x", .bool)]), columns: [ids, Column(.bool, values)], rowCount: 90)
      var gate = try Gate(contract: contract)
      let conformed = try gate.conform(whole.slice(from: start, count: 17), source: "rows.csv", firstRow: 0)
      gate.check(conformed, firstRow: 0)
      let failed = [Scalar.null, .bool(false)].map { value in (0..<17).filter { values[start + $0] == value }.map { $0 + 1 } }
      #expect(gate.verdict().failedRows == failed, "from \(start)")
    }
  }

}

struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
