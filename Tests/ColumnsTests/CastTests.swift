import Columns
import Testing

@Suite struct CastTests {
  private func cast(_ from: DataType, _ to: DataType, _ values: [Scalar], nanAsNull: Bool = false, floor: Bool = false) throws -> [Scalar] {
    try Column(from, values).cast(to: to, nanAsNull: nanAsNull, floor: floor).scalars
  }

  private let nanos = DataType.timestamp(.nanosecond, zone: nil)
  private let seconds = DataType.timestamp(.second, zone: "UTC")

  @Test func integersConvertWhereTheyFit() throws {
    #expect(try cast(.int64, .int8, [.int(-128), .null, .int(127)]) == [.int(-128), .null, .int(127)])
    #expect(try cast(.uint32, .int64, [.uint(4_294_967_295)]) == [.int(4_294_967_295)])
    #expect(try cast(.int16, .uint64, [.int(7)]) == [.uint(7)])
    #expect(try cast(.uint64, .uint8, [.uint(255)]) == [.uint(255)])
    #expect(throws: CastError(from: .int64, to: .int8, reason: .value(row: 2, .int(128)))) {
      try cast(.int64, .int8, [.int(1), .null, .int(128)])
    }
    #expect(throws: CastError(from: .uint64, to: .int64, reason: .value(row: 0, .uint(.max)))) {
      try cast(.uint64, .int64, [.uint(.max)])
    }
    #expect(throws: CastError(from: .int8, to: .uint64, reason: .value(row: 0, .int(-1)))) { try cast(.int8, .uint64, [.int(-1)]) }
  }

  @Test func errorsNameRowAndValue() {
    let error = CastError(from: .int64, to: .int8, reason: .value(row: 2, .int(128)))
    #expect("\(error)" == "Cannot convert int64 to int8: row 3 holds 128, which int8 cannot hold exactly")
    #expect(
      "\(CastError(from: .bool, to: .int8, reason: .unsupported))"
        == "Cannot convert bool to int8: there is no lossless conversion between these types")
  }

  @Test func floatsConvertWhenExact() throws {
    #expect(try cast(.float32, .float64, [.float(0.5), .null]) == [.double(0.5), .null])
    #expect(try cast(.int64, .float64, [.int(1 << 53), .int(-3)]) == [.double(9007199254740992), .double(-3)])
    #expect(try cast(.float64, .int64, [.double(-0.0), .double(1e15), .null]) == [.int(0), .int(1_000_000_000_000_000), .null])
    #expect(try cast(.float64, .uint64, [.double(18446744073709549568)]) == [.uint(18446744073709549568)])
    #expect(try cast(.float32, .int16, [.float(12)]) == [.int(12)])
    #expect(try cast(.float64, .int64, [.double(.nan), .double(3)], nanAsNull: true) == [.null, .int(3)])
    #expect(throws: CastError(from: .int64, to: .float64, reason: .value(row: 0, .int(1 << 53 + 1)))) {
      try cast(.int64, .float64, [.int(1 << 53 + 1)])
    }
    for value in [1.5, 300, .infinity] {
      #expect(throws: CastError(from: .float64, to: .int8, reason: .value(row: 1, .double(value)))) {
        try cast(.float64, .int8, [.double(1), .double(value)], nanAsNull: true)
      }
    }
    #expect(throws: CastError.self) { try cast(.float64, .int64, [.double(.nan)]) }
    #expect(throws: CastError.self) { try cast(.float64, .int64, [.double(9223372036854775808)]) }
    #expect(throws: CastError.self) { try cast(.float64, .float32, [.double(0.1)]) }
    #expect(try cast(.float64, .float32, [.double(0.5), .double(.infinity)]) == [.float(0.5), .float(.infinity)])
  }

  @Test func timestampsChangeUnitsAndZones() throws {
    #expect(try cast(seconds, .timestampMicros, [.timestamp(-1, .second)]) == [.timestamp(-1_000_000, .microsecond)])
    #expect(try cast(nanos, .timestampMicros, [.timestamp(-2000, .nanosecond)]) == [.timestamp(-2, .microsecond)])
    #expect(
      try cast(nanos, .timestampMicros, [.timestamp(-1, .nanosecond), .timestamp(1999, .nanosecond)], floor: true)
        == [.timestamp(-1, .microsecond), .timestamp(1, .microsecond)])
    #expect(throws: CastError(from: nanos, to: .timestampMicros, reason: .value(row: 0, .timestamp(1, .nanosecond)))) {
      try cast(nanos, .timestampMicros, [.timestamp(1, .nanosecond)])
    }
    #expect(throws: CastError.self) { try cast(seconds, .timestampMicros, [.timestamp(.max, .second)]) }
    #expect(
      try cast(.timestamp(.microsecond, zone: "Europe/Prague"), .timestampMicros, [.timestamp(5, .microsecond)])
        == [.timestamp(5, .microsecond)])
    #expect(try cast(.date, .timestampMicros, [.date(-1), .null]) == [.timestamp(-86_400_000_000, .microsecond), .null])
    #expect(throws: CastError.self) { try cast(.date, nanos, [.date(.max)]) }
    #expect(try cast(seconds, .date, [.timestamp(-86_400, .second)]) == [.date(-1)])
    #expect(throws: CastError.self) { try cast(seconds, .date, [.timestamp(1, .second)]) }
    #expect(try cast(seconds, .date, [.timestamp(-1, .second)], floor: true) == [.date(-1)])
  }

  @Test func textAndDecimals() throws {
    #expect(try cast(.binary, .string, [.binary([0x61]), .null]) == [.string("a"), .null])
    #expect(try cast(.string, .binary, [.string("a")]) == [.binary([0x61])])
    #expect(throws: CastError(from: .binary, to: .string, reason: .value(row: 0, .binary([0xff])))) {
      try cast(.binary, .string, [.binary([0xff])])
    }
    let narrow = DataType.decimal(precision: 4, scale: 2)
    let wide = DataType.decimal(precision: 38, scale: 4)
    #expect(try cast(narrow, wide, [.decimal(-1234, scale: 2)]) == [.decimal(-123_400, scale: 4)])
    #expect(try cast(wide, narrow, [.decimal(123_400, scale: 4)]) == [.decimal(1234, scale: 2)])
    #expect(throws: CastError.self) { try cast(wide, narrow, [.decimal(1, scale: 4)]) }
    #expect(throws: CastError.self) { try cast(wide, narrow, [.decimal(1_000_000, scale: 4)]) }
    #expect(try cast(.int32, narrow, [.int(99)]) == [.decimal(9900, scale: 2)])
    #expect(throws: CastError(from: .int32, to: narrow, reason: .value(row: 0, .int(100)))) { try cast(.int32, narrow, [.int(100)]) }
    #expect(throws: CastError(from: .bool, to: .int64, reason: .unsupported)) { try cast(.bool, .int64, [.bool(true)]) }
    #expect(throws: CastError(from: .string, to: .int64, reason: .unsupported)) { try cast(.string, .int64, [.string("1")]) }
  }
}

