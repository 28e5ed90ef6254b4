import Columns
import Foundation
import Testing

@testable import Features

/// fixtures/expressions/expected.json: what DuckDB computes over a table of edge values (make_expression_fixtures.py writes it).
@Suite("Expressions: the same as DuckDB")
struct ExpressionsPeerTests {
  struct Fixture {
    struct Input: Decodable {
      let name: String
      let type: String
      let values: [String?]
    }

    struct Case: Decodable {
      let expression: String
      let kind: String
      let values: [String?]
    }

    struct File: Decodable {
      let columns: [Input]
      let cases: [Case]
      let failures: [String]
    }

    let batch: Batch
    let cases: [Case]
    let failures: [String]

    init() throws {
      let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../fixtures/expressions/expected.json").standardized
      let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: url))
      var fields: [Field] = []
      var columns: [Column] = []
      for column in file.columns {
        let type = try #require(DataType(parsing: column.type))
        fields.append(Field(column.name, type))
        columns.append(Column(type, try column.values.map { try $0.map { try Self.scalar($0, type) } ?? .null }))
      }
      batch = Batch(schema: Schema(fields), columns: columns, rowCount: columns[0].count)
      cases = file.cases
      failures = file.failures
    }

    private static func scalar(_ text: String, _ type: DataType) throws -> Scalar {
      switch type {
      case .bool: .bool(text == "true")
      case .float64: .double(try ExpressionsPeerTests.double(text))
      case .string: .string(text)
      case .date: .date(try #require(Int32(text)))
      case .timestamp: .timestamp(try #require(Int64(text)), .microsecond)
      case .decimal(_, let scale):
        .decimal(try #require(Int128(text.replacing(".", with: ""))), scale: scale)
      default: .int(try #require(Int64(text)))
      }
    }
  }

  /// `nan`, or the bits in hexadecimal.
  static func double(_ text: String) throws -> Double {
    text == "nan" ? .nan : Double(bitPattern: try #require(UInt64(text, radix: 16)))
  }

  private static func kind(of type: DataType) -> String {
    switch type {
    case .bool: "bool"
    case .string: "string"
    case .date: "date"
    case .decimal: "\(type)"
    default: type.isFloat ? "double" : type.isTimestamp ? "timestamp" : "int"
    }
  }

  private static func text(_ scalar: Scalar) -> String? {
    switch scalar {
    case .null: nil
    case .bool(let value): value ? "true" : "false"
    case .int(let value), .timestamp(let value, _): "\(value)"
    case .date(let value): "\(value)"
    case .decimal(let value, let scale): NumberText.formatDecimal(value, scale: scale)
    case .string(let value): value
    default: "\(scalar)"
    }
  }

  /// Functions of the mathematical library may differ in the last bits; NaN, infinities, zeros and their signs may not.
  private static func isSame(_ found: Double, _ wanted: Double) -> Bool {
    if found.isNaN || wanted.isNaN { return found.isNaN && wanted.isNaN }
    if found == wanted { return found.sign == wanted.sign }
    return found.isFinite && wanted.isFinite && found != 0 && wanted != 0 && abs(found - wanted) <= 4e-16 * abs(found)
  }

  @Test func everyCellIsTheSame() throws {
    let fixture = try Fixture()
    var cellCount = 0
    for test in fixture.cases {
      let (text, kind, values) = (test.expression, test.kind, test.values)
      let expression = try compileExpression(text, schema: fixture.batch.schema, context: "test")
      #expect(Self.kind(of: expression.resultType) == kind, "\(text)")
      let found = try expression.evaluate(fixture.batch).scalars
      try #require(found.count == values.count)
      for (row, wanted) in values.enumerated() {
        cellCount += 1
        if let wanted, case .double(let value) = found[row] {
          #expect(Self.isSame(value, try Self.double(wanted)), "\(text) in row \(row): \(value)")
        } else if let wanted, case .float(let value) = found[row] {
          #expect(Self.isSame(Double(value), try Self.double(wanted)), "\(text) in row \(row): \(value)")
        } else {
          #expect(Self.text(found[row]) == wanted, "\(text) in row \(row)")
        }
      }
    }
    #expect(cellCount > 7_000)
  }

  /// Each row alone: constants and columns of one value take other paths than whole chunks.
  @Test func everyRowAloneIsTheSame() throws {
    let fixture = try Fixture()
    for text in fixture.cases.map(\.expression) {
      let expression = try compileExpression(text, schema: fixture.batch.schema, context: "test")
      let whole = try expression.evaluate(fixture.batch).scalars
      for row in 0..<fixture.batch.rowCount {
        let alone = try expression.evaluate(fixture.batch.slice(from: row, count: 1)).scalars
        // Descriptions, so that NaN equals itself.
        #expect("\(alone)" == "\([whole[row]])", "\(text) in row \(row)")
      }
    }
  }

  @Test func whatFailsThereFailsHere() throws {
    let fixture = try Fixture()
    #expect(fixture.failures.count > 30)
    for text in fixture.failures {
      #expect(throws: FeatureError.self, "\(text)") {
        try compileExpression(text, schema: fixture.batch.schema, context: "test").evaluate(fixture.batch)
      }
    }
  }
}
