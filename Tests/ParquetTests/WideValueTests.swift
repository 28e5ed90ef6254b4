import Columns
import Testing

@testable import Parquet

/// Values that are stored wider than columns keep them: timestamps of 12 bytes, decimals of up to 76 digits.
@Suite struct WideValueTests {
  private func shape(
    _ logical: LogicalType, _ physical: PhysicalType, length: Int32? = nil, hints: TypeHints = TypeHints([:])
  ) throws(ParquetError) -> ColumnShape {
    var element = SchemaElement()
    element.name = "v"
    element.repetition = .required
    element.type = physical
    element.typeLength = length
    element.logicalType = logical
    return try ColumnShape(element, path: "v", levels: NodeLevels(), isNullable: false, isFlat: true, hints: hints, arrow: nil)
  }

  private func converted<Value: BitwiseCopyable>(_ bytes: [UInt8], _ shape: ColumnShape, as: Value.Type) throws(ParquetError) -> [Value] {
    let count = bytes.count / shape.fixedByteCount
    let target = Buffer(byteCapacity: count * MemoryLayout<Value>.size)
    let source = BufferSlice(copying: bytes)
    try source.withBytes { (bytes) throws(ParquetError) in
      try PlainConversion.convert(bytes.baseAddress!, shape, count: count, into: target.pointer)
    }
    return Array(UnsafeBufferPointer(start: target.pointer.assumingMemoryBound(to: Value.self), count: count))
  }

  private func twelve(_ value: Int128) -> [UInt8] { (0..<12).map { UInt8(truncatingIfNeeded: value >> Int128($0 * 8)) } }

  @Test func timestampsOfTwelveBytesAreTheirTicks() throws {
    let ticks: [Int128] = [0, 1, -1, 253_402_300_799_000_000, -62_135_596_800_000_000]
    let micros = try shape(.timestamp(isAdjustedToUTC: true, unit: .micros), .fixedLengthByteArray, length: 12)
    #expect(micros.field.type == .timestamp(.microsecond, zone: "UTC"))
    #expect(try converted(ticks.flatMap(twelve), micros, as: Int64.self) == ticks.map { Int64($0) })
    let millis = try shape(.timestamp(isAdjustedToUTC: false, unit: .millis), .fixedLengthByteArray, length: 12)
    #expect(millis.field.type == .timestamp(.millisecond, zone: nil))
    #expect(
      try shape(.timestamp(isAdjustedToUTC: true, unit: .micros), .fixedLengthByteArray, length: 11).field.type
        == .fixedBinary(byteWidth: 11))
  }

  @Test func nanosecondsBeyondSixtyFourBitsAreMicroseconds() throws {
    let far = Int128(253_402_300_799_000_000_000) + 1_999
    let logical = LogicalType.timestamp(isAdjustedToUTC: true, unit: .nanos)
    let nanos = try shape(logical, .fixedLengthByteArray, length: 12)
    #expect(nanos.field.type == .timestamp(.nanosecond, zone: "UTC"))
    #expect(nanos.hasWideNanoseconds)
    let error = #expect(throws: ParquetError.self) { try converted(twelve(5) + twelve(far), nanos, as: Int64.self) }
    #expect(error?.kind == .outOfRange)
    #expect(error?.text == "value 1 is a timestamp of 253402300799000001999 ticks, which 64 bits do not hold")
    let micros = try shape(logical, .fixedLengthByteArray, length: 12, hints: TypeHints([:], hasMicrosecondInt96: true))
    #expect(micros.field.type == .timestamp(.microsecond, zone: "UTC"))
    #expect(!micros.hasWideNanoseconds)
    #expect(try converted(twelve(far) + twelve(-1), micros, as: Int64.self) == [253_402_300_799_000_001, -1])
  }

  @Test func wideDecimalsAreReadWhereTheirValuesFit() throws {
    let wide = try shape(.decimal(scale: 5, precision: 76), .fixedLengthByteArray, length: 32)
    #expect(wide.field.type == .decimal(precision: 38, scale: 5))
    let minusTwo = [UInt8](repeating: 0xFF, count: 31) + [0xFE]
    let many = [UInt8](repeating: 0, count: 30) + [1, 0]
    #expect(try converted(minusTwo + many, wide, as: Int128.self) == [-2, 256])
    let great = [UInt8](repeating: 0, count: 15) + [1] + [UInt8](repeating: 0, count: 16)
    let error = #expect(throws: ParquetError.self) { try converted(great, wide, as: Int128.self) }
    #expect(error?.text == "a decimal of 32 bytes has more than 128 bits")
    let digits = [UInt8](repeating: 0, count: 16) + [0x7F] + [UInt8](repeating: 0, count: 15)
    let tooMany = #expect(throws: ParquetError.self) { try converted(digits, wide, as: Int128.self) }
    #expect(tooMany?.text == "value 0 has more than the 38 digits of its type")
    let fine = #expect(throws: ParquetError.self) { try shape(.decimal(scale: 40, precision: 76), .fixedLengthByteArray, length: 32) }
    #expect(fine?.text == "Cannot read column v: a decimal of scale 40 is too fine, 38 digits are supported")
  }
}
