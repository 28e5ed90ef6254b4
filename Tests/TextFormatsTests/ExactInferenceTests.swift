import Columns
import Testing
import TextFormats

/// Types that are inferred never change a number that its writer wrote out.
@Suite struct ExactInferenceTests {
  private static func string(_ text: String) -> Scalar { .string(text) }

  /// A number, what it is in a column of its own, and what in a column of texts (where it is nil: float64).
  static let numbers: [(text: String, double: Double?)] = [
    // Fractions and powers of ten are the nearest double.
    ("0.1", 0.1), ("9007199254740992.0", 9_007_199_254_740_992), ("-9007199254740994.0", -9_007_199_254_740_994),
    ("9007199254740993.5", 9_007_199_254_740_994), ("1e23", 1e23), ("1e30", 1e30), ("1.0000000000000001", 1),
    ("1.1000000000000001e+25", 1.1e25), ("1.100000000000000073e+25", 1.1e25), ("1.234567890123457e17", 123_456_789_012_345_696),
    ("99999999999999991611392.000000", 1e23), ("1.7976931348623157e308", .greatestFiniteMagnitude), ("4.9e-324", .leastNonzeroMagnitude),
    ("0e-400", 0), ("0.0e999", 0), ("-0.0", -0.0), ("3e-324", .leastNonzeroMagnitude),
    // Whole numbers that are written out are themselves, or texts.
    ("9007199254740993.0", nil), ("-9007199254740993.0", nil), ("9007199254740993.000000", nil), ("9.007199254740993e15", nil),
    ("90071992547409930e-1", nil), ("123456789012345678901234567890.0", nil), ("99999999999999991611393.0", nil),
    // What no double is near to.
    ("1e-400", nil), ("-1e-400", nil), ("2e-324", nil), ("1e400", nil), ("-1.8e308", nil),
  ]

