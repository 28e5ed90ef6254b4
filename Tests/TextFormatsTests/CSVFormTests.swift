import Columns
import Testing
import TextFormats

/// The shapes that files of other programs have.
@Suite struct CSVFormTests {
  @Test(arguments: [
    ("a;b\n1;x,y\n", UInt8(ascii: ";")), ("a\tb\n1\tx,y\n", UInt8(ascii: "\t")), ("a|b\n1|x,y\n", UInt8(ascii: "|")),
    ("\"a,c\";b\n1;x,y\n", UInt8(ascii: ";")), ("a|x;b|c\n1|2|3\n", UInt8(ascii: "|")),
  ])
  func delimitersAreFoundInTheHeader(_ text: String, _ delimiter: UInt8) throws {
    let reader = try CSVReader(bytes: slice(text))
    #expect(reader.delimiter == delimiter)
    #expect(try readCSV(text).columns[0].scalars == [.int(1)])
  }

  @Test func oneColumnHasACommaAndTheOptionRules() throws {
    #expect(try CSVReader(bytes: slice("a\n1\n")).delimiter == UInt8(ascii: ","))
    #expect(try readCSV("a\n1\n").columns[0].scalars == [.int(1)])
    let batch = try readCSV("a;b\n1;2\n", CSVOptions(delimiter: UInt8(ascii: ",")))
    #expect(batch.schema.fields.map(\.name) == ["a;b"])
    #expect(batch.columns[0].scalars == [.string("1;2")])
  }

  @Test(arguments: ["\n", "\r\n", "\r"]) func everyLineEndIsRead(_ end: String) throws {
    let lines = ["a,b", "1,x", "2,\"y\(end)z\"", "", "3,"]
    for last in [end, ""] {
      let batch = try readCSV(lines.joined(separator: end) + last)
      #expect(batch["a"]!.scalars == [.int(1), .int(2), .int(3)])
      #expect(batch["b"]!.scalars == [.string("x"), .string("y\(end)z"), .null])
    }
  }

  @Test func carriageReturnsAndFeedsMayMixWhereTheFirstLineEndsWithAReturn() throws {
    let batch = try readCSV("a,b\r1,x\r\n2,y\r\r\n3,z")
    #expect(batch["a"]!.scalars == [.int(1), .int(2), .int(3)])
    #expect(batch["b"]!.scalars == [.string("x"), .string("y"), .string("z")])
    do {
      _ = try readCSV("a\r1\rx\r", CSVOptions(types: Schema([Field("a", .int64)])))
      Issue.record("The file was read")
    } catch {
      #expect(error.description == "line 3, column 1 (a): expected int64, found \"x\"")
    }
  }

  @Test func aReturnInsideALineIsText() throws {
    #expect(try readCSV("a,b\nx\ry,1\r\n").columns[0].scalars == [.string("x\ry")])
  }

  @Test func blankLinesBeforeTheHeaderAreSkipped() throws {
    let batch = try readCSV("\u{FEFF}\r\n\na,b\n1,2\n")
    #expect(batch.schema.fields.map(\.name) == ["a", "b"])
    #expect(batch["b"]!.scalars == [.int(2)])
  }

  @Test(arguments: [[0xFF, 0xFE, 0x61, 0x00], [0xFE, 0xFF, 0x00, 0x61]] as [[UInt8]]) func utf16IsRefused(_ bytes: [UInt8]) {
    let expected = TextError(.malformed, line: 1, "the file is UTF-16 or UTF-32: expected UTF-8, convert it first")
    #expect(throws: expected) { try CSVReader(bytes: BufferSlice(copying: bytes)) }
    #expect(throws: expected) { try JSONLinesReader(bytes: BufferSlice(copying: bytes)) }
  }

  @Test func nullTokensAreNullWithoutQuotes() throws {
    let text = "i,s,b,f\nNA,NA,NA,\n1,\"NA\",true,-999\n-999,null,NA,2.5\n"
    let batch = try readCSV(text, CSVOptions(nullTokens: ["NA", "null", "-999"]))
    #expect(batch.schema.fields.map(\.type) == [.int64, .string, .bool, .float64])
    #expect(batch["i"]!.scalars == [.null, .int(1), .null])
    #expect(batch["s"]!.scalars == [.null, .string("NA"), .null])
    #expect(batch["b"]!.scalars == [.null, .bool(true), .null])
    #expect(batch["f"]!.scalars == [.null, .null, .double(2.5)])
    #expect(try readCSV("a\nNA\n").columns[0].scalars == [.string("NA")])
  }

