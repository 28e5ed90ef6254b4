import Columns
import Testing

@testable import Features

/// Five rows with nulls, zeros, extremes and text beyond ASCII.
let sample: Batch = {
  let columns: [(String, DataType, [Scalar])] = [
    ("i", .int64, [.int(1), .int(-7), .null, .int(0), .int(.max)]),
    ("j", .int64, [.int(3), .int(2), .int(5), .int(0), .int(1)]),
    ("small", .int16, [.int(10), .null, .int(-3), .int(4), .int(32_767)]),
    ("x", .float64, [.double(1.5), .double(-2.5), .null, .double(0), .double(.nan)]),
    ("f", .float32, [.float(0.5), .float(1.25), .float(3), .null, .float(-1)]),
    ("b", .bool, [.bool(true), .bool(false), .null, .bool(true), .bool(false)]),
    ("s", .string, [.string("abc"), .string(""), .null, .string("Straße"), .string("12")]),
    ("d", .date, [.date(0), .date(19_782), .null, .date(-1), .date(1)]),
    (
      "t", .timestampMicros,
      [
        .timestamp(0, .microsecond), .timestamp(1_709_208_000_000_001, .microsecond), .null, .timestamp(-1, .microsecond),
        .timestamp(86_400_000_000, .microsecond),
      ]
    ),
    (
      "price", .decimal(precision: 10, scale: 2),
      [.decimal(12_345, scale: 2), .decimal(-1, scale: 2), .null, .decimal(0, scale: 2), .decimal(10, scale: 2)]
    ),
    ("select me", .int64, [.int(1), .int(2), .int(3), .int(4), .int(5)]),
  ]
  return Batch(
    schema: Schema(columns.map { Field($0.0, $0.1) }), columns: columns.map { Column($0.1, $0.2) }, rowCount: 5)
}()

func compiled(_ text: String) throws -> CompiledExpression {
  try compileExpression(text, schema: sample.schema, context: "test")
}

/// The values for all rows of the sample.
func values(_ text: String) throws -> [Scalar] { try compiled(text).evaluate(sample).scalars }

/// The value for the first row.
func first(_ text: String) throws -> Scalar { try compiled(text).evaluate(sample.slice(from: 0, count: 1)).scalar(at: 0) }

/// The message of an expression that cannot be compiled or evaluated.
func failure(_ text: String) -> String {
  do {
    _ = try values(text)
    return "no error"
  } catch {
    return "\(error)"
  }
}
