import Columns
import Testing
import TextFormats

/// The fast paths for numbers and times give what the plain ones do.
@Suite struct NumbersAndTimesTests {
  private func read(_ cells: [String], _ type: DataType) throws(TextError) -> [Scalar] {
    try readCSV("a\n" + cells.joined(separator: "\n") + "\n", CSVOptions(types: Schema([Field("a", type)]))).columns[0].scalars
  }

  private func fails(_ cell: String, _ type: DataType) -> Bool {
    do {
      _ = try read([cell], type)
      return false
    } catch {
      return error.kind == .badCell
    }
  }

  @Test func integersOfEveryLength() throws {
    var cells: [String] = []
    var expected: [Scalar] = []
    for length in 1...18 {
      for digits in [String(repeating: "9", count: length), String("123456789012345678".prefix(length))] {
        for sign in ["", "-", "+"] {
          cells.append(sign + digits)
          expected.append(.int(Int64(sign + digits)!))
        }
      }
    }
    for text in ["9223372036854775807", "-9223372036854775808", "0000000000000000000000001", "-0"] {
      cells.append(text)
      expected.append(.int(Int64(text)!))
    }
    #expect(try read(cells, .int64) == expected)
    for text in [
      "9223372036854775808", "-", "+", "1a", "12345678a", "a2345678", "1 ", " 1", "1:", "1/", "--1", "1-", "12.5", "123456789012345:",
    ] {
      #expect(fails(text, .int64), "\(text)")
    }
  }

  @Test func doublesAreRoundedOnce() throws {
    let seed = UInt64.random(in: 0 ... .max)
    var generator = SplitMix(seed: seed)
    var cells = [
      "0.1", "1.", ".5", "-.5", "1e5", "1E-5", "9007199254740993", "9007199254740992", "0.30000000000000004", "123456789.123456789",
      "1.7976931348623157e308", "5e-324", "2.2250738585072011e-308", "0000000000000000000000.25", "99999999999999999999", "-0", "-0.0",
      "8.5000000000000000001", "1.00000000000000011102230246251565404236316680908203125",
    ]
    for _ in 0..<3_000 {
      let digits = String(generator.next() >> UInt64.random(in: 0..<64, using: &generator))
      let place = Int.random(in: 0...digits.count, using: &generator)
      cells.append((Bool.random(using: &generator) ? "-" : "") + digits.prefix(place) + "." + digits.dropFirst(place))
    }
    for type in [DataType.float64, .float32] {
      let found = try read(cells, type)
      for (cell, scalar) in zip(cells, found) where type == .float64 || abs(Double(cell)!) < 1e38 {
        switch scalar {
        case .double(let value): #expect(value.bitPattern == Double(cell)!.bitPattern, "\(cell), seed \(seed)")
        case .float(let value): #expect(value.bitPattern == Float(cell)!.bitPattern, "\(cell), seed \(seed)")
        default: Issue.record("\(cell)")
        }
      }
      cells.removeAll { abs(Double($0)!) > 1e38 || Double($0)!.magnitude < 1e-38 }
    }
    for text in [".", "-", "1e", "1.2.3", "1;5", "0x1", "1_000", "e5", "12345678.a", "1.12345678a"] {
      #expect(fails(text, .float64), "\(text)")
    }
  }

