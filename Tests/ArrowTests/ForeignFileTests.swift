import Columns
import Testing

@testable import Arrow

/// Files that PyArrow and Polars wrote; see fixtures/make_arrow_fixtures.py for their values.
@Suite struct ForeignFileTests {
  static let flat: [(String, DataType, [Scalar])] = [
    ("null", .int32, [.null, .null, .null]), ("bool", .bool, [.bool(true), .null, .bool(false)]),
    ("int8", .int8, [.int(1), .null, .int(-128)]), ("int16", .int16, [.int(1), .null, .int(-32768)]),
    ("int32", .int32, [.int(1), .null, .int(-2_147_483_648)]), ("int64", .int64, [.int(1), .null, .int(.min)]),
    ("uint8", .uint8, [.uint(1), .null, .uint(255)]), ("uint16", .uint16, [.uint(1), .null, .uint(65535)]),
    ("uint32", .uint32, [.uint(1), .null, .uint(4_294_967_295)]), ("uint64", .uint64, [.uint(1), .null, .uint(.max)]),
    ("float16", .float16, [.float(1.5), .null, .float(-0.25)]), ("float32", .float32, [.float(1.5), .null, .float(.infinity)]),
    ("float64", .float64, [.double(1.5), .null, .double(-1e300)]),
    ("decimal32", .decimal(precision: 7, scale: 2), [.decimal(125, scale: 2), .null, .decimal(-9_999_999, scale: 2)]),
    ("decimal64", .decimal(precision: 12, scale: 2), [.decimal(125, scale: 2), .null, .decimal(-999_999_999_999, scale: 2)]),
    ("decimal128", .decimal(precision: 38, scale: 2), [.decimal(125, scale: 2), .null, .decimal(nines, scale: 2)]),
    ("decimal256", .decimal(precision: 38, scale: 2), [.decimal(125, scale: 2), .null, .decimal(nines, scale: 2)]),
    ("decimal_negative_scale", .decimal(precision: 7, scale: 0), [.decimal(1200, scale: 0), .null, .decimal(-9900, scale: 0)]),
    ("utf8", .string, [.string("a"), .null, .string("größer 寿司")]), ("large_utf8", .string, [.string("a"), .null, .string("größer 寿司")]),
    ("utf8_view", .string, [.string("a"), .null, .string("longer than twelve bytes 寿司")]),
    ("binary", .binary, [.binary([0, 255]), .null, .binary([])]), ("large_binary", .binary, [.binary([0, 255]), .null, .binary([])]),
    ("binary_view", .binary, [.binary([0, 255]), .null, .binary(Array("longer than twelve bytes".utf8) + [255])]),
    ("fixed", .fixedBinary(byteWidth: 3), [.binary([97, 98, 99]), .null, .binary([120, 121, 122])]),
    ("date32", .date, [.date(1), .null, .date(-1)]), ("date64", .date, [.date(1), .null, .date(-1)]),
    ("time32_s", .time(.second), [.time(1, .second), .null, .time(86_399, .second)]),
    ("time32_ms", .time(.millisecond), [.time(1, .millisecond), .null, .time(86_399_999, .millisecond)]),
    ("time64_us", .time(.microsecond), [.time(1, .microsecond), .null, .time(2, .microsecond)]),
    ("time64_ns", .time(.nanosecond), [.time(1, .nanosecond), .null, .time(2, .nanosecond)]),
    ("timestamp_s", .timestamp(.second, zone: nil), [.timestamp(1, .second), .null, .timestamp(-2, .second)]),
    ("timestamp_ms", .timestamp(.millisecond, zone: "UTC"), [.timestamp(1, .millisecond), .null, .timestamp(-2, .millisecond)]),
    ("timestamp_us", .timestamp(.microsecond, zone: "Europe/Berlin"), [.timestamp(1, .microsecond), .null, .timestamp(-2, .microsecond)]),
    ("timestamp_ns", .timestamp(.nanosecond, zone: nil), [.timestamp(1, .nanosecond), .null, .timestamp(-2, .nanosecond)]),
    ("duration_s", .duration(.second), [.duration(1, .second), .null, .duration(-2, .second)]),
    ("duration_ns", .duration(.nanosecond), [.duration(1, .nanosecond), .null, .duration(-2, .nanosecond)]),
    ("uuid", .fixedBinary(byteWidth: 16), [.binary(Array("0123456789abcdef".utf8)), .null, .binary([UInt8](repeating: 255, count: 16))]),
    ("required", .int64, [.int(7), .int(8), .int(9)]),
  ]
  /// -(10^38 - 1)
  static let nines: Int128 = -99_999_999_999_999_999_999_999_999_999_999_999_999