  @Test func valuesInQuotesAreValuesToo() throws {
    let types = Schema([Field("i", .int64), Field("t", .timestampMicros), Field("f", .float32), Field("b", .bool)])
    let batch = try readCSV(
      "i,t,f,b\n\"-5\",\"1970-01-01 00:00:01+01:00\",\"0.1\",\"true\"\n\"\",\"\",\"\",\"\"\n", CSVOptions(types: types))
    #expect(batch.columns.map { $0.scalar(at: 0) } == [.int(-5), .timestamp(-3_599_000_000, .microsecond), .float(0.1), .bool(true)])
    #expect(batch.columns.map { $0.scalar(at: 1) } == [.null, .null, .null, .null])
  }

  @Test func aLateMisfitNamesItsPlaceAndWhatToDo() throws {
    let rows = (0..<1_000).map { "\($0),\($0)\n" }.joined()
    let text = "a,b\n" + rows + "1.5,2\n"
    do {
      _ = try readCSV(text, CSVOptions(sampleByteCount: 1_000))
      Issue.record("The file was read")
    } catch {
      #expect(error.kind == .badCell)
      #expect(
        error.description
          == "line 1002, column 1 (a): expected int64, found \"1.5\"; the type was inferred from the first part of the file: "
          + "give the column a type")
    }
    #expect(try readCSV(text).schema.fields.map(\.type) == [.float64, .int64])
    let typed = try readCSV(text, CSVOptions(types: Schema([Field("a", .float64)]), sampleByteCount: 1_000))
    #expect(typed.columns[0].scalar(at: 1_000) == .double(1.5))
  }

  @Test func rowsBeforeABadChunkAreHandedOutFirst() throws {
    var options = CSVOptions(types: Schema([Field("a", .int64)]), batchRowCount: 10)
    options.chunkByteCount = 8
    var reader = try CSVReader(bytes: slice("a\n1\n2\n3\n4\nx\n"), options: options)
    #expect(try reader.next()?.columns[0].scalars == [.int(1), .int(2), .int(3), .int(4)])
    #expect(reader.consumedByteCount == 10)
    #expect(throws: TextError(.badCell, line: 6, column: 1, fieldName: "a", "expected int64, found \"x\"")) { try reader.next() }
  }

  @Test func endlessRecordsAreRefused() throws {
    let text = "a\n1\n\"" + String(repeating: "x\n", count: 2_000) + "y"
    var options = CSVOptions(types: Schema([Field("a", .string)]))
    (options.chunkByteCount, options.recordByteCountMax) = (2, 1_000)
    var reader = try CSVReader(bytes: slice(text), options: options)
    let expected = "a record from here on is longer than 1000 bytes: is a closing quote missing?"
    #expect(throws: TextError(.malformed, line: 3, expected)) { while try reader.next() != nil {} }
    var lines = JSONLinesOptions()
    (lines.chunkByteCount, lines.recordByteCountMax) = (2, 1_000)
    #expect(throws: TextError(.malformed, line: 2, "a line from here on is longer than 1000 bytes: expected one object a line")) {
      try readJSONLines("{}\n[" + String(repeating: "1,", count: 2_000), lines)
    }
  }

  @Test func consumedBytesFollowTheBatches() throws {
    let text = "a,b\n" + (0..<5_000).map { "\($0),\"x\ny\"\n" }.joined()
    var options = CSVOptions(batchRowCount: 100)
    options.chunkByteCount = 4_000
    var reader = try CSVReader(bytes: slice(text), options: options)
    var (rowCount, consumed) = (0, reader.consumedByteCount)
    #expect(consumed == 4)
    while let batch = try reader.next() {
      #expect(batch.rowCount <= 100 && reader.consumedByteCount >= consumed)
      #expect(batch.columns[0].scalar(at: 0) == .int(Int64(rowCount)))
      consumed = reader.consumedByteCount
      rowCount += batch.rowCount
    }
    #expect(rowCount == 5_000 && consumed == text.utf8.count)
  }

  @Test func chunksOfAnySizeGiveTheSameRows() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix(seed: seed)
    let pieces = ["", "x", "\"\"", "\"a,\"\"b\"\"\n\"", "\"\n\n\"", "\"\r\n\"", "plain text", "\"é\"", "12"]
    for end in ["\n", "\r\n"] {
      let rows = (0..<200).map { _ in (0..<3).map { _ in pieces.randomElement(using: &generator)! }.joined(separator: ",") }
      let text = "a,b,c\n" + rows.joined(separator: end) + end
      let types = Schema(["a", "b", "c"].map { Field($0, .string) })
      let whole = try readCSV(text, CSVOptions(types: types))
      #expect(whole.rowCount == 200, "seed \(seed)")
      for chunkByteCount in [1, 2, 7, 63, 64, 65, 1_000] {
        var options = CSVOptions(types: types)
        options.chunkByteCount = chunkByteCount
        let parts = try readCSV(text, options)
        #expect(zip(whole.columns, parts.columns).allSatisfy { $0.equalsExactly($1) }, "chunks of \(chunkByteCount), seed \(seed)")
      }
    }
  }
}
