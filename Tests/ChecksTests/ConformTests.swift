import Columns
import Testing

@testable import Checks

@Suite struct ConformTests {
  static let columns = [
    "{name: x, physicalType: float64}", "{name: at, logicalType: timestamp, required: true}", "{name: note, logicalType: string}",
  ]

  func gate() throws -> Gate { try Gate(contract: Examples.contract(Self.columns)) }

  func batch(_ fields: [(String, DataType, [Scalar])]) -> Batch {
    Batch(
      schema: Schema(fields.map { Field($0.0, $0.1) }), columns: fields.map { Column($0.1, $0.2) }, rowCount: fields[0].2.count)
  }

  let id = ("id", DataType.int32, [Scalar.int(1), .int(2)])
  let at = ("at", DataType.timestamp(.millisecond, zone: nil), [Scalar.timestamp(5, .millisecond), .timestamp(-5, .millisecond)])

  func refusal(_ fields: [(String, DataType, [Scalar])], firstRow: Int = 0) -> String? {
    #expect(throws: CheckError.self) { try gate().conform(batch(fields), source: "january.csv", firstRow: firstRow) }?.description
  }

  @Test func columnsComeInTheContractsOrderAndTypes() throws {
    let given = batch([at, ("x", .int64, [.int(3), .null]), id])
    let fitted = try gate().conform(given, source: "a", firstRow: 0)
    #expect(
      fitted.schema
        == Schema([
          Field("id", .int64, isNullable: false), Field("x", .float64), Field("at", .timestampMicros, isNullable: false),
          Field("note", .string),
        ]))
    #expect(fitted.columns[0].scalars == [.int(1), .int(2)])
    #expect(fitted.columns[1].scalars == [.double(3), .null])
    #expect(fitted.columns[2].scalars == [.timestamp(5000, .microsecond), .timestamp(-5000, .microsecond)])
    #expect(fitted.columns[3].scalars == [.null, .null])
  }

  @Test func columnOfNullsFitsEveryType() throws {
    let fitted = try gate().conform(batch([id, at, ("x", .string, [.null, .null])]), source: "a", firstRow: 0)
    #expect(fitted.columns[1].type == .float64)
    #expect(fitted.columns[1].nullCount == 2)
  }

  @Test func missingColumnsAreNamed() {
    #expect(
      refusal([id]) == "january.csv: Cannot use these rows for t: column at is missing; the contract requires it")
    #expect(
      refusal([("x", .float64, [.null])])
        == "january.csv: Cannot use these rows for t: columns id, at are missing; the contract requires them")
  }

  @Test func unknownColumnIsRefusedWithASuggestion() {
    #expect(
      refusal([id, at, ("nota", .string, [.null, .null])])
        == "january.csv: Cannot use these rows for t: column nota is not in the contract; did you mean note?")
    #expect(
      refusal([id, at, id]) == "january.csv: Cannot use these rows for t: column id stands twice in the input")
  }

  @Test func wrongTypeAndValueThatDoesNotFitAreRefused() {
    #expect(
      refusal([id, at, ("x", .string, [.string("a"), .null])])
        == "january.csv: Cannot use these rows for t: column x is utf8, float64 in the contract, and there is no lossless conversion")
    #expect(
      refusal([id, at, ("x", .int64, [.int(1), .int(9_007_199_254_740_993)])], firstRow: 100)
        == "january.csv: Cannot use these rows for t: column x is int64, float64 in the contract, and row 102 holds 9007199254740993, which float64 cannot hold exactly"
    )
  }
}
