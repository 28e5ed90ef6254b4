import Columns
import Testing
import TextFormats

func readJSONLines(_ text: String, _ options: JSONLinesOptions = JSONLinesOptions()) throws(TextError) -> Batch {
  var reader = try JSONLinesReader(bytes: slice(text), options: options)
  var batches: [Batch] = []
  while let batch = try reader.next() { batches.append(batch) }
  guard !batches.isEmpty else {
    return Batch(schema: reader.schema, columns: reader.schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }
  return Batch.concatenate(batches)
}

@Suite struct JSONLinesTests {
  @Test func infersTheTypesOfKeys() throws {
    let batch = try readJSONLines(
      #"""
      {"i": 9223372036854775807, "f": 1, "b": true, "t": "2026-02-01T00:00:00Z", "s": "x", "d": "2026-02-01"}

      {"f": 2.5, "i": -1, "s": "\u00e9\n", "late": 18446744073709551615, "mixed": 1}
      {"f": "NaN", "b": null, "t": "1969-12-31T23:59:59.999999+00:00", "mixed": "x", "s": "ü"}
      {"mixed": false}
      """#)
    #expect(
      batch.schema
        == Schema([
          Field("i", .int64), Field("f", .float64), Field("b", .bool), Field("t", .timestampMicros), Field("s", .string),
          Field("d", .string), Field("late", .uint64), Field("mixed", .string),
        ]))
    #expect(batch["i"]!.scalars == [.int(.max), .int(-1), .null, .null])
    #expect(batch["f"]!.scalars.prefix(2) == [.double(1), .double(2.5)])
    #expect(batch["b"]!.scalars == [.bool(true), .null, .null, .null])
    #expect(batch["t"]!.scalars == [.timestamp(1_769_904_000_000_000, .microsecond), .null, .timestamp(-1, .microsecond), .null])
    #expect(batch["s"]!.scalars == [.string("x"), .string("é\n"), .string("ü"), .null])
    #expect(batch["late"]!.scalars == [.null, .uint(.max), .null, .null])
    #expect(batch["mixed"]!.scalars == [.null, .string("1"), .string("x"), .string("false")])
  }

  @Test func timestampsNeedTimeAndZoneEverywhere() throws {
    #expect(try readJSONLines("{\"t\":\"2026-02-01T00:00:00Z\"}\n{\"t\":\"2026-02-01T00:00:00\"}").schema.fields[0].type == .string)
    #expect(try readJSONLines("{\"t\":\"1600-01-01T00:00:00.1234567Z\"}").schema.fields[0].type == .string)
    #expect(try readJSONLines("{\"t\":\"NaN\"}\n{\"t\":\"x\"}").schema.fields[0].type == .string)
    #expect(try readJSONLines("{\"t\":9007199254740993}\n{\"t\":0.5}").columns[0].scalars == [.string("9007199254740993"), .string("0.5")])
  }

  @Test func timesBetweenMicrosecondsAreNanoseconds() throws {
    let near = try readJSONLines("{\"t\":\"2026-02-01T00:00:00Z\"}\n{\"t\":\"1969-12-31T23:59:59.999999999Z\"}")
    #expect(near.schema.fields[0].type == .timestamp(.nanosecond, zone: "UTC"))
    #expect(near.columns[0].scalars == [.timestamp(1_769_904_000_000_000_000, .nanosecond), .timestamp(-1, .nanosecond)])
    let far = try readJSONLines("{\"t\":\"9999-02-01T00:00:00Z\"}\n{\"t\":\"1969-12-31T23:59:59.999999999Z\"}")
    #expect(far.columns[0].scalars == [.string("9999-02-01T00:00:00Z"), .string("1969-12-31T23:59:59.999999999Z")])
  }

  @Test func wantedTypesRule() throws {
    let types = Schema([
      Field("a", .int32), Field("b", .decimal(precision: 9, scale: 2)), Field("c", .date), Field("d", .binary), Field("e", .float32),
      Field("t", .timestamp(.second, zone: nil)), Field("absent", .string),
    ])
    let batch = try readJSONLines(
      #"{"a": 3.0, "b": "1.50", "c": "1970-01-02", "d": "AQI=", "e": "-Infinity", "t": "1970-01-01T00:00:01Z", "x": 1}"#,
      JSONLinesOptions(types: types))
    #expect(batch.schema.fields.map(\.name) == ["a", "b", "c", "d", "e", "t", "x"])
    #expect(
      batch.columns.map { $0.scalar(at: 0) } == [
        .int(3), .decimal(150, scale: 2), .date(1), .binary([1, 2]), .float(-.infinity), .timestamp(1, .second), .int(1),
      ])
    #expect(try readJSONLines("", JSONLinesOptions(types: types)).schema.fields.map(\.type) == types.fields.map(\.type))
  }

  @Test(arguments: [
    ("{\"a\":1}\n\n{\"a\":\"x\"}", Field("a", .int64), TextError.Kind.badCell, "line 3, column 6 (a): expected int64, found \"x\""),
    ("{\"a\":300}", Field("a", .int8), .badCell, "line 1, column 6 (a): expected int8, found 300"),
    ("{\"a\":1.5}", Field("a", .int64), .badCell, "line 1, column 6 (a): expected int64, found 1.5"),
    ("{\"a\":1}", Field("a", .string), .badCell, "line 1, column 6 (a): expected utf8, found 1"),
    ("{\"a\":[1]}", Field("a", .string), .badCell, "line 1, column 6 (a): expected utf8, found [1]"),
    ("{\"a\":1}\n[1]", Field("a", .int64), .malformed, "line 2, column 1: expected an object in braces, found '['"),
    ("{\"a\":1", Field("a", .int64), .malformed, "line 1, column 7: expected ',' or '}', found the end of the line"),
    ("{\"a\":1,}", Field("a", .int64), .malformed, "line 1, column 8: expected a member's name in quotes, found '}'"),
    ("{\"a\":1} x", Field("a", .int64), .malformed, "line 1, column 9: expected the end of the line behind the object, found 'x'"),
    ("{\"a\":01}", Field("a", .int64), .malformed, "line 1, column 6: a number must not start with a zero, found '0'"),
    ("{\"a\":1,\"a\":2}", Field("a", .int64), .malformed, "line 1, column 12 (a): the key stands twice in one object"),
    ("{\"a\":\"\\q\"}", Field("a", .string), .malformed, "line 1, column 6 (a): the string has a bad escape or is not valid UTF-8"),
  ])
  func errorsNameTheirPlace(_ text: String, _ wanted: Field, _ kind: TextError.Kind, _ message: String) {
    do {
      _ = try readJSONLines(text, JSONLinesOptions(types: Schema([wanted])))
      Issue.record("The file was read")
    } catch {
      #expect(error.kind == kind)
      #expect(error.description == message)
    }
  }

  @Test func writesTheAgreedForms() {
    let schema = Schema([
      Field("i", .int64), Field("s", .string), Field("f", .float64), Field("g", .float32), Field("t", .timestampMicros), Field("d", .date),
      Field("b", .binary), Field("o", .bool), Field("m", .decimal(precision: 5, scale: 2)),
    ])
    let rows: [[Scalar]] = [
      [
        .int(.min), .string("\"\n"), .double(.nan), .float(0.1), .timestamp(1, .microsecond), .date(0), .binary([1]), .bool(true),
        .decimal(-5, scale: 2),
      ],
      [.null, .string(""), .double(100), .float(-.infinity), .null, .null, .binary([]), .bool(false), .null],
    ]
    let columns = schema.fields.enumerated().map { index, field in Column(field.type, rows.map { $0[index] }) }
    var writer = JSONLinesWriter(schema: schema)
    var bytes: [UInt8] = []
    writer.write(Batch(schema: schema, columns: columns, rowCount: 2), to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"i":-9223372036854775808,"s":"\"\n","f":"NaN","g":0.10000000149011612,"t":"1970-01-01T00:00:00.000001Z","d":"1970-01-01","#
        + #""b":"AQ==","o":true,"m":"-0.05"}"# + "\n"
        + #"{"i":null,"s":"","f":100.0,"g":"-Infinity","t":null,"d":null,"b":"","o":false,"m":null}"# + "\n")
  }

  /// Whole numbers are integers exactly, whatever the doubles beside them are.
  @Test func wholeNumbersAreIntegersExactly() throws {
    let options = JSONLinesOptions(types: Schema([Field("k", .int64)]))
    let text = ["9007199254740993.0", "9.007199254740993e15", "1e3", "1.0", "-0.0", "9223372036854775807.0"].map { "{\"k\":\($0)}\n" }
      .joined()
    #expect(
      try readJSONLines(text, options).columns[0].scalars
        == [.int(9_007_199_254_740_993), .int(9_007_199_254_740_993), .int(1000), .int(1), .int(0), .int(.max)])
    for number in ["1.0000000000000001", "0.99999999999999999999", "1.5", "9223372036854775808.0", "1e19"] {
      let error = #expect(throws: TextError.self) { try readJSONLines("{\"k\":\(number)}\n", options) }
      #expect(error?.description == "line 1, column 6 (k): expected int64, found \(number)")
    }
  }

  @Test func floatsThatNameSomethingMustBeWhatTheTextSays() throws {
    var options = JSONLinesOptions()
    options.wholeNumberColumns = ["k"]
    let rows = ["{\"k\":1.0,\"v\":1.0000000000000001}", "{\"k\":1e3,\"v\":2}", "{\"k\":1.5,\"v\":2}", "{\"k\":\"NaN\"}", "{\"k\":7}", "{}"]
    #expect(
      try readJSONLines(rows.joined(separator: "\n"), options).columns[0].scalars.dropLast(3)
        == [.double(1), .double(1000), .double(1.5)])
    for number in ["1.0000000000000001", "0.99999999999999999999"] {
      let error = #expect(throws: TextError.self) { try readJSONLines("{\"k\":0.5}\n{\"k\":\(number)}\n", options) }
      #expect(error?.kind == .badCell)
      #expect(error?.description == "line 2, column 6 (k): expected a number that float64 holds exactly, found \"\(number)\"")
    }
    for number in ["9007199254740993.0", "9007199254740992.0", "1e300"] {
      #expect(try readJSONLines("{\"k\":0.5}\n{\"k\":\(number)}\n", options).columns[0].scalars == [.string("0.5"), .string(number)])
    }
  }
}