  @Test(arguments: numbers) func numbersStayWhatTheyAre(text: String, double: Double?) throws {
    let expected = double.map { Scalar.double($0) } ?? .string(text)
    let csv = try readCSV("v,w\n\(text),1\n").columns[0]
    #expect(csv.type == (double == nil ? .string : .float64))
    #expect("\(csv.scalars)" == "\([expected])")
    let lines = try readJSONLines("{\"v\":\(text),\"w\":[\(text)]}\n")
    #expect("\(lines.columns[0].scalars)" == "\([expected])")
    #expect("\(lines.columns[1].scalars)" == "\([Scalar.list([expected])])")
    // Beside ordinary numbers too.
    #expect("\(try readCSV("v\n0.5\n\(text)\n").columns[0].scalars[1])" == "\(expected)")
    // A type that is given takes the nearest number, and none where there is none.
    let types = Schema([Field("v", .float64)])
    let typed = Result { try readCSV("v,w\n\(text),1\n", CSVOptions(types: types)).columns[0].scalars }
    if text.contains("e-4") && !text.hasPrefix("0") || text == "2e-324" || text == "1e400" || text == "-1.8e308" {
      #expect(
        throws: TextError(.badCell, line: 2, column: 1, fieldName: "v", "expected float64, found \"\(text)\""),
        performing: { try typed.get() })
    } else {
      #expect("\(try typed.get())" == "\([Scalar.double(Double(text)!)])")
    }
  }

  /// Behind the sample the column has its type, and a value that it would change is an error.
  @Test(arguments: [
    ("0.5", "9007199254740993.0", "float64"), ("0.5", "9007199254740993", "float64"), ("0.5", "1e-400", "float64"),
    ("0.5", "007.5", "float64"), ("0.5", "+7.5", "float64"), ("5", "007", "int64"), ("5", "+49301234567", "int64"),
    ("18446744073709551615", "007", "uint64"),
  ])
  func valuesBehindTheSampleAreNotChanged(first: String, later: String, type: String) throws {
    var options = CSVOptions(sampleByteCount: 4)
    options.chunkByteCount = 4
    let text = "v,w\n" + String(repeating: "\(first),1\n", count: 20)
    let error = #expect(throws: TextError.self) { try readCSV(text + "\(later),1\n", options) }
    #expect(
      error?.description == "line 22, column 1 (v): expected \(type), found \"\(later)\"; the type was inferred from the first part of the "
        + "file: give the column a type")
    for value in [first, "7", "1.0"] where type == "float64" || value != "1.0" {
      #expect(try readCSV(text + "\(value),1\n", options).rowCount == 21)
    }
  }

  @Test func valuesOfLinesBehindTheSampleAreNotChanged() throws {
    var options = JSONLinesOptions(sampleByteCount: 4)
    options.chunkByteCount = 4
    let text = String(repeating: "{\"v\":0.5,\"w\":[0.5]}\n", count: 20)
    for number in ["9007199254740993.0", "9007199254740993"] {
      let flat = #expect(throws: TextError.self) { try readJSONLines(text + "{\"v\":\(number),\"w\":[1]}\n", options) }
      let hint = "; the type was inferred from the first part of the file: give the column a type"
      #expect(flat?.description == "line 21, column 6 (v): expected float64, found \(number)\(hint)")
      let nested = #expect(throws: TextError.self) { try readJSONLines(text + "{\"v\":1,\"w\":[\(number)]}\n", options) }
      #expect(nested?.description == "line 21, column 13 (w): expected float64, found \(number)\(hint)")
    }
  }

  /// float32 and float16 as float64.
  @Test func narrowFloatsDoNotVanish() throws {
    for (type, number) in [(DataType.float32, "1e-46"), (.float32, "1e39"), (.float16, "1e-9"), (.float16, "1e9")] {
      let types = Schema([Field("v", type)])
      #expect(throws: TextError(.badCell, line: 2, column: 1, fieldName: "v", "expected \(type), found \"\(number)\"")) {
        try readCSV("v,w\n\(number),1\n", CSVOptions(types: types))
      }
      let error = #expect(throws: TextError.self) { try readJSONLines("{\"v\":\(number)}\n", JSONLinesOptions(types: types)) }
      #expect(error?.description == "line 1, column 6 (v): expected \(type), found \(number)")
    }
    #expect(
      try readCSV("v,w\n1e-45,0\n", CSVOptions(types: Schema([Field("v", .float32)]))).columns[0].scalars
        == [.float(.leastNonzeroMagnitude)])
  }

  /// An integer may be written with point and exponent, and in JSON as a string, where its type is given.
  @Test func integersAreReadExactly() throws {
    let whole: [(String, Int64)] = [
      ("1.0", 1), ("01", 1), ("+1", 1), ("-0.0", 0), ("10e-1", 1), ("9007199254740993.0", 9_007_199_254_740_993), ("1E+3", 1000),
    ]
    let options = CSVOptions(types: Schema([Field("v", .int64), Field("w", .uint64), Field("x", .int16)]))
    for (text, value) in whole {
      let small = value > 2_000 ? "" : text
      let row = try readCSV("v,w,x\n\(text),\(text),\(small)\n", options).columns.map { $0.scalar(at: 0) }
      #expect(row == [.int(value), .uint(UInt64(value)), small.isEmpty ? .null : .int(value)], "\(text)")
      let line = "{\"v\":\"\(text)\",\"w\":\"\(text)\"}\n"
      #expect(
        try readJSONLines(line, JSONLinesOptions(types: options.types!)).columns.map { $0.scalar(at: 0) }.prefix(2)
          == [.int(value), .uint(UInt64(value))], "\(text)")
    }
    for text in ["1.5", " 1 ", "0x1", "1_000", "9223372036854775808.0", "1.0000000000000001"] {
      #expect(throws: TextError(.badCell, line: 2, column: 1, fieldName: "v", "expected int64, found \"\(text)\"")) {
        try readCSV("v,w\n\(text),1\n", options)
      }
    }
  }
}