  @Test func halvesAreRoundedToNearest() throws {
    #expect(
      try read(["0.1", "65504", "-0.5", "1.00048828125", "1.00048828126", "NaN", "-inf", "6e-8"], .float16).map(\.description)
        == [Float16(0.1), 65504, -0.5, 1, 1.0009765625, .nan, -.infinity, 6e-8].map { Scalar.float(Float($0)).description })
    #expect(fails("65520", .float16) && fails("1e9", .float16))
  }

  @Test func decimalsKeepTheirScale() throws {
    let type = DataType.decimal(precision: 10, scale: 3)
    #expect(
      try read(["1", "-1.5", "1234567.891", "0.0010", "+2.25", "-0"], type)
        == [1000, -1500, 1_234_567_891, 1, 2250, 0].map { .decimal($0, scale: 3) })
    for text in ["12345678.1", "0.0001", "1e3", "1..2", ""] where !text.isEmpty { #expect(fails(text, type), "\(text)") }
    let wide = DataType.decimal(precision: 38, scale: 20)
    #expect(
      try read(["1", "123456789012345678.12345678901234567890"], wide) == [
        .decimal(100_000_000_000_000_000_000, scale: 20), .decimal(12_345_678_901_234_567_812_345_678_901_234_567_890, scale: 20),
      ])
  }

  @Test func instantsOfEveryForm() throws {
    let seconds: [(String, Int64)] = [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01 00:00:00", 0), ("1970-01-01", 0), ("1969-12-31T23:59:59Z", -1),
      ("2024-02-29T12:34:56Z", 1_709_210_096), ("2024-02-29T12:34:56+05:30", 1_709_190_296), ("2024-02-29t12:34:56z", 1_709_210_096),
      ("2024-02-29 12:34", 1_709_210_040), ("0001-01-01T00:00:00Z", -62_135_596_800), ("9999-12-31T23:59:59Z", 253_402_300_799),
      ("2024-02-29T12:34:56-0800", 1_709_238_896), ("+12024-01-01T00:00:00Z", 317_273_587_200),
    ]
    #expect(try read(seconds.map(\.0), .timestamp(.second, zone: "UTC")) == seconds.map { .timestamp($0.1, .second) })
    let fractions: [(String, Int64)] = [
      ("1970-01-01T00:00:00.1Z", 100_000_000), ("1970-01-01T00:00:00.123456789Z", 123_456_789), ("1970-01-01 00:00:00.000000001", 1),
      ("1969-12-31T23:59:59.999999999Z", -1), ("1970-01-01T00:00:01.50+00:00", 1_500_000_000), ("2262-04-11T23:47:16.854775807Z", .max),
    ]
    #expect(try read(fractions.map(\.0), .timestamp(.nanosecond, zone: nil)) == fractions.map { .timestamp($0.1, .nanosecond) })
    #expect(try read(["1970-01-01T00:00:00.5"], .timestamp(.millisecond, zone: nil)) == [.timestamp(500, .millisecond)])
    for text in [
      "1970-01-01T00:00:00.1234567Z", "2023-02-29T00:00:00Z", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-32T00:00:00Z",
      "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.Q",
      "1970-01-01X00:00:00Z", "1970/01/01T00:00:00Z", "1970-01-01T00-00-00Z", "1970-01-01T00:00:00ZZ",
      "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
    ] { #expect(fails(text, .timestampMicros), "\(text)") }
    #expect(fails("2262-04-11T23:47:16.854775808Z", .timestamp(.nanosecond, zone: nil)))
    #expect(try read(["2024-02-29", "1969-12-31", "-0001-01-01"], .date) == [.date(19_782), .date(-1), .date(-719_893)])
    #expect(fails("2024-2-9", .date) && fails("2024-02-30", .date) && fails("2024-02-29T", .date))
  }

  @Test func timesOfDay() throws {
    #expect(
      try read(["00:00:00", "23:59:59.999", "12:30", "01:02:03.5"], .time(.millisecond))
        == [0, 86_399_999, 45_000_000, 3_723_500].map { .time($0, .millisecond) })
    #expect(try read(["23:59:59.999999999"], .time(.nanosecond)) == [.time(86_399_999_999_999, .nanosecond)])
    for text in ["24:00:00", "00:60:00", "1:00:00", "00:00:00.0001", "00:00:00.", "00:00:0", "00:00:00.1234567890"] {
      #expect(fails(text, .time(.millisecond)), "\(text)")
    }
    #expect(try read(["-5", "9000000000"], .duration(.second)) == [.duration(-5, .second), .duration(9_000_000_000, .second)])
  }
}

extension Scalar {
  fileprivate var description: String { "\(self)" }
}
