import Columns
import Testing
import TextFormats

/// Delimiters of files whose first line has several that it may be.
@Suite struct CSVDelimiterTests {
  private static let comma = UInt8(ascii: ","), semicolon = UInt8(ascii: ";"), tab = UInt8(ascii: "\t"), bar = UInt8(ascii: "|")

  static let found: [(text: String, delimiter: UInt8, names: [String], first: [Scalar])] = [
    // A header with a comma in one name, over decimal commas, integers and text.
    (
      "Betrag (EUR, brutto);Datum;x\n1,5;2;3\n", semicolon, ["Betrag (EUR, brutto)", "Datum", "x"],
      [.string("1,5"), .int(2), .int(3)]
    ),
    (
      "Betrag (EUR, brutto);Preis (EUR, netto)\n1,5;2,7\n3,25;4,5\n", semicolon, ["Betrag (EUR, brutto)", "Preis (EUR, netto)"],
      [.string("1,5"), .string("2,7")]
    ),
    ("Betrag, brutto;Preis, netto\n1,5;2,7\n", semicolon, ["Betrag, brutto", "Preis, netto"], [.string("1,5"), .string("2,7")]),
    ("Betrag (EUR, brutto);Datum;x\n15;2;3\n", semicolon, ["Betrag (EUR, brutto)", "Datum", "x"], [.int(15), .int(2), .int(3)]),
    (
      "Name (Nachname, Vorname);Ort\nMüller, Hans;Berlin\n", semicolon, ["Name (Nachname, Vorname)", "Ort"],
      [.string("Müller, Hans"), .string("Berlin")]
    ),
    (
      "Name, Vorname;Ort;Land\nMüller, Hans;Köln, Deutz;D\n", semicolon, ["Name, Vorname", "Ort", "Land"],
      [.string("Müller, Hans"), .string("Köln, Deutz"), .string("D")]
    ),
    ("a;b;c,d\n1;2;3,4\n", semicolon, ["a", "b", "c,d"], [.int(1), .int(2), .string("3,4")]),
    // The other way round: names with semicolons in a file of commas.
    ("id,note (a; b),x\n1,y,2\n", comma, ["id", "note (a; b)", "x"], [.int(1), .string("y"), .int(2)]),
    ("id,note (a; b),x\n1,y; z,2\n", comma, ["id", "note (a; b)", "x"], [.int(1), .string("y; z"), .int(2)]),
    ("a,b,c (x;y)\n1,2,3\n4,5,6\n", comma, ["a", "b", "c (x;y)"], [.int(1), .int(2), .int(3)]),
    // One row of many tells.
    (
      "a,b;c\n" + String(repeating: "1,2;3\n", count: 5) + "1,2,3;4\n", semicolon, ["a,b", "c"], [.string("1,2"), .int(3)]
    ),
    ("a,b;c\n1,2;3\n1;3,2;3\n", comma, ["a", "b;c"], [.string("1"), .string("2;3")]),
    // Tabs and bars.
    ("name\tprice, net\nx\t1,5\n", tab, ["name", "price, net"], [.string("x"), .string("1,5")]),
    ("a\tb,c\n1\t2,3\n", tab, ["a", "b,c"], [.int(1), .string("2,3")]),
    ("a|b (c, d)|e\n1|2|3\n", bar, ["a", "b (c, d)", "e"], [.int(1), .int(2), .int(3)]),
    ("a|b;c|d,e\n1|2|3\n", bar, ["a", "b;c", "d,e"], [.int(1), .int(2), .int(3)]),
    // Quotes: what they hold is no delimiter, neither in the header nor in rows.
    ("\"a;x\",b\n\"1;2\",3\n", comma, ["a;x", "b"], [.string("1;2"), .int(3)]),
    ("a (x, y);b\n\"p, q;\nr\";2\n\"s\";3\n", semicolon, ["a (x, y)", "b"], [.string("p, q;\nr"), .int(2)]),
    // Nothing but a header.
    ("Betrag (EUR, brutto);Datum;x\n", semicolon, ["Betrag (EUR, brutto)", "Datum", "x"], []),
    ("a,b;c,d\n", comma, ["a", "b;c", "d"], []),
    // With carriage returns, and without an end of the last line.
    ("a (x, y);b\r\n1,5;2\r\n\r\n2,5;3", semicolon, ["a (x, y)", "b"], [.string("1,5"), .int(2)]),
  ]

  @Test(arguments: found.indices) func theOneThatFitsIsFound(index: Int) throws {
    let (text, delimiter, names, first) = Self.found[index]
    for chunkByteCount in [1, 4 << 20] {
      var options = CSVOptions()
      options.chunkByteCount = chunkByteCount
      var reader = try CSVReader(bytes: slice(text), options: options)
      #expect(reader.delimiter == delimiter, "\(text)")
      #expect(reader.schema.fields.map(\.name) == names, "\(text)")
      #expect(try (reader.next()?.columns ?? []).map { $0.scalar(at: 0) } == first, "\(text)")
    }
  }

  @Test func filesWithoutNamesAreJudgedByTheirRows() throws {
    var options = CSVOptions(hasHeader: false)
    #expect(try readCSV("1,5;2;3\n2,5;3;4\n", options).schema.fields.count == 3)
    #expect(try readCSV("1,5;2\n2;3\n", options).columns.map { $0.scalar(at: 0) } == [.string("1,5"), .int(2)])
    options.delimiter = Self.comma
    #expect(try readCSV("1,5;2;3\n", options).schema.fields.count == 2)
  }

