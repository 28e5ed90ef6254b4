import Columns
import Testing

@Suite struct ColumnTests {
  @Test func builderKeepsValuesAndNulls() {
    var builder = ColumnBuilder(.int64)
    builder.append(Int64(7))
    builder.appendNull()
    builder.append(Int64(-1))
    let column = builder.finish()
    #expect(column.scalars == [.int(7), .null, .int(-1)])
    #expect(column.nullCount == 1)
    #expect(column.slice(from: 1, count: 2).scalars == [.null, .int(-1)])
  }

  @Test func stringsSliceWithoutCopy() {
    let column = Column(.string, [.string("a"), .null, .string(""), .string("žluť")])
    #expect(column.slice(from: 2, count: 2).scalars == [.string(""), .string("žluť")])
  }

  @Test func boolSlicesAtAnyBit() {
    let values = (0..<100).map { $0 % 3 == 0 }
    let column = Column(.bool, values.map { .bool($0) })
    #expect(column.slice(from: 13, count: 50).scalars == values[13..<63].map { Scalar.bool($0) })
    #expect(column.slice(from: 13, count: 50).bits.setCount == values[13..<63].count { $0 })
  }

  @Test func typesPrintAndParse() {
    for type in [
      DataType.bool, .int8, .uint64, .float32, .string, .binary, .date, .decimal(precision: 10, scale: 2),
      .timestamp(.nanosecond, zone: nil), .timestampMicros,
      .float16, .fixedBinary(byteWidth: 16), .time(.second), .time(.nanosecond), .duration(.millisecond),
    ] {
      #expect(DataType(parsing: "\(type)") == type)
    }
  }
}
