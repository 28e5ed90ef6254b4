import Columns
import Testing
import TextFormats

/// Lists, maps and structures, half floats, times, durations and binary of fixed width.
@Suite struct NestedTests {
  static let schema = Schema([
    Field("l", .list(Field("item", .int32))),
    Field("m", .map(key: Field("key", .string, isNullable: false), value: Field("value", .float64))),
    Field("s", .structure([Field("a", .timestamp(.nanosecond, zone: nil)), Field("b", .list(Field("item", .string)))])),
    Field("h", .float16), Field("x", .fixedBinary(byteWidth: 2)), Field("t", .time(.microsecond)), Field("d", .duration(.millisecond)),
  ])
  static let rows: [[Scalar]] = [
    [
      .list([.int(1), .null, .int(-3)]), .list([.structure([.string("k"), .double(1)]), .structure([.string("k"), .double(.nan)])]),
      .structure([.timestamp(1, .nanosecond), .list([.string("q\"\n"), .null])]), .float(0.5), .binary([1, 2]),
      .time(3_723_000_001, .microsecond), .duration(-5, .millisecond),
    ],
    [
      .list([]), .list([]), .structure([.null, .null]), .float(-.infinity), .binary([0, 0]), .time(0, .microsecond),
      .duration(0, .millisecond),
    ],
    [.null, .null, .null, .null, .null, .null, .null],
  ]
  static let batch = Batch(
    schema: schema, columns: schema.fields.enumerated().map { index, field in Column(field.type, rows.map { $0[index] }) }, rowCount: 3)

  @Test func jsonLinesWriteArraysAndObjects() {
    var writer = JSONLinesWriter(schema: Self.schema)
    var bytes: [UInt8] = []
    writer.write(Self.batch, to: &bytes)
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"l":[1,null,-3],"m":[["k",1.0],["k","NaN"]],"#
        + #""s":{"a":"1970-01-01T00:00:00.000000001Z","b":["q\"\n",null]},"h":0.5,"x":"AQI=","t":"01:02:03.000001","d":-5}"# + "\n"
        + #"{"l":[],"m":[],"s":{"a":null,"b":null},"h":"-Infinity","x":"AAA=","t":"00:00:00.000000","d":0}"# + "\n"
        + #"{"l":null,"m":null,"s":null,"h":null,"x":null,"t":null,"d":null}"# + "\n")
  }

