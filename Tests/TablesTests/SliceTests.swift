import Columns
import History
import Objects
import Testing

@testable import Tables

/// What is compared, searched, hashed and stored of slices at every offset, against columns of their own with the same values.
@Suite struct SliceTests {
  private static let types: [DataType] = [
    .bool, .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .date, .timestampMicros, .string, .binary,
  ]
  private static let rowCount = 21

  private static func scalar(_ type: DataType, _ number: Int) -> Scalar {
    switch type {
    case .bool: .bool(number % 2 == 1)
    case .int8, .int16, .int32, .int64: .int(Int64(number - 4))
    case .uint8, .uint16, .uint32, .uint64: .uint(UInt64(number))
    case .date: .date(Int32(number - 4))
    case .timestampMicros: .timestamp(Int64(number - 4), .microsecond)
    case .string: .string(String(repeating: "a\0", count: number))
    default: .binary([UInt8](repeating: 0, count: number))
    }
  }

  /// Slices of 21 rows at every offset from 0 to 70, with a column of their own.
  private static func slices(
    _ type: DataType, nulls: Bool, sorted: Bool = false, _ body: (_ slice: Column, _ plain: Column, _ place: String) throws -> Void
  ) rethrows {
    var random = SeededRandom(seed: 41)
    var numbers = (0..<70 + rowCount).map { _ in Int.random(in: 0...(type == .bool ? 1 : 6), using: &random) }
    if sorted { numbers.sort() }
    let values = numbers.map { nulls && Int.random(in: 0..<4, using: &random) == 0 ? Scalar.null : scalar(type, $0) }
    let whole = Column(type, values)
    for offset in 0...70 {
      try body(
        whole.slice(from: offset, count: rowCount), Column(type, Array(values[offset..<offset + rowCount])), "\(type), offset \(offset)")
    }
  }

  @Test(arguments: types, [false, true]) func rowsAreCompared(type: DataType, nulls: Bool) {
    var before: (slice: Column, values: [Scalar])?
    let rows = (0..<Int32(Self.rowCount)).map { $0 }
    Self.slices(type, nulls: nulls) { slice, plain, place in
      let other = before ?? (slice, plain.scalars)
      var differs = [Bool](repeating: false, count: rows.count)
      RowComparison.mark(&differs, slice, rows, other.slice, rows.reversed())
      #expect(differs == zip(plain.scalars, other.values.reversed()).map { $0 != $1 }, "\(place)")
      before = (slice, plain.scalars)
    }
  }

  @Test(arguments: types) func encodedKeysAreFound(type: DataType) throws {
    try Self.slices(type, nulls: false, sorted: true) { slice, plain, place in
      for row in [0, 5, Self.rowCount - 1] {
        let key = try KeyEncoder.encode([plain], row: row)
        let expected = try (0..<Self.rowCount).first { try key.lexicographicallyPrecedes(KeyEncoder.encode([plain], row: $0)) }
        #expect(SortedKeys.firstRow(after: key, in: 0..<Self.rowCount, keys: [slice]) == expected ?? Self.rowCount, "\(place)")
      }
    }
  }

  @Test(arguments: types, [false, true]) func leavesHoldTheRowsOfTheSlice(type: DataType, nulls: Bool) throws {
    let schema = FieldIDs.assign(to: Schema([Field("n", .int64, isNullable: false), Field("c", type)]))
    let layout = TableLayout(
      schema: schema, primaryKey: ["n"], eventTime: nil, createdTime: nil, partitioning: .none, leafRowCount: 16)
    let archive = try Archive.create(on: MemoryVolume(), catalog: Catalog.inMemory())
    let numbers = Column(.int64, (0..<Self.rowCount).map { .int(Int64($0)) })
    try Self.slices(type, nulls: nulls) { slice, plain, place in
      let batch = Batch(schema: schema, columns: [numbers, slice], rowCount: Self.rowCount)
      let other = Batch(schema: schema, columns: [numbers, plain], rowCount: Self.rowCount)
      #expect(LeafIdentity(batch).id == LeafIdentity(other).id, "\(place)")
      let leaf = try LeafJob(rows: [batch.slice(from: 0, count: 10), batch.slice(from: 10, count: 11)], firstKey: [], lastKey: [])
        .write(layout: layout, to: archive).entry
      #expect(leaf.id == LeafIdentity(other).id, "\(place)")
      let stored = try LeafFile.read(leaf.id, fields: schema.fields, from: archive)
      #expect(stored.columns[1].scalars == plain.scalars, "\(place)")
    }
  }
}