  @Test(arguments: ["flat.arrow", "flat.arrows", "flat_legacy.arrows"]) func everyFlatTypeIsRead(name: String) throws {
    let batches = try Fixture.batches(name)
    try #require(batches.count == 1)
    #expect(batches[0].schema.fields == Self.flat.map { Field($0.0, $0.1, isNullable: $0.0 != "required") })
    for (index, (name, _, values)) in Self.flat.enumerated() { #expect(batches[0].columns[index].scalars == values, "\(name)") }
  }

  static let one = Scalar.structure([.int(1), .string("a")])
  static let nested: [(String, [Scalar])] = [
    ("list", [.list([.int(1), .null]), .null, .list([]), .list([.int(2)])]),
    ("large_list", [.list([.int(1), .null]), .null, .list([]), .list([.int(2)])]),
    ("fixed_list", [.list([.int(1), .null]), .null, .list([.int(3), .int(4)]), .list([.int(5), .int(6)])]),
    ("list_view", [.list([.int(3), .null]), .null, .list([]), .list([.int(2), .int(3)])]),
    ("large_list_view", [.list([.int(1), .null]), .list([]), .list([.int(3)]), .list([.int(4)])]),
    (
      "map",
      [
        .list([.structure([.string("a"), .int(1)]), .structure([.string("b"), .null])]), .null, .list([]),
        .list([.structure([.string("c"), .int(3)])]),
      ]
    ),
    ("struct", [one, .null, .structure([.null, .null]), .structure([.int(4), .string("d")])]),
    ("struct_masked", [one, .null, .structure([.int(3), .string("c")]), .structure([.int(4), .string("d")])]),
    ("deep", [.list([.list([one]), .null]), .null, .list([]), .list([.list([.null, .structure([.int(2), .null])])])]),
    ("runs", [.string("a"), .string("a"), .null, .string("b")]),
  ]

  @Test(arguments: ["nested.arrow", "nested_batches.arrow", "nested_lz4.arrow", "nested_zstd.arrow"])
  func nestedTypesAreRead(name: String) throws {
    let batch = Batch.concatenate(try Fixture.batches(name))
    #expect(batch.schema.fields.map(\.name) == Self.nested.map(\.0))
    for (index, (name, values)) in Self.nested.enumerated() { #expect(batch.columns[index].scalars == values, "\(name)") }
    // Beneath a null structure lie nulls, though the file has values there.
    #expect(batch["struct_masked"]?.children.map { $0.scalar(at: 1) } == [.null, .null])
  }

  @Test func dictionariesGrowAndAreReplaced() throws {
    func words(_ name: String) throws -> [[Scalar]] { try Fixture.batches(name).map { $0.columns[0].scalars } }
    #expect(try words("dictionary_delta.arrows") == [[.string("a"), .string("b"), .null], [.string("c"), .string("a"), .string("c")]])
    #expect(
      try words("dictionary_replacement.arrows") == [[.string("a"), .string("b"), .null], [.string("y"), .string("x"), .string("y")]])
    #expect(try words("dictionary.arrow") == [[.string("a"), .string("b"), .null], [.string("a"), .string("b"), .null]])
    let (x, y) = (Scalar.string("x"), Scalar.string("y"))
    #expect(try words("dictionary_nested.arrow") == [[.list([.null]), .list([y, x]), .list([.null]), .null]])
  }

  @Test(arguments: ["lz4.arrow", "zstd.arrow"]) func compressedBodiesAreRead(name: String) throws {
    let batches = try Fixture.batches(name)
    #expect(batches.map(\.rowCount) == [4990, 10])
    let batch = Batch.concatenate(batches)
    #expect(batch.columns[0].scalars == (0..<5000).map { $0 % 10 == 3 ? .null : .int($0 * $0) })
    #expect(batch.columns[1].scalars == (0..<5000).map { .string("value \($0 % 7)") })
  }

  @Test(arguments: ["polars.arrow", "polars_zstd.arrow", "polars_lz4.arrows"]) func whatPolarsWritesIsRead(name: String) throws {
    let batch = Batch.concatenate(try Fixture.batches(name))
    #expect(batch["text"]?.scalars == [.string("a"), .null, .string("longer than twelve bytes")])
    #expect(batch["category"]?.scalars == [.string("x"), .null, .string("x")])
    #expect(batch["list"]?.scalars == [.list([.int(1), .int(2)]), .null, .list([])])
    #expect(batch["struct"]?.scalars == [Self.one, .structure([.null, .string("b")]), .null])
    #expect(batch["array"]?.scalars == [.list([.int(1), .int(2)]), .null, .list([.int(3), .int(4)])])
    #expect(batch["time"]?.scalars == [.time(1_000_000_000, .nanosecond), .null, .time(86_399_000_000_000, .nanosecond)])
    #expect(batch["decimal"]?.scalars == [.decimal(125, scale: 2), .null, .decimal(-350, scale: 2)])
  }

  @Test func namesMayRepeatAndRowsMayLack() throws {
    let same = try Fixture.batches("same_names.arrow")
    #expect(same[0].schema.fields == [Field("same", .int32), Field("same", .string)])
    #expect(same[0].columns.map(\.scalars) == [[.int(1)], [.string("a")]])
    #expect(try Fixture.batches("no_rows.arrow").reduce(0) { $0 + $1.rowCount } == 0)
    #expect(try Fixture.batches("no_batches.arrows").reduce(0) { $0 + $1.rowCount } == 0)
    let sliced = try Fixture.batches("sliced.arrows")[0]
    #expect(sliced.columns.map(\.scalars) == [[.null, .bool(false), .bool(true)], [.string("b"), .null, .string("d")]])
  }

  @Test func chosenColumnsAreReadInTheirOrder() throws {
    let batches = try readAll(Fixture.bytes("nested_zstd.arrow"), columns: [9, 0])
    #expect(batches[0].schema.fields.map(\.name) == ["runs", "list"])
    #expect(batches[0].columns.map(\.scalars) == [Self.nested[9].1, Self.nested[0].1])
  }

  @Test func everyFixtureIsNamedHere() {
    let known = [
      "dictionary.arrow", "dictionary_delta.arrows", "dictionary_nested.arrow", "dictionary_replacement.arrows",
      "finding_empty_structures.arrows", "finding_null_dictionary.arrows", "flat.arrow", "flat.arrows",
      "flat_legacy.arrows", "lz4.arrow", "nested.arrow", "nested_batches.arrow", "nested_lz4.arrow", "nested_zstd.arrow",
      "no_batches.arrows", "no_rows.arrow", "polars.arrow", "polars_lz4.arrows", "polars_zstd.arrow", "same_names.arrow", "sliced.arrows",
      "zstd.arrow",
    ]
    #expect(Fixture.names() == known)
  }
}
