import Columns

/// Columns of every kind that expressions compute with, over rows with nulls and extremes.
private let rows: Batch = {
  let columns: [(String, DataType, [Scalar])] = [
    ("i", .int64, [.int(.max), .int(.min), .null, .int(0), .int(-3)]),
    ("x", .float64, [.double(.nan), .double(-.infinity), .null, .double(-0.0), .double(1e300)]),
    ("s", .string, [.string(""), .string("日本é👍🏽"), .null, .string("a,b%c"), .string("2024-02-29 12:00")]),
    ("b", .bool, [.bool(true), .bool(false), .null, .bool(true), .bool(false)]),
    ("d", .date, [.date(.max), .date(.min), .null, .date(0), .date(19_782)]),
    (
      "t", .timestampMicros,
      [.timestamp(.max, .microsecond), .timestamp(.min, .microsecond), .null, .timestamp(-1, .microsecond), .timestamp(0, .microsecond)]
    ),
    (
      "w", .timestamp(.microsecond, zone: nil),
      [.timestamp(.max, .microsecond), .timestamp(.min, .microsecond), .null, .timestamp(-1, .microsecond), .timestamp(0, .microsecond)]
    ),
    (
      "p", .decimal(precision: 10, scale: 2),
      [.decimal(1, scale: 2), .decimal(-1, scale: 2), .null, .decimal(0, scale: 2), .decimal(99, scale: 2)]
    ),
  ]
  return Batch(schema: Schema(columns.map { Field($0.0, $0.1) }), columns: columns.map { Column($0.1, $0.2) }, rowCount: 5)
}()

/// Compiles whatever the bytes say, and evaluates what compiles. Anything but columns or a `FeatureError` is a finding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExpressions(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  do {
    let selection = try compileSelection(text, schema: rows.schema, context: "fuzz")
    for (_, expression) in selection { _ = try? expression.evaluate(rows) }
    _ = try compileExpression(text, schema: rows.schema, context: "fuzz").evaluate(rows)
  } catch {}
  return 0
}

extension FunctionCatalog {
  /// The real ones are another package's code, and read nothing but bytes.
  static let hashes: [String: [Overload]] = [:]
}
