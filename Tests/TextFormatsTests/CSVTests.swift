import Columns
import Testing
import TextFormats

func slice(_ text: String) -> BufferSlice { BufferSlice(copying: Array(text.utf8)) }

func readCSV(_ text: String, _ options: CSVOptions = CSVOptions()) throws(TextError) -> Batch {
  var reader = try CSVReader(bytes: slice(text), options: options)
  var batches: [Batch] = []
  while let batch = try reader.next() { batches.append(batch) }
  guard !batches.isEmpty else {
    return Batch(schema: reader.schema, columns: reader.schema.fields.map { Column($0.type, []) }, rowCount: 0)
  }
  return Batch.concatenate(batches)
}

@Suite struct CSVTests {
  @Test func infersTheTypesOfColumns() throws {
    let batch = try readCSV(
      """
      i,f,b,d,t,s,n,zip,big
      1,1.5,true,2026-02-01,2026-02-01T00:00:00Z,x,,01234,18446744073709551615
      -2,3,FALSE,1969-12-31,1969-12-31 23:59:59.999999,"a ""quoted"", text\nof two lines",,99999,1
      ,NaN,,,,"",,,

      """)
    #expect(
      batch.schema.fields.map(\.type)
        == [.int64, .float64, .bool, .date, .timestampMicros, .string, .string, .string, .uint64])
    #expect(batch.rowCount == 3)
    #expect(batch["i"]!.scalars == [.int(1), .int(-2), .null])
    #expect(batch["f"]!.scalars.prefix(2) == [.double(1.5), .double(3)])
    #expect(batch["b"]!.scalars == [.bool(true), .bool(false), .null])
    #expect(batch["d"]!.scalars == [.date(20_485), .date(-1), .null])
    #expect(batch["t"]!.scalars == [.timestamp(1_769_904_000_000_000, .microsecond), .timestamp(-1, .microsecond), .null])
    #expect(batch["s"]!.scalars == [.string("x"), .string("a \"quoted\", text\nof two lines"), .string("")])
    #expect(batch["n"]!.scalars == [.null, .null, .null])
    #expect(batch["zip"]!.scalars == [.string("01234"), .string("99999"), .null])
    #expect(batch["big"]!.scalars == [.uint(.max), .uint(1), .null])
  }

  @Test(
    arguments: [
      (["1", "2.5"], .float64), (["9007199254740993", "2.5"], .string), (["1", "x"], .string), (["1", "true"], .string),
      (["-1", "18446744073709551615"], .string), (["99999999999999999999"], .string),
      (["2026-01-01", "2026-01-01T00:00"], .timestampMicros),
      (["2026-01-01", "1"], .string),
      (["2026-01-01T00:00:00.0000001Z"], .timestamp(.nanosecond, zone: "UTC")),
      (["2026-01-01", "1700-01-01T00:00:00.123456789+02:00"], .timestamp(.nanosecond, zone: "UTC")),
      (["1600-01-01", "2026-01-01T00:00:00.0000001Z"], .string), (["2300-01-01T00:00:00Z", "2026-01-01T00:00:00.0000001Z"], .string),
      (["1600-01-01T00:00:00.000000001"], .string), (["2026-01-01T00:00:00.0000000001Z"], .string),
      (["1e400"], .string), (["+1"], .string), (["0"], .int64),
      (["0.5"], .float64), (["00.5"], .string), (["-0.5"], .float64), (["-inf"], .float64), (["0x10"], .string), ([" 1"], .string),
    ] as [([String], DataType)])
  func lateValuesWidenAndNeverLose(_ cells: [String], _ type: DataType) throws {
    // The last value comes far behind any sample.
    let text = "a\n" + String(repeating: cells[0] + "\n", count: 70_000) + cells[cells.count - 1] + "\n"
    let batch = try readCSV(text)
    #expect(batch.schema.fields[0].type == type)
    #expect(batch.rowCount == 70_001)
    if type == .string { #expect(batch.columns[0].scalars.last == .string(cells[cells.count - 1])) }
  }

  @Test func wantedTypesRule() throws {
    let types = Schema([
      Field("a", .string), Field("b", .int8), Field("c", .float32), Field("d", .decimal(precision: 5, scale: 2)), Field("e", .binary),
      Field("f", .timestamp(.nanosecond, zone: nil)), Field("g", .bool),
    ])
    let text = "g,f,e,d,c,b,a,x\n1,1970-01-01T00:00:00.000000001,AQI=,1.5,0.1,-128,007,7\n0,,\"\",,,,,\n"
    let batch = try readCSV(text, CSVOptions(types: types))
    #expect(batch.schema.fields.map(\.name) == ["g", "f", "e", "d", "c", "b", "a", "x"])
    #expect(
      batch.columns.map { $0.scalar(at: 0) } == [
        .bool(true), .timestamp(1, .nanosecond), .binary([1, 2]), .decimal(150, scale: 2), .float(0.1), .int(-128), .string("007"), .int(7),
      ])
    #expect(batch.columns.map { $0.scalar(at: 1) } == [.bool(false), .null, .binary([]), .null, .null, .null, .null, .null])
  }

  @Test(arguments: [
    ("a,b\n1,abc\n", Field("b", .float64), "line 2, column 2 (b): expected float64, found \"abc\""),
    ("a,b\n1,\"x\ny\"\n1,300\n", Field("a", .int64), ""),
    ("b\n\n\n128\n", Field("b", .int8), "line 4, column 1 (b): expected int8, found \"128\""),
    ("b\n1.5\n", Field("b", .int64), "line 2, column 1 (b): expected int64, found \"1.5\""),
    ("b\n1.005\n", Field("b", .decimal(precision: 9, scale: 2)), "line 2, column 1 (b): expected decimal(9,2), found \"1.005\""),
    ("b\n1e39\n", Field("b", .float32), "line 2, column 1 (b): expected float32, found \"1e39\""),
    ("b\n2026-02-30\n", Field("b", .date), "line 2, column 1 (b): expected date, found \"2026-02-30\""),
    ("b\nA===\n", Field("b", .binary), "line 2, column 1 (b): expected binary, found \"A===\""),
    ("a,b\n\"x\ny\",1\nz,yes\n", Field("b", .bool), "line 4, column 2 (b): expected bool, found \"yes\""),
  ])
  func badCellsNameTheirPlace(_ text: String, _ wanted: Field, _ message: String) {
    do {
      _ = try readCSV(text, CSVOptions(types: Schema([wanted])))
      #expect(message == "")
    } catch {
      #expect(error.kind == .badCell)
      #expect(error.description == message)
    }
  }

  @Test(arguments: [
    ("", "line 1: the file is empty: expected a header with the names of the columns"),
    ("a,b\n1,2\n3\n", "line 3, column 2: expected 2 fields, found 1"),
    ("a,b\n\n1,2,3\n", "line 3, column 3: expected 2 fields, found 3"),
    ("a,b\n1,\"x\n", "line 2: the closing quote is missing"),
    ("a,b\n1,\"x\"y\n", "line 2, column 2: expected the end of the field behind its closing quote"),
    ("a,b\n1,5\" pipe\n", "line 2, column 2: a quote inside a field that is not quoted"),
    ("a,a\n1,2\n", "line 1, column 2 (a): two columns have this name"),
  ])
  func malformedFilesAreRefused(_ text: String, _ message: String) {
    do {
      _ = try readCSV(text)
      Issue.record("The file was read")
    } catch {
      #expect(error.kind == .malformed)
      #expect(error.description == message)
    }
  }

  @Test func invalidUTF8IsRefused() throws {
    var reader = try CSVReader(bytes: BufferSlice(copying: Array("a,b\nx,1\n".utf8) + [0xE9, 0x2C, 0x31, 0x0A]))
    #expect(throws: TextError(.malformed, line: 3, column: 1, fieldName: "a", "the text is not valid UTF-8")) { try reader.next() }
  }

  @Test func lineEndsMarksAndMissingEnds() throws {
    let batch = try readCSV("\u{FEFF}a,\"b\"\r\n1,\"x\"\r\n\r\n2,\r\n3,y")
    #expect(batch.schema.fields.map(\.name) == ["a", "b"])
    #expect(batch["a"]!.scalars == [.int(1), .int(2), .int(3)])
    #expect(batch["b"]!.scalars == [.string("x"), .null, .string("y")])
    #expect(try readCSV("a,b\n1,").columns.map { $0.scalar(at: 0) } == [.int(1), .null])
    #expect(try readCSV("a,b").rowCount == 0)
    #expect(try readCSV("a\n\n1\n").columns[0].scalars == [.null, .int(1)])
  }

  @Test func otherDelimitersAndNoHeader() throws {
    let batch = try readCSV("1;a,b\n2;\"c;d\"\n", CSVOptions(delimiter: UInt8(ascii: ";"), hasHeader: false))
    #expect(batch.schema == Schema([Field("column_1", .int64), Field("column_2", .string)]))
    #expect(batch.columns[1].scalars == [.string("a,b"), .string("c;d")])
    #expect(try readCSV("a|b\n1|é\n", CSVOptions(delimiter: UInt8(ascii: "|"))).columns[1].scalars == [.string("é")])
  }

  @Test func writesTheAgreedForms() throws {
    let schema = Schema([
      Field("s,", .string), Field("f", .float64), Field("t", .timestamp(.millisecond, zone: nil)), Field("d", .date), Field("b", .binary),
      Field("o", .bool), Field("m", .decimal(precision: 5, scale: 2)),
    ])
    let rows: [[Scalar]] = [
      [.string(""), .double(.nan), .timestamp(1, .millisecond), .date(0), .binary([1]), .bool(true), .decimal(-5, scale: 2)],
      [.null, .null, .null, .null, .null, .null, .null],
      [.string("a\"\r"), .double(1), .timestamp(-1, .millisecond), .date(-1), .binary([]), .bool(false), .decimal(100, scale: 2)],
    ]
    let columns = schema.fields.enumerated().map { index, field in Column(field.type, rows.map { $0[index] }) }
    var writer = CSVWriter(schema: schema)
    var bytes: [UInt8] = []
    writer.write(Batch(schema: schema, columns: columns, rowCount: 3), to: &bytes)
    writer.finish(to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == "\"s,\",f,t,d,b,o,m\n\"\",NaN,1970-01-01T00:00:00.001000Z,1970-01-01,AQ==,true,-0.05\n,,,,,,\n"
        + "\"a\"\"\r\",1.0,1969-12-31T23:59:59.999000Z,1969-12-31,\"\",false,1.00\n")
    var names = CSVWriter(schema: Schema(["a;b", "\u{FEFF}c", "d|e", "f g"].map { Field($0, .int64) }), delimiter: UInt8(ascii: ";"))
    bytes = []
    names.finish(to: &bytes)
    #expect(bytes == Array("\"a;b\";\"\u{FEFF}c\";\"d|e\";f g\n".utf8))
    #expect(try readCSV(String(decoding: bytes, as: UTF8.self)).schema.fields.map(\.name) == ["a;b", "\u{FEFF}c", "d|e", "f g"])
    var empty = CSVWriter(schema: Schema([Field("a", .int64), Field("b", .int64)]))
    bytes = []
    empty.finish(to: &bytes)
    #expect(bytes == Array("a,b\n".utf8))
  }

  @Test func floatsThatNameSomethingMustBeWhatTheTextSays() throws {
    var options = CSVOptions(nullTokens: ["NA"])
    options.wholeNumberColumns = ["k", "none"]
    let text = "v,k\n1.0000000000000001,1.0\n2,1e3\n2,1.5\n2,NaN\n2,\n2,NA\n2,\"4.0\"\n2,1e15\n"
    let expected: [Scalar] = [
      .double(1), .double(1000), .double(1.5), .double(.nan), .null, .null, .double(4), .double(1e15),
    ]
    #expect(try readCSV(text, options)["k"]!.scalars.map { "\($0)" } == expected.map { "\($0)" })
    for (number, cell) in [("1.0000000000000001", "1.0000000000000001"), ("\"1.0000000000000001\"", "1.0000000000000001")] {
      let error = #expect(throws: TextError.self) { try readCSV("v,k\n1,0.5\n\n1,\(number)\n", options) }
      #expect(error?.kind == .badCell)
      #expect(error?.description == "line 4, column 2 (k): expected a number that float64 holds exactly, found \"\(cell)\"")
      // Nobody asks of other columns.
      #expect(try readCSV("v,k\n1,0.5\n1,\(number)\n")["k"]!.type == .float64)
    }
    // A float from 2^53 on says no integer, its text does.
    for number in ["9007199254740993.0", "9007199254740992.0", "1e300"] {
      #expect(try readCSV("v,k\n1,0.5\n1,\(number)\n", options)["k"]!.scalars == [.string("0.5"), .string(number)])
    }
  }
}