/// Floats that may have been integers before.
@Suite struct AmbiguousCastTests {
  private func cast(_ from: DataType, _ to: DataType, _ values: [Scalar]) throws -> [Scalar] {
    try Column(from, values).cast(to: to, nanAsNull: true, unambiguous: true).scalars
  }

  @Test func integersThatAFloatTellsApartAreTaken() throws {
    let last = Double(1 << 53 - 1)
    #expect(
      try cast(.float64, .int64, [.double(last), .null, .double(-last), .double(.nan)]) == [
        .int(1 << 53 - 1), .null, .int(1 - 1 << 53), .null,
      ])
    #expect(try cast(.float32, .int32, [.float(16_777_215), .float(-16_777_215)]) == [.int(16_777_215), .int(-16_777_215)])
    #expect(try cast(.float16, .int16, [.float(2047)]) == [.int(2047)])
    #expect(try cast(.float64, .uint64, [.double(last)]) == [.uint(1 << 53 - 1)])
  }

  @Test func othersAreRefused() throws {
    for value in [0x1p53, -0x1p53, 1e18] {
      #expect(throws: CastError(from: .float64, to: .int64, reason: .ambiguous(row: 1, .double(value)))) {
        try cast(.float64, .int64, [.double(1), .double(value)])
      }
    }
    #expect(throws: CastError(from: .float64, to: .uint64, reason: .ambiguous(row: 0, .double(0x1p63)))) {
      try cast(.float64, .uint64, [.double(0x1p63)])
    }
    #expect(throws: CastError(from: .float32, to: .int64, reason: .ambiguous(row: 0, .float(16_777_216)))) {
      try cast(.float32, .int64, [.float(16_777_216)])
    }
    #expect(throws: CastError(from: .float16, to: .int64, reason: .ambiguous(row: 0, .float(2048)))) {
      try cast(.float16, .int64, [.float(2048)])
    }
    // What the integer cannot hold anyway is refused for that.
    #expect(throws: CastError(from: .float64, to: .int64, reason: .value(row: 0, .double(1e300)))) {
      try cast(.float64, .int64, [.double(1e300)])
    }
    #expect(throws: CastError(from: .float64, to: .int32, reason: .value(row: 0, .double(0x1p53)))) {
      try cast(.float64, .int32, [.double(0x1p53)])
    }
    #expect(
      "\(CastError(from: .float64, to: .int64, reason: .ambiguous(row: 1, .double(0x1p53))))"
        == "Cannot convert float64 to int64: row 2 holds 9007199254740992.0, to which float64 rounds several integers; give it as an integer"
    )
  }

  @Test func floatsTakeTheNearestOfAnyNumber() throws {
    func nearest(_ from: DataType, _ to: DataType, _ values: [Scalar]) throws -> [Scalar] {
      try Column(from, values).castNearest(to: to).scalars
    }
    #expect(try nearest(.float64, .float32, [.double(0.1), .null, .double(.infinity)]) == [.float(0.1), .null, .float(.infinity)])
    #expect(try nearest(.int64, .float64, [.int(1 << 53 + 1)]) == [.double(0x1p53)])
    #expect(try nearest(.int32, .float32, [.int(16_777_217)]) == [.float(16_777_216)])
    #expect(try nearest(.uint64, .float64, [.uint(.max)]) == [.double(0x1p64)])
    #expect(try nearest(.uint64, .float32, [.uint(.max)]) == [.float(0x1p64)])
    #expect(try nearest(.float32, .float64, [.float(0.5)]) == [.double(0.5)])
    #expect(throws: CastError(from: .float64, to: .float32, reason: .value(row: 0, .double(1e300)))) {
      try nearest(.float64, .float32, [.double(1e300)])
    }
  }
}