  @Test func csvHoldsThemAsJSON() throws {
    var writer = CSVWriter(schema: Self.schema)
    var bytes: [UInt8] = []
    writer.write(Self.batch, to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(
      text
        == "l,m,s,h,x,t,d\n"
        + #""[1,null,-3]","[[""k"",1.0],[""k"",""NaN""]]","#
        + #""{""a"":""1970-01-01T00:00:00.000000001Z"",""b"":[""q\""\n"",null]}",0.5,AQI=,01:02:03.000001,-5"# + "\n"
        + #"[],[],"{""a"":null,""b"":null}",-Infinity,AAA=,00:00:00.000000,0"# + "\n" + ",,,,,,\n")
    let back = try readCSV(text, CSVOptions(types: Self.schema))
    for (one, other) in zip(back.columns, Self.batch.columns) { #expect(one.equalsExactly(other)) }
  }

  @Test func mapsAreReadFromPairsAndFromObjects() throws {
    let schema = Schema([Field("m", .map(key: Field("key", .string, isNullable: false), value: Field("value", .int64)))])
    let text = #"{"m": [["a", 1], ["b", null]]}"# + "\n" + #"{"m": [{"key": "a", "value": 1}, {"key": "b"}]}"#
    let column = try readJSONLines(text, JSONLinesOptions(types: schema))["m"]!
    let entries: Scalar = .list([.structure([.string("a"), .int(1)]), .structure([.string("b"), .null])])
    #expect(column.scalars == [entries, entries])
    for wrong in [#"{"m": [["a"]]}"#, #"{"m": [["a", 1, 2]]}"#, #"{"m": [[null, 1]]}"#, #"{"m": ["a"]}"#] {
      #expect(throws: TextError.self) { try readJSONLines(wrong, JSONLinesOptions(types: schema)) }
    }
  }

  @Test func arraysAndObjectsAreInferred() throws {
    let batch = try readJSONLines(
      #"""
      {"a": [1, 2], "o": {"x": 1, "y": {"z": true}}, "mixed": [1, "x"], "late": {}, "either": [1]}
      {"a": [0.5, null], "o": {"y": null, "w": ["2026-01-01T00:00:00Z"]}, "late": {"k": "v"}, "either": {"b": 1}}
      {"a": null, "o": null, "mixed": [[1], {"a": 1}], "e": [], "none": {}}
      """#)
    #expect(
      batch.schema.fields.map { "\($0.name) \($0.type)" } == [
        "a list<float64>", "o struct<x:int64,y:struct<z:bool>,w:list<timestamp[us,UTC]>>", "mixed list<utf8>", "late struct<k:utf8>",
        "either utf8", "e list<utf8>", "none utf8",
      ])
    #expect(batch["a"]!.scalars == [.list([.double(1), .double(2)]), .list([.double(0.5), .null]), .null])
    #expect(
      batch["o"]!.scalars == [
        .structure([.int(1), .structure([.bool(true)]), .null]),
        .structure([.null, .null, .list([.timestamp(1_767_225_600_000_000, .microsecond)])]), .null,
      ])
    #expect(batch["mixed"]!.scalars == [.list([.string("1"), .string("x")]), .null, .list([.string("[1]"), .string("{\"a\": 1}")])])
    #expect(batch["either"]!.scalars == [.string("[1]"), .string("{\"b\": 1}"), .null])
    #expect(batch["none"]!.scalars == [.null, .null, .string("{}")])
  }

  @Test(
    arguments: [
      ("{\"a\":[1,\"x\"]}", DataType.list(Field("item", .int8)), "line 1, column 9 (a): expected int8, found \"x\""),
      ("{\"a\":[1,null]}", .list(Field("item", .int8, isNullable: false)), "line 1, column 9 (a): expected int8, found null"),
      ("{\"a\":{}}", .list(Field("item", .int8)), "line 1, column 6 (a): expected list<int8>, found an object"),
      ("{\"a\":5}", .list(Field("item", .int8)), "line 1, column 6 (a): expected list<int8>, found 5"),
      ("{\"a\":[1,]}", .list(Field("item", .int8)), "line 1, column 9: expected a value, found ']'"),
      ("{\"a\":[1}", .list(Field("item", .int8)), "line 1, column 8: expected ',' or ']', found '}'"),
      (
        "{\"a\":{\"y\":1}}", .structure([Field("x", .int8)]),
        "line 1, column 11 (a): expected struct<x:int8>, found an object with the member \"y\""
      ),
      (
        "{\"a\":{\"x\":1,\"x\":1}}", .structure([Field("x", .int8)]),
        "line 1, column 17 (a): the key \"x\" stands twice in one object"
      ),
      ("{\"a\":{}}", .structure([Field("x", .int8, isNullable: false)]), "line 1, column 7 (a): the object has no member \"x\""),
      ("{\"a\":\"AQ==\"}", .fixedBinary(byteWidth: 2), "line 1, column 6 (a): expected binary(2), found \"AQ==\""),
      ("{\"a\":\"25:00:00\"}", .time(.second), "line 1, column 6 (a): expected time[s], found \"25:00:00\""),
    ] as [(String, DataType, String)])
  func errorsNameTheirPlace(_ text: String, _ type: DataType, _ message: String) {
    do {
      _ = try readJSONLines(text, JSONLinesOptions(types: Schema([Field("a", type)])))
      Issue.record("The file was read")
    } catch {
      #expect(error.description == message)
    }
  }

  @Test func deepNestingIsRefused() {
    let deep = String(repeating: "[", count: 100_000)
    for types in [nil, Schema([Field("a", .string)]), Schema([Field("a", .list(Field("item", .int8)))])] {
      do {
        _ = try readJSONLines("{\"a\":\(deep)", JSONLinesOptions(types: types))
        Issue.record("The file was read")
      } catch {
        #expect(error.kind == .malformed || error.kind == .badCell)
      }
    }
    do {
      _ = try readJSONLines("{\"a\":\(deep)")
      Issue.record("The file was read")
    } catch {
      #expect(error.description == "line 1, column 70: arrays and objects are nested more than 64 levels deep, found '['")
    }
  }

  @Test func aLateKeyIsRefusedUnlessItHasAType() throws {
    let text = String(repeating: "{\"a\":1}\n", count: 50) + "{\"a\":2,\"b\":3}\n"
    do {
      _ = try readJSONLines(text, JSONLinesOptions(sampleByteCount: 100))
      Issue.record("The file was read")
    } catch {
      #expect(error.description == "line 51, column 12: the key \"b\" is not among those of the file's sample: give it a type")
    }
    let typed = try readJSONLines(text, JSONLinesOptions(types: Schema([Field("b", .int8)]), sampleByteCount: 100))
    #expect(typed.schema == Schema([Field("a", .int64), Field("b", .int8)]))
    #expect(typed.columns[1].scalars.suffix(2) == [.null, .int(3)])
  }
}