  static let ambiguous: [(text: String, readings: String)] = [
    (
      "lat;lon,name\n1;2,x\n",
      #"a comma, which makes 2 columns ("lat;lon", "name") or a semicolon, which makes 2 columns ("lat", "lon,name")"#
    ),
    (
      "id,a;b;c\n1,x;y;z\n2,x;y;z\n",
      #"a comma, which makes 2 columns ("id", "a;b;c") or a semicolon, which makes 3 columns ("id,a", "b", "c")"#
    ),
    (
      "a,b;c\n", #"a comma, which makes 2 columns ("a", "b;c") or a semicolon, which makes 2 columns ("a,b", "c")"#
    ),
    (
      "a;b|c,d\n1;2|3,4\n",
      #"a comma, which makes 2 columns ("a;b|c", "d") or a semicolon, which makes 2 columns ("a", "b|c,d") or "#
        + #"a bar, which makes 2 columns ("a;b", "c,d")"#
    ),
    // A blank speaks for the semicolon, the number of columns for the comma.
    (
      "a, b;c, d, e, f\n1, x;y, 2, 3, 4\n",
      #"a comma, which makes 5 columns ("a", " b;c", " d", " e", …) or a semicolon, which makes 2 columns ("a, b", "c, d, e, f")"#
    ),
  ]

  @Test(arguments: ambiguous) func whatStaysAmbiguousIsRefused(text: String, readings: String) throws {
    #expect(throws: TextError(.ambiguous, line: 1, "the delimiter may be \(readings)")) { try CSVReader(bytes: slice(text)) }
    #expect(try CSVReader(bytes: slice(text), options: CSVOptions(delimiter: Self.comma)).delimiter == Self.comma)
  }

  /// All of the sample is read before a file is refused.
  @Test func aLateRowDecides() throws {
    let rows = String(repeating: "lat;lon,name with some length\n", count: 60_000)
    #expect(throws: TextError.self) { try CSVReader(bytes: slice("lat;lon,name\n" + rows)) }
    #expect(try CSVReader(bytes: slice("lat;lon,name\n" + rows + "1,x\n")).delimiter == Self.comma)
    #expect(try CSVReader(bytes: slice("lat;lon,name\n" + rows + "1;x\n")).delimiter == Self.semicolon)
  }

  /// Where no reading fits, the error is that of the one which fits longest.
  @Test func errorsAreThoseOfTheLikeliestReading() throws {
    let text = "Betrag (EUR, brutto);Datum;x\n15;2;3\n16;2;3\n17;2\n"
    let error = #expect(throws: TextError.self) { try readCSV(text) }
    #expect(error?.description == "line 4, column 3: expected 3 fields, found 2")
    let comma = #expect(throws: TextError.self) { try readCSV("a,b;c\n1\n") }
    #expect(comma?.description == "line 2, column 2: expected 2 fields, found 1")
  }

  @Test func oneCandidateIsTakenAsBefore() throws {
    let ragged = #expect(throws: TextError.self) { try readCSV("a\n1,5\n") }
    #expect(ragged?.description == "line 2, column 2: expected 1 fields, found 2")
    #expect(try readCSV("a;b\n1,5;2,5\n").columns.map { $0.scalar(at: 0) } == [.string("1,5"), .string("2,5")])
    #expect(try readCSV("a\n\n1\n").columns[0].scalars == [.null, .int(1)])
  }

  /// Every file that one delimiter separates is read with it, whatever its names and texts hold, unless it is refused.
  @Test func randomFilesAreReadAsTheyWereWrittenOrRefused() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(seed: seed)
    var refusedCount = 0
    for round in 0..<600 {
      let delimiters: [Character] = [",", ";", "\t", "|"]
      let delimiter = delimiters.randomElement(using: &random)!
      let others = delimiters.filter { $0 != delimiter && $0 != "\t" }
      let columnCount = Int.random(in: 2...5, using: &random)
      // Names hold another one with a blank or in brackets, as names do.
      let names = (0..<columnCount).map { column in
        let other = others.randomElement(using: &random)!
        return ["n\(column)", "n\(column) (p\(other) q)", "n\(column)\(other) r"].randomElement(using: &random)!
      }
      let kinds = (0..<columnCount).map { _ in Int.random(in: 0..<4, using: &random) }
      var rows: [[String]] = []
      for row in 0..<Int.random(in: 1...20, using: &random) {
        rows.append(
          kinds.map { kind in
            switch kind {
            case 0: "\(row)"
            case 1: delimiter == "," ? "\(row).5" : "\(row),5"
            case 2: ["x", "y\(others[0]) z", "", "u\(others[1])v"].randomElement(using: &random)!
            default: "\"q\(delimiter)\(others[0])\(row)\""
            }
          })
      }
      let text = ([names] + rows).map { $0.joined(separator: String(delimiter)) }.joined(separator: "\n") + "\n"
      do {
        let reader = try CSVReader(bytes: slice(text))
        #expect(reader.delimiter == delimiter.asciiValue, "seed \(seed), round \(round): \(text)")
      } catch {
        #expect(error.kind == .ambiguous, "seed \(seed), round \(round): \(text)")
        refusedCount += 1
      }
    }
    #expect(refusedCount < 60, "seed \(seed)")
  }
}
