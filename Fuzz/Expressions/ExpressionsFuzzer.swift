import Columns

/// The columns of the fixture that the first texts are from, over rows with nulls and extremes.
private let rows: Batch = {
  let whole = DataType.decimal(precision: 38, scale: 0)
  let nines = Int128("99999999999999999999999999999999999999") ?? 0
  let ints: [Scalar] = [.int(.max), .int(.min), .null, .int(0), .int(-3)]
  let others: [Scalar] = [.int(-1), .int(1), .int(64), .null, .int(7)]
  let doubles: [Scalar] = [.double(.nan), .double(-.infinity), .null, .double(-0.0), .double(1e300)]
  let strings: [Scalar] = [.string(""), .string("日本é👍🏽"), .null, .string("a,b%c"), .string("2024-02-29 12:00")]
  let bools: [Scalar] = [.bool(true), .bool(false), .null, .bool(true), .bool(false)]
  let days: [Scalar] = [.date(.max), .date(.min), .null, .date(0), .date(19_782)]
  let times: [Scalar] = [
    .timestamp(.max, .microsecond), .timestamp(.min, .microsecond), .null, .timestamp(-1, .microsecond),
    .timestamp(1_711_846_800_000_000, .microsecond),
  ]
  func decimals(_ values: [Int128?], scale: Int) -> [Scalar] { values.map { $0.map { .decimal($0, scale: scale) } ?? .null } }
  let columns: [(String, DataType, [Scalar])] = [
    ("i", .int64, ints), ("j", .int64, others), ("small", .int16, [.int(32_767), .int(-32_768), .null, .int(0), .int(1)]),
    ("x", .float64, doubles), ("y", .float64, doubles.reversed()), ("s", .string, strings), ("p", .string, strings.reversed()),
    ("b", .bool, bools), ("c", .bool, bools.reversed()), ("d", .date, days), ("e", .date, days.reversed()),
    ("t", .timestampMicros, times), ("u", .timestampMicros, times.reversed()), ("w", .timestamp(.microsecond, zone: nil), times),
    ("m", .decimal(precision: 10, scale: 2), decimals([9_999_999_999, -9_999_999_999, nil, 0, 5], scale: 2)),
    ("q", .decimal(precision: 12, scale: 4), decimals([-1, 1, 999_999_999_999, nil, 25_000], scale: 4)),
    ("h", whole, decimals([nines, -nines, nil, 0, 1], scale: 0)),
    ("z", .decimal(precision: 38, scale: 38), decimals([nines, -nines, 0, nil, 1], scale: 38)),
  ]
  return Batch(schema: Schema(columns.map { Field($0.0, $0.1) }), columns: columns.map { Column($0.1, $0.2) }, rowCount: 5)
}()

/// Compiles whatever the bytes say, and evaluates what compiles. Findings are anything but columns or a `FeatureError`, and a row that
/// has another value, or none, when it is evaluated alone.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzExpressions(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
  do {
    for (_, expression) in try compileSelection(text, schema: rows.schema, context: "fuzz") { evaluate(expression) }
    evaluate(try compileExpression(text, schema: rows.schema, context: "fuzz"))
  } catch {}
  return 0
}

private func evaluate(_ expression: CompiledExpression) {
  let whole = try? expression.evaluate(rows)
  var failureCount = 0
  for row in 0..<rows.rowCount {
    guard let alone = try? expression.evaluate(rows.slice(from: row, count: 1)) else {
      failureCount += 1
      continue
    }
    precondition(alone.type == expression.resultType, "the result is of the type that was checked")
    let value = alone.scalar(at: 0)
    precondition(whole.map { isSame($0.scalar(at: row), value) } ?? true, "row \(row) is the same alone")
  }
  precondition((whole == nil) == (failureCount > 0), "the whole fails when a row does, and only then")
  precondition(whole.map { $0.type == expression.resultType && $0.count == rows.rowCount } ?? true, "one value a row")
}

/// NaN is itself here, and -0.0 is not 0.0.
private func isSame(_ a: Scalar, _ b: Scalar) -> Bool {
  switch (a, b) {
  case (.double(let x), .double(let y)): x.isNaN ? y.isNaN : x.bitPattern == y.bitPattern
  case (.float(let x), .float(let y)): x.isNaN ? y.isNaN : x.bitPattern == y.bitPattern
  default: a == b
  }
}

extension FunctionCatalog {
  /// The real ones are another package's code, and read nothing but bytes.
  static let hashes: [String: [Overload]] = [:]
}
